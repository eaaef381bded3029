"""A receiver of webhooks that refuses, one that hangs and one that is down for ten minutes, beside one in good health.

Two servers are loaded alike, each arrival at one and the next at the other: one tells four receivers, the other nobody.
Then the ill get well, and the journal is held against what arrived: nothing is lost, each office's order is kept, and
those at the kiosks have not noticed.
"""

import asyncio
import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, time

import uvloop

from app.alerts.told import TOLD
from app.journal import Recorded, Verification, open_journal
from bench import Figures, words
from bench.harness.callers import Client, Crowd, take_ticket
from bench.harness.client import Clients, Connection, get
from bench.harness.judging import SHOWN, as_kept
from bench.harness.offices import MADE, counter_id, description, issue, set_up
from bench.harness.receivers import Arrival, Name, Receivers, receiving
from bench.harness.servers import Server, running
from queue_core.facts import Breached, Escalated, Issued, Relieved
from tests.proof.checker import Call, check

QUIET = "quiet"
"""The office at whose kiosks the time is taken: its limit is a day, so that nothing is told of it."""

QUIET_LIMIT_SECONDS = 86_400
TROUBLED = tuple(f"troubled-{number}" for number in range(12))
"""More offices than are under way to a receiver at once, so that all that may hang does."""

LIMIT_SECONDS = 2
ESCALATION = ({"role": "operator", "after_seconds": 0}, {"role": "director", "after_seconds": 2})
CALLED_AFTER_SECONDS = (0.5, 6.0)
CONNECTIONS = 4

NOT_TAKING = (Name.REFUSING, Name.HANGING)
"""Whose ill answers are seen. Nobody sees what comes to a closed door."""

CATCH_UP_SECONDS = 300
LOOK_SECONDS = 1.0

P99_OF_UNTOLD = 1.5

Moment = tuple[float, float]
"""When a ticket was to be asked for, in seconds since 1970, and how many milliseconds later it was there."""


@dataclass(frozen=True, slots=True)
class Amounts:
    """How long the three are ill, tickets a second in each quiet office, and the longest pause between two troubles."""

    ill_seconds: float
    issues_per_second: float
    pause_seconds: float


FULL = Amounts(ill_seconds=600, issues_per_second=20, pause_seconds=20)
"""About three messages a second to each receiver, which takes fifty a second when it has got well."""

QUICK = Amounts(ill_seconds=12, issues_per_second=50, pause_seconds=2)


async def main() -> int:
    """Have them fall ill and get well; the exit status."""
    asked, figures = words(__doc__), Figures()
    print(f"seed {asked.seed}", flush=True)
    with TemporaryDirectory(prefix="fifteen-bench-") as directory, receiving(Path(directory)) as receivers:
        await tell(receivers, Path(directory), QUICK if asked.quick else FULL, Random(asked.seed), figures)
    return figures.end()


async def tell(receivers: Receivers, directory: Path, amounts: Amounts, random: Random, figures: Figures) -> None:
    """Load both servers until all have caught up, then examine what they and the receivers wrote down."""
    alerts = directory / "alerts.toml"
    alerts.write_text(receivers.alerts, encoding="utf-8")
    addresses = {"told": str(directory / "told.db"), "untold": str(directory / "untold.db")}
    settings = {"told": {"FIFTEEN_ALERTS": str(alerts)}, "untold": {}}
    servers = {name: Server({"FIFTEEN_DATABASE": addresses[name], **settings[name]}) for name in addresses}
    with running(*servers.values()):
        halls = {name: await Halls.before(server, random) for name, server in servers.items()}
        got_well_at = await be_ill(receivers, halls, amounts, random, figures)
        await tell_results(servers["told"], figures)
        for server in servers.values():
            server.stop()
    tell_times(halls, got_well_at, figures)
    lines = {name: judge(name, addresses[name], hall, figures) for name, hall in halls.items()}
    examine(lines["told"], receivers.end(), got_well_at, figures)


async def be_ill(
    receivers: Receivers, halls: Mapping[str, "Halls"], amounts: Amounts, random: Random, figures: Figures
) -> float:
    """Everybody comes while the three are ill, and tickets are taken until these have caught up; when they got well."""
    kiosks_close, ends = asyncio.Event(), perf_counter() + amounts.ill_seconds
    async with asyncio.TaskGroup() as kiosks:
        kiosks.create_task(attend_kiosks(list(halls.values()), amounts.issues_per_second, random, kiosks_close))
        async with asyncio.TaskGroup() as troubles:
            for crowd in (crowd for hall in halls.values() for crowd in hall.crowds):
                troubles.create_task(have_trouble(crowd, ends, amounts.pause_seconds))
            await asyncio.sleep(amounts.ill_seconds)
            await asyncio.to_thread(receivers.get_well)
            got_well_at = time()
        pending = await pending_in_the_end([hall.server for hall in halls.values()])
        figures.tell("deliveries_pending", pending, at_most=0)
        kiosks_close.set()
    return got_well_at


