"""A journal that would not be safe is not opened: the refusal names it and says what to do."""

import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, make_url

from app.journal import JournalRefused, Verification, open_journal
from tests.journal.databases import opened
from tests.journal.writing import changed, small_day, write
from tests.postgres import Postgres


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal of a small day, closed."""
    path = tmp_path / "journal.db"
    with opened(str(path)) as journal:
        write(journal, small_day().facts)
    return path


def test_a_new_file_becomes_a_journal(tmp_path: Path) -> None:
    with opened(str(tmp_path / "new.db")) as journal:
        journal.check_writable()

    assert (tmp_path / "new.db").stat().st_size > 0


def test_an_empty_file_becomes_a_journal(tmp_path: Path) -> None:
    (tmp_path / "empty.db").touch()

    with opened(str(tmp_path / "empty.db")) as journal:
        journal.check_writable()


def test_a_damaged_header_is_refused_and_left_alone(path: Path) -> None:
    damage(path, at=0, with_=b"\xff" * 100)

    refused_and_left_alone(path, r"journal\.db is damaged .*put the last backup in its place")


@pytest.mark.parametrize("page", [2, 4, 6])
def test_a_damaged_page_is_refused_and_left_alone(path: Path, page: int) -> None:
    damage(path, at=(page - 1) * 4096, with_=b"\xff" * 4096)

    refused_and_left_alone(path, r"journal\.db is damaged .*put the last backup in its place")


def test_a_file_cut_short_is_refused_and_left_alone(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 3 * 4096)

    refused_and_left_alone(path, r"journal\.db is damaged .*put the last backup in its place")


def test_a_letter_is_no_journal_and_is_left_alone(tmp_path: Path) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear director, the queue was long today.\n" * 50)

    refused_and_left_alone(letter, r"letter\.txt is damaged \(file is not a database\)")


def test_a_file_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "contacts.db"
    with sqlite3_connection(path) as connection:
        connection.execute("CREATE TABLE contacts (name TEXT)")

    refused_and_left_alone(path, r"contacts\.db is a SQLite file of another program; name another file")


def test_a_directory_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(JournalRefused, match="nowhere is not a directory; create it"):
        open_journal(str(tmp_path / "nowhere" / "journal.db"))


def test_a_directory_is_no_journal(tmp_path: Path) -> None:
    with pytest.raises(JournalRefused, match=f"{tmp_path} cannot be written"):
        open_journal(str(tmp_path))


def test_a_read_only_file_is_refused_even_to_root(path: Path) -> None:
    path.chmod(0o444)

    refused_and_left_alone(path, r"journal\.db cannot be written\. Give this user the right")


def test_a_journal_in_use_is_refused_to_a_second_server(path: Path) -> None:
    with another_program(OPEN_JOURNAL, path), pytest.raises(JournalRefused, match="is in use by another program"):
        open_journal(str(path))

    with opened(str(path)) as journal:
        assert Verification(journal).run().difference is None


def test_a_journal_somebody_looks_into_is_refused(path: Path) -> None:
    with another_program(READ_FILE, path), pytest.raises(JournalRefused, match=r"Stop the server that has it"):
        open_journal(str(path))


def test_an_open_journal_is_closed_to_every_other_program(path: Path) -> None:
    with opened(str(path)), sqlite3_connection(path) as connection:
        connection.execute("PRAGMA busy_timeout = 0")

        with pytest.raises(sqlite3.OperationalError, match="locked"):
            connection.execute("SELECT count(*) FROM facts")


def test_what_was_acknowledged_is_there_after_a_crash(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with another_program(WRITE_A_DAY, path):
        pass

    assert path.with_name("journal.db-wal").exists()
    with opened(str(path)) as journal:
        assert Verification(journal).run().tickets == 5


def test_a_refusal_lets_go_of_the_file(path: Path) -> None:
    with pytest.raises(JournalRefused):
        open_journal(str(path), demo=True)

    with sqlite3_connection(path) as connection:
        assert connection.execute("SELECT count(*) FROM facts").fetchone()[0] > 0


@pytest.mark.parametrize(("born", "opened_as"), [(True, "real"), (False, "demo")])
def test_a_demo_clock_and_a_real_journal_do_not_go_together(address: str, born: bool, opened_as: str) -> None:
    journal = open_journal(address, demo=born)
    journal.close()
    journal.database.close()

    with pytest.raises(JournalRefused, match=f"this server runs a {opened_as} clock.*name another database"):
        open_journal(address, demo=not born)


@pytest.mark.parametrize("address", ["mysql://localhost/queue", "sqlite:///queue.db", "postgresql+asyncpg://h/d"])
def test_an_address_of_another_kind_is_refused(address: str) -> None:
    with pytest.raises(JournalRefused, match=r"lives in a SQLite file or at a postgresql\+psycopg:// address"):
        open_journal(address)


def test_a_server_that_does_not_answer_is_named_without_its_password() -> None:
    with unused_port() as port, pytest.raises(JournalRefused) as refused:
        open_journal(f"postgresql+psycopg://queue:secret@127.0.0.1:{port}/queue")

    assert f"queue:***@127.0.0.1:{port}/queue" in str(refused.value)
    assert "Check that the database is there, reachable and writable" in str(refused.value)
    assert "secret" not in str(refused.value)


def test_a_database_that_is_not_there_is_named(empty_database: str) -> None:
    missing = make_url(empty_database).set(database="nowhere").render_as_string(hide_password=False)

    with pytest.raises(JournalRefused, match=r'database "nowhere" does not exist.*Check that the database is there'):
        open_journal(missing)


@pytest.mark.parametrize(
    ("setting", "advice"),
    [
        ("synchronous_commit = off", "has synchronous_commit = off and may lose acknowledged tickets; turn it on"),
        ("default_transaction_read_only = on", "is read-only .*; name the primary server"),
    ],
)
def test_a_server_that_may_forget_or_will_not_write_is_refused(postgres_url: str, setting: str, advice: str) -> None:
    engine = create_engine(postgres_url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"ALTER DATABASE {make_url(postgres_url).database} SET {setting}")

    with pytest.raises(JournalRefused, match=advice):
        open_journal(postgres_url)


OPEN_JOURNAL = """
import sys
from app.journal import open_journal
journal = open_journal(sys.argv[1])
print("ready", flush=True)
sys.stdin.read()
"""

READ_FILE = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("BEGIN")
connection.execute("SELECT count(*) FROM facts").fetchone()
print("ready", flush=True)
sys.stdin.read()
"""

