"""Proof that the journal is whole and that everything derived from it is right."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, and_, func, select, true

from app.journal.journal import Journal
from app.journal.recorded import GENESIS, Recorded, chain, read
from app.journal.rows import row_of
from app.journal.schema import answers, facts, halls, tickets
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


class Difference(Exception):
    """The first thing that is not as the journal says."""


class Verification:
    """A verification in steps, each over one transaction, so that it can run beside a working server."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._steps = self._all()
        self._offices = self._facts = self._tickets = 0

    def step(self) -> Verdict | None:
        """Do a little more; the verdict when there is nothing left to do."""
        try:
            next(self._steps)
        except StopIteration:
            return self._verdict(None)
        except Difference as difference:
            return self._verdict(str(difference))
        return None

    def run(self) -> Verdict:
        """The verdict, all at once."""
        while (verdict := self.step()) is None:
            pass
        return verdict

    def _verdict(self, difference: str | None) -> Verdict:
        return Verdict(self._offices, self._facts, self._tickets, difference)

    def _all(self) -> Iterator[None]:
        with self._journal.transaction(read_only=True) as connection:
            named = set(connection.execute(select(halls.c.office_id)).scalars())
            found = set(connection.execute(select(facts.c.office_id).distinct()).scalars())
            visited = set(connection.execute(select(tickets.c.office_id).distinct()).scalars())
        if strays := (named ^ found) | (visited - found):
            raise Difference(
                f"offices {sorted(strays)} have facts, a checkpoint or tickets, but not what belongs to them"
            )
        for office_id in sorted(found):
            yield from self._office(office_id)
            self._offices += 1

    def _office(self, office_id: str) -> Iterator[None]:
        retelling = _Retelling(office_id)
        at_head = False
        while not at_head:
            with self._journal.transaction(read_only=True) as connection:
                lines = _lines(connection, office_id, retelling.hall.seq)
                checkpoint = connection.execute(select(halls).where(halls.c.office_id == office_id)).one()
                for line in lines:
                    retelling.tell(line)
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

    def __init__(self, office_id: str) -> None:
        self.hall = Hall(office_id)
        self._head = GENESIS
        self._tickets: dict[str, tuple[Ticket, int]] = {}
        self._issued = 0

    def tell(self, stored: tuple[Any, Recorded | None]) -> None:
        """One more line, or a Difference: a gap, an edited line, a step that cannot follow."""
        row, line = stored
        where = f"office {self.hall.office_id}, fact {row.seq}"
        if row.seq != self.hall.seq + 1:
            raise Difference(f"{where}, stands where fact {self.hall.seq + 1} should be")
        expected = chain(self._head, row.office_id, row.seq, row.actor, row.key, row.kind, row.body)
        if line is None or bytes(row.hash) != expected:
            raise Difference(f"{where}: the line was changed, or one before it was removed")
        if row.at != line.fact.at or row.ticket_id != line.ticket_id:
            raise Difference(f"{where}: time or ticket differ from the fact")
        try:
            ticket = evolve(self.hall, line.fact)
        except (Refusal, AssertionError) as error:
            raise Difference(f"{where}: {line.kind} cannot follow: {error}") from error
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
            found = {row.ticket_id: row for row in connection.execute(select(tickets).where(mine))}
            for name in some:
                ticket, seq = self._tickets.pop(name)
                self._compare_row(name, row_of(self.hall.office_id, ticket, seq), found.get(name))
        return len(ready)

    def compare_rest(self, connection: Connection, checkpoint: Any) -> None:
        """At the head: no ticket row is too many, and neither the checkpoint nor an answer knows of more facts."""
        empty = (checkpoint.seq, checkpoint.state, bytes(checkpoint.hash)) == (0, None, GENESIS)
        if not empty and not 0 < checkpoint.seq <= self.hall.seq:
            raise Difference(
                f"office {self.hall.office_id}: the checkpoint is at fact {checkpoint.seq}, which is not there"
            )
        told = select(func.max(answers.c.seq)).where(answers.c.office_id == self.hall.office_id)
        if (latest := connection.execute(told).scalar() or 0) > self.hall.seq:
            raise Difference(
                f"office {self.hall.office_id}: somebody was answered with fact {latest}, which is not there"
            )
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
        if state != expected or bytes(checkpoint.hash) != self._head:
            where = f"office {self.hall.office_id}"
            raise Difference(f"{where}: the checkpoint at fact {checkpoint.seq} is not the hall of that fact")

    def _compare_row(self, name: str, expected: Sequence[Any], found: Sequence[Any] | None) -> None:
        where = f"office {self.hall.office_id}, ticket {name}"
        if found is None:
            raise Difference(f"{where}: its row is missing")
        for column, stored, value in zip(tickets.columns.keys(), found, expected, strict=True):
            if stored != value:
                raise Difference(f"{where}: {column} is {stored!r} and should be {value!r}")


def _lines(connection: Connection, office_id: str, seq: int) -> list[tuple[Any, Recorded | None]]:
    # From the beginning on, whatever number it bears: a forged line may stand before the first.
    mine = and_(facts.c.office_id == office_id, facts.c.seq > seq if seq else true())
    rows = connection.execute(select(facts).where(mine).order_by(facts.c.seq).limit(SLICE)).all()
    return [(row, _readable(row)) for row in rows]


def _readable(row: Any) -> Recorded | None:
    """The line, or None when its fact is not one any more."""
    try:
        return read(row)
    except (msgspec.DecodeError, KeyError):
        return None
