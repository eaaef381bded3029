"""What is told outside: a fact, and what somebody must know to understand it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from app.engine import Engine
from app.journal import Recorded
from app.journal.deliveries import line_at
from app.watch import Alarm, Provisional, name_of
from queue_core.facts import Acknowledged, Breached, CounterIdle, Escalated, Fact, Relieved, TicketFact, Warned
from queue_core.hall import Hall
from queue_core.office import Channel, Office
from queue_core.tickets import Ticket
from queue_core.values import value

TOLD: tuple[type[Fact], ...] = (Warned, Breached, Escalated, Acknowledged, Relieved, CounterIdle)
"""What anybody outside may be told."""


class Untaken(Exception):
    """The receiver did not take the message. The text says why, in words that may be kept and shown."""


@value(kw_only=True)
class Visitor:
    """Whose fact it is: the number on the ticket, and what was promised for it."""

    number: str
    service: str
    channel: Channel
    limit_seconds: int


@value(kw_only=True)
class Told:
    """A line of the journal, the office it comes from, and the ticket it is about, if it is about one.

    Instead of a line it may be what the watch tells from memory. `history` is what had happened to the ticket by then,
    the fact itself included, for receivers who ask for it.
    """

    line: Recorded | Provisional
    office: Office
    visitor: Visitor | None
    history: tuple[Recorded | Provisional, ...] = ()

    @property
    def ticket_id(self) -> str | None:
        """The ticket it is about."""
        return ticket_id(self.line.fact)

    @property
    def is_whole(self) -> bool:
        """Whether everything is here to understand it."""
        return self.visitor is not None or self.ticket_id is None

    @property
    def id(self) -> str:
        """The same however often it is told, so that a receiver can drop repeats."""
        match self.line:
            case Recorded(office_id=office_id, seq=seq):
                return f"{office_id}/{seq}"
            case Provisional():
                return self.name if self.stands else f"{self.name}/withdrawn"

    @property
    def name(self) -> str:
        """The same told from memory and told when it is on record."""
        fact = self.line.fact
        return f"{self.line.office_id}/{name_of(fact)}" if isinstance(fact, Alarm) else self.id

    @property
    def stands(self) -> bool:
        """False of what was told from memory and is not so."""
        return not isinstance(self.line, Provisional) or self.line.stands


class Receiver(Protocol):
    """Somebody who is told, one message after the other within an office."""

    name: str
    kinds: frozenset[str]
    patience: timedelta
    """How long it is tried before a message is given up."""
    forgets: bool
    """Whether a message older than that is not worth telling any more, even for the first time."""
    needs_history: bool
    hears_twice: bool
    """Whether what was told from memory is told again when it is on record."""

    def wants(self, told: Told) -> bool:
        """Whether this is for the receiver at all."""
        ...

    async def tell(self, told: Told) -> None:
        """Returns when the message was taken; Untaken when it was not."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


async def told_at(engine: Engine, office_id: str, seq: int) -> Told:
    """A line of the journal, for whoever was not there when it was written."""
    hall = await engine.hall(office_id)
    line = await engine.ask(lambda journal: line_at(journal, office_id, seq))
    told = Told(line=line, office=hall.office, visitor=None)
    ticket = told.ticket_id
    if ticket is None:
        return told
    row = await engine.ask(lambda journal: journal.ticket_row(office_id, ticket))
    return replace(told, visitor=visitor_in(row) if row else None)


async def with_history(engine: Engine, told: Told, seq: int) -> Told:
    """The same with what had happened to the ticket by its line `seq`."""
    ticket, office_id = told.ticket_id, told.line.office_id
    if ticket is None:
        return told
    history = await engine.ask(lambda journal: journal.history(office_id, ticket, seq))
    return replace(told, history=tuple(history))


def told_in(hall: Hall, line: Recorded) -> Told:
    """A line that has just been committed. Its ticket may have left the hall already, and its visitor is not known."""
    return Told(line=line, office=hall.office, visitor=_visitor(hall, line.fact))


def told_from_memory(hall: Hall, provisional: Provisional) -> Told:
    """What the watch tells while it cannot be recorded."""
    breach = provisional.breach
    history = (Provisional(provisional.office_id, breach), provisional) if breach else (provisional,)
    return Told(line=provisional, office=hall.office, visitor=_visitor(hall, provisional.fact), history=history)


def ticket_id(fact: Fact) -> str | None:
    """The ticket that a fact is about, a counter's fact included that names a visitor it could serve."""
    return fact.ticket if isinstance(fact, TicketFact | CounterIdle) else None


def _visitor(hall: Hall, fact: Fact) -> Visitor | None:
    ticket = hall.tickets.get(ticket_id(fact) or "")
    return visitor_of(ticket) if ticket else None


def visitor_of(ticket: Ticket) -> Visitor:
    """A ticket in the hall, as far as it is told."""
    return Visitor(
        number=ticket.number,
        service=ticket.service,
        channel=ticket.channel,
        limit_seconds=int(ticket.clock.limit.total_seconds()),
    )


def visitor_in(row: Mapping[str, Any]) -> Visitor:
    """The same from its row, for a ticket that has left the hall."""
    return Visitor(
        number=row["number"],
        service=row["service"],
        channel=Channel(row["channel"]),
        limit_seconds=row["limit_seconds"],
    )


def rfc3339(instant: datetime) -> str:
    """An instant as it is written outside, to the millisecond."""
    return f"{instant.astimezone(UTC).isoformat(timespec='milliseconds')[:-6]}Z"
