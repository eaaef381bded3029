"""Whether the server lives, and whether it can serve."""

import asyncio
from typing import Literal

from fastapi import APIRouter
from starlette.datastructures import State
from starlette.requests import Request
from starlette.responses import Response
from typing_extensions import TypedDict

from app.clock import Clock, SystemClock
from app.engine import Engine, JournalSilent, PastGone
from app.journal import Journal, JournalBroken, JournalDown, JournalFull
from app.metrics import Metrics
from app.watch import Watch
from app.web.document import ANY, Responses, refusals
from app.web.gate import Gated, produces
from app.web.models import reply
from app.web.refusals import NotReady

router = APIRouter(tags=["pulse"], route_class=Gated, generate_unique_id_function=lambda route: route.name)

PATIENCE_SECONDS = 2

PROBED_SECONDS = 1.0
"""How long it is believed that the journal can be written."""

VITAL = ("writer", "watch", "follower")
"""Without one of these no promise is kept here, and another process should be asked."""


TEXT: Responses = {200: {"description": "Prometheus text", "content": {"text/plain": {"schema": {"type": "string"}}}}}


class Alive(TypedDict):
    """The process answers."""

    alive: Literal[True]


class Ready(TypedDict):
    """The journal takes writes, its schema is the newest, and the watch is awake.

    `clock` is "right", or says how far the hall's time and the machine's clock are apart: requests are served all the
    same, and waits are measured by seconds that nobody sets. `tasks` are the seconds since every task of the server
    last gave a sign of life.
    """

    database: Literal["writable"]
    migrations: Literal["at head"]
    watch: Literal["awake"]
    past: Literal["whole"]
    clock: str
    tasks: dict[str, float]


@router.get("/livez", response_model=Alive, responses=refusals(*ANY))
async def read_liveness() -> Response:
    """Whether the process answers; it depends on nothing else."""
    return reply(Alive(alive=True))


@router.get("/readyz", response_model=Ready, responses=refusals(*ANY, NotReady))
async def read_readiness(request: Request) -> Response:
    """Whether requests would be served. An outdated schema cannot be met here: the journal is not opened with one."""
    watch: Watch = request.app.state.watch
    engine: Engine = request.app.state.engine
    clock: Clock = request.app.state.clock
    standing = clock.standing() if isinstance(clock, SystemClock) else "right"
    writable = await _was_writable(request.app.state)
    if engine.past_lost:
        raise NotReady(past="lost", reason=engine.past_lost, clock=standing)
    lives = engine.lives.all()
    tasks = {life.name: round(life.age, 1) for life in lives}
    silent = [life.name for life in lives if life.name in VITAL and life.is_silent]
    if silent or not (writable and watch.is_fresh):
        raise NotReady(
            database="writable" if writable else "not writable",
            watch="awake" if watch.is_fresh else "asleep",
            clock=standing,
            tasks=tasks,
            silent=silent,
        )
    return reply(
        Ready(database="writable", migrations="at head", watch="awake", past="whole", clock=standing, tasks=tasks)
    )


@router.get("/metrics", response_class=Response, responses={**TEXT, **refusals(*ANY, JournalSilent)})
@produces("text/plain", "application/openmetrics-text")
async def read_metrics(request: Request) -> Response:
    """The hall's series, for Prometheus."""
    metrics: Metrics = request.app.state.metrics
    return await metrics.answer(request.headers)


async def _was_writable(state: State) -> bool:
    """Whether a write was taken less than PROBED_SECONDS ago. However many ask, one writes."""
    probe: tuple[float, asyncio.Task[bool]] | None = getattr(state, "probe", None)
    now = asyncio.get_running_loop().time()
    if probe is None or now - probe[0] > PROBED_SECONDS:
        probe = state.probe = (now, asyncio.create_task(_is_writable(state.engine)))
    return await asyncio.shield(probe[1])


async def _is_writable(engine: Engine) -> bool:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await engine.look_back()
            await engine.ask(Journal.check_writable)
    except (PastGone, JournalDown, JournalFull, JournalBroken, TimeoutError):
        return False
    return True
