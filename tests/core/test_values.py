"""Values stay as they were made."""

from datetime import timedelta

from queue_core.commands import CallNext
from queue_core.facts import Started
from queue_core.office import Limits
from queue_core.waits import WaitClock
from tests.core.live import NINE, LiveHall


def test_mypy_refuses_to_change_a_value(hall: LiveHall) -> None:
    # Nothing is refused at run time. What fails, should a change be allowed, is mypy: by an `ignore` nobody needs.
    command, fact = CallNext("1"), Started(at=NINE, ticket="20261123-A001")
    ticket, clock, limits = hall.hall.ticket(hall.issue()), WaitClock(timedelta(minutes=15)), Limits()

    command.counter = "2"  # type: ignore[misc]
    fact.ticket = "20261123-A002"  # type: ignore[misc]
    ticket.serial = 2  # type: ignore[misc]
    clock.since = NINE  # type: ignore[misc]
    limits.walk_in = 0  # type: ignore[misc]
