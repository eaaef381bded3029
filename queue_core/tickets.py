"""One visitor's ticket, and the table of its life."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, assert_never, cast

from queue_core.errors import StepForbidden
from queue_core.facts import (
    Absent,
    Acknowledged,
    Announced,
    Breached,
    Called,
    CategoryVerified,
    CategoryWithdrawn,
    Cause,
    ClaimVerified,
    Escalated,
    Held,
    HeldBy,
    Issued,
    Left,
    Missed,
    Move,
    MovedOn,
    Outcome,
    Rank,
    Rated,
    Readmitted,
    Recalled,
    Relieved,
    Resumed,
    Returned,
    Served,
    Started,
    Stop,
    TicketFact,
    Told,
    Transferred,
    Undone,
    Unserved,
    Warned,
)
from queue_core.office import Channel, Escalation, usual_warning
from queue_core.values import value
from queue_core.waits import NOTHING, WaitClock


class State(StrEnum):
    """Where a visit stands."""

    WAITING = "waiting"
    CALLED = "called"
    SERVING = "serving"
    HELD = "held"
    LATE = "late"
    SERVED = "served"
    MISSED = "missed"
    LEFT = "left"
    UNSERVED = "unserved"


LIFECYCLE: Mapping[State, Mapping[type[TicketFact], State]] = {
    State.WAITING: {
        Called: State.CALLED,
        Held: State.HELD,
        Transferred: State.WAITING,
        Left: State.LEFT,
        Unserved: State.UNSERVED,
        Warned: State.WAITING,
        Breached: State.WAITING,
        Escalated: State.WAITING,
        Acknowledged: State.WAITING,
        CategoryVerified: State.WAITING,
        CategoryWithdrawn: State.WAITING,
        ClaimVerified: State.WAITING,
    },
    State.CALLED: {
        Recalled: State.CALLED,
        Announced: State.CALLED,
        Started: State.SERVING,
        Missed: State.MISSED,
        Absent: State.LATE,
        Returned: State.WAITING,
        Held: State.HELD,
        Transferred: State.WAITING,
        Left: State.LEFT,
        Relieved: State.CALLED,
        Acknowledged: State.CALLED,
        CategoryVerified: State.CALLED,
        CategoryWithdrawn: State.CALLED,
        ClaimVerified: State.CALLED,
    },
    State.SERVING: {
        Announced: State.SERVING,
        Served: State.SERVED,
        MovedOn: State.WAITING,
        Returned: State.WAITING,
        Held: State.HELD,
        Transferred: State.WAITING,
        Relieved: State.SERVING,
        Acknowledged: State.SERVING,
        CategoryVerified: State.SERVING,
        CategoryWithdrawn: State.SERVING,
        ClaimVerified: State.SERVING,
    },
    State.HELD: {
        Resumed: State.WAITING,
        Left: State.LEFT,
        Unserved: State.UNSERVED,
        Warned: State.HELD,
        Breached: State.HELD,
        Escalated: State.HELD,
        Acknowledged: State.HELD,
    },
    State.LATE: {
        Readmitted: State.WAITING,
        Missed: State.MISSED,
        Left: State.LEFT,
        Acknowledged: State.LATE,
    },
    State.SERVED: {Rated: State.SERVED},
    State.MISSED: {Rated: State.MISSED},
    State.LEFT: {Relieved: State.LEFT, Rated: State.LEFT},
    State.UNSERVED: {Relieved: State.UNSERVED, Rated: State.UNSERVED},
}
"""The life of a ticket. It is born waiting by `Issued`; `Undone` takes it back to before one of the `STEPS`."""

STEPS = frozenset({Called, Started, Served, MovedOn, Missed, Absent, Returned, Held, Transferred})
"""What an operator does at a counter and may take back. Each of them changes the state of somebody at a counter."""

AT_COUNTER = frozenset({State.CALLED, State.SERVING})
"""States in which the visitor has a counter to go to; a counter has at most one such visitor."""

ENDED = frozenset(state for state, steps in LIFECYCLE.items() if set(steps.values()) <= {state})
"""States in which the visit is over: no step leads out of them."""

QUICK_RETURN = timedelta(seconds=120)
"""Who is back within this time of a no-show was waiting all along: a hasty no-show stops no clock."""

RANK_OF: Mapping[Channel, Rank] = {Channel.BOOKED: Rank.BOOKED, Channel.WALK_IN: Rank.WALK_IN}
"""The class of those who claim no right to go first."""


@value(kw_only=True)
class Acknowledgement:
    """Who answered for a breach, when, and what they said of it."""

    at: datetime
    by: str
    cause: Cause
    remark: str | None


@value(kw_only=True, slots=False)
class Ticket:
    """One visitor's place and everything known of the visit.

    `clock` is the regulatory wait; `answering` adds up the time between a call and the visitor's arrival at the
    counter; `serving` the time in service. `counter` and `operator` are the last that had to do with the visit;
    `only_counter` is the one it waits for by name. `escalated` counts the roles that were told of the breach, and
    `relieved_at` is when that wait ended. `wait_told` is set once the wait has gone into the statistics, so
    that a call taken back and made again does not count twice. `shown_at` and `spoken_at` are when a board first told
    of the latest call; `asked_for_time` counts how often the visitor stepped aside. `issued_at` is when the visitor
    took the ticket; the journal may have heard of it later when it was `issued_offline`.

    `absences` counts the no-shows after which the visitor might still come, `away` adds up the time until they did,
    `late_until` is when that chance ends, and `missed_call_at` the call that was missed last. A booking that is only
    claimed, for the time `claim`, counts once it is `claim_verified`.
    """

    id: str
    letter: str
    serial: int
    day: date
    issued_offline: bool = False
    issued_service: str
    service: str
    channel: Channel
    category: str | None
    category_verified: bool = False
    category_withdrawn: bool = False
    claim: datetime | None = None
    claim_verified: bool = False
    stops: tuple[Stop, ...] = ()
    only_counter: str | None = None
    ahead_at_issue: int
    issued_at: datetime
    clock_start: datetime
    clock: WaitClock
    state: State = State.WAITING
    state_since: datetime
    counter: str | None = None
    operator: str | None = None
    recalls: int = 0
    calls: int = 0
    first_called_at: datetime | None = None
    last_called_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    wait_to_call: timedelta | None = None
    wait_to_start: timedelta | None = None
    answering: timedelta = NOTHING
    serving: timedelta = NOTHING
    outcome: Outcome | None = None
    held_by: HeldBy | None = None
    held_until: datetime | None = None
    breached_due: datetime | None = None
    breach_recorded_at: datetime | None = None
    warning_seconds: int | None = None
    warned_at: datetime | None = None
    escalated: int = 0
    acknowledged: Acknowledgement | None = None
    relieved_at: datetime | None = None
    wait_told: bool = False
    language: str | None = None
    shown_at: datetime | None = None
    spoken_at: datetime | None = None
    asked_for_time: int = 0
    absences: int = 0
    first_absent_at: datetime | None = None
    missed_call_at: datetime | None = None
    late_until: datetime | None = None
    away: timedelta = NOTHING
    stars: int | None = None

    @property
    def number(self) -> str:
        """What is printed and called, such as `A012`."""
        return self.letter + str(self.serial).zfill(3)

    @property
    def rank(self) -> Rank:
        """The class in which the ticket waits."""
        if self.category and not self.category_withdrawn:
            return Rank.OUT_OF_TURN
        return Rank.BOOKED if self.claim_verified else RANK_OF[self.channel]

    @property
    def misses(self) -> int:
        """How many calls the visitor did not come to."""
        return self.absences + (self.state is State.MISSED and self.late_until is None)

    @property
    def first_missed_at(self) -> datetime | None:
        """When it was first recorded that the visitor did not come."""
        return self.first_absent_at or (self.ended_at if self.state is State.MISSED else None)

    @property
    def in_line(self) -> bool:
        """Whether the ticket can be called next."""
        return self.state is State.WAITING

    @property
    def at_counter(self) -> bool:
        """Whether a counter is taken by this visitor."""
        return self.state in AT_COUNTER

    @property
    def ended(self) -> bool:
        """Whether the visit is over."""
        return self.state in ENDED

    @property
    def due(self) -> datetime | None:
        """When the promise will be broken; None when the clock stands or the breach is on record."""
        return self.clock.due if self.breached_due is None else None

    def wakes_at(self, escalation: Sequence[Escalation]) -> datetime | None:
        """When the wait next asks for attention: near the limit, at the limit, and at each step past it.

        None while the clock stands, and when all of that has come or the breach has ended.
        """
        clock = self.clock
        if clock.since is None:
            return None
        if self.breached_due is None:
            waited = clock.limit if self.warned_at else self.warning
        elif self.relieved_at is None and self.escalated < len(escalation):
            waited = clock.limit + timedelta(seconds=escalation[self.escalated].after_seconds)
        else:
            return None
        return clock.since + (waited - clock.waited)

    @property
    def is_near(self) -> bool:
        """Whether the ticket can be called next, and has come near its limit or passed it."""
        return self.state is State.WAITING and (self.warned_at or self.breached_due) is not None

    def over_limit_since(self, now: datetime) -> datetime | None:
        """When the limit passed while the visitor waited, on record or not yet; None if it did not."""
        if self.breached_due:
            return self.breached_due
        due = self.clock.due
        return due if due and due <= now else None

    @property
    def in_breach(self) -> bool:
        """Whether somebody was told that the limit has passed, and nobody yet that the wait has ended."""
        return self.escalated > 0 and self.relieved_at is None

    @property
    def warning(self) -> timedelta:
        """The wait after which the visitor is near the limit."""
        if self.warning_seconds is None:
            return timedelta(seconds=usual_warning(int(self.clock.limit.total_seconds())))
        return timedelta(seconds=self.warning_seconds)


def ticket_id(day: date, letter: str, serial: int) -> str:
    """The ticket's name within its office for all time: the business day and the number."""
    return f"{day.isoformat().replace('-', '')}-{letter}{str(serial).zfill(3)}"


