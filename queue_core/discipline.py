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
    clock = ticket.clock
    assert clock.since and clock.as_if_since and clock.due, "only those who wait have a place"
    match discipline:
        case Discipline.ACCUMULATING_PRIORITY:
            first = clock.as_if_since
        case Discipline.ARRIVAL:
            first = ticket.clock_start
        case Discipline.EARLIEST_DUE:
            first = ticket.clock_start if ticket.rank is Rank.OUT_OF_TURN else clock.due
    return (first, ticket.issued_at, ticket.serial, ticket.letter)


def next_in_line(heads: Iterable[Ticket], office: Office, now: datetime) -> Because | None:
    """Whose turn it is among the heads of the classes, with everybody it was compared to; None when nobody waits."""
    ranked = sorted(heads, key=lambda ticket: _turn(ticket, office, now))
    if not ranked:
        return None
    first, *others = (candidate(ticket, office, now) for ticket in ranked)
    return Because(rule=office.discipline.value, chosen=first, others=tuple(others))


def candidate(ticket: Ticket, office: Office, now: datetime) -> Candidate:
    """A ticket's standing at `now`, as it is kept with a call."""
    return Candidate(
        ticket=ticket.id,
        number=ticket.number,
        rank=ticket.rank,
        waited_seconds=ticket.clock.reading(now).total_seconds(),
        points=points(ticket, office, now),
    )


def points(ticket: Ticket, office: Office, now: datetime) -> float:
    """What the office's rule compares, as a number of seconds: the larger goes first."""
    match office.discipline:
        case Discipline.ACCUMULATING_PRIORITY:
            weight = office.booked_weight if ticket.rank is Rank.BOOKED else 1
            return weight * ticket.clock.reading(now).total_seconds()
        case Discipline.ARRIVAL:
            return (now - ticket.clock_start).total_seconds()
        case Discipline.EARLIEST_DUE:
            return (now - ticket.clock.due).total_seconds() if ticket.clock.due else 0.0


def _turn(ticket: Ticket, office: Office, now: datetime) -> tuple[bool, float, Place]:
    out_of_turn = ticket.rank is Rank.OUT_OF_TURN
    return (not out_of_turn, 0.0 if out_of_turn else -points(ticket, office, now), place(ticket, office.discipline))
