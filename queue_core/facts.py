"""What can have happened in a hall. Facts are small, frozen, in the past tense, and never edited.

`at` is when the fact was recorded. A fact that came true earlier than it was noticed says so with an instant of its
own: `due`, `since`.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import get_args

from queue_core.office import Channel, Office
from queue_core.values import value


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


class Cause(StrEnum):
    """Why a limit was passed, as the person saw it who acknowledged the breach."""

    TOO_FEW_COUNTERS = "too_few_counters"
    STAFF_ABSENT = "staff_absent"
    MANY_VISITORS = "many_visitors"
    LONG_SERVICE = "long_service"
    SYSTEM_TROUBLE = "system_trouble"
    OTHER = "other"


class Relief(StrEnum):
    """How a wait past the limit ended."""

    CALLED = "called"
    LEFT = "left"
    UNSERVED = "unserved"


class Readmission(StrEnum):
    """Who let a late visitor back into the line."""

    OPERATOR = "operator"
    KIOSK = "kiosk"
    VISITOR = "visitor"


class Told(StrEnum):
    """How a board tells the hall of a call."""

    SHOWN = "shown"
    SPOKEN = "spoken"


class Idleness(StrEnum):
    """What a counter does that serves nobody."""

    OPEN = "open"
    PAUSED = "paused"


@value(kw_only=True)
class Stop:
    """A place a visit goes to: a service, and a counter if only that one will do."""

    service: str
    counter: str | None = None


@value(kw_only=True)
class Candidate:
    """Somebody at the head of a class when a call was made. `points` is what the office's rule compares."""

    ticket: str
    number: str
    rank: Rank
    waited_seconds: float
    points: float


@value(kw_only=True)
class Because:
    """Why this ticket was next: the rule, its own standing, and who else was at the head.

    `reason` is set when a person chose the ticket against the rule.
    """

    rule: str
    chosen: Candidate
    others: tuple[Candidate, ...] = ()
    reason: str | None = None


@value(kw_only=True)
class Scene:
    """The hall as a warning or a breach found it, to tell its cause by.

    `counters_able` are the open ones that serve this ticket, `counters_idle` those of them without a visitor. `waiting`
    are in line for the service, the ticket among them; `issued` were given a ticket for it in the last 15 minutes.
    """

    counters_open: int
    counters_paused: int
    counters_able: int
    counters_idle: int
    waiting: int
    waiting_in_office: int
    issued: int
    issued_in_office: int


@value(kw_only=True)
class Block:
    """Numbers of one series that follow on each other: `AK` from 26 to 50."""

    letter: str
    first: int
    last: int


@value(kw_only=True)
class Fact:
    """Something that happened in an office."""

    at: datetime


@value(kw_only=True)
class Configured(Fact):
    """The office was described, for the first time or anew."""

    office: Office


@value(kw_only=True)
class DayOpened(Fact):
    """A business day began. `by_hand` days receive visitors outside the hours too."""

    day: date
    by_hand: bool


@value(kw_only=True)
class DayClosed(Fact):
    """The business day ended, at `since`."""

    day: date
    since: datetime


@value(kw_only=True)
class ServiceClosed(Fact):
    """No more tickets for this service, for the reason given."""

    service: str
    reason: str


@value(kw_only=True)
class ServiceOpened(Fact):
    """Tickets for this service are issued again."""

    service: str


@value(kw_only=True)
class CounterOpened(Fact):
    """An operator sat down at the counter, or came back to it."""

    counter: str
    operator: str


@value(kw_only=True)
class CounterPaused(Fact):
    """The operator is away for a while."""

    counter: str
    reason: str


@value(kw_only=True)
class CounterClosed(Fact):
    """The operator's session ended."""

    counter: str


@value(kw_only=True)
class CounterIdle(Fact):
    """The counter had served nobody since `since`, and not for a moment, while `ticket` was near the limit or past it.

    Once for each stretch of idleness.
    """

    counter: str
    ticket: str
    since: datetime
    state: Idleness


@value(kw_only=True)
class NumbersLeased(Fact):
    """A kiosk was given numbers of its own, to issue while the server is away. `mark` tells its series from others."""

    lease: str
    kiosk: str
    mark: str
    day: date
    blocks: tuple[Block, ...]


@value(kw_only=True)
class NumbersVoided(Fact):
    """A lease ended, and these of its numbers were never issued and never will be."""

    lease: str
    blocks: tuple[Block, ...]


@value(kw_only=True)
class TicketFact(Fact):
    """Something that happened to one visitor's ticket."""

    ticket: str


@value(kw_only=True)
class Issued(TicketFact):
    """A visitor took a place. `stops` are further services of the same visit; `ahead` waited for the service then.

    `language` is the one the visitor chose at the kiosk. A ticket that a kiosk issued while the server was away has its
    number from a `lease`, and was taken at `issued_at`.

    A ticket from before there were warnings has none of its own, and is near the limit at two thirds of it.

    `claim` is the time for which the visitor says to have a booking that nobody has found yet: a walk-in until then.
    """

    letter: str
    serial: int
    day: date
    service: str
    channel: Channel
    category: str | None
    clock_start: datetime
    limit_seconds: int
    warning_seconds: int | None = None
    stops: tuple[Stop, ...]
    ahead: int
    language: str | None = None
    lease: str | None = None
    issued_at: datetime | None = None
    claim: datetime | None = None


