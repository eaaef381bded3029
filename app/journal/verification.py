"""Proof that the journal is whole and that everything derived from it is right."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, and_, func, select, true
from sqlalchemy.exc import DataError

from app.journal.beside import compare_beside
from app.journal.difference import Difference
from app.journal.errors import JournalDamaged
from app.journal.inspection import compare_schema
from app.journal.journal import KEYS_LIVE, Answered, Journal
from app.journal.recorded import GENESIS, Recorded, chain, read
from app.journal.replies import Replies
from app.journal.rows import row_of
from app.journal.schema import answers, facts, halls, tickets
from app.journal.stored import meant, raw, same, written
from queue_core.errors import Refusal
from queue_core.hall import Hall, HallState, evolve
from queue_core.tickets import Ticket

SLICE = 1000
"""Facts per step: small enough that a running server goes on serving between two steps."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was compared, and the first difference, if there is one."""

    offices: int
    facts: int
    tickets: int
    difference: str | None


class Verification:
    """A verification in steps, each over one transaction, so that it can run beside a working server.

    `alone`: nobody waits for the journal, so that even what takes long in one go is looked at.
    """

    def __init__(self, journal: Journal, *, alone: bool = False) -> None:
        self._journal, self._alone = journal, alone
        self._steps = self._all()
        self._offices = self._facts = self._tickets = 0
        self._where = self._journal.database.name

    def step(self) -> Verdict | None:
        """Do a little more; the verdict when there is nothing left to do."""
        try:
            next(self._steps)
        except StopIteration:
            return self._verdict(None)
        except Difference as difference:
            return self._verdict(str(difference))
        except (DataError, JournalDamaged) as error:
            return self._verdict(f"{self._where}: a value cannot be read ({error})")
        return None

    def run(self) -> Verdict:
        """The verdict, all at once."""
        while (verdict := self.step()) is None:
            pass
        return verdict

    def _verdict(self, difference: str | None) -> Verdict:
        return Verdict(self._offices, self._facts, self._tickets, difference)

    def _all(self) -> Iterator[None]:
        # PostgreSQL is shown what the schema should be, in tables that are gone at once.
        with self._journal.transaction(read_only=not self._journal.is_shared) as connection:
            compare_schema(connection)
            if self._alone and connection.dialect.name == "sqlite":
                compare_file(connection)
        yield
        with self._journal.transaction(read_only=True) as connection:
            named = set(connection.execute(select(halls.c.office_id)).scalars())
            found = set(connection.execute(select(facts.c.office_id).distinct()).scalars())
            visited = set(connection.execute(select(tickets.c.office_id).distinct()).scalars())
            answered = set(connection.execute(select(answers.c.office_id).distinct()).scalars())
        if strays := (named ^ found) | ((visited | answered) - found):
            raise Difference(
                f"offices {sorted(map(str, strays))} have facts, a checkpoint, tickets or answers, "
                "but not what belongs to them"
            )
        for office_id in sorted(found):
            self._where = f"office {office_id}"
            yield from self._office(office_id)
            self._offices += 1
        self._where = "beside the journal"
        yield from compare_beside(self._journal)

    def _office(self, office_id: str) -> Iterator[None]:
        with self._journal.transaction(read_only=True) as connection:
            retelling = _Retelling(office_id, connection)
        at_head = False
        while not at_head:
            with self._journal.transaction(read_only=True) as connection:
                lines = _lines(connection, office_id, retelling.hall.seq)
                checkpoint = _checkpoint(connection, office_id)
                for row in lines:
                    retelling.tell(row)
                    if retelling.hall.seq == checkpoint.seq:
                        retelling.compare_checkpoint(checkpoint)
                at_head = len(lines) < SLICE
                self._tickets += retelling.compare_rows(connection, everybody=at_head)
                if at_head:
                    retelling.compare_rest(connection, checkpoint)
            self._facts += len(lines)
            yield


