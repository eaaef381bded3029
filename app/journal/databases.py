"""The seam between SQLite and PostgreSQL: opening each safely, and naming what goes wrong with it."""

import logging
import os
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from types import NoneType
from typing import Any, Protocol

import psycopg
from sqlalchemy import (
    Connection,
    Engine,
    Table,
    TableValuedAlias,
    Text,
    bindparam,
    cast,
    column,
    create_engine,
    event,
    func,
    make_url,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.pool import NullPool, StaticPool

from app.journal.errors import (
    JournalBroken,
    JournalDamaged,
    JournalDown,
    JournalFull,
    JournalRefused,
    JournalUnwritable,
    LostRace,
    PastLost,
)
from app.journal.files import Head, HeadFile, LiveFile, refuse_remains
from app.journal.hot import JsonWriter, ValuesWriter, Writer
from app.journal.linked import FactsWriter, JsonFacts, ValuesFacts

# After an error the end of a pipeline warns of it once more.
logging.getLogger("psycopg").setLevel(logging.ERROR)

CHANNEL = "fifteen"
"""Where PostgreSQL processes tell each other of new facts."""

DAMAGED = "Keep it for an examination, and put the last backup in its place."

NO_LINE_BEFORE = "facts.hash"
"""What is missing, for the database, when a line is written that follows no line: see `linked`."""

KEEPALIVES = "-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3"
"""By itself PostgreSQL lets a process that has lost power keep its locks for two hours."""

OLDEST_SQLITE = (3, 35, 0)
WITHDRAWN_SQLITE = {(3, 52, 0): "was withdrawn by its makers"}
"""Versions that must not hold a journal. The corruption of two connections checkpointing one WAL (3.7.0 to 3.51.2)
does not count: an exclusive journal has one connection."""


# At every None the driver looks long for a way to adapt it, and most of a ticket's columns are None.
sqlite3.register_adapter(NoneType, lambda none: none)


class Database(Protocol):
    """One kind of database, as far as the journal must know it."""

    name: str
    is_shared: bool
    engine: Engine

    def check(self, connection: Connection) -> None:
        """Nothing, or JournalRefused when facts would not be safe here."""

    def writer(self, table: Table, *, replacing: bool = False) -> Writer:
        """What writes rows of a table; `replacing` those that are there already."""

    def facts_writer(self) -> FactsWriter:
        """What writes lines, each office's first only where the line before it stands."""

    def before_writing(self) -> None:
        """Nothing, or PastLost when what was written before is not where it was."""

    def after_writing(self) -> None:
        """Nothing, or PastLost when what was just committed may not be where it will be looked for."""

    def keep_head(self, head: Head) -> None:
        """Have it known outside of the database which line was committed last."""

    def head(self) -> Head | None:
        """The line that is known outside to have been committed last; None when nothing is."""

    def pairs(self) -> TableValuedAlias:
        """The pairs in the JSON parameter `pairs` as a table; each `value` is an array of two."""

    def begin(self, connection: Connection, *, read_only: bool) -> None:
        """Begin a transaction as this database likes it; one that only reads sees one state of everything."""

    def at_once(self, connection: Connection) -> AbstractContextManager[None]:
        """Statements that end a transaction; one may fail for another before it."""

    def notify(self, connection: Connection, heads: Mapping[str, int]) -> None:
        """Tell other processes which office has come to which seq, once this transaction is committed."""

    def trouble(self, error: DBAPIError) -> Exception:
        """What an error means for the journal."""

    def interrupt(self, connection: Connection) -> None:
        """Asked by another thread: end the statement that the connection waits for."""

    def close(self) -> None:
        """Let go of every connection."""


def database(address: str) -> Database:
    """The database behind a file name or a `postgresql+psycopg://` address."""
    if "://" not in address:
        return SQLite(Path(address))
    url = make_url(address)
    if url.drivername in ("postgresql", "postgresql+psycopg"):
        return PostgreSQL(address)
    raise JournalRefused(f"{url.drivername}: a journal lives in a SQLite file or at a postgresql+psycopg:// address.")


class SQLite:
    """One file, one process, one connection."""

    is_shared = False

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._path = path
        self._live, self._head_file = LiveFile(path), HeadFile(path)
        self._refuse_unsafe_library()
        self._refuse_unsafe_file()
        self._keep_to_ourselves()
        self.engine = create_engine(
            f"sqlite:///{path}",
            poolclass=StaticPool,
            connect_args={
                "check_same_thread": False,
                "isolation_level": None,
                "timeout": 1.0,
                "cached_statements": 1000,
            },
        )
        event.listen(self.engine, "connect", self._prepare)

    def check(self, connection: Connection) -> None:
        """Nothing, or JournalRefused when the file is damaged."""
        if self._path.stat().st_size < 512 * 2**20:
            found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
            if found != "ok":
                raise self._damaged(str(found).splitlines()[-1])

    def writer(self, table: Table, *, replacing: bool = False) -> Writer:
        """What writes rows of a table."""
        return ValuesWriter(table, replacing=replacing)

    def facts_writer(self) -> FactsWriter:
        """What writes lines, each office's first only where the line before it stands."""
        return ValuesFacts()

    def before_writing(self) -> None:
        """Nothing, or PastLost when file or log are not those that were written last."""
        self._live.check()

    def after_writing(self) -> None:
        """Nothing, or PastLost when file or log were taken away meanwhile."""
        self._live.note()

    def keep_head(self, head: Head) -> None:
        """Note the line beside the file, after its commit: never ahead of what is on the disk."""
        self._head_file.keep(head)

    def head(self) -> Head | None:
        """The line that was noted last."""
        return self._head_file.read()

    def pairs(self) -> TableValuedAlias:
        """The pairs in the JSON parameter `pairs` as a table."""
        return func.json_each(bindparam("pairs")).table_valued("value")

    def begin(self, connection: Connection, *, read_only: bool) -> None:
        """Begin a transaction; one that writes takes the file's lock at once."""
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    def at_once(self, connection: Connection) -> AbstractContextManager[None]:
        """Nobody is far away."""
        return nullcontext()

    def notify(self, connection: Connection, heads: Mapping[str, int]) -> None:
        """Nobody else can have the file open."""

    def trouble(self, error: DBAPIError) -> Exception:
        """What an error means for the journal."""
        code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
        if isinstance(error, IntegrityError):
            if NO_LINE_BEFORE in str(error.orig):
                return PastLost(self.name)
            # One process has the file, so nobody is faster here; but a key may have been used before.
            return LostRace() if "answers." in str(error.orig) else error
        if isinstance(error, DataError):
            return error
        if code == sqlite3.SQLITE_FULL:
            return JournalFull(f"{self.name}: the disk is full. {self._room()}")
        if "decode to UTF-8" in str(error.orig):
            return JournalDamaged(f"{self.name} is damaged ({error.orig}). {DAMAGED}")
        if code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return JournalBroken(f"{self.name}: {error.orig}")
        return JournalDown(f"{self.name}: {error.orig}")

    def _room(self) -> str:
        """What is left on the disk, and what to do."""
        directory = self._path.absolute().parent
        try:
            free = f"{shutil.disk_usage(directory).free // 1024} kB are free"
        except OSError:
            free = "Nobody knows what is free"
        return f"{free}; make room in {directory}, nothing else is to be done."

    def interrupt(self, connection: Connection) -> None:
        """End the statement that the connection waits for."""
        driver_connection = connection.connection.driver_connection
        assert isinstance(driver_connection, sqlite3.Connection)
        driver_connection.interrupt()

    def close(self) -> None:
        """Let go of the file."""
        self.engine.dispose()
        self._head_file.close()

    def _prepare(self, connection: sqlite3.Connection, _record: object) -> None:
        try:
            # EXCLUSIVE comes before WAL: then there is no shared-memory file, and no second connection ever.
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            # Before WAL, too, which would change the file of another program.
            self._refuse_a_stranger(connection)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            # 32 MiB of log between checkpoints: a busy page is then copied back once and not at every turn.
            connection.execute("PRAGMA wal_autocheckpoint = 8000")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA busy_timeout = 1000")
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("COMMIT")
        except sqlite3.DatabaseError as error:
            connection.close()
            raise self._refusal(error) from error
        except UnicodeDecodeError as error:
            # A driver that tells of what is damaged, and cannot put it into words.
            connection.close()
            raise self._damaged(ascii(error.object)) from error
        except JournalRefused:
            connection.close()
            raise

    def _refuse_a_stranger(self, connection: sqlite3.Connection) -> None:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        if tables and "alembic_version" not in tables:
            raise JournalRefused(f"{self.name} is a SQLite file of another program; name another file for the journal.")

    def _refusal(self, error: sqlite3.DatabaseError) -> JournalRefused:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return JournalRefused(
                f"{self.name} is in use by another program. Stop the server that has it, or let it do the work: "
                "`fifteen verify` and `fifteen backup` ask a running server."
            )
        if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN):
            return self._unwritable()
        return self._damaged(str(error))

    def _refuse_unsafe_library(self) -> None:
        version = sqlite3.sqlite_version_info
        if version < OLDEST_SQLITE:
            raise JournalRefused(
                f"SQLite {sqlite3.sqlite_version} is too old; {'.'.join(map(str, OLDEST_SQLITE))} is needed."
            )
        if version in WITHDRAWN_SQLITE:
            raise JournalRefused(
                f"SQLite {sqlite3.sqlite_version} {WITHDRAWN_SQLITE[version]}; install another version of it."
            )

    def _refuse_unsafe_file(self) -> None:
        if not self._path.parent.is_dir():
            raise JournalRefused(f"{self._path.parent} is not a directory; create it, or name another file.")
        if not self._path.exists() or (self._path.is_file() and not self._path.stat().st_size):
            refuse_remains(self._path)
        # An administrator is root and may write anything: a file without a write bit was made so on purpose.
        elif not self._path.is_file() or not self._path.stat().st_mode & 0o222 or not os.access(self._path, os.W_OK):
            raise self._unwritable()

    def _keep_to_ourselves(self) -> None:
        """A new file is its owner's alone, and SQLite gives its log the same rights. One that is there is as it was."""
        with suppress(OSError):
            os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))

    def _unwritable(self) -> JournalUnwritable:
        return JournalUnwritable(
            f"{self.name} cannot be written. Give this user the right to write it and its directory."
        )

    def _damaged(self, found: str) -> JournalRefused:
        return JournalDamaged(f"{self.name} is damaged ({found}). {DAMAGED}")


