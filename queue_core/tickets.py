"""One visitor's ticket, and the table of its life."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, assert_never, cast

from queue_core.errors import StepForbidden
from queue_core.facts import (
    Breached,
    Called,
    CategoryVerified,
    CategoryWithdrawn,
    Held,
    HeldBy,
    Issued,
    Left,
    Missed,
    Move,
    MovedOn,
    Outcome,
    Rank,
    Recalled,
    Resumed,
    Returned,
    Served,
    Started,
    Stop,
    TicketFact,
    Transferred,
    Undone,
    Unserved,
)
from queue_core.office import Channel
from queue_core.waits import NOTHING, WaitClock


class State(StrEnum):
    """Where a visit stands."""

    WAITING = "waiting"
    CALLED = "called"
    SERVING = "serving"
    HELD = "held"
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
        Breached: State.WAITING,
        CategoryVerified: State.WAITING,
        CategoryWithdrawn: State.WAITING,
    },
    State.CALLED: {
        Recalled: State.CALLED,
        Started: State.SERVING,
        Missed: State.MISSED,
        Returned: State.WAITING,
        Held: State.HELD,
        Transferred: State.WAITING,
        Left: State.LEFT,
        CategoryVerified: State.CALLED,
        CategoryWithdrawn: State.CALLED,
    },
    State.SERVING: {
        Served: State.SERVED,
        MovedOn: State.WAITING,
        Returned: State.WAITING,
        Held: State.HELD,
        Transferred: State.WAITING,
        CategoryVerified: State.SERVING,
        CategoryWithdrawn: State.SERVING,
    },
    State.HELD: {
        Resumed: State.WAITING,
        Left: State.LEFT,
        Unserved: State.UNSERVED,
        Breached: State.HELD,
    },
    State.SERVED: {},
    State.MISSED: {},
    State.LEFT: {},
    State.UNSERVED: {},
}
"""The life of a ticket. It is born waiting by `Issued`; `Undone` takes it back to before one of the `STEPS`."""

STEPS = frozenset({Called, Started, Served, MovedOn, Missed, Returned, Held, Transferred})
"""What an operator does at a counter and may take back. Each of them changes the state of somebody at a counter."""

AT_COUNTER = frozenset({State.CALLED, State.SERVING})
"""States in which the visitor has a counter to go to; a counter has at most one such visitor."""

ENDED = frozenset(state for state, steps in LIFECYCLE.items() if not steps)
"""States in which the visit is over."""


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """One visitor's place and everything known of the visit.

    `clock` is the regulatory wait; `answering` adds up the time between a call and the visitor's arrival at the
    counter; `serving` the time in service. `counter` and `operator` are the last that had to do with the visit;
    `only_counter` is the one it waits for by name. `wait_told` is set once the wait has gone into the statistics, so
    that a call taken back and made again does not count twice.
    """

    id: str
    letter: str
    serial: int
    day: date
    issued_service: str
    service: str
    channel: Channel
    category: str | None
    category_verified: bool = False
    category_withdrawn: bool = False
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
    wait_told: bool = False

    @property
    def number(self) -> str:
        """What is printed and called, such as `A012`."""
        return f"{self.letter}{self.serial:03d}"

    @property
    def rank(self) -> Rank:
        """The class in which the ticket waits."""
        if self.category and not self.category_withdrawn:
            return Rank.OUT_OF_TURN
        return Rank.BOOKED if self.channel is Channel.BOOKED else Rank.WALK_IN

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


def ticket_id(day: date, letter: str, serial: int) -> str:
    """The ticket's name within its office for all time: the business day and the number."""
    return f"{day.year:04d}{day.month:02d}{day.day:02d}-{letter}{serial:03d}"


def born(fact: Issued) -> Ticket:
    """The ticket as it is issued."""
    return Ticket(
        id=fact.ticket,
        letter=fact.letter,
        serial=fact.serial,
        day=fact.day,
        issued_service=fact.service,
        service=fact.service,
        channel=fact.channel,
        category=fact.category,
        stops=fact.stops,
        ahead_at_issue=fact.ahead,
        issued_at=fact.at,
        clock_start=fact.clock_start,
        clock=WaitClock(timedelta(seconds=fact.limit_seconds), since=fact.clock_start),
        state_since=fact.at,
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
    kept = ("category_verified", "category_withdrawn", "breached_due", "breach_recorded_at", "wait_told")
    return _changed(before, {name: getattr(ticket, name) for name in kept} | _waited_meanwhile(ticket, before, at))


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
    changed.__dict__.update(ticket.__dict__)
    changed.__dict__.update(changes)
    return changed


def _changes(ticket: Ticket, fact: Move) -> dict[str, Any]:
    match fact:
        case Called(at=at):
            return {
                "clock": ticket.clock.stopped(at),
                "counter": fact.counter,
                "operator": fact.operator,
                "calls": ticket.calls + 1,
                "recalls": 0,
                "first_called_at": ticket.first_called_at or at,
                "last_called_at": at,
                "wait_to_call": ticket.clock.reading(at) if ticket.wait_to_call is None else ticket.wait_to_call,
                "wait_told": True,
            }
        case Recalled(at=at):
            return {"recalls": ticket.recalls + 1, "last_called_at": at}
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
        case Missed(at=at):
            return _time_spent(ticket, at) | {"ended_at": at}
        case Returned():
            return _waiting_again(ticket, fact.at)
        case Held(by=by, at=at):
            spent = _time_spent(ticket, at)
            clock = _running(ticket, at) if by is HeldBy.OFFICE else ticket.clock.stopped(at)
            return spent | {"clock": clock, "held_by": by, "held_until": fact.until}
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
        case CategoryVerified():
            return {"category_verified": True}
        case CategoryWithdrawn():
            return {"category_withdrawn": True}
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


def _waiting_again(ticket: Ticket, at: datetime) -> dict[str, Any]:
    return _time_spent(ticket, at) | {"clock": _running(ticket, at)}


def _running(ticket: Ticket, at: datetime) -> WaitClock:
    # A booked visitor who came early and is sent back to the line still waits only from the slot on.
    return ticket.clock.started(max(at, ticket.clock_start))
