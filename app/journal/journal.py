"""The journal's questions and its one way to write. Rows inside, the hall's own values outside."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import attrgetter
from pathlib import Path
from secrets import token_hex
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, Executable, RootTransaction, and_, bindparam, delete, func, or_, select
from sqlalchemy.exc import DataError, DBAPIError

from app.journal.checksums import content
from app.journal.copying import copy_into
from app.journal.databases import Database
from app.journal.errors import JournalBroken, JournalDamaged, JournalDown, PastLost, Unkept
from app.journal.files import Head
from app.journal.recorded import Recorded
from app.journal.retelling import Retelling, lines_in, lost
from app.journal.rows import row_of
from app.journal.schema import TIME_IN, VISIT_SECRET, answers, facts, halls, stamps, tickets
from queue_core.hall import Hall, HallState
from queue_core.tickets import Ticket

# Kiosks retry through outages longer than a day, so keys outlive the business day they were used on.
KEYS_LIVE = timedelta(hours=72)

PROBES = ("probe", "another probe")
PROBE_BYTES = 16 * 1024
"""What is written to see whether anything can be."""

FAR = 2**63 - 1
"""A seq that no office comes to."""

BOOTS_KEPT = 32
"""Runs of machines whose time is kept: more than there are machines on one database."""

OFFICES_AT_ONCE = 100
"""Offices that are asked about in one question."""


class Answered(NamedTuple):
    """What a key was answered with: which command, at which seq, with which ticket and counter session (as JSON)."""

    office_id: str
    key: str
    fingerprint: bytes
    seq: int
    ticket_id: str | None
    session: str | None
    at: datetime


@dataclass(slots=True)
class Page:
    """Everything that one transaction writes. `pasts` are the hashes of the lines before each office's first."""

    facts: list[Recorded] = field(default_factory=list)
    pasts: dict[str, bytes] = field(default_factory=dict)
    tickets: dict[tuple[str, str], tuple[Ticket, int]] = field(default_factory=dict)
    moved_counter: list[tuple[str, Ticket, int]] = field(default_factory=list)
    answers: list[Answered] = field(default_factory=list)
    checkpoints: list[tuple[str, HallState, bytes]] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return not self.facts and not self.answers


