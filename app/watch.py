"""The watch: asks the engine to record what time alone has brought, at the instant it is due.

While the journal takes nothing, the watch tells from memory what it would have recorded, marked as provisional.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from app.clock import LastSuccess, SystemClock
from app.engine import HIDDEN, Engine
from app.journal import Recorded
from queue_core.commands import Tick
from queue_core.errors import Refusal
from queue_core.facts import Breached, CounterIdle, Escalated, Fact, Warned
from queue_core.hall import Hall
from queue_core.values import value

log = structlog.get_logger(__name__)

PULSE_SECONDS = 1.0
"""The longest sleep, in real seconds: the clock may be stepped, and the pulse must be seen."""

AT_ONCE = 64
"""Offices asked about together. All of a country's open at the same minute, and must not fill the engine's queue."""

TELL_SECONDS = 0.4
"""How long the record of what is due may take; after that people are told without it."""

FRESH_SECONDS = 10.0
"""How old the pulse may be before the watch counts as stopped."""


Alarm = Warned | Breached | Escalated | CounterIdle
"""Facts that somebody is told of."""


@value()
class Provisional:
    """A fact told from memory, because the journal did not take it in time.

    `stands` is False once the journal has answered, and knows nothing of it: the call had been recorded first. `breach`
    is that of the same ticket, when it is not on record either.
    """

    office_id: str
    fact: Alarm
    breach: Breached | None = None
    stands: bool = True

    @property
    def name(self) -> str:
        """The same as of the fact that will be recorded."""
        return name_of(self.fact)

    @property
    def kind(self) -> str:
        """The kind of fact."""
        return type(self.fact).__name__

    @property
    def at(self) -> datetime:
        """When it was noticed."""
        return self.fact.at


Teller = Callable[[Provisional, Hall], None]
"""Told of what is provisional, with the hall as it is in memory. Called in the event loop; must not block."""


class Watch:
    """Sleeps until the nearest due, return or turn of the day in any hall."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._alarms: dict[str, datetime] = {}
        self._recording: dict[str, asyncio.Task[bool]] = {}
        self._told: dict[str, dict[str, Alarm]] = {}
        self._tellers: list[Teller] = []
        self._task: asyncio.Task[None] | None = None
        self._moved = asyncio.Event()
        self._wakes_at = engine.clock.now()
        self._last_pulse: float | None = None
        self.last_success = LastSuccess(engine.clock)
        self._pause = 0.0
        self._refused: type[Refusal] | None = None
        engine.subscribe(self._hall_moved)

    async def start(self) -> None:
        """Look at every hall, then begin to watch."""
        halls = (await self._engine.every_hall()).values()
        now = self._engine.clock.now()
        for hall in halls:
            self._set(hall, now)
        self._task = self._engine.lives.keep("watch", self._watch)

    async def stop(self) -> None:
        """Stop watching."""
        if self._task:
            tasks = (self._task, *self._recording.values())
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    def subscribe(self, teller: Teller) -> None:
        """Have `teller` told of what is provisional, and of what of it does not stand."""
        self._tellers.append(teller)

    @property
    def is_fresh(self) -> bool:
        """Whether the watch has looked lately."""
        return self._last_pulse is not None and asyncio.get_running_loop().time() - self._last_pulse < FRESH_SECONDS

    async def _watch(self, alive: Callable[[], None]) -> None:
        while True:
            try:
                await self._look()
                alive()
            except Exception:
                # If the watch ended here, nobody would be told of anything any more; its pulse shows that it is ill.
                log.exception("the watch stumbled and looks again")
            await self._sleep()

    async def _look(self) -> None:
        """Have everything recorded that is due. What the journal does not take in time is told from memory."""
        now = self._engine.clock.now()
        due = [office_id for office_id, instant in self._alarms.items() if instant <= now]
        while due and await self._are_recorded(due[:AT_ONCE]):
            del due[:AT_ONCE]
        self._pause = min(max(self._pause * 2, 0.05), PULSE_SECONDS) if due else 0.0
        for office_id in due:
            self._tell(office_id)
        self._mind_clock()
        if not due:
            if self._refused:
                log.warning("the watch is heard again", refusal=self._refused.__name__)
                self._refused = None
            self._last_pulse = asyncio.get_running_loop().time()
            self.last_success.mark()

    async def _are_recorded(self, office_ids: Sequence[str]) -> bool:
        """Whether the journal took in time what is due in these offices. What is late goes on by itself."""
        asked = [self._recording.get(office_id) or self._begin(office_id) for office_id in office_ids]
        _, late = await asyncio.wait(asked, timeout=TELL_SECONDS)
        return not late and all(task.result() for task in asked)

    def _begin(self, office_id: str) -> asyncio.Task[bool]:
        task = self._recording[office_id] = asyncio.create_task(self._record(office_id))
        return task

    async def _record(self, office_id: str) -> bool:
        """Whether what is due in the office is on record now; if not, it is asked again."""
        try:
            await self._engine.do(office_id, Tick(), actor="watch")
            # Whoever was answered looks at the hall before the next command moves it.
            self._set(await self._engine.hall(office_id), self._engine.clock.now())
            self._withdraw(office_id)
        except Refusal as refusal:
            if type(refusal) is not self._refused:
                self._refused = type(refusal)
                log.warning("the watch was refused and looks again", refusal=type(refusal).__name__, office=office_id)
            return False
        finally:
            del self._recording[office_id]
        return True

    # The clock

    def _mind_clock(self) -> None:
        """Have the clock know who is there: no wait is measured by a clock that was set."""
        clock = self._engine.clock
        if not isinstance(clock, SystemClock):
            return
        if clock.look():
            halls, doubt = list(self._engine.all_remembered()), clock.in_doubt_since
            waiting = [hall for hall in halls if _somebody_waits(hall)]
            clock.mind(
                is_new=not any(hall.last_at for hall in halls),
                somebody_waits=bool(waiting),
                since_before=doubt is not None and any(_somebody_waits(hall, doubt) for hall in waiting),
                at_work=bool(waiting)
                or any(hall.day_is_open for hall in halls if not hall.office_id.startswith(HIDDEN)),
            )
        self._engine.keep_time()

    # What is told from memory

    def _tell(self, office_id: str) -> None:
        """Tell once of everything alarming that is not on record."""
        told = self._told.setdefault(office_id, {})
        alarms = _alarms_in(self._engine.unrecorded(office_id))
        breaches = {alarm.ticket: alarm for alarm in alarms if isinstance(alarm, Breached)}
        for alarm in alarms:
            if told.setdefault(name_of(alarm), alarm) is alarm:
                self._say(Provisional(office_id, alarm, breaches.get(alarm.ticket)))

    def _withdraw(self, office_id: str) -> None:
        """The journal has answered: what was told and is not in it has not happened."""
        for alarm in self._told.pop(office_id, {}).values():
            self._say(Provisional(office_id, alarm, stands=False))

    def _say(self, provisional: Provisional) -> None:
        hall = self._engine.remembered(provisional.office_id)
        for teller in self._tellers:
            try:
                teller(provisional, hall)
            except Exception:
                log.exception("somebody could not be told", office=provisional.office_id)

    async def _sleep(self) -> None:
        self._moved.clear()
        now, speed = self._engine.clock.now(), self._engine.clock.speed
        self._wakes_at = min(self._alarms.values(), default=now + timedelta(days=1))
        # Never less than a moment: an alarm that is not met must not turn the watch into a spinning loop.
        seconds = min(max((self._wakes_at - now).total_seconds() / speed, self._pause, 0.005), PULSE_SECONDS)
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._moved.wait()

    def _hall_moved(self, office_id: str, hall: Hall, committed: Sequence[Recorded]) -> None:
        if isinstance(self._engine.clock, SystemClock):
            self._engine.clock.resume()
        if told := self._told.get(office_id):
            for recorded in _alarms_in(line.fact for line in committed):
                told.pop(name_of(recorded), None)
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


def _somebody_waits(hall: Hall, since_before: datetime | None = None) -> bool:
    """Whether anybody's visit is not over, or the visit of anybody who came before an instant."""
    return any(since_before is None or person.issued_at < since_before for person in hall.people())


def _alarms_in(facts: Iterable[Fact]) -> list[Alarm]:
    return [fact for fact in facts if isinstance(fact, Alarm)]


def name_of(alarm: Alarm) -> str:
    """The same however often it is noticed, and whenever it is recorded. No two of an office have the same."""
    match alarm:
        case CounterIdle(counter=counter, since=since):
            return f"CounterIdle/{counter}/{_milliseconds(since)}"
        case Escalated(ticket=ticket, due=due, step=step):
            return f"Escalated/{ticket}/{_milliseconds(due)}/{step}"
        case _:
            return f"{type(alarm).__name__}/{alarm.ticket}/{_milliseconds(alarm.due)}"


def _milliseconds(instant: datetime) -> int:
    return round(instant.timestamp() * 1e3)
