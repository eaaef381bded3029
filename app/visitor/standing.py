"""Where a ticket stands among those who could be called instead."""

from datetime import datetime, timedelta

from queue_core.discipline import next_in_line
from queue_core.facts import Candidate
from queue_core.hall import LATELY, Call, CounterState, Hall
from queue_core.tickets import Ticket

CALLS_FOR_A_PACE = 3
"""Fewer calls than these say nothing about the next ones."""


def in_order(hall: Hall, ticket: Ticket, now: datetime) -> list[Candidate]:
    """Everybody whom one of the counters of a ticket in line may call, this ticket too, in the order of the office."""
    because = next_in_line(_rivals(hall, ticket), hall.office, now)
    assert because, "the ticket itself is in line"
    return [because.chosen, *because.others]


def place_in(order: list[Candidate], ticket: Ticket) -> int:
    """How many of them come before the ticket."""
    return next(index for index, candidate in enumerate(order) if candidate.ticket == ticket.id)


def expected_call(hall: Hall, ticket: Ticket, ahead: int, now: datetime) -> datetime | None:
    """About when a ticket will be called if its counters go on calling as they lately did.

    None when none of them is open, or they have called too few for that to say anything.
    """
    counters = hall.counters_for(ticket)
    if not any(hall.session(counter).state is CounterState.OPEN for counter in counters):
        return None
    lately = [call for call in hall.calls if call.counter in counters and _is_recent_call(call, now)]
    if len(lately) < CALLS_FOR_A_PACE:
        return None
    pace = (now - lately[0].at) / len(lately)
    return now + pace * (ahead + 1)


def _is_recent_call(call: Call, now: datetime) -> bool:
    return not call.again and timedelta() <= now - call.at <= LATELY


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
