"""The machine's clock is set under a real server by libfaketime, with people waiting and without.

Visitors come before and after each setting. All are called; what is on record as their wait is held against the real
seconds between two requests, and the server is asked what it says of its clock.
"""

import asyncio
import re
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import Figures
from bench.harness.client import Clients, Connection, get, post
from bench.harness.judging import lines_of
from bench.harness.offices import MADE, counter_id, description, issue, path, set_up
from bench.harness.servers import Server, running
from queue_core.facts import Breached, Called, Issued

OFFICE = "clocks"
LIMIT_SECONDS = 4
SETTINGS = (-3600, 3600, -3 * 86400, 3 * 86400)
SECONDS_BETWEEN = 1.5
NEAR_SECONDS = 0.1
"""By how much a recorded wait may be outside of the two requests that bound it."""


@dataclass(slots=True)
class Visit:
    """Somebody whose ticket was acknowledged, and between which real instants it was issued and called."""

    ticket: str
    came: tuple[float, float]
    called: tuple[float, float] | None = None


async def set_clocks(rounds: int, figures: Figures) -> None:
    """Set the clock to and fro `rounds` times on a SQLite journal, with people waiting and without."""
    for name, people in (("clock_with_people", True), ("clock_without_people", False)):
        with TemporaryDirectory(prefix="fifteen-bench-") as directory:
            await Machine(name, Path(directory), people=people).is_set(rounds, figures)


class Machine:
    """A server on a machine whose clock is set."""

    def __init__(self, name: str, directory: Path, *, people: bool) -> None:
        self._name, self._people = name, people
        self._clock, self._address = directory / "clock", str(directory / "clock.db")
        self._visits: list[Visit] = []
        self._unsaid = 0

    async def is_set(self, rounds: int, figures: Figures) -> None:
        """Set, visit, call, put right; then tell what became of it."""
        self._set(0)
        settings = {"FIFTEEN_DATABASE": self._address, "FIFTEEN_CLOCK_STEADY_SECONDS": "600"}
        server = Server(settings | feigned(self._clock))
        with running(server):
            await server.ready()
            await set_up(Clients(server.port, 1), description(OFFICE, counters=1, limit_seconds=LIMIT_SECONDS))
            connection = await Connection.to(server.port)
            for number in range(rounds):
                await self._round(connection, SETTINGS[number % len(SETTINGS)])
            connection.close()
            server.stop()
        self._tell(figures)

    async def _round(self, connection: Connection, by: int) -> None:
        if self._people:
            await self._comes(connection)
        self._set(by)
        await asyncio.sleep(SECONDS_BETWEEN)
        await self._comes(connection)
        said = (await connection.ask(get("/readyz"))).json()["clock"]
        self._unsaid += not re.search(r"ahead of the (clock|journal) by \d+ s", said)
        await asyncio.sleep(LIMIT_SECONDS - SECONDS_BETWEEN / 2)
        self._set(0)
        await asyncio.sleep(SECONDS_BETWEEN)
        for visit in self._visits:
            if visit.called is None:
                await self._is_called(connection, visit)

    async def _comes(self, connection: Connection) -> None:
        sent = time.monotonic()
        reply = await connection.ask(issue(OFFICE, f"visitor-{len(self._visits)}"))
        if reply.status not in MADE:
            raise RuntimeError(f"{reply.status}: {reply.body!r}")
        self._visits.append(Visit(reply.json()["id"], (sent, time.monotonic())))

    async def _is_called(self, connection: Connection, visit: Visit) -> None:
        sent = time.monotonic()
        wish = {"counter": counter_id(0), "reason": "a bench"}
        await connection.ask(post(path(OFFICE, f"/tickets/{visit.ticket}/call"), wish, f"call-{visit.ticket}"))
        visit.called = (sent, time.monotonic())
        await connection.ask(post(path(OFFICE, f"/tickets/{visit.ticket}/no-show"), {}, f"gone-{visit.ticket}"))

    def _set(self, by: int) -> None:
        # In one piece: it is read all the time.
        self._clock.with_suffix(".new").write_text(f"{by:+d}\n")
        self._clock.with_suffix(".new").replace(self._clock)

    def _tell(self, figures: Figures) -> None:
        facts = [line.fact for line in lines_of(self._address, OFFICE)]
        issued = {fact.ticket: fact.at for fact in facts if isinstance(fact, Issued)}
        called = {fact.ticket: fact.at for fact in facts if isinstance(fact, Called)}
        breached = {fact.ticket for fact in facts if isinstance(fact, Breached)}
        wrong = unmet = 0
        for visit in self._visits:
            if visit.ticket not in called or visit.called is None:
                unmet += 1
                continue
            recorded = (called[visit.ticket] - issued[visit.ticket]).total_seconds()
            least, most = visit.called[0] - visit.came[1], visit.called[1] - visit.came[0]
            true = least - NEAR_SECONDS <= recorded <= most + NEAR_SECONDS
            wrong += not (true and (recorded >= LIMIT_SECONDS) == (visit.ticket in breached))
        figures.tell(f"{self._name}_visits", len(self._visits), at_least=1)
        figures.tell(f"{self._name}_lost", sum(visit.ticket not in issued for visit in self._visits), at_most=0)
        figures.tell(f"{self._name}_not_called", unmet, at_most=0)
        figures.tell(f"{self._name}_wrong_waits", wrong, at_most=0)
        figures.tell(f"{self._name}_not_said", self._unsaid, at_most=0)


def feigned(clock: Path) -> dict[str, str]:
    """The settings of a program that reads its clock from this file."""
    [library] = Path("/usr/lib").glob("*/faketime/libfaketime.so.1")
    return {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        # Its own waiting for a condition comes back at once: threads that share Python's lock would spin.
        "FAKETIME_FORCE_MONOTONIC_FIX": "0",
    }
