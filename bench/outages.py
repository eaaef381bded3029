"""Limits that pass while servers or the database are killed, away, set back, full, or without their past.

Visitors come without a pause and nobody calls them, so at any instant somebody's limit is about to pass. Whatever is
killed, everybody has one breach in the end, and it has its true instant. While the database is away the watch tells of
breaches from memory, and a screen hears of each within a second of its due.
"""

import asyncio
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import cycle
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory

import uvloop

from app.journal import Recorded
from bench import Figures, words
from bench.harness.callers import Client, Crowd, attend_kiosk, take_ticket
from bench.harness.client import Clients
from bench.harness.clock_outages import set_clocks
from bench.harness.judging import judge, lines_of
from bench.harness.listeners import Provisionals, hearing
from bench.harness.offices import describe, description
from bench.harness.past_outages import lose_pasts
from bench.harness.servers import Server, running
from bench.harness.storage_outages import trouble_storage
from bench.kills import Round, Victims
from queue_core.facts import Breached, Issued
from tests.postgres import PostgresServer, postgres_server

OFFICE = "centre"
SERVICES = 3
LIMIT_SECONDS = 2
KIOSKS = 2
KIOSK_PAUSE_SECONDS = 0.05
QUIET_SECONDS = (0.2, 1.2)

VISITORS_BEFORE_THE_OUTAGE = 30
TOLD_WITHIN_MS = 1_000.0


@dataclass(frozen=True, slots=True)
class Amounts:
    """Rounds on each database, and how long PostgreSQL is away."""

    rounds: int
    away_seconds: float


FULL = Amounts(rounds=25, away_seconds=30)
QUICK = Amounts(rounds=3, away_seconds=4)


