"""Many callers at once on one office, through one process on SQLite and through two on PostgreSQL.

Kiosks issue while 64 operators call, start and finish, all of them without a pause. Then the journal is examined:
nobody is called twice, nobody is passed over, no number is missing, every answer was true.
"""

import asyncio
import sys
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import perf_counter

import psycopg
import uvloop

from bench import Figures, words
from bench.harness.callers import Crowd, attend_counter, attend_kiosk
from bench.harness.client import Clients
from bench.harness.judging import judge
from bench.harness.offices import describe, description
from bench.harness.servers import Server, running
from tests.postgres import postgres_server

OFFICE = "centre"
OPERATORS = 64
KIOSKS = 16
SERVICES = 3
TICKETS = 5_000
TICKETS_QUICK = 640


async def main() -> int:
    """Race on both databases; the exit status."""
    asked = words(__doc__)
    tickets = TICKETS_QUICK if asked.quick else TICKETS
    print(f"seed {asked.seed}", flush=True)
    figures = Figures()
    with TemporaryDirectory(prefix="fifteen-bench-") as directory:
        await race("sqlite", str(Path(directory, "races.db")), 1, tickets, Random(asked.seed), figures)
    with postgres_server() as postgres:
        address = postgres.fresh_database()
        await race("postgres", address, 2, tickets, Random(asked.seed), figures)
        figures.tell("postgres_lost_races", lost_races(address))
    return figures.end()


async def race(name: str, address: str, processes: int, tickets: int, random: Random, figures: Figures) -> None:
    """One office, everybody at once, and what the journal says afterwards."""
    servers = [Server({"FIFTEEN_DATABASE": address}) for _ in range(processes)]
    with running(*servers):
        for server in servers:
            await server.ready()
        await describe(Clients(servers[0].port, 1), description(OFFICE, services=SERVICES, counters=OPERATORS))
        crowd = Crowd(OFFICE, [server.port for server in servers], random, SERVICES, tickets)
        began = perf_counter()
        await everybody(crowd)
        seconds = perf_counter() - began
        for server in servers:
            server.stop()
    figures.tell(f"{name}_processes", processes)
    figures.tell(f"{name}_requests", len(crowd.history))
    figures.tell(f"{name}_seconds", seconds)
    judge(name, address, crowd, figures)


async def everybody(crowd: Crowd) -> None:
    """Kiosks and operators until the last visitor has gone."""
    async with asyncio.TaskGroup() as group:
        kiosks = [group.create_task(attend_kiosk(crowd, number)) for number in range(KIOSKS)]
        for number in range(OPERATORS):
            group.create_task(attend_counter(crowd, number))
        await asyncio.wait(kiosks)
        crowd.kiosks_are_open = False


def lost_races(address: str) -> int:
    """Transactions that PostgreSQL refused because another process had been faster."""
    with psycopg.connect(address.replace("+psycopg", "")) as connection:
        question = "SELECT xact_rollback FROM pg_stat_database WHERE datname = current_database()"
        row = connection.execute(question).fetchone()
        return int(row[0]) if row else 0


if __name__ == "__main__":
    sys.exit(uvloop.run(main()))
