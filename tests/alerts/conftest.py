"""Halls that tell, and somebody who listens."""

from collections.abc import Iterator

import pytest

from tests.alerts.receiving import Receiver, receiving
from tests.engine.hall import HandClock
from tests.journal.databases import address, empty_database, reused_database

__all__ = ["address", "clock", "empty_database", "receiver", "reused_database"]


@pytest.fixture
def clock() -> HandClock:
    """Monday, nine o'clock, until it is set."""
    return HandClock()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver that takes everything, until it is told otherwise."""
    with receiving() as receiver:
        yield receiver