class PostgreSQL:
    """A server that many processes share."""

    is_shared = True

    def __init__(self, address: str) -> None:
        url = make_url(address).set(drivername="postgresql+psycopg")
        self.name = url.render_as_string(hide_password=True)
        self._database = url.database
        connect_args: dict[str, Any] = {
            "connect_timeout": 5,
            "application_name": "fifteen",
            # Said, because a database in no encoding at all would have its own way, and texts would come as bytes.
            "client_encoding": "utf8",
            "options": f"-c timezone=UTC {KEEPALIVES}",
            "keepalives_idle": 5,
            "keepalives_interval": 2,
            "keepalives_count": 3,
            "tcp_user_timeout": 10_000,
        }
        self.engine = create_engine(url, poolclass=NullPool, connect_args=connect_args)
        # Never an address put together anew: a password may hold what an address cannot.
        _, keywords = self.engine.dialect.create_connect_args(url)
        self.keywords = {**keywords, **connect_args}

    def check(self, connection: Connection) -> None:
        """Nothing, or JournalRefused when the server may forget what it has acknowledged."""
        encoding = connection.exec_driver_sql("SHOW server_encoding").scalar()
        if encoding != "UTF8":
            raise JournalRefused(
                f"{self.name} is in {encoding} and cannot keep every name; it must be in UTF8. Make another, with "
                f"`createdb --encoding=UTF8 --template=template0 --locale=C {self._database}_utf8`, and name it."
            )
        for setting in ("synchronous_commit", "fsync"):
            if connection.exec_driver_sql(f"SHOW {setting}").scalar() == "off":
                raise JournalRefused(
                    f"{self.name} has {setting} = off and may lose acknowledged tickets; turn it on for this database."
                )
        if connection.exec_driver_sql("SHOW transaction_read_only").scalar() == "on":
            raise JournalRefused(f"{self.name} is read-only (a standby?); name the primary server.")

    def writer(self, table: Table, *, replacing: bool = False) -> Writer:
        """What writes rows of a table."""
        return JsonWriter(table, replacing=replacing)

    def facts_writer(self) -> FactsWriter:
        """What writes lines, each office's first only where the line before it stands."""
        return JsonFacts()

    def before_writing(self) -> None:
        """The insert itself sees whether the past is there."""

    def after_writing(self) -> None:
        """A commit that was answered is there."""

    def keep_head(self, head: Head) -> None:
        """Nobody is beside it: the other processes know."""

    def head(self) -> Head | None:
        """Nothing is known outside."""
        return None

    def pairs(self) -> TableValuedAlias:
        """The pairs in the JSON parameter `pairs` as a table."""
        return func.jsonb_array_elements(cast(bindparam("pairs", type_=Text), JSONB)).table_valued(
            column("value", JSONB)
        )

    def begin(self, connection: Connection, *, read_only: bool) -> None:
        """The driver begins by itself; one that only reads keeps to one snapshot."""
        if read_only:
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")

    @contextmanager
    def at_once(self, connection: Connection) -> Iterator[None]:
        """Statements that end a transaction, sent without waiting for one another: one round trip for all."""
        try:
            with _driver(connection).pipeline():
                yield
                # After a statement that failed the server skips it.
                connection.exec_driver_sql("COMMIT")
        except psycopg.Error as error:
            raise DBAPIError.instance(None, None, error, psycopg.Error) from error

    def notify(self, connection: Connection, heads: Mapping[str, int]) -> None:
        """Tell other processes which office has come to which seq, once this transaction is committed."""
        news = [f"{office_id} {seq}" for office_id, seq in heads.items()]
        connection.exec_driver_sql("SELECT pg_notify(%s, news) FROM unnest(%s::text[]) AS news", (CHANNEL, news))

    def trouble(self, error: DBAPIError) -> Exception:
        """What an error means for the journal."""
        match error.orig:
            case psycopg.errors.UniqueViolation(diag=diag) if diag.constraint_name in ("pk_facts", "pk_answers"):
                return LostRace()
            case psycopg.errors.NotNullViolation(diag=diag) if (
                f"{diag.table_name}.{diag.column_name}" == NO_LINE_BEFORE
            ):
                return PastLost(self.name)
            case psycopg.errors.DeadlockDetected() | psycopg.errors.SerializationFailure():
                return LostRace()
            case psycopg.errors.DiskFull():
                return JournalFull(f"{self.name}: the disk is full. Make room on the disk of the database server.")
            case psycopg.errors.IntegrityError() | psycopg.errors.ProgrammingError() | psycopg.errors.DataError():
                return error
            case _:
                return JournalDown(f"{self.name}: {error.orig}")

    def interrupt(self, connection: Connection) -> None:
        """End the statement that the connection waits for; a server that is away cannot be asked to."""
        with suppress(psycopg.Error):
            _driver(connection).cancel_safe(timeout=1)

    def close(self) -> None:
        """Nothing is kept open between connections."""
        self.engine.dispose()


def _driver(connection: Connection) -> "psycopg.Connection[Any]":
    driver_connection = connection.connection.driver_connection
    assert isinstance(driver_connection, psycopg.Connection)
    return driver_connection
