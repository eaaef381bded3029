"""The shape of a description: which keys it has and what each may hold. Whether its parts agree is for `agreement`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from functools import lru_cache
from typing import Annotated, TypeAlias
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    FailFast,
    Field,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import PydanticCustomError

from app.configuration.human import Unreadable, human
from queue_core.office import Category, Counter, Discipline, Escalation, Group, Limits, Office, Opening, Service

MIDNIGHT = "24:00"
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

NO_ZONES = {"Factory", "localtime"}
"""What lies among the zones and is none: not set yet, and whatever this machine is set to."""

USUAL = Office(id="", name={}, zone="", services=(), counters=(), hours=())
"""An office of which nothing is said: what a description leaves out is as here."""

_STRETCH = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|24:00)", re.ASCII)


def _slug(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", text):
        raise PydanticCustomError(
            "slug", "must be 1 to 40 lower-case Latin letters, digits and hyphens, the first not a hyphen"
        )
    return text


def _letter(text: str) -> str:
    if not re.fullmatch(r"[A-ZА-ЯЁ]", text):
        raise PydanticCustomError("letter", "must be one capital letter, A to Z or А to Я")
    return text


def _language(text: str) -> str:
    if not re.fullmatch(r"[a-z]{2,3}(-[A-Z]{2})?", text):
        raise PydanticCustomError("language", "must be a language code such as ru or en")
    return text


def _plain(text: str) -> str:
    try:
        kept = human(text)
    except Unreadable:
        kept = None
    if kept is None or text != text.strip() or not text.isprintable():
        raise PydanticCustomError(
            "plain", "must be one line of printable text with no spaces at either end, and not empty"
        )
    return kept


def _zone(text: str) -> str:
    if text not in _zones():
        raise PydanticCustomError("zone", "is not a time zone; write one such as Europe/Moscow")
    return text


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    """The names that browsers know too: those of the IANA database, and not what a machine has beside them."""
    return frozenset(available_timezones()) - NO_ZONES


def _stretch(text: str) -> str:
    if not is_stretch(text):
        raise PydanticCustomError("stretch", "must be written like 08:00-20:00, at most until 24:00")
    opens, closes = text.split("-")
    if opens >= closes:
        raise PydanticCustomError(
            "stretch", "must end after it begins; hours past midnight go on under the next day, from 00:00"
        )
    return text


UNREAD = "unread"
"""The type of a complaint about what was not read, because there were complaints enough."""


@dataclass
class Patience:
    """How many more mistakes are looked for; it is the context of a validation."""

    mistakes: int


def _while_patient(entry: object, read: ValidatorFunctionWrapHandler, info: ValidationInfo) -> object:
    patience: Patience | None = info.context
    if patience is None:
        return read(entry)
    if patience.mistakes <= 0:
        raise PydanticCustomError(UNREAD, "was not read")
    try:
        return read(entry)
    except ValidationError as error:
        patience.mistakes -= error.error_count()
        raise


IfPatient = WrapValidator(_while_patient)

Slug = Annotated[str, AfterValidator(_slug)]
Letter = Annotated[str, AfterValidator(_letter)]
Language = Annotated[str, AfterValidator(_language)]
Text = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_plain)]
Zone = Annotated[str, AfterValidator(_zone)]
Stretch = Annotated[str, AfterValidator(_stretch)]
Seconds = Annotated[int, Field(ge=1, le=86_400)]
SecondsPast = Annotated[int, Field(ge=0, le=86_400)]
Texts: TypeAlias = dict[Language, Text]


class Table(BaseModel):
    """A table of the document."""

    # Strict, because TOML and JSON both know a number from a text, and a guess would hide the slip.
    model_config = ConfigDict(strict=True, extra="forbid")


class LimitsTable(Table):
    """The longest waits promised, and the waits after which a visitor is near them."""

    walk_in_seconds: Seconds = Limits().walk_in
    booked_seconds: Seconds = Limits().booked
    walk_in_warning_seconds: Seconds | None = None
    booked_warning_seconds: Seconds | None = None

    def over(self, others: "LimitsTable") -> Limits:
        """These limits, and the others' where these say nothing. A limit of one's own has a warning of its own."""
        own, given = self.model_dump(exclude_unset=True), others.model_dump(exclude_unset=True)
        for channel in ("walk_in", "booked"):
            if f"{channel}_seconds" in own:
                given.pop(f"{channel}_warning_seconds", None)
        return Limits(**{name.removesuffix("_seconds"): seconds for name, seconds in (given | own).items()})


class EscalationTable(Table):
    """Who is told of a breach, and when."""

    role: Slug
    after_seconds: SecondsPast

    def step(self) -> Escalation:
        return Escalation(role=self.role, after_seconds=self.after_seconds)


USUAL_ESCALATION = [EscalationTable(role=each.role, after_seconds=each.after_seconds) for each in USUAL.escalation]


class GroupTable(Table):
    """A heading of the kiosk's menu."""

    id: Slug
    name: Texts

    def group(self) -> Group:
        return Group(id=self.id, name=self.name)


class ServiceTable(Table):
    """A service."""

    id: Slug
    letter: Letter
    name: Texts
    group: Slug | None = None
    limits: LimitsTable = LimitsTable()

    def service(self, usual: LimitsTable) -> Service:
        limits = self.limits.over(usual)
        return Service(id=self.id, letter=self.letter, name=self.name, group=self.group, limits=limits)


class CounterTable(Table):
    """A counter."""

    id: Slug
    name: Texts
    services: Annotated[list[Slug], FailFast()] = Field(min_length=1, max_length=1_000)

    def counter(self) -> Counter:
        return Counter(id=self.id, name=self.name, services=tuple(self.services))


