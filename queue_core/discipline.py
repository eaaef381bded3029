"""Who is next, and why.

Out-of-turn visitors come first, the longest waiting of them before the others. Booked and walk-in visitors share the
rest by the office's rule. Within a class it is first come, first served, so only the heads of the classes compete.

Accumulating priority: every second of waiting earns 1 point for a walk-in and `booked_weight` points for a booked
visitor, and the larger sum goes first (Stanford, Taylor, Ziedins, Queueing Systems 77, 2014). Ties go by issue.
"""

from collections.abc import Iterable
from datetime import datetime

from queue_core.facts import Because, Candidate, Rank
from queue_core.office import Discipline, Office
from queue_core.tickets import Ticket

Place = tuple[datetime, datetime, int, str]
"""Where a ticket stands among those of its class: smaller is earlier. It does not change while the ticket waits."""


def place(ticket: Ticket, discipline: Discipline) -> Place:
    """The place of a waiting ticket within its class."""
    match discipline:
        case Discipline.ACCUMULATING_PRIORITY:
            first = ticket.clock.as_if_since
        case Discipline.ARRIVAL:
            first = ticket.clock_start
        case Discipline.EARLIEST_DUE:
            first = ticket.clock_start if ticket.rank is Rank.OUT_OF_TURN else ticket.clock.due
    assert first, "only those who wait have a place"
    return (first, ticket.issued_at, ticket.serial, ticket.letter)


def next_in_line(heads: Iterable[Ticket], office: Office, now: datetime) -> Because | None:
    """Whose turn it is among the heads of the classes, with everybody it was compared to; None when nobody waits."""
    ranked = [(candidate(ticket, office, now), ticket) for ticket in heads]
    if not ranked:
        return None
    if len(ranked) > 1:
        ranked.sort(key=lambda pair: _turn(pair[0], pair[1], office.discipline))
    others = tuple([standing for standing, _ in ranked[1:]])
    return Because(rule=str(office.discipline), chosen=ranked[0][0], others=others)


def candidate(ticket: Ticket, office: Office, now: datetime) -> Candidate:
    """A ticket's standing at `now`, as it is kept with a call."""
    rank, waited_seconds = ticket.rank, ticket.clock.reading(now).total_seconds()
    match office.discipline:
        case Discipline.ACCUMULATING_PRIORITY:
            points = (office.booked_weight if rank is Rank.BOOKED else 1) * waited_seconds
        case Discipline.ARRIVAL:
            points = (now - ticket.clock_start).total_seconds()
        case Discipline.EARLIEST_DUE:
            points = (now - ticket.clock.due).total_seconds() if ticket.clock.due else 0.0
    return Candidate(ticket=ticket.id, number=ticket.number, rank=rank, waited_seconds=waited_seconds, points=points)


def _turn(standing: Candidate, ticket: Ticket, discipline: Discipline) -> tuple[bool, float, Place]:
    out_of_turn = standing.rank is Rank.OUT_OF_TURN
    return (not out_of_turn, 0.0 if out_of_turn else -standing.points, place(ticket, discipline))