class Journal:
    """An open journal. Synchronous, and used by one thread at a time."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._open: Connection | None = None
        self._statements = _Statements(database)

    @property
    def is_shared(self) -> bool:
        """Whether other processes may append too."""
        return self.database.is_shared

    def another(self) -> "Journal":
        """The same journal over a connection of its own, for long questions beside the writer."""
        return Journal(self.database)

    def append(self, page: Page) -> None:
        """Write a page whole or not at all: LostRace, JournalFull and Unkept say not at all, JournalDown who knows.

        PastLost: it was written on what is not there any more. Nobody may be told that anything was.
        """
        try:
            with self.transaction() as connection, self.database.at_once(connection):
                self._append(connection, page)
        except PastLost as error:
            raise self._what_is_lost(page, error) from error
        except (DataError, UnicodeEncodeError, OverflowError) as error:
            # Of the trouble only its kind is told: its words may be somebody's.
            raise Unkept(type(error.orig if isinstance(error, DataError) else error).__name__) from error
        if page.facts:
            last = page.facts[-1]
            self.database.keep_head(Head(last.office_id, last.seq, last.hash))

    def check_past(self, known: Head | None) -> None:
        """Nothing, or PastLost: a line that is known to be committed is not there, or its file is not."""
        self.database.before_writing()
        if known and self.is_shared and not self._holds(known):
            raise self._lost(known)

    def has(self, line: Recorded) -> bool:
        """Whether exactly this line stands in the journal."""
        return self._holds(Head(line.office_id, line.seq, line.hash))

    def answered(self, keys: Collection[tuple[str, str]]) -> dict[tuple[str, str], Answered]:
        """What these (office, key) pairs were answered with, as far as they were used."""
        rows = self._rows(self._statements.answered, {"pairs": msgspec.json.encode(list(keys)).decode()})
        return {(row.office_id, row.key): Answered._make(row) for row in rows}

    def halls(self) -> Iterator[tuple[Hall, bytes]]:
        """Every office's hall and the hash of its last fact, from the last checkpoint on.

        JournalDamaged names the first fact that does not follow the one before.
        """
        try:
            with self.transaction(read_only=True) as connection:
                checkpoints = connection.execute(_checkpoints_with_their_lines).all()
                for row in checkpoints:
                    retelling = Retelling(self.database.name, row)
                    for line in self._after(connection, retelling.hall.office_id, retelling.hall.seq):
                        retelling.tell(line)
                    yield retelling.hall, retelling.head
        except JournalBroken as error:
            raise JournalDamaged(f"{error}. Keep the file, and put the last backup in its place.") from error

    def facts_after(self, office_id: str, seq: int, limit: int | None = None) -> list[Recorded]:
        """The lines of an office that follow `seq`, in order."""
        with self.transaction(read_only=True) as connection:
            return list(self._after(connection, office_id, seq, limit))

    def facts_since(self, seen: Mapping[str, int]) -> list[Recorded]:
        """The lines of these offices that follow what was seen of each, office by office and in order."""
        found: list[Recorded] = []
        offices = sorted(seen.items())
        with self.transaction(read_only=True) as connection:
            for start in range(0, len(offices), OFFICES_AT_ONCE):
                # Every seq stands in the question itself: in a join nobody could guess how few lines follow it.
                some = offices[start : start + OFFICES_AT_ONCE]
                unseen = or_(*(and_(facts.c.office_id == office_id, facts.c.seq > seq) for office_id, seq in some))
                found += lines_in(self.database.name, connection, unseen)
        return found

    def heads(self) -> dict[str, int]:
        """The last seq of every office."""
        last = select(func.max(facts.c.seq)).where(facts.c.office_id == halls.c.office_id).scalar_subquery()
        return {row.office_id: row.seq or 0 for row in self._rows(select(halls.c.office_id, last.label("seq")))}

    def history(self, office_id: str, ticket_id: str, upto: int = FAR) -> list[Recorded]:
        """Everything that happened to one ticket, in order, or what had happened by the seq `upto`."""
        # Without a bound on seq SQLite prefers the primary key, and reads the whole office.
        mine = and_(facts.c.office_id == office_id, facts.c.ticket_id == ticket_id, facts.c.seq <= upto)
        with self.transaction(read_only=True) as connection:
            return list(lines_in(self.database.name, connection, mine))

    def ticket_row(self, office_id: str, ticket_id: str) -> Mapping[str, Any] | None:
        """The derived row of one ticket."""
        mine = and_(tickets.c.office_id == office_id, tickets.c.ticket_id == ticket_id)
        return next((row._mapping for row in self._rows(select(tickets).where(mine))), None)

    def visit_secret(self) -> str:
        """What the tokens of visits are sealed with."""
        secret: str = self._rows(select(stamps.c.value).where(stamps.c.name == VISIT_SECRET))[0].value
        return secret

    def time_kept(self, boot: str) -> float | None:
        """What was added to the seconds since `boot`, a run of a machine, when the hall's time was last set in it."""
        rows = self._rows(select(stamps.c.value).where(stamps.c.name == TIME_IN + boot))
        return float(rows[0].value) if rows else None

    def keep_time(self, boot: str, offset: float) -> None:
        """Keep how the hall's time stands to the seconds since `boot`. Runs of machines that are long over go."""
        with self.transaction() as connection:
            kept = connection.execute(select(stamps).where(stamps.c.name.startswith(TIME_IN, autoescape=True))).all()
            # An offset is about the instant at which its machine was started.
            latest = sorted(((float(row.value), row.name) for row in kept), reverse=True)[:BOOTS_KEPT]
            gone = {row.name for row in kept} - {name for _, name in latest} - {TIME_IN + boot}
            connection.execute(delete(stamps).where(stamps.c.name.in_(gone)))
            # Two processes of one machine may begin together, and neither sees the other's row.
            self.database.writer(stamps, replacing=True)(connection, [(TIME_IN + boot, repr(offset))])

    def check_writable(self) -> None:
        """Nothing when a write is taken now; else the trouble.

        It writes what a ticket would need, beside what the last look left, and then that goes: the journal keeps its
        size, and a disk on which nothing more has room is found full.
        """
        with self.transaction() as connection:
            left = set(connection.execute(select(stamps.c.name).where(stamps.c.name.in_(PROBES))).scalars())
            fresh = next(name for name in PROBES if name not in left)
            self.database.writer(stamps, replacing=True)(connection, [(fresh, token_hex(PROBE_BYTES // 2))])
            connection.execute(delete(stamps).where(stamps.c.name.in_(left)))

    def backup(self, path: Path) -> None:
        """A consistent copy of the journal as a SQLite file, which `fifteen serve` can run on."""
        with self.transaction(read_only=True) as connection:
            copy_into(connection, path, self.database.name)

    def interrupt(self) -> None:
        """Asked by another thread: whatever this one waits for in the database fails now."""
        if connection := self._open:
            self.database.interrupt(connection)

    def close(self) -> None:
        """Let go of the connection."""
        if self._open is not None:
            self._open.close()
            self._open = None

    @contextmanager
    def transaction(self, *, read_only: bool = False) -> Iterator[Connection]:
        """A transaction on this journal's connection; a connection that failed is never used again."""
        if not read_only:
            self.database.before_writing()
        try:
            with self._begun(read_only=read_only) as connection:
                yield connection
        except DBAPIError as error:
            trouble = self.database.trouble(error)
            if self.is_shared and isinstance(trouble, JournalDown):
                self._drop_connection()
            raise trouble from error
        finally:
            if not read_only:
                self.database.after_writing()

    @contextmanager
    def _begun(self, *, read_only: bool) -> Iterator[Connection]:
        connection, transaction = self._begin(read_only=read_only)
        with transaction:
            yield connection

    def _begin(self, *, read_only: bool) -> tuple[Connection, RootTransaction]:
        was_open = self._open is not None
        if self._open is None:
            self._open = self.database.engine.connect()
        transaction = self._open.begin()
        try:
            self.database.begin(self._open, read_only=read_only)
        except DBAPIError as error:
            transaction.close()
            is_dead = self.is_shared and isinstance(self.database.trouble(error), JournalDown)
            if not (was_open and read_only and is_dead):
                raise
            # It died while nobody asked anything, which is no reason to leave this question unanswered.
            self._drop_connection()
            return self._begin(read_only=read_only)
        except BaseException:
            transaction.close()
            raise
        return self._open, transaction

    def _drop_connection(self) -> None:
        if self._open is not None:
            self._open.invalidate()
            self.close()

    def _holds(self, head: Head) -> bool:
        same = and_(facts.c.office_id == head.office_id, facts.c.seq == head.seq, facts.c.hash == head.hash)
        return bool(self._rows(select(facts.c.seq).where(same)))

    def _what_is_lost(self, page: Page, error: PastLost) -> PastLost:
        """Which line of a page had none before it."""
        if not self.is_shared and str(error) != self.database.name:
            return error
        firsts = {line.office_id: line.seq for line in reversed(page.facts)}
        known = (Head(name, seq - 1, page.pasts[name]) for name, seq in sorted(firsts.items()) if seq > 1)
        return next((self._lost(head) for head in known if not self._holds(head)), error)

    def _lost(self, known: Head) -> PastLost:
        last = select(func.max(facts.c.seq)).where(facts.c.office_id == known.office_id)
        seq = self._rows(last)[0][0] or 0
        return lost(self.database.name, known, "has another" if seq >= known.seq else f"ends at fact {seq}")

    def _rows(self, question: Executable, parameters: Mapping[str, Any] | None = None) -> Sequence[Any]:
        with self.transaction(read_only=True) as connection:
            return connection.execute(question, parameters or {}).all()

    def _after(self, connection: Connection, office_id: str, seq: int, limit: int | None = None) -> Iterator[Recorded]:
        mine = and_(facts.c.office_id == office_id, facts.c.seq > seq)
        return lines_in(self.database.name, connection, mine, limit)

    def _append(self, connection: Connection, page: Page) -> None:
        # Offices in one order everywhere, so that two processes never wait for each other in a circle. Whoever has
        # written an office's lines is alone with its tickets.
        lines = sorted(page.facts, key=attrgetter("office_id", "seq"))
        self._statements.fact(connection, lines, page.pasts)
        self._statements.answer(connection, page.answers)
        for rows in _ticket_rows(page):
            self._statements.ticket(connection, rows)
        for office_id, state, head in page.checkpoints:
            row = (office_id, state.seq, head, msgspec.json.encode(state).decode())
            self._statements.checkpoint(connection, [row])
            connection.execute(self._statements.forget_keys, {"office": office_id, "before": _oldest_key(state)})
        self.database.notify(connection, {line.office_id: line.seq for line in lines})


class _Statements:
    """The statements that are used again and again, built once."""

    def __init__(self, database: Database) -> None:
        self.fact = database.facts_writer()
        self.answer = database.writer(answers)
        self.ticket = database.writer(tickets, replacing=True)
        self.checkpoint = database.writer(halls, replacing=True)
        pair = database.pairs()
        named = and_(answers.c.office_id == pair.c.value.op("->>")(0), answers.c.key == pair.c.value.op("->>")(1))
        self.answered = select(*content(answers)).select_from(pair).join(answers, named)
        self.forget_keys = delete(answers).where(
            answers.c.office_id == bindparam("office"), answers.c.at < bindparam("before")
        )


_checkpoints_with_their_lines = (
    select(halls, facts.c.hash.label("line_hash"))
    .select_from(halls.outerjoin(facts, and_(facts.c.office_id == halls.c.office_id, facts.c.seq == halls.c.seq)))
    .order_by(halls.c.office_id)
)


def _ticket_rows(page: Page) -> Iterator[list[Sequence[Any]]]:
    """Rows in an order in which no counter ever has two visitors, not even between two statements."""
    if page.moved_counter:
        yield [row_of(office_id, ticket, seq) for office_id, ticket, seq in page.moved_counter]
    kept = [(office_id, ticket, seq) for (office_id, _), (ticket, seq) in page.tickets.items()]
    kept.sort(key=lambda item: item[1].at_counter)
    yield [row_of(office_id, ticket, seq) for office_id, ticket, seq in kept]


def _oldest_key(state: HallState) -> datetime:
    assert state.last_at is not None
    return state.last_at - KEYS_LIVE
