"""The watch: asks the engine to record what time alone has brought, at the instant it is due."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from app.engine import Engine
from app.journal import Recorded
from queue_core.commands import Tick
from queue_core.errors import Refusal
from queue_core.hall import Hall

log = structlog.get_logger(__name__)

PULSE_SECONDS = 1.0
"""The longest sleep, in real seconds: the clock may be stepped, and the pulse must be seen."""

AT_ONCE = 64
"""Offices asked about together. All of a country's open at the same minute, and must not fill the engine's queue."""

FRESH_SECONDS = 10.0
"""How old the pulse may be before the watch counts as stopped."""


class Watch:
    """Sleeps until the nearest due, return or turn of the day in any hall."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._alarms: dict[str, datetime] = {}
        self._task: asyncio.Task[None] | None = None
        self._moved = asyncio.Event()
        self._wakes_at = engine.clock.now()
        self._last_pulse: float | None = None
        self.last_success: datetime | None = None
        engine.subscribe(self._hall_moved)

    async def start(self) -> None:
        """Look at every hall, then begin to watch."""
        now = self._engine.clock.now()
        for hall in (await self._engine.halls()).values():
            self._set(hall, now)
        self._task = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """Stop watching."""
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])

    @property
    def is_fresh(self) -> bool:
        """Whether the watch has looked lately."""
        return self._last_pulse is not None and asyncio.get_running_loop().time() - self._last_pulse < FRESH_SECONDS

    async def _watch(self) -> None:
        while True:
            try:
                await self._record_passed()
                self._last_pulse = asyncio.get_running_loop().time()
                self.last_success = self._engine.clock.now()
            except Refusal as refusal:
                log.warning("the watch was refused and looks again", refusal=type(refusal).__name__)
            except Exception:
                # If the watch ended here, nobody would be told of anything any more; its pulse shows that it is ill.
                log.exception("the watch stumbled and looks again")
            await self._sleep()

    async def _record_passed(self) -> None:
        now = self._engine.clock.now()
        due = [office_id for office_id, instant in self._alarms.items() if instant <= now]
        for start in range(0, len(due), AT_ONCE):
            some = due[start : start + AT_ONCE]
            await asyncio.gather(*(self._engine.do(office_id, Tick(), actor="watch") for office_id in some))
        halls = await self._engine.halls()
        for office_id in due:
            self._set(halls[office_id], self._engine.clock.now())

    async def _sleep(self) -> None:
        self._moved.clear()
        now, speed = self._engine.clock.now(), self._engine.clock.speed
        self._wakes_at = min(self._alarms.values(), default=now + timedelta(days=1))
        # Never less than a moment: an alarm that is not met must not turn the watch into a spinning loop.
        seconds = min(max((self._wakes_at - now).total_seconds() / speed, 0.005), PULSE_SECONDS)
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._moved.wait()

    def _hall_moved(self, _office_id: str, hall: Hall, _committed: Sequence[Recorded]) -> None:
        alarm = self._set(hall, self._engine.clock.now())
        if alarm and alarm < self._wakes_at:
            self._moved.set()

    def _set(self, hall: Hall, now: datetime) -> datetime | None:
        alarm = hall.next_alarm(now)
        if alarm is None:
            self._alarms.pop(hall.office_id, None)
        else:
            self._alarms[hall.office_id] = alarm
        return alarm
