"""The machine's clock is set while people wait: nobody's limit passes for that, and nobody's limit is missed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

import app.watch
from app.clock import SystemClock
from app.watch import Watch
from queue_core.commands import NoShow
from queue_core.facts import Breached
from queue_core.office import Office
from tests.core.live import NINE
from tests.engine.hall import LiveHall, live_hall, soon
from tests.watch.test_watch import happened, last, short_limits

HOUR = 3600.0
AN_HOUR_EITHER_WAY = pytest.mark.parametrize("by", [HOUR, -HOUR], ids=["on", "back"])


class Machine:
    """A machine whose two clocks are turned by hand: one that people set, and one that only goes on."""

    def __init__(self, wall: datetime = NINE) -> None:
        self.wall, self.boot = wall.timestamp(), 1000.0

    def clock(self) -> SystemClock:
        """The product's clock on this machine."""
        return SystemClock(lambda: self.wall, lambda: self.boot)

    def passes(self, seconds: float) -> None:
        """Time goes by."""
        self.wall += seconds
        self.boot += seconds


@pytest.fixture(autouse=True)
def quick_pulse(monkeypatch: pytest.MonkeyPatch) -> None:
    """The watch looks at the clock often, so that a test need not wait for it."""
    monkeypatch.setattr(app.watch, "PULSE_SECONDS", 0.02)


@asynccontextmanager
async def watched(address: str, clock: SystemClock, office: Office) -> AsyncIterator[LiveHall]:
    """An office at work and watched."""
    async with live_hall(address, clock, office=office) as hall:
        watch = Watch(hall.engine)
        await watch.start()
        try:
            yield hall
        finally:
            await watch.stop()


async def several_looks() -> None:
    """As long as the watch needs to look at the clock a few times."""
    await asyncio.sleep(0.2)


def test_time_goes_on_by_what_passes() -> None:
    machine = Machine()
    clock = machine.clock()
    machine.passes(90)

    assert clock.now() == NINE + timedelta(seconds=90)
    assert clock.off == timedelta()


@AN_HOUR_EITHER_WAY
def test_a_clock_that_is_set_is_not_followed_until_it_is_set_anew(by: float) -> None:
    machine = Machine()
    clock = machine.clock()
    machine.wall += by

    assert clock.now() == NINE
    assert clock.off == timedelta(seconds=by)

    clock.set_anew()
    assert clock.now() == NINE + timedelta(seconds=by)
    assert clock.off == timedelta()


def test_by_default_it_is_the_machines_clock() -> None:
    assert abs(SystemClock().now() - datetime.now(UTC)) < timedelta(seconds=30)


@AN_HOUR_EITHER_WAY
async def test_a_limit_passes_after_its_time_and_not_by_the_setting(address: str, by: float) -> None:
    machine = Machine()
    async with watched(address, machine.clock(), short_limits()) as hall:
        await hall.open()
        issued = await hall.issue()
        machine.passes(0.5)
        machine.wall += by
        await several_looks()
        assert "Breached" not in await hall.kinds()

        machine.passes(1.0)
        await soon(partial(happened, hall, "Breached"))

        breach = await last(hall, "Breached")
        assert isinstance(breach.fact, Breached)
        assert breach.fact.due == issued.due
        assert breach.fact.at - breach.fact.due < timedelta(seconds=1)
        assert (await hall.kinds()).count("Breached") == 1


@AN_HOUR_EITHER_WAY
async def test_once_nobody_waits_the_clock_is_followed(address: str, by: float) -> None:
    machine = Machine()
    clock = machine.clock()
    async with watched(address, clock, short_limits()) as hall:
        await hall.open()
        await hall.issue()
        machine.wall += by
        await several_looks()
        assert clock.now() == NINE

        called = await hall.call()
        assert called
        await hall.wish(NoShow(called.id))
        await soon(lambda: clock.now() == NINE + timedelta(seconds=by))


async def test_a_restart_with_a_clock_set_back_goes_on_where_people_wait(address: str) -> None:
    machine = Machine()
    async with watched(address, machine.clock(), short_limits()) as hall:
        await hall.open()
        issued = await hall.issue()
    machine.wall -= HOUR

    async with watched(address, machine.clock(), short_limits()) as hall:
        machine.passes(1.5)
        await soon(partial(happened, hall, "Breached"))

        breach = await last(hall, "Breached")
        assert isinstance(breach.fact, Breached)
        assert breach.fact.due == issued.due
