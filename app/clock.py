"""The only place that reads the clock."""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What time it is. `speed` is how many of its seconds pass in one real second."""

    speed: float

    def now(self) -> datetime:
        """The instant, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    speed = 1.0

    def now(self) -> datetime:
        """The instant, in UTC."""
        return datetime.now(UTC)


class DemoClock:
    """A clock that runs `speed` times as fast from `start` on. For demonstrations; a real journal refuses it."""

    def __init__(self, speed: float, start: datetime | None = None) -> None:
        self.speed = speed
        self._start = start or datetime.now(UTC)
        self._began = time.monotonic()

    def now(self) -> datetime:
        """The instant, in UTC."""
        return self._start + timedelta(seconds=(time.monotonic() - self._began) * self.speed)
