"""Checkpoints: a hall is rebuilt from its last day and not from its first."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table. Offices that are there already start with an empty checkpoint and are folded from fact 1."""
    halls = op.create_table(
        "halls",
        sa.Column("office_id", sa.Text, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.Column("state", sa.Text),
        sa.PrimaryKeyConstraint("office_id", name="pk_halls"),
        sqlite_with_rowid=False,
    )
    facts = sa.table("facts", sa.column("office_id"))
    offices = sa.select(facts.c.office_id, sa.literal(0), sa.literal(bytes(32), sa.LargeBinary)).distinct()
    op.execute(halls.insert().from_select(["office_id", "seq", "hash"], offices))
