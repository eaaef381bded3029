"""Nothing is shown before it is committed: readers wait while the halls are ahead of the journal."""

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from sqlalchemy import NullPool, create_engine

from app.engine import Engine, JournalSilent, OutcomeUnknown
from app.journal import Recorded, open_journal
from queue_core.hall import Hall
from tests.core.live import OFFICE
from tests.engine.hall import HandClock, LiveHall, live_hall, outcomes


async def test_nobody_sees_a_ticket_before_it_is_committed(hall: LiveHall, address: str) -> None:
    told: list[str] = []
    hall.engine.subscribe(lambda _office, _hall, facts: told.extend(line.kind for line in facts))

    async with commits_held_up(hall, address):
        visitor = asyncio.create_task(hall.issue())
        readers = await readers_who_have_to_wait(hall)
        await some_turns()

        assert not any(reader.done() for reader in readers)
        assert not visitor.done()
        assert told == []

    ticket = await visitor
    for reader in readers:
        assert ticket.id in (await reader).tickets
    assert told == ["Issued"]


async def test_whoever_waited_looks_before_the_next_command_moves_the_hall(hall: LiveHall, address: str) -> None:
    async with commits_held_up(hall, address):
        first = asyncio.create_task(hall.issue())
        readers = await readers_who_have_to_wait(hall)
        second = asyncio.create_task(hall.issue())
        await some_turns()

    for reader in readers:
        assert (await reader).office_id == "hall"
    assert [(await ticket).number for ticket in (first, second)] == ["A001", "A002"]


async def test_what_is_read_is_always_what_was_told(hall: LiveHall) -> None:
    told = (await hall.now()).seq
    reads = 0

    def listener(_office: str, _hall: Hall, facts: Sequence[Recorded]) -> None:
        nonlocal told
        told = facts[-1].seq

    async def reader() -> None:
        nonlocal reads
        while not visits.done():
            assert (await hall.now()).seq == told
            reads += 1
            await asyncio.sleep(0)

    hall.engine.subscribe(listener)
    visits = asyncio.gather(*(visit(hall) for _ in range(30)))
    await asyncio.gather(visits, reader(), reader())

    assert reads > 2
    assert await hall.is_as_the_journal_says()


async def test_questions_are_answered_while_a_commit_takes_long(hall: LiveHall, address: str) -> None:
    lines = await hall.lines()

    async with commits_held_up(hall, address):
        visitor = asyncio.create_task(hall.issue())
        readers = await readers_who_have_to_wait(hall)
        # On SQLite there is one connection for everybody, and whoever asks waits for it too.
        question = asyncio.create_task(hall.lines())
        if "://" in address:
            assert await question == lines

    ticket = await visitor
    assert {line.ticket_id for line in await hall.lines()} >= {ticket.id}
    await asyncio.gather(question, *readers)


async def test_the_end_does_not_wait_for_a_commit_that_does_not_end(empty_database: str, clock: HandClock) -> None:
    async with live_hall(empty_database, clock) as hall:
        await hall.open()
    hall = LiveHall(Engine(open_journal(empty_database), clock, patience_seconds=0.3), OFFICE)
    await hall.engine.start()
    async with commits_held_up(hall, empty_database):
        visitor = asyncio.create_task(hall.issue())
        readers = await readers_who_have_to_wait(hall)

        await asyncio.wait_for(hall.engine.stop(), 30)

    found = await outcomes((visitor, *readers))
    assert [type(refusal) for refusal in found] == [OutcomeUnknown, *[JournalSilent] * len(readers)]


async def visit(hall: LiveHall) -> None:
    """Somebody comes, and somebody is called."""
    await hall.issue()
    await outcomes([hall.call("1"), hall.call("2")])


@asynccontextmanager
async def commits_held_up(hall: LiveHall, address: str) -> AsyncIterator[None]:
    """As long as the block lasts, no commit comes through."""
    held_up = _by_a_lock(address) if "://" in address else _by_a_question(hall)
    async with held_up:
        yield


@asynccontextmanager
async def _by_a_lock(address: str) -> AsyncIterator[None]:
    with create_engine(address, poolclass=NullPool).connect() as connection, connection.begin():
        connection.exec_driver_sql("LOCK TABLE facts IN EXCLUSIVE MODE")
        yield


@asynccontextmanager
async def _by_a_question(hall: LiveHall) -> AsyncIterator[None]:
    enough = threading.Event()
    question = asyncio.create_task(hall.engine.ask(lambda _journal: enough.wait()))
    await asyncio.sleep(0)
    try:
        yield
    finally:
        enough.set()
        await question


async def readers_who_have_to_wait(hall: LiveHall) -> list[asyncio.Task[Hall]]:
    """Three who ask for the hall and do not get it at once."""
    while True:
        readers = [asyncio.create_task(hall.now()) for _ in range(3)]
        await some_turns()
        if not any(reader.done() for reader in readers):
            return readers
        await asyncio.gather(*readers)


async def some_turns() -> None:
    """Whoever could go on has gone on."""
    for _ in range(20):
        await asyncio.sleep(0)
