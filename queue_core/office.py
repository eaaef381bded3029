"""How an office is set up: services, counters, hours, promises. Values only; a description file is read elsewhere."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from queue_core.values import value

Words = Mapping[str, str]
"""A text by language, `{"ru": ..., "en": ...}`."""


class Channel(StrEnum):
    """How a visitor came: off the street, or with a booking."""

    WALK_IN = "walk_in"
    BOOKED = "booked"


class Discipline(StrEnum):
    """The order an office has chosen; `discipline.py` says what each one means."""

    ACCUMULATING_PRIORITY = "accumulating_priority"
    ARRIVAL = "arrival"
    EARLIEST_DUE = "earliest_due"


@value(kw_only=True)
class Limits:
    """The longest wait promised on each channel, in seconds; and the wait after which a visitor is near that limit.

    A warning of None comes at two thirds of its limit.
    """

    walk_in: int = 900
    booked: int = 300
    walk_in_warning: int | None = None
    booked_warning: int | None = None

    def seconds(self, channel: Channel) -> int:
        """The limit of one channel."""
        return self.booked if channel is Channel.BOOKED else self.walk_in

    def warning_seconds(self, channel: Channel) -> int:
        """The warning of one channel."""
        given = self.booked_warning if channel is Channel.BOOKED else self.walk_in_warning
        return usual_warning(self.seconds(channel)) if given is None else given


def usual_warning(limit_seconds: int) -> int:
    """Two thirds of a limit: 10 of 15 minutes."""
    return limit_seconds * 2 // 3


@value(kw_only=True)
class Escalation:
    """Who is told that a visitor waits past the limit, and how many seconds past it."""

    role: str
    after_seconds: int


@value(kw_only=True)
class Group:
    """A heading of the kiosk's menu."""

    id: str
    name: Words


@value(kw_only=True)
class Service:
    """What people come for. Services with one letter share one series of numbers."""

    id: str
    letter: str
    name: Words
    group: str | None = None
    limits: Limits = Limits()


@value(kw_only=True)
class Counter:
    """A window and the services it serves."""

    id: str
    name: Words
    services: tuple[str, ...]

    def serves(self, service: str, only_counter: str | None) -> bool:
        """Whether a visitor goes here for a service, given the one counter that will do, if it has to be one."""
        return service in self.services and only_counter in (None, self.id)


@value(kw_only=True)
class Category:
    """An out-of-turn right, with the document that it rests on."""

    id: str
    name: Words
    basis: Words


@value(kw_only=True)
class Opening:
    """One stretch of opening hours, in the office's own time. `closes` at 00:00 is the midnight that ends the day."""

    weekday: int
    opens: time
    closes: time


@value(kw_only=True)
class Office:
    """One hall as its administrator described it.

    `escalation` begins at 0 seconds past the limit and goes on in time. A counter is idle after `idle_seconds` without
    a visitor, or `long_pause_seconds` of a pause. A visitor may step aside for `more_time_seconds`, `more_time_limit`
    times. A kiosk holds `offline_numbers` of each series in advance, to go on with when the server is away.

    Nobody is taken for absent before `no_show_seconds` after the call. Who was may come back for `late_seconds`,
    `late_limit` times; 0 ends the visit at once. Visitors may claim a booking at a kiosk if `kiosk_claims`.
    """

    id: str
    name: Words
    zone: str
    languages: tuple[str, ...] = ("ru", "en")
    hotline: str | None = None
    groups: tuple[Group, ...] = ()
    services: tuple[Service, ...]
    counters: tuple[Counter, ...]
    categories: tuple[Category, ...] = ()
    hours: tuple[Opening, ...]
    discipline: Discipline = Discipline.ACCUMULATING_PRIORITY
    booked_weight: int = 5
    recall_limit: int = 2
    undo_seconds: int = 60
    closes_after_minutes: int = 180
    escalation: tuple[Escalation, ...] = (
        Escalation(role="operator", after_seconds=0),
        Escalation(role="administrator", after_seconds=180),
        Escalation(role="director", after_seconds=600),
    )
    idle_seconds: int = 60
    long_pause_seconds: int = 600
    more_time_seconds: int = 600
    more_time_limit: int = 1
    offline_numbers: int = 25
    no_show_seconds: int = 60
    late_seconds: int = 600
    late_limit: int = 1
    kiosk_claims: bool = False

    def service(self, service_id: str) -> Service | None:
        """The service of that id."""
        return next((service for service in self.services if service.id == service_id), None)

    def counter(self, counter_id: str) -> Counter | None:
        """The counter of that id."""
        return next((counter for counter in self.counters if counter.id == counter_id), None)

    def category(self, category_id: str) -> Category | None:
        """The category of that id."""
        return next((category for category in self.categories if category.id == category_id), None)

    def date_at(self, now: datetime) -> date:
        """The calendar day in the office's zone."""
        return now.astimezone(ZoneInfo(self.zone)).date()

    def stretches(self, day: date) -> list[tuple[datetime, datetime]]:
        """The opening hours of one day as instants, in order."""
        zone = ZoneInfo(self.zone)
        return sorted(
            (_instant(day, opening.opens, zone), _instant(_last_date(day, opening), opening.closes, zone))
            for opening in self.hours
            if opening.weekday == day.weekday()
        )

    def receives_at(self, now: datetime) -> tuple[bool, datetime]:
        """Whether the hours say that visitors are received at this instant, and until when that stays so."""
        today = self.date_at(now)
        stretches = [*self.stretches(today), *self.stretches(today + timedelta(days=1))]
        receives = any(opens <= now < closes for opens, closes in stretches)
        changes = (instant for stretch in stretches for instant in stretch if instant > now)
        return receives, min(changes, default=now + timedelta(days=1))

    def next_opening(self, now: datetime, after: date | None) -> datetime | None:
        """The first instant from `now` on at which the hours open a day later than `after`; None within a week."""
        today = self.date_at(now)
        for day in (today + timedelta(days=offset) for offset in range(8)):
            if after is None or day > after:
                for opens, closes in self.stretches(day):
                    if closes > now:
                        return max(opens, now)
        return None

    def closing_of(self, day: date, opened_at: datetime) -> datetime | None:
        """When a day left open closes by itself; None for an office that goes straight on into the next day.

        A day without hours, opened by hand, lasts to its midnight. The grace counts from a late opening.
        """
        stretches = self.stretches(day)
        midnight = _instant(day + timedelta(days=1), time(), ZoneInfo(self.zone))
        last = max((closes for _, closes in stretches), default=midnight)
        closing = max(last, opened_at) + timedelta(minutes=self.closes_after_minutes)
        following = self.next_opening(last, after=day)
        return None if following and following <= closing else closing


def _last_date(day: date, opening: Opening) -> date:
    return day + timedelta(days=1) if opening.closes == time() else day


def _instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    # Through UTC, because two local times of one zone compare by the wall and not by the instant.
    return datetime.combine(day, at, zone).astimezone(UTC)
