"""What issue, call-next and a scrape cost, measured in bare FastAPI routes.

Slices of load alternate between a bare server (`harness/bare.py`) and Fifteen; every ratio is taken between neighbours,
and the median of the calmer half is told. Then calls with short and long lines alternate, and a server of 3,000 offices
is scraped.
"""

import asyncio
import os
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import uvloop

from bench import Figures, words
from bench.harness.client import Clients, get
from bench.harness.load import BareLoad, HallLoad
from bench.harness.offices import MADE, counter_id, description, issue, service_id, set_up
from bench.harness.prepared import Wish, fill
from bench.harness.servers import BARE, Server, running
from bench.harness.turns import Turns
from queue_core.commands import CallNext, Issue, OpenCounter
from tests.postgres import PostgresServer, postgres_server

CLIENTS = 16
SYNCS = 100
COUNTERS = 1_000
"""As many as an office may have: so many calls in a row before counters have to be freed."""

LINES = (100, 1_000, 50_000)
COUNTERS_OF_LINE = 64
OFFICES = 3_000
SERVICES = 5
COUNTERS_OF_OFFICE = 8
# Russia's peak is 240 facts a second in 13,000 offices: about as many of 3,000 have changed after a scrape's 5 seconds.
OFFICES_CHANGED = 300

QUIET_SECONDS = 1.5

LONG_LINE_OF_SHORT = 1.3
SCRAPE_IN_BARE_REQUESTS = 50.0

HINT = """To see where it goes: main_thread_share tells the event loop from the threads that write the journal;
`python -m cProfile -s tottime -m app serve`, then this load, tells the functions of the event loop."""


@dataclass(frozen=True, slots=True)
class Amounts:
    """How much of everything."""

    rounds: int
    requests: int
    line_rounds: int
    scrapes: int


FULL = Amounts(rounds=12, requests=6_000, line_rounds=60, scrapes=7)
QUICK = Amounts(rounds=3, requests=1_000, line_rounds=10, scrapes=2)


async def main() -> int:
    """Measure everything; the exit status."""
    amounts, figures = QUICK if words(__doc__).quick else FULL, Figures()
    with TemporaryDirectory(prefix="fifteen-bench-") as directory:
        bare = Server({}, BARE)
        with running(bare):
            await bare.ready()
            load = BareLoad(bare, Clients(bare.port, CLIENTS), "centre", COUNTERS)
            figures.tell("disk_sync_ms", sync_ms(Path(directory)))
            await measure_routes(load, Path(directory), amounts, figures)
            await measure_large(load, Path(directory), amounts, figures)
    return figures.end(HINT)


def sync_ms(directory: Path) -> float:
    """How long the disk takes to keep a page for good: no commit is faster, and 16 clients wait for two in turn."""
    lasted: list[float] = []
    with (directory / "page").open("wb", buffering=0) as file:
        for _ in range(SYNCS):
            file.write(bytes(4096))
            began = perf_counter()
            os.fdatasync(file.fileno())
            lasted.append(perf_counter() - began)
    return median(lasted) * 1e3


# Issue and call-next


async def measure_routes(bare: BareLoad, directory: Path, amounts: Amounts, figures: Figures) -> None:
    """Both routes on both databases, in turns with the bare ones."""
    with postgres_server() as postgres:
        addresses = {"sqlite": str(directory / "routes.db"), "postgres": postgres.fresh_database()}
        servers = {name: Server({"FIFTEEN_DATABASE": address}) for name, address in addresses.items()}
        with running(*servers.values()):
            halls = {name: await hall_load(server) for name, server in servers.items()}
            turns = Turns(bare, halls, postmaster_of(postgres))
            for number in range(amounts.rounds):
                await turns.round(amounts.requests, bare_first=number % 2 == 0)
    turns.tell(figures)


def postmaster_of(postgres: PostgresServer) -> int:
    """The process that all of PostgreSQL's others descend from."""
    return int((postgres.directory / "data" / "postmaster.pid").read_text().split()[0])


async def hall_load(server: Server) -> HallLoad:
    """Clients of Fifteen, an office and its operators."""
    await server.ready()
    clients = Clients(server.port, CLIENTS)
    await set_up(clients, description("centre", counters=COUNTERS, limit_seconds=86_400))
    return HallLoad(server, clients, "centre", COUNTERS)


# Long lines, and thousands of offices


