"""What follows from a command: facts, or a refusal by name. Pure: the hall is read, `now` is given."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from itertools import chain

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
from queue_core.discipline import candidate, next_in_line
from queue_core.errors import (
    BookingMismatch,
    CallTooFresh,
    CategoryInUse,
    CounterBusy,
    CounterInUse,
    CounterIsClosed,
    CounterIsPaused,
    CounterTaken,
    DayNotOpen,
    HoldInThePast,
    NobodyServes,
    NoBreach,
    NoCategory,
    NoClaim,
    NoMoreMarks,
    NoMoreTime,
    NothingToLease,
    NothingToUndo,
    NotInLine,
    NotToday,
    NumberTaken,
    OfficeClosed,
    OperatorBusy,
    RatedOften,
    RecallLimitReached,
    ServiceInUse,
    ServiceIsClosed,
    StepForbidden,
    UnknownCategory,
    UnknownLease,
)
from queue_core.facts import (
    Absent,
    Acknowledged,
    Announced,
    Because,
    Block,
    Breached,
    Called,
    CategoryVerified,
    CategoryWithdrawn,
    ClaimVerified,
    Configured,
    CounterClosed,
    CounterIdle,
    CounterOpened,
    CounterPaused,
    DayClosed,
    DayOpened,
    Escalated,
    Fact,
    Held,
    HeldBy,
    Idleness,
    Issued,
    Left,
    Missed,
    MovedOn,
    NumbersLeased,
    NumbersVoided,
    Rated,
    Readmitted,
    Recalled,
    Relief,
    Relieved,
    Resumed,
    Returned,
    Scene,
    Served,
    ServiceClosed,
    ServiceOpened,
    Started,
    Stop,
    TicketFact,
    Told,
    Transferred,
    Undone,
    Unserved,
    Warned,
)
from queue_core.hall import LEASES_KEPT, CounterState, Hall, Session
from queue_core.leases import Lease, last_number, mark_for
from queue_core.office import Channel, Counter, Office, Service
from queue_core.tickets import State, Ticket, born, moved, readmitted_since, refuse_unless_allowed, ticket_id

STEP_OF: Mapping[type[TicketCommand], type[TicketFact]] = {
    CallChosen: Called,
    Recall: Recalled,
    Announce: Announced,
    Start: Started,
    Finish: Served,
    NoShow: Missed,
    Readmit: Readmitted,
    ReturnToLine: Returned,
    Hold: Held,
    AskForTime: Held,
    Resume: Resumed,
    ComeBack: Resumed,
    Transfer: Transferred,
    Cancel: Left,
    VerifyCategory: CategoryVerified,
    WithdrawCategory: CategoryWithdrawn,
    VerifyClaim: ClaimVerified,
    Acknowledge: Acknowledged,
    Rate: Rated,
}
"""Which step of the ticket's life a command asks for."""

RELIEF_BY: Mapping[type[TicketFact], Relief] = {Called: Relief.CALLED, Left: Relief.LEFT}
"""Which steps end a wait past the limit; the closing of the day is the third."""

Came = tuple[datetime, int, str, Fact]
"""When a fact came true, what kind goes first at one instant, and whom or what it is about."""

RETURNS, WAITS, COUNTERS = range(3)

RATINGS = 5
"""How often one visit may be rated: a slip of the finger can be put right, and a joke comes to an end."""

Dues = Mapping[str, datetime]
"""Tickets and when their limit passed."""

NONE_TOLD: Dues = {}


def passed(hall: Hall, now: datetime) -> tuple[Fact, ...]:
    """What time alone has brought by `now`, in the order in which it came true.

    Holds and the patience with late visitors that ran out, limits that came near and passed, steps of the escalation,
    counters left idle, a day that closed or opened. It comes before whatever is asked at `now`, so a breach is on
    record before the call that came too late.
    """
    if not hall.exists or hall.is_quiet(now):
        return ()
    closes_at = hall.closes_at()
    closing = closes_at is not None and closes_at <= now
    # New hours may put the closing before what has happened already: then the day ends with the last of it.
    until = max(closes_at, hall.last_at or closes_at) if closes_at and closing else now
    facts: list[Fact] = _come_true(hall, until, now)
    told = {fact.ticket: fact.due for fact in facts if isinstance(fact, Escalated)}
    if closing:
        facts += _closing(hall, until, now, told)
    if hall.office.next_opening(now, hall.day) == now:
        facts += _opening(hall, hall.office.date_at(now), now, told, by_hand=False)
    return tuple(facts)