def born(fact: Issued) -> Ticket:
    """The ticket as it is issued."""
    return Ticket(
        id=fact.ticket,
        letter=fact.letter,
        serial=fact.serial,
        day=fact.day,
        issued_offline=fact.issued_at is not None,
        issued_service=fact.service,
        service=fact.service,
        channel=fact.channel,
        category=fact.category,
        stops=fact.stops,
        ahead_at_issue=fact.ahead,
        issued_at=fact.issued_at or fact.at,
        clock_start=fact.clock_start,
        clock=WaitClock(timedelta(seconds=fact.limit_seconds), since=fact.clock_start),
        warning_seconds=fact.warning_seconds,
        state_since=fact.at,
        language=fact.language,
        claim=fact.claim,
    )


def refuse_unless_allowed(ticket: str, state: State, step: type[TicketFact]) -> None:
    """Nothing when the table has `step` from `state`; else StepForbidden."""
    if step not in LIFECYCLE[state]:
        raise StepForbidden(ticket=ticket, state=state.value, step=step.__name__)


def moved(ticket: Ticket, fact: TicketFact) -> Ticket:
    """The ticket after `fact`; StepForbidden when the table has no such step."""
    refuse_unless_allowed(ticket.id, ticket.state, type(fact))
    state = LIFECYCLE[ticket.state][type(fact)]
    changes = _changes(ticket, cast(Move, fact))
    if state is not ticket.state:
        changes |= {"state": state, "state_since": fact.at}
    return _changed(ticket, changes)


