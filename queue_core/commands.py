"""What can be asked of a hall. A command says what is wished, never what follows."""

from dataclasses import dataclass
from datetime import datetime

from queue_core.facts import HeldBy, Outcome
from queue_core.office import Channel, Office


@dataclass(frozen=True, slots=True)
class Command:
    """A wish, to be decided against one hall."""


@dataclass(frozen=True, slots=True)
class Configure(Command):
    """Describe the office, for the first time or anew."""

    office: Office


@dataclass(frozen=True, slots=True)
class OpenDay(Command):
    """Begin the business day, whatever the hours say."""


@dataclass(frozen=True, slots=True)
class CloseDay(Command):
    """End the business day; who still waits goes unserved."""


@dataclass(frozen=True, slots=True)
class CloseService(Command):
    """Issue no more tickets for a service."""

    service: str
    reason: str


@dataclass(frozen=True, slots=True)
class OpenService(Command):
    """Issue tickets for a service again."""

    service: str


@dataclass(frozen=True, slots=True)
class CounterCommand(Command):
    """A wish made at one counter."""

    counter: str


@dataclass(frozen=True, slots=True)
class OpenCounter(CounterCommand):
    """Begin or go on with an operator's session."""

    operator: str


@dataclass(frozen=True, slots=True)
class PauseCounter(CounterCommand):
    """Take the counter out of work for a while."""

    reason: str


@dataclass(frozen=True, slots=True)
class CloseCounter(CounterCommand):
    """End the operator's session."""


@dataclass(frozen=True, slots=True)
class Issue(Command):
    """Give a visitor a place. `slot` is the booked time; `further` are more services of the same visit, in order."""

    service: str
    channel: Channel = Channel.WALK_IN
    category: str | None = None
    slot: datetime | None = None
    further: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CallNext(CounterCommand):
    """Call whoever is next for this counter. Nobody waiting is an answer, not a refusal."""


@dataclass(frozen=True, slots=True)
class Undo(CounterCommand):
    """Take back the last step made at this counter."""


@dataclass(frozen=True, slots=True)
class TicketCommand(Command):
    """A wish about one ticket."""

    ticket: str


@dataclass(frozen=True, slots=True)
class CallChosen(TicketCommand):
    """Call this ticket out of the order, for a reason that stays on record."""

    counter: str
    reason: str


@dataclass(frozen=True, slots=True)
class Recall(TicketCommand):
    """Show and speak the number once more."""


@dataclass(frozen=True, slots=True)
class Start(TicketCommand):
    """The visitor is at the counter."""


@dataclass(frozen=True, slots=True)
class Finish(TicketCommand):
    """This service is over."""

    outcome: Outcome = Outcome.DONE


@dataclass(frozen=True, slots=True)
class NoShow(TicketCommand):
    """The visitor did not come."""


@dataclass(frozen=True, slots=True)
class ReturnToLine(TicketCommand):
    """Let the visitor wait again, on the same clock."""

    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Hold(TicketCommand):
    """Take the ticket out of the line, for good or until an instant."""

    by: HeldBy
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Resume(TicketCommand):
    """Bring a held ticket back to the line."""


@dataclass(frozen=True, slots=True)
class Transfer(TicketCommand):
    """Send the visitor to another service or a named counter; `come_back` returns them here afterwards."""

    service: str | None = None
    counter: str | None = None
    come_back: bool = False


@dataclass(frozen=True, slots=True)
class Cancel(TicketCommand):
    """The visitor leaves."""

    reason: str | None = None


@dataclass(frozen=True, slots=True)
class VerifyCategory(TicketCommand):
    """The document was seen."""


@dataclass(frozen=True, slots=True)
class WithdrawCategory(TicketCommand):
    """The right does not hold."""

    reason: str


@dataclass(frozen=True, slots=True)
class Tick(Command):
    """Nothing is wished: record what time alone has brought."""
