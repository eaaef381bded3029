"""A real day through the HTTP API: one Warsaw office's queues of January 2020, replayed on a demo clock.

The simulator brings every visitor at the minute at which the ticket was taken and has operators serve them as long as
the counters then did. Once through one process on SQLite, once through two on PostgreSQL, each with half of the
connections. At the end `fifteen verify` recomputes everything.
"""

import asyncio
import csv
import json
import re
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from math import ceil, floor
from os import environ
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from zoneinfo import ZoneInfo

import uvloop

from bench import Figures, words
from bench.harness.balancer import balancing
from bench.harness.client import Clients, get
from bench.harness.offices import MADE, WEEK, path
from bench.harness.servers import FIFTEEN, Server, running
from bench.harness.warsaw import DATA, Day, Queue, Visit, read_day
from tests.postgres import postgres_server

OFFICE = "UD_Ochota"
OFFICE_ID = "ochota"
DAY = date(2020, 1, 13)
ZONE = ZoneInfo("Europe/Warsaw")

NO_DATA = 2
"""The exit status where the data is not at hand."""

STARTS = 4.0
SPARE_SECONDS = 1.0
"""A server, two commands and a little more have to begin before the first visitor comes."""


@dataclass(frozen=True, slots=True)
class Part:
    """Which hours of the day are replayed, and how fast."""

    since_hour: int
    until_hour: int
    speed: int


WHOLE_DAY = Part(0, 24, 120)
TWO_HOURS = Part(10, 12, 900)


async def main() -> int:
    """Replay the day on both databases; the exit status."""
    part = TWO_HOURS if words(__doc__).quick else WHOLE_DAY
    if not DATA.exists():
        print(f"{DATA} is not there. The data of Warsaw's offices is no part of this repository.")
        return NO_DATA
    day, figures = read_day(OFFICE, DAY.isoformat()), Figures()
    visits = [visit for visit in day.visits if part.since_hour * 60 <= visit.minute < part.until_hour * 60]
    figures.tell("office_and_day", f"{OFFICE}/{DAY}")
    figures.tell("share_of_rows_used", day.rows_used / day.rows)
    figures.tell("visits", len(visits))
    figures.tell("times_real_speed", part.speed)
    with TemporaryDirectory(prefix="fifteen-bench-") as directory:
        replay = Replay(Path(directory), day, visits, part.speed, figures)
        await replay.through("sqlite", str(Path(directory, "day.db")), processes=1)
        with postgres_server() as postgres:
            await replay.through("postgres", postgres.fresh_database(), processes=2)
    return figures.end()


class Replay:
    """The day as files for the command line, and runs of it."""

    def __init__(self, directory: Path, day: Day, visits: Sequence[Visit], speed: int, figures: Figures) -> None:
        self._office, self._visits = directory / "office.toml", directory / "visits.csv"
        self._office.write_text(office_toml(day), encoding="utf-8")
        write_visits(self._visits, visits)
        self._first_minute, self._count, self._speed, self._figures = visits[0].minute, len(visits), speed, figures

    async def through(self, name: str, database: str, *, processes: int) -> None:
        """One run: serve, apply, simulate, verify."""
        settings = {"FIFTEEN_DATABASE": database, **await self._demo_clock()}
        servers = [Server(settings, FIFTEEN) for _ in range(processes)]
        began = monotonic()
        with running(*servers):
            async with AsyncExitStack() as stack:
                for server in servers:
                    await server.ready()
                port = await stack.enter_async_context(balancing([server.port for server in servers]))
                url = f"http://127.0.0.1:{port}"
                await fifteen("apply", str(self._office), "--server", url)
                failed, _ = await fifteen("simulate", "--server", url, "--csv", str(self._visits))
                self._figures.tell(f"{name}_simulate_status", failed, at_most=0)
                await self._tell_of_processes(name, servers)
            await self._verify(name, database)
        self._figures.tell(f"{name}_seconds", monotonic() - began)

    async def _demo_clock(self) -> dict[str, str]:
        """So long before the first visitor that everything has begun by then, on a slow machine too."""
        began = monotonic()
        await fifteen("--help", quiet=True)
        earlier = timedelta(seconds=((monotonic() - began) * STARTS + SPARE_SECONDS) * self._speed)
        start = instant_of(self._first_minute) - earlier
        return {"FIFTEEN_DEMO_SPEED": str(self._speed), "FIFTEEN_DEMO_START": start.isoformat()}

    async def _tell_of_processes(self, name: str, servers: Sequence[Server]) -> None:
        """What each process committed, and how far their clocks are apart in seconds of the demo."""
        clocks: list[datetime] = []
        for number, server in enumerate(servers, 1):
            (snapshot,) = await Clients(server.port, 1).ask([get(path(OFFICE_ID))], expected=MADE)
            clocks.append(datetime.fromisoformat(snapshot.json()["server_time"]))
            self._figures.tell(f"{name}_commits_of_process_{number}", await server.commits(), at_least=1)
        if len(clocks) > 1:
            self._figures.tell(f"{name}_clocks_apart_seconds", (max(clocks) - min(clocks)).total_seconds())

    async def _verify(self, name: str, database: str) -> None:
        failed, said = await fifteen("verify", "--database", database)
        self._figures.tell(f"{name}_verify_status", failed, at_most=0)
        counted = re.search(r"facts: (\d+), tickets: (\d+)", said)
        facts, tickets = map(int, counted.groups()) if counted else (0, 0)
        self._figures.tell(f"{name}_facts", facts)
        self._figures.tell(f"{name}_tickets", tickets, at_least=self._count, at_most=self._count)