def taken_back(ticket: Ticket, before: Ticket, at: datetime) -> Ticket:
    """The ticket as it was before a step, with what has come to light since: a breach and an examined right stay."""
    kept = {name: getattr(ticket, name) for name in _COMES_TO_LIGHT}
    if not before.clock.runs:
        kept["relieved_at"] = ticket.relieved_at
    elif ticket.claim_verified is not before.claim_verified:
        kept["clock"] = before.clock.limited(ticket.clock.limit)
    return _changed(before, kept | _waited_meanwhile(ticket, before, at))


_COMES_TO_LIGHT = (
    *("category_verified", "category_withdrawn", "warned_at", "breached_due", "breach_recorded_at"),
    *("claim_verified", "warning_seconds"),
    *("escalated", "acknowledged", "wait_told", "stars"),
)
# Relief is not among them: who waits again because a call was taken back has not been relieved by it.


def _waited_meanwhile(ticket: Ticket, before: Ticket, at: datetime) -> dict[str, Any]:
    """What was waited while the step stood stays on the clock, and is not spent at the counter a second time."""
    if before.clock.runs:
        return {}
    clock = ticket.clock.stopped(at)
    sum_of_state = "serving" if before.state is State.SERVING else "answering"
    return {"clock": clock, sum_of_state: getattr(before, sum_of_state) - (clock.waited - before.clock.waited)}


