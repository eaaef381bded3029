"""The machine's clock is wrong, set, or put right: waits are what passed, and a jump alone brings nothing about."""

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
import structlog
from structlog.testing import capture_logs

import app.watch
from app.clock import LastSuccess, Machine, SystemClock
from queue_core.commands import NoShow
from queue_core.facts import Breached
from queue_core.tickets import Ticket
from tests.core.live import NINE, OFFICE
from tests.engine.hall import LiveHall, live_hall, soon
from tests.watch.machines import STEADY, HandMachine, watched
from tests.watch.test_watch import happened, last, short_limits

HOUR, DAY = 3600.0, 86400.0
AN_HOUR_EITHER_WAY = pytest.mark.parametrize("by", [HOUR, -HOUR], ids=["on", "back"])


@pytest.fixture(autouse=True)
def quick_pulse(monkeypatch: pytest.MonkeyPatch) -> None:
    """The watch looks at the clock often, so that a test need not wait for it."""
    monkeypatch.setattr(app.watch, "PULSE_SECONDS", 0.02)


@pytest.fixture
def file(tmp_path: Path) -> str:
    """A journal for what is the same on both databases: only a start asks them for the time."""
    return str(tmp_path / "journal.db")


async def several_looks() -> None:
    """As long as the watch needs to look at the clock a few times."""
    await asyncio.sleep(0.2)


async def breached_in_time(hall: LiveHall, machine: HandMachine, issued: Ticket) -> None:
    """The limit of a second passes after a second, once, and the visitor is called after a wait of two."""
    machine.passes(0.5)
    await several_looks()
    assert issued.id not in await breached(hall)
    machine.passes(1.0)
    await soon(partial(is_breached, hall, issued))
    breach = await last(hall, "Breached")
    assert isinstance(breach.fact, Breached)
    assert (breach.fact.ticket, breach.fact.due) == (issued.id, issued.due)
    assert breach.fact.at - breach.fact.due < timedelta(seconds=1)
    assert (await breached(hall)).count(issued.id) == 1
    machine.passes(0.5)
    called = await hall.call()
    assert called
    assert called.wait_to_call
    assert (called.id, round(called.wait_to_call.total_seconds(), 3)) == (issued.id, 2.0)
    await hall.wish(NoShow(called.id))


async def breached(hall: LiveHall) -> list[str]:
    """Whose limits have passed."""
    return [line.fact.ticket for line in await hall.lines() if isinstance(line.fact, Breached)]


async def is_breached(hall: LiveHall, ticket: Ticket) -> bool:
    """Whether this visitor's limit has passed."""
    return ticket.id in await breached(hall)


async def instants_go_on(hall: LiveHall) -> bool:
    """Whether no fact is earlier than the one before it."""
    instants = [line.at for line in await hall.lines()]
    return instants == sorted(instants)


def test_time_goes_on_by_what_passes() -> None:
    machine = HandMachine()
    clock = machine.clock()
    machine.passes(90)

    assert clock.now() == NINE + timedelta(seconds=90)
    assert clock.off == timedelta()
    assert clock.standing() == "right"


def test_by_default_it_is_the_machines_clock() -> None:
    assert abs(SystemClock().now() - datetime.now(UTC)) < timedelta(seconds=30)


def test_the_kernels_word_is_about_the_time_it_names() -> None:
    machine = Machine()
    word = machine.is_synchronised()
    assert word in (True, False, None)

    class Feigned(Machine):
        def wall(self) -> float:
            return super().wall() + DAY

    assert Feigned().is_synchronised() is None


@AN_HOUR_EITHER_WAY
async def test_a_limit_passes_after_its_time_and_not_by_the_setting(file: str, by: float) -> None:
    machine = HandMachine()
    async with watched(file, machine, short_limits()) as hall:
        await hall.open()
        issued = await hall.issue()
        machine.is_set(by)
        await breached_in_time(hall, machine, issued)


async def test_set_on_while_nobody_waits_it_is_followed_once_it_has_been_steady(file: str) -> None:
    machine = HandMachine()
    async with watched(file, machine, short_limits()) as hall:
        await hall.open()
        machine.is_set(HOUR)
        await several_looks()
        assert hall.engine.clock.now() == NINE

        machine.passes(STEADY + 1)
        await soon(lambda: hall.engine.clock.now() == NINE + timedelta(seconds=HOUR + STEADY + 1))
        await breached_in_time(hall, machine, await hall.issue())


async def test_set_on_by_what_keeps_it_right_it_is_followed_at_once(file: str) -> None:
    machine = HandMachine()
    machine.synchronised = True
    async with watched(file, machine, short_limits()) as hall:
        await hall.open()
        machine.is_set(HOUR)
        await soon(lambda: hall.engine.clock.now() == NINE + timedelta(seconds=HOUR))


