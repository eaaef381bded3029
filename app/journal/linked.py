"""Writing facts: an office's first line of a batch goes in only where the line before it stands, as it was known.

What stands in memory may not stand in the database any more: an older copy was put in its place, or a standby took over
that had not heard of everything. So the statement itself asks for the line before, and where that is not there the new
line has no hash, which its table refuses. Later lines of a batch follow the first within the transaction.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any, Protocol

import msgspec
from sqlalchemy import Connection, LargeBinary
from sqlalchemy.dialects import postgresql

from app.journal.hot import BOUND, ROWS_AT_ONCE, Row, conversions_of, converted, hexadecimal, insert_into
from app.journal.recorded import Recorded
from app.journal.schema import facts

Pasts = Mapping[str, bytes]
"""The hash of the line before the first of a batch, by office."""


class FactsWriter(Protocol):
    """Writes lines, sorted by office and seq."""

    def __call__(self, connection: Connection, lines: Sequence[Recorded], pasts: Pasts) -> None:
        """Write all, or have the database refuse an office's first line, because the one before is not there."""


class ValuesFacts:
    """For SQLite: the hash of a first line is what a question for the line before brings with it."""

    def __init__(self) -> None:
        self._to_convert = conversions_of(facts, BOUND)
        marks = ["?"] * len(facts.columns)
        self._later = f"({', '.join(marks)})"
        marks[_HASH] = "(SELECT ? FROM facts WHERE office_id = ? AND seq = ? AND hash = ?)"
        self._first = f"({', '.join(marks)})"

    def __call__(self, connection: Connection, lines: Sequence[Recorded], pasts: Pasts) -> None:
        """Write all of `lines`."""
        for start in range(0, len(lines), ROWS_AT_ONCE):
            some = lines[start : start + ROWS_AT_ONCE]
            firsts = [line for index, line in enumerate(some, start) if _is_first(lines, index)]
            known = {id(line) for line in firsts}
            # First lines before all others, so that there are few different statements to prepare.
            values: list[Any] = []
            for line in firsts:
                values += converted(_row(line), self._to_convert)
                values += (line.office_id, line.seq - 1, bytearray(pasts[line.office_id]))
            for line in some:
                if id(line) not in known:
                    values += converted(_row(line), self._to_convert)
            connection.exec_driver_sql(self._sql(len(firsts), len(some) - len(firsts)), tuple(values))

    @lru_cache(maxsize=ROWS_AT_ONCE)  # noqa: B019 - a writer lives as long as its process
    def _sql(self, firsts: int, later: int) -> str:
        return f"{insert_into(facts)} VALUES {', '.join([self._first] * firsts + [self._later] * later)}"


class JsonFacts:
    """For PostgreSQL: each line brings along the hash of the line before, if it is its office's first."""

    def __init__(self) -> None:
        dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
        types = [f"{column.name} {column.type.compile(dialect)}" for column in facts.columns]
        before = (
            "SELECT line.hash FROM facts WHERE office_id = line.office_id AND seq = line.seq - 1 AND hash = line.past"
        )
        chosen = [f"line.{column.name}" for column in facts.columns]
        chosen[_HASH] = f"CASE WHEN line.past IS NULL THEN line.hash ELSE ({before}) END"
        rows = f"FROM json_to_recordset(%(rows)s::json) AS line({', '.join(types)}, past bytea)"
        self._sql = f"{insert_into(facts)} SELECT {', '.join(chosen)} {rows}"
        columns = [*((str(column.name), Any, None) for column in facts.columns), ("past", Any, None)]
        self._named = msgspec.defstruct("line", columns, omit_defaults=True)
        self._to_convert: Sequence[tuple[int, Callable[[Any], Any]]] = conversions_of(facts, {LargeBinary: hexadecimal})

    def __call__(self, connection: Connection, lines: Sequence[Recorded], pasts: Pasts) -> None:
        """Write all of `lines`."""
        if lines:
            named = [self._line(lines, index, pasts) for index in range(len(lines))]
            connection.exec_driver_sql(self._sql, {"rows": msgspec.json.encode(named).decode()})

    def _line(self, lines: Sequence[Recorded], index: int, pasts: Pasts) -> Any:
        line = lines[index]
        past = hexadecimal(pasts[line.office_id]) if _is_first(lines, index) else None
        return self._named(*converted(_row(line), self._to_convert), past)


def _is_first(lines: Sequence[Recorded], index: int) -> bool:
    """Whether a line must find another before it that is not written with it."""
    line = lines[index]
    return line.seq > 1 and (index == 0 or lines[index - 1].office_id != line.office_id)


_row: Callable[[Recorded], Row] = attrgetter(*facts.columns.keys())
_HASH = facts.columns.keys().index("hash")
assert len(facts.columns) == _HASH + 1, "what asks for the line before comes last, and so do its values"
