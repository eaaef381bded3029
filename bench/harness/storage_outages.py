"""The storage in trouble under running servers: those who follow the journal are cut off, and the disk is full.

Nothing that was acknowledged is lost, everybody's limit passes once, every server comes to know of every visitor, and
each trouble is said.
"""

import asyncio
import subprocess
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

import psycopg

from app.journal.databases import CHANNEL
from bench import Figures
from bench.harness.client import Clients, Connection, ConnectionEnded, Reply, get, post
from bench.harness.judging import lines_of
from bench.harness.offices import MADE, describe, description, path, service_id
from bench.harness.servers import PATIENCE_SECONDS, Server, running
from queue_core.facts import Breached, Issued
from tests.postgres import postgres_server

OFFICE = "centre"
LIMIT_SECONDS = 2
VISITORS = 8
"""In each round."""

CUT_OFF = 3
RUBBISH = ("rubbish", "", "centre", "centre -1", "centre x", "nobody 5", "centre " + "9" * 4000)
DISK = "4m"


async def trouble_storage(figures: Figures) -> None:
    """Both troubles, one after the other."""
    await _cut_off(figures)
    await _fill_the_disk(figures)


async def _cut_off(figures: Figures) -> None:
    """Anybody who may use the database sends notifications without sense and ends the connections that listen."""
    with postgres_server() as postgres:
        address = postgres.fresh_database()
        servers = [Server({"FIFTEEN_DATABASE": address}) for _ in range(2)]
        with running(*servers):
            await _begin(servers)
            tickets: list[str] = []
            stale = 0
            for number in range(CUT_OFF):
                await asyncio.to_thread(_harm_followers, address)
                made, _ = await _ask_for_tickets(servers[number % 2], f"round-{number}")
                tickets += made
                stale += not await _soon(partial(_know, servers, len(tickets)))
            said = [await _soon(partial(_has_said, server, "interrupted")) for server in servers]
            await asyncio.sleep(LIMIT_SECONDS + 1)
            for server in servers:
                server.stop()
        figures.tell("follower_stale", stale, at_most=0)
        _tell("follower", address, tickets, said, figures)


async def _fill_the_disk(figures: Figures) -> None:
    with _small_disk() as directory:
        if directory is None:
            figures.tell("disk", "cannot be made small by this user")
            return
        address = str(directory / "journal.db")
        server = Server({"FIFTEEN_DATABASE": address})
        with running(server):
            await _begin([server])
            tickets, _ = await _ask_for_tickets(server, "before")
            _write_until_full(directory / "rubbish")
            refused: list[Reply] = []
            while not refused:
                # What is left in the file's last pages takes some more.
                made, refused = await _ask_for_tickets(server, f"full-{len(tickets)}")
                tickets += made
            said = [
                {reply.json()["type"].rpartition("/")[2] for reply in refused} == {"storage-full"},
                await _soon(partial(_is_unready, server)),
                await _soon(partial(_has_said, server, "nothing can be written")),
            ]
            (directory / "rubbish").unlink()
            await server.ready()
            made, still = await _ask_for_tickets(server, "after")
            tickets += made
            said.append(await _soon(partial(_has_said, server, "there is room again")))
            await asyncio.sleep(LIMIT_SECONDS + 1)
            server.stop()
        figures.tell("disk_refused_when_full", len(refused), at_least=1)
        figures.tell("disk_refused_afterwards", len(still), at_most=0)
        _tell("disk", address, tickets, said, figures)


async def _begin(servers: Sequence[Server]) -> None:
    for server in servers:
        await server.ready()
    document = description(OFFICE, services=1, counters=1, limit_seconds=LIMIT_SECONDS)
    await describe(Clients(servers[0].port, 1), document)


async def _ask_for_tickets(server: Server, name: str) -> tuple[list[str], list[Reply]]:
    """The tickets that were acknowledged, and the refusals."""
    connection = await Connection.to(server.port)
    wish = {"service": service_id(0)}
    replies = [
        await connection.ask(post(path(OFFICE, "/tickets"), wish, f"{name}-{number}")) for number in range(VISITORS)
    ]
    connection.close()
    made = [str(reply.json()["id"]) for reply in replies if reply.status in MADE]
    return made, [reply for reply in replies if reply.status not in MADE]


async def _soon(happens: Callable[[], Awaitable[bool]]) -> bool:
    """Whether something happens before patience ends."""
    deadline = monotonic() + PATIENCE_SECONDS
    while monotonic() < deadline:
        with suppress(OSError, ConnectionEnded):
            if await happens():
                return True
        await asyncio.sleep(0.1)
    return False


async def _know(servers: Sequence[Server], tickets: int) -> bool:
    """Whether every server has heard of all who wait."""
    told = [await _asked(server, path(OFFICE)) for server in servers]
    return all(reply.json()["waiting"] == tickets for reply in told)


async def _is_unready(server: Server) -> bool:
    reply = await _asked(server, "/readyz")
    return reply.status == 503 and reply.json().get("database") == "not writable"


async def _has_said(server: Server, words: str) -> bool:
    return words in server.log()


async def _asked(server: Server, where: str) -> Reply:
    connection = await Connection.to(server.port)
    try:
        return await connection.ask(get(where))
    finally:
        connection.close()


def _harm_followers(address: str) -> None:
    with psycopg.connect(address.replace("+psycopg", ""), autocommit=True) as connection:
        for payload in RUBBISH:
            connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, payload))
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")


@contextmanager
def _small_disk() -> Iterator[Path | None]:
    """A disk of four megabytes; None where this user may not have one."""
    with TemporaryDirectory(prefix="fifteen-bench-") as directory:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", directory]
        if subprocess.run(mount, check=False, capture_output=True).returncode:
            yield None
            return
        try:
            yield Path(directory)
        finally:
            subprocess.run(["umount", directory], check=True)


def _write_until_full(file: Path) -> None:
    with file.open("wb", buffering=0) as rubbish, suppress(OSError):
        while True:
            rubbish.write(bytes(4096))


def _tell(name: str, address: str, tickets: Sequence[str], said: Sequence[bool], figures: Figures) -> None:
    facts = [line.fact for line in lines_of(address, OFFICE)]
    issued = {fact.ticket for fact in facts if isinstance(fact, Issued)}
    breached = Counter(fact.ticket for fact in facts if isinstance(fact, Breached))
    figures.tell(f"{name}_acknowledged", len(tickets), at_least=1)
    figures.tell(f"{name}_lost", len(set(tickets) - issued), at_most=0)
    figures.tell(f"{name}_without_a_breach", len(issued - breached.keys()), at_most=0)
    figures.tell(f"{name}_breaches_doubled", sum(times - 1 for times in breached.values()), at_most=0)
    figures.tell(f"{name}_said", sum(said), at_least=len(said))
