"""What can be asked of a hall. A command says what is wished, never what follows."""

from datetime import datetime

from queue_core.facts import Cause, HeldBy, Outcome, Readmission, Told
from queue_core.office import Channel, Office
from queue_core.values import value


@value()
class Command:
    """A wish, to be decided against one hall."""


@value()
class Configure(Command):
    """Describe the office, for the first time or anew."""

    office: Office


@value()
class OpenDay(Command):
    """Begin the business day, whatever the hours say."""


@value()
class CloseDay(Command):
    """End the business day; who still waits goes unserved."""


@value()
class CloseService(Command):
    """Issue no more tickets for a service."""

    service: str
    reason: str


@value()
class OpenService(Command):
    """Issue tickets for a service again."""

    service: str


@value()
class CounterCommand(Command):
    """A wish made at one counter."""

    counter: str


@value()
class OpenCounter(CounterCommand):
    """Begin or go on with an operator's session. `take_over` ends the one that the operator has at another counter."""

    operator: str
    take_over: bool = False


@value()
class PauseCounter(CounterCommand):
    """Take the counter out of work for a while."""

    reason: str


@value()
class CloseCounter(CounterCommand):
    """End the operator's session."""


@value()
class Issue(Command):
    """Give a visitor a place. `slot` is the booked time; `further` are more services of the same visit, in order.

    The booking is only a `claim` while nobody who knows of it says that it is there.
    """

    service: str
    channel: Channel = Channel.WALK_IN
    category: str | None = None
    slot: datetime | None = None
    further: tuple[str, ...] = ()
    language: str | None = None
    claim: bool = False


@value()
class LeaseNumbers(Command):
    """Give a kiosk numbers of its own. It has told of all it issued from the lease `done`, whose rest becomes void."""

    kiosk: str
    done: str | None = None


@value()
class IssueOffline(Command):
    """A kiosk gave a visitor this number of its lease at `issued_at`, while the server was away."""

    kiosk: str
    lease: str
    letter: str
    serial: int
    service: str
    issued_at: datetime
    channel: Channel = Channel.WALK_IN
    category: str | None = None
    slot: datetime | None = None
    further: tuple[str, ...] = ()
    language: str | None = None
    claim: bool = False


@value()
class CallNext(CounterCommand):
    """Call whoever is next for this counter. Nobody waiting is an answer, not a refusal."""


@value()
class Undo(CounterCommand):
    """Take back the last step made at this counter."""


@value()
class TicketCommand(Command):
    """A wish about one ticket."""

    ticket: str


@value()
class CallChosen(TicketCommand):
    """Call this ticket out of the order, for a reason that stays on record."""

    counter: str
    reason: str


@value()
class Recall(TicketCommand):
    """Show and speak the number once more."""


@value()
class Announce(TicketCommand):
    """A board has shown or spoken the call."""

    board: str
    how: Told


@value()
class Start(TicketCommand):
    """The visitor is at the counter."""


@value()
class Finish(TicketCommand):
    """This service is over."""

    outcome: Outcome = Outcome.DONE


@value()
class NoShow(TicketCommand):
    """The visitor did not come; or, of one who is late, will not come any more."""


@value()
class Readmit(TicketCommand):
    """A late visitor is there after all."""

    by: Readmission


@value()
class ReturnToLine(TicketCommand):
    """Let the visitor wait again, on the same clock."""

    reason: str | None = None


@value()
class Hold(TicketCommand):
    """Take the ticket out of the line, for good or until an instant."""

    by: HeldBy
    until: datetime | None = None


@value()
class AskForTime(TicketCommand):
    """The visitor steps aside, for as long and as often as the office allows."""


@value()
class Resume(TicketCommand):
    """Bring a held ticket back to the line."""


@value()
class ComeBack(TicketCommand):
    """The visitor who stepped aside is there again. A ticket that the office holds only the office brings back."""


@value()
class Transfer(TicketCommand):
    """Send the visitor to another service or a named counter; `come_back` returns them here afterwards."""

    service: str | None = None
    counter: str | None = None
    come_back: bool = False


@value()
class Cancel(TicketCommand):
    """The visitor leaves."""

    reason: str | None = None


@value()
class VerifyCategory(TicketCommand):
    """The document was seen."""


@value()
class WithdrawCategory(TicketCommand):
    """The right does not hold. A visitor at a counter goes back to the line, unless `keep` says why not."""

    reason: str
    keep: str | None = None


@value()
class VerifyClaim(TicketCommand):
    """The booking was found."""


@value()
class Acknowledge(TicketCommand):
    """Answer for a breach: who, what caused it, and a remark."""

    by: str
    cause: Cause
    remark: str | None = None


@value()
class Rate(TicketCommand):
    """The visitor says how the visit was, from 1 to 5, and how long the wait felt."""

    stars: int
    felt_minutes: int | None = None


@value()
class Tick(Command):
    """Nothing is wished: record what time alone has brought."""
