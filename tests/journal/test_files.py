"""A SQLite journal whose file, log or tail is not what it was: nothing is taken for it, and no new one begins."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from app.journal import JournalRefused, PastLost, Verification, open_journal
from app.journal.files import REMAINS, Head, HeadFile, head_file
from tests.core.live import LiveHall
from tests.journal.databases import opened
from tests.journal.writing import Scribe, small_day, write

SEED = 20261123


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a journal may be."""
    return tmp_path / "journal.db"


def beside(path: Path, end: str) -> Path:
    """A file whose name begins as the journal's."""
    return path.with_name(f"{path.name}{end}")


def moved(path: Path) -> None:
    path.rename(path.with_name("elsewhere.db"))


def replaced(path: Path) -> None:
    path.with_name("other.db").write_bytes(path.read_bytes())
    path.with_name("other.db").rename(path)


def overwritten(path: Path) -> None:
    path.write_bytes(b"\0" * 40_960)


def emptied(path: Path) -> None:
    os.truncate(path, 0)


def without_its_log(path: Path) -> None:
    beside(path, "-wal").unlink()


def with_its_log_cut(path: Path) -> None:
    os.truncate(beside(path, "-wal"), 4096)


HARM: list[tuple[Callable[[Path], None], str]] = [
    (Path.unlink, "was removed or moved"),
    (moved, "was removed or moved"),
    (replaced, "was replaced by another file"),
    (overwritten, "was changed by somebody else"),
    (emptied, "was changed by somebody else"),
    (without_its_log, "lost its -wal"),
    (with_its_log_cut, "had its -wal changed"),
]


@pytest.mark.parametrize(("harm", "found"), HARM)
def test_nothing_is_written_into_a_file_that_was_harmed(path: Path, harm: Callable[[Path], None], found: str) -> None:
    day, scribe = LiveHall(), Scribe()
    day.issue()
    with opened(str(path)) as journal:
        journal.append(scribe.page(day.facts))
        before = len(day.facts)
        day.issue()

        harm(path)

        with pytest.raises(PastLost, match=found):
            journal.append(scribe.page(day.facts[before:]))
        with pytest.raises(PastLost, match=found):
            journal.check_past(None)
        with pytest.raises(PastLost, match=found):
            journal.check_writable()


def test_a_file_that_goes_while_it_is_written_is_not_said_to_hold_what_was_written(path: Path) -> None:
    day, scribe = LiveHall(), Scribe()
    with opened(str(path)) as journal:
        page = scribe.page(day.facts)

        with pytest.raises(PastLost, match="was removed"), journal.transaction() as connection:
            journal._append(connection, page)
            path.unlink()


def test_what_was_acknowledged_is_rescued_by_the_process_that_has_the_file(path: Path) -> None:
    with opened(str(path)) as journal:
        scribe = write(journal, small_day().facts)
        path.unlink()

        journal.backup(path.with_name("rescued.db"))

    with opened(str(path.with_name("rescued.db"))) as rescued:
        assert rescued.facts_after("hall", 0) == scribe.lines
        assert Verification(rescued).run().difference is None


def test_a_busy_journal_is_not_taken_for_a_harmed_one(path: Path) -> None:
    with opened(str(path)) as journal:
        with journal.transaction() as connection:
            connection.exec_driver_sql("PRAGMA wal_autocheckpoint = 20")

        for number in range(40):
            write(journal, small_day().facts, office_id=f"office-{number}")
            journal.check_past(None)

        assert path.stat().st_size > 100_000


@pytest.mark.parametrize("end", REMAINS)
@pytest.mark.parametrize("emptied", [False, True])
def test_no_new_journal_begins_where_one_was(path: Path, end: str, emptied: bool) -> None:
    beside(path, end).write_bytes(b"something")
    if emptied:
        path.touch()

    with pytest.raises(JournalRefused) as refused:
        open_journal(str(path))

    assert f"{path} is not there, but {path.name}{end} is" in str(refused.value)
    assert f"put {path.name}{end} aside first" in str(refused.value)
    assert beside(path, end).read_bytes() == b"something"
    assert not path.exists() or emptied


