"""A full disk refuses, and goes on when there is room; a broken one ends the process."""

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.engine import OutcomeUnknown, StorageFull
from app.journal import Journal, JournalFull, Verification
from app.watch import Watch
from queue_core.tickets import Ticket
from tests.engine.hall import HandClock, LiveHall, live_hall, outcomes, soon
from tests.journal.databases import opened
from tests.journal.disks import no_byte_beyond

MEGABYTE = 2**20


class Disk:
    """A disk of which SQLite believes that it is small."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @property
    def path(self) -> str:
        """Where the journal is."""
        return str(self.directory / "journal.db")

    async def fill(self, hall: LiveHall) -> None:
        """Leave hardly any room."""
        await hall.engine.ask(lambda journal: limit_pages(journal, 0))

    async def make_room(self, hall: LiveHall) -> None:
        """Leave room again."""
        await hall.engine.ask(lambda journal: limit_pages(journal, 2**30))


class SmallDisk(Disk):
    """A disk that is small."""

    async def fill(self, hall: LiveHall) -> None:
        """Put rubbish on it until nothing goes."""
        with (self.directory / "rubbish").open("wb", buffering=0) as rubbish, pytest.raises(OSError, match="No space"):
            while True:
                rubbish.write(bytes(4096))

    async def make_room(self, hall: LiveHall) -> None:
        """Throw the rubbish away."""
        (self.directory / "rubbish").unlink()


@contextmanager
def small_disk() -> Iterator[Path]:
    """A disk of four megabytes."""
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", directory], check=True, capture_output=True)
        try:
            yield Path(directory)
        finally:
            subprocess.run(["umount", directory], check=True)


def may_mount() -> bool:
    """Whether this user can have a small disk of its own."""
    try:
        with small_disk():
            return True
    except (OSError, subprocess.CalledProcessError):
        return False


KINDS = [Disk, SmallDisk] if may_mount() else [Disk]


@pytest.fixture(params=KINDS)
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    """A disk with a journal on it and little room."""
    if request.param is Disk:
        yield Disk(tmp_path)
        return
    with small_disk() as directory:
        yield SmallDisk(directory)


@pytest.fixture
async def hall(disk: Disk, clock: HandClock) -> AsyncIterator[LiveHall]:
    """The office on that disk."""
    async with live_hall(disk.path, clock) as hall:
        await hall.open()
        yield hall


async def test_a_full_disk_refuses_and_changes_nothing(hall: LiveHall, disk: Disk) -> None:
    await disk.fill(hall)
    issued = await issue_until_full(hall)

    lines = await hall.lines()
    found = await outcomes(hall.issue() for _ in range(20))

    assert {type(refusal) for refusal in found} == {StorageFull}
    assert await hall.lines() == lines
    assert [line.ticket_id for line in lines if line.kind == "Issued"] == [ticket.id for ticket in issued]
    assert await hall.is_as_the_journal_says()


async def test_work_goes_on_when_there_is_room_again(hall: LiveHall, disk: Disk) -> None:
    await disk.fill(hall)
    issued = await issue_until_full(hall)

    await disk.make_room(hall)

    assert (await hall.issue()).serial == len(issued) + 1
    assert await hall.is_as_the_journal_says()


async def test_a_key_that_found_the_disk_full_is_still_free(hall: LiveHall, disk: Disk) -> None:
    await disk.fill(hall)
    issued = await issue_until_full(hall)
    with pytest.raises(StorageFull) as full:
        await hall.issue(key="press 1")

    await disk.make_room(hall)

    assert full.value.particulars == {"retry_after": 30}
    assert (await hall.issue(key="press 1")).serial == len(issued) + 1


async def test_what_was_answered_is_told_again_on_a_full_disk(hall: LiveHall, disk: Disk) -> None:
    ticket = await hall.issue(key="press 1")
    await disk.fill(hall)
    await issue_until_full(hall)

    repeated, new = await outcomes([hall.issue(key="press 1"), hall.issue(key="press 2")])

    assert repeated == ticket
    assert isinstance(new, StorageFull)


async def test_a_full_disk_is_found_by_the_probe_and_said_once(
    hall: LiveHall, disk: Disk, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    await hall.engine.ask(Journal.check_writable)
    await disk.fill(hall)
    await issue_until_full(hall)
    await outcomes(hall.issue() for _ in range(3))
    with pytest.raises(JournalFull, match=r"kB are free; make room in"):
        await hall.engine.ask(Journal.check_writable)

    await disk.make_room(hall)
    await hall.issue()
    await hall.engine.ask(Journal.check_writable)

    # An application that was tried in this process before has taken the log over.
    said = capsys.readouterr().out or caplog.text
    assert (said.count("nothing can be written"), said.count("there is room again")) == (1, 1)


async def test_the_watch_asks_a_full_disk_seldom_and_says_so_once(
    hall: LiveHall, disk: Disk, clock: HandClock, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    watch = Watch(hall.engine)
    await watch.start()
    await disk.fill(hall)
    await issue_until_full(hall)
    clock.wait(minutes=16)
    looks = 0
    look = watch._look

    async def counted() -> None:
        nonlocal looks
        looks += 1
        await look()

    watch._look = counted  # type: ignore[method-assign]
    await asyncio.sleep(3)
    assert 1 <= looks <= 12
    await disk.make_room(hall)
    await soon(lambda: watch.is_fresh and watch._refused is None)
    await watch.stop()

    # An application that was tried in this process before has taken the log over.
    said = capsys.readouterr().out or caplog.text
    refused, heard = said.count("the watch was refused"), said.count("the watch is heard again")
    assert refused == heard <= 1
    # On a disk that is really full a breach may find room where a ticket found none.
    assert refused or isinstance(disk, SmallDisk)


async def test_a_full_disk_loses_nothing_over_a_restart(disk: Disk, clock: HandClock) -> None:
    async with live_hall(disk.path, clock) as hall:
        await hall.open()
        await disk.fill(hall)
        issued = await issue_until_full(hall)
        await disk.make_room(hall)

    async with live_hall(disk.path, clock) as hall:
        assert (await hall.issue()).serial == len(issued) + 1
        assert await hall.is_as_the_journal_says()


async def test_a_broken_disk_ends_the_process_and_nothing_that_was_answered_is_lost(
    tmp_path: Path, clock: HandClock
) -> None:
    path = tmp_path / "journal.db"
    broken = asyncio.Event()
    async with live_hall(str(path), clock, on_broken=broken.set) as hall:
        await hall.open()
        issued = [await hall.issue() for _ in range(5)]
        with no_byte_beyond(path.with_name("journal.db-wal").stat().st_size):
            visitor = asyncio.create_task(hall.issue())
            await soon(broken.is_set)

    with pytest.raises(OutcomeUnknown):
        await visitor
    with opened(str(path)) as journal:
        assert Verification(journal).run().difference is None
        known = [line.ticket_id for line in journal.facts_after("hall", 0) if line.kind == "Issued"]
        assert known[:5] == [ticket.id for ticket in issued]


def test_a_process_whose_disk_breaks_says_so_by_its_exit(tmp_path: Path) -> None:
    path = str(tmp_path / "journal.db")

    ended = subprocess.run([sys.executable, "-c", ON_A_BAD_DISK, path], capture_output=True, text=True, check=False)

    assert ended.returncode == os.EX_SOFTWARE
    answered = [word for word in ended.stdout.split() if word.startswith("20261123-")]
    with opened(path) as journal:
        issued = [line.ticket_id for line in journal.facts_after("hall", 0) if line.kind == "Issued"]
        assert Verification(journal).run().difference is None
    assert len(answered) > 5
    assert issued[: len(answered)] == answered


ON_A_BAD_DISK = """
import asyncio, resource, sys
from tests.engine.hall import live_hall

async def main():
    async with live_hall(sys.argv[1]) as hall:
        await hall.open()
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
        while True:
            print((await hall.issue()).id, flush=True)

asyncio.run(main())
"""


async def issue_until_full(hall: LiveHall) -> list[Ticket]:
    """The tickets for which there was still room."""
    issued: list[Ticket] = []
    while True:
        try:
            issued.append(await hall.issue())
        except StorageFull:
            return issued


def limit_pages(journal: Journal, pages: int) -> None:
    """The file may not grow beyond so many pages, or beyond what it has."""
    with journal.transaction() as connection:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages or 1}")
