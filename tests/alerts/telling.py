"""Halls that tell: a real engine on a real journal, and its alerts."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from app.alerts import Alerts, Plan
from app.alerts.courier import Sleep
from app.alerts.plan import WebhookEntry
from app.engine import Answer
from app.journal import Recorded
from app.journal.deliveries import DeadLetter, given_up
from queue_core.commands import CallNext, Command, Configure, Issue, Tick
from tests.core.live import AROUND_THE_CLOCK, OFFICE
from tests.engine.hall import HandClock, LiveHall, live_hall

SECRET = "whsec_" + "c2l4dGVlbi1ieXRlcy1hbmQtZWlnaHQtbW9yZQ=="
OLD_SECRET = "whsec_" + "dGhpcy1rZXktaXMtb24taXRzLXdheS1vdXQtbm93"

ALWAYS_OPEN = replace(OFFICE, hours=AROUND_THE_CLOCK)

QUICK_SECONDS = 0.02


async def briefly(_seconds: float) -> None:
    """What passes between two attempts, in a test."""
    await asyncio.sleep(QUICK_SECONDS)


class TellingHalls:
    """Offices that tell."""

    def __init__(self, hall: LiveHall, alerts: Alerts, clock: HandClock) -> None:
        self.engine, self.alerts, self.clock = hall.engine, alerts, clock
        self.hall = hall

    @property
    def is_telling(self) -> bool:
        """Whether this server tells."""
        return self.alerts.is_telling

    async def describe(self, *office_ids: str) -> None:
        """Offices that never close, with nobody at their counters."""
        for office_id in office_ids:
            await self.engine.do(office_id, Configure(replace(ALWAYS_OPEN, id=office_id)), actor="somebody")
            await self.look(office_id)

    async def issue(self, office_id: str = "hall", service: str = "passport") -> str:
        """A visitor comes; the ticket."""
        ticket = (await self.engine.do(office_id, Issue(service), actor="somebody")).ticket
        assert ticket
        return ticket.id

    async def do(self, command: Command, office_id: str = "hall") -> Answer:
        """Have something done."""
        return await self.engine.do(office_id, command, actor="somebody")

    async def called(self, counter: str) -> str:
        """Whom a counter calls; the ticket."""
        ticket = (await self.do(CallNext(counter))).ticket
        assert ticket
        return ticket.id

    async def look(self, *office_ids: str) -> None:
        """What time has brought is recorded."""
        for office_id in office_ids or ("hall",):
            await self.engine.do(office_id, Tick(), actor="watch")

    async def breach(self, *office_ids: str, visitors: int = 1) -> None:
        """Somebody comes to each office, and waits past the limit."""
        for office_id in office_ids or ("hall",):
            for _ in range(visitors):
                await self.issue(office_id)
        self.clock.wait(minutes=16)
        await self.look(*office_ids)

    async def ids(self, *office_ids: str, kind: str = "Breached") -> list[str]:
        """The message ids of what was written down, in order."""
        lines = [line for office_id in office_ids or ("hall",) for line in await self.lines(office_id)]
        return [f"{line.office_id}/{line.seq}" for line in lines if line.kind == kind]

    async def dead_letters(self) -> list[DeadLetter]:
        """What was given up of what was to be told of the hall."""
        return [letter for letter, _ in await self.engine.ask(lambda journal: given_up(journal, "hall", 100))]

    async def has_dead_letters(self) -> bool:
        """Whether a message was given up, and noted so."""
        return bool(await self.dead_letters())

    async def lines(self, office_id: str) -> list[Recorded]:
        """An office's journal."""
        return await self.engine.ask(lambda journal: journal.facts_after(office_id, 0))

    def figure(self, name: str, **labels: str) -> float:
        """A series as it is told to Prometheus."""
        families = text_string_to_metric_families(generate_latest(self.alerts.registry).decode())
        samples = [sample for family in families for sample in family.samples]
        return next(sample.value for sample in samples if sample.name == name and sample.labels == labels)


@asynccontextmanager
async def telling(address: str, clock: HandClock, plan: Plan, *, sleep: Sleep = briefly) -> AsyncIterator[TellingHalls]:
    """A server's engine and alerts, as long as the block lasts."""
    async with live_hall(address, clock, office=ALWAYS_OPEN) as hall:
        alerts = Alerts(hall.engine, plan, sleep=sleep, turn_seconds=QUICK_SECONDS)
        await alerts.start()
        try:
            yield TellingHalls(hall, alerts, clock)
        finally:
            await alerts.stop()


def webhook(url: str, **changes: Any) -> WebhookEntry:
    """A webhook that wants breaches alone."""
    entry = WebhookEntry(
        name="monitor",
        offices=frozenset(),
        timeout_seconds=5,
        url=url,
        secrets=(SECRET,),
        facts=frozenset({"Breached"}),
        give_up_after_minutes=1440,
    )
    return replace(entry, **changes)


def in_order(ids: Iterable[str]) -> list[str]:
    """Ids without what was repeated."""
    return list(dict.fromkeys(ids))
