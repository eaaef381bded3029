"""Writing many rows with one statement at the driver's own cost.

SQLAlchemy builds the statement once; the rows then go to the driver's `executemany` without a look at each by the
expression layer, which took more time than the decision, the hash and the database together.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, Date, Insert

from app.journal.databases import Database
from app.journal.schema import Instant, sortable


class HotStatement:
    """An insert whose parameters are all the columns of its table."""

    def __init__(self, statement: Insert, database: Database) -> None:
        dialect = database.engine.dialect
        kinds = {column.name: column.type for column in statement.table.columns}
        compiled = statement.compile(dialect=dialect, column_keys=list(kinds))
        self._sql = str(compiled)
        self._is_positional = compiled.positional
        # Of our types only these need a hand on their way into a driver, and only into SQLite's, which is positional.
        by_kind: dict[type, Callable[[Any], str]] = {}
        if dialect.name == "sqlite":
            by_kind = {Instant: sortable, Date: date.isoformat}
        converters = {name: by_kind.get(type(kind)) for name, kind in kinds.items()}
        order = (compiled.positiontup if compiled.positional else None) or list(kinds)
        self._columns = [(name, converters[name]) for name in order]

    def __call__(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Execute for every row; nothing for none."""
        if not rows:
            return
        connection.exec_driver_sql(
            self._sql, [self._values(row) for row in rows] if self._is_positional else list(rows)
        )

    def _values(self, row: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple(
            [
                convert(row[name]) if convert is not None and row[name] is not None else row[name]
                for name, convert in self._columns
            ]
        )
