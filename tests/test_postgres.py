"""The PostgreSQL of the tests is a real one: it crashes like one, and leaves nothing behind."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from sqlalchemy import Connection, NullPool, create_engine, text
from sqlalchemy.exc import OperationalError

import tests.postgres
from tests.postgres import Postgres, lives, postgres_server


def test_what_was_committed_outlives_a_crash() -> None:
    with postgres_server() as server:
        url = server.fresh_database()
        with pytest.raises(OperationalError), connection_to(url) as connection:
            connection.execute(text("CREATE TABLE ticket AS SELECT 'A001' AS number"))
            connection.commit()
            connection.execute(text("INSERT INTO ticket VALUES ('A002')"))
            server.kill()
            connection.commit()

        server.start()

        assert numbers(url) == ["A001"]


def test_a_killed_server_does_not_answer() -> None:
    with postgres_server() as server:
        server.kill()

        with pytest.raises(OperationalError):
            server.fresh_database()


def test_every_test_has_a_database_of_its_own(postgres: Postgres, postgres_url: str) -> None:
    with connection_to(postgres_url) as connection:
        connection.execute(text("CREATE TABLE ticket (number text)"))
        connection.commit()

    with connection_to(postgres.fresh_database()) as connection:
        assert connection.scalar(text("SELECT to_regclass('ticket')")) is None


def test_a_commit_is_on_the_disk_before_it_is_answered(postgres_url: str) -> None:
    with connection_to(postgres_url) as connection:
        settings = [connection.scalar(text(f"SHOW {name}")) for name in ("fsync", "synchronous_commit")]

    assert settings == ["on", "on"]


def test_databases_made_on_a_foreign_server_are_dropped_again(postgres: Postgres) -> None:
    guest = Postgres(postgres.address)
    url = guest.fresh_database()

    guest.drop_databases()

    with pytest.raises(OperationalError, match="does not exist"), connection_to(url):
        pass


def test_nothing_is_left_behind_when_the_tests_are_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", A_LONG_TEST], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        directory = Path(process.stdout.readline().strip())
        server = psutil.Process(int((directory / "data" / "postmaster.pid").read_text().split()[0]))

        process.kill()

    assert soon(lambda: not directory.exists() and not lives(server))


def test_the_wheel_serves_where_the_installed_programs_are_out_of_reach(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tests.postgres, "installed_programs", lambda: tmp_path / "bin")

    with postgres_server() as server, connection_to(server.fresh_database()) as connection:
        assert connection.scalar(text("SHOW server_version_num")) >= "180000"


A_LONG_TEST = """
import time
from tests.postgres import postgres_server

with postgres_server() as server:
    print(server.directory, flush=True)
    time.sleep(60)
"""


@contextmanager
def connection_to(url: str) -> Iterator[Connection]:
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        yield connection


def numbers(url: str) -> list[str]:
    with connection_to(url) as connection:
        return list(connection.scalars(text("SELECT number FROM ticket ORDER BY number")))


def soon(true: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while not true() and time.monotonic() < deadline:
        time.sleep(0.02)
    return true()
