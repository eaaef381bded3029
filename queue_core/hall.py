"""The hall: a fold over its journal. `evolve` is the only thing that changes one."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import assert_never, cast

from queue_core.errors import UnknownCounter, UnknownLease, UnknownOffice, UnknownService, UnknownTicket
from queue_core.facts import (
    Called,
    Configured,
    CounterClosed,
    CounterIdle,
    CounterOpened,
    CounterPaused,
    DayClosed,
    DayOpened,
    Fact,
    Issued,
    NumbersLeased,
    NumbersVoided,
    OfficeFact,
    Rank,
    Rated,
    Recalled,
    Scene,
    ServiceClosed,
    ServiceOpened,
    TicketFact,
    Undone,
)
from queue_core.leases import Lease
from queue_core.lines import Alarms, Lines, Nearing
from queue_core.office import Counter, Office, Service
from queue_core.tallies import Tallies, tally
from queue_core.tickets import STEPS, State, Ticket, born, moved, taken_back
from queue_core.values import value

TICK = timedelta(microseconds=1)
LATELY = timedelta(minutes=15)
"""What a scene means by the tickets issued lately."""
CALLS_SHOWN = 60
"""How many of the latest calls a hall remembers: more than a board misses while its link is down."""
LEASES_KEPT = timedelta(days=7)
"""How long after its day a lease is remembered: a kiosk that comes back later than that has been away for too long."""
_NEVER = datetime.max.replace(tzinfo=UTC)


class CounterState(StrEnum):
    """What a counter does."""

    OPEN = "open"
    PAUSED = "paused"
    CLOSED = "closed"


@value(kw_only=True)
class Session:
    """An operator's time at a counter. `before_step` is the ticket as it was before the last step made here, at
    `stepped_at`: what Undo would bring back. `idle_since` is when it was last left without a visitor, or paused; None
    while it has one or is closed, and once that idleness has been told."""

    counter: str
    state: CounterState = CounterState.CLOSED
    since: datetime | None = None
    operator: str | None = None
    reason: str | None = None
    ticket: str | None = None
    before_step: Ticket | None = None
    stepped_at: datetime | None = None
    idle_since: datetime | None = None


@value(kw_only=True)
class Call:
    """A call as the hall heard it, at fact `seq`; `again` when it was a recall, `by_choice` when a person chose it."""

    seq: int
    at: datetime
    ticket: str
    number: str
    service: str
    counter: str
    rank: Rank
    clock_start: datetime
    again: bool
    by_choice: bool


@value(kw_only=True)
class Rating:
    """What a visitor said of a visit, the latest word, and how often there was one."""

    stars: int
    felt_minutes: int | None
    words: int


@value(kw_only=True)
class HallState:
    """Everything a hall remembers, as plain values: what a checkpoint keeps and two halls are compared by."""

    seq: int
    last_at: datetime | None
    office: Office | None
    day: date | None
    day_is_open: bool
    day_by_hand: bool
    day_opened_at: datetime | None
    numbers: dict[str, int]
    closed_services: dict[str, str]
    sessions: list[Session]
    tickets: list[Ticket]
    ended: dict[str, State]
    tallies: list[tuple[tuple[str, ...], float]]
    issued_lately: dict[str, list[datetime]] | None = None
    calls: list[Call] | None = None
    ratings: dict[str, Rating] | None = None
    tallies_at_opening: list[tuple[tuple[str, ...], float]] | None = None
    leases: list[Lease] | None = None
    day_closed_at: datetime | None = None

    def as_old_as(self, other: "HallState") -> "HallState":
        """The state without what was not kept yet when the other one was."""
        older = self
        if other.issued_lately is None:
            # Before there were warnings nobody knew when idleness began either.
            sessions = [replace(session, idle_since=None) for session in self.sessions]
            older = replace(older, issued_lately=None, sessions=sessions)
        if other.calls is None:
            older = replace(older, calls=None, ratings=None, tallies_at_opening=None)
        if other.leases is None:
            older = replace(older, leases=None, day_closed_at=None)
        return older


class Hall:
    """One office's live state.

    `seq` counts the facts it was folded from. `tickets` holds everybody in the hall, and the last visitor of a counter
    as long as that step could be taken back; `ended` remembers the day's other visits by how they ended, `ratings` what
    was said of them. `calls` are the latest ones, and `tallies_at_opening` what the day's own sums are counted from.
    `leases` are the numbers that kiosks hold or held lately, in the order in which they were given.
    """

    def __init__(self, office_id: str) -> None:
        self.office_id = office_id
        self.seq = 0
        self.last_at: datetime | None = None
        self._office: Office | None = None
        self.day: date | None = None
        self.day_is_open = False
        self.day_by_hand = False
        self.day_opened_at: datetime | None = None
        self.numbers: dict[str, int] = {}
        self.closed_services: dict[str, str] = {}
        self.sessions: dict[str, Session] = {}
        self.tickets: dict[str, Ticket] = {}
        self.ended: dict[str, State] = {}
        self.tallies: Tallies = {}
        self.tallies_at_opening: Tallies = {}
        self.calls: tuple[Call, ...] = ()
        self.ratings: dict[str, Rating] = {}
        self.leases: dict[str, Lease] = {}
        self.day_closed_at: datetime | None = None
        self._issued_at: dict[str, list[datetime]] = {}
        self._day_turns: tuple[datetime | None, datetime] = (None, _NEVER)
        self._receives = (False, _NEVER, _NEVER)
        self._touched: dict[str, Ticket | None] | None = None
        self._marked: dict[str, object] = {}
        self._index()

    # Questions

    @property
    def office(self) -> Office:
        """How the office is set up; UnknownOffice before it was ever described."""
        if self._office is None:
            raise UnknownOffice(office=self.office_id)
        return self._office

    @property
    def exists(self) -> bool:
        """Whether the office was ever described."""
        return self._office is not None

    def service(self, service_id: str) -> Service:
        """A service of the office, or UnknownService."""
        service = self._services.get(service_id)
        if service is None:
            raise UnknownService(service=service_id)
        return service

    def is_served(self, service_id: str) -> bool:
        """Whether some counter serves this."""
        return service_id in self._servers

    def counter(self, counter_id: str) -> Counter:
        """A counter of the office, or UnknownCounter."""
        counter = self._counters.get(counter_id)
        if counter is None:
            raise UnknownCounter(counter=counter_id)
        return counter

    def state_of(self, ticket_id: str) -> State:
        """Where a visit of the day stands, over or not; UnknownTicket when there is none."""
        return self.ended.get(ticket_id) or self.ticket(ticket_id).state

    def outcome_of(self, ticket_id: str) -> State | None:
        """How a visit of the day ended; None while it has not, and for those of another day."""
        ticket = self.tickets.get(ticket_id)
        return self.ended.get(ticket_id) or (ticket.state if ticket and ticket.ended else None)

    def ticket(self, ticket_id: str) -> Ticket:
        """A ticket of somebody in the hall, or UnknownTicket."""
        ticket = self.tickets.get(ticket_id)
        if ticket is None:
            raise UnknownTicket(ticket=ticket_id)
        return ticket

    def lease(self, lease_id: str) -> Lease:
        """A lease of numbers that is still out, or UnknownLease."""
        lease = self.leases.get(lease_id)
        if lease is None or lease.is_done:
            raise UnknownLease(lease=lease_id)
        return lease

    def session(self, counter_id: str) -> Session:
        """What the counter does now."""
        return self.sessions.get(counter_id) or Session(counter=counter_id)

    def people(self) -> Iterator[Ticket]:
        """Everybody whose visit is not over."""
        return (ticket for ticket in self.tickets.values() if not ticket.ended)

    def moment(self, clock: datetime) -> datetime:
        """The time of the next facts: the clock's, but never before what is already on record."""
        return clock if self.last_at is None or clock > self.last_at else self.last_at + TICK

    def ratings_of(self, ticket_id: str) -> int:
        """How often a visit was rated."""
        rating = self.ratings.get(ticket_id)
        return rating.words if rating else 0

    def today(self, *name: str) -> int:
        """How much of a tally came together since the day opened."""
        return int(self.tallies.get(name, 0) - self.tallies_at_opening.get(name, 0))

    def heads(self, counter: Counter) -> list[Ticket]:
        """The first of each class among those this counter may call."""
        return self._lines.heads(counter)

    def in_line(self, service: str) -> int:
        """How many are in line for a service."""
        return self._lines.length(service)

    def wakes(self, now: datetime) -> list[tuple[datetime, str]]:
        """Whose wait has asked for attention by `now`, and when first."""
        return self._wakes.passed(now, self._is_wake)

    def wakes_at(self, ticket: Ticket) -> datetime | None:
        """When a wait next asks for attention, by the office's escalation."""
        return ticket.wakes_at(self._office.escalation) if self._office else None

    def returns(self, now: datetime) -> list[tuple[datetime, str]]:
        """Whose hold has run out by `now`."""
        return self._returns.passed(now, self._is_return)

    def no_longer_awaited(self, now: datetime) -> list[tuple[datetime, str]]:
        """Which late visitors had until now to come, and until when."""
        return self._lates.passed(now, self._is_late)

    def idle_at(self, counter_id: str) -> datetime | None:
        """When a counter has been idle for so long that somebody must be told, if anybody near the limit waits for it.

        None when it is not idle, or was told of already.
        """
        session = self.sessions.get(counter_id)
        if session is None or session.idle_since is None:
            return None
        paused, office = session.state is CounterState.PAUSED, self.office
        return session.idle_since + timedelta(seconds=office.long_pause_seconds if paused else office.idle_seconds)

    def nearest_due(self, counter_id: str) -> tuple[datetime, str] | None:
        """The earliest due of those near the limit whom a counter could call, and whose it is."""
        counter = self._counters.get(counter_id)
        return self._near.first(counter) if counter else None

    def idles(self, now: datetime) -> list[tuple[datetime, str]]:
        """Which counters could help somebody near the limit and have been idle for too long by `now`."""
        return self._idles.passed(now, self._is_idle)

    def counters_for(self, ticket: Ticket) -> list[str]:
        """Which counters may call a ticket."""
        return [ticket.only_counter] if ticket.only_counter else self._servers.get(ticket.service, [])

    def scene(self, ticket: Ticket, now: datetime) -> Scene:
        """What somebody would see who looked for the cause of this ticket's wait."""
        sessions = self.sessions.values()
        seated = [self.sessions[name] for name in self.counters_for(ticket) if name in self.sessions]
        able = [session for session in seated if session.state is CounterState.OPEN]
        lately = {service: _count_after(instants, now - LATELY) for service, instants in self._issued_at.items()}
        return Scene(
            counters_open=sum(session.state is CounterState.OPEN for session in sessions),
            counters_paused=sum(session.state is CounterState.PAUSED for session in sessions),
            counters_able=len(able),
            counters_idle=sum(session.ticket is None for session in able),
            waiting=self.in_line(ticket.service),
            waiting_in_office=self._lines.length_of_all(),
            issued=lately.get(ticket.service, 0),
            issued_in_office=sum(lately.values()),
        )

    def is_quiet(self, now: datetime) -> bool:
        """Whether time alone has brought nothing by `now`."""
        if self._wakes.any_passed(now, self._is_wake) or self._returns.any_passed(now, self._is_return):
            return False
        if self._idles.any_passed(now, self._is_idle) or self._lates.any_passed(now, self._is_late):
            return False
        turns_at = self.day_turns_at(now)
        return turns_at is None or turns_at > now

    def next_alarm(self, now: datetime) -> datetime | None:
        """The nearest instant at which time alone changes something."""
        nearest = (
            self._wakes.nearest(self._is_wake),
            self._returns.nearest(self._is_return),
            self._idles.nearest(self._is_idle),
            self._lates.nearest(self._is_late),
            self.day_turns_at(now),
        )
        return min((instant for instant in nearest if instant), default=None)

    def day_at(self, now: datetime) -> date:
        """The business day that runs, or else the one that would begin now."""
        today = self.office.date_at(now)
        if self.day is None:
            return today
        return self.day if self.day_is_open else max(self.day, today)

    def closes_at(self) -> datetime | None:
        """When the open day ends by itself."""
        if not self.day_is_open:
            return None
        assert self.day and self.day_opened_at
        return self.office.closing_of(self.day, self.day_opened_at)

    def day_turns_at(self, now: datetime) -> datetime | None:
        """The next instant at which the hours open or close a day."""
        # Asked before every command, and the same for hours on end.
        turns_at, since = self._day_turns
        # A clock that is set back asks about hours that it had leapt over.
        if turns_at is None or not since <= now <= turns_at:
            instants = (self.closes_at(), self.office.next_opening(now, self.day))
            turns_at = min((instant for instant in instants if instant), default=None)
            self._day_turns = (turns_at, now)
        return turns_at

    def receives_at(self, now: datetime) -> bool:
        """Whether tickets are issued: a day is open, and by hand or within its hours."""
        if not self.day_is_open or self.day_by_hand:
            return self.day_is_open
        receives, since, until = self._receives
        if not since <= now < until:
            receives, until = self.office.receives_at(now)
            self._receives = (receives, now, until)
        return receives

    # Going back to a mark

    def mark(self) -> None:
        """Remember how things stand until `keep` or `go_back`."""
        self._touched = {}
        self._marked = {name: self.__dict__[name] for name in _MARKED}
        for name in _MARKED_BY_COPY:
            self._marked[name] = self.__dict__[name].copy()

    @property
    def seq_at_mark(self) -> int:
        """The seq of the last fact before the mark."""
        seq = self._marked["seq"]
        assert isinstance(seq, int)
        return seq

    def at_mark(self, ticket_id: str) -> Ticket | None:
        """A ticket touched since the mark, as it was then."""
        return (self._touched or {}).get(ticket_id)

    def keep(self) -> None:
        """Forget the mark."""
        self._touched = None

    def go_back(self) -> None:
        """Stand as at the mark."""
        touched, described = self._touched or {}, self._office
        self._touched = None
        for name, marked in self._marked.items():
            setattr(self, name, marked)
        for ticket_id, ticket in touched.items():
            self._put(ticket_id, ticket)
            self.ended.pop(ticket_id, None)
        for instants in self._issued_at.values():
            while instants and (self.last_at is None or instants[-1] > self.last_at):
                instants.pop()
        if described is not self._office:
            self._index()
        else:
            self._set_idle_alarms(self.sessions)
        self._forget_hours()

    # Whole values

    def state(self) -> HallState:
        """Everything the hall remembers."""
        return HallState(
            seq=self.seq,
            last_at=self.last_at,
            office=self._office,
            day=self.day,
            day_is_open=self.day_is_open,
            day_by_hand=self.day_by_hand,
            day_opened_at=self.day_opened_at,
            numbers=dict(self.numbers),
            closed_services=dict(self.closed_services),
            sessions=sorted(self.sessions.values(), key=lambda session: session.counter),
            tickets=sorted(self.tickets.values(), key=lambda ticket: ticket.id),
            ended=dict(sorted(self.ended.items())),
            tallies=sorted(self.tallies.items()),
            issued_lately=self._issued_lately(),
            calls=list(self.calls),
            ratings=dict(sorted(self.ratings.items())),
            tallies_at_opening=sorted(self.tallies_at_opening.items()),
            leases=list(self.leases.values()),
            day_closed_at=self.day_closed_at,
        )

    @classmethod
    def of(cls, office_id: str, state: HallState) -> "Hall":
        """The hall that a state was taken from."""
        hall = cls(office_id)
        for name in ("seq", "last_at", "day", "day_is_open", "day_by_hand", "day_opened_at", "day_closed_at"):
            setattr(hall, name, getattr(state, name))
        hall._office = state.office
        hall.numbers = dict(state.numbers)
        hall.closed_services = dict(state.closed_services)
        hall.sessions = {session.counter: session for session in state.sessions}
        hall.tickets = {ticket.id: ticket for ticket in state.tickets}
        hall.ended = dict(state.ended)
        hall.tallies = dict(state.tallies)
        hall.calls = tuple(state.calls or ())
        hall.ratings = dict(state.ratings or {})
        hall.tallies_at_opening = dict(state.tallies_at_opening or ())
        hall.leases = {lease.id: lease for lease in state.leases or ()}
        hall._issued_at = {service: list(instants) for service, instants in (state.issued_lately or {}).items()}
        hall._index()
        return hall

    # Called by `evolve`

    def _happened(self, fact: Fact) -> Ticket | None:
        self.seq += 1
        self.last_at = fact.at
        if isinstance(fact, TicketFact):
            return self._ticket_moved(fact)
        self._office_moved(cast(OfficeFact, fact))
        return None

    def _office_moved(self, fact: OfficeFact) -> None:
        match fact:
            case Configured(office=office):
                self._office = office
                self._index()
            case DayOpened():
                self._day_opened(fact)
            case DayClosed(since=since):
                self.day_is_open, self.day_closed_at = False, since
                self._forget_hours()
            case ServiceClosed(service=service, reason=reason):
                self.closed_services[service] = reason
            case ServiceOpened(service=service):
                self.closed_services.pop(service, None)
            case CounterOpened(counter=counter, operator=operator):
                self._seated(counter, CounterState.OPEN, fact.at, operator=operator, reason=None)
            case CounterPaused(counter=counter, reason=reason):
                self._seated(counter, CounterState.PAUSED, fact.at, reason=reason)
            case CounterClosed(counter=counter):
                self._seated(counter, CounterState.CLOSED, fact.at, operator=None, reason=None)
            case CounterIdle(counter=counter):
                self.sessions[counter] = replace(self.session(counter), idle_since=None)
            case NumbersLeased():
                self.leases[fact.lease] = Lease.of(fact, self.seq)
            case NumbersVoided(lease=lease):
                self.leases[lease] = self._leased(lease).done()
            case _:
                assert_never(fact)

    def _leased(self, lease_id: str) -> Lease:
        lease = self.leases.get(lease_id)
        assert lease is not None, "numbers are leased before they are issued or given back"
        return lease

    def _day_opened(self, fact: DayOpened) -> None:
        if fact.day != self.day:
            self.numbers = {}
            self.ended = {}
            self.ratings = {}
            self.tallies_at_opening = dict(self.tallies)
            oldest = fact.day - LEASES_KEPT
            self.leases = {name: lease for name, lease in self.leases.items() if lease.day >= oldest}
        self._issued_at = self._issued_lately()
        self.day, self.day_is_open, self.day_closed_at = fact.day, True, None
        self.day_by_hand, self.day_opened_at = fact.by_hand, fact.at
        self._forget_hours()

    def _seated(self, counter: str, state: CounterState, at: datetime, **changes: str | None) -> None:
        before = self.session(counter)
        idle_since = None if state is CounterState.CLOSED else at
        if state is before.state:
            # Another reason for the same pause begins no new one.
            idle_since = before.idle_since
        self.sessions[counter] = replace(before, state=state, since=at, idle_since=idle_since, **changes)  # type: ignore[arg-type]
        self._set_idle_alarms((counter,))

    def _ticket_moved(self, fact: TicketFact) -> Ticket | None:
        if isinstance(fact, Issued):
            return self._issued(fact)
        if isinstance(fact, Rated):
            rating = Rating(stars=fact.stars, felt_minutes=fact.felt_minutes, words=self.ratings_of(fact.ticket) + 1)
            self.ratings[fact.ticket] = rating
            if fact.ticket in self.ended:
                return None
        before = self.tickets.get(fact.ticket)
        assert before is not None, f"{type(fact).__name__} of a ticket that is not in the hall"
        after = self._taken_back(before, fact) if isinstance(fact, Undone) else moved(before, fact)
        tally(self.tallies, before, fact, after)
        self._put(fact.ticket, after)
        self._counter_moved(before, fact, after)
        if isinstance(fact, Called):
            self._called(after, again=False, by_choice=fact.because.reason is not None)
        elif isinstance(fact, Recalled):
            self._called(after, again=True, by_choice=False)
        return after

    def _called(self, ticket: Ticket, *, again: bool, by_choice: bool) -> None:
        assert ticket.counter and ticket.last_called_at, "who is called is called to a counter"
        call = Call(
            seq=self.seq,
            at=ticket.last_called_at,
            ticket=ticket.id,
            number=ticket.number,
            service=ticket.service,
            counter=ticket.counter,
            rank=ticket.rank,
            clock_start=ticket.clock_start,
            again=again,
            by_choice=by_choice,
        )
        self.calls = (*self.calls[1 - CALLS_SHOWN :], call)

    def _issued(self, fact: Issued) -> Ticket:
        ticket = born(fact)
        if fact.day == self.day:
            self.numbers[fact.letter] = max(fact.serial, self.numbers.get(fact.letter, 0))
        if fact.lease:
            self.leases[fact.lease] = self._leased(fact.lease).without(fact.letter, fact.serial)
        self._issued_at.setdefault(fact.service, []).append(fact.at)
        tally(self.tallies, None, fact, ticket)
        self._put(ticket.id, ticket)
        return ticket

    def _taken_back(self, ticket: Ticket, fact: Undone) -> Ticket:
        before = self.session(fact.counter).before_step
        assert before is not None, "decide offers an undo only where there is a step"
        return taken_back(ticket, before, fact.at)

    def _counter_moved(self, before: Ticket, fact: TicketFact, after: Ticket) -> None:
        """Seat or free the counter, and remember the step it could take back."""
        counter = after.counter if after.at_counter else before.counter if before.at_counter else None
        if isinstance(fact, Undone):
            self._stepped(fact.counter, after, None, fact.at)
            self._forget_steps(after)
        elif counter and type(fact) in STEPS:
            self._stepped(counter, after, before, fact.at)
        elif counter and not after.at_counter:
            self._stepped(counter, after, None, fact.at)
        if after.ended and not after.in_breach and not self._may_come_back(after):
            self._forget(after)

    def _stepped(self, counter: str, after: Ticket, before: Ticket | None, at: datetime) -> None:
        session = self.session(counter)
        self.sessions[counter] = Session(
            counter=counter,
            state=session.state,
            since=session.since,
            operator=session.operator,
            reason=session.reason,
            ticket=after.id if after.at_counter else None,
            before_step=before,
            stepped_at=at if before else None,
            idle_since=None if after.at_counter else at,
        )
        self._set_idle_alarms((counter,))
        earlier = self.tickets.get(session.before_step.id) if session.before_step else None
        if earlier and earlier.ended and not self._may_come_back(earlier):
            self._forget(earlier)

    def _forget_steps(self, ticket: Ticket) -> None:
        """Only the last step of a visit is ever taken back, not an earlier one of another counter after it."""
        for session in [*self.sessions.values()]:
            if session.before_step and session.before_step.id == ticket.id:
                self.sessions[session.counter] = replace(session, before_step=None, stepped_at=None)

    def _may_come_back(self, ticket: Ticket) -> bool:
        step = self.session(ticket.counter).before_step if ticket.counter else None
        return step is not None and step.id == ticket.id

    def _forget(self, ticket: Ticket) -> None:
        self._put(ticket.id, None)
        self.ended[ticket.id] = ticket.state

    def _put(self, ticket_id: str, after: Ticket | None) -> None:
        before = self.tickets.get(ticket_id)
        if self._touched is not None:
            self._touched.setdefault(ticket_id, before)
        if after is None:
            self.tickets.pop(ticket_id, None)
        else:
            comes_near = after.is_near and self._near.joins(after)
            self.tickets[ticket_id] = after
            self._set_alarms(after)
            if comes_near:
                self._set_idle_alarms(self.counters_for(after))
        self._lines.moved(before, after)

    def _set_idle_alarms(self, counters: Iterable[str]) -> None:
        """Have the counters looked at that are idle while somebody near the limit waits for them.

        A counter that nobody waits for has no alarm; it gets one with the first who does.
        """
        for counter in counters:
            idle_at = self.idle_at(counter)
            if idle_at and self.nearest_due(counter):
                self._idles.set(idle_at, counter)

    def _issued_lately(self) -> dict[str, list[datetime]]:
        if self.last_at is None:
            return {}
        since = self.last_at - LATELY
        counts = {service: _count_after(instants, since) for service, instants in sorted(self._issued_at.items())}
        return {service: self._issued_at[service][-count:] for service, count in counts.items() if count}

    def _set_alarms(self, ticket: Ticket) -> None:
        wakes_at = self.wakes_at(ticket)
        if wakes_at:
            self._wakes.set(wakes_at, ticket.id)
        if ticket.state is State.HELD and ticket.held_until:
            self._returns.set(ticket.held_until, ticket.id)
        if ticket.state is State.LATE and ticket.late_until:
            self._lates.set(ticket.late_until, ticket.id)

    def _is_wake(self, instant: datetime, ticket_id: str) -> bool:
        ticket = self.tickets.get(ticket_id)
        return ticket is not None and self.wakes_at(ticket) == instant

    def _is_idle(self, instant: datetime, counter: str) -> bool:
        return self.idle_at(counter) == instant and self.nearest_due(counter) is not None

    def _is_return(self, instant: datetime, ticket_id: str) -> bool:
        ticket = self.tickets.get(ticket_id)
        return ticket is not None and ticket.state is State.HELD and ticket.held_until == instant

    def _is_late(self, instant: datetime, ticket_id: str) -> bool:
        ticket = self.tickets.get(ticket_id)
        return ticket is not None and ticket.state is State.LATE and ticket.late_until == instant

    def _index(self) -> None:
        """Everything that follows from the office and the tickets, made anew."""
        self._services = {service.id: service for service in self._office.services} if self._office else {}
        self._counters = {counter.id: counter for counter in self._office.counters} if self._office else {}
        self._servers: dict[str, list[str]] = {}
        for counter in self._counters.values():
            for service in counter.services:
                self._servers.setdefault(service, []).append(counter.id)
        if self._office:
            self._lines = Lines(self.tickets, self._office.discipline)
        self._wakes, self._returns, self._idles, self._lates = Alarms(), Alarms(), Alarms(), Alarms()
        self._near = Nearing(self.tickets)
        for ticket in self.tickets.values():
            self._set_alarms(ticket)
            if ticket.is_near:
                self._near.joins(ticket)
        self._set_idle_alarms(self.sessions)
        self._forget_hours()

    def _forget_hours(self) -> None:
        self._day_turns = (None, _NEVER)
        self._receives = (False, _NEVER, _NEVER)


_MARKED = (
    *("seq", "last_at", "_office", "day", "day_is_open", "day_by_hand", "day_opened_at", "ended", "_issued_at"),
    *("calls", "tallies_at_opening", "day_closed_at"),
)
_MARKED_BY_COPY = ("numbers", "closed_services", "sessions", "tallies", "ratings", "leases")
# `ended` is large and only grows within a day, so it is not copied: what was added since the mark is taken out again.


def _count_after(instants: list[datetime], since: datetime) -> int:
    return len(instants) - bisect_right(instants, since)


def evolve(hall: Hall, fact: Fact) -> Ticket | None:
    """Move the hall by `fact`, which is or is about to be in the journal. Answers with the ticket it moved, if any."""
    return hall._happened(fact)


def evolve_all(hall: Hall, facts: Iterable[Fact]) -> Hall:
    """The hall after all of `facts`, in order."""
    for fact in facts:
        evolve(hall, fact)
    return hall