@value(kw_only=True)
class Called(TicketFact):
    """The number was shown and spoken with a counter."""

    counter: str
    operator: str
    because: Because


@value(kw_only=True)
class Recalled(TicketFact):
    """The number was shown and spoken once more."""


@value(kw_only=True)
class Announced(TicketFact):
    """A board has shown or spoken the call."""

    board: str
    how: Told


@value(kw_only=True)
class Started(TicketFact):
    """The visitor came to the counter and service began."""


@value(kw_only=True)
class Served(TicketFact):
    """Service ended, and with it the visit."""

    outcome: Outcome


@value(kw_only=True)
class MovedOn(TicketFact):
    """One service of the visit ended; the visitor waits for the next stop."""

    outcome: Outcome
    stop: Stop


@value(kw_only=True)
class Missed(TicketFact):
    """The visitor was called, did not come, and is not waited for any longer, at `since` when time alone brought it."""

    since: datetime | None = None


@value(kw_only=True)
class Absent(TicketFact):
    """The visitor was called and did not come, and may come back into the line until `until`."""

    until: datetime


@value(kw_only=True)
class Readmitted(TicketFact):
    """A late visitor came and waits again since `since`: since the call for who was back at once, else since now."""

    by: Readmission
    since: datetime


@value(kw_only=True)
class Returned(TicketFact):
    """The visitor waits again for the same service, with the clock as it stood."""

    reason: str | None


@value(kw_only=True)
class Held(TicketFact):
    """The ticket left the line for a while; `until` brings it back by itself.

    `asked` says that the visitor asked for it without anybody's help.
    """

    by: HeldBy
    until: datetime | None
    asked: bool = False


@value(kw_only=True)
class Resumed(TicketFact):
    """The ticket is back in the line since `since`."""

    since: datetime


@value(kw_only=True)
class Transferred(TicketFact):
    """The visit goes on elsewhere with the same number and clock; `back` is where it returns to afterwards."""

    to: Stop
    back: Stop | None


@value(kw_only=True)
class Left(TicketFact):
    """The visitor gave up the place."""

    reason: str | None


@value(kw_only=True)
class Unserved(TicketFact):
    """The day closed, at `since`, while the visitor waited."""

    since: datetime


@value(kw_only=True)
class Warned(TicketFact):
    """The visitor came near the limit at `since`, and waits past it if nobody calls before `due`."""

    due: datetime
    since: datetime
    scene: Scene


@value(kw_only=True)
class Breached(TicketFact):
    """The limit passed at `due` while the visitor was still waiting. Old breaches have no `scene`."""

    due: datetime
    scene: Scene | None = None


@value(kw_only=True)
class Escalated(TicketFact):
    """The next role is to be told of the breach. `step` counts from 0, which comes with the breach itself."""

    due: datetime
    step: int
    role: str


@value(kw_only=True)
class Acknowledged(TicketFact):
    """A person answers for the breach and names its cause; the latest word counts."""

    by: str
    cause: Cause
    remark: str | None


@value(kw_only=True)
class Relieved(TicketFact):
    """The wait past the limit has ended."""

    due: datetime
    how: Relief


@value(kw_only=True)
class CategoryVerified(TicketFact):
    """The document behind the out-of-turn right was seen."""


@value(kw_only=True)
class CategoryWithdrawn(TicketFact):
    """The out-of-turn right did not hold. `kept` is why a visitor at a counter was not sent back to the line."""

    reason: str
    kept: str | None = None


@value(kw_only=True)
class ClaimVerified(TicketFact):
    """Somebody of the office has found the booking that was claimed. From now on its limit and rank count."""

    limit_seconds: int
    warning_seconds: int


@value(kw_only=True)
class Rated(TicketFact):
    """The visitor said how the visit was, from 1 to 5, and how long the wait felt; the latest word counts."""

    stars: int
    felt_minutes: int | None


@value(kw_only=True)
class Undone(TicketFact):
    """The operator's last step was taken back: the ticket is where it was before it."""

    counter: str
    step: str


OfficeFact = (
    Configured
    | DayOpened
    | DayClosed
    | ServiceClosed
    | ServiceOpened
    | CounterOpened
    | CounterPaused
    | CounterClosed
    | CounterIdle
    | NumbersLeased
    | NumbersVoided
)
"""What happens to an office. A match over these ends in `assert_never`, so a new one is met everywhere."""

Move = (
    Called
    | Recalled
    | Announced
    | Started
    | Served
    | MovedOn
    | Missed
    | Absent
    | Readmitted
    | Returned
    | Held
    | Resumed
    | Transferred
    | Left
    | Unserved
    | Warned
    | Breached
    | Escalated
    | Acknowledged
    | Relieved
    | CategoryVerified
    | CategoryWithdrawn
    | ClaimVerified
    | Rated
)
"""What happens to a ticket from its issue on, undoing apart."""

FACTS: dict[str, type[Fact]] = {
    kind.__name__: kind for kind in (*get_args(OfficeFact), Issued, *get_args(Move), Undone)
}
"""Every kind of fact by its name, as the journal stores it."""
