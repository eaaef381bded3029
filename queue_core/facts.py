"""What can have happened in a hall. Facts are small, frozen, in the past tense, and never edited.

`at` is when the fact was recorded. A fact that came true earlier than it was noticed says so with an instant of its
own: `due`, `since`.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import get_args

from queue_core.office import Channel, Office


class Rank(StrEnum):
    """The classes of a line, first come, first served within each."""

    OUT_OF_TURN = "out_of_turn"
    BOOKED = "booked"
    WALK_IN = "walk_in"


class HeldBy(StrEnum):
    """On whose account a ticket is held. The wait clock stops for the visitor's wish only."""

    OFFICE = "office"
    VISITOR = "visitor"


class Outcome(StrEnum):
    """How a service ended."""

    DONE = "done"
    INCOMPLETE = "incomplete"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """A place a visit goes to: a service, and a counter if only that one will do."""

    service: str
    counter: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Somebody at the head of a class when a call was made. `points` is what the office's rule compares."""

    ticket: str
    number: str
    rank: Rank
    waited_seconds: float
    points: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Because:
    """Why this ticket was next: the rule, its own standing, and who else was at the head.

    `reason` is set when a person chose the ticket against the rule.
    """

    rule: str
    chosen: Candidate
    others: tuple[Candidate, ...] = ()
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something that happened in an office."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Configured(Fact):
    """The office was described, for the first time or anew."""

    office: Office


@dataclass(frozen=True, slots=True, kw_only=True)
class DayOpened(Fact):
    """A business day began. `by_hand` days receive visitors outside the hours too."""

    day: date
    by_hand: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DayClosed(Fact):
    """The business day ended, at `since`."""

    day: date
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceClosed(Fact):
    """No more tickets for this service, for the reason given."""

    service: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceOpened(Fact):
    """Tickets for this service are issued again."""

    service: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterOpened(Fact):
    """An operator sat down at the counter, or came back to it."""

    counter: str
    operator: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterPaused(Fact):
    """The operator is away for a while."""

    counter: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterClosed(Fact):
    """The operator's session ended."""

    counter: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketFact(Fact):
    """Something that happened to one visitor's ticket."""

    ticket: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued(TicketFact):
    """A visitor took a place. `stops` are further services of the same visit; `ahead` waited for the service then."""

    letter: str
    serial: int
    day: date
    service: str
    channel: Channel
    category: str | None
    clock_start: datetime
    limit_seconds: int
    stops: tuple[Stop, ...]
    ahead: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Called(TicketFact):
    """The number was shown and spoken with a counter."""

    counter: str
    operator: str
    because: Because


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled(TicketFact):
    """The number was shown and spoken once more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Started(TicketFact):
    """The visitor came to the counter and service began."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Served(TicketFact):
    """Service ended, and with it the visit."""

    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedOn(TicketFact):
    """One service of the visit ended; the visitor waits for the next stop."""

    outcome: Outcome
    stop: Stop


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed(TicketFact):
    """The visitor was called and did not come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned(TicketFact):
    """The visitor waits again for the same service, with the clock as it stood."""

    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Held(TicketFact):
    """The ticket left the line for a while; `until` brings it back by itself."""

    by: HeldBy
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed(TicketFact):
    """The ticket is back in the line since `since`."""

    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Transferred(TicketFact):
    """The visit goes on elsewhere with the same number and clock; `back` is where it returns to afterwards."""

    to: Stop
    back: Stop | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Left(TicketFact):
    """The visitor gave up the place."""

    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unserved(TicketFact):
    """The day closed, at `since`, while the visitor waited."""

    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Breached(TicketFact):
    """The limit passed at `due` while the visitor was still waiting."""

    due: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryVerified(TicketFact):
    """The document behind the out-of-turn right was seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryWithdrawn(TicketFact):
    """The out-of-turn right did not hold."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone(TicketFact):
    """The operator's last step was taken back: the ticket is where it was before it."""

    counter: str
    step: str


OfficeFact = (
    Configured | DayOpened | DayClosed | ServiceClosed | ServiceOpened | CounterOpened | CounterPaused | CounterClosed
)
"""What happens to an office. A match over these ends in `assert_never`, so a new one is met everywhere."""

Move = (
    Called
    | Recalled
    | Started
    | Served
    | MovedOn
    | Missed
    | Returned
    | Held
    | Resumed
    | Transferred
    | Left
    | Unserved
    | Breached
    | CategoryVerified
    | CategoryWithdrawn
)
"""What happens to a ticket between its issue and its end, undoing apart."""

FACTS: dict[str, type[Fact]] = {
    kind.__name__: kind for kind in (*get_args(OfficeFact), Issued, *get_args(Move), Undone)
}
"""Every kind of fact by its name, as the journal stores it."""
