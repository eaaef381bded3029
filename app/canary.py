"""The canary: somebody waits past the limit every minute, on purpose, in an office that nobody sees.

A watch that has fallen silent looks like a hall in which nothing happens. So one visitor goes the whole way from issue
through breach to call, and two figures tell how that went. An alert watches these, and no alert would mean no watch.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, time

import structlog
from prometheus_client import CollectorRegistry, Gauge

from app.clock import LastSuccess
from app.engine import HIDDEN, Answer, Engine
from app.journal import Recorded
from queue_core.commands import CallChosen, Command, Configure, Issue, NoShow, OpenCounter
from queue_core.errors import CounterBusy, Refusal
from queue_core.facts import Breached
from queue_core.hall import Hall
from queue_core.office import Counter, Limits, Office, Opening, Service
from queue_core.tickets import Ticket

log = structlog.get_logger(__name__)

LIMIT_SECONDS = 2
PATIENCE_SECONDS = 30.0
"""How long past its due a breach may be in coming before the flight counts as failed, in real seconds."""

BUSY_SECONDS = 0.1
"""Another process's canary has the counter for a moment."""

NAME = {"en": "canary"}
ALL_DAY = tuple(Opening(weekday=weekday, opens=time(), closes=time()) for weekday in range(7))
OFFICE = Office(
    id=f"{HIDDEN}canary",
    name=NAME,
    zone="UTC",
    services=(Service(id="air", letter="A", name=NAME, limits=Limits(walk_in=LIMIT_SECONDS, booked=LIMIT_SECONDS)),),
    counters=(Counter(id="1", name=NAME, services=("air",)),),
    hours=ALL_DAY,
    late_seconds=0,
)


class Canary:
    """Flies every so many real seconds. `registry` holds what became of it."""

    def __init__(self, engine: Engine, every_seconds: float) -> None:
        self._engine = engine
        self._every_seconds = every_seconds
        self._heard: dict[str, asyncio.Future[datetime]] = {}
        self._task: asyncio.Task[None] | None = None
        self.registry = CollectorRegistry()
        # Without a canary there is nothing to tell, or its alert would never end.
        registry = self.registry if every_seconds else None
        last_success = Gauge(
            "queue_canary_last_success_timestamp_seconds",
            "When a visitor last went the whole way through the canary's office; 0 before one ever did",
            registry=registry,
        )
        self._came_through = LastSuccess(engine.clock)
        last_success.set_function(self._came_through.timestamp)
        self._delay = Gauge(
            "queue_canary_delay_seconds", "From the canary's due to the telling of its breach", registry=registry
        )
        engine.subscribe(self._committed)

    def start(self) -> None:
        """Begin to fly. Every nought seconds is never."""
        if self._every_seconds:
            allowed = 2 * self._every_seconds + 2 * PATIENCE_SECONDS
            self._task = self._engine.lives.keep("canary", self._fly_for_ever, allowed)

    async def stop(self) -> None:
        """Fly no more."""
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def fly(self) -> None:
        """One visit. A Refusal or TimeoutError says that it came to nothing."""
        await self._do(Configure(OFFICE))
        ticket = await self._issue()
        heard = self._heard[ticket.id] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(LIMIT_SECONDS / self._engine.clock.speed + PATIENCE_SECONDS):
                heard_at = await heard
                await self._call(ticket)
        finally:
            del self._heard[ticket.id]
        assert ticket.due
        self._delay.set((heard_at - ticket.due).total_seconds())
        self._came_through.mark()

    async def _fly_for_ever(self, alive: Callable[[], None]) -> None:
        while True:
            alive()
            await asyncio.sleep(self._every_seconds)
            try:
                await self.fly()
            except (Refusal, TimeoutError) as trouble:
                log.warning("the canary did not come through", trouble=type(trouble).__name__)
            except Exception:
                log.exception("the canary stumbled")

    async def _issue(self) -> Ticket:
        ticket = (await self._do(Issue("air"))).ticket
        assert ticket
        return ticket

    async def _call(self, ticket: Ticket) -> None:
        await self._do(OpenCounter("1", "canary"))
        while True:
            try:
                await self._do(CallChosen(ticket.id, "1", "the canary's turn"))
                break
            except CounterBusy:
                await asyncio.sleep(BUSY_SECONDS)
        await self._do(NoShow(ticket.id))

    async def _do(self, command: Command) -> Answer:
        return await self._engine.do(OFFICE.id, command, actor="canary")

    def _committed(self, office_id: str, _hall: Hall, facts: Sequence[Recorded]) -> None:
        if office_id != OFFICE.id:
            return
        for fact in (line.fact for line in facts):
            if isinstance(fact, Breached) and (heard := self._heard.get(fact.ticket)) and not heard.done():
                heard.set_result(self._engine.clock.now())
