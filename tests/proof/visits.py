"""A visit retold from its facts alone, in plain lists: the second opinion on clocks, dues and states."""

from datetime import datetime, timedelta

from queue_core.facts import (
    Breached,
    Called,
    ClaimVerified,
    Escalated,
    Held,
    HeldBy,
    Issued,
    Left,
    MovedOn,
    Readmitted,
    Relieved,
    Resumed,
    Returned,
    TicketFact,
    Transferred,
    Undone,
    Unserved,
    Warned,
)
from queue_core.tickets import AT_COUNTER, ENDED, LIFECYCLE, STEPS, State


class Impossible(Exception):
    """A fact that cannot follow on what went before."""


class Visit:
    """Where a visit stands, and the stretches of time in which it waited on the office's account.

    It knows no stopwatch: a wait is the sum of its stretches, and the limit is due when that sum reaches it.
    """

    def __init__(self, issued: Issued) -> None:
        self.issued = issued
        self.limit = timedelta(seconds=issued.limit_seconds)
        warned_after = issued.limit_seconds * 2 // 3 if issued.warning_seconds is None else issued.warning_seconds
        self.warning = timedelta(seconds=warned_after)
        self.state = State.WAITING
        self.counter: str | None = None
        self.stretches: list[tuple[datetime, datetime | None]] = [(issued.clock_start, None)]
        self.warnings: list[Warned] = []
        self.breaches: list[Breached] = []
        self.steps: list[Escalated] = []
        self.relieved = False
        self._before_step: State | None = None
        self._was_relieved = False
        self._stood_open: datetime | None = None

    @property
    def ended(self) -> bool:
        """Whether the visit is over."""
        return self.state in ENDED

    @property
    def at_counter(self) -> bool:
        """Whether a counter is taken by this visitor."""
        return self.state in AT_COUNTER

    def waited(self, now: datetime) -> timedelta:
        """The waiting done up to `now`."""
        lasted = (min(end or now, now) - start for start, end in self.stretches)
        return sum((stretch for stretch in lasted if stretch > timedelta()), timedelta())

    @property
    def waits(self) -> bool:
        """Whether the clock runs."""
        return bool(self.stretches) and self.stretches[-1][1] is None

    @property
    def lasts(self) -> bool:
        """Whether the visitor was told of as waiting past the limit, and that has not ended."""
        return bool(self.steps) and not self.relieved

    def due(self) -> datetime | None:
        """When the limit was or will be reached; None when the stretches so far stop short of it."""
        return self.reached(self.limit)

    def reached(self, wait: timedelta) -> datetime | None:
        """When that much waiting was or will be done; None when the stretches so far stop short of it."""
        left = wait
        for start, end in self.stretches:
            if end is None or end - start >= left:
                return start + left
            left -= end - start
        return None

    def happened(self, fact: TicketFact) -> None:
        """Move on by a fact, or Impossible."""
        if isinstance(fact, Undone):
            self._undone(fact)
            return
        if type(fact) not in LIFECYCLE[self.state]:
            raise Impossible(f"{type(fact).__name__} of a ticket that is {self.state}")
        before, self.state = self.state, LIFECYCLE[self.state][type(fact)]
        if isinstance(fact, Called):
            self.counter = fact.counter
        if type(fact) in STEPS and (before in AT_COUNTER or self.state in AT_COUNTER):
            self._before_step = before
            self._was_relieved = self.relieved
        self._clock(fact)

    def _clock(self, fact: TicketFact) -> None:
        match fact:
            case Called(at=at):
                self._stood_open = self._end(at)
            case MovedOn(at=at) | Returned(at=at) | Transferred(at=at):
                self._begin(at)
            case Held(by=by, at=at):
                if by is HeldBy.OFFICE:
                    self._begin(at)
                else:
                    self._end(at)
            case Resumed(since=since) | Readmitted(since=since):
                self._begin(since)
            case ClaimVerified():
                self.limit = timedelta(seconds=fact.limit_seconds)
                self.warning = timedelta(seconds=fact.warning_seconds)
            case Left(at=at):
                self._end(at)
            case Unserved(since=since):
                self._end(since)
            case Warned():
                self.warnings.append(fact)
            case Breached():
                self.breaches.append(fact)
            case Escalated():
                self.steps.append(fact)
            case Relieved():
                self.relieved = True
            case _:
                pass

    def _undone(self, fact: Undone) -> None:
        if self._before_step is None:
            raise Impossible("Undone of a ticket that no counter has moved")
        self.state, self._before_step = self._before_step, None
        if self.state is not State.WAITING:
            self._end(fact.at)
        elif self._stood_open:
            # A call that was taken back never was: the stretch it had ended goes on as if it had not.
            if self.stretches and self.stretches[-1][0] == self._stood_open:
                self.stretches.pop()
            self.stretches.append((self._stood_open, None))
            self.relieved = self._was_relieved

    def _begin(self, at: datetime) -> None:
        if not self.stretches or self.stretches[-1][1] is not None:
            self.stretches.append((max(at, self.issued.clock_start), None))

    def _end(self, at: datetime) -> datetime | None:
        """Close the stretch that is open, and say when it had begun. One that has not begun yet never will."""
        if not self.stretches or self.stretches[-1][1] is not None:
            return None
        start, _ = self.stretches.pop()
        if start <= at:
            self.stretches.append((start, at))
        return start
