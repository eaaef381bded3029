"""An office's live state, the same bytes for whoever asks and for whoever listens."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from heapq import nsmallest
from typing import Annotated

import msgspec
from pydantic import WithJsonSchema
from typing_extensions import TypedDict

from app.clock import Clock
from app.web.headers import demo_mark
from app.web.models import Moment, Seconds, Words
from app.web.plain import instant, instant_or_none
from queue_core.discipline import next_in_line, place
from queue_core.facts import HeldBy, Rank
from queue_core.hall import Call, CounterState, Hall, Session
from queue_core.office import Channel, Counter, Discipline, Office, Service
from queue_core.tickets import State, Ticket

LINE_SHOWN = 100
"""How many of those in line, and of those held, a snapshot names; the others are counted."""

Day = Annotated[str, WithJsonSchema({"type": "string", "format": "date"})]


class ServiceState(TypedDict):
    """A service and its line. `closed_because` is set while no tickets are issued for it.

    `warned` of those waiting have come near their limit or passed it; `over_limit` have passed it. The first in line
    has waited for `longest_wait_seconds`, which is also the plainest guess at the wait of somebody who comes now.
    """

    id: str
    letter: str
    name: Words
    group: str | None
    closed_because: str | None
    limit_seconds: dict[Channel, Seconds]
    warning_seconds: dict[Channel, Seconds]
    waiting: int
    longest_wait_seconds: Seconds
    oldest_clock_start: Moment | None
    earliest_due: Moment | None
    warned: int
    over_limit: int


class VisitorAtCounter(TypedDict):
    """A ticket called or in service. `shown_at` and `spoken_at` are when a board first told of the latest call."""

    ticket: str
    number: str
    state: State
    service: str
    channel: Channel
    rank: Rank
    category: str | None
    category_verified: bool
    language: str | None
    stops: list[str]
    state_since: Moment
    called_at: Moment | None
    recalls: int
    shown_at: Moment | None
    spoken_at: Moment | None


class CounterNow(TypedDict):
    """A counter and its visitor. `waits` says whether somebody is in line whom it could call now, and `undo_until` how
    long its last step can still be taken back."""

    id: str
    name: Words
    services: list[str]
    waits: bool
    undo_until: Moment | None
    state: CounterState
    since: Moment | None
    operator: str | None
    reason: str | None
    visitor: VisitorAtCounter | None


class PlaceInLine(TypedDict):
    """A ticket in line. `counter` is set when only that one will do, `claim` when the visitor says to have booked that
    time and nobody has found the booking.

    `over_limit_since` is when the limit passed, on record or not yet; `acknowledged`, whether somebody has answered
    for it.
    """

    ticket: str
    number: str
    service: str
    counter: str | None
    channel: Channel
    rank: Rank
    claim: Moment | None
    clock_start: Moment
    waited_seconds: Seconds
    due: Moment | None
    over_limit: bool
    over_limit_since: Moment | None
    acknowledged: bool


class OnHold(TypedDict):
    """A ticket out of the line for a while: on whose account, and when it comes back by itself if it does. `counter` is
    the last that had to do with it."""

    ticket: str
    number: str
    service: str
    counter: str | None
    by: HeldBy
    since: Moment
    until: Moment | None


class LateOut(TypedDict):
    """A ticket that was called for nothing and is waited for `until` then. `counter` is the one that called it."""

    ticket: str
    number: str
    service: str
    counter: str | None
    since: Moment
    until: Moment | None


class CallOut(TypedDict):
    """One of the latest calls: `seq` is its fact, `again` a recall, `missed` that the visitor did not come, in time or
    at all."""

    seq: int
    at: Moment
    ticket: str
    number: str
    service: str
    counter: str
    again: bool
    missed: bool


class Kept(TypedDict):
    """How many of today's waits on one channel were ended in time, and how many passed the limit."""

    met: int
    breached: int


class RatingsOut(TypedDict):
    """What today's visitors said: how many of them, and on average, from 1 to 5."""

    count: int
    average: float | None


