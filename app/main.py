"""The composition root: everything is put together here, and nothing is decided."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import structlog
from fastapi import FastAPI

from app.access import Keys, VisitTokens
from app.alerts import Alerts, Plan, read_plan
from app.board.routes import router as board
from app.board.screen import router as board_screen
from app.board.speech import SpeechDelay
from app.canary import Canary
from app.clock import Clock, DemoClock, SystemClock
from app.configuration import EXAMPLE, read_office
from app.console.routes import router as console
from app.console.screen import router as console_screen
from app.door import new_secret
from app.engine import Engine
from app.journal import open_journal
from app.journal.keys import clear_keys
from app.kiosk.routes import router as kiosk
from app.kiosk.screen import router as kiosk_screen
from app.live import LiveHub
from app.metrics import Metrics
from app.settings import Settings
from app.stalls import Stalls
from app.supervisor.routes import router as supervisor
from app.supervisor.screen import router as supervisor_screen
from app.visitor.routes import router as visitor
from app.visitor.routes import visits
from app.visitor.screen import router as visitor_screen
from app.watch import Watch
from app.web.admin import router as admin
from app.web.aside import Aside
from app.web.connections import Bounds, Connections
from app.web.document import document
from app.web.gate import check_gates, guard_the_rest
from app.web.headers import DemoMark, demo_mark
from app.web.hosts import Hosts
from app.web.problems import answer_with_problems
from app.web.pulse import router as pulse
from app.web.reference import router as reference
from app.web.screens import make_ready
from app.web.screens import router as assets
from app.web.snapshot import snapshot_bytes
from queue_core.commands import Configure, OpenDay

log = structlog.get_logger(__name__)

ROOMS = (kiosk, console, board, visitor, visits, supervisor, pulse, reference, admin)
SCREENS = (kiosk_screen, console_screen, board_screen, visitor_screen, supervisor_screen, assets)

FIRST = ("issue_ticket", "call_next")
"""A request is compared with one route after the other, so what is asked all day comes before everything else."""


def create_app(settings: Settings, clock: Clock) -> FastAPI:
    """The application. It opens its journal when it starts, and lets go of it when it stops."""
    app = FastAPI(
        title="Fifteen",
        summary="An electronic queue for public offices.",
        version="1",
        lifespan=_serving,
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        # What happens in a hall leaves by our own doors, never through an exporter found in the environment.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.state.settings = settings
    app.state.clock = clock
    app.state.secret = new_secret()
    app.state.aside = Aside()
    app.state.connections = Connections(Bounds.of(settings))
    app.state.hosts = Hosts(settings.listed_hosts, settings.host)
    for room in (*ROOMS, *SCREENS):
        # Not by include_router, which has every request compared twice.
        app.router.routes.extend(room.routes)
    app.router.routes.sort(key=lambda route: getattr(route, "name", None) not in FIRST)
    guard_the_rest(app)
    answer_with_problems(app)
    if speed := demo_mark(clock):
        app.add_middleware(DemoMark, speed=speed)
    return app


def openapi_document() -> dict[str, Any]:
    """The OpenAPI document, as it is committed beside the code."""
    return document(create_app(Settings.model_construct(), SystemClock()))


@asynccontextmanager
async def _serving(app: FastAPI) -> AsyncIterator[None]:
    check_gates(app)
    settings, clock = app.state.settings, app.state.clock
    async with AsyncExitStack() as stack:
        engine = await _engine(settings, clock, stack)
        app.state.engine = engine
        secret = await engine.ask(lambda journal: journal.visit_secret())
        app.state.tokens = VisitTokens(secret)
        app.state.keys = Keys(secret, await engine.ask(clear_keys))
        app.state.hub = LiveHub(engine, lambda hall, now: snapshot_bytes(hall, now, clock))
        stack.callback(app.state.hub.stop)
        engine.when_lost(app.state.hub.stop)
        app.state.watch = Watch(engine)
        canary = Canary(engine, settings.canary_seconds)
        alerts = Alerts(engine, read_plan(settings.alerts) if settings.alerts else Plan())
        app.state.alerts = alerts
        app.state.watch.subscribe(app.state.hub.tell_provisional)
        app.state.watch.subscribe(alerts.tell_provisional)
        stalls, app.state.speech = Stalls(), SpeechDelay()
        told_by = (canary, alerts, app.state.hub, app.state.connections, stalls, app.state.speech)
        app.state.metrics = Metrics(engine, app.state.watch, [each.registry for each in told_by])
        stack.callback(app.state.aside.close)
        if settings.example:
            await _set_up_example(engine)
        await app.state.watch.start()
        stack.push_async_callback(app.state.watch.stop)
        await alerts.start()
        stack.push_async_callback(alerts.stop)
        canary.start()
        stack.push_async_callback(canary.stop)
        stalls.start()
        stack.callback(stalls.stop)
        getting_ready = asyncio.create_task(asyncio.to_thread(make_ready))
        stack.push_async_callback(asyncio.wait, [getting_ready])
        log.info("serving", demo_clock=demo_mark(clock), offices=len(await engine.halls()))
        yield
        log.info("stopping")


async def _engine(settings: Settings, clock: Clock, stack: AsyncExitStack) -> Engine:
    journal = open_journal(settings.database, demo=isinstance(clock, DemoClock))
    engine = Engine(journal, clock, queue_size=settings.queue_size, patience_seconds=settings.patience_seconds)
    stack.push_async_callback(engine.stop)
    await engine.start()
    return engine


async def _set_up_example(engine: Engine) -> None:
    """Have the example office in an empty journal. On the real clock it opens at once: somebody is trying it out."""
    if await engine.halls():
        return
    office = read_office(EXAMPLE)
    await engine.do(office.id, Configure(office), actor="example")
    if not isinstance(engine.clock, DemoClock):
        await engine.do(office.id, OpenDay(), actor="example")
