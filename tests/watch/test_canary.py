"""Somebody goes through an office that nobody sees, to try out the watch."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from prometheus_client import CollectorRegistry

import app.canary
from app.canary import OFFICE, Canary
from app.clock import SystemClock
from app.journal import Verification
from app.watch import Watch
from tests.engine.hall import LiveHall, live_hall, soon

VISIT = ["Issued", "Warned", "Breached", "Escalated", "Called", "Relieved", "Missed"]


@asynccontextmanager
async def flying(address: str, *, watched: bool = True) -> AsyncIterator[tuple[LiveHall, Canary]]:
    """A canary, and a watch for it if wanted."""
    async with live_hall(address, SystemClock()) as hall:
        watch, canary = Watch(hall.engine), Canary(hall.engine, every_seconds=0.01)
        if watched:
            await watch.start()
        canary.start()
        try:
            yield hall, canary
        finally:
            await canary.stop()
            await watch.stop()


def figure(registry: CollectorRegistry, name: str) -> float:
    """What a metric stands at."""
    value = registry.get_sample_value(name)
    assert value is not None
    return value


def last_success(canary: Canary) -> float:
    """When the canary last came through."""
    return figure(canary.registry, "queue_canary_last_success_timestamp_seconds")


async def test_a_visitor_goes_the_whole_way_again_and_again(address: str) -> None:
    began = datetime.now(UTC).timestamp()
    async with flying(address) as (hall, canary):
        await soon(lambda: last_success(canary) > began)
        first = last_success(canary)
        await soon(lambda: last_success(canary) > first)

        lines = await hall.engine.ask(lambda journal: journal.facts_after(OFFICE.id, 0))
        assert [line.kind for line in lines if line.ticket_id == lines[2].ticket_id] == VISIT
        assert 0 <= figure(canary.registry, "queue_canary_delay_seconds") < app.canary.PATIENCE_SECONDS
        assert await hall.engine.ask(lambda journal: Verification(journal).run().difference) is None


async def test_nobody_sees_the_office(address: str) -> None:
    async with flying(address) as (hall, canary):
        await soon(lambda: last_success(canary) > 0)

        assert list(await hall.engine.halls()) == []
        assert list(await hall.engine.every_hall()) == [OFFICE.id]


async def test_without_a_watch_it_does_not_come_through(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.canary, "PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(app.canary, "LIMIT_SECONDS", 0.2)
    async with flying(address, watched=False) as (hall, canary):
        await soon(lambda: issued(hall))
        assert last_success(canary) == 0


async def issued(hall: LiveHall) -> bool:
    """Whether several visitors have come, so that one at least was given up."""
    halls = await hall.engine.every_hall()
    return OFFICE.id in halls and sum(halls[OFFICE.id].numbers.values()) > 1


async def test_every_nought_seconds_is_never(address: str) -> None:
    async with live_hall(address, SystemClock()) as hall:
        canary = Canary(hall.engine, every_seconds=0)
        canary.start()
        await canary.stop()

        assert not await hall.engine.every_hall()
