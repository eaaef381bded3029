"""A command that holds what the database cannot keep is refused alone; the writer and everybody beside it go on."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.engine import CannotBeKept
from app.journal import Journal
from queue_core.commands import Command, Issue, PauseCounter
from queue_core.tickets import Ticket
from tests.engine.hall import HandClock, LiveHall, live_hall, outcomes

HALF = "\ud83d"
LONGEST = 100_000


@pytest.fixture
async def hall(address: str, clock: HandClock) -> AsyncIterator[LiveHall]:
    """The office, whose process must not end."""
    broken = asyncio.Event()
    async with live_hall(address, clock, on_broken=broken.set) as hall:
        await hall.open()
        yield hall
        assert not broken.is_set()
        assert await hall.is_as_the_journal_says()


async def ask(hall: LiveHall, command: Command, actor: str = "somebody", key: str | None = None) -> Ticket | None:
    """What a command came to."""
    return (await hall.engine.do(hall.office.id, command, actor=actor, key=key)).ticket


async def test_only_those_are_refused_who_cannot_be_kept(hall: LiveHall) -> None:
    before = await hall.lines()
    bad = (3, 4, 17, 39)

    found = await outcomes(ask(hall, Issue("passport"), HALF if number in bad else "kiosk") for number in range(40))

    assert [number for number, outcome in enumerate(found) if isinstance(outcome, CannotBeKept)] == [*bad]
    assert sorted(ticket.serial for ticket in found if isinstance(ticket, Ticket)) == [*range(1, 37)]
    assert len(await hall.lines()) == len(before) + 36


@pytest.mark.parametrize("key", [None, "press 1"])
async def test_whatever_it_stands_in(hall: LiveHall, key: str | None) -> None:
    before = await hall.lines()

    found = await outcomes(
        [
            ask(hall, PauseCounter("1", HALF), key=key),
            ask(hall, Issue("passport", language=HALF), key=key),
            ask(hall, Issue("passport"), actor=HALF),
        ]
    )

    assert [type(refusal) for refusal in found] == [CannotBeKept] * 3
    assert await hall.lines() == before
    assert (await hall.issue(key=key)).serial == 1


async def test_what_postgresql_alone_refuses(empty_database: str, clock: HandClock) -> None:
    async with live_hall(empty_database, clock) as hall:
        await hall.open()

        refused, ticket = await outcomes([ask(hall, Issue("passport"), actor="a\0b"), hall.issue()])

        assert isinstance(refused, CannotBeKept)
        assert isinstance(ticket, Ticket)
        assert await hall.is_as_the_journal_says()


async def test_what_sqlite_alone_refuses(tmp_path: Path, clock: HandClock) -> None:
    async with live_hall(str(tmp_path / "journal.db"), clock) as hall:
        await hall.open()
        await hall.engine.ask(keep_texts_short)

        refused, ticket = await outcomes([ask(hall, Issue("passport"), actor="a" * 2 * LONGEST), hall.issue()])

        assert isinstance(refused, CannotBeKept)
        assert isinstance(ticket, Ticket)
        assert await hall.is_as_the_journal_says()


def keep_texts_short(journal: Journal) -> None:
    """SQLite takes no text that is longer."""
    with journal.transaction(read_only=True) as connection:
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        driver.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST)
