"""A backup is a journal in itself: whole, verified, and as it was at one instant."""

import threading
from pathlib import Path

import pytest

from app.journal import Journal, JournalRefused, Verification
from tests.journal.databases import opened
from tests.journal.disks import no_byte_beyond
from tests.journal.writing import Scribe, small_day, write


def test_a_backup_opens_as_a_journal_with_the_same_lines(journal: Journal, tmp_path: Path) -> None:
    scribe = write(journal, small_day().facts)

    journal.backup(tmp_path / "backup.db")

    with opened(str(tmp_path / "backup.db")) as copy:
        assert copy.facts_after("hall", 0) == scribe.lines
        assert Verification(copy).run() == Verification(journal).run()
        assert [hall.state() for hall, _ in copy.halls()] == [scribe.hall.state()]


def test_a_backup_remembers_the_keys(journal: Journal, tmp_path: Path) -> None:
    day, scribe = small_day(), Scribe()
    page = scribe.page(day.facts)
    page.answers.append(scribe.answer("kept", day.now))
    journal.append(page)

    journal.backup(tmp_path / "backup.db")

    with opened(str(tmp_path / "backup.db")) as copy:
        assert copy.answered([("hall", "kept")]) == journal.answered([("hall", "kept")])


def test_work_goes_on_in_the_copy(journal: Journal, tmp_path: Path) -> None:
    day = small_day()
    scribe = write(journal, day.facts)
    journal.backup(tmp_path / "backup.db")

    with opened(str(tmp_path / "backup.db")) as copy:
        day.issue()
        copy.append(scribe.page(day.facts[-1:]))

        assert Verification(copy).run().difference is None
        assert journal.heads() == {"hall": len(scribe.lines) - 1}


def test_an_empty_journal_has_a_backup_too(journal: Journal, tmp_path: Path) -> None:
    journal.backup(tmp_path / "backup.db")

    with opened(str(tmp_path / "backup.db")) as copy:
        assert copy.heads() == {}


def test_a_backup_overwrites_nothing(journal: Journal, tmp_path: Path) -> None:
    target = tmp_path / "backup.db"
    target.write_text("the only copy of something else")

    with pytest.raises(JournalRefused, match=r"backup\.db exists already; name a new file"):
        journal.backup(target)

    assert target.read_text() == "the only copy of something else"


def test_a_backup_into_no_directory_is_refused(journal: Journal, tmp_path: Path) -> None:
    with pytest.raises(JournalRefused, match="nowhere is not a directory"):
        journal.backup(tmp_path / "nowhere" / "backup.db")


def test_what_an_interrupted_backup_left_is_not_in_the_way(journal: Journal, tmp_path: Path) -> None:
    (tmp_path / ".backup.db.part").write_bytes(b"half a backup")

    journal.backup(tmp_path / "backup.db")

    assert sorted(path.name for path in tmp_path.glob("*backup*")) == ["backup.db"]


def test_a_backup_that_finds_no_room_leaves_nothing_behind(journal: Journal, tmp_path: Path) -> None:
    scribe = write(journal, small_day().facts)

    with no_byte_beyond(50_000), pytest.raises(JournalRefused, match=r"backup\.db was not written: .*Make room for it"):
        journal.backup(tmp_path / "backup.db")

    assert list(tmp_path.glob("*backup*")) == []
    assert journal.facts_after("hall", 0) == scribe.lines
    journal.check_writable()


def test_a_backup_of_a_shared_journal_is_one_state_while_others_write(empty_database: str, tmp_path: Path) -> None:
    with opened(empty_database) as journal:
        writing = Writing(journal.another())
        writing.start()
        writing.wait_for(writing.acknowledged + 5)
        acknowledged = writing.acknowledged

        journal.backup(tmp_path / "backup.db")

        writing.wait_for(writing.acknowledged + 5)
        writing.finish()
        with opened(str(tmp_path / "backup.db")) as copy:
            assert Verification(copy).run().difference is None
            assert acknowledged <= copy.heads()["hall"] <= writing.acknowledged


class Writing:
    """A thread that issues one ticket after the other, and knows how many lines are committed."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._day = small_day()
        self.scribe = write(journal, self._day.facts)
        self.acknowledged = len(self.scribe.lines)
        self._more = threading.Condition()
        self._enough = False
        self._thread = threading.Thread(target=self._write)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wait_for(self, lines: int) -> None:
        """Return when that many lines are acknowledged."""
        with self._more:
            assert self._more.wait_for(lambda: self.acknowledged >= lines, timeout=30)

    def finish(self) -> None:
        """Stop and let go."""
        self._enough = True
        self._thread.join()
        self._journal.close()

    def _write(self) -> None:
        while not self._enough:
            self._day.issue()
            self._journal.append(self.scribe.page(self._day.facts[-1:]))
            with self._more:
                self.acknowledged = len(self.scribe.lines)
                self._more.notify_all()
