"""What a visitor asks."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Header, Path, Query
from pydantic import Field
from starlette.responses import Response
from typing_extensions import TypedDict

from app.access import Actor, room
from app.engine import JournalSilent, KeyReused
from app.journal import Recorded
from app.journal.remarks import Remark, RemarkKind, keep_remark, remarks_of
from app.live import LiveHub
from app.visitor.own import OwnVisit, own_visit
from app.visitor.standing import in_order, place_in
from app.web.document import BODY, MAY_BE_KEYED, READ, WRITE, Responses, refusals
from app.web.etags import knows
from app.web.inputs import OfficeId, Text, TicketId, Wish
from app.web.models import (
    BecauseOut,
    CandidateOut,
    FactOut,
    Moment,
    TicketOut,
    because_out,
    candidate_out,
    fact_out,
    nothing,
    reply,
    ticket_out,
)
from app.web.pages import Cursor, cursor_after, place_of
from app.web.plain import instant
from app.web.refusals import BadCursor, UnknownVisit
from queue_core.commands import AskForTime, Cancel, ComeBack, Rate, Readmit
from queue_core.errors import NoMoreTime, RatedOften, StepForbidden, UnknownTicket
from queue_core.facts import Because, Called, Readmission, TicketFact, Undone
from queue_core.hall import Hall
from queue_core.office import Discipline
from queue_core.tickets import State, Ticket, retold

router = room("visitor")
visits = room("visitor", "/api/v1/visits")

AHEAD_SHOWN = 20
FAR = 2**63 - 1

UNCHANGED: Responses = {304: {"description": "Nothing has happened since the visit with this ETag"}}
EVENTS: Responses = {
    200: {"description": "Server-sent events", "content": {"text/event-stream": {"schema": {"type": "string"}}}}
}

Token = Annotated[str, Path(description="`visit` of the ticket as it was issued")]


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


class RateWish(Wish):
    """How the visit was, from 1 to 5, how long the wait felt, and a remark, which may be a complaint."""

    stars: Annotated[int, Field(ge=1, le=5)]
    felt_minutes: Annotated[int, Field(ge=0, le=600)] | None = None
    remark: Text | None = None
    complaint: bool = False


class RemarkOut(TypedDict):
    """What a visitor wrote of the visit of a ticket, beside the rating at fact `seq`."""

    seq: int
    at: Moment
    ticket: str
    kind: RemarkKind
    text: str


class Remarks(TypedDict):
    """A page of an office's remarks, the latest first. `next` is null on the last one."""

    remarks: list[RemarkOut]
    next: str | None


@router.get("/{office}/tickets/{ticket}", response_model=VisitOut, responses=refusals(*READ, UnknownTicket))
async def read_ticket(office: OfficeId, ticket: TicketId, actor: Actor) -> Response:
    """A ticket with its whole history and the reason of its place."""
    await actor.hall(office)
    history = await actor.ask(lambda journal: journal.history(office, ticket))
    if not history:
        raise UnknownTicket(ticket=ticket)
    hall = await actor.hall(office)
    return reply(_visit(hall, history, hall.moment(actor.engine.clock.now())))


