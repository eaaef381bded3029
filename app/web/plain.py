"""The hall's values as plain JSON: instants in UTC to the millisecond, durations in whole seconds."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from typing import Any

from msgspec import to_builtins


def instant(at: datetime) -> str:
    """`2026-11-23T08:00:00.123Z`."""
    # A reply is full of these, and `isoformat` takes four times as long. A whole second comes without its fraction.
    text: str = to_builtins(at if at.tzinfo is UTC else at.astimezone(UTC))
    return f"{text[:23]}Z" if "." in text else f"{text[:19]}.000Z"


def instant_or_none(at: datetime | None) -> str | None:
    """The same, where there may be none."""
    return None if at is None else instant(at)


def seconds_or_none(lasted: timedelta | None) -> int | None:
    """Whole seconds, the begun one left out."""
    return None if lasted is None else int(lasted.total_seconds())


def plain(value: object) -> Any:
    """Any value of the hall, with everything in it."""
    match value:
        case Enum():
            return value.value
        case datetime():
            return instant(value)
        case date() | time():
            return value.isoformat()
        case timedelta():
            return int(value.total_seconds())
        case Mapping():
            return {str(name): plain(held) for name, held in value.items()}
        case tuple() | list() | set() | frozenset():
            return [plain(held) for held in value]
        case _ if is_dataclass(value):
            return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
        case _:
            return value
