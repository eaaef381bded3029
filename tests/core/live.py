"""A hall with a clock of its own: what is wished is decided and happens at once, as the engine does it."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import TypeVar

from queue_core.commands import CallNext, Command, Configure, Issue, OpenCounter, Tick
from queue_core.decisions import decide, passed
from queue_core.errors import Refusal
from queue_core.facts import Breached, Called, Fact, Issued, TicketFact
from queue_core.hall import Hall, evolve
from queue_core.office import Category, Channel, Counter, Group, Limits, Office, Opening, Service
from queue_core.tickets import Ticket

F = TypeVar("F", bound=Fact)

WORKDAYS = range(5)
EVERY_DAY = range(7)

OFFICE = Office(
    id="hall",
    name={"en": "The hall"},
    zone="UTC",
    groups=(Group(id="papers", name={"en": "Papers"}),),
    services=(
        Service(id="passport", letter="A", name={"en": "Passports"}, group="papers"),
        Service(id="land", letter="B", name={"en": "Land"}, limits=Limits(walk_in=1800, booked=600)),
        Service(id="cash", letter="C", name={"en": "Cash desk"}),
    ),
    counters=(
        Counter(id="1", name={"en": "Counter 1"}, services=("passport", "land")),
        Counter(id="2", name={"en": "Counter 2"}, services=("passport",)),
        Counter(id="3", name={"en": "Counter 3"}, services=("land", "cash")),
    ),
    categories=(Category(id="veteran", name={"en": "Veteran"}, basis={"en": "Veteran's card"}),),
    hours=tuple(Opening(weekday=day, opens=time(9), closes=time(18)) for day in WORKDAYS),
    late_seconds=0,
)
"""Three counters, three services, open from nine to six on workdays; its clocks show UTC. Nobody may be late."""

AROUND_THE_CLOCK = tuple(Opening(weekday=day, opens=time(), closes=time()) for day in EVERY_DAY)

NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)
"""A Monday morning."""


class LiveHall:
    """One office's hall, what happened in it, and what time it is there.

    `visits` knows every ticket as it stands, those whose visit is over among them. `wish` makes everything happen.
    """

    def __init__(self, office: Office = OFFICE, *, now: datetime = NINE, manned: bool = True) -> None:
        self.hall = Hall(office.id)
        self.now = now - timedelta(seconds=1)
        self.facts: list[Fact] = []
        self.visits: dict[str, Ticket] = {}
        self.wish(Configure(office))
        for counter in office.counters if manned else ():
            self.wish(OpenCounter(counter.id, f"operator {counter.id}"))
        self.now = now

    def wish(self, command: Command) -> list[Fact]:
        """What the command brought, after what time had brought before it."""
        # The engine never lets two commands share an instant. Examples do, so that waits come out in whole minutes.
        moment = self.now if self.now == self.hall.last_at else self.hall.moment(self.now)
        for fact in passed(self.hall, moment):
            self.happen(fact)
        facts = list(decide(self.hall, command, moment))
        for fact in facts:
            self.happen(fact)
        return facts

    def look(self) -> list[Fact]:
        """What time alone has brought since anybody looked."""
        before = len(self.facts)
        self.wish(Tick())
        return self.facts[before:]

    def wait(self, *, seconds: float = 0, minutes: float = 0, hours: float = 0, days: float = 0) -> None:
        """Time goes by and nobody looks."""
        self.now += timedelta(seconds=seconds, minutes=minutes, hours=hours, days=days)

    def until(self, hour: int, minute: int = 0) -> None:
        """Time goes by until that time of the day, or of the next."""
        then = self.now.replace(hour=hour, minute=minute, second=0, microsecond=0)
        self.now = then if then >= self.now else then + timedelta(days=1)

    def issue(
        self,
        service: str = "passport",
        *,
        slot: datetime | None = None,
        category: str | None = None,
        further: tuple[str, ...] = (),
    ) -> str:
        """A visitor takes a ticket; its name. With a slot the visit is booked."""
        channel = Channel.BOOKED if slot else Channel.WALK_IN
        issued = self.wish(Issue(service, channel, category, slot, further))[-1]
        assert isinstance(issued, Issued)
        return issued.ticket

    def call(self, counter: str = "1") -> str | None:
        """Whom the counter calls, None when nobody waits for it."""
        called = self.wish(CallNext(counter))
        return called[0].ticket if called and isinstance(called[0], Called) else None

    def visit(self, ticket: str) -> Ticket:
        """A ticket as it stands, or as it ended."""
        return self.visits[ticket]

    def of(self, kind: type[F], ticket: str | None = None) -> list[F]:
        """The facts of one kind so far, of one ticket or of all."""
        return [fact for fact in self.facts if isinstance(fact, kind) and ticket in (None, _ticket(fact))]

    def breaches(self) -> list[tuple[str, datetime, datetime]]:
        """Whose limit has passed, when it did, and when that was recorded."""
        return [(breach.ticket, breach.due, breach.at) for breach in self.of(Breached)]

    def order_of(self, *kinds: type[Fact]) -> list[type[Fact]]:
        """The kinds of the facts so far, of these kinds only."""
        return [type(fact) for fact in self.facts if isinstance(fact, kinds)]

    def changed(self, **changes: object) -> Office:
        """The office's description with changes."""
        return replace(self.hall.office, **changes)  # type: ignore[arg-type]

    def refusal(self, command: Command) -> Refusal | None:
        """Why the command is refused, None when it is not."""
        try:
            self.wish(command)
        except Refusal as refusal:
            return refusal
        return None

    def happen(self, fact: Fact) -> None:
        """A fact comes true, whoever decided it."""
        ticket = evolve(self.hall, fact)
        self.facts.append(fact)
        if ticket:
            self.visits[ticket.id] = ticket


def _ticket(fact: Fact) -> str | None:
    return fact.ticket if isinstance(fact, TicketFact) else None


def minutes(count: float) -> timedelta:
    """A length of time as people say it."""
    return timedelta(minutes=count)


def seconds(count: float) -> timedelta:
    """A length of time as the law says it."""
    return timedelta(seconds=count)