@router.get("/{office}/remarks", response_model=Remarks, responses=refusals(*READ, BadCursor))
async def read_remarks(
    office: OfficeId,
    actor: Actor,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """What visitors wrote of their visits, as far as it is still kept."""
    before, now = FAR if cursor is None else _seq_of(cursor), actor.engine.clock.now()
    await actor.hall(office)
    found = await actor.ask(lambda journal: remarks_of(journal, office, now, limit + 1, before))
    shown, more = found[:limit], len(found) > limit
    listed = [_remark_out(remark) for remark in shown]
    return reply(Remarks(remarks=listed, next=cursor_after(str(shown[-1].seq)) if more else None))


@visits.get("/{token}", response_model=OwnVisit, responses={**UNCHANGED, **refusals(*READ, UnknownVisit)})
async def read_visit(
    token: Token,
    actor: Actor,
    if_none_match: Annotated[str | None, Header(description="the ETag of the visit already known")] = None,
) -> Response:
    """The visit of a token, for its visitor alone, while it lasts and afterwards."""
    visit = await own_visit_of(token, actor)
    headers = {"ETag": f'"{visit["seq"]}"', "Cache-Control": "no-store"}
    if knows(if_none_match, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return reply(visit, headers=headers)


@visits.get("/{token}/stream", response_class=Response, responses={**EVENTS, **refusals(*READ, UnknownVisit)})
async def follow_visit(token: Token, actor: Actor) -> Response:
    """A beat whenever something happens in the office, upon which the visit is worth asking for again.

    `yours` marks what happened to this very visit: that is worth asking for at once.
    """
    office, ticket = actor.tokens.read(token)
    hub: LiveHub = actor.app.state.hub
    return await hub.visitor_stream(office, ticket)


@visits.post(
    "/{token}/leave",
    status_code=204,
    response_class=Response,
    openapi_extra=MAY_BE_KEYED,
    responses=refusals(*WRITE, UnknownVisit, UnknownTicket, StepForbidden),
)
async def leave(token: Token, actor: Actor) -> Response:
    """The visitor gives the place up."""
    office, ticket = actor.tokens.read(token)
    await actor.do(office, Cancel(ticket))
    return nothing()


@visits.post(
    "/{token}/more-time",
    status_code=204,
    response_class=Response,
    openapi_extra=MAY_BE_KEYED,
    responses=refusals(*WRITE, UnknownVisit, UnknownTicket, StepForbidden, NoMoreTime),
)
async def ask_for_time(token: Token, actor: Actor) -> Response:
    """The visitor steps aside; the clock stands meanwhile, and the waiting done stays on it."""
    office, ticket = actor.tokens.read(token)
    await actor.do(office, AskForTime(ticket))
    return nothing()


@visits.post(
    "/{token}/back",
    status_code=204,
    response_class=Response,
    openapi_extra=MAY_BE_KEYED,
    responses=refusals(*WRITE, UnknownVisit, UnknownTicket, StepForbidden),
)
async def come_back(token: Token, actor: Actor) -> Response:
    """The visitor who stepped aside is there again, and goes on waiting."""
    office, ticket = actor.tokens.read(token)
    await actor.do(office, ComeBack(ticket))
    return nothing()


@visits.post(
    "/{token}/here",
    status_code=204,
    response_class=Response,
    openapi_extra=MAY_BE_KEYED,
    responses=refusals(*WRITE, UnknownVisit, UnknownTicket, StepForbidden),
)
async def say_here(token: Token, actor: Actor) -> Response:
    """The visitor who missed the call is there, and waits again."""
    office, ticket = actor.tokens.read(token)
    await actor.do(office, Readmit(ticket, Readmission.VISITOR))
    return nothing()


@visits.post(
    "/{token}/rate",
    status_code=204,
    response_class=Response,
    openapi_extra=MAY_BE_KEYED,
    responses=refusals(*WRITE, *BODY, UnknownVisit, UnknownTicket, StepForbidden, RatedOften, JournalSilent),
)
async def rate_visit(token: Token, wish: RateWish, actor: Actor) -> Response:
    """Say how the visit was, on its day; the latest word counts. What is written stays out of the journal."""
    office, ticket = actor.tokens.read(token)
    answer = await actor.do(office, Rate(ticket, wish.stars, wish.felt_minutes))
    # Whoever gets no answer between the two repeats the request under its key, and nothing is written twice.
    if wish.remark and not await _keep(wish, office, ticket, answer.seq, actor):
        raise KeyReused(key=actor.headers.get("idempotency-key"))
    return nothing()


async def own_visit_of(token: str, actor: Actor) -> OwnVisit:
    """The visit of a token as its visitor may see it, or UnknownVisit."""
    office, ticket = actor.tokens.read(token)
    await actor.hall(office)
    history = await actor.ask(lambda journal: journal.history(office, ticket))
    if not history:
        raise UnknownVisit()
    return own_visit(await actor.hall(office), history, actor.engine.clock)


async def _keep(wish: RateWish, office: str, ticket: str, seq: int, actor: Actor) -> bool:
    """False when something else was written with this rating before."""
    remark = Remark(
        office_id=office,
        seq=seq,
        ticket_id=ticket,
        at=actor.engine.clock.now(),
        kind=RemarkKind.COMPLAINT if wish.complaint else RemarkKind.REMARK,
        text=wish.remark or "",
    )
    return await actor.ask(lambda journal: keep_remark(journal, remark))


def _remark_out(remark: Remark) -> RemarkOut:
    return {
        "seq": remark.seq,
        "at": instant(remark.at),
        "ticket": remark.ticket_id,
        "kind": remark.kind,
        "text": remark.text,
    }


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
    order = in_order(hall, ticket, now)
    ahead = place_in(order, ticket)
    return {
        "rule": hall.office.discipline,
        "ahead": ahead,
        "ahead_first": [candidate_out(candidate) for candidate in order[: min(ahead, AHEAD_SHOWN)]],
        "standing": candidate_out(order[ahead]),
    }


def _seq_of(cursor: str) -> int:
    place = place_of(cursor)
    if not place.isascii() or not place.isdecimal() or int(place) > FAR:
        raise BadCursor(cursor=cursor)
    return int(place)
