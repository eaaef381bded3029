"""The only place that reads the clock."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What time it is. `speed` is how many of its seconds pass in one real second."""

    speed: float

    def now(self) -> datetime:
        """The instant, in UTC."""
        ...


def _since_boot() -> float:
    """Seconds that nobody sets, the machine's sleep included where it can be told."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class SystemClock:
    """The machine's clock, carried on from its first reading by seconds that nobody sets.

    Whoever sets the machine's clock an hour on has not made anybody wait an hour, and an hour back has not stopped a
    wait. `off` tells that it was set; `set_anew` follows it, at a time when nobody waits.
    """

    speed = 1.0

    def __init__(self, wall: Callable[[], float] = time.time, since_boot: Callable[[], float] = _since_boot) -> None:
        self._wall, self._since_boot = wall, since_boot
        self.set_anew()

    def now(self) -> datetime:
        """The instant, in UTC."""
        return self._began + timedelta(seconds=self._since_boot() - self._began_at)

    @property
    def off(self) -> timedelta:
        """How far the machine's clock is ahead of this one: much when it was set, next to nothing otherwise."""
        return datetime.fromtimestamp(self._wall(), UTC) - self.now()

    def set_anew(self, not_before: datetime | None = None) -> None:
        """Read the machine's clock again, which may have been set back behind what is on record."""
        began = datetime.fromtimestamp(self._wall(), UTC)
        self._began = max(began, not_before) if not_before else began
        self._began_at = self._since_boot()


class DemoClock:
    """A clock that runs `speed` times as fast from `start` on. For demonstrations; a real journal refuses it."""

    def __init__(self, speed: float, start: datetime | None = None) -> None:
        self.speed = speed
        self._start = start or datetime.now(UTC)
        self._began = time.monotonic()

    def now(self) -> datetime:
        """The instant, in UTC."""
        return self._start + timedelta(seconds=(time.monotonic() - self._began) * self.speed)
