"""One writer: commands in the order they came, many in one commit, and none of them lost or left without an answer."""

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import replace

import pytest

from app.engine import Engine, Overloaded, Stopping
from app.journal import Recorded, open_journal
from queue_core.commands import CallNext, Issue, PauseCounter, ReturnToLine
from queue_core.errors import UnknownOffice, UnknownService
from queue_core.hall import Hall
from queue_core.tickets import Ticket
from tests.core.live import OFFICE
from tests.engine.hall import HandClock, LiveHall, live_hall, office_with, outcomes


async def test_many_commands_share_a_commit(hall: LiveHall) -> None:
    before = commits(hall.engine)

    await asyncio.gather(*(hall.issue() for _ in range(200)))

    assert commits(hall.engine) - before <= 3
    assert await hall.is_as_the_journal_says()


async def test_commands_are_decided_in_the_order_they_came(hall: LiveHall) -> None:
    tickets = await asyncio.gather(*(hall.issue() for _ in range(50)))

    assert [ticket.number for ticket in tickets] == [f"A{number:03d}" for number in range(1, 51)]


async def test_answers_come_in_the_order_of_the_commands(hall: LiveHall) -> None:
    answered: list[str] = []

    async def visitor() -> None:
        answered.append((await hall.issue()).number)

    await asyncio.gather(*(visitor() for _ in range(50)))

    assert answered == sorted(answered)


async def test_two_counters_never_call_the_same_person(address: str, clock: HandClock) -> None:
    async with live_hall(address, clock, office=office_with(12)) as hall:
        await hall.open()
        issued = [await hall.issue() for _ in range(10)]

        called = await asyncio.gather(*(hall.call(str(counter)) for counter in range(1, 13)))

        assert [ticket.id for ticket in called if ticket] == [ticket.id for ticket in issued]
        assert called.count(None) == 2
        assert await hall.is_as_the_journal_says()


async def test_a_refusal_in_a_batch_harms_nobody_else(hall: LiveHall) -> None:
    first, unknown, second, absent = await outcomes(
        [hall.issue(), hall.issue("fishing"), hall.issue(), hall.engine.do("nowhere", Issue("passport"), actor="me")]
    )

    assert isinstance(first, Ticket)
    assert isinstance(second, Ticket)
    assert (first.number, second.number) == ("A001", "A002")
    assert isinstance(unknown, UnknownService)
    assert isinstance(absent, UnknownOffice)


async def test_a_visitor_may_change_counters_and_another_take_the_place_in_one_commit(hall: LiveHall) -> None:
    first = await hall.issue()
    await hall.call("1")
    await hall.issue()
    before = commits(hall.engine)

    await asyncio.gather(
        hall.wish(ReturnToLine(first.id)), hall.call("2"), hall.call("1"), hall.wish(PauseCounter("3", reason="tea"))
    )

    assert commits(hall.engine) - before == 1
    assert await hall.is_as_the_journal_says()


async def test_offices_are_written_together_and_stay_apart(address: str, clock: HandClock) -> None:
    async with live_hall(address, clock) as north:
        south = LiveHall(north.engine, replace(OFFICE, id="south"))
        await asyncio.gather(north.open(), south.open())

        tickets = await asyncio.gather(*(hall.issue() for hall in (north, south) for _ in range(20)))

        assert [ticket.serial for ticket in tickets] == [*range(1, 21), *range(1, 21)]
        assert await north.is_as_the_journal_says()
        assert await south.is_as_the_journal_says()
        assert (await north.engine.halls()).keys() == {"hall", "south"}


async def test_what_would_be_too_much_is_refused_at_once_and_nothing_else_is_lost(
    address: str, clock: HandClock
) -> None:
    async with live_hall(address, clock, queue_size=10) as hall:
        await hall.open()

        found = await outcomes(hall.issue() for _ in range(50))

        served = [outcome for outcome in found if isinstance(outcome, Ticket)]
        refused = [outcome for outcome in found if isinstance(outcome, Overloaded)]
        assert len(served) == 10
        assert len(refused) == 40
        assert refused[0].particulars == {"retry_after": 1}
        assert [ticket.id for ticket in served] == [line.ticket_id for line in await hall.lines() if line.ticket_id]
        assert (await hall.issue()).number == "A011"


async def test_an_office_nobody_described_is_unknown(hall: LiveHall) -> None:
    with pytest.raises(UnknownOffice, match="nowhere"):
        await hall.engine.do("nowhere", CallNext("1"), actor="somebody")
    with pytest.raises(UnknownOffice, match="nowhere"):
        await hall.engine.hall("nowhere")


async def test_what_is_pending_at_the_end_is_still_answered(address: str, clock: HandClock) -> None:
    async with live_hall(address, clock) as hall:
        await hall.open()
        last = [asyncio.create_task(hall.issue()) for _ in range(30)]
        await asyncio.sleep(0)

    assert [(await ticket).serial for ticket in last] == list(range(1, 31))
    async with live_hall(address, clock) as hall:
        assert (await hall.kinds()).count("Issued") == 30


async def test_after_the_end_everybody_is_told_so(address: str, clock: HandClock) -> None:
    async with live_hall(address, clock) as hall:
        await hall.open()

    with pytest.raises(Stopping):
        await hall.issue()


async def test_an_engine_that_has_stopped_leaves_no_thread_behind(address: str, clock: HandClock) -> None:
    before = set(threading.enumerate())
    hall = LiveHall(Engine(open_journal(address), clock), OFFICE)
    await hall.engine.start()
    await hall.open()
    await hall.lines()

    await hall.engine.stop()

    assert set(threading.enumerate()) <= before


async def test_an_engine_that_never_started_can_be_stopped(address: str, clock: HandClock) -> None:
    before = set(threading.enumerate())

    await Engine(open_journal(address), clock).stop()

    assert set(threading.enumerate()) <= before


async def test_somebody_who_hangs_up_harms_nobody(hall: LiveHall) -> None:
    impatient = [asyncio.create_task(hall.issue()) for _ in range(5)]
    await asyncio.sleep(0)
    for task in impatient:
        task.cancel()

    await hall.issue()

    assert await hall.is_as_the_journal_says()


async def test_listeners_hear_every_fact_once_in_order_after_the_commit(hall: LiveHall) -> None:
    heard: list[Recorded] = []

    def listener(office_id: str, told: Hall, facts: Sequence[Recorded]) -> None:
        assert office_id == told.office_id == "hall"
        assert told.seq == facts[-1].seq
        heard.extend(facts)

    already = len(await hall.lines())
    hall.engine.subscribe(listener)
    await asyncio.gather(*(hall.issue() for _ in range(20)), hall.call(), return_exceptions=True)

    assert heard == (await hall.lines())[already:]


async def test_what_time_brought_comes_before_what_is_asked(hall: LiveHall, clock: HandClock) -> None:
    late = await hall.issue()
    clock.wait(minutes=20)

    await hall.call()

    assert (await hall.kinds())[-5:] == ["Breached", "Escalated", "Escalated", "Called", "Relieved"]
    assert (await hall.now()).ticket(late.id).breached_due


async def test_an_instant_is_never_used_twice(hall: LiveHall) -> None:
    await asyncio.gather(*(hall.issue() for _ in range(50)))

    instants = [line.at for line in await hall.lines() if line.kind == "Issued"]
    assert sorted(set(instants)) == instants


def commits(engine: Engine) -> float:
    """How many transactions the engine has made."""
    return engine.registry.get_sample_value("queue_journal_append_seconds_count") or 0
