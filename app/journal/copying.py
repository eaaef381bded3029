"""A journal copied whole into a new SQLite file."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, Table, select, true
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from app.journal.databases import SQLite
from app.journal.errors import JournalDamaged, JournalRefused
from app.journal.files import remains_of
from app.journal.migrating import migrate
from app.journal.recorded import GENESIS, follows
from app.journal.retelling import REMEDY, UNREADABLE, damaged, line_of, name_unreadable
from app.journal.schema import facts, metadata


def copy_into(source: Connection, path: Path, name: str) -> None:
    """Write every table as `source` sees it. The file appears under its name only when it is complete.

    JournalDamaged, which names the journal by `name`: a copy of it would not be a backup.
    """
    for there in (path, *remains_of(path)):
        if there.exists():
            raise JournalRefused(f"{there} exists already; name a new file for the backup.")
    growing = path.with_name(f".{path.name}.part")
    _remove(growing)
    target = SQLite(growing)
    try:
        _copy(source, target, path, name)
        target.close()
        growing.rename(path)
    finally:
        target.close()
        _remove(growing)


def _copy(source: Connection, target: SQLite, path: Path, name: str) -> None:
    with target.engine.connect() as connection:
        with _written(path):
            # One transaction: row by row it would take minutes, and on SQLite nobody else is served meanwhile.
            target.begin(connection, read_only=False)
            migrate(connection, target.name)
        for table in metadata.sorted_tables:
            for rows in _slices(source, table, name):
                with _written(path, damaged=f"{name} is damaged: its table {table.name} has what it cannot have"):
                    connection.execute(table.insert(), [row._asdict() for row in rows])
        with _written(path):
            connection.commit()


def _slices(source: Connection, table: Table, name: str) -> Iterator[Sequence[Row[Any]]]:
    """The rows of a table, a thousand at a time; the facts each after the one before."""
    check = _Chain(name) if table is facts else None
    rows = source.execute(select(table).order_by(*table.primary_key)).yield_per(1000)
    try:
        for some in rows.partitions():
            if check:
                for row in some:
                    check(row)
            yield some
    except (*UNREADABLE, OperationalError) as error:
        if check:
            name_unreadable(name, source, true())
        raise JournalDamaged(f"{name} is damaged: its table {table.name} cannot be read. {REMEDY}") from error


class _Chain:
    """Each line follows the one before, and is as it was written."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._office, self._seq, self._hash = "", 0, GENESIS

    def __call__(self, row: Row[Any]) -> None:
        """One more line, or JournalDamaged."""
        line = line_of(self._name, row)
        if line.office_id != self._office:
            self._office, self._seq, self._hash = line.office_id, 0, GENESIS
        if not follows(line, self._seq, self._hash):
            raise damaged(self._name, line.office_id, line.seq, "which does not follow the one before or was changed")
        self._seq, self._hash = line.seq, line.hash


@contextmanager
def _written(path: Path, damaged: str = "") -> Iterator[None]:
    """Trouble with the copy is not taken for trouble with the journal, unless it cannot be copied as it is."""
    try:
        yield
    except IntegrityError as error:
        raise JournalDamaged(f"{damaged} ({error.orig}). {REMEDY}") from error
    except DBAPIError as error:
        raise JournalRefused(
            f"{path} was not written: {error.orig}. Make room for it, or name another file."
        ) from error


def _remove(growing: Path) -> None:
    for name in (growing.name, f"{growing.name}-wal"):
        growing.with_name(name).unlink(missing_ok=True)
