"""A hall that is listened to: a real engine on a SQLite journal, behind a real server on a free port."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, time
from pathlib import Path
from typing import Any

import msgspec
import pytest
import uvicorn
from fastapi import FastAPI, Request, Response

from app.clock import SystemClock
from app.engine import Engine
from app.journal import open_journal
from app.live import LiveHub, View
from queue_core.commands import CallNext, Configure, Issue, OpenCounter, Tick
from queue_core.hall import Hall
from queue_core.office import Counter, Office, Opening, Service
from tests.live.reading import Reader
from tests.live.soon import soon

OFFICE = Office(
    id="centre",
    name={"en": "Centre"},
    zone="Europe/Warsaw",
    services=(Service(id="advice", letter="A", name={"en": "Advice"}),),
    counters=(Counter(id="one", name={"en": "One"}, services=("advice",)),),
    hours=tuple(Opening(weekday=weekday, opens=time(), closes=time()) for weekday in range(7)),
)
"""An office that never closes."""


class LiveHall:
    """The centre's engine, its hub, and the server of both."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.painted = 0
        self.wallpaper = b""
        self.hub = LiveHub(engine, self._paint)
        self.server: Server

    def listened(self, **settings: Any) -> None:
        """From now on, streams come from a hub with these settings."""
        self.hub = LiveHub(self.engine, self._paint, **settings)

    async def configure(self) -> None:
        """Describe the centre and open its day."""
        await self.engine.do("centre", Configure(office=OFFICE), actor="administrator")
        await self.engine.do("centre", Tick(), actor="watch")

    async def issue(self, how_many: int = 1) -> None:
        """That many visitors take a ticket, one after the other."""
        for _ in range(how_many):
            await self.engine.do("centre", Issue(service="advice"), actor="kiosk")

    async def call(self) -> None:
        """The counter opens and calls whoever is next."""
        await self.engine.do("centre", OpenCounter(counter="one", operator="Anna"), actor="Anna")
        await self.engine.do("centre", CallNext(counter="one"), actor="Anna")

    async def seq(self) -> int:
        """How far the journal has come."""
        return (await self.engine.hall("centre")).seq

    @asynccontextmanager
    async def listener(self, query: str = "", **headers: str) -> AsyncIterator[Reader]:
        """Somebody who listens to the centre's stream."""
        reader = await Reader.connect(self.server.port, f"/centre/stream?{query}", headers)
        try:
            yield reader
        finally:
            reader.hang_up()

    async def somebody_deaf(self, query: str = "") -> Reader:
        """Somebody who asks for the stream and reads nothing of it."""
        return await Reader.connect(self.server.port, f"/centre/stream?{query}", {}, receive_bytes=4096)

    async def until_listeners(self, how_many: int) -> None:
        """Return when that many listen."""
        await soon(lambda: self.hub.listeners == how_many)

    def _paint(self, hall: Hall, now: datetime) -> bytes:
        self.painted += 1
        return snapshot(hall, now) + self.wallpaper


def snapshot(hall: Hall, now: datetime) -> bytes:
    """A short state: how far the hall has come and who is in it."""
    people = [f"{ticket.number}:{ticket.state}" for ticket in hall.people()]
    return msgspec.json.encode({"seq": hall.seq, "people": people, "server_time": now})


@pytest.fixture
async def hall(tmp_path: Path) -> AsyncIterator[LiveHall]:
    """The centre, open and empty."""
    async with live_hall(str(tmp_path / "journal.db")) as hall:
        await hall.configure()
        yield hall


@asynccontextmanager
async def live_hall(database: str) -> AsyncIterator[LiveHall]:
    """The hall of a journal, served."""
    hall = LiveHall(Engine(open_journal(database), SystemClock()))
    await hall.engine.start()
    hall.server = Server(lambda: hall.hub)
    await hall.server.begin()
    yield hall
    await hall.server.end()
    await hall.engine.stop()


class Server(uvicorn.Server):
    """A server of the streams of a hub, which lets its listeners go before it waits for them."""

    def __init__(self, hub: Callable[[], LiveHub]) -> None:
        super().__init__(uvicorn.Config(_app(hub), port=0, log_level="critical", timeout_graceful_shutdown=5))
        self._hub = hub
        self._socket = socket.socket()
        # Else the kernel would keep megabytes for somebody who does not read, and it would take long to notice.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16 * 1024)
        self._socket.bind(("127.0.0.1", 0))
        self._serving: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """Where it answers."""
        port: int = self._socket.getsockname()[1]
        return port

    async def begin(self) -> None:
        """Return when the server answers."""
        self._serving = asyncio.create_task(self.serve([self._socket]))
        await soon(lambda: self.started)

    async def end(self) -> None:
        """Return when the server has ended."""
        self.should_exit = True
        if self._serving:
            await self._serving

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End."""
        self._hub().stop()
        await super().shutdown(sockets)


def _app(hub: Callable[[], LiveHub]) -> FastAPI:
    app = FastAPI()

    @app.get("/{office_id}/stream")
    async def stream(request: Request, office_id: str, view: View = View.STATE, after: int | None = None) -> Response:
        last_event_id = request.headers.get("last-event-id")
        return await hub().stream(office_id, view, after=after, last_event_id=last_event_id)

    return app
