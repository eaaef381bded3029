"""How far each endpoint has been told of each office, what it never took, and which process tells it.

The journal itself is the outbox: what an endpoint has not been told is what stands there after its place.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from operator import attrgetter
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, delete, func, select, tuple_

from app.journal.checksums import content
from app.journal.journal import Journal
from app.journal.recorded import Recorded
from app.journal.retelling import line_of
from app.journal.schema import dead_letters, deliveries, facts, halls
from queue_core.values import value

NO_OFFICE = ""
"""The office of the row by which an endpoint is known, even in a journal without offices."""

DeadLetterPlace: TypeAlias = tuple[datetime, int, str]
"""When a letter was given up, its seq and its endpoint: the order of an office's letters."""

# The first half of the key of an advisory lock; the second is the endpoint's.
TELLING = 0x15157


@value(kw_only=True)
class Place:
    """How far an endpoint has been told of an office.

    `attempts` at the next message have failed, and since `failing_since` nothing was taken; None: all is well.
    """

    endpoint: str
    office_id: str
    seq: int
    attempts: int = 0
    failing_since: datetime | None = None


@value(kw_only=True)
class Untold:
    """A fact that an endpoint has not been told yet: where it stands, and when it happened."""

    office_id: str
    seq: int
    at: datetime


@value(kw_only=True)
class DeadLetter:
    """A message that was given up at `failed_at`, after so many attempts; `error` is what became of the last."""

    endpoint: str
    office_id: str
    seq: int
    failed_at: datetime
    attempts: int
    error: str

    @property
    def place(self) -> DeadLetterPlace:
        """Where it stands among its office's letters."""
        return self.failed_at, self.seq, self.endpoint


def places(journal: Journal, endpoint: str) -> list[Place]:
    """Where an endpoint stands in each office. One that is new begins at the present: all offices' ends."""
    mine = select(*content(deliveries)).where(deliveries.c.endpoint == endpoint)
    with journal.transaction() as connection:
        found = [Place(**row._mapping) for row in connection.execute(mine)]
        if not found:
            found = [Place(endpoint=endpoint, office_id=office_id, seq=seq) for office_id, seq in _ends(connection)]
            found.append(Place(endpoint=endpoint, office_id=NO_OFFICE, seq=0))
            _put_places(journal, connection, found)
    return [place for place in found if place.office_id != NO_OFFICE]


def untold(journal: Journal, endpoint: str, kinds: Collection[str], hidden: str) -> list[Untold]:
    """The facts of these kinds after the endpoint's place, in order within each office.

    Offices whose id begins with `hidden` are left out.
    """
    mine = and_(deliveries.c.endpoint == endpoint, deliveries.c.office_id == halls.c.office_id)
    after = and_(facts.c.office_id == halls.c.office_id, facts.c.seq > func.coalesce(deliveries.c.seq, 0))
    question = (
        select(facts.c.office_id, facts.c.seq, facts.c.at)
        .select_from(halls.outerjoin(deliveries, mine).join(facts, after))
        .where(facts.c.kind.in_(kinds), halls.c.office_id.not_like(f"{hidden}%"))
        .order_by(facts.c.office_id, facts.c.seq)
    )
    with journal.transaction(read_only=True) as connection:
        return [Untold(**row._mapping) for row in connection.execute(question)]


def line_at(journal: Journal, office_id: str, seq: int) -> Recorded:
    """One line of an office's journal."""
    return journal.facts_after(office_id, seq - 1, 1)[0]


def keep(journal: Journal, moved: Iterable[Place], given_up: Iterable[DeadLetter]) -> None:
    """Note where endpoints have come to, and what they did not take on the way, in one transaction."""
    letters = [_row(letter) for letter in given_up]
    with journal.transaction() as connection:
        journal.database.writer(dead_letters, replacing=True)(connection, letters)
        _put_places(journal, connection, moved)


