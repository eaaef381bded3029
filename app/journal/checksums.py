"""What stands beside the journal and does not follow from it carries a checksum, so that a changed cell is noticed.

It proves nothing against somebody who works the sum out again; that is for the chain, and for anchors.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import msgspec
from sqlalchemy import Column, LargeBinary, Table

BYTES = 16


def checksum_column() -> Column[Any]:
    """The last column of a table that has a checksum. Rows older than it were given theirs by a migration."""
    return Column("checksum", LargeBinary(BYTES))


def has_checksum(table: Table) -> bool:
    """Whether the rows of a table carry one."""
    return "checksum" in table.columns


def content(table: Table) -> list[Column[Any]]:
    """The columns that say something: all but the checksum."""
    return [column for column in table.columns if column.name != "checksum"]


def checksum(row: Sequence[Any]) -> bytes:
    """The beginning of the SHA-256 of a row's content, values in the order of the columns, instants in UTC."""
    said = [value.astimezone(UTC) if isinstance(value, datetime) else value for value in row]
    return sha256(msgspec.json.encode(said)).digest()[:BYTES]