async def main() -> int:
    """Kill on both databases, then take PostgreSQL away; the exit status."""
    asked, figures = words(__doc__), Figures()
    amounts = QUICK if asked.quick else FULL
    print(f"seed {asked.seed}", flush=True)
    others = (
        lose_pasts(figures, quick=asked.quick),
        trouble_storage(figures),
        set_clocks(amounts.rounds // 3 + 1, figures),
    )
    async with asyncio.TaskGroup() as beside:
        if asked.quick:
            # They take the cores from those whose delays are measured, and who is in a hurry puts up with that.
            for other in others:
                beside.create_task(asyncio.to_thread(asyncio.run, other))
        await kill_on_both(Random(asked.seed), amounts, figures)
    if not asked.quick:
        for other in others:
            await other
    return figures.end()


async def kill_on_both(random: Random, amounts: Amounts, figures: Figures) -> None:
    """Kill on SQLite, then on PostgreSQL, which then goes away for a while."""
    with TemporaryDirectory(prefix="fifteen-bench-") as directory:
        await kill("sqlite", str(Path(directory, "outages.db")), 1, None, random, amounts.rounds, figures)
    with postgres_server() as postgres:
        await kill("postgres", postgres.fresh_database(), 2, postgres, random, amounts.rounds, figures)
        await take_away(postgres, random, amounts.away_seconds, figures)


async def begin(servers: Sequence[Server], random: Random) -> Crowd:
    """Servers that are ready, and an office where nobody is ever called."""
    for server in servers:
        await server.ready()
    await describe(
        Clients(servers[0].port, 1), description(OFFICE, services=SERVICES, counters=1, limit_seconds=LIMIT_SECONDS)
    )
    return Crowd(OFFICE, [server.port for server in servers], random, SERVICES)


async def kill(
    name: str,
    address: str,
    processes: int,
    postgres: PostgresServer | None,
    random: Random,
    rounds: int,
    figures: Figures,
) -> None:
    """Somebody is killed again and again while limits pass."""
    servers = [Server({"FIFTEEN_DATABASE": address}) for _ in range(processes)]
    with running(*servers):
        crowd = await begin(servers, random)
        victims: cycle[Round] = cycle(Victims(crowd, servers, postgres).rounds())
        async with asyncio.TaskGroup() as group:
            for number in range(KIOSKS):
                group.create_task(attend_kiosk(crowd, number, KIOSK_PAUSE_SECONDS))
            for _ in range(rounds):
                await asyncio.sleep(random.uniform(*QUIET_SECONDS))
                await next(victims)()
            crowd.kiosks_are_open = False
        await until_all_are_due()
        for server in servers:
            server.stop()
    figures.tell(f"{name}_kills", rounds)
    judge(name, address, crowd, figures)
    tell_breaches(name, lines_of(address, OFFICE), figures)


async def take_away(postgres: PostgresServer, random: Random, seconds: float, figures: Figures) -> None:
    """PostgreSQL goes right after some have come, and comes back long after their limits have passed."""
    address = postgres.fresh_database()
    server = Server({"FIFTEEN_DATABASE": address})
    with running(server):
        crowd = await begin([server], random)
        async with hearing(server.port, OFFICE) as heard:
            for number in range(VISITORS_BEFORE_THE_OUTAGE):
                await take_ticket(Client(crowd, f"visitor-{number}", [server.port]))
            postgres.kill()
            await asyncio.sleep(seconds)
            await asyncio.to_thread(postgres.start)
            await server.ready()
            await until_all_are_due()
            told = heard.provisionals
        server.stop()
    judge("away", address, crowd, figures)
    lines = lines_of(address, OFFICE)
    tell_breaches("away", lines, figures)
    tell_provisional(lines, told, figures)


async def until_all_are_due() -> None:
    """Whoever has come has waited too long."""
    await asyncio.sleep(LIMIT_SECONDS + 1)


def tell_breaches(name: str, lines: Sequence[Recorded], figures: Figures) -> None:
    """Everybody has one, with the due that follows from the issue."""
    dues = {
        line.fact.ticket: line.fact.clock_start + timedelta(seconds=line.fact.limit_seconds)
        for line in lines
        if isinstance(line.fact, Issued)
    }
    breaches = [line.fact for line in lines if isinstance(line.fact, Breached)]
    doubled = sum(times - 1 for times in Counter(breach.ticket for breach in breaches).values())
    figures.tell(f"{name}_without_a_breach", len(dues.keys() - {breach.ticket for breach in breaches}), at_most=0)
    figures.tell(f"{name}_breaches_doubled", doubled, at_most=0)
    figures.tell(f"{name}_untrue_dues", sum(breach.due != dues[breach.ticket] for breach in breaches), at_most=0)
    late = [(breach.at - breach.due).total_seconds() for breach in breaches]
    figures.tell(f"{name}_recorded_after_median_seconds", median(late))
    figures.tell(f"{name}_recorded_after_max_seconds", max(late))


def tell_provisional(lines: Sequence[Recorded], told: Provisionals, figures: Figures) -> None:
    """Whoever's limit passed while nothing could be recorded was told of once, and soon."""
    late = {line.fact.ticket for line in lines if isinstance(line.fact, Breached) and was_late(line.fact)}
    after = [(heard_at - due).total_seconds() * 1e3 for heard_at, _, due in told]
    tickets = Counter(ticket for _, ticket, _ in told)
    figures.tell("away_recorded_late", len(late), at_least=1)
    figures.tell("away_told_from_memory", len(tickets))
    figures.tell("away_not_told", len(late - tickets.keys()), at_most=0)
    figures.tell("away_told_twice", sum(times - 1 for times in tickets.values()), at_most=0)
    figures.tell("away_told_after_median_ms", median(after))
    figures.tell("away_told_after_max_ms", max(after), at_most=TOLD_WITHIN_MS)


def was_late(breach: Breached) -> bool:
    """Whether it fell into the outage: nothing else takes so long."""
    return breach.at - breach.due > timedelta(milliseconds=TOLD_WITHIN_MS)


if __name__ == "__main__":
    sys.exit(uvloop.run(main()))
