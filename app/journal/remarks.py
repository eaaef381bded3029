"""What visitors said of their visits in words: personal data, kept apart from the journal, and not for ever."""

from datetime import datetime, timedelta
from enum import StrEnum
from operator import attrgetter

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from app.journal.checksums import content
from app.journal.journal import FAR, Journal
from app.journal.schema import remarks
from queue_core.values import value

KEPT = timedelta(days=180)
"""After this nobody is told of a remark any more, and the next one that is written takes it out of the database."""


class RemarkKind(StrEnum):
    """Whether somebody has to answer for it."""

    REMARK = "remark"
    COMPLAINT = "complaint"


@value(kw_only=True)
class Remark:
    """What a visitor wrote, beside the rating at fact `seq`."""

    office_id: str
    seq: int
    ticket_id: str
    at: datetime
    kind: RemarkKind
    text: str


def keep_remark(journal: Journal, remark: Remark) -> bool:
    """Write a remark down, and forget those that have been kept for long enough.

    The same one again changes nothing. False: something else was said with this rating, and stands.
    """
    try:
        return _keep(journal, remark)
    except IntegrityError:
        # Another process has just written down what was said with this rating.
        return _keep(journal, remark)


def _keep(journal: Journal, remark: Remark) -> bool:
    beside = (remarks.c.office_id == remark.office_id) & (remarks.c.seq == remark.seq)
    with journal.transaction() as connection:
        connection.execute(delete(remarks).where(remarks.c.at < remark.at - KEPT))
        said = connection.execute(select(remarks.c.kind, remarks.c.text).where(beside)).first()
        if said is None:
            journal.database.writer(remarks)(connection, [_row(remark)])
    return said is None or tuple(said) == (remark.kind, remark.text)


def remarks_of(journal: Journal, office_id: str, now: datetime, limit: int, before: int = FAR) -> list[Remark]:
    """What the visitors of an office wrote, the latest first; those beside facts before the one of that seq."""
    mine = (remarks.c.office_id == office_id) & (remarks.c.seq < before) & (remarks.c.at >= now - KEPT)
    latest = select(*content(remarks)).where(mine).order_by(remarks.c.seq.desc()).limit(limit)
    with journal.transaction(read_only=True) as connection:
        rows = connection.execute(latest).all()
    return [Remark(**{**row._mapping, "kind": RemarkKind(row.kind)}) for row in rows]


_row = attrgetter(*(column.name for column in content(remarks)))
