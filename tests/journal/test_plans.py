"""The hot statements find their rows by a key, however long the journal has become."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Table, event

from app.journal import Journal, Verification
from app.journal.schema import answers, facts, tickets
from app.journal.waits import waits_of
from tests.core.live import LiveHall
from tests.journal.databases import opened
from tests.journal.writing import Scribe, changed, small_day, write

ROWS = {facts: 5_000, tickets: 5_000, answers: 20_000}
"""Enough that a database would rather look at a key than at everything."""


@pytest.fixture
def long_kept(journal: Journal) -> Journal:
    """A journal that has been written for long."""
    day, scribe = LiveHall(), Scribe()
    day.issue()
    page = scribe.page(day.facts)
    page.answers.append(scribe.answer("first", day.now, day.visit("20261123-A001")))
    journal.append(page)
    multiply(journal, facts, "seq = 6", seq="100 + i", ticket_id="'ticket ' || i")
    multiply(journal, tickets, "number = 'A001'", number="'B' || i", ticket_id="'ticket ' || i")
    multiply(journal, answers, "key = 'first'", key="'key ' || i")
    if journal.is_shared:
        changed(journal, "ANALYZE")
    return journal


def test_a_page_is_appended_without_reading_a_table(long_kept: Journal) -> None:
    day, scribe = LiveHall(), Scribe("another")
    day.issue()
    page = scribe.page(day.facts)
    page.answers.append(scribe.answer("key", day.now))

    plans = plans_of(long_kept, lambda: long_kept.append(page))

    for table in ("facts", "tickets", "answers", "halls"):
        assert any(f"INSERT INTO {table} " in statement for statement in plans)
    assert not full_scans(plans)


def test_the_line_before_is_found_by_its_key(long_kept: Journal) -> None:
    day, scribe = LiveHall(), Scribe("another")
    long_kept.append(scribe.page(day.facts))
    before = len(day.facts)
    day.issue()
    page = scribe.page(day.facts[before:])

    plans = plans_of(long_kept, lambda: long_kept.append(page))

    assert searches(plans, "facts")
    assert not full_scans(plans)


def test_keys_are_looked_up_by_key(long_kept: Journal) -> None:
    plans = plans_of(long_kept, lambda: long_kept.answered([("office 7", f"key {index}") for index in range(50)]))

    assert searches(plans, "answers")
    assert not full_scans(plans)


def test_a_history_is_found_by_its_ticket(long_kept: Journal) -> None:
    plans = plans_of(long_kept, lambda: long_kept.history("office 7", "ticket 7"))

    assert "ix_facts_ticket" in "".join(plans.values())
    assert not full_scans(plans)


def test_what_follows_a_seq_is_found_by_it(long_kept: Journal) -> None:
    plans = plans_of(long_kept, lambda: long_kept.facts_after("office 7", 4_000, 1))

    assert searches(plans, "facts")
    assert not full_scans(plans)


def test_what_follows_in_many_offices_is_found_by_their_seqs(long_kept: Journal) -> None:
    plans = plans_of(long_kept, lambda: long_kept.facts_since({f"office {number}": 4_000 for number in range(50)}))

    assert searches(plans, "facts")
    assert not full_scans(plans)


def test_the_head_of_an_office_is_found_at_its_end(long_kept: Journal) -> None:
    plans = plans_of(long_kept, long_kept.heads)

    assert searches(plans, "facts")
    # Every office is asked for, so every checkpoint is looked at; but no more of the facts than the last.
    assert not [scan for scan in full_scans(plans) if "halls" not in scan]


def test_a_days_waits_are_found_by_the_day(long_kept: Journal) -> None:
    plans = plans_of(long_kept, lambda: waits_of(long_kept, "office 7", date(2026, 11, 23), 100))

    assert searches(plans, "tickets")
    assert not full_scans(plans)


def test_verification_finds_ticket_rows_by_their_day(tmp_path: Path) -> None:
    with opened(str(tmp_path / "journal.db")) as journal:
        write(journal, small_day().facts)

        plans = plans_of(journal, Verification(journal).run)

    assert "SEARCH tickets USING PRIMARY KEY (office_id=? AND day=?)" in plans.values()


def multiply(journal: Journal, table: Table, one: str, **different: str) -> None:
    """Fill a table with rows like one, spread over twenty offices."""
    values = {"office_id": "'office ' || (i % 20)", **different}
    columns = [column.name for column in table.columns]
    changed(
        journal,
        f"INSERT INTO {table.name} ({', '.join(columns)}) "
        f"WITH RECURSIVE copies(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM copies WHERE i < {ROWS[table]}) "
        f"SELECT {', '.join(values.get(column, column) for column in columns)} FROM {table.name}, copies WHERE {one}",
    )


def plans_of(journal: Journal, work: Callable[[], object]) -> dict[str, str]:
    """How the database goes about each statement of some work."""
    statements: dict[str, Any] = {}

    def noted(_c: Connection, _k: object, statement: str, parameters: Any, _x: object, many: bool) -> None:
        if statement.split(maxsplit=1)[0] in ("INSERT", "SELECT", "DELETE"):
            statements[statement] = parameters[0] if many else parameters

    event.listen(journal.database.engine, "before_cursor_execute", noted)
    work()
    event.remove(journal.database.engine, "before_cursor_execute", noted)
    return {statement: plan(journal, statement, parameters) for statement, parameters in statements.items()}


def plan(journal: Journal, statement: str, parameters: Any) -> str:
    """What EXPLAIN says, a line for each step."""
    explain = "EXPLAIN" if journal.is_shared else "EXPLAIN QUERY PLAN"
    with journal.transaction(read_only=True) as connection:
        steps = connection.exec_driver_sql(f"{explain} {statement}", parameters).all()
    return "\n".join(str(step[-1]) for step in steps)


def full_scans(plans: dict[str, str]) -> list[str]:
    """The steps that read a whole table. SQLite calls it a scan, too, to walk through what a statement brought."""
    steps = [step.strip() for plan in plans.values() for step in plan.splitlines()]
    brought = ("VIRTUAL TABLE", "CONSTANT ROW")
    return [
        step
        for step in steps
        if "Seq Scan" in step or (step.startswith("SCAN") and not any(word in step for word in brought))
    ]


def searches(plans: dict[str, str], table: str) -> list[str]:
    """The steps that find rows of a table by its primary key."""
    steps = [step for plan in plans.values() for step in plan.splitlines()]
    return [step for step in steps if f"pk_{table}" in step or step.startswith(f"SEARCH {table} USING PRIMARY KEY")]
