"""The tables. The journal is `facts`; everything else is derived from it or stands beside it."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Dialect,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    false,
    text,
)
from sqlalchemy.types import TypeDecorator, TypeEngine

from app.journal.checksums import checksum_column

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


class Instant(TypeDecorator[datetime]):
    """A UTC instant to the microsecond: `timestamptz` on PostgreSQL, sortable ISO 8601 text on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """How one engine stores it."""
        return dialect.type_descriptor(String(32) if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """An aware datetime on its way in."""
        return value if value is None or dialect.name != "sqlite" else sortable(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """The same datetime on its way out."""
        if value is None:
            return None
        return (datetime.fromisoformat(value) if isinstance(value, str) else value).astimezone(UTC)


def sortable(instant: datetime) -> str:
    """An instant as SQLite keeps it."""
    if instant.tzinfo is UTC and instant.microsecond:
        # The same text as below, in a tenth of the time; but msgspec leaves off microseconds that are zero.
        return f"{msgspec.to_builtins(instant)[:-1]}+00:00"
    return instant.astimezone(UTC).isoformat(timespec="microseconds")


def _named(*columns: str) -> list[Column[Any]]:
    return [Column(name, Text, primary_key=True) for name in columns]


facts = Table(
    "facts",
    metadata,
    Column("office_id", Text, primary_key=True),
    # The two processes that decide for one office at once cannot both take a seq: the database refuses the second.
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("actor", Text, nullable=False),
    Column("key", Text),
    Column("kind", Text, nullable=False),
    Column("ticket_id", Text),
    Column("body", Text, nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    sqlite_with_rowid=False,
)
Index(
    "ix_facts_ticket",
    facts.c.office_id,
    facts.c.ticket_id,
    facts.c.seq,
    sqlite_where=facts.c.ticket_id.is_not(None),
    postgresql_where=facts.c.ticket_id.is_not(None),
)

tickets = Table(
    "tickets",
    metadata,
    # No number twice on one day of an office, and no row without them: the day and number are the ticket.
    Column("office_id", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("number", Text, primary_key=True),
    Column("ticket_id", Text, nullable=False),
    Column("issued_service", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("category", Text),
    Column("category_verified", Boolean, nullable=False),
    Column("category_withdrawn", Boolean, nullable=False),
    Column("state", Text, nullable=False),
    Column("counter_id", Text),
    Column("operator", Text),
    Column("outcome", Text),
    Column("ahead_at_issue", Integer, nullable=False),
    Column("calls", Integer, nullable=False),
    Column("recalls", Integer, nullable=False),
    Column("issued_at", Instant, nullable=False),
    Column("clock_start", Instant, nullable=False),
    Column("limit_seconds", Integer, nullable=False),
    Column("due_at", Instant),
    Column("breached_at", Instant),
    Column("breach_recorded_at", Instant),
    Column("first_called_at", Instant),
    Column("last_called_at", Instant),
    Column("started_at", Instant),
    Column("ended_at", Instant),
    Column("wait_to_call_seconds", Double),
    Column("wait_to_start_seconds", Double),
    Column("waited_seconds", Double, nullable=False),
    Column("serving_seconds", Double, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("first_missed_at", Instant),
    Column("misses", Integer, nullable=False, server_default=text("0")),
    Column("away_seconds", Double, nullable=False, server_default=text("0")),
    Column("claimed_slot", Instant),
    Column("claim_verified", Boolean, nullable=False, server_default=false()),
    CheckConstraint(
        "(state IN ('served', 'missed', 'left', 'unserved')) = (ended_at IS NOT NULL)", name="ended_has_its_end"
    ),
    sqlite_with_rowid=False,
)
_AT_COUNTER = text("state IN ('called', 'serving')")
Index(
    "uq_tickets_one_visitor_per_counter",
    tickets.c.office_id,
    tickets.c.counter_id,
    unique=True,
    sqlite_where=_AT_COUNTER,
    postgresql_where=_AT_COUNTER,
)

answers = Table(
    "answers",
    metadata,
    *_named("office_id", "key"),
    Column("fingerprint", LargeBinary(32), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("ticket_id", Text),
    Column("session", Text),
    Column("at", Instant, nullable=False),
    checksum_column(),
    sqlite_with_rowid=False,
)

halls = Table(
    "halls",
    metadata,
    *_named("office_id"),
    Column("seq", BigInteger, nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    # None: nothing is known before seq 1, so the hall is folded from the beginning.
    Column("state", Text),
    checksum_column(),
    sqlite_with_rowid=False,
)

stamps = Table("stamps", metadata, *_named("name"), Column("value", Text, nullable=False), checksum_column())
CLOCK = "clock"
VISIT_SECRET = "visit secret"  # noqa: S105 - the name of the stamp
TIME_IN = "time in boot "
"""Begins the name of a stamp that says how the hall's time stands to the seconds since a machine was started."""

deliveries = Table(
    "deliveries",
    metadata,
    *_named("endpoint", "office_id"),
    # Everything up to here was taken, given up or not for this endpoint. What it has not been told is in `facts`, so
    # nothing is written when something happens.
    Column("seq", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("failing_since", Instant),
    checksum_column(),
    sqlite_with_rowid=False,
)

dead_letters = Table(
    "dead_letters",
    metadata,
    *_named("endpoint", "office_id"),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("failed_at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("error", Text, nullable=False),
    checksum_column(),
    sqlite_with_rowid=False,
)

# Beside the journal and in no hash: what people write is personal, and is forgotten after a while.
remarks = Table(
    "remarks",
    metadata,
    *_named("office_id"),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("ticket_id", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("kind", Text, nullable=False),
    Column("text", Text, nullable=False),
    checksum_column(),
    sqlite_with_rowid=False,
)