class Snapshot(TypedDict):
    """An office as it stood at fact `seq`. `demo` names the speed of a clock that is not real, such as `60x`."""

    office: str
    name: Words
    languages: list[str]
    zone: str
    hotline: str | None
    seq: int
    server_time: Moment
    demo: str | None
    day: Day | None
    day_is_open: bool
    receives: bool
    discipline: Discipline
    services: list[ServiceState]
    counters: list[CounterNow]
    waiting: int
    held: int
    on_hold: list[OnHold]
    late: int
    late_visitors: list[LateOut]
    line: list[PlaceInLine]
    calls: list[CallOut]
    kept_today: dict[Channel, Kept]
    ratings_today: RatingsOut


def snapshot_bytes(hall: Hall, now: datetime, clock: Clock) -> bytes:
    """The snapshot as JSON, in one line."""
    return msgspec.json.encode(snapshot(hall, now, clock))


def snapshot(hall: Hall, now: datetime, clock: Clock) -> Snapshot:
    """The hall at `now`, as far as a screen can show it."""
    office = hall.office
    waiting = [ticket for ticket in hall.tickets.values() if ticket.in_line]
    held = [ticket for ticket in hall.tickets.values() if ticket.state is State.HELD]
    late = [ticket for ticket in hall.tickets.values() if ticket.state is State.LATE]
    return {
        "office": office.id,
        "name": dict(office.name),
        "languages": list(office.languages),
        "zone": office.zone,
        "hotline": office.hotline,
        "seq": hall.seq,
        "server_time": instant(now),
        "demo": demo_mark(clock),
        "day": hall.day.isoformat() if hall.day else None,
        "day_is_open": hall.day_is_open,
        "receives": hall.receives_at(now),
        "discipline": office.discipline,
        "services": list(_services(hall, waiting, now)),
        "counters": [_counter(hall, counter) for counter in office.counters],
        "waiting": len(waiting),
        "held": len(held),
        "on_hold": [_on_hold(ticket) for ticket in nsmallest(LINE_SHOWN, held, key=_held_since)],
        "late": len(late),
        "late_visitors": [_late(ticket) for ticket in nsmallest(LINE_SHOWN, late, key=_held_since)],
        "line": [_place(ticket, now) for ticket in line(waiting, office, now)],
        "calls": [_call(hall, call) for call in hall.calls],
        "kept_today": {channel: _kept(hall, channel) for channel in (Channel.WALK_IN, Channel.BOOKED)},
        "ratings_today": _ratings(hall),
    }


def line(waiting: Iterable[Ticket], office: Office, now: datetime) -> list[Ticket]:
    """The first of those in line in the office's order, as if one counter served everything."""
    by_rank: dict[Rank, list[Ticket]] = {}
    for ticket in waiting:
        by_rank.setdefault(ticket.rank, []).append(ticket)
    # Within a class it is first come, first served, so nobody further back in a class can be among the first.
    firsts = {
        ticket.id: ticket
        for tickets in by_rank.values()
        for ticket in nsmallest(LINE_SHOWN, tickets, key=lambda ticket: place(ticket, office.discipline))
    }
    because = next_in_line(firsts.values(), office, now)
    order = (because.chosen, *because.others) if because else ()
    return [firsts[candidate.ticket] for candidate in order[:LINE_SHOWN]]


def _services(hall: Hall, waiting: Iterable[Ticket], now: datetime) -> Iterator[ServiceState]:
    by_service: dict[str, list[Ticket]] = {service.id: [] for service in hall.office.services}
    for ticket in waiting:
        by_service[ticket.service].append(ticket)
    for service in hall.office.services:
        yield _service(hall, service, by_service[service.id], now)


def _service(hall: Hall, service: Service, waiting: list[Ticket], now: datetime) -> ServiceState:
    dues = [due for ticket in waiting if (due := ticket.clock.due)]
    return {
        "id": service.id,
        "letter": service.letter,
        "name": dict(service.name),
        "group": service.group,
        "closed_because": hall.closed_services.get(service.id),
        "limit_seconds": {channel: service.limits.seconds(channel) for channel in (Channel.WALK_IN, Channel.BOOKED)},
        "warning_seconds": {channel: service.limits.warning_seconds(channel) for channel in Channel},
        "waiting": len(waiting),
        "longest_wait_seconds": int(max((ticket.clock.reading(now).total_seconds() for ticket in waiting), default=0)),
        "oldest_clock_start": instant_or_none(min((ticket.clock_start for ticket in waiting), default=None)),
        "earliest_due": instant_or_none(min(dues, default=None)),
        "warned": sum(ticket.is_near for ticket in waiting),
        "over_limit": sum(due <= now for due in dues),
    }


