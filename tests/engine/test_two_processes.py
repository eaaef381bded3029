"""Two servers, one PostgreSQL: whoever is second finds out from the database, and decides again."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial

import pytest

from app.journal import Journal, Recorded
from app.journal.following import Follower
from queue_core.commands import CloseService, Finish, PauseCounter, Start
from queue_core.errors import CounterIsPaused, Refusal, ServiceIsClosed, StepForbidden, UnknownService
from queue_core.hall import Hall
from queue_core.tickets import Ticket
from tests.core.live import OFFICE
from tests.engine.hall import HandClock, LiveHall, live_hall, office_with, outcomes, soon
from tests.journal.databases import opened
from tests.journal.writing import changed, small_day, write, write_silently

COUNTERS = 30


@pytest.fixture
async def halls(empty_database: str, clock: HandClock) -> AsyncIterator[tuple[LiveHall, LiveHall]]:
    """One office with many counters, served by two processes."""
    async with two_halls(empty_database, clock) as halls:
        yield halls


@asynccontextmanager
async def two_halls(address: str, clock: HandClock) -> AsyncIterator[tuple[LiveHall, LiveHall]]:
    office = office_with(COUNTERS)
    async with live_hall(address, clock, office=office) as here, live_hall(address, clock, office=office) as there:
        await here.open()
        yield here, there


async def test_two_processes_race_on_one_office_and_nobody_is_called_twice(halls: tuple[LiveHall, LiveHall]) -> None:
    here, there = halls

    issued = await asyncio.gather(*(hall.issue() for _ in range(COUNTERS) for hall in halls))
    called = await outcomes(hall.call(str(counter)) for counter in range(1, COUNTERS + 1) for hall in halls)

    assert sorted(ticket.serial for ticket in issued) == list(range(1, 2 * COUNTERS + 1))
    visitors = [ticket.id for ticket in called if isinstance(ticket, Ticket)]
    assert len(visitors) == len(set(visitors)) == COUNTERS
    assert len([refusal for refusal in called if isinstance(refusal, Refusal)]) == COUNTERS
    await both_agree(here, there)


async def test_counters_worked_from_both_processes_serve_everybody_once(halls: tuple[LiveHall, LiveHall]) -> None:
    here, there = halls
    await asyncio.gather(*(here.issue() for _ in range(90)))

    served = await asyncio.gather(*(work(halls[counter % 2], str(counter)) for counter in range(1, COUNTERS + 1)))

    assert sorted(serial for serials in served for serial in serials) == list(range(1, 91))
    await both_agree(here, there)


async def test_what_one_process_answered_the_other_knows(halls: tuple[LiveHall, LiveHall]) -> None:
    here, there = halls

    for _ in range(15):
        visitor = await here.issue()
        called = await there.call("1")
        assert called
        assert called.id == visitor.id
        await here.wish(Start(visitor.id))
        await there.wish(Finish(visitor.id))


async def test_a_refusal_is_never_older_than_the_other_process_answer(halls: tuple[LiveHall, LiveHall]) -> None:
    here, there = halls
    visitor = await here.issue()

    await here.wish(CloseService("passport", reason="no forms"))
    with pytest.raises(ServiceIsClosed):
        await there.issue()
    await there.wish(PauseCounter("1", reason="tea"))
    with pytest.raises(CounterIsPaused):
        await here.call("1")
    await there.call("2")
    with pytest.raises(StepForbidden):
        await here.wish(Finish(visitor.id))


async def test_refusals_of_many_offices_come_through_while_the_other_process_is_busy_in_all_of_them(
    empty_database: str, clock: HandClock
) -> None:
    offices = [replace(OFFICE, id=f"office-{number}") for number in range(60)]
    async with (
        live_hall(empty_database, clock, patience_seconds=60) as here,
        live_hall(empty_database, clock) as there,
    ):
        busy = [LiveHall(there.engine, office) for office in offices]
        await asyncio.gather(*(hall.open() for hall in busy))
        asked = [LiveHall(here.engine, office) for office in offices]
        await asyncio.gather(*(soon(partial(knows, here, office.id)) for office in offices))

        others = asyncio.gather(*(issue_for_ever(hall) for hall in busy))
        refusals = await outcomes(hall.issue("nothing") for hall in asked)
        others.cancel()

    assert {type(refusal) for refusal in refusals} == {UnknownService}


async def test_facts_of_the_other_process_are_told_like_our_own(halls: tuple[LiveHall, LiveHall]) -> None:
    here, there = halls
    heard: list[Recorded] = []

    def listener(_office: str, hall: Hall, facts: Sequence[Recorded]) -> None:
        assert hall.seq == facts[-1].seq
        heard.extend(facts)

    already = len(await here.lines())
    await soon(lambda: has_come_to(already, there))
    there.engine.subscribe(listener)
    await asyncio.gather(*(hall.issue() for _ in range(20) for hall in halls))
    await soon(lambda: len(heard) == 40)

    assert heard == (await here.lines())[already:]


async def test_an_office_described_in_one_process_is_open_in_the_other(halls: tuple[LiveHall, LiveHall]) -> None:
    here, there = halls
    office = replace(OFFICE, id="north")
    north_here, north_there = LiveHall(here.engine, office), LiveHall(there.engine, office)

    await north_here.open()

    assert (await north_there.issue()).number == "A001"
    assert (await north_here.call("1") or await north_there.issue()).number == "A001"


async def test_both_describe_one_office_at_once(empty_database: str, clock: HandClock) -> None:
    async with live_hall(empty_database, clock) as here, live_hall(empty_database, clock) as there:
        await asyncio.gather(here.open(), there.open())

        assert (await here.kinds()).count("Configured") == 1
        await both_agree(here, there)


async def test_a_fact_without_a_notification_is_found_by_asking(
    halls: tuple[LiveHall, LiveHall], empty_database: str
) -> None:
    _, there = halls
    with opened(empty_database) as journal:
        scribe = write_silently(journal, small_day().facts, office_id="silent")

    await soon(lambda: knows(there, "silent"))

    assert (await there.engine.hall("silent")).state() == scribe.hall.state()


async def test_a_notification_is_heard_without_asking(empty_database: str) -> None:
    day = small_day()
    with opened(empty_database) as journal:
        scribe = write(journal, day.facts)
        async with follower(journal, poll_seconds=3600) as heard:
            await soon(lambda: heard == [("hall", len(scribe.lines))])

            day.issue()
            journal.append(scribe.page(day.facts[-1:]))

            await soon(lambda: heard[1:] == [("hall", len(scribe.lines))])


async def test_following_goes_on_after_its_connection_was_cut(empty_database: str) -> None:
    day = small_day()
    with opened(empty_database) as journal:
        scribe = write(journal, day.facts)
        async with follower(journal, poll_seconds=0.1) as heard:
            await soon(lambda: heard == [("hall", len(scribe.lines))])
            cut_everybody_but(journal)
            day.issue()
            journal.append(scribe.page(day.facts[-1:]))

            await soon(lambda: heard[-1] == ("hall", len(scribe.lines)))


async def work(hall: LiveHall, counter: str) -> list[int]:
    """Serve at a counter until nobody is left; the numbers served."""
    served = []
    while visitor := await hall.call(counter):
        await hall.wish(Start(visitor.id))
        await hall.wish(Finish(visitor.id))
        served.append(visitor.serial)
    return served


async def both_agree(here: LiveHall, there: LiveHall) -> None:
    """Both processes come to the same hall, and it is the journal's."""
    seq = len(await here.lines())
    for hall in (here, there):
        await soon(partial(has_come_to, seq, hall))
        assert await hall.is_as_the_journal_says()


async def has_come_to(seq: int, hall: LiveHall) -> bool:
    return (await hall.now()).seq == seq


async def issue_for_ever(hall: LiveHall) -> None:
    while True:
        await hall.issue()


async def knows(hall: LiveHall, office_id: str) -> bool:
    return office_id in await hall.engine.halls()


@asynccontextmanager
async def follower(journal: Journal, *, poll_seconds: float) -> AsyncIterator[list[tuple[str, int]]]:
    """What a follower hears."""
    heard: list[tuple[str, int]] = []
    following = Follower(journal, lambda office_id, seq: heard.append((office_id, seq)), poll_seconds)
    task = asyncio.create_task(following.follow())
    try:
        yield heard
    finally:
        task.cancel()
        await asyncio.wait([task])


def cut_everybody_but(journal: Journal) -> None:
    """Every other connection to this database ends."""
    changed(
        journal,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
