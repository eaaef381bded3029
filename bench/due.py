"""Limits that pass at random instants in a hundred offices, with calls that race them.

Half of the visitors are called within 50 ms of their due, on either side of it, while a thousand streams listen. Then
the journal is examined: whoever waited at due has one breach, nobody else has any, and each tells how late it was
recorded. Once through one process on SQLite, once through two on PostgreSQL.
"""

import asyncio
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory

import uvloop

from app.journal import Recorded, Verification, open_journal
from bench import Figures, words
from bench.harness.client import Clients, Connection, post
from bench.harness.listeners import listening
from bench.harness.offices import MADE, counter_id, description, issue, path, set_up
from bench.harness.servers import Server, running
from queue_core.facts import Breached, Called, Issued
from tests.postgres import postgres_server
from tests.proof.checker import check

OFFICES = 100
LIMIT_SECONDS = 5
RACE_SECONDS = 0.05
LAST_BREATH_SECONDS = 2.0
CONNECTIONS = 32

LATE_MS = 250.0
LATEST_MS = 1000.0


@dataclass(frozen=True, slots=True)
class Amounts:
    """How many come, within how long, and how many listen."""

    visitors: int
    seconds: float
    streams: int


FULL = Amounts(visitors=4_000, seconds=80, streams=1_000)
"""Somewhat more than half of them breach: those who are not called, and those who are called too late."""

QUICK = Amounts(visitors=400, seconds=6, streams=200)


async def main() -> int:
    """Let limits pass on both databases; the exit status."""
    asked = words(__doc__)
    amounts, figures = QUICK if asked.quick else FULL, Figures()
    print(f"seed {asked.seed}", flush=True)
    with TemporaryDirectory(prefix="fifteen-bench-") as directory:
        await pass_limits("sqlite", str(Path(directory, "due.db")), 1, amounts, Random(asked.seed), figures)
    with postgres_server() as postgres:
        await pass_limits("postgres", postgres.fresh_database(), 2, amounts, Random(asked.seed), figures)
    return figures.end()


def office_id(number: int) -> str:
    """One of the offices."""
    return f"office-{number}"