def decide(hall: Hall, command: Command, now: datetime) -> tuple[Fact, ...]:
    """The facts that follow from `command`, or a Refusal saying why none do. No facts: it is so already, or nobody."""
    match command:
        case Issue():
            return (_issue(hall, command, now),)
        case IssueOffline():
            return tuple(_issue_offline(hall, command, now))
        case LeaseNumbers(kiosk, done):
            return tuple(_lease(hall, kiosk, done, now))
        case CallNext(counter):
            return _call_next(hall, counter, now)
        case TicketCommand():
            return _step(hall, command, now)
        case Tick():
            return ()
        case Configure(office=office):
            return _configure(hall, office, now)
        case OpenDay():
            return () if hall.day_is_open else tuple(_opening_by_hand(hall, now))
        case CloseDay():
            if not hall.office or not hall.day_is_open:
                raise DayNotOpen()
            return tuple(_closing(hall, now, now))
        case CloseService(service, reason):
            hall.service(service)
            already = hall.closed_services.get(service) == reason
            return () if already else (ServiceClosed(at=now, service=service, reason=reason),)
        case OpenService(service):
            hall.service(service)
            return (ServiceOpened(at=now, service=service),) if service in hall.closed_services else ()
        case OpenCounter():
            return _open_counter(hall, command, now)
        case PauseCounter(counter, reason):
            session = _manned(hall, counter)
            already = session.state is CounterState.PAUSED and session.reason == reason
            return () if already else (CounterPaused(at=now, counter=counter, reason=reason),)
        case CloseCounter(counter):
            return _close_counter(hall, counter, now)
        case Undo(counter):
            return _undo(hall, counter, now)
        case _:
            raise AssertionError(f"nobody decides {type(command).__name__}")


# Time


def _come_true(hall: Hall, until: datetime, now: datetime) -> list[Fact]:
    """What came true by `until`, the order of the day apart."""
    came: list[Came] = []
    awake = {name: hall.ticket(name) for _, name in hall.wakes(until)}
    back: dict[str, datetime] = {}
    for since, name in hall.returns(until):
        resumed = Resumed(at=now, ticket=name, since=since)
        came.append((since, RETURNS, name, resumed))
        awake[name] = moved(hall.ticket(name), resumed)
        back[name] = since
    for since, name in hall.no_longer_awaited(until):
        came.append((since, RETURNS, name, Missed(at=now, ticket=name, since=since)))
    nearing: list[tuple[datetime, Ticket]] = []
    scene = _scenes(hall, now)
    for name, ticket in awake.items():
        told = list(_told_of(hall, ticket, until, now, scene))
        came += told
        near_since = ticket.warned_at or ticket.breached_due or (told[0][0] if told else None)
        if ticket.in_line and near_since and (name in back or not ticket.is_near):
            nearing.append((max(near_since, back.get(name, near_since)), ticket))
    came += _idle(hall, until, now, nearing)
    came.sort(key=lambda each: each[:3])
    return [fact for *_, fact in came]


def _scenes(hall: Hall, now: datetime) -> Callable[[Ticket], Scene]:
    """What each ticket's wait looks like; the same for all who wait for the same."""
    seen: dict[tuple[str, str | None], Scene] = {}

    def scene(ticket: Ticket) -> Scene:
        wish = ticket.service, ticket.only_counter
        if wish not in seen:
            seen[wish] = hall.scene(ticket, now)
        return seen[wish]

    return scene