class CategoryTable(Table):
    """An out-of-turn right."""

    id: Slug
    name: Texts
    basis: Texts

    def category(self) -> Category:
        return Category(id=self.id, name=self.name, basis=self.basis)


Day = Annotated[list[Stretch], Field(max_length=24)]


class HoursTable(Table):
    """The stretches of each weekday. A day left out is a day off."""

    mon: Day = []
    tue: Day = []
    wed: Day = []
    thu: Day = []
    fri: Day = []
    sat: Day = []
    sun: Day = []

    def openings(self) -> tuple[Opening, ...]:
        """In the order of the week, whatever the order in the document."""
        return tuple(
            opening_of(weekday, stretch)
            for weekday, day in enumerate(WEEKDAYS)
            for stretch in sorted(getattr(self, day))
        )


class OfficeTable(Table):
    """The whole document."""

    id: Slug
    name: Texts
    time_zone: Zone
    languages: list[Language] = Field(default=list(USUAL.languages), min_length=1, max_length=20)
    hotline: Text | None = None
    discipline: Annotated[Discipline, Field(strict=False)] = USUAL.discipline
    booked_weight: int = Field(default=USUAL.booked_weight, ge=1, le=100)
    recall_limit: int = Field(default=USUAL.recall_limit, ge=0, le=20)
    undo_seconds: int = Field(default=USUAL.undo_seconds, ge=0, le=3_600)
    closes_after_minutes: int = Field(default=USUAL.closes_after_minutes, ge=0, le=1_440)
    idle_seconds: int = Field(default=USUAL.idle_seconds, ge=1, le=3_600)
    long_pause_seconds: int = Field(default=USUAL.long_pause_seconds, ge=1, le=86_400)
    more_time_seconds: int = Field(default=USUAL.more_time_seconds, ge=60, le=7_200)
    more_time_limit: int = Field(default=USUAL.more_time_limit, ge=0, le=20)
    offline_numbers: int = Field(default=USUAL.offline_numbers, ge=0, le=200)
    no_show_seconds: int = Field(default=USUAL.no_show_seconds, ge=0, le=600)
    late_seconds: int = Field(default=USUAL.late_seconds, ge=0, le=7_200)
    late_limit: int = Field(default=USUAL.late_limit, ge=0, le=20)
    kiosk_claims: bool = USUAL.kiosk_claims
    limits: LimitsTable = LimitsTable()
    escalation: list[EscalationTable] = Field(default=USUAL_ESCALATION, min_length=1, max_length=20)
    hours: HoursTable
    groups: list[Annotated[GroupTable, IfPatient]] = Field(default=[], max_length=1_000)
    services: list[Annotated[ServiceTable, IfPatient]] = Field(min_length=1, max_length=1_000)
    counters: list[Annotated[CounterTable, IfPatient]] = Field(min_length=1, max_length=1_000)
    categories: list[Annotated[CategoryTable, IfPatient]] = Field(default=[], max_length=1_000)

    def office(self) -> Office:
        """The office described."""
        return Office(
            id=self.id,
            name=self.name,
            zone=self.time_zone,
            languages=tuple(self.languages),
            hotline=self.hotline,
            groups=tuple(group.group() for group in self.groups),
            services=tuple(service.service(self.limits) for service in self.services),
            counters=tuple(counter.counter() for counter in self.counters),
            categories=tuple(category.category() for category in self.categories),
            hours=self.hours.openings(),
            discipline=self.discipline,
            booked_weight=self.booked_weight,
            recall_limit=self.recall_limit,
            undo_seconds=self.undo_seconds,
            closes_after_minutes=self.closes_after_minutes,
            escalation=tuple(table.step() for table in self.escalation),
            idle_seconds=self.idle_seconds,
            long_pause_seconds=self.long_pause_seconds,
            more_time_seconds=self.more_time_seconds,
            more_time_limit=self.more_time_limit,
            offline_numbers=self.offline_numbers,
            no_show_seconds=self.no_show_seconds,
            late_seconds=self.late_seconds,
            late_limit=self.late_limit,
            kiosk_claims=self.kiosk_claims,
        )


def is_stretch(text: str) -> bool:
    """Whether this is a stretch of a day such as `08:00-20:00`."""
    return _STRETCH.fullmatch(text) is not None


def opening_of(weekday: int, stretch: str) -> Opening:
    """`08:00-20:00` on a weekday."""
    opens, closes = stretch.split("-")
    return Opening(weekday=weekday, opens=time.fromisoformat(opens), closes=_closing_time(closes))


def stretch_of(opening: Opening) -> str:
    """The inverse of `opening_of`."""
    closes = MIDNIGHT if opening.closes == time() else f"{opening.closes:%H:%M}"
    return f"{opening.opens:%H:%M}-{closes}"


def known_keys(path: tuple[str | int, ...]) -> list[str]:
    """The keys that the table at this place of a document may have."""
    return list(TABLES[tuple(step for step in path if isinstance(step, str))].model_fields)


TABLES: Mapping[tuple[str, ...], type[Table]] = {
    (): OfficeTable,
    ("limits",): LimitsTable,
    ("escalation",): EscalationTable,
    ("hours",): HoursTable,
    ("groups",): GroupTable,
    ("services",): ServiceTable,
    ("services", "limits"): LimitsTable,
    ("counters",): CounterTable,
    ("categories",): CategoryTable,
}


def _closing_time(text: str) -> time:
    return time() if text == MIDNIGHT else time.fromisoformat(text)
