"""Writing many rows with one statement at the driver's own cost.

SQLAlchemy builds the statement once; the rows then go to the driver's `executemany` without a look at each by the
expression layer, which took more time than the decision, the hash and the database together.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Date, Insert

from app.journal.databases import Database
from app.journal.schema import Instant


class HotStatement:
    """An insert whose parameters are all the columns of its table."""

    def __init__(self, statement: Insert, database: Database) -> None:
        dialect = database.engine.dialect
        kinds = {column.name: column.type for column in statement.table.columns}
        compiled = statement.compile(dialect=dialect, column_keys=list(kinds))
        self._sql = str(compiled)
        self._is_positional = compiled.positional
        # Of our types only these two need a hand on their way into a driver.
        converters = {
            name: kind.dialect_impl(dialect).bind_processor(dialect)
            for name, kind in kinds.items()
            if isinstance(kind, Instant | Date)
        }
        order = (compiled.positiontup if compiled.positional else None) or list(kinds)
        self._columns: list[tuple[str, Callable[[Any], Any] | None]] = [(name, converters.get(name)) for name in order]

    def __call__(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Execute for every row; nothing for none."""
        if not rows:
            return
        values = [[convert(row[name]) if convert else row[name] for name, convert in self._columns] for row in rows]
        if self._is_positional:
            connection.exec_driver_sql(self._sql, [tuple(some) for some in values])
        else:
            names = [name for name, _ in self._columns]
            connection.exec_driver_sql(self._sql, [dict(zip(names, some, strict=True)) for some in values])