def _told_of(
    hall: Hall, ticket: Ticket, until: datetime, now: datetime, scene: Callable[[Ticket], Scene]
) -> Iterator[Came]:
    """What one wait has come to: near the limit, past it, and on through the steps of the escalation."""
    while (instant := hall.wakes_at(ticket)) and instant <= until:
        facts: list[TicketFact] = []
        if ticket.breached_due:
            facts.append(_escalated(hall, ticket, ticket.breached_due, now))
        elif ticket.warned_at:
            facts += (
                Breached(at=now, ticket=ticket.id, due=instant, scene=scene(ticket)),
                _escalated(hall, ticket, instant, now),
            )
        else:
            assert ticket.clock.due, "who comes near a limit waits for it"
            facts.append(Warned(at=now, ticket=ticket.id, due=ticket.clock.due, since=instant, scene=scene(ticket)))
        for fact in facts:
            yield instant, WAITS, ticket.id, fact
            ticket = moved(ticket, fact)


def _escalated(hall: Hall, ticket: Ticket, due: datetime, now: datetime) -> Escalated:
    step = ticket.escalated
    return Escalated(at=now, ticket=ticket.id, due=due, step=step, role=hall.office.escalation[step].role)


def _idle(hall: Hall, until: datetime, now: datetime, nearing: Iterable[tuple[datetime, Ticket]]) -> Iterator[Came]:
    """Counters idle for too long by `until`, while somebody whom they could serve was near the limit or came to be."""
    # Those who wait for the same can be called by the same counters, however many they are.
    groups: dict[tuple[str, ...], list[tuple[datetime, datetime, str]]] = {}
    for since, ticket in nearing:
        assert ticket.clock.due, "only those who wait are near"
        groups.setdefault(tuple(hall.counters_for(ticket)), []).append((since, ticket.clock.due, ticket.id))
    coming: dict[str, list[list[tuple[datetime, datetime, str]]]] = {counter: [] for _, counter in hall.idles(until)}
    for counters, group in groups.items():
        for counter in counters:
            idle_at = hall.idle_at(counter)
            if idle_at and idle_at <= until:
                coming.setdefault(counter, []).append(group)
    for counter, lists in coming.items():
        those = list(chain.from_iterable(lists))
        instant, nearest, session = hall.idle_at(counter), hall.nearest_due(counter), hall.session(counter)
        assert instant and session.idle_since
        if nearest is None:
            instant = max(instant, min(those)[0])
        dues = [(due, ticket_id) for since, due, ticket_id in those if since <= instant]
        _, ticket_id = min([*dues, nearest] if nearest else dues)
        state = Idleness(session.state)
        fact = CounterIdle(at=now, counter=counter, ticket=ticket_id, since=session.idle_since, state=state)
        yield instant, COUNTERS, counter, fact


def _closing(hall: Hall, since: datetime, now: datetime, told: Dues = NONE_TOLD) -> Iterator[Fact]:
    assert hall.day
    yield from _unserved(hall, since, now, told)
    yield DayClosed(at=now, day=hall.day, since=since)


def _opening(hall: Hall, day: date, now: datetime, told: Dues = NONE_TOLD, *, by_hand: bool) -> Iterator[Fact]:
    # Who was sent back to the line after the closing, and was not called any more, has gone home overnight.
    if not hall.day_is_open and day != hall.day:
        yield from _unserved(hall, now, now, told)
    for lease in hall.leases.values():
        if lease.left is not None and lease.day < day - LEASES_KEPT:
            yield NumbersVoided(at=now, lease=lease.id, blocks=lease.left)
    yield DayOpened(at=now, day=day, by_hand=by_hand)


def _opening_by_hand(hall: Hall, now: datetime) -> Iterator[Fact]:
    today = hall.office.date_at(now)
    return _opening(hall, max(today, hall.day) if hall.day else today, now, by_hand=True)


def _unserved(hall: Hall, since: datetime, now: datetime, told: Dues) -> Iterator[Fact]:
    """Everybody who waits goes; `told` are those whose breach is only about to be recorded."""
    for ticket in sorted(hall.people(), key=lambda ticket: ticket.id):
        if ticket.state in (State.WAITING, State.HELD):
            yield Unserved(at=now, ticket=ticket.id, since=since)
            due = ticket.breached_due if ticket.in_breach else told.get(ticket.id)
            if due:
                yield Relieved(at=now, ticket=ticket.id, due=due, how=Relief.UNSERVED)
        elif ticket.state is State.LATE and not (ticket.late_until and ticket.late_until <= since):
            yield Missed(at=now, ticket=ticket.id, since=since)


