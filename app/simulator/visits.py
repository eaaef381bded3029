"""Who will come: everything about a visitor that the queue cannot know beforehand."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Turn(StrEnum):
    """What becomes of a visit at the counter, beside being served."""

    NONE = "none"
    NO_SHOW = "no_show"
    TRANSFER = "transfer"
    HOLD_BY_VISITOR = "hold_by_visitor"
    HOLD_BY_OFFICE = "hold_by_office"
    RETURN = "return"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One visitor's plans. `at` is when the ticket is taken; `patience_seconds` how long until the visitor leaves.

    `slot` makes it a booked visit. `entitled` says whether the paper behind a claimed category will do.
    """

    at: datetime
    service: str
    service_seconds: float
    slot: datetime | None = None
    category: str | None = None
    entitled: bool = True
    further: tuple[str, ...] = ()
    turn: Turn = Turn.NONE
    transfer_to: str | None = None
    patience_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """A stretch in which an operator is away from the counter."""

    at: datetime
    seconds: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A whole day: visits in order of arrival, and each counter's breaks in order."""

    visits: tuple[Visit, ...]
    breaks: dict[str, tuple[Break, ...]]
