"""The only place that reads the clock: what time it is in the hall, and how far the machine's clock is to be believed.

Seconds that nobody sets carry the hall's time on; the machine's clock only says where it stands. It is believed by
what stands against it: the last fact on record, the kernel's own word, what other processes write, and how long it has
not been set. `docs/decisions/the-halls-time-goes-on-by-seconds-that-nobody-sets.md` says why.
"""

import ctypes
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Protocol

import structlog

log = structlog.get_logger(__name__)

STEP = timedelta(seconds=2)
"""By how much a clock must be off to be worth a word. A busy machine reads its two clocks not quite at once."""

STEADY_SECONDS = 60.0
"""How long a clock that nobody vouches for must not have been set before it is believed."""

NEARER = 10
"""A step that leaves this part of the difference was a correction."""

HEARD_SECONDS = 150.0
"""How long what another process wrote speaks against the machine's clock. A canary writes every minute."""

FUTURE_TICK = timedelta(microseconds=1)


class Clock(Protocol):
    """What time it is. `speed` is how many of its seconds pass in one real second."""

    speed: float

    def now(self) -> datetime:
        """The instant, in UTC."""
        ...


class Machine:
    """The clocks of the machine that this process runs on."""

    def wall(self) -> float:
        """The clock that people and programs set: seconds since 1970."""
        return time.time()

    def since_boot(self) -> float:
        """Seconds that nobody sets, the machine's sleep included where it can be told."""
        return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))

    def boot(self) -> str | None:
        """The name of this run of the machine, the same for all its processes; None where there is none."""
        try:
            return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        except OSError:
            return None

    def is_synchronised(self) -> bool | None:
        """The kernel's word for its clock: whether something keeps it right. None when it says nothing.

        Its word is good only for the time that it names itself: a clock that is feigned for us is not what it means.
        """
        return _kernels_word(self.wall)


class Standing(Enum):
    """How the machine's clock stands to the hall's time."""

    RIGHT = "right"
    BEHIND = "behind"
    AHEAD = "ahead"