def retold(facts: Iterable[TicketFact]) -> Ticket | None:
    """One ticket folded from its own facts alone; None when there are none."""
    ticket = before = None
    for fact in facts:
        if isinstance(fact, Issued):
            ticket = born(fact)
            continue
        assert ticket is not None, "a ticket's facts begin with its issue"
        if isinstance(fact, Undone):
            assert before is not None, "a step comes before its undoing"
            ticket = taken_back(ticket, before, fact.at)
        else:
            before = ticket if type(fact) in STEPS else before
            ticket = moved(ticket, fact)
    return ticket


def _changed(ticket: Ticket, changes: dict[str, Any]) -> Ticket:
    # dataclasses.replace reads and sets every field by name, and this is on the way of every command: 8 times as slow.
    changed = object.__new__(Ticket)
    changed.__dict__ = ticket.__dict__ | changes
    return changed


NOT_ANNOUNCED = {"shown_at": None, "spoken_at": None}
"""A call that no board has told of yet."""


def _changes(ticket: Ticket, fact: Move) -> dict[str, Any]:
    match fact:
        case Called(at=at):
            clock = ticket.clock.stopped(at)
            return {
                "clock": clock,
                "counter": fact.counter,
                "operator": fact.operator,
                "calls": ticket.calls + 1,
                "recalls": 0,
                "first_called_at": ticket.first_called_at or at,
                "last_called_at": at,
                "wait_to_call": clock.waited if ticket.wait_to_call is None else ticket.wait_to_call,
                "wait_told": True,
                **NOT_ANNOUNCED,
            }
        case Recalled(at=at):
            return {"recalls": ticket.recalls + 1, "last_called_at": at, **NOT_ANNOUNCED}
        case Announced(how=how, at=at):
            return {"shown_at" if how is Told.SHOWN else "spoken_at": at}
        case Started(at=at):
            spent = _time_spent(ticket, at)
            return spent | {
                "started_at": ticket.started_at or at,
                "wait_to_start": ticket.clock.waited + spent["answering"],
            }
        case Served(at=at):
            return _time_spent(ticket, at) | {"ended_at": at, "outcome": fact.outcome}
        case MovedOn(stop=stop):
            place = {"service": stop.service, "only_counter": stop.counter, "stops": ticket.stops[1:]}
            return _waiting_again(ticket, fact.at) | place | {"outcome": fact.outcome}
        case Missed(at=at, since=since):
            return _time_spent(ticket, at) | {"ended_at": since or at}
        case Absent(at=at, until=until):
            first = ticket.first_absent_at or at
            missed = {"absences": ticket.absences + 1, "first_absent_at": first, "missed_call_at": ticket.state_since}
            return _time_spent(ticket, at) | missed | {"late_until": until}
        case Readmitted():
            return _readmitted(ticket, fact)
        case Returned():
            return _waiting_again(ticket, fact.at)
        case Held(by=by, at=at):
            spent = _time_spent(ticket, at)
            clock = _running(ticket, at) if by is HeldBy.OFFICE else ticket.clock.stopped(at)
            asked = ticket.asked_for_time + fact.asked
            return spent | {"clock": clock, "held_by": by, "held_until": fact.until, "asked_for_time": asked}
        case Resumed(since=since):
            return {"clock": _running(ticket, since), "held_by": None, "held_until": None}
        case Transferred(to=to, back=back):
            place = {"service": to.service, "only_counter": to.counter}
            stops = (back, *ticket.stops) if back else ticket.stops
            return _waiting_again(ticket, fact.at) | place | {"stops": stops, "state_since": fact.at}
        case Left(at=at):
            spent = _time_spent(ticket, at)
            return spent | {"clock": ticket.clock.stopped(at), "ended_at": at, "wait_told": True}
        case Unserved(since=since):
            return {"clock": ticket.clock.stopped(since), "ended_at": since, "wait_told": True}
        case Breached(due=due, at=at):
            return {"breached_due": due, "breach_recorded_at": at}
        case Warned(since=since):
            return {"warned_at": since}
        case Escalated(step=step):
            return {"escalated": step + 1}
        case Acknowledged(at=at):
            said = Acknowledgement(at=at, by=fact.by, cause=fact.cause, remark=fact.remark)
            return {"acknowledged": said}
        case Relieved(at=at):
            return {"relieved_at": at}
        case CategoryVerified():
            return {"category_verified": True}
        case CategoryWithdrawn():
            return {"category_withdrawn": True}
        case ClaimVerified():
            limit = {"clock": ticket.clock.limited(timedelta(seconds=fact.limit_seconds))}
            return limit | {"claim_verified": True, "warning_seconds": fact.warning_seconds}
        case Rated(stars=stars):
            return {"stars": stars}
        case _:
            assert_never(fact)


