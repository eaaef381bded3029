"""A busy office while strangers do what they can: silent sockets, endless headers, bad descriptions, deaf streams.

Quiet slices and slices under attack alternate on one server. Visitors come all the time, nobody is called, and limits
pass without a pause. What is told: how late breaches are recorded, what an issue takes, how long the loop stood still,
and how much memory the server has.
"""

import asyncio
import multiprocessing
import os
import re
import socket
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count, cycle
from multiprocessing.synchronize import Event
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import msgspec
import psutil
import uvloop

from bench import Figures, words
from bench.harness.client import Clients, Connection, get
from bench.harness.judging import lines_of
from bench.harness.offices import describe, description, issue, path
from bench.harness.servers import Server, running
from queue_core.facts import Breached
from tests.configuration.documents import smallest
from tests.configuration.worst import WORST

OFFICE = "centre"
SERVICES = 3
LIMIT_SECONDS = 2
KIOSKS = 4
KIOSK_PAUSE_SECONDS = 0.04

SILENT = 2_000
HEADER_BYTES = 80_000_000
DEAF = 300
STRANGERS = [f"127.0.1.{number}" for number in range(1, 9)]
"""Loopback has as many addresses as one likes; the kiosks come from the usual one."""

BREACH_SECONDS = 1.0
P99_OF_QUIET = 2.0
STALL = "0.05"
MORE_MEGABYTES = 200.0

SETTLING_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Amounts:
    """How many pairs of slices, and how long each slice is."""

    pairs: int
    seconds: float


FULL = Amounts(pairs=6, seconds=20)
QUICK = Amounts(pairs=2, seconds=5)

HINT = """To see what held the loop up: queue_loop_stall_seconds tells computing (working) from waiting;
`python -m cProfile -s tottime -m app serve` under one kind of stranger alone tells the function."""


@dataclass(slots=True)
class Slices:
    """What all quiet slices, or all under attack, came to."""

    issues_ms: list[float] = field(default_factory=list)
    stalls: dict[str, float] = field(default_factory=lambda: {"waiting": 0.0, "working": 0.0})
    megabytes: float = 0.0
    seconds: float = 0.0
    waited_seconds: float = 0.0

    @property
    def p99_ms(self) -> float:
        """What 99 of 100 issues took at most."""
        return quantiles(self.issues_ms, n=100)[98]


async def main() -> int:
    """Alternate, then read the journal; the exit status."""
    asked = words(__doc__)
    amounts, figures = QUICK if asked.quick else FULL, Figures()
    with TemporaryDirectory(prefix="fifteen-bench-") as directory:
        address = str(Path(directory, "strangers.db"))
        server = Server({"FIFTEEN_DATABASE": address, "FIFTEEN_KNOWN_ADDRESSES": "127.0.0.1"})
        quiet, attacked = Slices(), Slices()
        with running(server):
            await server.ready()
            office = description(OFFICE, services=SERVICES, counters=1, limit_seconds=LIMIT_SECONDS)
            await describe(Clients(server.port, 1), office)
            keys = count()
            for number in range(amounts.pairs):
                await measure(server, amounts.seconds, keys, quiet)
                with strangers(server.port):
                    await measure(server, amounts.seconds, keys, attacked)
                print(f"pair {number + 1}: p99 {quiet.p99_ms:.1f} ms, attacked {attacked.p99_ms:.1f} ms", flush=True)
                await asyncio.sleep(SETTLING_SECONDS)
            await asyncio.sleep(LIMIT_SECONDS + BREACH_SECONDS)
            refused = await refusals(server)
            server.stop()
        tell(figures, quiet, attacked, address, refused)
    return figures.end(HINT)


def tell(figures: Figures, quiet: Slices, attacked: Slices, address: str, refused: dict[str, float]) -> None:
    """All figures, with their goals."""
    breaches = [line.fact for line in lines_of(address, OFFICE) if isinstance(line.fact, Breached)]
    late = [(breach.at - breach.due).total_seconds() for breach in breaches]
    figures.tell("breaches", len(breaches), at_least=1)
    figures.tell("breach_delay_max_seconds", max(late), at_most=BREACH_SECONDS)
    figures.tell("issues_quiet", len(quiet.issues_ms))
    figures.tell("issues_attacked", len(attacked.issues_ms))
    figures.tell("issue_p99_quiet_ms", quiet.p99_ms)
    figures.tell("issue_p99_attacked_ms", attacked.p99_ms)
    figures.tell("issue_p99_of_quiet", attacked.p99_ms / quiet.p99_ms, at_most=P99_OF_QUIET)
    figures.tell("stalls_above_50ms_quiet_working", quiet.stalls["working"])
    figures.tell("stalls_above_50ms_quiet_waiting", quiet.stalls["waiting"])
    figures.tell("stalls_above_50ms_working", attacked.stalls["working"], at_most=0)
    # What a busy machine does to the loop it does to quiet slices too.
    figures.tell("stalls_above_50ms_waiting", attacked.stalls["waiting"], at_most=quiet.stalls["waiting"])
    # How much of the time the loop's thread was ready and others had the processors.
    figures.tell("without_a_processor_quiet", quiet.waited_seconds / quiet.seconds)
    figures.tell("without_a_processor_attacked", attacked.waited_seconds / attacked.seconds)
    figures.tell("memory_quiet_megabytes", quiet.megabytes)
    figures.tell("memory_attacked_megabytes", attacked.megabytes, at_most=quiet.megabytes + MORE_MEGABYTES)
    for reason, times in sorted(refused.items()):
        figures.tell(f"refused_{reason}", times)


