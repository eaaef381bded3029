"""What a request may hold: bounded, printable, strictly typed."""

import re
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from app.configuration.human import LINE, LINES, Unreadable, human
from queue_core.leases import MARKS

SLUG = r"^[a-z0-9][a-z0-9-]{0,39}$"
TICKET = rf"^[0-9]{{8}}-[A-ZА-ЯЁ][{MARKS}]?[0-9]{{3,9}}$"
OFFLINE_NUMBER = rf"^[A-ZА-ЯЁ][{MARKS}][0-9]{{3,9}}$"
NUMBER = rf"^[A-ZА-ЯЁ][{MARKS}]?[0-9]{{3,9}}$"
LEASE = rf"^[0-9]{{8}}-[{MARKS}]-[1-9][0-9]{{0,8}}$"
INSTANT = re.compile(r"20\d\d-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def _instant(value: object) -> datetime:
    if isinstance(value, str) and INSTANT.fullmatch(value):
        try:
            return datetime.fromisoformat(value.upper()).astimezone(UTC)
        except ValueError:
            pass
    raise PydanticCustomError("instant", "must be an instant of this century with its offset: 2026-11-23T08:00:00Z")


def _line(value: object) -> object:
    return _human(value, lines=False)


def _lines(value: object) -> object:
    return _human(value, lines=True)


def _human(value: object, *, lines: bool) -> object:
    if not isinstance(value, str):
        return value
    try:
        return human(value, lines=lines)
    except Unreadable as error:
        raise PydanticCustomError("human", "{why}", {"why": str(error)}) from error


Slug = Annotated[str, Field(pattern=SLUG)]
"""The id of an office, a service, a counter, a category."""

LeaseId = Annotated[str, Field(pattern=LEASE, examples=["20261123-K-1"])]
"""The id of a lease of numbers."""

OfflineNumber = Annotated[str, Field(pattern=OFFLINE_NUMBER, examples=["AK001"])]
"""A number of a kiosk's own series."""

TicketNumber = Annotated[str, Field(pattern=NUMBER, examples=["A012"])]
"""What is printed on a ticket."""

Language = Annotated[str, Field(pattern=r"^[a-z]{2}$")]
"""ISO 639-1, such as `ru`."""

Line = Annotated[str, Field(max_length=200, json_schema_extra={"pattern": LINE}), BeforeValidator(_line)]
"""One line of text as a person would write it."""

Text = Annotated[str, Field(max_length=1000, json_schema_extra={"pattern": LINES}), BeforeValidator(_lines)]
"""What a person writes, in as many lines as it takes."""

# Instants of another century are nobody's booking, and would overflow the arithmetic of waiting.
Instant = Annotated[datetime, BeforeValidator(_instant), WithJsonSchema({"type": "string", "format": "date-time"})]
"""RFC 3339 in, UTC out."""

OfficeId = Annotated[str, Path(pattern=SLUG, description="the office's id", examples=["centre"])]
ServiceId = Annotated[str, Path(pattern=SLUG, description="the service's id", examples=["passport"])]
KioskId = Annotated[str, Path(pattern=SLUG, description="the kiosk's name", examples=["hall"])]
CounterId = Annotated[str, Path(pattern=SLUG, description="the counter's id", examples=["1"])]
TicketId = Annotated[
    str, Path(pattern=TICKET, description="the business day and the number", examples=["20261123-A001"])
]

EndpointName = Annotated[
    str, Path(pattern=SLUG, description="the entry's name in the file of alerts", examples=["city-monitor"])
]
Seq = Annotated[int, Path(ge=1, lt=2**63, description="the number of a fact in its office", examples=[1034])]


MOST_MEMBERS = 50


class Wish(BaseModel):
    """A body. Strict, because a guess would hide the slip; closed, because half a wish must not be obeyed."""

    model_config = ConfigDict(strict=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _refuse_too_many_members(cls, said: object) -> object:
        # Else each of thousands would be a complaint of its own.
        if isinstance(said, dict) and len(said) > MOST_MEMBERS:
            raise PydanticCustomError("members", f"must have at most {MOST_MEMBERS} members")
        return said
