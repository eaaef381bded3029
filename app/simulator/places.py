"""What a simulator needs to know of an office, as its description says it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

Stretch = tuple[datetime, datetime]
"""Opening hours as two instants."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An office: what is served where, and when. `hours` are (weekday, opens, closes); a midnight closes the day."""

    id: str
    zone: ZoneInfo
    services: tuple[str, ...]
    counters: Mapping[str, tuple[str, ...]]
    categories: tuple[str, ...]
    hours: tuple[tuple[int, time, time], ...]

    @classmethod
    def of(cls, office: Mapping[str, Any]) -> "Place":
        """The place that an office's description in the journal tells of."""
        return cls(
            id=office["id"],
            zone=ZoneInfo(office["zone"]),
            services=tuple(service["id"] for service in office["services"]),
            counters={counter["id"]: tuple(counter["services"]) for counter in office["counters"]},
            categories=tuple(category["id"] for category in office["categories"]),
            hours=tuple(
                (hour["weekday"], time.fromisoformat(hour["opens"]), time.fromisoformat(hour["closes"]))
                for hour in office["hours"]
            ),
        )

    def date_at(self, now: datetime) -> date:
        """The calendar day in the office's zone."""
        return now.astimezone(self.zone).date()

    def stretches(self, day: date) -> list[Stretch]:
        """The opening hours of a day, in order."""
        return sorted(
            (self.instant(day, opens), self.instant(day if closes != time() else day + timedelta(days=1), closes))
            for weekday, opens, closes in self.hours
            if weekday == day.weekday()
        )

    def instant(self, day: date, at: time) -> datetime:
        """A time of the office's wall clock as an instant."""
        return datetime.combine(day, at, self.zone).astimezone(ZoneInfo("UTC"))