async def measure(server: Server, seconds: float, keys: Iterator[int], slices: Slices) -> None:
    """One slice."""
    before = await stalls(server)
    waited, began = server.waited_seconds(), perf_counter()
    ends = began + seconds
    async with asyncio.TaskGroup() as group:
        for _ in range(KIOSKS):
            group.create_task(attend(server.port, ends, keys, slices))
        group.create_task(watch_memory(server.pid, ends, slices))
    slices.waited_seconds += server.waited_seconds() - waited
    slices.seconds += perf_counter() - began
    after = await stalls(server)
    for kind in slices.stalls:
        slices.stalls[kind] += after[kind] - before[kind]


async def attend(port: int, ends: float, keys: Iterator[int], slices: Slices) -> None:
    """A kiosk at which somebody comes again and again."""
    connection = await Connection.to(port)
    while perf_counter() < ends:
        number = next(keys)
        began = perf_counter()
        reply = await connection.ask(issue(OFFICE, f"visitor-{number}", number % SERVICES))
        if reply.status != 201:
            raise RuntimeError(f"an issue was answered with {reply.status} {reply.body!r}")
        slices.issues_ms.append((perf_counter() - began) * 1e3)
        await asyncio.sleep(KIOSK_PAUSE_SECONDS)
    connection.close()


async def watch_memory(pid: int, ends: float, slices: Slices) -> None:
    """The most memory that the server has."""
    process = psutil.Process(pid)
    while perf_counter() < ends:
        slices.megabytes = max(slices.megabytes, process.memory_info().rss / 1e6)
        await asyncio.sleep(0.1)


async def metrics(server: Server) -> str:
    """What the server says of itself."""
    connection = await Connection.to(server.port)
    reply = await connection.ask(get("/metrics"))
    connection.close()
    return reply.body.decode()


async def stalls(server: Server) -> dict[str, float]:
    """How often the loop stood still for longer than it should, by kind."""
    found = re.findall(
        r'^queue_loop_stall_seconds_bucket{kind="(\w+)",le="(\S+)"} (\S+)$', await metrics(server), re.MULTILINE
    )
    buckets = {(kind, edge): float(times) for kind, edge, times in found}
    return {kind: buckets[kind, "+Inf"] - buckets[kind, STALL] for kind in ("waiting", "working")}


async def refusals(server: Server) -> dict[str, float]:
    """What was refused, by reason."""
    found = re.findall(r'^queue_connections_refused_total{reason="(\w+)"} (\S+)$', await metrics(server), re.MULTILINE)
    found += [
        (f"stream_{reason}", times)
        for reason, times in re.findall(
            r'^queue_streams_dropped_total{reason="(\w+)"} (\S+)$', await metrics(server), re.MULTILINE
        )
    ]
    return {reason: float(times) for reason, times in found}


# Strangers, in a process of their own


@contextmanager
def strangers(port: int) -> Iterator[None]:
    """All of them at once, for as long as the block lasts; it begins when they have."""
    spawning = multiprocessing.get_context("spawn")
    begun = spawning.Event()
    process = spawning.Process(target=attack, args=(port, begun), daemon=True)
    process.start()
    try:
        if not begun.wait(60):
            raise RuntimeError("the strangers did not come")
        yield
    finally:
        process.kill()
        process.join()


def attack(port: int, begun: Event) -> None:
    """Everything at once, until this process is killed."""
    # Strangers have machines of their own, and do not take this one's processors from the server.
    os.nice(19)
    uvloop.run(_attack(port, begun))


async def _attack(port: int, begun: Event) -> None:
    addresses = cycle(STRANGERS)
    async with asyncio.TaskGroup() as group:
        for _ in range(SILENT):
            group.create_task(again(lambda: silent(port, next(addresses))))
        for _ in range(DEAF):
            group.create_task(again(lambda: deaf(port, next(addresses))))
        group.create_task(again(lambda: endless_header(port, next(addresses))))
        descriptions = cycle([msgspec.json.encode(worst(smallest())) for worst in WORST.values()])
        group.create_task(again(lambda: worst_description(port, next(addresses), next(descriptions))))
        await asyncio.sleep(2)
        begun.set()


async def again(strange: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """One of them, who comes back whenever sent away."""
    while True:
        with suppress(OSError, asyncio.IncompleteReadError):
            await strange()
        await asyncio.sleep(1)


async def connected(port: int, address: str) -> socket.socket:
    """A connection from this address that takes in next to nothing by itself."""
    connection = socket.socket()
    connection.setblocking(False)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.bind((address, 0))
    await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", port))
    return connection


async def silent(port: int, address: str) -> None:
    """Come and say nothing."""
    with await connected(port, address) as connection:
        await asyncio.get_running_loop().sock_recv(connection, 1)


async def deaf(port: int, address: str) -> None:
    """Ask for every fact since the first, and listen to none."""
    with await connected(port, address) as connection:
        await asyncio.get_running_loop().sock_sendall(connection, get(path(OFFICE, "/stream?view=facts&after=0")))
        await asyncio.sleep(30)


async def endless_header(port: int, address: str) -> None:
    """Send a header of which there is no end."""
    _, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))
    try:
        writer.write(b"GET /livez HTTP/1.1\r\nAccept-Language: ")
        for _ in range(HEADER_BYTES // 100_000):
            writer.write(b"ab;q=0.1," * 11_111)
            await writer.drain()
    finally:
        writer.close()


async def worst_description(port: int, address: str, body: bytes) -> None:
    """Describe an office as badly as can be."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))
    head = f"PUT {path('branch')} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n"
    writer.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
    await reader.readuntil(b"\r\n\r\n")
    writer.close()


if __name__ == "__main__":
    sys.exit(uvloop.run(main()))