# The office


def _configure(hall: Hall, office: Office, now: datetime) -> tuple[Fact, ...]:
    if hall.exists:
        if hall.office == office:
            return ()
        _refuse_to_strand(hall, office)
    return (Configured(at=now, office=office),)


def _refuse_to_strand(hall: Hall, office: Office) -> None:
    """Nothing when everybody in the hall and at the counters still has a place in the new office."""
    for ticket in hall.people():
        for stop in (Stop(service=ticket.service, counter=ticket.only_counter), *ticket.stops):
            if stop.counter and office.counter(stop.counter) is None:
                raise CounterInUse(counter=stop.counter, ticket=ticket.id)
            if office.service(stop.service) is None or not _is_served(office, stop):
                raise ServiceInUse(service=stop.service, ticket=ticket.id)
        if ticket.category and office.category(ticket.category) is None:
            raise CategoryInUse(category=ticket.category, ticket=ticket.id)
    for session in hall.sessions.values():
        if session.state is not CounterState.CLOSED and office.counter(session.counter) is None:
            raise CounterInUse(counter=session.counter)


# Counters


def _open_counter(hall: Hall, command: OpenCounter, now: datetime) -> tuple[Fact, ...]:
    counter_id, operator = command.counter, command.operator
    hall.counter(counter_id)
    session = hall.session(counter_id)
    if session.operator not in (None, operator):
        raise CounterTaken(counter=counter_id, operator=session.operator)
    if session.state is CounterState.OPEN:
        return ()
    closed = _left_elsewhere(hall, command, now) if session.operator is None else ()
    return (*closed, CounterOpened(at=now, counter=counter_id, operator=operator))


def _left_elsewhere(hall: Hall, command: OpenCounter, now: datetime) -> tuple[Fact, ...]:
    """The end of the operator's work at another counter; nobody is at two at once."""
    others = [name for name, session in hall.sessions.items() if session.operator == command.operator]
    if others and not command.take_over:
        raise OperatorBusy(counter=command.counter, operator=command.operator, at_counter=min(others))
    return tuple(CounterClosed(at=now, counter=_manned(hall, name).counter) for name in sorted(others))


def _close_counter(hall: Hall, counter_id: str, now: datetime) -> tuple[Fact, ...]:
    hall.counter(counter_id)
    if hall.session(counter_id).state is CounterState.CLOSED:
        return ()
    _manned(hall, counter_id)
    return (CounterClosed(at=now, counter=counter_id),)


def _manned(hall: Hall, counter_id: str) -> Session:
    """The session of a counter that has its operator and no visitor."""
    hall.counter(counter_id)
    session = hall.session(counter_id)
    if session.state is CounterState.CLOSED:
        raise CounterIsClosed(counter=counter_id)
    if session.ticket:
        raise CounterBusy(counter=counter_id, ticket=session.ticket)
    return session


def _ready(hall: Hall, counter_id: str) -> tuple[Counter, Session]:
    """A counter that can call somebody, and its session."""
    session = _manned(hall, counter_id)
    if session.state is CounterState.PAUSED:
        raise CounterIsPaused(counter=counter_id, reason=session.reason)
    return hall.counter(counter_id), session


def _call_next(hall: Hall, counter_id: str, now: datetime) -> tuple[Fact, ...]:
    counter, session = _ready(hall, counter_id)
    because = next_in_line(hall.heads(counter), hall.office, now)
    if because is None:
        return ()
    return _with_relief(hall.ticket(because.chosen.ticket), _called(because, session, now), Relief.CALLED)


