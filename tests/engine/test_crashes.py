"""Whatever is killed, nothing that was answered is lost, and nothing is doubled by asking again."""

import asyncio
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from itertools import count
from pathlib import Path

from app.engine import Answer, OutcomeUnknown
from app.journal import Recorded, Verification
from queue_core.commands import CallNext, Command, Finish, Issue, Start
from tests.engine.hall import HandClock, LiveHall, live_hall, office_with, soon
from tests.journal.databases import opened
from tests.postgres import postgres_server

COUNTERS = 5


async def test_postgres_is_killed_and_comes_back_under_load(clock: HandClock) -> None:
    with postgres_server() as server:
        address, office = server.fresh_database(), office_with(COUNTERS)
        async with (
            live_hall(address, clock, office=office, patience_seconds=0.5) as here,
            live_hall(address, clock, office=office, patience_seconds=0.5) as there,
        ):
            crowd = Crowd(here, there)
            await crowd.open()
            working = asyncio.create_task(crowd.work())
            await soon(lambda: len(crowd.served) > 20)
            await asyncio.to_thread(server.kill)
            await soon(crowd.somebody_does_not_know)
            await asyncio.to_thread(server.start)
            enough = len(crowd.served) + 20
            await soon(lambda: len(crowd.served) > enough)
            crowd.go_home()
            await working

            lines = await here.lines()
            assert sorted(crowd.issued) == tickets(lines, "Issued")
            assert sorted(crowd.served) == tickets(lines, "Called") == tickets(lines, "Served")
            for hall in (here, there):
                await soon(hall.is_as_the_journal_says)


def test_a_process_is_killed_while_visitors_come(tmp_path: Path) -> None:
    path = str(tmp_path / "journal.db")
    with subprocess.Popen([sys.executable, "-c", VISITORS, path], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        answered = [process.stdout.readline().strip() for _ in range(60)]
        process.kill()
        answered += process.stdout.read().split()

    with opened(path) as journal:
        issued = [line.ticket_id for line in journal.facts_after("hall", 0) if line.kind == "Issued"]
        assert Verification(journal).run().difference is None
    assert len(answered) >= 60
    assert set(answered[:-1]) <= set(issued)
    assert issued == [f"20261123-A{number:03d}" for number in range(1, len(issued) + 1)]


def tickets(lines: Iterable[Recorded], kind: str) -> list[str]:
    """To whom something of a kind happened, as often as it did."""
    return sorted(line.ticket_id for line in lines if line.kind == kind and line.ticket_id)


VISITORS = """
import asyncio, sys
from tests.engine.hall import live_hall

async def visitor(hall):
    while True:
        print((await hall.issue()).id, flush=True)

async def main():
    async with live_hall(sys.argv[1]) as hall:
        await hall.open()
        await asyncio.gather(*(visitor(hall) for _ in range(5)))

asyncio.run(main())
"""


class Crowd:
    """Visitors and operators who ask again, at any of the processes, until they are answered."""

    def __init__(self, *halls: LiveHall) -> None:
        self._halls = halls
        self._enough = False
        self._unanswered: set[str] = set()
        self.issued: list[str] = []
        self.served: list[str] = []

    async def open(self) -> None:
        """Open the office."""
        while True:
            with suppress(OutcomeUnknown):
                return await self._halls[0].open()

    async def work(self) -> None:
        """Come and be served until it is enough."""
        await asyncio.gather(*(self._serve(str(counter)) for counter in range(1, COUNTERS + 1)))

    def go_home(self) -> None:
        """It is enough."""
        self._enough = True

    def somebody_does_not_know(self) -> bool:
        """Whether somebody was told that the outcome is unknown, and has to ask again."""
        return bool(self._unanswered)

    async def surely(self, command: Command, key: str) -> Answer:
        """The answer to a command, from whichever process knows it."""
        for attempt in count():
            with suppress(OutcomeUnknown):
                answer = await self._halls[(attempt + len(key)) % len(self._halls)].wish(command, key=key)
                self._unanswered.discard(key)
                return answer
            self._unanswered.add(key)
        raise AssertionError

    async def _serve(self, counter: str) -> None:
        """At each turn one visitor comes, and one is served at the counter."""
        for turn in count():
            if self._enough:
                return
            key = f"counter {counter}, turn {turn}"
            come = (await self.surely(Issue("passport"), f"{key}: issue")).ticket
            called = (await self.surely(CallNext(counter), f"{key}: call")).ticket
            assert come
            assert called
            await self.surely(Start(called.id), f"{key}: start")
            await self.surely(Finish(called.id), f"{key}: finish")
            self.issued.append(come.id)
            self.served.append(called.id)
