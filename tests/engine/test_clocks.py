"""A clock that goes wrong harms nothing: facts go on in order, and nobody waits less than nothing."""

from datetime import timedelta

from queue_core.commands import Finish, Start, Tick
from tests.core.live import NINE
from tests.engine.hall import HandClock, LiveHall, live_hall


async def test_facts_go_on_in_order_when_the_clock_is_set_back(hall: LiveHall, clock: HandClock) -> None:
    await hall.issue()
    clock.wait(minutes=5)
    await hall.issue()

    clock.wait(hours=-1)
    await hall.issue()
    ticket = await hall.call()
    assert ticket
    await hall.wish(Start(ticket.id))
    await hall.wish(Finish(ticket.id))

    instants = [line.at for line in await hall.lines()]
    assert instants == sorted(set(instants))
    assert await hall.is_as_the_journal_says()


async def test_nobody_waits_less_than_nothing(hall: LiveHall, clock: HandClock) -> None:
    first = await hall.issue()
    clock.wait(hours=-1)
    second = await hall.issue()

    rows = []
    for counter in ("1", "2"):
        called = await hall.call(counter)
        assert called
        await hall.wish(Start(called.id))
        finished = (await hall.wish(Finish(called.id))).ticket
        assert finished
        rows.append(await hall.row(finished.id))

    assert [row["ticket_id"] for row in rows] == [first.id, second.id]
    for row in rows:
        waits = [row[name] for name in ("wait_to_call_seconds", "wait_to_start_seconds", "serving_seconds")]
        assert min(waits) >= 0
        assert max(waits) < 1


async def test_the_clock_catches_up_and_time_counts_again(hall: LiveHall, clock: HandClock) -> None:
    await hall.issue()
    clock.wait(hours=-1)
    await hall.issue()
    clock.wait(hours=1, minutes=10)

    called = await hall.call()

    assert called
    assert called.wait_to_call
    assert abs(called.wait_to_call - timedelta(minutes=10)) < timedelta(seconds=1)


async def test_a_breach_is_not_recorded_early_when_the_clock_is_set_back(hall: LiveHall, clock: HandClock) -> None:
    issued = await hall.issue()
    clock.wait(minutes=14)
    await hall.wish(Tick())
    clock.wait(hours=-1)
    await hall.wish(Tick())
    assert "Breached" not in await hall.kinds()

    clock.wait(hours=1, minutes=2)
    await hall.wish(Tick())

    breach = next(line for line in await hall.lines() if line.kind == "Breached")
    assert breach.at >= NINE + timedelta(minutes=15)
    assert (await hall.now()).ticket(issued.id).breached_due == issued.due


async def test_a_restart_with_the_clock_behind_goes_on_after_the_last_fact(address: str, clock: HandClock) -> None:
    async with live_hall(address, clock) as hall:
        await hall.open()
        await hall.issue()

    async with live_hall(address, HandClock(NINE - timedelta(hours=1))) as hall:
        await hall.issue()

        instants = [line.at for line in await hall.lines()]
        assert instants == sorted(set(instants))


async def test_two_processes_whose_clocks_differ_keep_one_order(empty_database: str) -> None:
    async with (
        live_hall(empty_database, HandClock(NINE)) as here,
        live_hall(empty_database, HandClock(NINE + timedelta(minutes=3))) as there,
    ):
        await here.open()
        for hall in (here, there, here, there):
            await hall.issue()

        instants = [line.at for line in await here.lines()]
        assert instants == sorted(set(instants))
        assert await here.is_as_the_journal_says()