def _call_chosen(hall: Hall, command: CallChosen, now: datetime) -> Called:
    counter, session = _ready(hall, command.counter)
    ticket = hall.ticket(command.ticket)
    if not counter.serves(ticket.service, ticket.only_counter):
        raise NotInLine(ticket=ticket.id, counter=counter.id)
    chosen = candidate(ticket, hall.office, now)
    others = (candidate(head, hall.office, now) for head in hall.heads(counter) if head.id != ticket.id)
    because = Because(rule="chosen", chosen=chosen, others=tuple(others), reason=command.reason)
    return _called(because, session, now)


def _with_relief(ticket: Ticket, fact: TicketFact, how: Relief | None) -> tuple[Fact, ...]:
    """The fact, and that it ends the ticket's wait past the limit if there is one."""
    if how is None or not ticket.in_breach:
        return (fact,)
    assert ticket.breached_due, "somebody was told of it"
    return fact, Relieved(at=fact.at, ticket=ticket.id, due=ticket.breached_due, how=how)


def _called(because: Because, session: Session, now: datetime) -> Called:
    assert session.operator, "an open counter has its operator"
    return Called(
        at=now, ticket=because.chosen.ticket, counter=session.counter, operator=session.operator, because=because
    )


def _undo(hall: Hall, counter_id: str, now: datetime) -> tuple[Fact, ...]:
    hall.counter(counter_id)
    session, window = hall.session(counter_id), hall.office.undo_seconds
    before, stepped_at = session.before_step, session.stepped_at
    if not before or not stepped_at or now - stepped_at > timedelta(seconds=window):
        raise NothingToUndo(counter=counter_id, undo_seconds=window)
    ticket = hall.tickets.get(before.id)
    # A state that is younger than the step means that the visit has gone on elsewhere.
    if not ticket or ticket.state_since != stepped_at:
        raise NothingToUndo(counter=counter_id, ticket=before.id)
    # The office may have given the service or the right up since, when nobody seemed to need it any more.
    if not _has_place(hall.office, before):
        raise NothingToUndo(counter=counter_id, ticket=before.id)
    if before.at_counter and not ticket.at_counter:
        _ready(hall, counter_id)
    undone = Undone(at=now, ticket=ticket.id, counter=counter_id, step=ticket.state.value)
    # Who was sent back to the line, waited past the limit there and is at the counter again after all, waits no more.
    return _with_relief(ticket, undone, Relief.CALLED if before.at_counter else None)


# Tickets


def _issue(hall: Hall, command: Issue, now: datetime) -> Issued:
    office = hall.office
    service, stops = _wished(hall, office, command)
    _refuse_unless_received(hall, command, now)
    assert hall.day
    if command.slot and not _is_today(hall, command.slot, hall.day):
        raise NotToday(slot=command.slot, day=hall.day)
    channel = Channel.WALK_IN if command.claim else command.channel
    serial = hall.numbers.get(service.letter, 0) + 1
    return Issued(
        at=now,
        ticket=ticket_id(hall.day, service.letter, serial),
        letter=service.letter,
        serial=serial,
        day=hall.day,
        service=service.id,
        channel=channel,
        category=command.category,
        clock_start=max(now, command.slot) if command.slot and channel is Channel.BOOKED else now,
        limit_seconds=service.limits.seconds(channel),
        warning_seconds=service.limits.warning_seconds(channel),
        stops=stops,
        ahead=hall.in_line(service.id),
        language=command.language,
        claim=command.slot if command.claim else None,
    )


def _is_today(hall: Hall, slot: datetime, day: date) -> bool:
    """Whether a booked time lies within the hours of a business day; a day opened by hand has all of its date."""
    office = hall.office
    if hall.day_by_hand and day == hall.day:
        return office.date_at(slot) == day
    return any(opens <= slot < closes for opens, closes in office.stretches(day))


def _wished(hall: Hall, office: Office, command: Issue | IssueOffline) -> tuple[Service, tuple[Stop, ...]]:
    """What somebody comes for, first and further, or a refusal when the office knows no such thing."""
    service = hall.service(command.service)
    stops = tuple([Stop(service=hall.service(further).id) for further in command.further])
    if command.category and office.category(command.category) is None:
        raise UnknownCategory(category=command.category)
    if (command.channel is Channel.BOOKED) != (command.slot is not None):
        raise BookingMismatch(channel=command.channel.value)
    return service, stops


