"""What visitors write is kept beside the journal, apart from its chain, and not for ever."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.journal import Journal, Verification
from app.journal.remarks import KEPT, Remark, RemarkKind, keep_remark, remarks_of
from tests.journal.databases import opened
from tests.journal.writing import changed, small_day, write

MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)
SAID = 'The lady said "no" — ¯\\_(ツ)_/¯\nand nobody came; DROP TABLE remarks'


def said(seq: int, office_id: str = "hall", at: datetime = MONDAY) -> Remark:
    """What was written beside the rating at `seq`."""
    return Remark(
        office_id=office_id, seq=seq, ticket_id="20261123-A001", at=at, kind=RemarkKind.COMPLAINT, text=f"{SAID} {seq}"
    )


def test_remarks_are_read_as_they_were_written_the_latest_first(journal: Journal) -> None:
    for seq in (4, 9, 7):
        keep_remark(journal, said(seq))

    assert remarks_of(journal, "hall", MONDAY, 10) == [said(9), said(7), said(4)]
    assert remarks_of(journal, "hall", MONDAY, 2) == [said(9), said(7)]
    assert remarks_of(journal, "hall", MONDAY, 2, before=7) == [said(4)]


def test_an_office_is_told_of_its_own_alone(journal: Journal) -> None:
    keep_remark(journal, said(4))
    keep_remark(journal, said(4, "annex"))

    assert remarks_of(journal, "annex", MONDAY, 10) == [said(4, "annex")]


def test_the_same_remark_again_stays_one_and_another_does_not_take_its_place(journal: Journal) -> None:
    first = keep_remark(journal, said(4))

    again = keep_remark(journal, said(4, at=MONDAY + timedelta(minutes=1)))
    another = keep_remark(journal, replace(said(4), text="something else"))

    assert (first, again, another) == (True, True, False)
    assert remarks_of(journal, "hall", MONDAY, 10) == [said(4)]


def test_old_remarks_are_not_shown_and_leave_the_database_with_the_next_one(journal: Journal) -> None:
    keep_remark(journal, said(4))
    keep_remark(journal, said(4, "annex", MONDAY + timedelta(days=1)))
    later = MONDAY + KEPT + timedelta(seconds=1)

    assert remarks_of(journal, "hall", later, 10) == []
    keep_remark(journal, said(4, "third", later))

    assert rows(journal) == 2


def test_a_backup_holds_remarks_and_a_verification_does_not_mind_them(journal: Journal, tmp_path: Path) -> None:
    lines = write(journal, small_day().facts).lines
    remark = said(next(line.seq for line in lines if line.ticket_id == "20261123-A001"))
    keep_remark(journal, remark)

    journal.backup(tmp_path / "backup.db")

    with opened(str(tmp_path / "backup.db")) as copy:
        assert remarks_of(copy, "hall", MONDAY, 10) == [remark]
        assert Verification(copy).run().difference is None
        changed(copy, "DELETE FROM remarks")
        assert Verification(copy).run().difference is None


def rows(journal: Journal) -> int:
    """How many there are in the database; they are taken out by it."""
    return changed(journal, "DELETE FROM remarks")
