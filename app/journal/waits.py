"""How long each visitor of a day waited, as the rows of the tickets tell it."""

from datetime import date, datetime

from sqlalchemy import and_, select

from app.journal.journal import Journal
from app.journal.schema import tickets
from queue_core.office import Channel
from queue_core.tickets import State
from queue_core.values import value


@value(kw_only=True)
class Wait:
    """One visitor's wait as it stood when the ticket last moved: a clock that runs has gone on since."""

    ticket_id: str
    number: str
    service: str
    channel: Channel
    state: State
    clock_start: datetime
    limit_seconds: int
    waited_seconds: float
    breached_at: datetime | None


_columns = [tickets.c[name] for name in Wait.__dataclass_fields__]


def waits_of(journal: Journal, office_id: str, day: date, limit: int) -> list[Wait]:
    """The waits of an office's business day by the start of their clocks; of too many, the latest."""
    that_day = and_(tickets.c.office_id == office_id, tickets.c.day == day)
    latest = select(*_columns).where(that_day).order_by(tickets.c.clock_start.desc(), tickets.c.number).limit(limit)
    with journal.transaction(read_only=True) as connection:
        rows = connection.execute(latest).mappings().all()
    return [Wait(**{**row, "channel": Channel(row["channel"]), "state": State(row["state"])}) for row in rows[::-1]]