class Halls:
    """One server's offices, and those who come to them."""

    def __init__(self, server: Server, connections: Iterable[Connection], random: Random) -> None:
        self.server = server
        self.crowds = [Crowd(office, [server.port], random, services=1) for office in TROUBLED]
        self.history: list[Call] = []
        self.moments: list[Moment] = []
        self._keys = count()
        self._free: asyncio.Queue[Connection] = asyncio.Queue()
        for connection in connections:
            self._free.put_nowait(connection)

    @classmethod
    async def before(cls, server: Server, random: Random) -> "Halls":
        """Offices that are described, with an operator at each counter."""
        await server.ready()
        clients = Clients(server.port, CONNECTIONS)
        await set_up(clients, description(QUIET, services=1, counters=1, limit_seconds=QUIET_LIMIT_SECONDS))
        for office in TROUBLED:
            document = description(office, services=1, counters=1, limit_seconds=LIMIT_SECONDS)
            await set_up(clients, document | {"escalation": ESCALATION})
        clients.hang_up()
        return cls(server, [await Connection.to(server.port) for _ in range(CONNECTIONS)], random)

    async def take_quiet_ticket(self, due: float) -> None:
        """Somebody who was to come at `due` takes a ticket where nothing is told."""
        key = f"kiosk-{next(self._keys)}"
        connection = await self._free.get()
        start = perf_counter()
        try:
            reply = await connection.ask(issue(QUIET, key))
        finally:
            self._free.put_nowait(connection)
        end = perf_counter()
        if reply.status not in MADE:
            raise RuntimeError(f"{reply.status}: {reply.body!r}")
        self.moments.append((time() - (end - due), (end - due) * 1e3))
        self.history.append(
            Call(
                client=key,
                operation="issue",
                office=QUIET,
                key=key,
                start=start,
                end=end,
                status=reply.status,
                reply=reply.json(),
            )
        )


async def attend_kiosks(halls: Sequence[Halls], per_second: float, random: Random, close: asyncio.Event) -> None:
    """Somebody comes to each hall in turn, whether or not those before have their tickets, until the kiosks close."""
    due = perf_counter()
    async with asyncio.TaskGroup() as group:
        while not close.is_set():
            # Which of them is first must not be in step with anything.
            for hall in random.sample(halls, len(halls)):
                due += random.uniform(0.5, 1.5) / (per_second * len(halls))
                await asyncio.sleep(due - perf_counter())
                group.create_task(hall.take_quiet_ticket(due))


async def have_trouble(crowd: Crowd, ends: float, pause_seconds: float) -> None:
    """One visitor after the other, each called in time or too late, until it ends."""
    client = Client(crowd, f"visitor-{crowd.office}")
    while perf_counter() < ends:
        await take_ticket(client)
        await asyncio.sleep(crowd.random.uniform(*CALLED_AFTER_SECONDS))
        called = await client.tell("call-next", f"/counters/{counter_id(0)}/call-next")
        for step in ("start", "finish"):
            await client.tell(step, f"/tickets/{called.json()['id']}/{step}")
        client.hang_up()
        await asyncio.sleep(min(crowd.random.uniform(0, pause_seconds), max(0.0, ends - perf_counter())))


async def pending_in_the_end(servers: Sequence[Server]) -> int:
    """What is still to be told: nothing, unless that takes too long. All are asked, so that none has an advantage."""
    deadline = perf_counter() + CATCH_UP_SECONDS
    while True:
        pending = sum([await metric(server, "queue_deliveries_pending") for server in servers])
        if not pending or perf_counter() > deadline:
            return int(pending)
        await asyncio.sleep(LOOK_SECONDS)


async def metric(server: Server, name: str) -> float:
    """One number of those that Prometheus would read; 0 where it is not told."""
    connection = await Connection.to(server.port)
    metrics = await connection.ask(get("/metrics"))
    connection.close()
    found = re.search(rb"^" + re.escape(name.encode()) + rb" (\S+)", metrics.body, re.MULTILINE)
    return float(found[1]) if found else 0.0


async def tell_results(server: Server, figures: Figures) -> None:
    """What the server itself says became of its attempts."""
    for result, goal in (("delivered", None), ("failed", None), ("dead", 0)):
        attempts = await metric(server, f'queue_deliveries_total{{result="{result}"}}')
        figures.tell(f"deliveries_{result}", int(attempts), at_most=goal)


# What those at the kiosks noticed


