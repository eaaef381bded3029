"""The journal, its ticket rows, and the answers that were given under a key."""

import sqlalchemy as sa
from alembic import op

from app.journal.schema import Instant

revision = "0001"
down_revision = None

AT_COUNTER = sa.text("state IN ('called', 'serving')")
ENDED = "(state IN ('served', 'missed', 'left', 'unserved')) = (ended_at IS NOT NULL)"


def upgrade() -> None:
    """Make the tables."""
    _facts()
    _tickets()
    op.create_table(
        "answers",
        sa.Column("office_id", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(32), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("ticket_id", sa.Text),
        sa.Column("session", sa.Text),
        sa.Column("at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("office_id", "key", name="pk_answers"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "stamps",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_stamps"),
    )


def _facts() -> None:
    op.create_table(
        "facts",
        sa.Column("office_id", sa.Text, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("key", sa.Text),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("ticket_id", sa.Text),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.PrimaryKeyConstraint("office_id", "seq", name="pk_facts"),
        sqlite_with_rowid=False,
    )
    of_a_ticket = sa.text("ticket_id IS NOT NULL")
    op.create_index(
        "ix_facts_ticket",
        "facts",
        ["office_id", "ticket_id", "seq"],
        sqlite_where=of_a_ticket,
        postgresql_where=of_a_ticket,
    )


def _tickets() -> None:
    op.create_table(
        "tickets",
        sa.Column("office_id", sa.Text, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("ticket_id", sa.Text, nullable=False),
        sa.Column("issued_service", sa.Text, nullable=False),
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("category", sa.Text),
        sa.Column("category_verified", sa.Boolean, nullable=False),
        sa.Column("category_withdrawn", sa.Boolean, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("counter_id", sa.Text),
        sa.Column("operator", sa.Text),
        sa.Column("outcome", sa.Text),
        sa.Column("ahead_at_issue", sa.Integer, nullable=False),
        sa.Column("calls", sa.Integer, nullable=False),
        sa.Column("recalls", sa.Integer, nullable=False),
        sa.Column("issued_at", Instant, nullable=False),
        sa.Column("clock_start", Instant, nullable=False),
        sa.Column("limit_seconds", sa.Integer, nullable=False),
        sa.Column("due_at", Instant),
        sa.Column("breached_at", Instant),
        sa.Column("breach_recorded_at", Instant),
        sa.Column("first_called_at", Instant),
        sa.Column("last_called_at", Instant),
        sa.Column("started_at", Instant),
        sa.Column("ended_at", Instant),
        sa.Column("wait_to_call_seconds", sa.Double),
        sa.Column("wait_to_start_seconds", sa.Double),
        sa.Column("waited_seconds", sa.Double, nullable=False),
        sa.Column("serving_seconds", sa.Double, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("office_id", "day", "number", name="pk_tickets"),
        sa.CheckConstraint(ENDED, name=op.f("ck_tickets_ended_has_its_end")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "uq_tickets_one_visitor_per_counter",
        "tickets",
        ["office_id", "counter_id"],
        unique=True,
        sqlite_where=AT_COUNTER,
        postgresql_where=AT_COUNTER,
    )
