"""Remarks: what visitors write of their visits, which is personal and expires."""

import sqlalchemy as sa
from alembic import op

from app.journal.schema import Instant

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "remarks",
        sa.Column("office_id", sa.Text, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("ticket_id", sa.Text, nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("office_id", "seq", name="pk_remarks"),
        sqlite_with_rowid=False,
    )
