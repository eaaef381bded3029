"""The rules of the hall said a second time, as plainly as they can be: lists that are read from end to end.

Nothing here is fast and nothing is shared with the core but the words: its commands, its refusals, its office.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from queue_core import errors
from queue_core.commands import (
    Acknowledge,
    Announce,
    AskForTime,
    CallChosen,
    CallNext,
    Cancel,
    CloseCounter,
    CloseDay,
    CloseService,
    ComeBack,
    Command,
    Configure,
    Finish,
    Hold,
    Issue,
    IssueOffline,
    LeaseNumbers,
    NoShow,
    OpenCounter,
    OpenDay,
    OpenService,
    PauseCounter,
    Rate,
    Readmit,
    Recall,
    Resume,
    ReturnToLine,
    Start,
    Tick,
    TicketCommand,
    Transfer,
    Undo,
    VerifyCategory,
    VerifyClaim,
    WithdrawCategory,
)
from queue_core.errors import Refusal
from queue_core.facts import HeldBy, Told
from queue_core.office import Channel, Counter, Discipline, Limits, Office, Opening

Event = tuple[str, str]
"""The name of a fact and whom or what it is about, with what else it says."""

Came = tuple[datetime, int, str, Event]
"""When it came true; what goes first at one instant: returns, waits, counters; and whom it is about."""

Reasons = set[type[Refusal]]

POSSIBLE: dict[type[TicketCommand], str] = {
    CallChosen: "waiting",
    Recall: "called",
    Start: "called",
    Finish: "serving",
    NoShow: "called late",
    Readmit: "late",
    ReturnToLine: "called serving",
    Hold: "waiting called serving",
    Resume: "held",
    ComeBack: "held",
    Transfer: "waiting called serving",
    Cancel: "waiting called held late",
    VerifyCategory: "waiting called serving",
    WithdrawCategory: "waiting called serving",
    VerifyClaim: "waiting called serving",
    Acknowledge: "waiting called serving held late",
    Announce: "called serving",
    AskForTime: "waiting called",
    Rate: "served missed left unserved",
}
"""What may be wished of whom."""

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

WEEK = 8
"""Days to look ahead for opening hours: the present one and seven more."""


@dataclass
class Person:
    """Somebody with a ticket. `waits` are the stretches of waiting; the last is open while its end is None."""

    name: str
    letter: str
    serial: int
    issued_at: datetime
    service: str
    booked: bool
    category: str | None
    clock_start: datetime
    limit: timedelta
    warning: timedelta
    stops: list[tuple[str, str | None]]
    waits: list[tuple[datetime, datetime | None]]
    state: str = "waiting"
    only: str | None = None
    at: str | None = None
    until: datetime | None = None
    recalls: int = 0
    warned: datetime | None = None
    breached: datetime | None = None
    told: int = 0
    relieved: datetime | None = None
    answered: tuple[str, str] | None = None
    withdrawn: bool = False
    claim: datetime | None = None
    misses: int = 0
    called_at: datetime = LONG_AGO
    missed_at: datetime = LONG_AGO
    announced: frozenset[Told] = frozenset()
    asked: int = 0
    words: int = 0
    moves: int = 0

    @property
    def inside(self) -> bool:
        """Whether the visit goes on."""
        return self.state in ("waiting", "called", "serving", "held", "late")

    @property
    def out_of_turn(self) -> bool:
        """Whether the right to go first still counts."""
        return self.category is not None and not self.withdrawn

    @property
    def runs(self) -> bool:
        """Whether the clock runs."""
        return bool(self.waits) and self.waits[-1][1] is None

    def waited(self, now: datetime) -> timedelta:
        """The sum of the stretches."""
        return sum((max(timedelta(), (end or now) - start) for start, end in self.waits), timedelta())

    def due(self) -> datetime | None:
        """When the sum reaches the limit if nothing is done; None while nothing is being waited for."""
        return None if self.breached else self.reaches(self.limit)

    def reaches(self, wait: timedelta) -> datetime | None:
        """When the sum is that long if nothing is done; None while nothing is being waited for."""
        if not self.runs:
            return None
        start = self.waits[-1][0]
        return start + wait - self.waited(start)

    def attention(self, office: Office) -> datetime | None:
        """When somebody must be told of this wait next."""
        if self.breached is None:
            return self.reaches(self.limit if self.warned else self.warning)
        if self.relieved or self.told >= len(office.escalation):
            return None
        return self.reaches(self.limit + timedelta(seconds=office.escalation[self.told].after_seconds))

    @property
    def near(self) -> bool:
        """Whether somebody who waits to be called was warned of."""
        return self.state == "waiting" and self.warned is not None

    def wait_from(self, at: datetime) -> None:
        """Wait again, but not before the clock has started at all."""
        if not self.runs:
            self.waits.append((max(at, self.clock_start), None))

    def wait_until(self, at: datetime) -> None:
        """Wait no longer. A stretch that was still to come is dropped."""
        if self.runs:
            start, _ = self.waits.pop()
            if start < at:
                self.waits.append((start, at))


@dataclass
class Desk:
    """A counter. `undo` is the visitor as before the last step, how often they had moved after it, and when it was.

    `idle_since` is None when it is not idle and once that was told.
    """

    state: str = "closed"
    operator: str | None = None
    reason: str | None = None
    visitor: str | None = None
    idle_since: datetime | None = None
    undo: tuple[Person, int, datetime] | None = None


@dataclass
class Paper:
    """Numbers that a kiosk has; `left` are those not issued yet. It is `out` until it is given back."""

    kiosk: str
    mark: str
    day: date
    at: datetime
    numbers: list[tuple[str, int]]
    left: list[tuple[str, int]]
    out: bool = True


@dataclass
class NaiveHall:
    """A hall that answers every wish with the events it brings or the reasons against it."""

    office: Office
    people: dict[str, Person] = field(default_factory=dict)
    desks: dict[str, Desk] = field(default_factory=dict)
    closed_services: dict[str, str] = field(default_factory=dict)
    day: date | None = None
    day_open: bool = False
    by_hand: bool = False
    opened_at: datetime = LONG_AGO
    last_at: datetime = LONG_AGO
    numbers: dict[str, int] = field(default_factory=dict)
    issues: list[tuple[datetime, str]] = field(default_factory=list)
    forgotten: set[str] = field(default_factory=set)
    closed_at: datetime | None = None
    papers: dict[str, Paper] = field(default_factory=dict)

    def copy(self) -> "NaiveHall":
        """A hall of its own that stands the same."""
        return replace(
            self,
            people={name: copied(person) for name, person in self.people.items()},
            desks={name: replace(desk) for name, desk in self.desks.items()},
            closed_services=dict(self.closed_services),
            numbers=dict(self.numbers),
            issues=list(self.issues),
            forgotten=set(self.forgotten),
            papers={name: replace(paper, left=list(paper.left)) for name, paper in self.papers.items()},
        )

    # Questions

    def desk(self, counter: str) -> Desk:
        """A counter, closed when nobody ever sat down at it."""
        return self.desks.setdefault(counter, Desk())

    def inside(self, *states: str) -> list[Person]:
        """Those in the hall, or those of them in some states."""
        return [person for person in self.people.values() if person.inside and (not states or person.state in states)]

    def served(self, service: str, counter: str | None = None) -> bool:
        """Whether any counter, or that one, serves it."""
        return any(service in each.services for each in self.office.counters if counter in (None, each.id))

    def line(self, counter: Counter) -> list[Person]:
        """Those whom a counter may call."""
        return [
            person
            for person in self.inside("waiting")
            if person.only == counter.id or (person.only is None and person.service in counter.services)
        ]

    def first(self, counter: Counter, now: datetime) -> Person | None:
        """Who is next."""
        return min(self.line(counter), key=lambda person: self.turn(person, now), default=None)

    def turn(self, person: Person, now: datetime) -> tuple[object, ...]:
        """What is compared: smaller goes first."""
        seconds = person.waited(now).total_seconds()
        start = person.waits[-1][0]
        began = start - person.waited(start)
        match self.office.discipline:
            case Discipline.ACCUMULATING_PRIORITY:
                sum_of_waiting = seconds * (self.office.booked_weight if person.booked else 1)
            case Discipline.ARRIVAL:
                sum_of_waiting, began = (now - person.clock_start).total_seconds(), person.clock_start
            case Discipline.EARLIEST_DUE:
                due = began + person.limit
                sum_of_waiting, began = (now - due).total_seconds(), person.clock_start if person.out_of_turn else due
        order = (began, person.issued_at, person.serial, person.letter)
        return (False, 0.0, *order) if person.out_of_turn else (True, -sum_of_waiting, *order)

    # The day

    def hours(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        """The opening hours of a day as instants."""
        for opening in self.office.hours:
            if opening.weekday == day.weekday():
                until = day + timedelta(days=1) if opening.closes == time() else day
                yield self.instant(day, opening.opens), self.instant(until, opening.closes)

    def instant(self, day: date, at: time) -> datetime:
        """When the clock on the wall shows it."""
        return datetime.combine(day, at, ZoneInfo(self.office.zone)).astimezone(UTC)

    def wall(self, now: datetime) -> datetime:
        """What the clock on the wall shows."""
        return now.astimezone(ZoneInfo(self.office.zone))

    def within_hours(self, now: datetime) -> bool:
        """Whether the wall shows opening hours."""
        wall = self.wall(now)

        def covers(opening: Opening) -> bool:
            before_the_end = opening.closes == time() or wall.time() < opening.closes
            return opening.weekday == wall.weekday() and opening.opens <= wall.time() and before_the_end

        return any(covers(opening) for opening in self.office.hours)

    def receives(self, now: datetime) -> bool:
        """Whether tickets are issued."""
        return self.day_open and (self.by_hand or self.within_hours(now))

    def next_opening(self, now: datetime, after: date | None) -> datetime | None:
        """When the hours open a day later than `after`."""
        today = self.wall(now).date()
        days = [today + timedelta(days=ahead) for ahead in range(WEEK)]
        stretches = [stretch for day in days if after is None or day > after for stretch in sorted(self.hours(day))]
        return next((max(opens, now) for opens, closes in stretches if closes > now), None)

    def closing(self) -> datetime | None:
        """When the open day ends by itself; None when it is not open or goes straight on into the next."""
        if not self.day_open or self.day is None:
            return None
        ends = [closes for _, closes in self.hours(self.day)]
        last = max(ends) if ends else self.instant(self.day + timedelta(days=1), time())
        closing = max(last, self.opened_at) + timedelta(minutes=self.office.closes_after_minutes)
        following = self.next_opening(last, self.day)
        return None if following and following <= closing else closing

    def alarm(self, now: datetime) -> datetime | None:
        """When time alone will bring something next."""
        waits = [person.attention(self.office) for person in self.inside("waiting", "held")]
        returns = [person.until for person in self.inside("held", "late")]
        idle = [self.idle_at(counter) for counter in self.office.counters if any(p.near for p in self.line(counter))]
        instants = [*waits, *returns, *idle, self.closing(), self.next_opening(now, self.day)]
        return min((instant for instant in instants if instant), default=None)

    # What time brings

    def time_passes(self, now: datetime) -> list[Event]:
        """Everything that has come by itself up to now."""
        closing = self.closing()
        closes = closing is not None and closing <= now
        until = max(closing, self.last_at) if closing and closes else now
        events = self._come_true(until, now)
        if closes:
            events += self._close(until)
        if self.next_opening(now, self.day) == now:
            events += self._open(self.wall(now).date(), now, by_hand=False)
        if events:
            self.last_at = now
        return events

    def _come_true(self, until: datetime, now: datetime) -> list[Event]:
        """Returns, warnings, breaches, escalations and idle counters, by when they came true."""
        scenes = {person.name: self.scene(person, now) for person in self.inside()}
        nearing = {person.name: LONG_AGO for person in self.inside() if person.near}
        came: list[Came] = []
        for person in self.inside("held"):
            if person.until and person.until <= until:
                came.append((person.until, 0, person.name, ("Resumed", person.name)))
                nearing[person.name] = person.until
                self._back_in_line(person, person.until)
        for person in self.inside("late"):
            if person.until and person.until <= until:
                came.append((person.until, 0, person.name, ("Missed", person.name)))
                person.state = "missed"
                person.moves += 1
        for person in self.inside("waiting", "held"):
            came += self._attention(person, until, scenes[person.name])
            if person.warned and nearing.get(person.name) != LONG_AGO:
                nearing[person.name] = max(person.warned, nearing.get(person.name, person.warned))
        for counter in self.office.counters:
            came += self._idle(counter, until, nearing)
        return [event for *_, event in sorted(came, key=lambda each: each[:3])]

    def scene(self, person: Person, now: datetime) -> str:
        """What is seen in the hall when it comes to this person, as eight numbers."""
        open_desks = {name for name, desk in self.desks.items() if desk.state == "open"}
        able = {counter.id for counter in self.office.counters if self._could(counter, person)} & open_desks
        waiting = [each.service for each in self.inside("waiting")]
        issued = [service for at, service in self.issues if at > now - timedelta(minutes=15)]
        numbers = (
            len(open_desks),
            sum(desk.state == "paused" for desk in self.desks.values()),
            len(able),
            sum(self.desk(name).visitor is None for name in able),
            waiting.count(person.service),
            len(waiting),
            issued.count(person.service),
            len(issued),
        )
        return " ".join(map(str, numbers))

    def _could(self, counter: Counter, person: Person) -> bool:
        return person.only == counter.id if person.only else person.service in counter.services

    def _attention(self, person: Person, until: datetime, scene: str) -> Iterator[Came]:
        while (instant := person.attention(self.office)) and instant <= until:
            if person.breached is None and person.warned is None:
                person.warned = instant
                yield instant, 1, person.name, ("Warned", f"{person.name} {scene}")
                continue
            if person.breached is None:
                person.breached = instant
                yield instant, 1, person.name, ("Breached", f"{person.name} {scene}")
            role = self.office.escalation[person.told].role
            yield instant, 1, person.name, ("Escalated", f"{person.name} {person.told} {role}")
            person.told += 1

    def idle_at(self, counter: Counter) -> datetime | None:
        """When a counter has been idle for too long; None when it is not idle, or was told of."""
        desk = self.desk(counter.id)
        if desk.idle_since is None:
            return None
        paused = desk.state == "paused"
        return desk.idle_since + timedelta(
            seconds=self.office.long_pause_seconds if paused else self.office.idle_seconds
        )

    def _idle(self, counter: Counter, until: datetime, nearing: dict[str, datetime]) -> Iterator[Came]:
        near = [person for person in self.line(counter) if person.near]
        idle_at, desk = self.idle_at(counter), self.desk(counter.id)
        if idle_at is None or idle_at > until or not near:
            return
        instant = max(idle_at, min(nearing[person.name] for person in near))
        near = [person for person in near if nearing[person.name] <= instant]
        first = min(near, key=lambda person: (person.reaches(person.limit), person.name))
        yield instant, 2, counter.id, ("CounterIdle", f"{counter.id} {first.name} {desk.idle_since} {desk.state}")
        desk.idle_since = None

    def _back_in_line(self, person: Person, since: datetime) -> None:
        person.state, person.until = "waiting", None
        person.moves += 1
        person.wait_from(since)

    def _close(self, since: datetime) -> list[Event]:
        self.day_open, self.closed_at = False, since
        return [*self._unserved(since), ("DayClosed", str(self.day))]

    def _unserved(self, since: datetime) -> list[Event]:
        those = sorted(self.inside("waiting", "held", "late"), key=lambda person: person.name)
        events: list[Event] = []
        for person in those:
            person.moves += 1
            if person.state == "late":
                person.state = "missed"
                events.append(("Missed", person.name))
                continue
            person.wait_until(since)
            person.state = "unserved"
            events += [("Unserved", person.name), *self._relief(person, "unserved")]
        return events

    def _relief(self, person: Person, how: str) -> list[Event]:
        """The end of a breach, if there is one to end."""
        if not person.told or person.relieved:
            return []
        person.relieved = self.last_at
        return [("Relieved", f"{person.name} {how}")]

    def _open(self, day: date, now: datetime, *, by_hand: bool) -> list[Event]:
        gone_home = self._unserved(now) if not self.day_open and day != self.day else []
        voided = []
        if day != self.day:
            self.numbers = {}
            for name, paper in [*self.papers.items()]:
                if paper.day + timedelta(days=7) < day:
                    voided += [("NumbersVoided", f"{name} {listed(paper.left)}")] if paper.out else []
                    del self.papers[name]
            returning = {desk.undo[0].name for desk in self.desks.values() if desk.undo}
            self.forgotten |= {person.name for person in self.people.values() if not person.inside} - returning
        self.day, self.day_open, self.by_hand, self.opened_at = day, True, by_hand, now
        self.closed_at = None
        return [*gone_home, *voided, ("DayOpened", str(day))]

    # What somebody wishes

    def wish(self, command: Command, now: datetime) -> list[Event] | Reasons:
        """The events that a command brings, or everything that speaks against it."""
        reasons = set(self.against(command, now))
        if reasons:
            return reasons
        events = self._done(command, now)
        if events:
            self.last_at = now
        return events

    def against(self, command: Command, now: datetime) -> Iterator[type[Refusal]]:
        """Every reason to refuse."""
        match command:
            case CloseDay() if not self.day_open:
                yield errors.DayNotOpen
            case CloseService(service=service) | OpenService(service=service) if not self.office.service(service):
                yield errors.UnknownService
            case Configure(office=office):
                yield from self._stranded(office)
            case Issue():
                yield from self._against_issue(command, now)
            case IssueOffline():
                yield from self._against_paper(command, now)
            case LeaseNumbers(kiosk=kiosk):
                if self.office.offline_numbers == 0:
                    yield errors.NothingToLease
                if self._mark(kiosk, self._day_of_papers(now)) is None:
                    yield errors.NoMoreMarks
            case OpenCounter(counter=counter) | PauseCounter(counter=counter) | CloseCounter(counter=counter):
                yield from self._against_session(command, counter)
            case CallNext(counter=counter):
                yield from self._against_call(counter)
            case Undo(counter=counter):
                yield from self._against_undo(counter, now)
            case TicketCommand(ticket=name):
                yield from self._against_step(command, name, now)
            case _:
                pass

    def _against_issue(self, command: Issue, now: datetime) -> Iterator[type[Refusal]]:
        if command.category and self.office.category(command.category) is None:
            yield errors.UnknownCategory
        if (command.channel is Channel.BOOKED) is (command.slot is None):
            yield errors.BookingMismatch
        if not self.receives(now):
            yield errors.OfficeClosed
        if command.slot and self.day and not self._is_of(command.slot, self.day):
            yield errors.NotToday
        for service in (command.service, *command.further):
            if self.office.service(service) is None:
                yield errors.UnknownService
            if service in self.closed_services:
                yield errors.ServiceIsClosed
            if not self.served(service):
                yield errors.NobodyServes

    def _is_of(self, slot: datetime, day: date) -> bool:
        """Whether visitors are received at a booked time, and on that day."""
        if self.by_hand and day == self.day:
            return self.wall(slot).date() == day
        return any(opens <= slot < closes for opens, closes in self.hours(day))

    def _against_paper(self, command: IssueOffline, now: datetime) -> Iterator[type[Refusal]]:
        if command.category and self.office.category(command.category) is None:
            yield errors.UnknownCategory
        if (command.channel is Channel.BOOKED) is (command.slot is None):
            yield errors.BookingMismatch
        for service in (command.service, *command.further):
            if self.office.service(service) is None:
                yield errors.UnknownService
            if not self.served(service):
                yield errors.NobodyServes
        paper = self.papers.get(command.lease)
        if paper is None or not paper.out or paper.kiosk != command.kiosk:
            yield errors.UnknownLease
            return
        day = self._day_of_paper(paper, self._taken(paper, command, now))
        if (command.letter, command.serial) not in paper.left or self._name_of(command, day) in self.people:
            yield errors.NumberTaken
        if not self.day_open and (self.day is None or self.day < day) and day >= self.wall(now).date():
            yield errors.DayNotOpen

    def _taken(self, paper: Paper, command: IssueOffline, now: datetime) -> datetime:
        return min(now, max(paper.at, command.issued_at))

    def _day_of_paper(self, paper: Paper, taken: datetime) -> date:
        if self.day_open and self.day and self.opened_at <= taken:
            return self.day
        return max(self.wall(taken).date(), paper.day)

    def _name_of(self, command: IssueOffline, day: date) -> str:
        return f"{day.isoformat().replace('-', '')}-{command.letter}{command.serial:03}"

    def _day_of_papers(self, now: datetime) -> date:
        today = self.wall(now).date()
        return self.day if self.day and (self.day_open or self.day > today) else today

    def _mark(self, kiosk: str, day: date) -> str | None:
        marks = {paper.kiosk: paper.mark for paper in self.papers.values() if paper.day == day}
        free = [mark for mark in "KMHTXPCBEOA" if mark not in marks.values()]
        return marks.get(kiosk, free[0] if free else None)

    def _against_session(self, command: Command, counter: str) -> Iterator[type[Refusal]]:
        desk = self.desk(counter)
        if self.office.counter(counter) is None:
            yield errors.UnknownCounter
        if isinstance(command, OpenCounter):
            if desk.operator not in (None, command.operator):
                yield errors.CounterTaken
            if desk.operator is None:
                for other in self.desks.values():
                    if other.operator == command.operator and not command.take_over:
                        yield errors.OperatorBusy
                    elif other.operator == command.operator and other.visitor:
                        yield errors.CounterBusy
            return
        if desk.visitor:
            yield errors.CounterBusy
        if desk.state == "closed" and isinstance(command, PauseCounter):
            yield errors.CounterIsClosed

    def _against_call(self, counter: str) -> Iterator[type[Refusal]]:
        desk = self.desk(counter)
        if self.office.counter(counter) is None:
            yield errors.UnknownCounter
        if desk.state == "closed":
            yield errors.CounterIsClosed
        if desk.state == "paused":
            yield errors.CounterIsPaused
        if desk.visitor:
            yield errors.CounterBusy

    def _against_undo(self, counter: str, now: datetime) -> Iterator[type[Refusal]]:
        if self.office.counter(counter) is None:
            yield errors.UnknownCounter
        undo = self.desk(counter).undo
        if undo is None or now - undo[2] > timedelta(seconds=self.office.undo_seconds):
            yield errors.NothingToUndo
            return
        before, moves, _ = undo
        person = self.people[before.name]
        if person.moves != moves or not self._has_place(before):
            yield errors.NothingToUndo
        elif before.at and not person.at:
            yield from self._against_call(counter)

    def _has_place(self, person: Person) -> bool:
        right = person.category is None or self.office.category(person.category) is not None
        return self.served(person.service, person.only) and right

    def _against_step(self, command: TicketCommand, name: str, now: datetime) -> Iterator[type[Refusal]]:
        person = self.people.get(name)
        if person is None or (name in self.forgotten if isinstance(command, Rate) else not person.inside):
            # A visit that is over is forgotten when the next day begins, or soon after.
            yield errors.UnknownTicket
        if person is None:
            return
        if person.state not in POSSIBLE[type(command)].split():
            yield errors.StepForbidden
        match command:
            case CallChosen(counter=name_of_counter):
                counter = self.office.counter(name_of_counter)
                yield from self._against_call(name_of_counter)
                if counter and person not in self.line(counter):
                    yield errors.NotInLine
            case Recall() if person.recalls >= self.office.recall_limit:
                yield errors.RecallLimitReached
            case Hold(until=until) if until and until <= now:
                yield errors.HoldInThePast
            case Transfer(service=service, counter=to):
                if service and self.office.service(service) is None:
                    yield errors.UnknownService
                if to and self.office.counter(to) is None:
                    yield errors.UnknownCounter
                if not self.served(service or person.service, to):
                    yield errors.NobodyServes
            case VerifyCategory() | WithdrawCategory() if not person.out_of_turn:
                yield errors.NoCategory
            case VerifyClaim() if not person.claim or person.booked:
                yield errors.NoClaim
            case NoShow() if person.state == "called" and self.office.late_seconds:
                if now < person.called_at + timedelta(seconds=self.office.no_show_seconds):
                    yield errors.CallTooFresh
            case Acknowledge() if not person.breached:
                yield errors.NoBreach
            case ComeBack() if person.state == "held" and person.runs:
                yield errors.StepForbidden
            case AskForTime() if person.asked >= self.office.more_time_limit:
                yield errors.NoMoreTime
            case Rate() if person.words >= 5:
                yield errors.RatedOften
            case _:
                pass

    def _stranded(self, office: Office) -> Iterator[type[Refusal]]:
        after = NaiveHall(office)
        for person in self.inside():
            for service, counter in [(person.service, person.only), *person.stops]:
                if office.service(service) is None or not after.served(service, counter):
                    yield errors.ServiceInUse
                if counter and office.counter(counter) is None:
                    yield errors.CounterInUse
            if person.category and office.category(person.category) is None:
                yield errors.CategoryInUse
        if any(desk.state != "closed" and office.counter(name) is None for name, desk in self.desks.items()):
            yield errors.CounterInUse

    # What follows

    def _done(self, command: Command, now: datetime) -> list[Event]:
        match command:
            case Configure(office=office):
                news = office != self.office
                self.office = office
                return [("Configured", "")] if news else []
            case OpenDay():
                today = self.wall(now).date()
                day = max(today, self.day) if self.day else today
                return [] if self.day_open else self._open(day, now, by_hand=True)
            case CloseDay():
                return self._close(now)
            case CloseService(service=service, reason=reason):
                news = self.closed_services.get(service) != reason
                self.closed_services[service] = reason
                return [("ServiceClosed", "")] if news else []
            case OpenService(service=service):
                return [("ServiceOpened", "")] if self.closed_services.pop(service, None) else []
            case OpenCounter() | PauseCounter() | CloseCounter():
                return self._seated(command, now)
            case Issue():
                return [self._issued(command, now)]
            case IssueOffline():
                return self._issued_offline(command, now)
            case LeaseNumbers():
                return self._leased(command, now)
            case CallNext(counter=counter):
                first = self.first(self._counter(counter), now)
                return self._called(first, counter, now) if first else []
            case CallChosen(ticket=name, counter=counter):
                return self._called(self.people[name], counter, now)
            case Undo(counter=counter):
                return self._undone(counter, now)
            case Cancel(ticket=name):
                return self._left(self.people[name], now)
            case Announce(ticket=name, how=how):
                return self._announced(self.people[name], how)
            case WithdrawCategory(ticket=name, keep=None) if self.people[name].at:
                self.people[name].withdrawn = True
                moved = self._moved(ReturnToLine(name), self.people[name], now)
                return [("CategoryWithdrawn", name), (moved, name)]
            case TicketCommand(ticket=name):
                return [self._stepped(command, self.people[name], now)]
            case _:
                assert isinstance(command, Tick)
                return []

    def _counter(self, counter: str) -> Counter:
        found = self.office.counter(counter)
        assert found is not None
        return found

    def _seated(self, command: OpenCounter | PauseCounter | CloseCounter, now: datetime) -> list[Event]:
        before = self.desk(command.counter)
        match command:
            case OpenCounter(operator=operator):
                event, after = "CounterOpened", replace(before, state="open", operator=operator, reason=None)
            case PauseCounter(reason=reason):
                event, after = "CounterPaused", replace(before, state="paused", reason=reason)
            case CloseCounter():
                event, after = "CounterClosed", replace(before, state="closed", operator=None, reason=None)
        if after.state != before.state:
            after.idle_since = None if after.state == "closed" else now
        elsewhere: list[Event] = []
        for name, other in self.desks.items():
            if isinstance(command, OpenCounter) and name != command.counter and other.operator == command.operator:
                self.desks[name] = replace(other, state="closed", operator=None, reason=None, idle_since=None)
                elsewhere.append(("CounterClosed", ""))
        self.desks[command.counter] = after
        return elsewhere if after == before else [*elsewhere, (event, "")]

    def _issued(self, command: Issue, now: datetime) -> Event:
        service = self.office.service(command.service)
        assert service is not None
        assert self.day is not None
        serial = 1 + self.numbers.get(service.letter, 0)
        self.numbers[service.letter] = serial
        booked = command.channel is Channel.BOOKED and not command.claim
        clock_start = max(now, command.slot) if command.slot and booked else now
        name = f"{self.day.isoformat().replace('-', '')}-{service.letter}{serial:03}"
        self.people[name] = Person(
            name=name,
            letter=service.letter,
            serial=serial,
            issued_at=now,
            service=service.id,
            booked=booked,
            category=command.category,
            clock_start=clock_start,
            limit=timedelta(seconds=service.limits.booked if booked else service.limits.walk_in),
            warning=self._warning(service.limits, booked=booked),
            stops=[(further, None) for further in command.further],
            waits=[(clock_start, None)],
            claim=command.slot if command.claim else None,
        )
        self.issues.append((now, service.id))
        return ("Issued", name)

    def _issued_offline(self, command: IssueOffline, now: datetime) -> list[Event]:
        paper = self.papers[command.lease]
        service = self.office.service(command.service)
        assert service is not None
        paper.left.remove((command.letter, command.serial))
        taken = self._taken(paper, command, now)
        day = self._day_of_paper(paper, taken)
        slot = command.slot if command.slot and self._is_of(command.slot, day) else None
        booked = slot is not None and not command.claim
        clock_start = max(taken, slot) if slot and booked else taken
        person = Person(
            name=self._name_of(command, day),
            letter=command.letter,
            serial=command.serial,
            issued_at=taken,
            service=service.id,
            booked=booked,
            category=command.category,
            clock_start=clock_start,
            limit=timedelta(seconds=service.limits.booked if booked else service.limits.walk_in),
            warning=self._warning(service.limits, booked=booked),
            stops=[(further, None) for further in command.further],
            waits=[(clock_start, None)],
            claim=slot if command.claim else None,
        )
        scene = self.scene(person, now)
        today = self.day_open and day == self.day
        self.people[person.name] = person
        self.issues.append((now, service.id))
        if day == self.day:
            self.numbers[command.letter] = max(command.serial, self.numbers.get(command.letter, 0))
        if today:
            return [("Issued", person.name)]
        since = min(now, max(taken, self._closing_of(day, taken)))
        came = [event for *_, event in self._attention(person, since, scene)]
        person.wait_until(since)
        person.state = "unserved"
        person.moves += 1
        return [("Issued", person.name), *came, ("Unserved", person.name), *self._relief(person, "unserved")]

    def _closing_of(self, day: date, taken: datetime) -> datetime:
        """When a day that is over closed."""
        if day == self.day and self.closed_at:
            return self.closed_at
        then = replace(self, day=day, day_open=True, opened_at=taken)
        return then.closing() or self.next_opening(taken, day) or taken

    def _leased(self, command: LeaseNumbers, now: datetime) -> list[Event]:
        day, events = self._day_of_papers(now), []
        mark = self._mark(command.kiosk, day)
        assert mark is not None
        done = self.papers.get(command.done or "")
        if done and done.out and done.kiosk == command.kiosk:
            done.out = False
            events = [("NumbersVoided", f"{command.done} {listed(done.left)}")]
        name = f"{day.isoformat().replace('-', '')}-{mark}-"
        name += str(1 + sum(each.startswith(name) for each in self.papers))
        numbers: list[tuple[str, int]] = []
        for letter in sorted({service.letter for service in self.office.services}):
            series = letter + mark
            taken = [0, self.numbers.get(series, 0) if day == self.day else 0]
            for paper in self.papers.values():
                if paper.out or paper.day == day:
                    taken += [serial for other, serial in paper.numbers if other == series]
            numbers += [(series, max(taken) + each) for each in range(1, 1 + self.office.offline_numbers)]
        self.papers[name] = Paper(command.kiosk, mark, day, now, numbers, list(numbers))
        return [*events, ("NumbersLeased", f"{name} {command.kiosk} {mark} {day} {listed(numbers)}")]

    def _warning(self, limits: Limits, *, booked: bool) -> timedelta:
        given = limits.booked_warning if booked else limits.walk_in_warning
        return timedelta(seconds=given if given is not None else 2 * (limits.booked if booked else limits.walk_in) // 3)

    def _called(self, person: Person, counter: str, now: datetime) -> list[Event]:
        before = copied(person)
        person.wait_until(now)
        person.state, person.at, person.recalls, person.announced = "called", counter, 0, frozenset()
        person.called_at = now
        self._take_seat(counter, person, before, now)
        return [("Called", person.name), *self._relief(person, "called")]

    def _take_seat(self, counter: str, person: Person, before: Person, now: datetime) -> None:
        """The last step made at a counter, and its visitor after it."""
        person.moves += 1
        desk = self.desk(counter)
        desk.visitor = person.name if person.at == counter else None
        desk.idle_since = None if desk.visitor else now
        desk.undo = (before, person.moves, now)

    def _stepped(self, command: TicketCommand, person: Person, now: datetime) -> Event:
        match command:
            case Recall():
                person.recalls += 1
                person.announced = frozenset()
                return ("Recalled", person.name)
            case VerifyCategory():
                return ("CategoryVerified", person.name)
            case WithdrawCategory():
                person.withdrawn = True
                return ("CategoryWithdrawn", person.name)
            case Resume() | ComeBack():
                self._back_in_line(person, now)
                return ("Resumed", person.name)
            case VerifyClaim():
                self._found_booking(person)
                return ("ClaimVerified", person.name)
            case Acknowledge(by=by, cause=cause):
                person.answered = (by, cause)
                return ("Acknowledged", person.name)
            case Rate():
                person.words += 1
                return ("Rated", person.name)
            case _:
                return (self._moved(command, person, now), person.name)

    def _found_booking(self, person: Person) -> None:
        """From now on as if booked, but for the start of the clock and what was due or told already."""
        service = self.office.service(person.service)
        assert service is not None
        assert person.claim is not None
        early = timedelta(seconds=max(0, int((person.claim - person.clock_start).total_seconds())))
        if not person.breached:
            person.limit = min(person.limit, early + timedelta(seconds=service.limits.booked))
            booked_warning = early + self._warning(service.limits, booked=True)
            person.warning = min(person.warning, booked_warning, person.limit)
        person.booked = True

    def _announced(self, person: Person, how: Told) -> list[Event]:
        news = how not in person.announced
        person.announced |= {how}
        return [("Announced", person.name)] if news else []

    def _left(self, person: Person, now: datetime) -> list[Event]:
        if person.at:
            desk = self.desk(person.at)
            desk.visitor, desk.undo, desk.idle_since = None, None, now
        person.wait_until(now)
        person.state, person.at = "left", None
        person.moves += 1
        return [("Left", person.name), *self._relief(person, "left")]

    def _moved(self, command: TicketCommand, person: Person, now: datetime) -> str:
        """A step that an operator can take back if the visitor was at the counter."""
        before, counter = copied(person), person.at
        event = self._step(command, person, now)
        if person.state not in ("called", "serving"):
            person.at = None
        if counter:
            self._take_seat(counter, person, before, now)
        else:
            person.moves += 1
        return event

    def _step(self, command: TicketCommand, person: Person, now: datetime) -> str:
        match command:
            case Start():
                person.state = "serving"
                return "Started"
            case Finish() if person.stops:
                person.service, person.only = person.stops.pop(0)
                person.state = "waiting"
                person.wait_from(now)
                return "MovedOn"
            case Finish():
                person.state = "served"
                return "Served"
            case NoShow() if person.state == "called" and self.office.late_seconds:
                late = person.misses < self.office.late_limit
                person.misses, person.missed_at = person.misses + 1, now
                person.state = "late" if late else "missed"
                person.until = now + timedelta(seconds=self.office.late_seconds)
                return "Absent" if late else "Missed"
            case NoShow():
                person.state = "missed"
                return "Missed"
            case Readmit():
                since = now
                if now <= person.missed_at + timedelta(minutes=2):
                    since = min(now, max(person.called_at, person.clock_start + person.waited(now)))
                self._back_in_line(person, since)
                person.moves -= 1
                return "Readmitted"
            case ReturnToLine():
                person.state = "waiting"
                person.wait_from(now)
                return "Returned"
            case Hold(by=by, until=until):
                person.state, person.until = "held", until
                (person.wait_from if by is HeldBy.OFFICE else person.wait_until)(now)
                return "Held"
            case AskForTime():
                person.asked += 1
                person.state, person.until = "held", now + timedelta(seconds=self.office.more_time_seconds)
                person.wait_until(now)
                return "Held"
            case Transfer(service=service, counter=to, come_back=back):
                if back and person.at:
                    person.stops.insert(0, (person.service, person.at))
                person.service, person.only, person.state = service or person.service, to, "waiting"
                person.wait_from(now)
                return "Transferred"
            case _:
                raise AssertionError(command)

    def _undone(self, counter: str, now: datetime) -> list[Event]:
        desk = self.desk(counter)
        assert desk.undo is not None
        before = copied(desk.undo[0])
        person = self.people[before.name]
        if not before.runs:
            # The wait since the step was real.
            person.wait_until(now)
            before.waits, before.relieved = person.waits, person.relieved
        before.warned, before.breached, before.told = person.warned, person.breached, person.told
        before.answered, before.withdrawn, before.moves = person.answered, person.withdrawn, person.moves + 1
        before.words = person.words
        before.booked, before.limit, before.warning = person.booked, person.limit, person.warning
        self.people[before.name] = before
        desk.visitor = before.name if before.at == counter else None
        desk.idle_since = None if desk.visitor else now
        desk.undo = None
        return [("Undone", before.name), *(self._relief(before, "called") if before.at else [])]


def listed(numbers: list[tuple[str, int]]) -> str:
    """Numbers as one reads them, each by itself."""
    return " ".join(f"{letter}{serial}" for letter, serial in numbers)


def copied(person: Person) -> Person:
    """The same person, standing as now whatever happens to the other."""
    return replace(person, stops=list(person.stops), waits=list(person.waits))
