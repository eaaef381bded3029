"""A journal copied whole into a new SQLite file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, select
from sqlalchemy.exc import DBAPIError

from app.journal.databases import SQLite
from app.journal.errors import JournalRefused
from app.journal.migrating import migrate
from app.journal.schema import metadata


def copy_into(source: Connection, path: Path) -> None:
    """Write every table as `source` sees it. The file appears under its name only when it is complete."""
    if path.exists():
        raise JournalRefused(f"{path} exists already; name a new file for the backup.")
    growing = path.with_name(f".{path.name}.part")
    _remove(growing)
    target = SQLite(growing)
    try:
        _copy(source, target, path)
        target.close()
        growing.rename(path)
    finally:
        target.close()
        _remove(growing)


def _copy(source: Connection, target: SQLite, path: Path) -> None:
    with target.engine.connect() as connection:
        with _written(path):
            # One transaction: row by row it would take minutes, and on SQLite nobody else is served meanwhile.
            target.begin(connection, read_only=False)
            migrate(connection, target.name)
        for table in metadata.sorted_tables:
            for rows in source.execute(select(table)).yield_per(1000).partitions():
                with _written(path):
                    connection.execute(table.insert(), [row._asdict() for row in rows])
        with _written(path):
            connection.commit()


@contextmanager
def _written(path: Path) -> Iterator[None]:
    """Trouble with the copy is not taken for trouble with the journal."""
    try:
        yield
    except DBAPIError as error:
        raise JournalRefused(
            f"{path} was not written: {error.orig}. Make room for it, or name another file."
        ) from error


def _remove(growing: Path) -> None:
    for name in (growing.name, f"{growing.name}-wal"):
        growing.with_name(name).unlink(missing_ok=True)
