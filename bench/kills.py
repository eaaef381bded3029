"""Servers killed with SIGKILL at random points under load, by clients who repeat whatever was not answered.

Half of the rounds run on SQLite, half on PostgreSQL with two server processes, where the victims are one, both, or the
database itself too. Afterwards the journal is examined: nothing that was acknowledged is lost, nothing
happened twice, no number is missing. And each time every server has to serve again within 3 seconds, those left out
in which it stood ready and other programs of the machine had the processors.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory
from time import monotonic

import uvloop

from bench import Figures, words
from bench.harness.callers import Client, Crowd, attend_counter, attend_kiosk, take_ticket
from bench.harness.client import Clients
from bench.harness.judging import judge
from bench.harness.offices import describe, description
from bench.harness.servers import Server, running
from tests.postgres import PostgresServer, postgres_server

OFFICE = "centre"
KIOSKS = 4
OPERATORS = 12
SERVICES = 3
KIOSK_PAUSE_SECONDS = 0.04
"""About 100 visitors a second, three times what all of Russia has at its peak, and still room to start a server."""

LIMIT_SECONDS = 2
"""Short, so that limits pass while nobody is there to record it."""

QUIET_SECONDS = (0.05, 0.9)
"""How long a server is left alone before it is killed."""

SERVING_AGAIN_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Length:
    """At least so many rounds on each database, and more of them for so long."""

    rounds: int
    seconds: float


FULL = Length(rounds=30, seconds=0)
QUICK = Length(rounds=3, seconds=12)


@dataclass(frozen=True, slots=True)
class Recovery:
    """From the command to start again, with the database there, to the first ticket of every server.

    For `waited_seconds` of it a server could have gone on and had to wait for a processor.
    """

    seconds: float
    waited_seconds: float

    @property
    def undisturbed_seconds(self) -> float:
        """What it would have taken with a processor to itself."""
        return self.seconds - self.waited_seconds


Round = Callable[[], Awaitable[Recovery]]
"""Somebody is killed and started again."""


async def main() -> int:
    """Kill on both databases; the exit status."""
    asked, figures = words(__doc__), Figures()
    length = QUICK if asked.quick else FULL
    print(f"seed {asked.seed}", flush=True)
    with TemporaryDirectory(prefix="fifteen-bench-") as directory:
        await kill_on_sqlite(str(Path(directory, "kills.db")), Random(asked.seed), length, figures)
    with postgres_server() as postgres:
        await kill_on_postgres(postgres, Random(asked.seed), length, figures)
    return figures.end()


async def kill_on_sqlite(database: str, random: Random, length: Length, figures: Figures) -> None:
    """One process and its file."""
    server = Server({"FIFTEEN_DATABASE": database})
    with running(server):
        crowd = await load(random, server)
        await kill("sqlite", crowd, Victims(crowd, [server]).rounds(), length, figures)
        server.stop()
    judge("sqlite", database, crowd, figures)


async def kill_on_postgres(postgres: PostgresServer, random: Random, length: Length, figures: Figures) -> None:
    """Two processes and their database."""
    address = postgres.fresh_database()
    servers = [Server({"FIFTEEN_DATABASE": address}) for _ in range(2)]
    with running(*servers):
        crowd = await load(random, *servers)
        await kill("postgres", crowd, Victims(crowd, servers, postgres).rounds(), length, figures)
        for server in servers:
            server.stop()
    judge("postgres", address, crowd, figures)


async def load(random: Random, *servers: Server) -> Crowd:
    """Servers that are ready, and an office for the crowd to come."""
    for server in servers:
        await server.ready()
    await describe(
        Clients(servers[0].port, 1),
        description(OFFICE, services=SERVICES, counters=OPERATORS, limit_seconds=LIMIT_SECONDS),
    )
    return Crowd(OFFICE, [server.port for server in servers], random, SERVICES)


async def kill(name: str, crowd: Crowd, rounds: Sequence[Round], length: Length, figures: Figures) -> None:
    """Rounds of every kind in turn while the crowd goes on; the times until there was service again."""
    recoveries: list[Recovery] = []
    ends = monotonic() + length.seconds
    async with asyncio.TaskGroup() as group:
        for number in range(KIOSKS):
            group.create_task(attend_kiosk(crowd, number, KIOSK_PAUSE_SECONDS))
        for number in range(OPERATORS):
            group.create_task(attend_counter(crowd, number))
        for round_ in cycle(rounds):
            await asyncio.sleep(crowd.random.uniform(*QUIET_SECONDS))
            recoveries.append(await round_())
            print(f"{name}: {round_.__name__}, served again after {recoveries[-1].seconds:.2f} s", flush=True)
            if len(recoveries) >= length.rounds and monotonic() > ends:
                break
        crowd.kiosks_are_open = False
    tell(name, crowd, recoveries, figures)


def tell(name: str, crowd: Crowd, recoveries: Sequence[Recovery], figures: Figures) -> None:
    """How much went on, and how soon it went on again."""
    figures.tell(f"{name}_kills", len(recoveries))
    figures.tell(f"{name}_attempts", len(crowd.history))
    figures.tell(f"{name}_attempts_without_an_answer", sum(call.status is None for call in crowd.history))
    figures.tell(f"{name}_serving_again_seconds_median", median(recovery.seconds for recovery in recoveries))
    figures.tell(f"{name}_serving_again_seconds_max", max(recovery.seconds for recovery in recoveries))
    undisturbed = max(recovery.undisturbed_seconds for recovery in recoveries)
    figures.tell(f"{name}_serving_again_undisturbed_seconds_max", undisturbed, at_most=SERVING_AGAIN_SECONDS)


class Victims:
    """Who may be killed, and how each is brought back."""

    def __init__(self, crowd: Crowd, servers: Sequence[Server], postgres: PostgresServer | None = None) -> None:
        self._crowd, self._servers, self._postgres = crowd, servers, postgres

    def rounds(self) -> list[Round]:
        """The kinds of rounds, in the order in which they take turns."""
        if self._postgres is None:
            return [self.the_server_is_killed]
        return [self.one_of_two_is_killed, self.the_database_is_killed, self.both_are_killed, self.everything_is_killed]

    async def the_server_is_killed(self) -> Recovery:
        """The one there is."""
        return await self._kill_and_start(self._servers)

    async def one_of_two_is_killed(self) -> Recovery:
        """The other goes on."""
        return await self._kill_and_start([self._crowd.random.choice(self._servers)])

    async def both_are_killed(self) -> Recovery:
        """As when the machine of the servers is lost."""
        return await self._kill_and_start(self._servers)

    async def the_database_is_killed(self) -> Recovery:
        """All its processes; the servers stay and have to find it again."""
        return await self._kill_and_start([], self._postgres)

    async def everything_is_killed(self) -> Recovery:
        """As when one machine has it all."""
        return await self._kill_and_start(self._servers, self._postgres)

    async def _kill_and_start(self, killed: Sequence[Server], postgres: PostgresServer | None = None) -> Recovery:
        for server in killed:
            server.kill()
        if postgres:
            postgres.kill()
            # Not counted: how long PostgreSQL takes to recover is a matter of its data and its disk.
            await asyncio.to_thread(postgres.start)
        waited = {server: 0.0 if server in killed else server.waited_seconds() for server in self._servers}
        began = monotonic()
        for server in killed:
            server.start()
        await asyncio.gather(*map(self._serves, self._servers))
        seconds = monotonic() - began
        return Recovery(seconds, max(server.waited_seconds() - waited[server] for server in self._servers))

    async def _serves(self, server: Server) -> None:
        await server.ready()
        visitor = Client(self._crowd, f"visitor-{len(self._crowd.history)}-{server.port}", [server.port])
        await take_ticket(visitor)
        visitor.hang_up()


if __name__ == "__main__":
    sys.exit(uvloop.run(main()))