def tell_times(halls: Mapping[str, Halls], got_well_at: float, figures: Figures) -> None:
    """How long a ticket took on both servers, while the three were ill and while they caught up."""
    for phase, is_ill in (("ill", True), ("catching_up", False)):
        worst: dict[str, float] = {}
        for name, hall in halls.items():
            lasted = sorted(ms for at, ms in hall.moments if (at < got_well_at) == is_ill)
            worst[name] = percentile(lasted, 0.99)
            figures.tell(f"{phase}_{name}_issues", len(lasted))
            figures.tell(f"{phase}_{name}_issue_p50_ms", median(lasted))
            figures.tell(f"{phase}_{name}_issue_p99_ms", worst[name])
            figures.tell(f"{phase}_{name}_issue_max_ms", lasted[-1])
        goal = P99_OF_UNTOLD if is_ill else None
        figures.tell(f"{phase}_issue_p99_ms_of_untold", worst["told"] / worst["untold"], at_most=goal)


def percentile(ordered: Sequence[float], share: float) -> float:
    """What so large a share of them does not exceed."""
    return ordered[int((len(ordered) - 1) * share)]


# What the journal says


def judge(name: str, address: str, halls: Halls, figures: Figures) -> list[Recorded]:
    """Tell what was counted, and which rules were broken how often; all lines of all offices."""
    journal = open_journal(address)
    try:
        lines = [line for office in (QUIET, *TROUBLED) for line in journal.facts_after(office, 0)]
        difference = Verification(journal).run().difference
        secret = journal.visit_secret()
    finally:
        journal.close()
        journal.database.close()
    for kind in (Issued, Breached, Escalated, Relieved):
        figures.tell(f"{name}_{kind.__name__.lower()}", sum(isinstance(line.fact, kind) for line in lines), at_least=1)
    history = [call for crowd in halls.crowds for call in crowd.history] + halls.history
    violations = check(lines, as_kept(history, secret))
    for violation in violations[:SHOWN]:
        print(violation)
    figures.tell(f"{name}_violations", len(violations), at_most=0)
    figures.tell(f"{name}_verify", difference or "clean")
    figures.tell(f"{name}_differences", int(difference is not None), at_most=0)
    return lines


def examine(lines: Iterable[Recorded], arrivals: Sequence[Arrival], got_well_at: float, figures: Figures) -> None:
    """Hold what each receiver took against what there was to tell."""
    told = {(line.office_id, line.seq): line.at for line in lines if isinstance(line.fact, TOLD)}
    figures.tell("facts_to_tell", len(told), at_least=1)
    figures.tell("told_from_memory", sum(arrival.seq is None for arrival in arrivals))
    for name in Name:
        mine = [arrival for arrival in arrivals if arrival.receiver is name]
        examine_one(name, told, mine, got_well_at, figures)


def examine_one(
    name: Name,
    told: Mapping[tuple[str, int], datetime],
    arrivals: Sequence[Arrival],
    got_well_at: float,
    figures: Figures,
) -> None:
    """One receiver: what it took, in which order, how often, and how late."""
    taken = [arrival for arrival in arrivals if arrival.is_taken]
    first: dict[tuple[str, int], float] = {}
    for arrival in taken:
        if arrival.seq is not None:
            first.setdefault((arrival.office, arrival.seq), arrival.at)
    times = Counter((arrival.office, arrival.seq) for arrival in taken if arrival.seq is not None)
    figures.tell(f"{name}_taken", len(taken))
    figures.tell(f"{name}_not_taken", len(arrivals) - len(taken), at_least=int(name in NOT_TAKING))
    figures.tell(f"{name}_lost", len(told.keys() - first.keys()), at_most=0)
    figures.tell(f"{name}_untrue", len(first.keys() - told.keys()), at_most=0)
    figures.tell(f"{name}_out_of_order", out_of_order(list(first)), at_most=0)
    figures.tell(f"{name}_badly_signed", sum(not arrival.is_signed for arrival in taken), at_most=0)
    figures.tell(f"{name}_repeated", sum(times.values()) - len(times))
    missed = [key for key, at in told.items() if at < datetime.fromtimestamp(got_well_at, UTC)]
    if name is Name.HEALTHY:
        delays = sorted((first[key] - told[key].timestamp()) * 1e3 for key in missed if key in first)
        figures.tell(f"{name}_told_after_p50_ms", median(delays))
        figures.tell(f"{name}_told_after_p99_ms", percentile(delays, 0.99))
    else:
        early = sum(at < got_well_at for at in first.values())
        figures.tell(f"{name}_missed_while_ill", len(missed) - early, at_least=1)
        caught_up_at = max((first[key] for key in missed if key in first), default=got_well_at)
        figures.tell(f"{name}_caught_up_after_seconds", caught_up_at - got_well_at)


def out_of_order(keys: Iterable[tuple[str, int]]) -> int:
    """How many came after one that stands behind them in the journal of their office."""
    latest: dict[str, int] = {}
    wrong = 0
    for office, seq in keys:
        wrong += seq < latest.get(office, 0)
        latest[office] = max(seq, latest.get(office, 0))
    return wrong


if __name__ == "__main__":
    sys.exit(uvloop.run(main()))
