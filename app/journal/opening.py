"""Opening a journal, or refusing to with a sentence that helps."""

from secrets import token_hex

from sqlalchemy import Connection, select
from sqlalchemy.exc import DBAPIError

from app.journal.databases import Database, database
from app.journal.errors import JournalBroken, JournalDown, JournalFull, JournalRefused
from app.journal.journal import Journal
from app.journal.migrating import migrate
from app.journal.retelling import refuse_without_head
from app.journal.schema import CLOCK, VISIT_SECRET, stamps

# Two processes that start together on one PostgreSQL migrate one after the other.
MIGRATING = 0x1515


def open_journal(address: str, *, demo: bool | None = False) -> Journal:
    """The journal at a SQLite file or PostgreSQL address, migrated; a new file where there is none.

    A journal is stamped at birth as real or demo. A demo clock gets no real journal, and a real clock no demo journal:
    JournalRefused says so, as it does for everything else that makes the journal unsafe. None opens either kind, for
    those who need no clock.
    """
    opened = database(address)
    journal = Journal(opened)
    try:
        with journal.transaction() as connection:
            opened.check(connection)
            if opened.is_shared:
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATING})")
            if not migrate(connection, opened.name):
                _refuse_lost_stamps(connection, opened)
            _stamp(connection, opened, demo)
            _keep_a_secret(connection, opened)
            refuse_without_head(connection, opened)
    except (JournalDown, JournalFull, JournalBroken, DBAPIError) as error:
        _let_go(journal)
        raise JournalRefused(_cannot_open(opened, error)) from error
    except JournalRefused:
        _let_go(journal)
        raise
    return journal


def _let_go(journal: Journal) -> None:
    journal.close()
    journal.database.close()


def _refuse_lost_stamps(connection: Connection, opened: Database) -> None:
    """Every version that knows this schema has stamped the journal at birth or when it came to the schema."""
    found = set(connection.execute(select(stamps.c.name)).scalars())
    if lost := sorted({CLOCK, VISIT_SECRET} - found):
        raise JournalRefused(
            f"{opened.name} has lost its stamp {lost[0]!r}: somebody has changed the table stamps. "
            "Put the row back from a backup, then start again."
        )


def _stamp(connection: Connection, opened: Database, demo: bool | None) -> None:
    clock = "demo" if demo else "real"
    stamped = connection.execute(select(stamps.c.value).where(stamps.c.name == CLOCK)).scalar()
    if stamped is None:
        opened.writer(stamps)(connection, [(CLOCK, clock)])
    elif demo is not None and stamped != clock:
        raise JournalRefused(
            f"{opened.name} is a {stamped} journal and this server runs a {clock} clock. "
            "A demo clock needs a journal of its own: name another database."
        )


def _keep_a_secret(connection: Connection, opened: Database) -> None:
    """Visitors' tokens are sealed with it: they must outlive restarts and be the same in every process."""
    kept = connection.execute(select(stamps.c.value).where(stamps.c.name == VISIT_SECRET)).scalar()
    if kept is None:
        opened.writer(stamps)(connection, [(VISIT_SECRET, token_hex(32))])


def _cannot_open(opened: Database, error: Exception) -> str:
    if isinstance(error, JournalBroken):
        return f"{error}. The file is damaged: keep it for an examination, and put the last backup in its place."
    return f"{error}. Check that the database is there, reachable and writable, then start again."