def _time_spent(ticket: Ticket, until: datetime) -> dict[str, Any]:
    """What leaving the present state adds to the visit's sums."""
    match ticket.state:
        case State.CALLED:
            # Booked visitors who came early are called before their slot at times; until the slot nobody waits.
            return {"answering": ticket.answering + max(NOTHING, until - max(ticket.state_since, ticket.clock_start))}
        case State.SERVING:
            return {"serving": ticket.serving + (until - ticket.state_since)}
        case _:
            return {}


def _readmitted(ticket: Ticket, fact: Readmitted) -> dict[str, Any]:
    """Waiting again. What is counted as a wait since the call was neither answering nor time away."""
    back = {"clock": _running(ticket, fact.since), "late_until": None}
    if fact.since < fact.at:
        answered = max(NOTHING, ticket.state_since - max(fact.since, ticket.clock_start))
        return back | {"answering": ticket.answering - answered}
    return back | {"away": ticket.away + (fact.at - ticket.state_since)}


def readmitted_since(ticket: Ticket, now: datetime) -> datetime:
    """From when on a late visitor who is there now waits again; never so that the clock reads more than has passed."""
    assert ticket.missed_call_at, "who is late has missed a call"
    if now - ticket.state_since > QUICK_RETURN:
        return now
    return min(now, max(ticket.missed_call_at, ticket.clock_start + ticket.clock.waited))


def _waiting_again(ticket: Ticket, at: datetime) -> dict[str, Any]:
    return _time_spent(ticket, at) | {"clock": _running(ticket, at)}


def _running(ticket: Ticket, at: datetime) -> WaitClock:
    # A booked visitor who came early and is sent back to the line still waits only from the slot on.
    return ticket.clock.started(max(at, ticket.clock_start))
