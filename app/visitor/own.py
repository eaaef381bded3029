"""A visit as its visitor may see it: everything about this visit, and nothing about anybody else's.

The shapes are this page's own. What is not written out here does not leave by it: no operator's name, no internal
remark, and of other visitors no more than the numbers that every board has shown.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from app.clock import Clock
from app.journal import Recorded
from app.visitor.standing import expected_call, in_order, place_in
from app.visitor.steps import NamedOut, StepOut, counter_out, named_out, service_out, timeline
from app.web.headers import demo_mark
from app.web.models import Moment, Seconds, Words
from app.web.plain import instant, instant_or_none
from queue_core.commands import AskForTime, Cancel, ComeBack, Command, Rate, Readmit
from queue_core.decisions import decide
from queue_core.errors import Refusal
from queue_core.facts import HeldBy, Rank, Readmission, TicketFact
from queue_core.hall import Call, Hall
from queue_core.office import Channel
from queue_core.tickets import State, Ticket, retold

PASSED_SHOWN = 10


class Why(StrEnum):
    """Why somebody went first who came later: a right to go out of turn, a booking, an operator's choice on record,
    because the other one was away, or because the order of the office has it so."""

    OUT_OF_TURN = "out_of_turn"
    BOOKED = "booked"
    CHOSEN = "chosen"
    WHILE_AWAY = "while_away"
    RULE = "rule"


class OwnOffice(TypedDict):
    """The office of the visit. `hotline` is whom to call when a promise is broken."""

    id: str
    name: Words
    hotline: str | None
    languages: list[str]
    zone: str


class MoreTime(TypedDict):
    """For how long the visitor may step aside now, and how often still."""

    seconds: Seconds
    left: Annotated[int, Field(ge=1)]


class May(TypedDict):
    """What the visitor may do now."""

    leave: bool
    more_time: MoreTime | None
    back: bool
    here: bool
    rate: bool


class PassedBy(TypedDict):
    """A number that came later and was called first."""

    number: str
    at: Moment
    why: Why


class OwnVisit(TypedDict):
    """A visit as it stands now.

    `due` is when the limit is reached if nobody calls, null while the clock stands. `ahead` is set while the visitor is
    in line, and `expected_at` too where the counters have called often enough lately. `counter` and `called_at` are set
    from the call to the end of service. `held_by` and `held_until` are set while the ticket is out of the line, and
    `late_until` while a visitor who missed the call may still come. `claim` is the booking that nobody has found yet.
    """

    office: OwnOffice
    seq: int
    server_time: Moment
    demo: str | None
    number: str
    service: NamedOut
    state: State
    channel: Channel
    category: NamedOut | None
    language: str | None
    issued_at: Moment
    clock_start: Moment
    limit_seconds: Seconds
    waited_seconds: Seconds
    due: Moment | None
    over_limit_since: Moment | None
    ahead: Annotated[int, Field(ge=0)] | None
    expected_at: Moment | None
    counter: NamedOut | None
    called_at: Moment | None
    held_by: HeldBy | None
    held_until: Moment | None
    late_until: Moment | None
    claim: Moment | None
    ended_at: Moment | None
    stars: int | None
    may: May
    passed_by: list[PassedBy]
    timeline: list[StepOut]


def own_visit(hall: Hall, history: Sequence[Recorded], clock: Clock) -> OwnVisit:
    """The visit of a history, in the hall as it is now."""
    visit = _Visit(hall, history)
    ticket, now = visit.ticket, hall.moment(clock.now())
    order = in_order(hall, ticket, now) if visit.is_in_line else []
    ahead = place_in(order, ticket) if order else None
    is_called = ticket.at_counter and ticket.counter
    return {
        "office": _office(hall),
        "seq": hall.seq,
        "server_time": instant(now),
        "demo": demo_mark(clock),
        "number": ticket.number,
        "service": service_out(hall, ticket.service),
        "state": ticket.state,
        "channel": ticket.channel,
        "category": _category(hall, ticket.category) if ticket.category else None,
        "language": ticket.language,
        "issued_at": instant(ticket.issued_at),
        "clock_start": instant(ticket.clock_start),
        "limit_seconds": int(ticket.clock.limit.total_seconds()),
        "waited_seconds": int(ticket.clock.reading(now).total_seconds()),
        "due": instant_or_none(ticket.clock.due),
        "over_limit_since": instant_or_none(_over_limit_since(ticket, now)),
        "ahead": ahead,
        "expected_at": None if ahead is None else instant_or_none(expected_call(hall, ticket, ahead, now)),
        "counter": counter_out(hall, ticket.counter) if is_called and ticket.counter else None,
        "called_at": instant_or_none(ticket.last_called_at) if is_called else None,
        "held_by": ticket.held_by if ticket.state is State.HELD else None,
        "held_until": instant_or_none(ticket.held_until) if ticket.state is State.HELD else None,
        "late_until": instant_or_none(ticket.late_until) if ticket.state is State.LATE else None,
        "claim": None if ticket.claim_verified else instant_or_none(ticket.claim),
        "ended_at": instant_or_none(ticket.ended_at),
        "stars": hall.ratings[ticket.id].stars if ticket.id in hall.ratings else ticket.stars,
        "may": _may(hall, ticket, now),
        "passed_by": list(visit.passed_by())[:PASSED_SHOWN],
        "timeline": list(timeline(hall, history)),
    }


class _Visit:
    """A visit folded from its history, with what it was after every fact."""

    def __init__(self, hall: Hall, history: Sequence[Recorded]) -> None:
        facts = [line.fact for line in history if isinstance(line.fact, TicketFact)]
        told = retold(facts)
        assert told, "a history is not empty"
        self._hall, self._facts, self._seqs = hall, facts, [line.seq for line in history]
        self._after: dict[int, Ticket | None] = {}
        # The hall may have moved on since the journal was read.
        self.ticket = hall.tickets.get(told.id, told)
        self.is_in_line = self.ticket.in_line and told.id in hall.tickets

    def passed_by(self) -> Iterator[PassedBy]:
        """Those who came later and were called first, the latest call first."""
        named: set[str] = set()
        for call in reversed(self._hall.calls):
            if call.ticket not in named and (why := self._why(call)):
                named.add(call.ticket)
                yield {"number": call.number, "at": instant(call.at), "why": why}

    def _why(self, call: Call) -> Why | None:
        """None when the call was nothing to this visitor."""
        mine = self.ticket
        if call.again or call.ticket == mine.id or call.at <= mine.clock_start or call.clock_start <= mine.clock_start:
            return None
        then = self._as_of(call.seq)
        counter = self._hall.office.counter(call.counter)
        if then is None or not counter or not counter.serves(then.service, then.only_counter) or self._is_undone(call):
            return None
        if then.state in (State.HELD, State.LATE):
            return Why.WHILE_AWAY
        return _reason(call, then) if then.in_line else None

    def _as_of(self, seq: int) -> Ticket | None:
        """What the ticket was when another one was called."""
        told = bisect_left(self._seqs, seq)
        if told not in self._after:
            self._after[told] = retold(self._facts[:told])
        return self._after[told]

    def _is_undone(self, call: Call) -> bool:
        other = self._hall.tickets.get(call.ticket)
        return other is not None and other.in_line and (other.last_called_at is None or other.last_called_at < call.at)


def _reason(call: Call, mine: Ticket) -> Why:
    if call.by_choice:
        return Why.CHOSEN
    if call.rank is Rank.OUT_OF_TURN and mine.rank is not Rank.OUT_OF_TURN:
        return Why.OUT_OF_TURN
    if call.rank is Rank.BOOKED and mine.rank is Rank.WALK_IN:
        return Why.BOOKED
    return Why.RULE


def _over_limit_since(ticket: Ticket, now: datetime) -> datetime | None:
    """Since when, on record or not yet."""
    return ticket.over_limit_since(now)


def _may(hall: Hall, ticket: Ticket, now: datetime) -> May:
    office = hall.office
    left = office.more_time_limit - ticket.asked_for_time
    more_time: MoreTime = {"seconds": office.more_time_seconds, "left": left}
    return {
        "leave": _would(hall, Cancel(ticket.id), now),
        "more_time": more_time if _would(hall, AskForTime(ticket.id), now) else None,
        "back": _would(hall, ComeBack(ticket.id), now),
        "here": _would(hall, Readmit(ticket.id, Readmission.VISITOR), now),
        "rate": _would(hall, Rate(ticket.id, stars=5), now),
    }


def _would(hall: Hall, command: Command, now: datetime) -> bool:
    """Whether a wish would be granted now. The hall is asked, so the page has no rule of its own."""
    try:
        decide(hall, command, now)
    except Refusal:
        return False
    return True


def _office(hall: Hall) -> OwnOffice:
    office = hall.office
    return {
        "id": office.id,
        "name": dict(office.name),
        "hotline": office.hotline,
        "languages": list(office.languages),
        "zone": office.zone,
    }


def _category(hall: Hall, name: str) -> NamedOut:
    return named_out(hall, name, hall.office.category(name))