def _counter(hall: Hall, counter: Counter) -> CounterNow:
    session = hall.session(counter.id)
    return {
        "id": counter.id,
        "name": dict(counter.name),
        "services": list(counter.services),
        "waits": bool(hall.heads(counter)),
        "undo_until": instant_or_none(_undo_until(hall, session)),
        "state": session.state,
        "since": instant_or_none(session.since),
        "operator": session.operator,
        "reason": session.reason,
        "visitor": _visitor(hall.tickets[session.ticket]) if session.ticket else None,
    }


def _visitor(ticket: Ticket) -> VisitorAtCounter:
    return {
        "ticket": ticket.id,
        "number": ticket.number,
        "state": ticket.state,
        "service": ticket.service,
        "channel": ticket.channel,
        "rank": ticket.rank,
        "category": ticket.category,
        "category_verified": ticket.category_verified,
        "language": ticket.language,
        "stops": [stop.service for stop in ticket.stops],
        "state_since": instant(ticket.state_since),
        "called_at": instant_or_none(ticket.last_called_at),
        "recalls": ticket.recalls,
        "shown_at": instant_or_none(ticket.shown_at),
        "spoken_at": instant_or_none(ticket.spoken_at),
    }


def _undo_until(hall: Hall, session: Session) -> datetime | None:
    return session.stepped_at + timedelta(seconds=hall.office.undo_seconds) if session.stepped_at else None


def _call(hall: Hall, call: Call) -> CallOut:
    return {
        "seq": call.seq,
        "at": instant(call.at),
        "ticket": call.ticket,
        "number": call.number,
        "service": call.service,
        "counter": call.counter,
        "again": call.again,
        "missed": _is_missed(hall, call),
    }


def _is_missed(hall: Hall, call: Call) -> bool:
    ticket = hall.tickets.get(call.ticket)
    return hall.outcome_of(call.ticket) is State.MISSED or (ticket is not None and ticket.state is State.LATE)


def _kept(hall: Hall, channel: Channel) -> Kept:
    services = [service.id for service in hall.office.services]
    return {
        "met": sum(hall.today("met", service, channel) for service in services),
        "breached": sum(hall.today("breached", service, channel) for service in services),
    }


def _ratings(hall: Hall) -> RatingsOut:
    stars = [rating.stars for rating in hall.ratings.values()]
    return {"count": len(stars), "average": round(sum(stars) / len(stars), 2) if stars else None}


def _held_since(ticket: Ticket) -> tuple[datetime, str]:
    return ticket.state_since, ticket.id


def _late(ticket: Ticket) -> LateOut:
    return {
        "ticket": ticket.id,
        "number": ticket.number,
        "service": ticket.service,
        "counter": ticket.counter,
        "since": instant(ticket.state_since),
        "until": instant_or_none(ticket.late_until),
    }


def _on_hold(ticket: Ticket) -> OnHold:
    assert ticket.held_by, "a held ticket is held on somebody's account"
    return {
        "ticket": ticket.id,
        "number": ticket.number,
        "service": ticket.service,
        "counter": ticket.counter,
        "by": ticket.held_by,
        "since": instant(ticket.state_since),
        "until": instant_or_none(ticket.held_until),
    }


def _place(ticket: Ticket, now: datetime) -> PlaceInLine:
    due = ticket.clock.due
    return {
        "ticket": ticket.id,
        "number": ticket.number,
        "service": ticket.service,
        "counter": ticket.only_counter,
        "channel": ticket.channel,
        "rank": ticket.rank,
        "claim": None if ticket.claim_verified else instant_or_none(ticket.claim),
        "clock_start": instant(ticket.clock_start),
        "waited_seconds": int(ticket.clock.reading(now).total_seconds()),
        "due": instant_or_none(due),
        "over_limit": due is not None and due <= now,
        "over_limit_since": instant_or_none(ticket.over_limit_since(now)),
        "acknowledged": ticket.acknowledged is not None,
    }
