"""Writing many rows at once, at the driver's own cost.

A row-by-row `executemany` gave up the interpreter's lock at every row, and the event loop took it: most of a batch's
time went into handing the lock to and fro. So each table takes all its rows in one statement.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import Boolean, Connection, Date, LargeBinary, Table

from app.journal.checksums import checksum, has_checksum
from app.journal.schema import Instant, sortable

Row = Sequence[Any]
Writer = Callable[[Connection, Sequence[Row]], None]
"""Writes rows, which have a value for every column of one table in its order, its checksum apart."""

Conversions = Mapping[type, Callable[[Any], Any]]
"""How the values of some types of columns are handed over."""

ROWS_AT_ONCE = 500
"""A day that closes over a full hall writes thousands; SQLite takes 32,766 parameters in one statement."""


BOUND: dict[type, Callable[[Any], Any]] = {
    Instant: sortable,
    Date: msgspec.to_builtins,
    Boolean: int,
    LargeBinary: bytearray,
}
"""For SQLite, whose driver looks long for a way to adapt a bool or bytes."""


class ValuesWriter:
    """One `INSERT ... VALUES (...), (...)` for SQLite, which likes its parameters bound."""

    def __init__(self, table: Table, *, replacing: bool) -> None:
        self._to_convert = conversions_of(table, BOUND)
        self._one = f"({', '.join('?' * len(table.columns))})"
        self._head, self._tail = insert_into(table), _on_conflict(table) if replacing else ""
        self._whole = _whole(table)

    def __call__(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Write all of `rows`."""
        for start in range(0, len(rows), ROWS_AT_ONCE):
            some = rows[start : start + ROWS_AT_ONCE]
            values: list[Any] = []
            for row in some:
                values += converted(self._whole(row), self._to_convert)
            connection.exec_driver_sql(self._sql(len(some)), tuple(values))

    @lru_cache(maxsize=ROWS_AT_ONCE)  # noqa: B019 - a writer lives as long as its process
    def _sql(self, rows: int) -> str:
        return f"{self._head} VALUES {', '.join([self._one] * rows)}{self._tail}"


class JsonWriter:
    """One `INSERT ... SELECT` for PostgreSQL, which takes the rows out of a single JSON parameter by itself."""

    def __init__(self, table: Table, *, replacing: bool) -> None:
        # The columns are named on both sides, for a table that was migrated may have them in another order.
        rows = f"FROM json_populate_recordset(NULL::{table.name}, %(rows)s::json)"
        self._sql = f"{insert_into(table)} SELECT {_columns(table)} {rows}{_on_conflict(table) if replacing else ''}"
        # What is not there is NULL, and need not be read.
        columns = [(str(column.name), Any, None) for column in table.columns]
        self._named = msgspec.defstruct(table.name, columns, omit_defaults=True)
        self._to_convert = conversions_of(table, {LargeBinary: hexadecimal})
        self._whole = _whole(table)

    def __call__(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Write all of `rows`."""
        if rows:
            named = [self._named(*converted(self._whole(row), self._to_convert)) for row in rows]
            connection.exec_driver_sql(self._sql, {"rows": msgspec.json.encode(named).decode()})


def in_sqlite(table: Table) -> Callable[[Row], Row]:
    """What turns a whole row of the table into the values that stand in a SQLite file, to the letter."""
    to_convert = conversions_of(table, BOUND | {LargeBinary: bytes})
    return lambda row: converted(row, to_convert)


def _whole(table: Table) -> Callable[[Row], Row]:
    """A row with its checksum, where the table has one."""
    return (lambda row: (*row, checksum(row))) if has_checksum(table) else (lambda row: row)


def conversions_of(table: Table, conversions: Conversions) -> Sequence[tuple[int, Callable[[Any], Any]]]:
    """Which columns of a table have their values converted, and how."""
    kinds = [conversions.get(type(column.type)) for column in table.columns]
    return [(index, convert) for index, convert in enumerate(kinds) if convert]


def converted(row: Row, to_convert: Sequence[tuple[int, Callable[[Any], Any]]]) -> Row:
    """A row with its values as they are handed over."""
    values = [*row]
    for index, convert in to_convert:
        value = values[index]
        if value is not None:
            values[index] = convert(value)
    return values


def hexadecimal(value: bytes) -> str:
    """Bytes as PostgreSQL reads them."""
    return f"\\x{value.hex()}"


def insert_into(table: Table) -> str:
    """How a statement begins that writes whole rows."""
    return f"INSERT INTO {table.name} ({_columns(table)})"


def _columns(table: Table) -> str:
    return ", ".join(column.name for column in table.columns)


def _on_conflict(table: Table) -> str:
    keys = [column.name for column in table.primary_key]
    others = [column.name for column in table.columns if column.name not in keys]
    changes = ", ".join(f"{name} = excluded.{name}" for name in others)
    return f" ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {changes}"
