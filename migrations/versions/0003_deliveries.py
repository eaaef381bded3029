"""Deliveries: how far each endpoint has been told of each office, and what it never took."""

import sqlalchemy as sa
from alembic import op

from app.journal.schema import Instant

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables. No endpoint is known yet, and each begins at the present."""
    op.create_table(
        "deliveries",
        sa.Column("endpoint", sa.Text, nullable=False),
        sa.Column("office_id", sa.Text, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("failing_since", Instant),
        sa.PrimaryKeyConstraint("endpoint", "office_id", name="pk_deliveries"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "dead_letters",
        sa.Column("endpoint", sa.Text, nullable=False),
        sa.Column("office_id", sa.Text, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("failed_at", Instant, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("endpoint", "office_id", "seq", name="pk_dead_letters"),
        sqlite_with_rowid=False,
    )
