"""The rules of the hall said a second time, as plainly as they can be: lists that are read from end to end.

Nothing here is fast and nothing is shared with the core but the words: its commands, its refusals, its office.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from queue_core import errors
from queue_core.commands import (
    CallChosen,
    CallNext,
    Cancel,
    CloseCounter,
    CloseDay,
    CloseService,
    Command,
    Configure,
    Finish,
    Hold,
    Issue,
    NoShow,
    OpenCounter,
    OpenDay,
    OpenService,
    PauseCounter,
    Recall,
    Resume,
    ReturnToLine,
    Start,
    Tick,
    TicketCommand,
    Transfer,
    Undo,
    VerifyCategory,
    WithdrawCategory,
)
from queue_core.errors import Refusal
from queue_core.facts import HeldBy
from queue_core.office import Channel, Counter, Discipline, Office, Opening

Event = tuple[str, str]
"""The name of a fact and whom or what it is about."""

Reasons = set[type[Refusal]]

POSSIBLE: dict[type[TicketCommand], str] = {
    CallChosen: "waiting",
    Recall: "called",
    Start: "called",
    Finish: "serving",
    NoShow: "called",
    ReturnToLine: "called serving",
    Hold: "waiting called serving",
    Resume: "held",
    Transfer: "waiting called serving",
    Cancel: "waiting called held",
    VerifyCategory: "waiting called serving",
    WithdrawCategory: "waiting called serving",
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
    stops: list[tuple[str, str | None]]
    waits: list[tuple[datetime, datetime | None]]
    state: str = "waiting"
    only: str | None = None
    at: str | None = None
    until: datetime | None = None
    recalls: int = 0
    breached: datetime | None = None
    withdrawn: bool = False
    moves: int = 0

    @property
    def inside(self) -> bool:
        """Whether the visit goes on."""
        return self.state in ("waiting", "called", "serving", "held")

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
        if not self.runs or self.breached:
            return None
        start = self.waits[-1][0]
        return start + self.limit - self.waited(start)

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
    """A counter. `undo` is the visitor as before the last step, how often they had moved after it, and when it was."""

    state: str = "closed"
    operator: str | None = None
    reason: str | None = None
    visitor: str | None = None
    undo: tuple[Person, int, datetime] | None = None


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

    def copy(self) -> "NaiveHall":
        """A hall of its own that stands the same."""
        return replace(
            self,
            people={name: copied(person) for name, person in self.people.items()},
            desks={name: replace(desk) for name, desk in self.desks.items()},
            closed_services=dict(self.closed_services),
            numbers=dict(self.numbers),
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
        dues = [person.due() for person in self.inside("waiting", "held")]
        returns = [person.until for person in self.inside("held")]
        instants = [*dues, *returns, self.closing(), self.next_opening(now, self.day)]
        return min((instant for instant in instants if instant), default=None)

    # What time brings

    def time_passes(self, now: datetime) -> list[Event]:
        """Everything that has come by itself up to now."""
        closing = self.closing()
        closes = closing is not None and closing <= now
        until = max(closing, self.last_at) if closing and closes else now
        events = [*self._returns(until), *self._breaches(until)]
        if closes:
            events += self._close(until)
        if self.next_opening(now, self.day) == now:
            events += self._open(self.wall(now).date(), now, by_hand=False)
        if events:
            self.last_at = now
        return events

    def _returns(self, until: datetime) -> Iterator[Event]:
        held = [(person.until, person.name) for person in self.inside("held") if person.until]
        for since, name in sorted(held):
            if since <= until:
                self._back_in_line(self.people[name], since)
                yield ("Resumed", name)

    def _back_in_line(self, person: Person, since: datetime) -> None:
        person.state, person.until = "waiting", None
        person.moves += 1
        person.wait_from(since)

    def _breaches(self, until: datetime) -> Iterator[Event]:
        for due, name in sorted((due, person.name) for person in self.inside() if (due := person.due())):
            if due <= until:
                self.people[name].breached = due
                yield ("Breached", name)

    def _close(self, since: datetime) -> list[Event]:
        self.day_open = False
        return [*self._unserved(since), ("DayClosed", str(self.day))]

    def _unserved(self, since: datetime) -> list[Event]:
        those = sorted(self.inside("waiting", "held"), key=lambda person: person.name)
        for person in those:
            person.wait_until(since)
            person.state = "unserved"
            person.moves += 1
        return [("Unserved", person.name) for person in those]

    def _open(self, day: date, now: datetime, *, by_hand: bool) -> list[Event]:
        gone_home = self._unserved(now) if not self.day_open and day != self.day else []
        if day != self.day:
            self.numbers = {}
        self.day, self.day_open, self.by_hand, self.opened_at = day, True, by_hand, now
        return [*gone_home, ("DayOpened", str(day))]

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
        for service in (command.service, *command.further):
            if self.office.service(service) is None:
                yield errors.UnknownService
            if service in self.closed_services:
                yield errors.ServiceIsClosed
            if not self.served(service):
                yield errors.NobodyServes

    def _against_session(self, command: Command, counter: str) -> Iterator[type[Refusal]]:
        desk = self.desk(counter)
        if self.office.counter(counter) is None:
            yield errors.UnknownCounter
        if isinstance(command, OpenCounter):
            if desk.operator not in (None, command.operator):
                yield errors.CounterTaken
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
        if person is None or not person.inside:
            # A visit that is over is forgotten some time after the next day has begun.
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
                return self._seated(command)
            case Issue():
                return [self._issued(command, now)]
            case CallNext(counter=counter):
                first = self.first(self._counter(counter), now)
                return [self._called(first, counter, now)] if first else []
            case CallChosen(ticket=name, counter=counter):
                return [self._called(self.people[name], counter, now)]
            case Undo(counter=counter):
                return [self._undone(counter, now)]
            case TicketCommand(ticket=name):
                return [self._stepped(command, self.people[name], now)]
            case _:
                assert isinstance(command, Tick)
                return []

    def _counter(self, counter: str) -> Counter:
        found = self.office.counter(counter)
        assert found is not None
        return found

    def _seated(self, command: OpenCounter | PauseCounter | CloseCounter) -> list[Event]:
        before = self.desk(command.counter)
        match command:
            case OpenCounter(operator=operator):
                event, after = "CounterOpened", replace(before, state="open", operator=operator, reason=None)
            case PauseCounter(reason=reason):
                event, after = "CounterPaused", replace(before, state="paused", reason=reason)
            case CloseCounter():
                event, after = "CounterClosed", replace(before, state="closed", operator=None, reason=None)
        self.desks[command.counter] = after
        return [] if after == before else [(event, "")]

    def _issued(self, command: Issue, now: datetime) -> Event:
        service = self.office.service(command.service)
        assert service is not None
        assert self.day is not None
        serial = 1 + self.numbers.get(service.letter, 0)
        self.numbers[service.letter] = serial
        booked = command.channel is Channel.BOOKED
        clock_start = max(now, command.slot) if command.slot else now
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
            stops=[(further, None) for further in command.further],
            waits=[(clock_start, None)],
        )
        return ("Issued", name)

    def _called(self, person: Person, counter: str, now: datetime) -> Event:
        before = copied(person)
        person.wait_until(now)
        person.state, person.at, person.recalls = "called", counter, 0
        self._take_seat(counter, person, before, now)
        return ("Called", person.name)

    def _take_seat(self, counter: str, person: Person, before: Person, now: datetime) -> None:
        """The last step made at a counter, and its visitor after it."""
        person.moves += 1
        desk = self.desk(counter)
        desk.visitor = person.name if person.at == counter else None
        desk.undo = (before, person.moves, now)

    def _stepped(self, command: TicketCommand, person: Person, now: datetime) -> Event:
        match command:
            case Recall():
                person.recalls += 1
                return ("Recalled", person.name)
            case VerifyCategory():
                return ("CategoryVerified", person.name)
            case WithdrawCategory():
                person.withdrawn = True
                return ("CategoryWithdrawn", person.name)
            case Resume():
                self._back_in_line(person, now)
                return ("Resumed", person.name)
            case Cancel():
                self._left(person, now)
                return ("Left", person.name)
            case _:
                return (self._moved(command, person, now), person.name)

    def _left(self, person: Person, now: datetime) -> None:
        if person.at:
            self.desk(person.at).visitor = None
            self.desk(person.at).undo = None
        person.wait_until(now)
        person.state, person.at = "left", None
        person.moves += 1

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
            case NoShow():
                person.state = "missed"
                return "Missed"
            case ReturnToLine():
                person.state = "waiting"
                person.wait_from(now)
                return "Returned"
            case Hold(by=by, until=until):
                person.state, person.until = "held", until
                (person.wait_from if by is HeldBy.OFFICE else person.wait_until)(now)
                return "Held"
            case Transfer(service=service, counter=to, come_back=back):
                if back and person.at:
                    person.stops.insert(0, (person.service, person.at))
                person.service, person.only, person.state = service or person.service, to, "waiting"
                person.wait_from(now)
                return "Transferred"
            case _:
                raise AssertionError(command)

    def _undone(self, counter: str, now: datetime) -> Event:
        desk = self.desk(counter)
        assert desk.undo is not None
        before = copied(desk.undo[0])
        person = self.people[before.name]
        if not before.runs:
            # The wait since the step was real.
            person.wait_until(now)
            before.waits = person.waits
        before.breached, before.withdrawn, before.moves = person.breached, person.withdrawn, person.moves + 1
        self.people[before.name] = before
        desk.visitor = before.name if before.at == counter else None
        desk.undo = None
        return ("Undone", before.name)


def copied(person: Person) -> Person:
    """The same person, standing as now whatever happens to the other."""
    return replace(person, stops=list(person.stops), waits=list(person.waits))