def _issue_offline(hall: Hall, command: IssueOffline, now: datetime) -> Iterator[Fact]:
    """A ticket that is out already. Whether the office was open then is no question any more."""
    office, lease = hall.office, hall.lease(command.lease)
    if lease.kiosk != command.kiosk:
        raise UnknownLease(lease=lease.id)
    number = f"{command.letter}{command.serial:03}"
    if not lease.has(command.letter, command.serial):
        raise NumberTaken(lease=lease.id, number=number)
    service, stops = _wished(hall, office, command)
    for each in (command.service, *command.further):
        if not hall.is_served(each):
            raise NobodyServes(service=each)
    issued_at = min(max(command.issued_at, lease.at), now)
    day = _day_of(hall, lease, issued_at, now)
    name = ticket_id(day, command.letter, command.serial)
    if name in hall.tickets or name in hall.ended:
        raise NumberTaken(lease=lease.id, number=number)
    # The paper is out: a time that cannot be is no reason to lose the visitor, and no right either.
    slot = command.slot if command.slot and _is_today(hall, command.slot, day) else None
    channel = Channel.BOOKED if slot and not command.claim else Channel.WALK_IN
    issued = Issued(
        at=now,
        ticket=name,
        letter=command.letter,
        serial=command.serial,
        day=day,
        service=service.id,
        channel=channel,
        category=command.category,
        clock_start=max(issued_at, slot) if slot and channel is Channel.BOOKED else issued_at,
        limit_seconds=service.limits.seconds(channel),
        warning_seconds=service.limits.warning_seconds(channel),
        stops=stops,
        ahead=hall.in_line(service.id),
        language=command.language,
        lease=lease.id,
        issued_at=issued_at,
        claim=slot if command.claim else None,
    )
    yield issued
    if not hall.day_is_open or day != hall.day:
        yield from _gone_home(hall, born(issued), now)


def _day_of(hall: Hall, lease: Lease, instant: datetime, now: datetime) -> date:
    """The business day in which somebody took a ticket; DayNotOpen while that is today and still to come."""
    if hall.day_is_open and hall.day and hall.day_opened_at and hall.day_opened_at <= instant:
        return hall.day
    day = max(hall.office.date_at(instant), lease.day)
    to_come = hall.day is None or hall.day < day
    if not hall.day_is_open and to_come and day >= hall.office.date_at(now):
        raise DayNotOpen()
    return day


def _gone_home(hall: Hall, ticket: Ticket, now: datetime) -> Iterator[Fact]:
    """What became of somebody whose day had closed before anybody heard of the ticket."""
    since = min(_closing_then(hall, ticket), now)
    told = [fact for *_, fact in _told_of(hall, ticket, since, now, _scenes(hall, now))]
    yield from told
    yield Unserved(at=now, ticket=ticket.id, since=since)
    for due in {fact.due for fact in told if isinstance(fact, Escalated)}:
        yield Relieved(at=now, ticket=ticket.id, due=due, how=Relief.UNSERVED)


def _closing_then(hall: Hall, ticket: Ticket) -> datetime:
    """When the day of a ticket had closed, as far as that is still known; not before the ticket was taken."""
    if ticket.day == hall.day and hall.day_closed_at:
        return max(hall.day_closed_at, ticket.issued_at)
    office, taken = hall.office, ticket.issued_at
    closing = office.closing_of(ticket.day, taken) or office.next_opening(taken, ticket.day)
    return max(closing or taken, taken)


