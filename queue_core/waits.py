"""The clock of a visit: how long somebody has waited, and the instant at which the promise is broken."""

from datetime import datetime, timedelta

from queue_core.values import value

NOTHING = timedelta()


@value()
class WaitClock:
    """A stopwatch that can be stopped and started, and is never reset.

    `waited` is what earlier stretches added up to; `since` is when the present stretch began, None while stopped.
    A stretch may begin in the future (a booked visitor who came early): until then it reads as it was.
    """

    limit: timedelta
    waited: timedelta = NOTHING
    since: datetime | None = None

    @property
    def runs(self) -> bool:
        """Whether the visitor is waiting on the office's account."""
        return self.since is not None

    @property
    def due(self) -> datetime | None:
        """The instant at which the limit is reached if nobody calls; None while stopped."""
        return self.since + (self.limit - self.waited) if self.since else None

    @property
    def as_if_since(self) -> datetime | None:
        """When an unbroken wait of the same length would have begun: earlier means longer waited."""
        return self.since - self.waited if self.since else None

    def reading(self, now: datetime) -> timedelta:
        """The waiting done up to `now`."""
        return self.waited + max(NOTHING, now - self.since) if self.since else self.waited

    def started(self, at: datetime) -> "WaitClock":
        """Running from `at`; a clock that runs already is left alone."""
        return self if self.since else WaitClock(self.limit, self.waited, since=at)

    def limited(self, limit: timedelta) -> "WaitClock":
        """The same wait under another limit."""
        return self if limit == self.limit else WaitClock(limit, self.waited, self.since)

    def stopped(self, at: datetime) -> "WaitClock":
        """Standing at what it reads at `at`."""
        return WaitClock(self.limit, self.reading(at))
