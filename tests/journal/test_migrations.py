"""A journal of any age becomes one of today, with everything that was in it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text
from sqlalchemy.engine.interfaces import ReflectedIndex

from app.journal import Journal, JournalRefused, Verification, open_journal
from app.journal.databases import database
from app.journal.migrating import HEAD, migrate
from app.journal.schema import CLOCK, VISIT_SECRET, metadata
from tests.journal.databases import opened
from tests.journal.writing import Scribe, changed, no_checkpoint, put, put_page, small_day

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006")


def test_the_schema_after_all_migrations_is_the_one_the_journal_knows(journal: Journal) -> None:
    with journal.transaction() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})

        assert compare_metadata(context, metadata) == []


def test_constraints_and_indexes_are_the_ones_the_journal_knows(address: str) -> None:
    with opened(address) as journal, journal.transaction() as connection:
        migrated = rules(connection)
        for table in reversed(metadata.sorted_tables):
            table.drop(connection)
        metadata.create_all(connection)

        assert rules(connection) == migrated


def test_the_list_of_revisions_is_complete(journal: Journal) -> None:
    scripts = ScriptDirectory(str(files("migrations"))).walk_revisions()

    assert [script.revision for script in scripts] == [*reversed(REVISIONS)]
    assert REVISIONS[-1] == HEAD
    with journal.transaction() as connection:
        assert MigrationContext.configure(connection).get_current_revision() == HEAD


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_journal_of_an_earlier_version_goes_on_with_all_its_days(address: str, revision: str) -> None:
    scribe = day_kept_at(address, revision)

    with opened(address) as journal:
        assert Verification(journal).run().difference is None
        assert journal.facts_after("hall", 0) == scribe.lines
        assert [(hall.state(), head) for hall, head in journal.halls()] == [
            (scribe.hall.state(), scribe.lines[-1].hash)
        ]
        assert journal.answered([("hall", "kept")])["hall", "kept"].seq == scribe.hall.seq


def test_migrating_twice_changes_nothing(address: str) -> None:
    with opened(address) as journal, journal.transaction() as connection:
        before = rules(connection)

    with opened(address) as journal, journal.transaction() as connection:
        assert rules(connection) == before


def test_a_journal_of_a_newer_version_is_refused_by_name(address: str) -> None:
    with opened(address) as journal:
        changed(journal, "UPDATE alembic_version SET version_num = '2050'")

    with pytest.raises(JournalRefused, match=r"newer version of Fifteen \(schema 2050\)\. Install that version"):
        open_journal(address)


def test_a_migration_that_fails_leaves_the_journal_as_it_was(address: str) -> None:
    day_kept_at(address, "0001")
    with connected(address) as connection:
        connection.execute(text("CREATE TABLE halls (in_the_way text)"))

    with pytest.raises(JournalRefused):
        open_journal(address)

    with connected(address) as connection:
        assert MigrationContext.configure(connection).get_current_revision() == "0001"
        connection.execute(text("DROP TABLE halls"))
    with opened(address) as journal:
        assert Verification(journal).run().difference is None


def day_kept_at(address: str, revision: str) -> Scribe:
    """A small day in a journal as a version of `revision` left it."""
    scribe, day = Scribe(), small_day()
    page = scribe.page(day.facts)
    with connected(address) as connection:
        migrate(connection, address, revision)
        put_page(connection, page)
        put(connection, "answers", [scribe.answer("kept", day.now)._asdict()])
        put(connection, "stamps", [{"name": CLOCK, "value": "real"}, {"name": VISIT_SECRET, "value": "00" * 32}])
        put(connection, "halls", [no_checkpoint("hall")])
    return scribe


def rules(connection: Connection) -> Mapping[str, Any]:
    """Every table's columns, keys, checks and indexes, as the database tells them."""
    inspector = inspect(connection)
    return {
        table: (
            [(column["name"], str(column["type"]), column["nullable"]) for column in inspector.get_columns(table)],
            inspector.get_pk_constraint(table),
            inspector.get_check_constraints(table),
            [index_of(index) for index in inspector.get_indexes(table)],
        )
        for table in metadata.tables
    }


def index_of(index: ReflectedIndex) -> tuple[object, ...]:
    """An index and, if it is about some rows only, which."""
    options = {name: str(value) for name, value in index.get("dialect_options", {}).items()}
    return index["name"], index["column_names"], index["unique"], options


@contextmanager
def connected(address: str) -> Iterator[Connection]:
    """A transaction on a database of any age."""
    opened = database(address)
    with opened.engine.connect() as connection, connection.begin():
        yield connection
    opened.close()