def _lease(hall: Hall, kiosk: str, done: str | None, now: datetime) -> Iterator[Fact]:
    office, leases = hall.office, dict(hall.leases)
    if not office.offline_numbers:
        raise NothingToLease(office=office.id)
    day = hall.day_at(now)
    mark = mark_for(kiosk, leases.values(), day)
    if mark is None:
        raise NoMoreMarks(kiosk=kiosk)
    before = leases.get(done or "")
    if before and before.kiosk == kiosk and before.left is not None:
        yield NumbersVoided(at=now, lease=before.id, blocks=before.left)
        leases[before.id] = before.done()
    count = 1 + sum(lease.day == day and lease.mark == mark for lease in leases.values())
    blocks: list[Block] = []
    for letter in sorted({service.letter + mark for service in office.services}):
        issued = hall.numbers.get(letter, 0) if day == hall.day else 0
        first = 1 + max(last_number(letter, leases.values(), day), issued)
        blocks.append(Block(letter=letter, first=first, last=first + office.offline_numbers - 1))
    name = f"{day.isoformat().replace('-', '')}-{mark}-{count}"
    yield NumbersLeased(at=now, lease=name, kiosk=kiosk, mark=mark, day=day, blocks=tuple(blocks))


def _refuse_unless_received(hall: Hall, command: Issue, now: datetime) -> None:
    if not hall.receives_at(now):
        raise OfficeClosed(office=hall.office_id)
    for service in (command.service, *command.further):
        if service in hall.closed_services:
            raise ServiceIsClosed(service=service, reason=hall.closed_services[service])
        if not hall.is_served(service):
            raise NobodyServes(service=service)


def _step(hall: Hall, command: TicketCommand, now: datetime) -> tuple[Fact, ...]:
    fact = _ticket_step(hall, command, now)
    if fact is None:
        return ()
    if isinstance(fact, CategoryWithdrawn) and fact.kept is None and hall.ticket(fact.ticket).at_counter:
        # Who was called by a right that does not hold waits as everybody does.
        return fact, Returned(at=now, ticket=fact.ticket, reason=fact.reason)
    how = RELIEF_BY.get(type(fact))
    return _with_relief(hall.ticket(fact.ticket), fact, how) if how else (fact,)


def _ticket_step(hall: Hall, command: TicketCommand, now: datetime) -> TicketFact | None:
    name = command.ticket
    refuse_unless_allowed(name, hall.state_of(name), STEP_OF[type(command)])
    match command:
        case CallChosen():
            return _call_chosen(hall, command, now)
        case Recall():
            return _recall(hall, hall.ticket(name), now)
        case Announce():
            return _announce(hall.ticket(name), command, now)
        case Start():
            return Started(at=now, ticket=name)
        case Finish(outcome=outcome):
            stops = hall.ticket(name).stops
            if stops:
                return MovedOn(at=now, ticket=name, outcome=outcome, stop=stops[0])
            return Served(at=now, ticket=name, outcome=outcome)
        case NoShow():
            return _no_show(hall.ticket(name), hall.office, now)
        case Readmit(by=by):
            return Readmitted(at=now, ticket=name, by=by, since=readmitted_since(hall.ticket(name), now))
        case ReturnToLine(reason=reason):
            return Returned(at=now, ticket=name, reason=reason)
        case Hold(by=by, until=until):
            if until and until <= now:
                raise HoldInThePast(until=until)
            return Held(at=now, ticket=name, by=by, until=until)
        case AskForTime():
            return _ask_for_time(hall.ticket(name), hall.office, now)
        case ComeBack() if hall.ticket(name).held_by is HeldBy.OFFICE:
            raise StepForbidden(ticket=name, state=State.HELD.value, step=Resumed.__name__)
        case Resume() | ComeBack():
            return Resumed(at=now, ticket=name, since=now)
        case Transfer():
            return _transfer(hall, command, now)
        case Cancel(reason=reason):
            return Left(at=now, ticket=name, reason=reason)
        case VerifyCategory():
            _claimed(hall.ticket(name))
            return CategoryVerified(at=now, ticket=name)
        case WithdrawCategory(reason=reason, keep=keep):
            _claimed(hall.ticket(name))
            return CategoryWithdrawn(at=now, ticket=name, reason=reason, kept=keep)
        case VerifyClaim():
            return _claim_verified(hall, hall.ticket(name), now)
        case Acknowledge(by=by, cause=cause, remark=remark):
            if hall.ticket(name).breached_due is None:
                raise NoBreach(ticket=name)
            return Acknowledged(at=now, ticket=name, by=by, cause=cause, remark=remark)
        case Rate(stars=stars, felt_minutes=felt_minutes):
            if hall.ratings_of(name) >= RATINGS:
                raise RatedOften(ticket=name)
            return Rated(at=now, ticket=name, stars=stars, felt_minutes=felt_minutes)
        case _:
            raise AssertionError(f"nobody decides {type(command).__name__}")