async def test_set_back_while_nobody_waits_the_next_visitor_is_warned_breached_and_truly_measured(file: str) -> None:
    machine = HandMachine()
    async with watched(file, machine, short_limits()) as hall:
        await hall.open()
        machine.passes(5)
        await hall.wish(NoShow((await served(hall)).id))
        machine.is_set(-HOUR)
        machine.passes(4)
        await several_looks()

        await breached_in_time(hall, machine, await hall.issue())
        kinds = await hall.kinds()
        assert kinds.index("Warned") < kinds.index("Breached")
        assert await instants_go_on(hall)
        assert await hall.is_as_the_journal_says()


async def test_a_restart_with_an_empty_hall_and_the_clock_set_back_measures_truly(address: str) -> None:
    machine = HandMachine()
    async with watched(address, machine, short_limits()) as hall:
        await hall.open()
    machine.is_set(-HOUR)
    machine.passes(4)
    async with watched(address, machine, short_limits()) as hall:
        await breached_in_time(hall, machine, await hall.issue())
        assert hall.engine.clock.now() > NINE


@pytest.mark.parametrize("empty", [True, False], ids=["empty", "people wait"])
async def test_a_machine_that_started_again_with_its_clock_set_back_measures_truly(address: str, empty: bool) -> None:
    machine = HandMachine()
    async with watched(address, machine, short_limits()) as hall:
        await hall.open()
        issued = None if empty else await hall.issue()
    machine.starts_again()
    machine.is_set(-HOUR)
    async with watched(address, machine, short_limits()) as hall:
        await breached_in_time(hall, machine, issued or await hall.issue())


async def test_a_machine_that_started_a_day_ahead_and_was_put_right_measures_truly(file: str) -> None:
    machine = HandMachine(NINE + timedelta(days=1))
    async with watched(file, machine, short_limits()) as hall:
        await hall.open()
        machine.passes(5)
        machine.is_set(-DAY)
        await breached_in_time(hall, machine, await hall.issue())
    async with watched(file, machine, short_limits()) as hall:
        await breached_in_time(hall, machine, await hall.issue())
        clock = hall.engine.clock
        assert isinstance(clock, SystemClock)
        assert clock.standing() == "the journal is ahead of the clock by 86400 s"


@pytest.mark.parametrize("again", [False, True], ids=["process", "machine"])
async def test_three_days_back_and_put_right_eight_seconds_later_with_people_waiting(address: str, again: bool) -> None:
    machine = HandMachine()
    async with watched(address, machine, OFFICE) as hall:
        await hall.open()
        issued = await hall.issue()
        machine.passes(100)
        await hall.issue("cash")
    if again:
        machine.starts_again(off_for=30)
    else:
        machine.passes(30)
    machine.is_set(-3 * DAY)
    async with watched(address, machine, OFFICE) as hall:
        await several_looks()
        machine.passes(8)
        machine.is_set(3 * DAY)
        # What was put right is followed, also while people wait: they have waited through all of it.
        await soon(lambda: hall.engine.clock.now() == NINE + timedelta(seconds=138))
        called = await hall.call()
        assert called
        assert called.wait_to_call
        assert (called.id, round(called.wait_to_call.total_seconds(), 3)) == (issued.id, 138)
        assert await hall.is_as_the_journal_says()


@pytest.mark.parametrize("again", [False, True], ids=["process", "machine"])
async def test_three_hours_ahead_for_two_seconds_is_nobodys_breach(file: str, again: bool) -> None:
    machine = HandMachine()
    async with watched(file, machine, OFFICE) as hall:
        await hall.open()
        await hall.issue()
    if again:
        machine.starts_again()
    machine.is_set(3 * HOUR)
    async with watched(file, machine, OFFICE) as hall:
        await several_looks()
        machine.passes(2)
        await several_looks()
        machine.is_set(-3 * HOUR)
        await several_looks()
        machine.passes(STEADY + 1)
        await several_looks()
        called = await hall.call()
        assert not {"Warned", "Breached"} & set(await hall.kinds())
        assert called
        assert called.wait_to_call
        assert round(called.wait_to_call.total_seconds(), 3) == STEADY + 3


@pytest.mark.parametrize("again", [False, True], ids=["process", "machine"])
async def test_three_days_ahead_the_day_is_not_closed_and_nobody_goes_unserved(file: str, again: bool) -> None:
    machine = HandMachine()
    async with watched(file, machine, OFFICE) as hall:
        await hall.open()
        issued = await hall.issue()
    if again:
        machine.starts_again()
    machine.is_set(3 * DAY)
    async with watched(file, machine, OFFICE) as hall:
        machine.passes(20)
        await several_looks()
        await hall.issue("cash")
        assert not {"DayClosed", "Unserved", "Breached"} & set(await hall.kinds())
        machine.is_set(-3 * DAY)
        await several_looks()
        called = await hall.call()
        assert called
        assert called.wait_to_call
        assert (called.id, round(called.wait_to_call.total_seconds(), 3)) == (issued.id, 20)


async def test_closed_and_three_days_ahead_no_day_is_opened(file: str) -> None:
    machine = HandMachine(NINE - timedelta(hours=3))
    async with watched(file, machine, OFFICE) as hall:
        await hall.open()
        await several_looks()
    machine.starts_again()
    machine.is_set(3 * DAY + 4 * HOUR)
    async with watched(file, machine, OFFICE) as hall:
        machine.passes(STEADY - 1)
        await several_looks()
        assert "DayOpened" not in await hall.kinds()