@pytest.mark.parametrize("end", REMAINS)
def test_a_backup_is_not_written_where_a_journal_was(path: Path, end: str) -> None:
    with opened(str(path)) as journal:
        copy = path.with_name("copy.db")
        beside(copy, end).write_bytes(b"something")

        with pytest.raises(JournalRefused, match="exists already"):
            journal.backup(copy)

        assert not copy.exists()


KILLED_AT_WORK = """
import os, sys
from app.journal import open_journal
from tests.core.live import LiveHall
from tests.journal.writing import Scribe

day, scribe, journal = LiveHall(), Scribe(), open_journal(sys.argv[1])
journal.append(scribe.page(day.facts))
for _ in range(30):
    before = len(day.facts)
    day.issue()
    journal.append(scribe.page(day.facts[before:]))
os._exit(9)
"""


@pytest.fixture(scope="module")
def left_by_a_kill(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a process leaves that was killed after thirty acknowledged tickets."""
    directory = tmp_path_factory.mktemp("killed")
    subprocess.run([sys.executable, "-c", KILLED_AT_WORK, directory / "journal.db"], check=False)
    assert {path.name for path in directory.iterdir()} == {"journal.db", "journal.db-wal", "journal.db.head"}
    return directory


def test_a_kill_loses_nothing_and_is_not_taken_for_a_cut(left_by_a_kill: Path, tmp_path: Path) -> None:
    shutil.copytree(left_by_a_kill, tmp_path, dirs_exist_ok=True)

    with opened(str(tmp_path / "journal.db")) as journal:
        assert Verification(journal).run().tickets == 30


@pytest.mark.parametrize("number", range(10))
def test_a_log_that_was_cut_is_refused(left_by_a_kill: Path, tmp_path: Path, number: int) -> None:
    random = Random(f"{SEED} {number}")
    shutil.copytree(left_by_a_kill, tmp_path, dirs_exist_ok=True)
    log = tmp_path / "journal.db-wal"
    os.truncate(log, random.randrange(log.stat().st_size))

    with pytest.raises(JournalRefused) as refused:
        open_journal(str(tmp_path / "journal.db"))

    assert "lacks what was acknowledged last: office hall, fact" in str(refused.value) or "is not there" in str(
        refused.value
    )
    assert "put" in str(refused.value)


def test_an_older_copy_is_refused_until_its_word_is_taken(path: Path) -> None:
    day, scribe = LiveHall(), Scribe()
    with opened(str(path)) as journal:
        journal.append(scribe.page(day.facts))
        journal.backup(path.with_name("monday.db"))
        before = len(day.facts)
        day.issue()
        journal.append(scribe.page(day.facts[before:]))
    path.with_name("monday.db").rename(path)

    with pytest.raises(JournalRefused, match=r"if what is there now is to be the truth, put .*journal\.db\.head aside"):
        open_journal(str(path))
    head_file(path).rename(path.with_name("aside"))

    with opened(str(path)) as journal:
        assert journal.heads() == {"hall": before}


@pytest.mark.parametrize("content", [b"", b"rubbish", b'0123456789abcdef ["hall", 3, "00"]\n', b"\xff" * 512])
def test_a_head_that_cannot_be_read_vouches_for_nothing(path: Path, content: bytes) -> None:
    with opened(str(path)) as journal:
        write(journal, small_day().facts)
    head_file(path).write_bytes(content)

    with opened(str(path)) as journal:
        assert len(list(journal.halls())) == 1


def test_a_head_is_its_owners_alone_and_the_last_that_was_kept(path: Path) -> None:
    heads = HeadFile(path)
    heads.keep(Head("a longer name", 1_000_000, b"\1" * 32))
    heads.keep(Head("зал", 7, b"\2" * 32))
    heads.close()

    assert HeadFile(path).read() == Head("зал", 7, b"\2" * 32)
    assert head_file(path).stat().st_mode & 0o777 == 0o600


def test_a_head_that_cannot_be_written_is_no_reason_to_refuse(path: Path) -> None:
    with opened(str(path)) as journal:
        head_file(path).mkdir()
        write(journal, small_day().facts)

        assert len(list(journal.halls())) == 1
