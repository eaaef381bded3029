"""A journal copied whole into a new SQLite file."""

from pathlib import Path

from sqlalchemy import Connection, select

from app.journal.databases import SQLite
from app.journal.errors import JournalRefused
from app.journal.migrating import migrate
from app.journal.schema import metadata


def copy_into(source: Connection, path: Path) -> None:
    """Write every table as `source` sees it. The file appears under its name only when it is complete."""
    if path.exists():
        raise JournalRefused(f"{path} exists already; name a new file for the backup.")
    growing = path.with_name(f".{path.name}.part")
    growing.unlink(missing_ok=True)
    target = SQLite(growing)
    with target.engine.connect() as connection, connection.begin():
        migrate(connection, target.name)
        for table in metadata.sorted_tables:
            for rows in source.execute(select(table)).yield_per(1000).partitions():
                connection.execute(table.insert(), [row._asdict() for row in rows])
    target.close()
    growing.rename(path)