def given_up(
    journal: Journal, office_id: str, limit: int, after: DeadLetterPlace | None = None
) -> list[tuple[DeadLetter, Recorded]]:
    """An office's dead letters with the lines they are about, the latest first; those that follow `after`."""
    place = tuple_(dead_letters.c.failed_at, dead_letters.c.seq, dead_letters.c.endpoint)
    question = _letters_with_lines().where(dead_letters.c.office_id == office_id)
    if after is not None:
        question = question.where(place < after)
    latest = question.order_by(*(column.desc() for column in place.clauses)).limit(limit)
    with journal.transaction(read_only=True) as connection:
        return [_letter_with_line(journal, row) for row in connection.execute(latest)]


def letter_at(journal: Journal, endpoint: str, office_id: str, seq: int) -> tuple[DeadLetter, Recorded] | None:
    """One dead letter with the line it is about."""
    question = _letters_with_lines().where(_is_letter(endpoint, office_id, seq))
    with journal.transaction(read_only=True) as connection:
        row = connection.execute(question).first()
        return None if row is None else _letter_with_line(journal, row)


def forget_letter(journal: Journal, endpoint: str, office_id: str, seq: int) -> None:
    """A dead letter was taken after all."""
    with journal.transaction() as connection:
        connection.execute(delete(dead_letters).where(_is_letter(endpoint, office_id, seq)))


class Turns:
    """Which endpoints this process tells: each is told by one process at a time.

    On PostgreSQL by advisory locks on a connection of its own, which the server lets go of when the process dies.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal.another() if journal.is_shared else None
        self._mine: set[str] = set()

    def take(self, endpoints: Collection[str]) -> set[str]:
        """Those of the endpoints that are this process's turn, now that it has asked for all.

        JournalDown: the connection is lost, and with it every turn; another process may have them.
        """
        if self._journal is None:
            return set(endpoints)
        mine, self._mine = self._mine, set()
        with self._journal.transaction() as connection:
            # Asked even when nothing is wanted any more: only so is it seen that the connection still lives.
            connection.execute(select(1))
            for endpoint in endpoints:
                if endpoint not in mine and _try_lock(connection, endpoint):
                    mine.add(endpoint)
        self._mine = mine
        return {*mine}

    def release(self) -> None:
        """Give every turn up."""
        if self._journal is not None:
            self._mine.clear()
            self._journal.close()


def _try_lock(connection: Connection, endpoint: str) -> bool:
    return bool(connection.execute(select(func.pg_try_advisory_lock(TELLING, func.hashtext(endpoint)))).scalar())


def _ends(connection: Connection) -> list[tuple[str, int]]:
    last = select(func.max(facts.c.seq)).where(facts.c.office_id == halls.c.office_id).scalar_subquery()
    return [(row.office_id, row.seq) for row in connection.execute(select(halls.c.office_id, last.label("seq")))]


def _put_places(journal: Journal, connection: Connection, moved: Iterable[Place]) -> None:
    journal.database.writer(deliveries, replacing=True)(connection, [_place_row(place) for place in moved])


def _is_letter(endpoint: str, office_id: str, seq: int) -> ColumnElement[bool]:
    return and_(dead_letters.c.endpoint == endpoint, dead_letters.c.office_id == office_id, dead_letters.c.seq == seq)


def _letters_with_lines() -> Select[Any]:
    its_line = and_(facts.c.office_id == dead_letters.c.office_id, facts.c.seq == dead_letters.c.seq)
    of_the_letter = [column for column in content(dead_letters) if column.name not in facts.columns]
    return select(facts, *of_the_letter).select_from(dead_letters.join(facts, its_line))


def _letter_with_line(journal: Journal, row: Row[Any]) -> tuple[DeadLetter, Recorded]:
    return DeadLetter(**{column.name: row._mapping[column.name] for column in content(dead_letters)}), line_of(
        journal.database.name, row
    )


_place_row = attrgetter(*(column.name for column in content(deliveries)))
_row = attrgetter(*(column.name for column in content(dead_letters)))
