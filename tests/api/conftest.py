"""The whole application behind HTTP, on each database, with a clock that the test sets."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
import pytest

from app.clock import Clock
from app.main import create_app
from app.settings import Settings
from tests.api.described import as_described

MONDAY_MORNING = datetime(2026, 11, 23, 8, tzinfo=UTC)

CENTRE: dict[str, Any] = {
    "id": "centre",
    "name": {"en": "Centre", "ru": "Центр"},
    "time_zone": "UTC",
    "hotline": "8-800-000-15-15",
    "hours": {day: ["00:00-24:00"] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")},
    "late_seconds": 0,
    "groups": [{"id": "papers", "name": {"en": "Papers", "ru": "Документы"}}],
    "services": [
        {"id": "advice", "letter": "A", "name": {"en": "Advice", "ru": "Консультация"}},
        {"id": "passport", "letter": "B", "group": "papers", "name": {"en": "Passport", "ru": "Паспорт"}},
    ],
    "counters": [
        {"id": "one", "name": {"en": "One", "ru": "Один"}, "services": ["advice", "passport"]},
        {"id": "two", "name": {"en": "Two", "ru": "Два"}, "services": ["advice"]},
    ],
    "categories": [
        {
            "id": "veteran",
            "name": {"en": "Veterans", "ru": "Ветераны"},
            "basis": {"en": "a certificate", "ru": "удостоверение"},
        }
    ],
}
"""An office that never closes, and waits for nobody who is late."""


class SetClock:
    """A clock that stands until it is moved."""

    speed = 1.0

    def __init__(self) -> None:
        self._now = MONDAY_MORNING

    def now(self) -> datetime:
        """The instant, in UTC."""
        return self._now

    def go_on(self, **by: float) -> None:
        """Let time pass: `minutes=5`."""
        self._now += timedelta(**by)


class Centre:
    """The centre as its machines and people reach it. Every answer is held against the OpenAPI document."""

    def __init__(self, http: httpx2.AsyncClient, clock: Any, app: Any) -> None:
        self.http, self.clock, self.app = http, clock, app
        self._keys = count(1)

    async def get(self, path: str = "", **options: Any) -> httpx2.Response:
        """Ask something of the centre."""
        return as_described(await self.http.get(f"/api/v1/offices/centre{path}", **options))

    async def post(self, path: str, body: Any = None, *, key: str | None = None, **options: Any) -> httpx2.Response:
        """Have something done in the centre."""
        # Two things never happen at the same instant; a clock that stood still would be pushed on by the journal.
        if isinstance(self.clock, SetClock):
            self.clock.go_on(microseconds=10)
        headers = {"Idempotency-Key": key} if key is not None else {}
        sent = {} if body is None else {"json": body}
        return as_described(await self.http.post(f"/api/v1/offices/centre{path}", headers=headers, **sent, **options))

    async def describe(self, description: dict[str, Any] = CENTRE) -> httpx2.Response:
        """Describe the office."""
        return as_described(await self.http.put(f"/api/v1/offices/{description['id']}", json=description))

    async def issue(self, service: str = "advice", *, key: str | None = None, **wish: Any) -> httpx2.Response:
        """A visitor takes a ticket."""
        return await self.post("/tickets", {"service": service, **wish}, key=key or self.new_key())

    async def booked(self, slot: str, service: str = "advice") -> httpx2.Response:
        """A visitor claims a booking, and somebody of the office finds it."""
        ticket = (await self.issue(service, channel="booked", slot=slot)).json()["id"]
        return await self.step(ticket, "verify-claim")

    async def open(self, counter: str = "one", operator: str = "Anna") -> httpx2.Response:
        """An operator sits down."""
        return await self.post(f"/counters/{counter}/open", {"operator": operator})

    async def call_next(self, counter: str = "one", *, key: str | None = None) -> httpx2.Response:
        """An operator presses Next."""
        return await self.post(f"/counters/{counter}/call-next", key=key or self.new_key())

    async def step(self, ticket: str, step: str, body: Any = None) -> httpx2.Response:
        """An operator does something with a ticket."""
        return await self.post(f"/tickets/{ticket}/{step}", body)

    async def seq(self) -> int:
        """How many facts there are."""
        seq: int = (await self.get()).json()["seq"]
        return seq

    def new_key(self) -> str:
        """A key that was not used before."""
        return f"key-{next(self._keys)}"


on_each_database = pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)
"""For tests in which the journal has a part."""


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where the journal is kept: a SQLite file, unless the test asks for another."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return str(tmp_path / "fifteen.db")
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
async def centre(database: str) -> AsyncIterator[Centre]:
    """The centre, open and empty."""
    async with running(Settings(database=database), SetClock()) as centre:
        await centre.describe()
        await centre.post("/open-day")
        yield centre


@asynccontextmanager
async def running(settings: Settings, clock: Clock) -> AsyncIterator[Any]:
    """The application from its start to its stop."""
    app = create_app(settings, clock)
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="http://fifteen") as http,
    ):
        yield Centre(http, clock, app)
