"""The server process: a socket, the application, a door for other commands, and a welcome for whoever started it."""

import asyncio
import gc
import signal
import socket
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
import typer
import uvicorn
import uvloop
from fastapi import FastAPI

from app.clock import Clock, DemoClock
from app.command_line.sorry import Sorry
from app.command_line.welcome import banner, welcome
from app.configuration import EXAMPLE, read_office
from app.door import close_door, open_door
from app.journal import open_journal
from app.logs import log_to_stderr
from app.main import create_app
from app.settings import Settings
from app.web.connections import Connections, backlog, places, raise_descriptor_limit
from app.web.guarded import guarded
from queue_core.hall import Hall

log = structlog.get_logger(__name__)

STREAMS_END_SECONDS = 5
"""How long a stopping server waits for requests that are under way."""

KEEP_ALIVE_SECONDS = 75
"""Longer than a kiosk stands idle, so that a visitor's first touch does not begin with a handshake."""

REAL_SECONDS_BEFORE_OPENING = 30
LONGEST_BEFORE_OPENING = timedelta(hours=2)
"""A demo clock leaves its user the time to start a simulator, but does not begin the evening before."""


Greeting = Callable[[str, Settings, Sequence[Hall], datetime], str]
"""What is printed once the server answers at an address, with these halls, at this time of its clock."""

Beside = Callable[[str], Coroutine[Any, Any, None]]
"""What goes on beside the server, from when it answers at an address until it stops."""


Step = Callable[[], Coroutine[Any, Any, None]]


async def nothing_beside(_url: str) -> None:
    """The server is alone."""


def serve(settings: Settings, greeting: Greeting = welcome, beside: Beside = nothing_beside) -> None:
    """Serve until a signal says to stop. JournalRefused or Sorry when it cannot begin."""
    log_to_stderr()
    descriptors = raise_descriptor_limit()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings, greeting, beside, descriptors))


async def _serve(settings: Settings, greeting: Greeting, beside: Beside, descriptors: int) -> None:
    listening = _bound(settings)
    with listening:
        clock = clock_of(settings)
        app = create_app(settings, clock)
        # The application starts here and not inside uvicorn, which would tell a refused journal as a crash.
        async with app.router.lifespan_context(app):
            _spare_what_stays()
            company = _Company(beside)

            async def ready() -> None:
                company.come(await _ready(app.state, settings, listening, greeting))

            async def stopping() -> None:
                app.state.hub.stop()
                await company.leave()

            try:
                await _Server(_config(app, descriptors), stopping, ready).serve(sockets=[listening])
            finally:
                close_door(settings.database)


def _spare_what_stays() -> None:
    """Have the garbage collector leave alone what lives as long as the process, and look less often at what is new.

    Requests wait for their commit together, so every batch looked to it like a leak: it went through the whole
    process again and again, for a quarter of what a request costs.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def clock_of(settings: Settings) -> Clock:
    """The clock to serve by. A demo clock goes on where its journal stopped, else it begins before the doors open."""
    if settings.demo_speed is None:
        if settings.demo_start:
            raise Sorry("A start is for a demo clock: say how fast it runs, with --demo-speed.")
        return settings.clock()
    start = settings.demo_start or _before_opening(settings.demo_speed)
    reached = _reached(settings)
    return DemoClock(settings.demo_speed, max(start, reached) if reached else start)


def _before_opening(speed: float) -> datetime:
    """Shortly before the example office opens, on the nearest day on which it does."""
    office = read_office(EXAMPLE)
    today = office.date_at(datetime.now(UTC))
    days = (office.stretches(today + timedelta(days=ahead)) for ahead in range(8))
    opens = next(stretches[0][0] for stretches in days if stretches)
    return opens - min(timedelta(seconds=speed * REAL_SECONDS_BEFORE_OPENING), LONGEST_BEFORE_OPENING)


def _reached(settings: Settings) -> datetime | None:
    """The last instant on record in a demo journal."""
    journal = open_journal(settings.database, demo=True)
    try:
        return max((hall.last_at for hall, _ in journal.halls() if hall.last_at), default=None)
    finally:
        journal.close()
        journal.database.close()


def _bound(settings: Settings) -> socket.socket:
    """The address taken, before anything else is begun."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with ExitStack() as undo:
            listening = undo.enter_context(socket.socket(family, kind, protocol))
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            undo.pop_all()
    except OSError as error:
        raise Sorry(
            f"Cannot listen at {settings.host} port {settings.port}: {error.strerror}. Name another with --port."
        ) from error
    return listening


def _config(app: FastAPI, descriptors: int) -> uvicorn.Config:
    connections: Connections = app.state.connections
    connections.bounds = places(connections.bounds, descriptors)
    return uvicorn.Config(
        app,
        lifespan="off",
        http=guarded(connections),
        backlog=backlog(descriptors),
        ws="none",
        log_config=None,
        access_log=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=STREAMS_END_SECONDS,
    )


class _Company:
    """What goes on beside a server, and ends before it does."""

    def __init__(self, beside: Beside) -> None:
        self._beside = beside
        self._task: asyncio.Task[None] | None = None

    def come(self, url: str) -> None:
        """The server answers now."""
        self._task = asyncio.create_task(self._beside(url))

    async def leave(self) -> None:
        """The server is about to stop."""
        if self._task:
            self._task.cancel()
            # Whatever became of it, the server stops as it always does.
            await asyncio.wait([self._task])


class _Server(uvicorn.Server):
    """uvicorn, with something to do once it listens and before it stops."""

    def __init__(self, config: uvicorn.Config, stopping: Step, ready: Step) -> None:
        super().__init__(config)
        self._stopping, self._ready = stopping, ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        await self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._stopping()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Have signals ask for an end, and no more: uvicorn's own way would kill the process with the journal open."""
        loop = asyncio.get_running_loop()
        # A terminal that is closed hangs up: nothing is read anew, the server stops as it should.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


async def _ready(state: Any, settings: Settings, listening: socket.socket, greeting: Greeting) -> str:
    """The server answers: say so, to other commands and to people. Where it does."""
    url = _url(settings.host, listening)
    try:
        open_door(settings.database, url, state.secret)
    except OSError as error:
        log.warning("no door could be left for other commands", reason=str(error))
    halls, now = await state.engine.halls(), state.clock.now()
    if isinstance(state.clock, DemoClock):
        typer.echo(banner(state.clock.speed, now))
    typer.echo(greeting(url, settings, [hall for _, hall in sorted(halls.items()) if hall.exists], now))
    return url


def _url(host: str, listening: socket.socket) -> str:
    """Where a browser on this machine finds the server."""
    anywhere = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - to be told apart, not bound
    name = anywhere.get(host, host)
    return f"http://{f'[{name}]' if ':' in name else name}:{listening.getsockname()[1]}"
