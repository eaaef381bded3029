"""A standby of a test's PostgreSQL: real streaming replication, which can be held back, and a promotion.

It is asynchronous, as PostgreSQL's own settings have it, unless the primary is told otherwise.
"""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import psutil
from sqlalchemy import URL, NullPool, create_engine, make_url

from tests.postgres import (
    PATIENCE_SECONDS,
    UNPRIVILEGED,
    Postgres,
    PostgresServer,
    give_away,
    guarded,
    programs_usable_by_nobody,
)


class Standby(PostgresServer):
    """A server that follows another one until it is promoted."""

    def __init__(self, directory: Path, primary: PostgresServer) -> None:
        at = {"host": str(directory)}
        Postgres.__init__(self, URL.create("postgresql+psycopg", username="postgres", database="postgres", query=at))
        self.directory = directory
        self._primary = primary
        self._programs = programs_usable_by_nobody(directory)
        self._process = None
        words = ["--host", str(primary.directory), "--username=postgres", "--pgdata=data", "--write-recovery-conf"]
        command = [str(self._programs / "pg_basebackup"), *words, "--checkpoint=fast", "--no-sync"]
        subprocess.run(command, check=True, cwd=directory, **UNPRIVILEGED)

    def wait_until_level(self) -> None:
        """Return when the standby has applied all that the primary has committed."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not _asked(self._primary, "SELECT bool_or(replay_lsn >= pg_current_wal_lsn()) FROM pg_stat_replication"):
            assert time.monotonic() < deadline, "the standby does not follow"
            time.sleep(0.02)

    def promote(self) -> None:
        """Return when it takes writes."""
        self._execute("SELECT pg_promote()")


def hold_back(primary: PostgresServer) -> None:
    """From now on its standbys hear nothing, as over a slow line; the primary goes on without them."""
    pids = [int(str(pid)) for pid in _column(primary, "SELECT pid FROM pg_stat_replication")]
    assert pids, "somebody follows"
    for pid in pids:
        psutil.Process(pid).suspend()


@contextmanager
def standby_of(primary: PostgresServer) -> Iterator[Standby]:
    """A running standby; it is gone afterwards."""
    directory = Path(mkdtemp(prefix="fifteen-standby-"))
    with guarded(directory):
        give_away(directory)
        standby = Standby(directory, primary)
        standby.start()
        try:
            yield standby
        finally:
            standby.stop()


class Address:
    """An address that can be pointed at another server, as a name or a floating address would be."""

    def __init__(self, directory: Path, url: str) -> None:
        self._link = directory / "now"
        parsed = make_url(url)
        self._link.symlink_to(str(parsed.query["host"]))
        self.url = parsed.set(query={"host": str(self._link)}).render_as_string(hide_password=False)

    def point_at(self, server: PostgresServer) -> None:
        """Whoever connects from now on comes to this server."""
        self._link.unlink()
        self._link.symlink_to(server.directory)


@contextmanager
def address_of(url: str) -> Iterator[Address]:
    """An address for this database."""
    directory = Path(mkdtemp(prefix="fifteen-at-"))
    try:
        yield Address(directory, url)
    finally:
        shutil.rmtree(directory)


def dump(server: PostgresServer, url: str, path: Path) -> None:
    """What `pg_dump` makes of a database."""
    _run(server, ["pg_dump", "--format=custom", "--file", str(path)], url)


def restore(server: PostgresServer, url: str, path: Path) -> None:
    """What `pg_restore` makes of a database, with whoever is connected to it."""
    _run(server, ["pg_restore", "--clean", "--if-exists", "--single-transaction", str(path)], url)


def _run(server: PostgresServer, words: list[str], url: str) -> None:
    database = str(make_url(url).database)
    at = ["--host", str(server.directory), "--username=postgres", "--dbname", database]
    program, *rest = words
    subprocess.run([server._programs / program, *at, *rest], check=True, cwd=server.directory)


def _asked(server: PostgresServer, question: str) -> object:
    return next(iter(_column(server, question)), None)


def _column(server: PostgresServer, question: str) -> list[object]:
    engine = create_engine(server.address, poolclass=NullPool)
    with engine.connect() as connection:
        return list(connection.exec_driver_sql(question).scalars())