@pytest.mark.parametrize("vouched", [True, False], ids=["the kernel vouches", "it has been steady"])
async def test_a_machine_that_was_off_all_night_closes_yesterday_once_its_clock_is_believed(
    file: str, vouched: bool
) -> None:
    machine = HandMachine()
    async with watched(file, machine, OFFICE) as hall:
        await hall.open()
        issued = await hall.issue()
    machine.starts_again(off_for=DAY)
    async with watched(file, machine, OFFICE) as hall:
        await several_looks()
        assert "DayClosed" not in await hall.kinds()
        if vouched:
            machine.synchronised = True
        else:
            machine.passes(STEADY + 1)
        await soon(partial(happened, hall, "DayOpened", times=2))

        kinds = await hall.kinds()
        assert kinds.index("Breached") < kinds.index("Unserved") < kinds.index("DayClosed")
        assert await breached(hall) == [issued.id]
        assert (await hall.issue()).id == "20261124-A001"


async def test_a_server_that_was_off_all_night_on_a_machine_that_ran_knows_it_at_once(file: str) -> None:
    machine = HandMachine()
    async with watched(file, machine, OFFICE) as hall:
        await hall.open()
        await hall.issue()
    machine.passes(DAY)
    async with watched(file, machine, OFFICE) as hall:
        await soon(partial(happened, hall, "DayOpened", times=2))
        assert hall.engine.clock.now() == NINE + timedelta(days=1)


async def test_a_suspended_machine_has_kept_people_waiting(file: str) -> None:
    machine = HandMachine()
    async with watched(file, machine, OFFICE) as hall:
        await hall.open()
        await hall.issue()
        machine.passes(2 * HOUR)
        await soon(partial(happened, hall, "Breached"))
        called = await hall.call()
        assert called
        assert called.wait_to_call
        assert round(called.wait_to_call.total_seconds(), 3) == 2 * HOUR


async def test_a_closed_hall_lets_the_clock_catch_up_and_the_next_visitor_is_truly_measured(file: str) -> None:
    machine = HandMachine(NINE - timedelta(hours=3))
    async with watched(file, machine, OFFICE) as hall:
        await hall.open()
        clock = hall.engine.clock
        machine.is_set(-HOUR)
        await several_looks()
        machine.passes(STEADY + 1)
        await several_looks()
        stands = clock.now()
        machine.passes(600)
        await several_looks()
        assert clock.now() == stands

        machine.passes(HOUR)
        await soon(lambda: clock.now().timestamp() == machine.wall())
        machine.passes(3 * HOUR)
        await soon(partial(happened, hall, "DayOpened"))
        issued = await hall.issue()
        machine.passes(30)
        called = await hall.call()
        assert called
        assert called.wait_to_call
        assert (called.id, round(called.wait_to_call.total_seconds(), 3)) == (issued.id, 30)


async def test_it_is_said_once_when_the_journal_comes_ahead_and_once_when_it_is_right_again(file: str) -> None:
    machine = HandMachine()
    async with watched(file, machine, short_limits()) as hall:
        await hall.open()
        structlog.configure(cache_logger_on_first_use=False)
        with capture_logs() as lines:
            machine.is_set(-HOUR)
            await several_looks()
            machine.is_set(HOUR)
            await several_looks()
    said = [line["event"] for line in lines if "clock" in line["event"]]
    assert said == [
        "the machine's clock was set",
        "the journal is ahead of the machine's clock; time goes on from the journal",
        "the machine's clock was set",
        "the machine's clock is right again",
    ]


def test_what_went_well_never_lies_in_the_future_however_the_clock_is_set() -> None:
    machine = HandMachine()
    success = LastSuccess(machine.clock())
    assert success.timestamp() == 0
    success.mark()
    for by in (-HOUR, 3 * DAY, -3 * DAY):
        machine.passes(10)
        machine.is_set(by)
        assert success.timestamp() <= machine.wall() - 10
    assert success.timestamp() == machine.wall() - 30


async def test_two_machines_that_differ_by_five_seconds_keep_one_time(empty_database: str) -> None:
    here, there = HandMachine(), HandMachine(NINE + timedelta(seconds=5), boot="another")
    async with watched(empty_database, here, short_limits()) as ours:
        await ours.open()
        async with live_hall(empty_database, there.clock(), office=short_limits()) as theirs:
            clock = theirs.engine.clock
            assert isinstance(clock, SystemClock)
            assert abs(clock.now() - ours.engine.clock.now()) < timedelta(seconds=1)
            assert clock.standing() == "the clock is ahead of the journal by 5 s"
            await breached_in_time(ours, here, await ours.issue())
            await soon(lambda: clock.differs_from_others)


async def served(hall: LiveHall) -> Ticket:
    """Somebody who comes and is called at once."""
    await hall.issue()
    called = await hall.call()
    assert called
    return called
