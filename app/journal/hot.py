"""Writing many rows at once, at the driver's own cost.

A row-by-row `executemany` gave up the interpreter's lock at every row, and the event loop took it: most of a batch's
time went into handing the lock to and fro. So each table takes all its rows in one statement.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from operator import itemgetter
from typing import Any

import msgspec
from sqlalchemy import Connection, Date, Table

from app.journal.schema import Instant, sortable

Row = Mapping[str, Any]
Writer = Callable[[Connection, Sequence[Row]], None]
"""Writes rows that have all the columns of one table."""

ROWS_AT_ONCE = 500
"""A day that closes over a full hall writes thousands; SQLite takes 32,766 parameters in one statement."""


class ValuesWriter:
    """One `INSERT ... VALUES (...), (...)` for SQLite, which likes its parameters bound."""

    def __init__(self, table: Table, *, replacing: bool) -> None:
        by_kind: dict[type, Callable[[Any], str]] = {Instant: sortable, Date: date.isoformat}
        names = [column.name for column in table.columns]
        kinds = [by_kind.get(type(column.type)) for column in table.columns]
        self._values_of = itemgetter(*names)
        self._to_convert = [(index, convert) for index, convert in enumerate(kinds) if convert]
        self._one = f"({', '.join('?' * len(names))})"
        self._head, self._tail = _insert_into(table), _on_conflict(table) if replacing else ""

    def __call__(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Write all of `rows`."""
        for start in range(0, len(rows), ROWS_AT_ONCE):
            some = rows[start : start + ROWS_AT_ONCE]
            values = [value for row in some for value in self._values(row)]
            connection.exec_driver_sql(self._sql(len(some)), tuple(values))

    def _values(self, row: Row) -> list[Any]:
        values = [*self._values_of(row)]
        for index, convert in self._to_convert:
            if values[index] is not None:
                values[index] = convert(values[index])
        return values

    @lru_cache(maxsize=ROWS_AT_ONCE)  # noqa: B019 - a writer lives as long as its process
    def _sql(self, rows: int) -> str:
        return f"{self._head} VALUES {', '.join([self._one] * rows)}{self._tail}"


class JsonWriter:
    """One `INSERT ... SELECT` for PostgreSQL, which takes the rows out of a single JSON parameter by itself."""

    def __init__(self, table: Table, *, replacing: bool) -> None:
        # The columns are named on both sides, for a table that was migrated may have them in another order.
        rows = f"FROM json_populate_recordset(NULL::{table.name}, %(rows)s::json)"
        self._sql = f"{_insert_into(table)} SELECT {_columns(table)} {rows}{_on_conflict(table) if replacing else ''}"

    def __call__(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Write all of `rows`."""
        if rows:
            readable = [{name: _text(value) for name, value in row.items()} for row in rows]
            connection.exec_driver_sql(self._sql, {"rows": msgspec.json.encode(readable).decode()})


def _insert_into(table: Table) -> str:
    return f"INSERT INTO {table.name} ({_columns(table)})"


def _columns(table: Table) -> str:
    return ", ".join(column.name for column in table.columns)


def _on_conflict(table: Table) -> str:
    keys = [column.name for column in table.primary_key]
    others = [column.name for column in table.columns if column.name not in keys]
    changes = ", ".join(f"{name} = excluded.{name}" for name in others)
    return f" ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {changes}"


def _text(value: Any) -> Any:
    """Bytes as PostgreSQL reads them from text; everything else as JSON has it."""
    return f"\\x{value.hex()}" if isinstance(value, bytes) else value
