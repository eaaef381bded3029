"""One suite, both databases: whoever asks for `address` is run on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, delete

from app.journal import Journal, open_journal
from app.journal.schema import answers, facts, halls, remarks, tickets
from tests.postgres import Postgres


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where nothing is yet and a journal may be."""
    if request.param == "SQLite":
        return str(tmp_path / "journal.db")
    url: str = request.getfixturevalue("empty_database")
    return url


@pytest.fixture(scope="session")
def reused_database(postgres: Postgres) -> str:
    """One database for many tests: to make one takes longer than most of them."""
    return postgres.fresh_database()


@pytest.fixture
def empty_database(reused_database: str) -> str:
    """That database with nothing in it, and nobody else connected."""
    engine = create_engine(reused_database, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
    return reused_database


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def journal(request: pytest.FixtureRequest) -> Journal:
    """A journal with nothing in it."""
    journal: Journal = request.getfixturevalue(f"journal_in_{request.param.lower()}")
    with journal.transaction() as connection:
        for table in (facts, tickets, answers, halls, remarks):
            connection.execute(delete(table))
    return journal


@pytest.fixture(scope="session")
def journal_in_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journal]:
    """A journal in a file, for many tests: to open one takes longer than most of them."""
    with opened(str(tmp_path_factory.mktemp("kept") / "journal.db")) as journal:
        yield journal


@pytest.fixture(scope="session")
def journal_in_postgresql(postgres: Postgres) -> Iterator[Journal]:
    """A journal on the server, for many tests."""
    with opened(postgres.fresh_database()) as journal:
        yield journal


@contextmanager
def opened(address: str) -> Iterator[Journal]:
    """The journal there, let go of afterwards."""
    journal = open_journal(address)
    try:
        yield journal
    finally:
        journal.close()
        journal.database.close()
