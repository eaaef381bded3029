"""Halls that are scraped: a real engine on a SQLite journal, and a clock that the test sets."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from starlette.responses import Response
from starlette.types import Message

from app.engine import Answer, Engine
from app.journal import open_journal
from app.metrics import Metrics
from app.watch import Watch
from queue_core.commands import Command, Configure, Tick
from queue_core.office import Office
from tests.core.live import AROUND_THE_CLOCK, OFFICE
from tests.metrics.reading import Scrape

CENTRE = Office(
    id="centre",
    name={"en": "Centre"},
    zone="UTC",
    services=OFFICE.services[:2],
    counters=OFFICE.counters[:2],
    hours=AROUND_THE_CLOCK,
)
"""Two services, `passport` and `land`, and two counters. It never closes."""

PROMETHEUS = {"accept-encoding": "gzip", "x-prometheus-scrape-timeout-seconds": "5"}


class SetClock:
    """A clock that stands until it is moved."""

    speed = 1.0

    def __init__(self) -> None:
        self.instant = datetime(2026, 11, 23, 9, tzinfo=UTC)

    def now(self) -> datetime:
        """The instant, in UTC."""
        return self.instant

    def go_on(self, **by: float) -> None:
        """Let time pass: `minutes=5`."""
        self.instant += timedelta(**by)


class ScrapedHalls:
    """An engine, its watch and its metrics."""

    def __init__(self, database: str, clock: SetClock) -> None:
        self.clock = clock
        self.engine = Engine(open_journal(database), clock)
        self.watch = Watch(self.engine)
        self.metrics = Metrics(self.engine, self.watch)

    async def describe(self, office: Office = CENTRE) -> None:
        """Describe an office, and open its day."""
        await self.do(Configure(office=office), office.id)
        await self.do(Tick(), office.id)

    async def do(self, command: Command, office_id: str = "centre") -> Answer:
        """Have something done."""
        return await self.engine.do(office_id, command, actor="somebody")

    async def scrape(self, headers: Mapping[str, str] | None = None) -> Scrape:
        """What somebody reads who scrapes now."""
        return await sent(await self.metrics.answer(headers or {}))


@asynccontextmanager
async def scraped_halls(database: str, clock: SetClock | None = None) -> AsyncIterator[ScrapedHalls]:
    """The halls of a journal."""
    halls = ScrapedHalls(database, clock or SetClock())
    await halls.engine.start()
    yield halls
    await halls.engine.stop()


@pytest.fixture
async def halls(tmp_path: Path) -> AsyncIterator[ScrapedHalls]:
    """The centre, open and empty."""
    async with scraped_halls(str(tmp_path / "journal.db")) as halls:
        await halls.describe()
        yield halls


async def sent(response: Response) -> Scrape:
    """What a server would send for this response."""
    messages: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        messages.append(message)

    await response({"type": "http"}, receive, send)
    headers = {name.decode(): value.decode() for name, value in messages[0]["headers"]}
    return Scrape(headers, b"".join(message["body"] for message in messages[1:]))
