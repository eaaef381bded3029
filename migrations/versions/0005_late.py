"""Late visitors and claimed bookings: when a call was first missed, how often, for how long away; what was claimed."""

import sqlalchemy as sa
from alembic import op

from app.journal.schema import Instant

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the columns. Until now a call that was missed was the end of the visit, so the old rows say when it was."""
    op.add_column("tickets", sa.Column("first_missed_at", Instant))
    op.add_column("tickets", sa.Column("misses", sa.Integer, nullable=False, server_default=sa.text("0")))
    op.add_column("tickets", sa.Column("away_seconds", sa.Double, nullable=False, server_default=sa.text("0")))
    op.add_column("tickets", sa.Column("claimed_slot", Instant))
    op.add_column("tickets", sa.Column("claim_verified", sa.Boolean, nullable=False, server_default=sa.false()))
    op.execute("UPDATE tickets SET first_missed_at = ended_at, misses = 1 WHERE state = 'missed'")