async def fifteen(*said: str, quiet: bool = False) -> tuple[int, str]:
    """A command of Fifteen as typed: its exit status, and what it printed, which is passed on."""
    command = (sys.executable, "-m", "app", *said)
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, env={**environ, "COLUMNS": "120"}
    )
    printed, _ = await process.communicate()
    if not quiet:
        print(f"$ fifteen {' '.join(said)}\n{printed.decode()}", flush=True)
    return process.returncode or 0, printed.decode()


def instant_of(minute: float) -> datetime:
    """A minute of the day."""
    return datetime.combine(DAY, time(), ZONE) + timedelta(minutes=minute)


# The files


def write_visits(file: Path, visits: Sequence[Visit]) -> None:
    """What `fifteen simulate --csv` reads."""
    with file.open("w", encoding="utf-8", newline="") as lines:
        rows = csv.writer(lines)
        rows.writerow(("issued_at", "service", "service_minutes"))
        for visit in visits:
            at = instant_of(visit.minute).time().isoformat("milliseconds")
            rows.writerow((at, visit.service, f"{visit.service_minutes:.2f}"))


def office_toml(day: Day) -> str:
    """The office's description: each queue is a service with as many counters of its own as were ever open for it."""
    opens, closes = floor(day.visits[0].minute / 60), ceil(day.visits[-1].minute / 60)
    counters = [queue for queue in day.queues for _ in range(queue.counters)]
    return "\n".join(
        [
            f'id = "{OFFICE_ID}"',
            f"name = {{ pl = {quoted(OFFICE)} }}",
            f'time_zone = "{ZONE.key}"',
            'languages = ["pl"]',
            "[hours]",
            f'{WEEK[DAY.weekday()]} = ["{opens:02d}:00-{closes:02d}:00"]',
            *(service_toml(queue) for queue in day.queues),
            *(counter_toml(number, queue) for number, queue in enumerate(counters, 1)),
        ]
    )


def service_toml(queue: Queue) -> str:
    """One queue of the feed."""
    return f"""
[[services]]
id = "{queue.service}"
letter = "{queue.letter}"
name = {{ pl = {quoted(queue.name)} }}"""


def counter_toml(number: int, queue: Queue) -> str:
    """One of its counters."""
    return f"""
[[counters]]
id = "{number}"
name = {{ pl = "Stanowisko {number}" }}
services = ["{queue.service}"]"""


def quoted(text: str) -> str:
    """A text as TOML writes it, with single spaces."""
    return json.dumps(" ".join(text.split()), ensure_ascii=False)


if __name__ == "__main__":
    sys.exit(uvloop.run(main()))
