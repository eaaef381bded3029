"""What stands beside the journal: every row adds up, and speaks of facts that are there."""

from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Table, and_, false, func, literal, or_, select, true, tuple_

from app.journal.checksums import checksum, content, has_checksum
from app.journal.deliveries import NO_OFFICE
from app.journal.difference import Difference
from app.journal.journal import Journal
from app.journal.schema import CLOCK, VISIT_SECRET, dead_letters, deliveries, facts, metadata, remarks, stamps
from app.journal.stored import meant, raw, same, written

SLICE = 1000
"""Rows per step."""


def compare_beside(journal: Journal) -> Iterator[None]:
    """Compare every table that has checksums, in steps of one transaction each, or raise the first Difference."""
    with journal.transaction(read_only=True) as connection:
        _compare_stamps(connection)
    for table in metadata.sorted_tables:
        if has_checksum(table):
            yield from _compare_table(journal, table)


def _compare_table(journal: Journal, table: Table) -> Iterator[None]:
    last: tuple[Any, ...] | None = None
    at_end = False
    while not at_end:
        with journal.transaction(read_only=True) as connection:
            after = true() if last is None else tuple_(*table.primary_key) > tuple_(*map(literal, last))
            columns = (*raw(connection, table), _is_astray(table).label("is_astray"))
            page = select(*columns).where(after).order_by(*table.primary_key).limit(SLICE)
            rows = connection.execute(page).all()
            said, wrote = meant(connection, table), written(connection, table)
            for row in rows:
                _compare_row(table, row, said, wrote)
        at_end = len(rows) < SLICE
        last = tuple(rows[-1][: len(table.primary_key)]) if rows else None
        yield


def _compare_row(table: Table, row: Any, said: Callable[[Any], Any], wrote: Callable[[Any], Any]) -> None:
    *stored, is_astray = row
    where = f"table {table.name}, row {', '.join(map(str, stored[: len(table.primary_key)]))}"
    try:
        values = said(stored)
        is_whole = stored[-1] == checksum(values[: len(content(table))])
        is_exact = all(map(same, stored, wrote(values)))
    except (ValueError, TypeError) as error:
        raise Difference(f"{where}: a value cannot be one of its column ({error})") from error
    if not is_whole:
        raise Difference(f"{where}: was changed, it disagrees with its checksum")
    if not is_exact:
        raise Difference(f"{where}: was changed, a value is not in the letters it was written in")
    if is_astray:
        raise Difference(f"{where}: speaks of a fact that is not there")


def _compare_stamps(connection: Connection) -> None:
    found = {row.name: row.value for row in connection.execute(select(stamps.c.name, stamps.c.value))}
    if found.get(CLOCK) not in ("real", "demo") or not found.get(VISIT_SECRET):
        raise Difference("table stamps: the kind of clock or the secret of visits is gone")


def _is_astray(table: Table) -> ColumnElement[bool]:
    """Of a row: the fact that it is about is not in the journal."""
    match table:
        case table if table is deliveries:
            return _is_no_place()
        case table if table is dead_letters:
            return ~_is_line(dead_letters.c.office_id, dead_letters.c.seq)
        case table if table is remarks:
            return ~_is_line(remarks.c.office_id, remarks.c.seq, facts.c.ticket_id == remarks.c.ticket_id)
        case _:
            return false()


def _is_line(office_id: Column[str], seq: Column[int], *further: ColumnElement[bool]) -> ColumnElement[bool]:
    return select(facts.c.seq).where(facts.c.office_id == office_id, facts.c.seq == seq, *further).exists()


def _is_no_place() -> ColumnElement[bool]:
    """A mark is at most at its office's last fact, and of an endpoint that was once begun."""
    another = deliveries.alias()
    begun = select(another.c.endpoint).where(
        another.c.office_id == NO_OFFICE, another.c.endpoint == deliveries.c.endpoint
    )
    last = select(func.max(facts.c.seq)).where(facts.c.office_id == deliveries.c.office_id).scalar_subquery()
    beyond = or_(deliveries.c.seq < 0, deliveries.c.seq > func.coalesce(last, 0))
    return or_(beyond, and_(deliveries.c.office_id != NO_OFFICE, last.is_(None)), ~begun.exists())
