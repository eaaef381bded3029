"""A ticket as the row that reports read. Derived: the same ticket always gives the same row."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from queue_core.tickets import Ticket


def row_of(office_id: str, ticket: Ticket, seq: int) -> Mapping[str, Any]:
    """The columns of `tickets`; `seq` is the last fact that touched the ticket."""
    return {
        "office_id": office_id,
        "day": ticket.day,
        "number": ticket.number,
        "ticket_id": ticket.id,
        "issued_service": ticket.issued_service,
        "service": ticket.service,
        "channel": ticket.channel.value,
        "category": ticket.category,
        "category_verified": ticket.category_verified,
        "category_withdrawn": ticket.category_withdrawn,
        "state": ticket.state.value,
        "counter_id": ticket.counter,
        "operator": ticket.operator,
        "outcome": ticket.outcome.value if ticket.outcome else None,
        "ahead_at_issue": ticket.ahead_at_issue,
        "calls": ticket.calls,
        "recalls": ticket.recalls,
        "issued_at": ticket.issued_at,
        "clock_start": ticket.clock_start,
        "limit_seconds": int(ticket.clock.limit.total_seconds()),
        "due_at": ticket.breached_due or ticket.clock.due,
        "breached_at": ticket.breached_due,
        "breach_recorded_at": ticket.breach_recorded_at,
        "first_called_at": ticket.first_called_at,
        "last_called_at": ticket.last_called_at,
        "started_at": ticket.started_at,
        "ended_at": ticket.ended_at,
        "wait_to_call_seconds": _seconds(ticket.wait_to_call),
        "wait_to_start_seconds": _seconds(ticket.wait_to_start),
        "waited_seconds": ticket.clock.waited.total_seconds(),
        "serving_seconds": ticket.serving.total_seconds(),
        "seq": seq,
    }


def _seconds(lasted: timedelta | None) -> float | None:
    return None if lasted is None else lasted.total_seconds()