class SystemClock:
    """The hall's time on a real machine. It never goes back.

    `begin` sets it by what is on record, `heard` by what another process wrote, and `mind`, asked again and again, by
    the machine's clock as far as that is believed. All are called in the event loop.
    """

    speed = 1.0

    def __init__(self, machine: Machine | None = None, steady_seconds: float = STEADY_SECONDS) -> None:
        self._machine = machine or Machine()
        self._steady_seconds = steady_seconds
        # What is added to the seconds since boot: for the hall's time, and for the machine's as it was last seen.
        self._offset = self._seen = self._machine.wall() - self._machine.since_boot()
        self._steady_since = self._machine.since_boot()
        self._began: datetime | None = None
        self._doubts = self._was_corrected = False
        self._rests_at: float | None = None
        self._others: tuple[float, float] | None = None
        self._standing = Standing.RIGHT

    def now(self) -> datetime:
        """The instant, in UTC."""
        return datetime.fromtimestamp(self._seconds(), UTC)

    @property
    def off(self) -> timedelta:
        """How far the machine's clock is ahead of the hall's time; negative when the journal is ahead of the clock."""
        return timedelta(seconds=self._machine.wall() - self._seconds())

    @property
    def offset(self) -> float:
        """What the hall's time is ahead of the seconds since boot: all of it that a restart needs to know."""
        return self._offset

    @property
    def boot(self) -> str | None:
        """The run of the machine for which `offset` is good."""
        return self._machine.boot()

    @property
    def in_doubt_since(self) -> datetime | None:
        """Where the hall's time went on at the start, while it is not known how long nothing was on record."""
        return self._began if self._doubts else None

    @property
    def differs_from_others(self) -> bool:
        """Whether another process has lately written facts that the machine's clock does not fit."""
        theirs = self._heard_lately()
        return theirs is not None and abs(self._relation() - theirs) >= STEP.total_seconds()

    def standing(self) -> str:
        """How the clock stands, as a sentence for people."""
        seconds = round(abs(self.off.total_seconds()))
        if abs(self.off) < STEP:
            return "right"
        if self.off < timedelta():
            return f"the journal is ahead of the clock by {seconds} s"
        return f"the clock is ahead of the journal by {seconds} s"

    def elapsed(self) -> float:
        """Seconds that nobody sets."""
        return self._machine.since_boot()

    def machine_time(self, elapsed: float) -> float:
        """What the machine's clock, as it is set now, would have shown at a reading of `elapsed`. Never the future."""
        return self._machine.wall() - (self._machine.since_boot() - elapsed)

    def begin(self, last: datetime | None, kept: float | None) -> None:
        """Take up the hall's time after a start.

        `last` is the latest fact on record, `kept` the offset that was kept in this run of the machine, if any. With
        neither, the machine's clock is all there is. A gap that nobody vouches for is not taken for time that passed.
        """
        if last is None:
            return
        boot, wall = self._machine.since_boot(), self._machine.wall()
        since = wall - last.timestamp()
        if kept is not None:
            self._offset = kept
        elif not (0 <= since < STEP.total_seconds() or (since >= 0 and self._machine.is_synchronised())):
            self._offset = last.timestamp() - boot
            self._doubts = True
        self._not_behind(last + FUTURE_TICK)
        self._began = self.now()
        self._say()

    def heard(self, at: datetime) -> None:
        """Another process has written a fact of this instant; time does not run behind it."""
        theirs, boot = at.timestamp() - self._machine.since_boot(), self._machine.since_boot()
        lately = self._heard_lately()
        if lately is None or theirs > lately:
            self._others = (theirs, boot)
        elif lately - theirs < STEP.total_seconds() / 2:
            self._others = (lately, boot)
        self._not_behind(at)

    def look(self) -> bool:
        """Whether there is anything to mind: cheap enough to be asked all the time."""
        self._look_for_a_step()
        return self._standing is not Standing.RIGHT or self._rests_at is not None or abs(self.off) >= STEP

    def mind(self, *, is_new: bool, somebody_waits: bool, since_before: bool, at_work: bool) -> None:
        """Follow the machine's clock as far as it is believed and nobody's wait is harmed.

        `is_new` is a journal without a fact; `somebody_waits` anywhere; `since_before` the doubt began; `at_work` is a
        hall that is open or has people in it.
        """
        self._look_for_a_step()
        if is_new:
            self._offset, self._rests_at = self._relation(), None
        off = self.off
        if at_work or off > -STEP or not self._is_believed():
            self.resume()
        if abs(off) < STEP:
            self._doubts = self._was_corrected = False
        elif off > timedelta():
            if self._is_believed() and not self._is_contradicted() and (self._doubts or not somebody_waits):
                log.warning("the machine's clock is followed", seconds=round(off.total_seconds(), 3))
                self._offset = self._relation()
                self._doubts = self._was_corrected = False
        else:
            self._doubts = self._doubts and since_before
            if not at_work and self._rests_at is None and self._is_believed():
                self._rests_at = self._seconds()
        self._say()

    def resume(self) -> None:
        """Something happens in a hall: from now on every second counts again."""
        if self._rests_at is not None:
            self._offset = self._seconds() - self._machine.since_boot()
            self._rests_at = None

    def _seconds(self) -> float:
        going = self._machine.since_boot() + self._offset
        if self._rests_at is None:
            return going
        # Nobody is there to whom it matters: the machine's clock may catch up.
        self._rests_at = max(self._rests_at, min(self._machine.wall(), going))
        return self._rests_at

    def _not_behind(self, at: datetime) -> None:
        behind = at.timestamp() - self._seconds()
        if behind > 0:
            self.resume()
            self._offset += behind

    def _relation(self) -> float:
        return self._machine.wall() - self._machine.since_boot()

    def _look_for_a_step(self) -> None:
        relation = self._relation()
        step = relation - self._seen
        if abs(step) >= STEP.total_seconds():
            self._steady_since = self._machine.since_boot()
            before, after = abs(self._seen - self._offset), abs(relation - self._offset)
            self._was_corrected = self._doubts and after * NEARER <= before
            log.warning("the machine's clock was set", seconds=round(step, 3))
        self._seen = relation

    def _is_believed(self) -> bool:
        steady = self._machine.since_boot() - self._steady_since
        return steady >= self._steady_seconds or self._was_corrected or bool(self._machine.is_synchronised())

    def _heard_lately(self) -> float | None:
        if self._others is None or self._machine.since_boot() - self._others[1] > HEARD_SECONDS:
            return None
        return self._others[0]

    def _is_contradicted(self) -> bool:
        theirs = self._heard_lately()
        return theirs is not None and self._relation() - theirs >= STEP.total_seconds()

    def _say(self) -> None:
        """A line in the log whenever it has become another story."""
        off = self.off
        now = Standing.RIGHT if abs(off) < STEP else Standing.BEHIND if off < timedelta() else Standing.AHEAD
        if now is self._standing:
            return
        self._standing = now
        seconds = round(abs(off.total_seconds()), 3)
        if now is Standing.RIGHT:
            log.info("the machine's clock is right again")
        elif now is Standing.BEHIND:
            log.warning(
                "the journal is ahead of the machine's clock; time goes on from the journal",
                seconds=seconds,
                other_processes_differ=self.differs_from_others,
            )
        else:
            log.warning(
                "the machine's clock is ahead of the journal; it is followed once it is believed and nobody waits",
                seconds=seconds,
                other_processes_differ=self.differs_from_others,
            )


class DemoClock:
    """A clock that runs `speed` times as fast from `start` on. For demonstrations; a real journal refuses it."""

    def __init__(self, speed: float, start: datetime | None = None) -> None:
        self.speed = speed
        self._start = start or datetime.now(UTC)
        self._began = time.monotonic()

    def now(self) -> datetime:
        """The instant, in UTC."""
        return self._start + timedelta(seconds=(time.monotonic() - self._began) * self.speed)


class LastSuccess:
    """When something last went well, told by the machine's clock as it is set now: it never lies in the future."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._timestamp: Callable[[], float] = lambda: 0.0

    def mark(self) -> None:
        """It has just gone well."""
        clock = self._clock
        if isinstance(clock, SystemClock):
            elapsed = clock.elapsed()
            self._timestamp = lambda: clock.machine_time(elapsed)
        else:
            now = clock.now().timestamp()
            self._timestamp = lambda: now

    def timestamp(self) -> float:
        """Seconds since 1970; 0 before it ever did."""
        return self._timestamp()


# The kernel's word

STA_UNSYNC = 0x0040


class _Timex(ctypes.Structure):
    """What adjtimex(2) answers with; more room than any kernel takes."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("constant", ctypes.c_long),
        ("precision", ctypes.c_long),
        ("tolerance", ctypes.c_long),
        ("seconds", ctypes.c_long),
        ("fraction", ctypes.c_long),
        ("further", ctypes.c_long * 32),
    )


def _kernels_word(wall: Callable[[], float]) -> bool | None:
    if not sys.platform.startswith("linux"):
        return None
    timex = _Timex()
    try:
        state = ctypes.CDLL(None).adjtimex(ctypes.byref(timex))
    except (OSError, AttributeError):
        return None
    if state < 0 or abs(wall() - timex.seconds) >= STEP.total_seconds():
        return None
    return not timex.status & STA_UNSYNC
