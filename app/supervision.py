"""Every task that lives as long as the server: begun again when it ends, and known by its last sign of life."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from time import monotonic
from typing import Any

import structlog
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

log = structlog.get_logger(__name__)

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 10.0
"""Between the end of a task and its next beginning. A task that lived longer than this has the first pause again."""

Work = Callable[[Callable[[], None]], Coroutine[Any, Any, None]]
"""What a task does for ever; it is given what to call whenever it has come round."""


class Life:
    """The signs of life of one task or thread. `allowed_seconds` is how long it may be silent."""

    def __init__(self, name: str, allowed_seconds: float) -> None:
        self.name, self.allowed_seconds = name, allowed_seconds
        self.restarts = 0
        self.task: asyncio.Task[None] | None = None
        self._last = monotonic()

    def sign(self) -> None:
        """It lives. May be called from any thread."""
        self._last = monotonic()

    @property
    def age(self) -> float:
        """Seconds since the last sign."""
        return monotonic() - self._last

    @property
    def is_silent(self) -> bool:
        """Whether nothing was heard for longer than is allowed."""
        return self.age > self.allowed_seconds


class Lives(Collector):
    """The lives of all tasks and threads of this process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._lives: dict[str, Life] = {}
        registry.register(self)

    def __getitem__(self, name: str) -> Life:
        return self._lives[name]

    def all(self) -> list[Life]:
        """Every life, in the order of their beginnings."""
        return list(self._lives.values())

    def begin(self, name: str, allowed_seconds: float) -> Life:
        """A life that somebody else looks after."""
        life = self._lives[name] = Life(name, allowed_seconds)
        return life

    def keep(self, name: str, work: Work, allowed_seconds: float = 10.0) -> "asyncio.Task[None]":
        """Have `work` done until the task that is returned is cancelled, and begun again however it ends before."""
        return asyncio.create_task(self._keep(self.begin(name, allowed_seconds), work))

    async def _keep(self, life: Life, work: Work) -> None:
        try:
            await self._begin_again_and_again(life, work)
        finally:
            # Nobody expects a sign any more.
            if self._lives.get(life.name) is life:
                del self._lives[life.name]

    async def _begin_again_and_again(self, life: Life, work: Work) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            began = monotonic()
            life.task = asyncio.create_task(work(life.sign))
            try:
                await asyncio.wait([life.task])
            finally:
                # Only somebody who wants an end to it all comes here with work under way.
                if not life.task.done():
                    life.task.cancel()
                    await asyncio.wait([life.task])
            if monotonic() - began > LONGEST_PAUSE_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            error = None if life.task.cancelled() else life.task.exception()
            log.error("a task ended and is begun again", task=life.name, seconds=pause, exc_info=error)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            life.restarts += 1
            log.warning("a task has begun again", task=life.name, restarts=life.restarts)

    def collect(self) -> Iterable[GaugeMetricFamily | CounterMetricFamily]:
        """The ages and restarts, as they are now."""
        age = GaugeMetricFamily(
            "queue_task_age_seconds", "Since a task of the server last gave a sign", labels=["task"]
        )
        allowed = GaugeMetricFamily(
            "queue_task_allowed_age_seconds", "How long a task may be silent before it counts as ended", labels=["task"]
        )
        restarts = CounterMetricFamily(
            "queue_task_restarts", "Times that a task ended by itself and was begun again", labels=["task"]
        )
        for life in self._lives.values():
            age.add_metric([life.name], life.age)
            allowed.add_metric([life.name], life.allowed_seconds)
            restarts.add_metric([life.name], life.restarts)
        return age, allowed, restarts
