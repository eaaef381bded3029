"""Edits of a database behind the journal's back, by the kinds that somebody with the right to write could make."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Table, Text, and_, cast, delete, insert, literal_column, select, type_coerce, update
from sqlalchemy.types import NullType

from app.journal.schema import metadata

Value = Any
Mutation = Callable[[random.Random, Value, list[Value]], Value]
"""Another value for one that stands in a column, given what stands in the other rows."""


@dataclass(frozen=True)
class Edit:
    """One change; `make` says whether it changed anything."""

    kind: str
    what: str
    make: Callable[[Connection], bool]


def _another(chance: random.Random, value: Value, others: list[Value]) -> Value:
    return chance.choice([other for other in others if other != value] or [value])


def _nothing(_chance: random.Random, _value: Value, _others: list[Value]) -> Value:
    return None


TEXT: dict[str, Mutation] = {
    "a space at the end": lambda _c, value, _o: f"{value} ",
    "another letter": lambda chance, value, _o: _with(value, chance.randrange(len(value) or 1), "ж"),
    "a letter in the other case": lambda _c, value, _o: value.swapcase(),
    "cut short": lambda _c, value, _o: value[:-1],
    "emptied": lambda _c, _value, _o: "",
    "a row's like it": _another,
    "nothing": _nothing,
}
NUMBER: dict[str, Mutation] = {
    "one more": lambda _c, value, _o: value + 1,
    "one less": lambda _c, value, _o: value - 1,
    "a row's like it": _another,
    "nothing": _nothing,
}
INSTANT: dict[str, Mutation] = {
    "a microsecond later": lambda _c, value, _o: value + timedelta(microseconds=1),
    "an hour earlier": lambda _c, value, _o: value - timedelta(hours=1),
    "a row's like it": _another,
    "nothing": _nothing,
}
DAY: dict[str, Mutation] = {"a day later": lambda _c, value, _o: value + timedelta(days=1)}
TRUTH: dict[str, Mutation] = {"the contrary": lambda _c, value, _o: not value}
BYTES: dict[str, Mutation] = {
    "one bit": lambda chance, value, _o: _flipped(value, chance.randrange(8 * len(value))),
    "cut short": lambda _c, value, _o: value[:-1],
    "a row's like it": _another,
    "nothing": _nothing,
}
BY_TYPE: list[tuple[type, dict[str, Mutation]]] = [
    *((bool, TRUTH), (str, TEXT), (int, NUMBER), (float, NUMBER)),
    *((datetime, INSTANT), (date, DAY), (bytes, BYTES)),
]

LETTERS: dict[str, Callable[[Value], Value]] = {
    "the same instant in another zone": lambda value: _elsewhere(value) if _is_instant(value) else value,
    "the same instant, written Z": lambda value: value.replace("+00:00", "Z") if _is_instant(value) else value,
    "a blob of the same text": lambda value: value.encode() if isinstance(value, str) else value,
    "words for a number": lambda value: "many" if isinstance(value, int | float) else value,
    "text that is none": lambda value: memoryview(b"\xff\xfe") if isinstance(value, str) else value,
}
"""What only SQLite would take: other letters, or another type, for the same value."""


def cells(table: Table) -> Iterator[Edit]:
    """Every column of a table, changed in every way that its values know."""
    for column in table.columns:
        for _kind, mutations in BY_TYPE:
            for name, mutation in mutations.items():
                yield Edit(f"value: {name}", f"{table.name}.{column.name}", _cell(table, column.name, _kind, mutation))


def letters(table: Table) -> Iterator[Edit]:
    """Every column of a table in a SQLite file, written otherwise."""
    for column in table.columns:
        for name, otherwise in LETTERS.items():
            yield Edit(f"letters: {name}", f"{table.name}.{column.name}", _letters(table, column.name, otherwise))


def rows(table: Table) -> Iterator[Edit]:
    """Whole rows of a table, removed, doubled or given each other's place."""
    yield Edit("row: removed", table.name, lambda connection: _removed(connection, table))
    yield Edit("rows: all removed", table.name, lambda connection: connection.execute(delete(table)).rowcount > 0)
    yield Edit("row: one more like it", table.name, lambda connection: _doubled(connection, table))
    yield Edit("rows: each in the other's place", table.name, lambda connection: _swapped(connection, table))


