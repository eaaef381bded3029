"""A day as an earlier version wrote it, byte for byte: it opens, verifies, and goes on under today's rules."""

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from app.journal import Journal, Verification
from app.journal.schema import tickets
from queue_core.commands import NoShow, Readmit
from queue_core.decisions import decide, passed
from queue_core.facts import Absent, Missed, Readmission, Readmitted
from queue_core.hall import Hall, evolve_all
from queue_core.office import Channel
from queue_core.tickets import State
from tests.journal.databases import opened
from tests.journal.writing import Scribe

DAY = Path(__file__).with_name("day-of-0004.sql")
"""With a checkpoint at its end: a missed call that was the end of a visit, another taken back, a booked time of 2021,
a right withdrawn from somebody who was served all the same, and one operator at two counters."""


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """That day's journal, as this version opens it."""
    path = tmp_path / "old.db"
    with sqlite3.connect(path) as database:
        database.executescript(DAY.read_text())
    database.close()
    with opened(str(path)) as journal:
        yield journal


def test_it_is_whole(journal: Journal) -> None:
    verdict = Verification(journal).run()

    assert (verdict.difference, verdict.facts, verdict.tickets) == (None, 27, 4)


def test_its_facts_mean_what_they_meant(journal: Journal) -> None:
    [(hall, _)] = journal.halls()

    folded = evolve_all(Hall("hall"), (line.fact for line in journal.facts_after("hall", 0)))
    assert folded.state() == hall.state()
    assert hall.ticket("20261123-B001").channel is Channel.BOOKED
    assert [hall.sessions[name].operator for name in ("1", "3")] == ["operator 1", "operator 1"]
    assert hall.ticket("20261123-A002").state is State.CALLED
    assert hall.ticket("20261123-A001").misses == 1


def test_its_reports_know_when_a_call_was_missed(journal: Journal) -> None:
    with journal.transaction(read_only=True) as connection:
        rows = connection.execute(select(tickets)).all()

    assert {row.number: (row.misses, row.first_missed_at == row.ended_at) for row in rows if row.misses} == {
        "A001": (1, True)
    }


def test_it_goes_on_under_todays_rules(journal: Journal) -> None:
    scribe = Scribe()
    scribe.page(line.fact for line in journal.facts_after("hall", 0))
    scribe.lines = list(journal.facts_after("hall", 0))
    now, name = scribe.hall.moment(scribe.lines[-1].at + timedelta(minutes=1)), "20261123-A002"

    for command in (NoShow(name), Readmit(name, Readmission.KIOSK)):
        now += timedelta(minutes=3)
        for fact in passed(scribe.hall, now):
            journal.append(scribe.page([fact]))
        journal.append(scribe.page(decide(scribe.hall, command, now)))

    kinds = [type(line.fact) for line in scribe.lines[27:]]
    assert [kind for kind in kinds if kind in (Absent, Missed, Readmitted)] == [Absent, Readmitted]
    assert Verification(journal).run().difference is None
