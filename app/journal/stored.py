"""Rows as the database really has them, and as it should: to the letter, and of the right type.

SQLite keeps whatever it is given. An instant in another zone, a number that has become text or a blob with the bytes of
a text would read as the same value and is none.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, LargeBinary, Table, Text, type_coerce
from sqlalchemy.types import NullType

from app.journal.hot import Row, in_sqlite
from app.journal.schema import Instant

KINDS: dict[type, type] = {Text: str, Instant: str, LargeBinary: bytes}
"""As what SQLite keeps a column's values; whole numbers if not told otherwise."""


def raw(connection: Connection, table: Table) -> Sequence[ColumnElement[Any]]:
    """What to select for the rows of a table as they are stored."""
    if connection.dialect.name != "sqlite":
        return [*table.columns]
    return [type_coerce(column, NullType()).label(column.name) for column in table.columns]


def written(connection: Connection, table: Table) -> Callable[[Row], Row]:
    """What a row of values looks like when it is stored as it should be."""
    return in_sqlite(table) if connection.dialect.name == "sqlite" else tuple


def meant(connection: Connection, table: Table) -> Callable[[Row], Row]:
    """What a stored row says; ValueError or TypeError when a value cannot be one of its column.

    Of tables whose columns are texts, whole numbers, bytes and instants.
    """
    if connection.dialect.name != "sqlite":
        return tuple
    names = [column.name for column in table.columns]
    kinds = [KINDS.get(type(column.type), int) for column in table.columns]
    instants = [index for index, column in enumerate(table.columns) if isinstance(column.type, Instant)]

    def values(row: Row) -> Row:
        said = [*row]
        for name, kind, value in zip(names, kinds, said, strict=True):
            if value is not None and type(value) is not kind:
                raise TypeError(f"{name} is {value!r}")
        for index in instants:
            if said[index] is not None:
                said[index] = datetime.fromisoformat(said[index]).astimezone(UTC)
        return said

    return values


def same(stored: Any, expected: Any) -> bool:
    """Whether a stored value is the one that is expected, and of its type."""
    return type(stored) is type(expected) and stored == expected
