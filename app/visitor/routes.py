"""What a visitor asks."""

from datetime import datetime
from typing import Any

from starlette.responses import Response
from typing_extensions import TypedDict

from app.access import Actor, room
from app.journal import Recorded
from app.web.document import READ, refusals
from app.web.inputs import OfficeId, TicketId
from app.web.models import (
    BecauseOut,
    CandidateOut,
    FactOut,
    TicketOut,
    because_out,
    candidate_out,
    fact_out,
    reply,
    ticket_out,
)
from queue_core.discipline import next_in_line
from queue_core.errors import UnknownTicket
from queue_core.facts import Because, Called, TicketFact, Undone
from queue_core.hall import Hall
from queue_core.office import Discipline
from queue_core.tickets import State, Ticket, retold

router = room("visitor")

AHEAD_SHOWN = 20


class PlaceOut(TypedDict):
    """Where a ticket stands in line. `ahead` counts those whom a counter of this ticket would call first."""

    rule: Discipline
    ahead: int
    ahead_first: list[CandidateOut]
    standing: CandidateOut


class VisitOut(TypedDict):
    """A visit from its issue on. `place` is set while the visitor is in line, `because` once the ticket was called."""

    ticket: TicketOut
    place: PlaceOut | None
    because: BecauseOut | None
    history: list[FactOut]


@router.get("/{office}/tickets/{ticket}", response_model=VisitOut, responses=refusals(*READ, UnknownTicket))
async def read_ticket(office: OfficeId, ticket: TicketId, actor: Actor) -> Response:
    """A ticket with its whole history and the reason of its place."""
    await actor.hall(office)
    history = await actor.ask(lambda journal: journal.history(office, ticket))
    if not history:
        raise UnknownTicket(ticket=ticket)
    hall = await actor.hall(office)
    return reply(_visit(hall, history, hall.moment(actor.engine.clock.now())))


def _visit(hall: Hall, history: list[Recorded], now: datetime) -> dict[str, Any]:
    facts = [line.fact for line in history if isinstance(line.fact, TicketFact)]
    ticket = retold(facts)
    assert ticket, "a history is not empty"
    because = _standing_because(facts)
    # The hall may have moved on since the journal was read, and only those in its line have a place.
    present = hall.tickets.get(ticket.id)
    return {
        "ticket": ticket_out(ticket, history[-1].seq),
        "place": _place(hall, present, now) if present and present.in_line else None,
        "because": because_out(because) if because else None,
        "history": [fact_out(line) for line in history],
    }


def _standing_because(facts: list[TicketFact]) -> Because | None:
    """The reason of the last call that was not taken back."""
    reasons: list[Because] = []
    for fact in facts:
        match fact:
            case Called(because=because):
                reasons.append(because)
            case Undone(step=State.CALLED.value):
                reasons.pop()
            case _:
                pass
    return reasons[-1] if reasons else None


def _place(hall: Hall, ticket: Ticket, now: datetime) -> PlaceOut:
    because = next_in_line(_rivals(hall, ticket), hall.office, now)
    assert because, "the ticket itself is in line"
    order = [because.chosen, *because.others]
    ahead = next(index for index, candidate in enumerate(order) if candidate.ticket == ticket.id)
    return {
        "rule": hall.office.discipline,
        "ahead": ahead,
        "ahead_first": [candidate_out(candidate) for candidate in order[: min(ahead, AHEAD_SHOWN)]],
        "standing": candidate_out(order[ahead]),
    }


def _rivals(hall: Hall, ticket: Ticket) -> list[Ticket]:
    """Everybody in line, this ticket too, whom one of the counters that may call it may call as well."""
    counters = {
        counter.id: counter for counter in hall.office.counters if counter.serves(ticket.service, ticket.only_counter)
    }
    services = {service for counter in counters.values() for service in counter.services}
    return [
        other
        for other in hall.tickets.values()
        if other.in_line and (other.only_counter in counters if other.only_counter else other.service in services)
    ]