async def measure_large(bare: BareLoad, directory: Path, amounts: Amounts, figures: Figures) -> None:
    """Calls with short and long lines in turns, and scrapes of a server that has 3,000 other offices besides."""
    database = directory / "large.db"
    lines = [description(line_id(length), counters=COUNTERS_OF_LINE, limit_seconds=86_400) for length in LINES]
    others = [
        description(other_id(number), services=SERVICES, counters=COUNTERS_OF_OFFICE) for number in range(OFFICES)
    ]
    print(f"preparing {len(others)} offices and {sum(LINES)} visitors", flush=True)
    await fill(database, [*lines, *others], [*wishes_of_lines(), *wishes_of_others()])
    server = Server({"FIFTEEN_DATABASE": str(database)})
    with running(server):
        await server.ready()
        await measure_lines(server, amounts.line_rounds, figures)
        await measure_scrapes(server, bare, amounts.scrapes, figures)


def line_id(length: int) -> str:
    """The office with a line of this length."""
    return f"line-{length}"


def other_id(number: int) -> str:
    """One of the many offices."""
    return f"office-{number}"


def wishes_of_lines() -> Iterator[Wish]:
    """Operators at all counters, and people in line."""
    for length in LINES:
        for number in range(COUNTERS_OF_LINE):
            yield line_id(length), OpenCounter(counter_id(number), f"operator {number}")
        yield from ((line_id(length), Issue(service_id(0))) for _ in range(length))


def wishes_of_others() -> Iterator[Wish]:
    """Somebody waits and somebody is called in every office."""
    for office in map(other_id, range(OFFICES)):
        yield office, OpenCounter(counter_id(0), "operator")
        yield office, Issue(service_id(0))
        yield office, Issue(service_id(1))
        yield office, CallNext(counter_id(0))


async def measure_lines(server: Server, rounds: int, figures: Figures) -> None:
    """All counters of each office call in turn; then those called go, and as many come again."""
    clients = Clients(server.port, CLIENTS)
    loads = {length: HallLoad(server, clients, line_id(length), COUNTERS_OF_LINE) for length in LINES}
    costs: dict[int, list[float]] = defaultdict(list)
    for _ in range(rounds):
        for length, load in loads.items():
            called = await load.call(COUNTERS_OF_LINE)
            costs[length].append(called.cpu_us)
            await load.issue(COUNTERS_OF_LINE)
    for length in LINES:
        figures.tell(f"call_with_{length}_waiting_cpu_us", median(costs[length]))
    for length in LINES[1:]:
        ratio = median(long / short for long, short in zip(costs[length], costs[LINES[0]], strict=True))
        figures.tell(f"call_with_{length}_waiting_of_{LINES[0]}", ratio, at_most=LONG_LINE_OF_SHORT)


async def measure_scrapes(server: Server, bare: BareLoad, scrapes: int, figures: Figures) -> None:
    """Scrapes in bare requests that are made right before each."""
    changes = Changes(Clients(server.port, CLIENTS))
    # Prometheus asks for gzip. A person with curl does not, and 72 MB take their time whoever sends them.
    for encoding, goal in (("gzip", SCRAPE_IN_BARE_REQUESTS), ("identity", None)):
        prometheus = Prometheus(server, Clients(server.port, 1), encoding)
        first = await prometheus.scrape()
        figures.tell(f"scrape_{encoding}_megabytes", prometheus.megabytes)
        figures.tell(f"scrape_{encoding}_first_cpu_ms", first * 1e3)
        for name, changed in (("unchanged", 0), (f"{OFFICES_CHANGED}_changed", OFFICES_CHANGED)):
            costs: list[float] = []
            for _ in range(scrapes):
                await changes.make(changed)
                # Prometheus comes every 5 seconds; what happens right before it is little.
                await asyncio.sleep(QUIET_SECONDS if changed else 0)
                unit = await bare.issue(500)
                costs.append(await prometheus.scrape() / (unit.cpu_us / 1e6))
            figures.tell(f"scrape_{encoding}_{name}_of_bare", median(costs), at_most=goal)


class Changes:
    """Tickets issued here and there, each time in other offices."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._numbers = count()

    async def make(self, offices: int) -> None:
        """Have so many offices change."""
        wishes = [issue(other_id(number % OFFICES), f"change-{number}") for number in islice(self._numbers, offices)]
        await self._clients.ask(wishes, expected=MADE)


class Prometheus:
    """Somebody who scrapes."""

    def __init__(self, server: Server, clients: Clients, encoding: str) -> None:
        self._server, self._clients = server, clients
        self._request = get("/metrics", {"accept-encoding": encoding, "x-prometheus-scrape-timeout-seconds": "5"})
        self.megabytes = 0.0

    async def scrape(self) -> float:
        """The seconds of the server's processor that one scrape took."""
        await self._clients.pick_up()
        before = self._server.cpu_seconds()
        (reply,) = await self._clients.ask([self._request], expected=MADE)
        self.megabytes = len(reply.body) / 1e6
        return self._server.cpu_seconds() - before


if __name__ == "__main__":
    sys.exit(uvloop.run(main()))
