"""A hall at work: a real engine on a real journal, and what people wish of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from app.clock import Clock
from app.engine import Answer, Engine, OutcomeUnknown
from app.journal import Recorded, Verification, open_journal
from queue_core.commands import CallNext, Command, Configure, Issue, OpenCounter, Tick
from queue_core.errors import Refusal
from queue_core.hall import Hall, evolve_all
from queue_core.office import Counter, Office
from queue_core.tickets import Ticket
from tests.core.live import NINE, OFFICE

T = TypeVar("T")

PATIENCE_SECONDS = 30


class HandClock:
    """A clock that stands still until somebody sets it."""

    speed = 1.0

    def __init__(self, instant: datetime = NINE) -> None:
        self.instant = instant

    def now(self) -> datetime:
        """Where the hand points."""
        return self.instant

    def wait(self, **lasting: float) -> None:
        """Turn it on, or back."""
        self.instant += timedelta(**lasting)


class LiveHall:
    """One office's engine."""

    def __init__(self, engine: Engine, office: Office) -> None:
        self.engine, self.office = engine, office

    async def wish(self, command: Command, *, key: str | None = None) -> Answer:
        """What a command came to."""
        return await self.engine.do(self.office.id, command, actor="somebody", key=key)

    async def open(self) -> None:
        """Describe the office, open its day and man every counter."""
        await self.wish(Configure(self.office))
        await self.wish(Tick())
        for counter in self.office.counters:
            await self.wish(OpenCounter(counter.id, f"operator {counter.id}"))

    async def issue(self, service: str = "passport", *, key: str | None = None) -> Ticket:
        """A visitor's ticket."""
        ticket = (await self.wish(Issue(service), key=key)).ticket
        assert ticket
        return ticket

    async def call(self, counter: str = "1", *, key: str | None = None) -> Ticket | None:
        """Whom a counter calls; None when nobody waits."""
        return (await self.wish(CallNext(counter), key=key)).ticket

    async def now(self) -> Hall:
        """The hall as it stands."""
        return await self.engine.hall(self.office.id)

    async def lines(self) -> list[Recorded]:
        """The office's journal."""
        return await self.engine.ask(lambda journal: journal.facts_after(self.office.id, 0))

    async def kinds(self) -> list[str]:
        """What happened, by name."""
        return [line.kind for line in await self.lines()]

    async def row(self, ticket_id: str) -> Mapping[str, Any]:
        """A ticket's row."""
        row = await self.engine.ask(lambda journal: journal.ticket_row(self.office.id, ticket_id))
        assert row
        return row

    async def is_as_the_journal_says(self) -> bool:
        """Whether `verify` finds nothing, and the hall is the fold of its journal."""
        difference = await self.engine.ask(lambda journal: Verification(journal).run().difference)
        assert difference is None, difference
        lines = await self.lines()
        folded = evolve_all(Hall(self.office.id), (line.fact for line in lines))
        return (await self.now()).state() == folded.state()


@asynccontextmanager
async def live_hall(
    address: str, clock: Clock | None = None, *, office: Office = OFFICE, **settings: Any
) -> AsyncIterator[LiveHall]:
    """An engine on the journal there, as long as the block lasts."""
    # In a thread, because the network to the database may be a task of this loop.
    journal = await asyncio.to_thread(open_journal, address)
    hall = LiveHall(Engine(journal, clock or HandClock(), **settings), office)
    await hall.engine.start()
    try:
        yield hall
    finally:
        await hall.engine.stop()


def office_with(counters: int) -> Office:
    """An office whose many counters all serve everything."""
    services = tuple(service.id for service in OFFICE.services)
    names = [str(number) for number in range(1, counters + 1)]
    return replace(OFFICE, counters=tuple(Counter(id=name, name={"en": name}, services=services) for name in names))


async def soon(true: Callable[[], bool | Awaitable[bool]]) -> None:
    """Return when it is so, which must not take for ever."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await _answer(true):
            await asyncio.sleep(0.005)


async def _answer(true: Callable[[], bool | Awaitable[bool]]) -> bool:
    answer = true()
    return answer if isinstance(answer, bool) else await answer


async def outcomes(wishes: Iterable[Awaitable[T]]) -> list[T | Refusal]:
    """What became of wishes made all at once, refusals among them; anything else that is raised is raised."""
    found = await asyncio.gather(*wishes, return_exceptions=True)
    for outcome in found:
        if isinstance(outcome, BaseException) and not isinstance(outcome, Refusal):
            raise outcome
    return [outcome for outcome in found if not isinstance(outcome, BaseException) or isinstance(outcome, Refusal)]


async def until_known(wish: Callable[[], Awaitable[T]]) -> T:
    """Ask again, with the same key, until there is an answer."""
    while True:
        try:
            return await wish()
        except OutcomeUnknown:
            continue