WRITE_A_DAY = """
import os, sys
from app.journal import open_journal
from tests.journal.writing import small_day, write
write(open_journal(sys.argv[1]), small_day().facts)
print("ready", flush=True)
os._exit(0)
"""


@contextmanager
def another_program(program: str, path: Path) -> Iterator[None]:
    """A program that has come to the point where it says so, until the block ends."""
    words = [sys.executable, "-c", program, str(path)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
        try:
            yield
        finally:
            process.communicate()


@contextmanager
def sqlite3_connection(path: Path) -> Iterator[sqlite3.Connection]:
    """The file as any other program would open it."""
    connection = sqlite3.connect(path)
    try:
        yield connection
        connection.commit()
    finally:
        connection.close()


@contextmanager
def unused_port() -> Iterator[int]:
    """A port that is taken and where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        yield port


def damage(path: Path, *, at: int, with_: bytes) -> None:
    """Overwrite a part of a file."""
    with path.open("r+b") as file:
        file.seek(at)
        file.write(with_)


def refused_and_left_alone(path: Path, sentence: str) -> None:
    """The journal is not opened, for that reason, and not a byte of it or beside it has changed."""
    before = {file: file.read_bytes() for file in path.parent.iterdir()}

    with pytest.raises(JournalRefused, match=sentence):
        open_journal(str(path))

    assert {file: file.read_bytes() for file in path.parent.iterdir()} == before


@pytest.mark.parametrize("encoding", ["WIN1251", "LATIN1", "KOI8R", "SQL_ASCII"])
def test_a_database_that_cannot_keep_every_name_is_refused(postgres: Postgres, encoding: str) -> None:
    name = f"fifteen_{encoding.lower()}"
    postgres._execute(f"CREATE DATABASE {name} ENCODING '{encoding}' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
    try:
        with pytest.raises(JournalRefused, match=rf"is in {encoding} .*createdb --encoding=UTF8 .*{name}_utf8"):
            open_journal(postgres.address.set(database=name).render_as_string(hide_password=False))
    finally:
        postgres._execute(f"DROP DATABASE {name}")


def test_a_journal_and_its_copy_are_their_owners_alone(tmp_path: Path) -> None:
    with opened(str(tmp_path / "journal.db")) as journal:
        write(journal, small_day().facts)
        journal.backup(tmp_path / "copy.db")
        modes = {path.name: oct(path.stat().st_mode & 0o777) for path in tmp_path.iterdir()}

    assert modes == dict.fromkeys(("journal.db", "journal.db-wal", "journal.db.head", "copy.db"), "0o600")


def test_the_first_question_after_a_lost_connection_is_answered(empty_database: str) -> None:
    with opened(empty_database) as journal, opened(empty_database) as other:
        scribe = write(journal, small_day().facts)
        journal.heads()
        changed(
            other,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )

        assert journal.heads() == {"hall": len(scribe.lines)}