async def pass_limits(
    name: str, address: str, processes: int, amounts: Amounts, random: Random, figures: Figures
) -> None:
    """Everybody comes and waits, some are called in time or nearly; then the journal is read."""
    servers = [Server({"FIFTEEN_DATABASE": address}) for _ in range(processes)]
    with running(*servers):
        for server in servers:
            await server.ready()
        counters = -(-amounts.visitors // OFFICES)
        clients = Clients(servers[0].port, CONNECTIONS)
        for number in range(OFFICES):
            await set_up(clients, description(office_id(number), counters=counters, limit_seconds=LIMIT_SECONDS))
        ports = cycle([server.port for server in servers])
        streams = [(next(ports), office_id(number % OFFICES)) for number in range(amounts.streams)]
        async with AsyncExitStack() as stack:
            heard = await stack.enter_async_context(listening(streams))
            crowd = await Crowd.before([server.port for server in servers], random)
            await crowd.visit(amounts)
            await asyncio.sleep(LAST_BREATH_SECONDS)
            figures.tell(f"{name}_streams_open", heard.open, at_least=amounts.streams)
            figures.tell(f"{name}_stream_events", heard.events, at_least=1)
        for server in servers:
            server.stop()
    judge(name, address, amounts, figures)


class Crowd:
    """Visitors and operators, with a few connections to every process."""

    def __init__(self, connections: Sequence[Connection], random: Random) -> None:
        self._free: asyncio.Queue[Connection] = asyncio.Queue()
        for connection in connections:
            self._free.put_nowait(connection)
        self._random = random

    @classmethod
    async def before(cls, ports: Sequence[int], random: Random) -> "Crowd":
        """A crowd that comes to all of these ports."""
        return cls([await Connection.to(port) for _ in range(CONNECTIONS) for port in ports], random)

    async def visit(self, amounts: Amounts) -> None:
        """Everybody, each at a random instant; every second one is called around the due."""
        async with asyncio.TaskGroup() as group:
            for number in range(amounts.visitors):
                comes_after = self._random.uniform(0, amounts.seconds)
                off = self._random.uniform(-RACE_SECONDS, RACE_SECONDS) if number % 2 else None
                group.create_task(self._visitor(number, comes_after, off))

    async def _visitor(self, number: int, comes_after: float, called_off_due: float | None) -> None:
        await asyncio.sleep(comes_after)
        office, counter = office_id(number % OFFICES), number // OFFICES
        ticket = await self._ask(issue(office, f"visitor-{number}"))
        due = datetime.fromisoformat(ticket["due"])
        if called_off_due is None:
            await asyncio.sleep((due - datetime.now(UTC)).total_seconds())
            return
        await asyncio.sleep((due - datetime.now(UTC)).total_seconds() + called_off_due)
        wish = {"counter": counter_id(counter), "reason": "a race"}
        await self._ask(post(path(office, f"/tickets/{ticket['id']}/call"), wish, f"call-{number}"))

    async def _ask(self, request: bytes) -> dict[str, str]:
        connection = await self._free.get()
        try:
            reply = await connection.ask(request)
        finally:
            self._free.put_nowait(connection)
        if reply.status not in MADE:
            raise RuntimeError(f"{reply.status}: {reply.body!r}")
        found: dict[str, str] = reply.json()
        return found


# What the journal says


def judge(name: str, address: str, amounts: Amounts, figures: Figures) -> None:
    """Tell who should have a breach and who has one, and how late each was recorded."""
    journal = open_journal(address)
    try:
        offices = [journal.facts_after(office_id(number), 0) for number in range(OFFICES)]
        difference = Verification(journal).run().difference
    finally:
        journal.close()
        journal.database.close()
    waited = {ticket for lines in offices for ticket in who_waited_at_due(lines)}
    breaches = Counter(breach_name(line.office_id, breach) for lines in offices for line, breach in breaches_in(lines))
    called = sum(isinstance(line.fact, Called) for lines in offices for line in lines)
    figures.tell(f"{name}_visitors", sum(isinstance(line.fact, Issued) for lines in offices for line in lines))
    figures.tell(f"{name}_called_around_due", called, at_least=amounts.visitors // 2)
    figures.tell(f"{name}_waited_at_due", len(waited))
    figures.tell(f"{name}_breaches", breaches.total(), at_least=len(waited), at_most=len(waited))
    figures.tell(f"{name}_missing", len(waited - breaches.keys()), at_most=0)
    figures.tell(f"{name}_false", len(breaches.keys() - waited), at_most=0)
    figures.tell(f"{name}_violations", sum(len(check(lines, [])) for lines in offices), at_most=0)
    figures.tell(f"{name}_verify", difference or "clean")
    late = sorted(late_ms(breach) for lines in offices for _, breach in breaches_in(lines))
    figures.tell(f"{name}_detected_after_p50_ms", median(late))
    figures.tell(f"{name}_detected_after_p999_ms", late[int(len(late) * 0.999)], at_most=LATE_MS)
    figures.tell(f"{name}_detected_after_max_ms", late[-1], at_most=LATEST_MS)


def who_waited_at_due(lines: Sequence[Recorded]) -> Iterator[tuple[str, str]]:
    """Everybody who had not been called by the due that follows from the issue alone."""
    called = {line.fact.ticket: line.fact.at for line in lines if isinstance(line.fact, Called)}
    for line in lines:
        if isinstance(line.fact, Issued):
            due = line.fact.clock_start + timedelta(seconds=line.fact.limit_seconds)
            if line.fact.ticket not in called or called[line.fact.ticket] >= due:
                yield line.office_id, line.fact.ticket


def breaches_in(lines: Sequence[Recorded]) -> list[tuple[Recorded, Breached]]:
    """An office's breaches with their lines."""
    return [(line, line.fact) for line in lines if isinstance(line.fact, Breached)]


def breach_name(office: str, breach: Breached) -> tuple[str, str]:
    """Whose it is."""
    return office, breach.ticket


def late_ms(breach: Breached) -> float:
    """From the due to the record."""
    return (breach.at - breach.due).total_seconds() * 1e3


if __name__ == "__main__":
    sys.exit(uvloop.run(main()))
