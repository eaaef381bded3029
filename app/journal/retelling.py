"""Reading lines that may not be what was written: each is tried, and a damaged one is named."""

from collections.abc import Iterator
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, select
from sqlalchemy.exc import DBAPIError, OperationalError

from app.journal.databases import Database
from app.journal.errors import JournalDamaged, JournalRefused, PastLost
from app.journal.files import Head
from app.journal.recorded import Recorded, follows, read
from app.journal.schema import facts
from queue_core.hall import Hall, HallState, evolve

REMEDY = "Keep the journal for an examination, and put the last backup in its place."

UNREADABLE = (msgspec.DecodeError, LookupError, TypeError, ValueError)
"""What comes of reading a row that is not as it was written."""


class Retelling:
    """A hall folded from its checkpoint on. A line that does not follow the one before is JournalDamaged."""

    def __init__(self, name: str, checkpoint: Any) -> None:
        self._name, self.head = name, bytes(checkpoint.hash)
        if checkpoint.seq and checkpoint.line_hash != checkpoint.hash:
            raise self._damaged(
                checkpoint.office_id, checkpoint.seq, "which is not the one that its checkpoint was made of"
            )
        try:
            self.hall = _hall(checkpoint)
        except Exception as error:
            where = f"{name} is damaged: office {checkpoint.office_id}, the checkpoint at fact {checkpoint.seq}"
            raise JournalDamaged(f"{where} cannot be read. {REMEDY}") from error

    def tell(self, line: Recorded) -> None:
        """One more line."""
        if line.seq != self.hall.seq + 1:
            raise self._damaged(line.office_id, line.seq, f"which stands where fact {self.hall.seq + 1} should be")
        if not follows(line, self.hall.seq, self.head):
            raise self._damaged(line.office_id, line.seq, "which was changed, or the one before it was")
        try:
            evolve(self.hall, line.fact)
        except Exception as error:
            raise self._damaged(line.office_id, line.seq, f"{line.kind}, which cannot follow") from error
        self.head = line.hash

    def _damaged(self, office_id: str, seq: int, what: str) -> JournalDamaged:
        return damaged(self._name, office_id, seq, what)


def lines_in(
    name: str, connection: Connection, which: ColumnElement[bool], limit: int | None = None
) -> Iterator[Recorded]:
    """The lines of a journal that are asked for, by office and seq; JournalDamaged names the first that is none."""
    rows = connection.execute(select(facts).where(which).order_by(facts.c.office_id, facts.c.seq).limit(limit))
    try:
        for row in rows.yield_per(1000):
            yield line_of(name, row)
    except (*UNREADABLE, DBAPIError):
        name_unreadable(name, connection, which)
        raise


def line_of(name: str, row: Any) -> Recorded:
    """The line in a row of `facts`, or JournalDamaged."""
    try:
        return read(row)
    except UNREADABLE as error:
        raise damaged(name, row.office_id, row.seq, "which cannot be read") from error


def name_unreadable(name: str, connection: Connection, which: ColumnElement[bool]) -> None:
    """Find the row that made a whole fetch fail."""
    for office_id, seq in connection.execute(select(facts.c.office_id, facts.c.seq).where(which)).all():
        one = select(facts).where(facts.c.office_id == office_id, facts.c.seq == seq)
        try:
            connection.execute(one).one()
        except (*UNREADABLE, OperationalError) as error:
            raise damaged(name, office_id, seq, "which cannot be read") from error


def damaged(name: str, office_id: str, seq: int, what: str) -> JournalDamaged:
    """A line is not as it was written."""
    return JournalDamaged(f"{name} is damaged: office {office_id}, fact {seq}, {what}. {REMEDY}")


def refuse_without_head(connection: Connection, database: Database) -> None:
    """Nothing, or JournalRefused: the line that is known outside to have been committed last is not there."""
    head = database.head()
    if head is None:
        return
    same = and_(facts.c.office_id == head.office_id, facts.c.seq == head.seq, facts.c.hash == head.hash)
    if connection.execute(select(facts.c.seq).where(same)).first() is None:
        raise JournalRefused(
            f"{database.name} lacks what was acknowledged last: office {head.office_id}, fact {head.seq}, as "
            f"{database.name}.head says. Its -wal was cut or taken away, or an older copy was put in its place. "
            "Put back what belongs together; or, if what is there now is to be the truth, put "
            f"{database.name}.head aside and start again."
        )


def lost(name: str, known: Head, what: str) -> PastLost:
    """A line that is known to be committed is not in the journal; `what` the journal does instead."""
    return PastLost(
        f"{name} has lost its past: office {known.office_id}, fact {known.seq} was committed, and the journal {what}. "
        "An older copy was put in its place, or a standby took over that had not heard of it. Nothing is taken any "
        "more. Bring the right database back, or, if what is there now is to be the truth, start every server again: "
        "what was acknowledged after it is lost then."
    )


def _hall(row: Any) -> Hall:
    if row.state is None:
        return Hall(row.office_id)
    return Hall.of(row.office_id, msgspec.json.decode(row.state, type=HallState))
