"""How long the loop that keeps all promises stands still: nothing is answered, watched or told meanwhile."""

import asyncio
from collections.abc import Callable
from time import monotonic, thread_time

import structlog
from prometheus_client import CollectorRegistry, Gauge, Histogram

log = structlog.get_logger(__name__)

TICK_SECONDS = 0.02
"""How often the loop is looked after; what is told may be too short by so much."""

STALL_SECONDS = 0.01
"""Less is how any loop runs."""

LOUD_SECONDS = 1.0
"""From here on it is told in the log too."""

EDGES = (0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

WINDOW_SECONDS = 60.0


class Stalls:
    """What the loop's own timer comes too late by.

    A stall of which the loop's thread worked for half the time or more is `working`: something was computed in one
    piece. Else it was `waiting`: for the disk, for another thread, or for a machine that others kept busy.
    """

    def __init__(self, now: Callable[[], float] = monotonic, worked: Callable[[], float] = thread_time) -> None:
        self._now, self._worked = now, worked
        self.registry = CollectorRegistry()
        histogram = Histogram(
            "queue_loop_stall_seconds",
            "How long the event loop stood still, each time that it did",
            ["kind"],
            buckets=EDGES,
            registry=self.registry,
        )
        self._kinds = {kind: histogram.labels(kind) for kind in ("waiting", "working")}
        longest = Gauge(
            "queue_loop_stall_longest_seconds",
            "The longest that the event loop stood still within the last minute or two",
            registry=self.registry,
        )
        longest.set_function(self._longest_lately)
        self._longest = self._longest_before = 0.0
        self._window_ends = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Look after the loop that runs now."""
        self._tick_later(asyncio.get_running_loop())

    def stop(self) -> None:
        """Look after it no more."""
        if self._timer:
            self._timer.cancel()

    def _tick_later(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = loop.call_later(TICK_SECONDS, self._tick, loop, self._now(), self._worked())

    def _tick(self, loop: asyncio.AbstractEventLoop, began: float, worked_before: float) -> None:
        lasted = self._now() - began - TICK_SECONDS
        if lasted >= STALL_SECONDS:
            worked = self._worked() - worked_before
            kind = "working" if worked >= lasted / 2 else "waiting"
            self._kinds[kind].observe(lasted)
            self._turn_window()
            self._longest = max(self._longest, lasted)
            if lasted >= LOUD_SECONDS:
                log.warning("the loop stood still", seconds=round(lasted, 3), kind=kind)
        self._tick_later(loop)

    def _longest_lately(self) -> float:
        self._turn_window()
        return max(self._longest, self._longest_before)

    def _turn_window(self) -> None:
        now = self._now()
        if now >= self._window_ends:
            is_next = now < self._window_ends + WINDOW_SECONDS
            self._longest_before, self._longest = self._longest if is_next else 0.0, 0.0
            self._window_ends = now + WINDOW_SECONDS
