"""A ticket as the row that reports read. Derived: the same ticket always gives the same row."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from queue_core.tickets import Ticket


def row_of(office_id: str, ticket: Ticket, seq: int) -> Sequence[Any]:
    """The values of `tickets`, in the order of its columns; `seq` is the last fact that touched the ticket."""
    clock = ticket.clock
    return (
        office_id,
        ticket.day,
        ticket.number,
        ticket.id,
        ticket.issued_service,
        ticket.service,
        str(ticket.channel),
        ticket.category,
        ticket.category_verified,
        ticket.category_withdrawn,
        str(ticket.state),
        ticket.counter,
        ticket.operator,
        ticket.outcome and str(ticket.outcome),
        ticket.ahead_at_issue,
        ticket.calls,
        ticket.recalls,
        ticket.issued_at,
        ticket.clock_start,
        int(clock.limit.total_seconds()),
        ticket.breached_due or clock.due,
        ticket.breached_due,
        ticket.breach_recorded_at,
        ticket.first_called_at,
        ticket.last_called_at,
        ticket.started_at,
        ticket.ended_at,
        _seconds(ticket.wait_to_call),
        _seconds(ticket.wait_to_start),
        clock.waited.total_seconds(),
        ticket.serving.total_seconds(),
        seq,
        ticket.first_missed_at,
        ticket.misses,
        ticket.away.total_seconds(),
        ticket.claim,
        ticket.claim_verified,
    )


def _seconds(lasted: timedelta | None) -> float | None:
    return None if lasted is None else lasted.total_seconds()
