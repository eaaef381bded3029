"""Checksums: what stands beside the journal and does not follow from it shows when it was changed."""

import sqlalchemy as sa
from alembic import op

from app.journal.checksums import checksum
from app.journal.schema import Instant

revision = "0006"
down_revision = "0005"

TABLES = {
    "answers": (
        *(("office_id", sa.Text), ("key", sa.Text), ("fingerprint", sa.LargeBinary(32)), ("seq", sa.BigInteger)),
        *(("ticket_id", sa.Text), ("session", sa.Text), ("at", Instant)),
    ),
    "halls": (("office_id", sa.Text), ("seq", sa.BigInteger), ("hash", sa.LargeBinary(32)), ("state", sa.Text)),
    "stamps": (("name", sa.Text), ("value", sa.Text)),
    "deliveries": (
        *(("endpoint", sa.Text), ("office_id", sa.Text), ("seq", sa.BigInteger)),
        *(("attempts", sa.Integer), ("failing_since", Instant)),
    ),
    "dead_letters": (
        *(("endpoint", sa.Text), ("office_id", sa.Text), ("seq", sa.BigInteger)),
        *(("failed_at", Instant), ("attempts", sa.Integer), ("error", sa.Text)),
    ),
    "remarks": (
        *(("office_id", sa.Text), ("seq", sa.BigInteger), ("ticket_id", sa.Text)),
        *(("at", Instant), ("kind", sa.Text), ("text", sa.Text)),
    ),
}
"""The columns that are summed up, in their order, and the key of each table."""

KEYS = {
    "answers": ("office_id", "key"),
    "halls": ("office_id",),
    "stamps": ("name",),
    "deliveries": ("endpoint", "office_id"),
    "dead_letters": ("endpoint", "office_id", "seq"),
    "remarks": ("office_id", "seq"),
}


def upgrade() -> None:
    """Add the column, and sum up the rows that are there."""
    connection = op.get_bind()
    for name, columns in TABLES.items():
        op.add_column(name, sa.Column("checksum", sa.LargeBinary(16)))
        table = sa.table(name, *(sa.column(*each) for each in columns), sa.column("checksum", sa.LargeBinary(16)))
        content = [table.c[column] for column, _ in columns]
        this_row = sa.and_(*(table.c[key] == sa.bindparam(f"this_{key}") for key in KEYS[name]))
        change = table.update().where(this_row).values(checksum=sa.bindparam("summed_up"))
        rows = connection.execute(sa.select(*content)).all()
        sums = [{f"this_{key}": row._mapping[key] for key in KEYS[name]} | {"summed_up": checksum(row)} for row in rows]
        if sums:
            connection.execute(change, sums)