def _no_show(ticket: Ticket, office: Office, now: datetime) -> Missed | Absent:
    """The end of the visit, or of the wait for a visitor who may still come."""
    if ticket.state is State.LATE or office.late_seconds == 0:
        return Missed(at=now, ticket=ticket.id)
    if now - ticket.state_since < timedelta(seconds=office.no_show_seconds):
        raise CallTooFresh(ticket=ticket.id, no_show_seconds=office.no_show_seconds)
    if ticket.misses >= office.late_limit:
        return Missed(at=now, ticket=ticket.id)
    return Absent(at=now, ticket=ticket.id, until=now + timedelta(seconds=office.late_seconds))


def _claim_verified(hall: Hall, ticket: Ticket, now: datetime) -> ClaimVerified:
    """A booking is due by its own limit, counted from its time; what was due earlier stays so, and so does a breach."""
    if ticket.claim is None or ticket.claim_verified:
        raise NoClaim(ticket=ticket.id)
    limits = hall.service(ticket.service).limits
    limit, warning = int(ticket.clock.limit.total_seconds()), int(ticket.warning.total_seconds())
    if ticket.breached_due is None:
        early = max(0, int((ticket.claim - ticket.clock_start).total_seconds()))
        limit = min(limit, early + limits.seconds(Channel.BOOKED))
        warning = min(warning, limit, early + limits.warning_seconds(Channel.BOOKED))
    return ClaimVerified(at=now, ticket=ticket.id, limit_seconds=limit, warning_seconds=warning)


def _recall(hall: Hall, ticket: Ticket, now: datetime) -> Recalled:
    if ticket.recalls >= hall.office.recall_limit:
        raise RecallLimitReached(ticket=ticket.id, recalls=ticket.recalls)
    return Recalled(at=now, ticket=ticket.id)


def _announce(ticket: Ticket, command: Announce, now: datetime) -> Announced | None:
    """The first board that tells is enough."""
    told_at = ticket.shown_at if command.how is Told.SHOWN else ticket.spoken_at
    return None if told_at else Announced(at=now, ticket=ticket.id, board=command.board, how=command.how)


def _ask_for_time(ticket: Ticket, office: Office, now: datetime) -> Held:
    # Who is being served says so to the operator.
    if ticket.state is State.SERVING:
        raise StepForbidden(ticket=ticket.id, state=ticket.state.value, step=Held.__name__)
    if ticket.asked_for_time >= office.more_time_limit:
        raise NoMoreTime(ticket=ticket.id, more_time_limit=office.more_time_limit)
    until = now + timedelta(seconds=office.more_time_seconds)
    return Held(at=now, ticket=ticket.id, by=HeldBy.VISITOR, until=until, asked=True)


def _transfer(hall: Hall, command: Transfer, now: datetime) -> Transferred:
    ticket = hall.ticket(command.ticket)
    to = Stop(service=command.service or ticket.service, counter=command.counter)
    hall.service(to.service)
    if to.counter:
        hall.counter(to.counter)
    if not _is_served(hall.office, to):
        raise NobodyServes(service=to.service, counter=to.counter)
    back = Stop(service=ticket.service, counter=ticket.counter) if command.come_back and ticket.at_counter else None
    return Transferred(at=now, ticket=ticket.id, to=to, back=back)


def _claimed(ticket: Ticket) -> None:
    if not ticket.category or ticket.category_withdrawn:
        raise NoCategory(ticket=ticket.id)


def _has_place(office: Office, ticket: Ticket) -> bool:
    stop = Stop(service=ticket.service, counter=ticket.only_counter)
    return _is_served(office, stop) and (ticket.category is None or office.category(ticket.category) is not None)


def _is_served(office: Office, stop: Stop) -> bool:
    """Whether some counter serves this stop of a visit."""
    return any(counter.serves(stop.service, stop.counter) for counter in office.counters)