def rules(dialect: str) -> Iterator[Edit]:
    """The schema itself, made less strict or more."""
    for table in metadata.sorted_tables:
        for index in table.indexes:
            name = str(index.name)
            yield _statements("schema: an index dropped", name, f"DROP INDEX {name}")
            column = [*index.columns][-1].name
            yield _statements(
                "schema: an index made otherwise",
                name,
                f"DROP INDEX {name}",
                f"CREATE INDEX {name} ON {table.name} ({column})",
            )
        yield _statements(
            "schema: a unique index more",
            table.name,
            f"CREATE UNIQUE INDEX more ON {table.name} ({', '.join(table.primary_key.columns.keys())})",
        )
        yield _statements("schema: a column more", table.name, f"ALTER TABLE {table.name} ADD COLUMN more TEXT")
        if dialect == "sqlite":
            yield _statements(
                "schema: a trigger",
                table.name,
                f"CREATE TRIGGER more AFTER INSERT ON {table.name} BEGIN DELETE FROM remarks; END",
            )
        else:
            yield _statements(
                "schema: a rule", table.name, f"CREATE RULE more AS ON DELETE TO {table.name} DO INSTEAD NOTHING"
            )
            yield _statements("schema: row security", table.name, f"ALTER TABLE {table.name} ENABLE ROW LEVEL SECURITY")
            yield _statements(
                "schema: a key dropped", table.name, f"ALTER TABLE {table.name} DROP CONSTRAINT pk_{table.name}"
            )
    yield _statements("schema: another version", "alembic_version", "DELETE FROM alembic_version")
    yield _statements("schema: another version", "alembic_version", "UPDATE alembic_version SET version_num = '0001'")
    if dialect == "sqlite":
        yield _statements(
            "schema: a check dropped",
            "tickets",
            "PRAGMA writable_schema = ON",
            "UPDATE sqlite_schema SET sql = replace(sql, 'ended_at IS NOT NULL', 'ended_at IS NOT NULL OR 1') "
            "WHERE name = 'tickets'",
        )
    else:
        check = "ck_tickets_ended_has_its_end"
        yield _statements("schema: a check dropped", "tickets", f"ALTER TABLE tickets DROP CONSTRAINT {check}")
        yield _statements(
            "schema: a column that may be empty", "tickets", "ALTER TABLE tickets ALTER COLUMN state DROP NOT NULL"
        )
        yield _statements("schema: another type", "tickets", "ALTER TABLE tickets ALTER COLUMN calls TYPE bigint")


def _cell(table: Table, column: str, kind: type, mutation: Mutation) -> Callable[[Connection], bool]:
    def make(connection: Connection) -> bool:
        chance = random.Random(f"{table.name}.{column}")
        found = [row for row in connection.execute(select(table)) if type(getattr(row, column)) is kind]
        if not found:
            return False
        row = chance.choice(found)
        value = getattr(row, column)
        changed = mutation(chance, value, [getattr(each, column) for each in found])
        if changed == value and type(changed) is type(value):
            return False
        connection.execute(update(table).where(_this(table, row)).values({column: changed}))
        return True

    return make


def _letters(table: Table, column: str, otherwise: Callable[[Value], Value]) -> Callable[[Connection], bool]:
    def make(connection: Connection) -> bool:
        stored = type_coerce(table.c[column], NullType()).label("stored")
        for row in connection.execute(select(stored, *table.primary_key)):
            if (changed := otherwise(row.stored)) != row.stored:
                value = cast(literal_column("x'fffe'"), Text) if isinstance(changed, memoryview) else changed
                if isinstance(changed, bytes):
                    value = literal_column(f"x'{changed.hex()}'")
                elif isinstance(changed, str):
                    value = type_coerce(changed, Text)
                connection.execute(update(table).where(_this(table, row)).values({column: value}))
                return True
        return False

    return make


def _removed(connection: Connection, table: Table) -> bool:
    rows = connection.execute(select(table)).all()
    return bool(rows) and connection.execute(delete(table).where(_this(table, rows[len(rows) // 2]))).rowcount == 1


def _doubled(connection: Connection, table: Table) -> bool:
    rows = connection.execute(select(table)).all()
    if not rows:
        return False
    like = rows[len(rows) // 2]._asdict()
    key = [*table.primary_key][-1].name
    like[key] = max(row._mapping[key] for row in rows) + (1 if isinstance(like[key], int) else "'")
    connection.execute(insert(table).values(like))
    return True


def _swapped(connection: Connection, table: Table) -> bool:
    keys = [column.name for column in table.primary_key]
    rows = connection.execute(select(table)).all()
    if len(rows) < 2:
        return False
    one, other = rows[0], rows[-1]
    for row in (one, other):
        connection.execute(delete(table).where(_this(table, row)))
    for place, said in ((one, other), (other, one)):
        connection.execute(insert(table).values(said._asdict() | {key: place._mapping[key] for key in keys}))
    return True


def _statements(kind: str, what: str, *statements: str) -> Edit:
    def make(connection: Connection) -> bool:
        for statement in statements:
            connection.exec_driver_sql(statement)
        return True

    return Edit(kind, what, make)


def _this(table: Table, row: Any) -> Any:
    return and_(*(column == row._mapping[column.name] for column in table.primary_key))


def _with(value: str, place: int, letter: str) -> str:
    return value[:place] + letter + value[place + 1 :]


def _flipped(value: bytes, bit: int) -> bytes:
    return bytes(byte ^ (1 << bit % 8 if place == bit // 8 else 0) for place, byte in enumerate(value))


def _is_instant(value: Value) -> bool:
    return isinstance(value, str) and value.endswith("+00:00")


def _elsewhere(value: str) -> str:
    return (datetime.fromisoformat(value) + timedelta(hours=3)).isoformat().replace("+00:00", "+03:00")
