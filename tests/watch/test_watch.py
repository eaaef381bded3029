"""What time alone brings is recorded at its instant, with nobody asking."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

import app.watch
from app.clock import Clock, SystemClock
from app.journal import Recorded
from app.watch import Provisional, Watch
from queue_core.commands import Hold
from queue_core.facts import Breached, HeldBy, Resumed
from queue_core.office import Limits, Office
from queue_core.tickets import State
from tests.core.live import AROUND_THE_CLOCK, NINE, OFFICE
from tests.engine.hall import HandClock, LiveHall, live_hall, soon, until_known
from tests.engine.proxy import Cut, proxy_before

SOON = timedelta(seconds=0.3)
LATE = timedelta(seconds=20)
"""A busy machine may be late, and still has to be in time."""


@pytest.fixture(autouse=True)
def quick_pulse(monkeypatch: pytest.MonkeyPatch) -> None:
    """The watch looks at the clock often, so that a test need not wait for it."""
    monkeypatch.setattr(app.watch, "PULSE_SECONDS", 0.05)


def short_limits(office: Office = OFFICE) -> Office:
    """An office that never closes and promises what it cannot keep."""
    services = tuple(replace(service, limits=Limits(walk_in=1, booked=1)) for service in office.services)
    return replace(office, services=services, hours=AROUND_THE_CLOCK)


@asynccontextmanager
async def watched(
    address: str, clock: Clock, *, office: Office, **settings: Any
) -> AsyncIterator[tuple[LiveHall, Watch]]:
    """An office at work, and its watch."""
    async with live_hall(address, clock, office=office, **settings) as hall:
        watch = Watch(hall.engine)
        await watch.start()
        try:
            yield hall, watch
        finally:
            await watch.stop()


async def test_a_breach_is_recorded_at_its_due(address: str) -> None:
    async with watched(address, SystemClock(), office=short_limits()) as (hall, _):
        await hall.open()
        issued = await hall.issue()
        await soon(partial(happened, hall, "Breached"))

        breach = await last(hall, "Breached")
        assert isinstance(breach.fact, Breached)
        assert breach.fact.due == issued.due == issued.issued_at + timedelta(seconds=1)
        assert breach.fact.due <= breach.at < breach.fact.due + LATE
        assert breach.actor == "hall"


async def test_a_hold_comes_back_at_its_instant(address: str) -> None:
    office = replace(OFFICE, hours=AROUND_THE_CLOCK)
    async with watched(address, SystemClock(), office=office) as (hall, _):
        await hall.open()
        issued = await hall.issue()
        until = datetime.now(UTC) + SOON
        await hall.wish(Hold(issued.id, by=HeldBy.VISITOR, until=until))
        await soon(partial(happened, hall, "Resumed"))

        resumed = await last(hall, "Resumed")
        assert isinstance(resumed.fact, Resumed)
        assert resumed.fact.since == until
        assert until <= resumed.at < until + LATE
        assert (await hall.now()).ticket(issued.id).state is State.WAITING


async def test_a_day_opens_and_closes_by_its_hours(address: str) -> None:
    clock = HandClock(NINE - timedelta(minutes=1))
    async with watched(address, clock, office=OFFICE) as (hall, _):
        await hall.open()
        assert "DayOpened" not in await hall.kinds()

        clock.instant = NINE
        await soon(partial(happened, hall, "DayOpened"))
        issued = await hall.issue()
        clock.instant = NINE.replace(hour=21)
        await soon(partial(happened, hall, "DayClosed"))

        kinds = await hall.kinds()
        assert kinds.index("Breached") < kinds.index("Unserved") < kinds.index("DayClosed")
        assert (await hall.row(issued.id))["ended_at"] == NINE.replace(hour=21)

        clock.instant = NINE.replace(day=24)
        await soon(partial(happened, hall, "DayOpened", times=2))
        assert (await last(hall, "DayOpened")).at == clock.instant
        assert (await hall.issue()).id == "20261124-A001"


async def test_a_clock_that_is_set_is_seen_at_the_next_pulse(address: str) -> None:
    clock = HandClock(NINE)
    async with watched(address, clock, office=OFFICE) as (hall, watch):
        await hall.open()
        issued = await hall.issue()
        await soon(lambda: watch.last_success.timestamp() > 0)

        clock.wait(minutes=16)
        await soon(partial(happened, hall, "Breached"))
        clock.wait(hours=-1)
        await soon(lambda: watch.last_success.timestamp() == clock.instant.timestamp())

        assert (await hall.kinds()).count("Breached") == 1
        assert (await hall.now()).ticket(issued.id).breached_due == issued.due
        assert watch.is_fresh


async def test_every_office_is_watched(address: str) -> None:
    async with watched(address, SystemClock(), office=short_limits()) as (hall, _):
        offices = [LiveHall(hall.engine, replace(hall.office, id=f"office-{name}")) for name in "abcde"]
        for office in offices:
            await office.open()
            await office.issue()

        for office in offices:
            await soon(partial(happened, office, "Breached"))


async def test_what_passed_while_nobody_watched_is_recorded_at_once(address: str) -> None:
    clock = HandClock(NINE)
    async with live_hall(address, clock) as hall:
        await hall.open()
        issued = await hall.issue()

    clock.wait(hours=1)
    async with watched(address, clock, office=OFFICE) as (hall, _):
        await soon(partial(happened, hall, "Breached"))

        breach = await last(hall, "Breached")
        assert isinstance(breach.fact, Breached)
        assert breach.fact.due == issued.due
        assert breach.at == clock.instant


async def test_too_many_offices_at_one_instant_are_all_served(address: str) -> None:
    clock = HandClock(NINE)
    async with watched(address, clock, office=OFFICE, queue_size=2) as (hall, _):
        offices = [LiveHall(hall.engine, replace(OFFICE, id=f"office-{number}")) for number in range(10)]
        for office in offices:
            await office.open()
            await office.issue()

        clock.wait(minutes=20)

        for office in offices:
            await soon(partial(happened, office, "Breached"))


async def test_two_watches_record_each_breach_once(empty_database: str) -> None:
    office = short_limits()
    async with (
        watched(empty_database, SystemClock(), office=office) as (here, _),
        watched(empty_database, SystemClock(), office=office) as (there, _),
    ):
        await here.open()
        issued = [await hall.issue() for _ in range(10) for hall in (here, there)]
        await soon(partial(happened, here, "Breached", times=20))

        breached = [line.ticket_id for line in await here.lines() if line.kind == "Breached"]
        assert sorted(breached, key=str) == [ticket.id for ticket in issued]
        for hall in (here, there):
            await soon(hall.is_as_the_journal_says)


async def test_a_breach_that_falls_into_an_outage_keeps_its_instant(empty_database: str) -> None:
    async with (
        proxy_before(empty_database) as proxy,
        watched(proxy.address, SystemClock(), office=short_limits(), patience_seconds=0.3) as (hall, watch),
    ):
        await until_known(hall.open)
        issued = await hall.issue()
        proxy.go_down()
        await soon(lambda: datetime.now(UTC) > issued.issued_at + timedelta(seconds=2))

        proxy.come_back()
        await soon(partial(happened, hall, "Breached"))

        breach = await last(hall, "Breached")
        assert isinstance(breach.fact, Breached)
        assert breach.fact.due == issued.due
        assert breach.at > issued.issued_at + timedelta(seconds=1)
        await soon(lambda: watch.is_fresh)


async def test_a_breach_in_an_outage_is_told_from_memory_and_recorded_later(empty_database: str) -> None:
    told: list[Provisional] = []
    async with (
        proxy_before(empty_database) as proxy,
        watched(proxy.address, SystemClock(), office=short_limits(), patience_seconds=1) as (hall, watch),
    ):
        watch.subscribe(lambda provisional, _hall: told.append(provisional))
        await hall.open()
        issued = await hall.issue()
        proxy.go_down()
        await soon(lambda: any(isinstance(each.fact, Breached) for each in told))
        proxy.come_back()
        await soon(partial(happened, hall, "Breached"))

        breaches = [each.fact for each in told if isinstance(each.fact, Breached)]
        assert [(breach.ticket, breach.due) for breach in breaches] == [(issued.id, issued.due)]
        assert all(each.stands for each in told)
        assert (await hall.kinds()).count("Breached") == 1
        breach = await last(hall, "Breached")
        assert isinstance(breach.fact, Breached)
        assert breach.fact.due == issued.due


async def test_what_was_told_from_memory_is_withdrawn_when_the_call_had_been_recorded(empty_database: str) -> None:
    told: list[Provisional] = []
    async with (
        proxy_before(empty_database) as proxy,
        watched(proxy.address, SystemClock(), office=short_limits(), patience_seconds=30) as (hall, watch),
    ):
        watch.subscribe(lambda provisional, _hall: told.append(provisional))
        await hall.open()
        issued = await hall.issue()
        proxy.cut(Cut.AFTER_THE_COMMIT, and_go_down=True)
        calling = asyncio.create_task(hall.call())
        await soon(lambda: any(isinstance(each.fact, Breached) for each in told))
        proxy.come_back()
        called = await calling
        await soon(lambda: any(isinstance(each.fact, Breached) and not each.stands for each in told))

        assert called
        assert called.id == issued.id
        assert [each.stands for each in told if isinstance(each.fact, Breached)] == [True, False]
        assert "Breached" not in await hall.kinds()


async def test_a_watch_that_is_stuck_is_not_fresh(empty_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.watch, "FRESH_SECONDS", 0.5)
    async with (
        proxy_before(empty_database) as proxy,
        watched(proxy.address, SystemClock(), office=short_limits()) as (hall, watch),
    ):
        await hall.open()
        await soon(lambda: watch.is_fresh)

        await hall.issue()
        proxy.go_down()
        # What is due now is told, but it is not on record.
        await soon(lambda: not watch.is_fresh)

        proxy.come_back()
        await soon(lambda: watch.is_fresh)


async def test_a_watch_that_has_not_begun_is_not_fresh(address: str) -> None:
    async with live_hall(address) as hall:
        watch = Watch(hall.engine)

        assert not watch.is_fresh
        await watch.stop()


async def test_a_watch_that_was_stopped_leaves_nothing_running(address: str) -> None:
    async with live_hall(address) as hall:
        # What the engine keeps alive begins in a turn of the loop of its own.
        await asyncio.sleep(0.1)
        before = asyncio.all_tasks()
        watch = Watch(hall.engine)
        await watch.start()

        await watch.stop()

        assert asyncio.all_tasks() == before


async def happened(hall: LiveHall, kind: str, *, times: int = 1) -> bool:
    """Whether a fact of a kind is in the journal, that often at least."""
    return (await hall.kinds()).count(kind) >= times


async def last(hall: LiveHall, kind: str) -> Recorded:
    """The last fact of a kind."""
    return [line for line in await hall.lines() if line.kind == kind][-1]
