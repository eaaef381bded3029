"""Halls at work, on both databases."""

from collections.abc import AsyncIterator

import pytest

from tests.engine.hall import HandClock, LiveHall, live_hall
from tests.journal.databases import address, empty_database, reused_database

__all__ = ["address", "clock", "empty_database", "hall", "reused_database"]


@pytest.fixture
def clock() -> HandClock:
    """Monday, nine o'clock, until it is set."""
    return HandClock()


@pytest.fixture
async def hall(address: str, clock: HandClock) -> AsyncIterator[LiveHall]:
    """The office, open, every counter manned, nobody there yet."""
    async with live_hall(address, clock) as hall:
        await hall.open()
        yield hall