class _Retelling:
    """One office's journal folded again from its first line."""

    def __init__(self, office_id: str, connection: Connection) -> None:
        self.hall = Hall(office_id)
        self._replies = _replies(connection, office_id)
        self._line_as_written = written(connection, facts)
        self._row_as_written = written(connection, tickets)
        self._head = GENESIS
        self._tickets: dict[str, tuple[Ticket, int]] = {}
        self._issued = 0

    def tell(self, row: Any) -> None:
        """One more line, or a Difference: a gap, an edited line, a step that cannot follow."""
        where = f"office {self.hall.office_id}, fact {row.seq}"
        if row.seq != self.hall.seq + 1:
            raise Difference(f"{where}, stands where fact {self.hall.seq + 1} should be")
        expected = chain(self._head, row.office_id, row.seq, row.actor, row.key, row.kind, row.body)
        line = _readable(row)
        if line is None or not same(row.hash, expected):
            raise Difference(f"{where}: the line was changed, or one before it was removed")
        if not all(map(same, row, self._line_as_written(_line_row(line)))):
            raise Difference(f"{where}: time or ticket differ from the fact")
        try:
            ticket = evolve(self.hall, line.fact)
        except (Refusal, AssertionError, LookupError, ValueError) as error:
            raise Difference(f"{where}: {line.kind} cannot follow: {error}") from error
        self._replies.follow(self.hall, line, ticket)
        self._head = line.hash
        if ticket:
            self._tickets[ticket.id] = (ticket, line.seq)
        self._issued += line.kind == "Issued"

    def compare_rows(self, connection: Connection, *, everybody: bool) -> int:
        """Compare the rows of visits that are settled, or of all; how many they were."""
        ready = [name for name in self._tickets if everybody or name not in self.hall.tickets]
        for some in (ready[start : start + 500] for start in range(0, len(ready), 500)):
            # The key begins with office and day: without the day every slice would read the office's years.
            days = {self._tickets[name][0].day for name in some}
            mine = and_(
                tickets.c.office_id == self.hall.office_id, tickets.c.day.in_(days), tickets.c.ticket_id.in_(some)
            )
            found = {row.ticket_id: row for row in connection.execute(select(*raw(connection, tickets)).where(mine))}
            for name in some:
                ticket, seq = self._tickets.pop(name)
                self._compare_row(name, row_of(self.hall.office_id, ticket, seq), found.get(name))
        return len(ready)

    def compare_rest(self, connection: Connection, checkpoint: Any) -> None:
        """At the head: no ticket row is too many, and neither the checkpoint nor an answer knows of more facts."""
        empty = (checkpoint.seq, checkpoint.state, checkpoint.hash) == (0, None, GENESIS)
        if not empty and not 0 < checkpoint.seq <= self.hall.seq:
            raise Difference(
                f"office {self.hall.office_id}: the checkpoint is at fact {checkpoint.seq}, which is not there"
            )
        self._replies.finish(self.hall)
        mine = tickets.c.office_id == self.hall.office_id
        rows = connection.execute(select(func.count()).select_from(tickets).where(mine)).scalar()
        if rows != self._issued:
            raise Difference(f"office {self.hall.office_id}: {self._issued} tickets were issued and {rows} have a row")

    def compare_checkpoint(self, checkpoint: Any) -> None:
        """The checkpoint is the hall as it stands now."""
        try:
            state = msgspec.json.decode(checkpoint.state or "", type=HallState)
        except msgspec.DecodeError:
            state = None
        expected = self.hall.state()
        if state:
            expected = expected.as_old_as(state)
        if state != expected or checkpoint.hash != self._head:
            where = f"office {self.hall.office_id}"
            raise Difference(f"{where}: the checkpoint at fact {checkpoint.seq} is not the hall of that fact")

    def _compare_row(self, name: str, expected: Sequence[Any], found: Sequence[Any] | None) -> None:
        where = f"office {self.hall.office_id}, ticket {name}"
        if found is None:
            raise Difference(f"{where}: its row is missing")
        for column, stored, value in zip(tickets.columns.keys(), found, self._row_as_written(expected), strict=True):
            if not same(stored, value):
                raise Difference(f"{where}: {column} is {stored!r} and should be {value!r}")


def compare_file(connection: Connection) -> None:
    """Nothing, or a Difference: what SQLite itself finds wrong with its file, indexes and all."""
    found = str(connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar())
    if found != "ok":
        raise Difference(f"the file is damaged: {' '.join(found.split())}")


def _lines(connection: Connection, office_id: str, seq: int) -> Sequence[Any]:
    # From the beginning on, whatever number it bears: a forged line may stand before the first.
    mine = and_(facts.c.office_id == office_id, facts.c.seq > seq if seq else true())
    return connection.execute(select(*raw(connection, facts)).where(mine).order_by(facts.c.seq).limit(SLICE)).all()


def _readable(row: Any) -> Recorded | None:
    """The line, or None when its fact is not one any more."""
    try:
        return read(row)
    except (msgspec.DecodeError, LookupError, TypeError, ValueError):
        return None


def _line_row(line: Recorded) -> Sequence[Any]:
    """What the row of a line should say, its time and ticket taken from the fact."""
    return [line.fact.at if column.name == "at" else getattr(line, column.name) for column in facts.columns]


def _checkpoint(connection: Connection, office_id: str) -> Any:
    row = connection.execute(select(*raw(connection, halls)).where(halls.c.office_id == office_id)).one()
    if not (type(row.seq) is int and isinstance(row.hash, bytes) and isinstance(row.state, str | None)):
        raise Difference(f"office {office_id}: the checkpoint has a value that cannot be one")
    return row


def _replies(connection: Connection, office_id: str) -> Replies:
    mine = answers.c.office_id == office_id
    said = meant(connection, answers)
    try:
        rows = connection.execute(select(*raw(connection, answers)).where(mine))
        told = [Answered._make(said(row)[: len(Answered._fields)]) for row in rows]
    except (ValueError, TypeError) as error:
        raise Difference(f"office {office_id}: an answer has a value that cannot be one ({error})") from error
    head = connection.execute(select(func.max(facts.c.seq)).where(facts.c.office_id == office_id)).scalar() or 0
    state = connection.execute(select(halls.c.state).where(halls.c.office_id == office_id)).scalar()
    return Replies(told, head, _kept_since(state))


def _kept_since(state: str | None) -> datetime:
    """From when on each key still has its answer, given the hall as the checkpoint has it."""
    try:
        last_at = msgspec.json.decode(state or "", type=HallState).last_at
    except msgspec.DecodeError:
        last_at = None
    return last_at - KEYS_LIVE if last_at else datetime.min.replace(tzinfo=UTC)
