"""The past taken away under running servers: a lagging standby promoted, an older dump restored, a file gone.

Whatever was acknowledged is in the journal, or every server says that it is not: nothing is lost silently, and nothing
at all is lost of what was acknowledged after the past was gone.
"""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from app.journal import open_journal
from bench import Figures
from bench.harness.client import Clients, Connection, ConnectionEnded, Reply, get, post
from bench.harness.offices import describe, description, path, service_id
from bench.harness.servers import PATIENCE_SECONDS, Server, running
from tests.postgres import postgres_server
from tests.standby import address_of, dump, hold_back, restore, standby_of

OFFICE = "centre"
KEPT, LOST, ASKED = 20, 8, 24
"""Visitors before anything, after what will be the past, and after it is gone."""

SILENCE_SECONDS = 12.0

Step = Callable[[], Awaitable[None]]


async def lose_pasts(figures: Figures, *, quick: bool) -> None:
    """Every case, one after the other; of the files, only the first when it has to be quick."""
    await _promote_a_lagging_standby(figures)
    await _restore_a_dump(figures)
    harms = (("removed", Path.unlink), ("moved", _move), ("replaced", _replace))
    for name, harm in harms[:1] if quick else harms:
        await _harm_the_file(name, harm, figures)


async def _promote_a_lagging_standby(figures: Figures) -> None:
    with postgres_server() as primary, address_of(primary.fresh_database()) as address, standby_of(primary) as standby:

        async def level() -> None:
            await asyncio.to_thread(standby.wait_until_level)
            hold_back(primary)

        async def lose() -> None:
            primary.kill()
            address.point_at(standby)
            await asyncio.to_thread(standby.promote)

        await _lose("standby", address.url, level, lose, figures)


async def _restore_a_dump(figures: Figures) -> None:
    with postgres_server() as postgres, TemporaryDirectory(prefix="fifteen-bench-") as directory:
        url, older = postgres.fresh_database(), Path(directory, "older.dump")
        await _lose(
            "dump",
            url,
            lambda: asyncio.to_thread(dump, postgres, url, older),
            lambda: asyncio.to_thread(restore, postgres, url, older),
            figures,
        )


async def _lose(name: str, address: str, part: Step, lose: Step, figures: Figures) -> None:
    """Tickets before what will be the past and after it; then it is, and more are asked for."""
    servers = [Server({"FIFTEEN_DATABASE": address}) for _ in range(2)]
    with running(*servers):
        await _begin(servers)
        before = await _tickets(servers, KEPT, "kept")
        await part()
        before += await _tickets(servers, LOST, "lost")
        await lose()
        after = await _tickets(servers, ASKED, "asked")
        said = [await _says_so(server) for server in servers]
        _stop(servers)
    _tell(name, address, before, after, said, figures)


async def _harm_the_file(name: str, harm: Callable[[Path], object], figures: Figures) -> None:
    with TemporaryDirectory(prefix="fifteen-bench-") as directory:
        file, rescued = Path(directory, "outages.db"), Path(directory, "rescued.db")
        server = Server({"FIFTEEN_DATABASE": str(file)})
        with running(server):
            await _begin([server])
            before = await _tickets([server], KEPT + LOST, "kept")
            harm(file)
            after = await _tickets([server], ASKED, "asked")
            said = [await _says_so(server)]
            command = [sys.executable, "-m", "app", "backup", str(rescued), "--database", str(file)]
            await asyncio.to_thread(subprocess.run, command, check=True, stdout=subprocess.DEVNULL)
            _stop([server])
        _tell(f"file_{name}", str(rescued), before, after, said, figures)


def _move(file: Path) -> None:
    file.rename(file.with_name("elsewhere.db"))


def _replace(file: Path) -> None:
    shutil.copy(file, file.with_name("older.db"))
    file.with_name("older.db").rename(file)


async def _begin(servers: Sequence[Server]) -> None:
    for server in servers:
        await server.ready()
    await describe(Clients(servers[0].port, 1), description(OFFICE, services=1, counters=1))


async def _tickets(servers: Sequence[Server], amount: int, name: str) -> list[str]:
    """The tickets that were acknowledged, of so many asked for once each, by turns of all servers."""
    replies = [
        await _ask(server, post(path(OFFICE, "/tickets"), {"service": service_id(0)}, f"{name}-{number}-{server.port}"))
        for number in range(amount // len(servers))
        for server in servers
    ]
    return [str(reply.json()["id"]) for reply in replies if reply and reply.status == 201]


async def _ask(server: Server, request: bytes) -> Reply | None:
    try:
        async with asyncio.timeout(SILENCE_SECONDS):
            connection = await Connection.to(server.port)
            try:
                return await connection.ask(request)
            finally:
                connection.close()
    except (OSError, ConnectionEnded, TimeoutError):
        return None


async def _says_so(server: Server) -> bool:
    """Whether /readyz and the log say that the past is lost."""
    deadline = monotonic() + PATIENCE_SECONDS
    while monotonic() < deadline:
        ready = await _ask(server, get("/readyz"))
        if ready and ready.status == 503 and ready.json().get("past") == "lost":
            return "the journal has lost its past" in server.log()
        await asyncio.sleep(0.1)
    return False


def _stop(servers: Sequence[Server]) -> None:
    for server in servers:
        server.stop()


def _tell(
    name: str, address: str, before: Sequence[str], after: Sequence[str], said: Sequence[bool], figures: Figures
) -> None:
    kept = _issued(address)
    lost, lost_after = set(before) - kept, set(after) - kept
    figures.tell(f"{name}_acknowledged_before", len(before))
    figures.tell(f"{name}_acknowledged_after", len(after))
    figures.tell(f"{name}_lost_of_before", len(lost))
    figures.tell(f"{name}_lost_silently", len(lost_after) + (0 if all(said) else len(lost)), at_most=0)
    figures.tell(f"{name}_said", sum(said), at_least=len(said))


def _issued(address: str) -> set[str]:
    journal = open_journal(address)
    try:
        return {line.ticket_id for line in journal.facts_after(OFFICE, 0) if line.kind == "Issued" and line.ticket_id}
    finally:
        journal.close()
        journal.database.close()
