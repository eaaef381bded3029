"""Facts written straight into a journal, page by page, as the engine would."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, inspect, text

from app.journal import GENESIS, Answered, Journal, Page, Recorded, recorded
from app.journal.checksums import checksum, content
from app.journal.rows import row_of
from app.journal.schema import facts, metadata, tickets
from queue_core.commands import (
    Cancel,
    Finish,
    Hold,
    NoShow,
    PauseCounter,
    Recall,
    Start,
    Transfer,
    VerifyCategory,
)
from queue_core.facts import Configured, DayOpened, Fact, HeldBy
from queue_core.hall import Hall, evolve
from queue_core.tickets import Ticket
from tests.core.live import LiveHall

ACTOR = 'Zoë "at the counter"'


class Scribe:
    """One office's hall, and the pages its facts make."""

    def __init__(self, office_id: str = "hall") -> None:
        self.hall = Hall(office_id)
        self.lines: list[Recorded] = []

    def page(self, facts: Iterable[Fact], *, actor: str = ACTOR, key: str | None = None) -> Page:
        """What one transaction has to write for these facts, which now have happened."""
        page = Page(pasts={self.hall.office_id: self._head})
        for fact in facts:
            ticket = evolve(self.hall, fact)
            line = recorded(self.hall.office_id, self.hall.seq, self._head, fact, actor, key)
            self.lines.append(line)
            page.facts.append(line)
            if ticket:
                page.tickets[self.hall.office_id, ticket.id] = (ticket, self.hall.seq)
            if isinstance(fact, Configured | DayOpened):
                page.checkpoints = [(self.hall.office_id, self.hall.state(), line.hash)]
        return page

    def answer(self, key: str, at: datetime, ticket: Ticket | None = None) -> Answered:
        """What `key` was answered with."""
        ticket_id = ticket.id if ticket else None
        return Answered(self.hall.office_id, key, bytes(32), self.hall.seq, ticket_id, session=None, at=at)

    @property
    def _head(self) -> bytes:
        return self.lines[-1].hash if self.lines else GENESIS


def write(journal: Journal, facts: Iterable[Fact], *, office_id: str = "hall") -> Scribe:
    """Write an office's facts in one page; who wrote them."""
    scribe = Scribe(office_id)
    journal.append(scribe.page(facts))
    return scribe


def write_silently(journal: Journal, facts: Iterable[Fact], *, office_id: str) -> Scribe:
    """Write an office's facts as `write` does, but without telling anybody."""
    scribe = Scribe(office_id)
    page = scribe.page(facts)
    with journal.transaction() as connection:
        put_page(connection, page)
        put(connection, "halls", [no_checkpoint(office_id)])
    return scribe


def put_page(connection: Connection, page: Page) -> None:
    """Write the facts and the tickets of a page."""
    put(connection, "facts", [{each.name: getattr(line, each.name) for each in facts.columns} for line in page.facts])
    rows = [row_of(office_id, ticket, seq) for (office_id, _), (ticket, seq) in page.tickets.items()]
    put(connection, "tickets", [dict(zip(tickets.columns.keys(), row, strict=True)) for row in rows])


def put(connection: Connection, name: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows into a table, if it is there yet, as far as it has the columns."""
    inspector, table = inspect(connection), metadata.tables[name]
    if inspector.has_table(name):
        columns = [column["name"] for column in inspector.get_columns(name)]
        summed_up = [{**row, "checksum": checksum([row[column.name] for column in content(table)])} for row in rows]
        connection.execute(table.insert(), [{column: row[column] for column in columns} for row in summed_up])


def no_checkpoint(office_id: str) -> Mapping[str, Any]:
    """The checkpoint of an office that is to be folded from its first fact on."""
    return {"office_id": office_id, "seq": 0, "hash": GENESIS, "state": None}


def small_day() -> LiveHall:
    """A Monday on which a bit of everything happens to five visitors."""
    day = LiveHall()
    first, booked, veteran = (
        day.issue(further=("cash",)),
        day.issue("land", slot=day.now),
        day.issue(category="veteran"),
    )
    day.wait(minutes=6)
    assert day.call("1") == veteran
    day.wish(VerifyCategory(veteran))
    day.wish(Start(veteran))
    day.wait(minutes=4)
    day.wish(Transfer(veteran, service="land", come_back=True))
    assert day.call("2") == first
    day.wish(Recall(first))
    day.wish(Start(first))
    day.wish(Hold(first, by=HeldBy.VISITOR))
    late, gone = day.issue(), day.issue("cash")
    day.wish(Cancel(gone, 'said "no, thank you"\n\tи ушёл ¯\\_(ツ)_/¯'))
    day.wait(minutes=16)
    day.look()
    assert day.visit(late).breached_due
    assert day.call("3") == veteran
    day.wish(NoShow(veteran))
    assert day.call("1") == booked
    day.wish(Start(booked))
    day.wish(Finish(booked))
    day.wish(PauseCounter("1", reason="tea"))
    return day


def changed(journal: Journal, statement: str, **values: object) -> int:
    """Change the database behind the journal's back; how many rows."""
    with journal.transaction() as connection:
        return connection.execute(text(statement), values).rowcount
