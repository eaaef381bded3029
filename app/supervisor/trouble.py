"""How an office does at a glance, and which one needs somebody first."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from operator import attrgetter

from queue_core.hall import CounterState, Hall, Session
from queue_core.office import Channel, Counter
from queue_core.tickets import Ticket
from queue_core.values import value

NEVER = 2**31
"""Minutes until a limit that nobody is near."""


@value(kw_only=True)
class Glance:
    """What changes in an office only when something happens there. Times are told by whoever knows what time it is.

    `dues` are those of everybody whose wait clock runs, held by the office included, the earliest first; `tightest` is
    whose limit comes or came first.
    """

    seq: int
    dues: tuple[datetime, ...]
    tightest: Ticket | None
    oldest: datetime | None
    warned: int
    acknowledged: int
    counters: Mapping[str, int]
    idle: int
    kept: Mapping[Channel, tuple[int, int]]

    def over_limit(self, now: datetime) -> int:
        """How many wait past their limit."""
        return bisect_right(self.dues, now)

    def share(self, now: datetime) -> float:
        """How much of the promised wait is used up by whoever is closest to its end, or past it."""
        return share_of(self.tightest, now) if self.tightest else 0.0

    def trouble(self, now: datetime) -> tuple[float, ...]:
        """Compared with another office's, the smaller goes first.

        People past their limit; the nearest limit, in whole minutes; the wait against its limit; counters that stand
        idle while somebody waits for them.
        """
        nearest = (self.dues[0] - now) // timedelta(minutes=1) if self.dues else NEVER
        return -self.over_limit(now), nearest, -self.share(now), -self.idle


class Glances:
    """A glance at every office, looked at anew only where something has happened."""

    def __init__(self) -> None:
        self._seen: dict[str, Glance] = {}

    def at(self, hall: Hall) -> Glance:
        """How the hall does."""
        seen = self._seen.get(hall.office_id)
        if seen is None or seen.seq != hall.seq:
            seen = self._seen[hall.office_id] = glance(hall)
        return seen


def glance(hall: Hall) -> Glance:
    """The hall at a glance."""
    waiting = sorted((ticket for ticket in hall.tickets.values() if ticket.clock.due), key=_due)
    return Glance(
        seq=hall.seq,
        dues=tuple(map(_due, waiting)),
        tightest=waiting[0] if waiting else None,
        oldest=min((since for ticket in waiting if (since := ticket.clock.as_if_since)), default=None),
        warned=sum(map(_is_near, waiting)),
        acknowledged=sum(ticket.acknowledged is not None for ticket in waiting),
        counters=_counters(hall),
        idle=sum(_is_idle(hall, counter) for counter in hall.office.counters),
        kept={channel: _kept(hall, channel) for channel in (Channel.WALK_IN, Channel.BOOKED)},
    )


def needing_attention(hall: Hall, now: datetime) -> list[Ticket]:
    """Who waits near the limit or past it, the earliest due first; then who waited past it and is still in the hall.

    Past it is whoever the clock says is, whether or not that could be recorded.
    """
    near = (ticket for ticket in hall.people() if _is_near(ticket) or ticket.over_limit_since(now))
    waiting = sorted((ticket for ticket in near if ticket.clock.due), key=_due)
    waited = (ticket for ticket in hall.people() if ticket.breached_due and not ticket.clock.runs)
    return waiting + sorted(waited, key=_breached_due)


def share_of(ticket: Ticket, now: datetime) -> float:
    """How much of its limit a ticket has waited: 1 is all of it."""
    return ticket.clock.reading(now) / ticket.clock.limit


def matching(halls: Iterable[Hall], words: str) -> Iterator[Hall]:
    """The halls whose id or one of whose names holds these words."""
    sought = words.casefold().strip()
    for hall in halls:
        if any(sought in name.casefold() for name in (hall.office_id, *hall.office.name.values())):
            yield hall


_due, _breached_due = attrgetter("clock.due"), attrgetter("breached_due")


def _is_near(ticket: Ticket) -> bool:
    return ticket.clock.runs and (ticket.warned_at or ticket.breached_due) is not None


def _counters(hall: Hall) -> Mapping[str, int]:
    """How many counters serve somebody, are free, are paused and are closed."""
    doing = [_doing(hall.session(counter.id)) for counter in hall.office.counters]
    return {what: doing.count(what) for what in ("serving", "free", "paused", "closed")}


def _doing(session: Session) -> str:
    if session.ticket:
        return "serving"
    return "free" if session.state is CounterState.OPEN else session.state.value


def _is_idle(hall: Hall, counter: Counter) -> bool:
    """Whether a counter is free while somebody stands in line for it."""
    return _doing(hall.session(counter.id)) == "free" and bool(hall.heads(counter))


def _kept(hall: Hall, channel: Channel) -> tuple[int, int]:
    services = [service.id for service in hall.office.services]
    met, breached = (sum(hall.today(name, service, channel) for service in services) for name in ("met", "breached"))
    return met, breached
