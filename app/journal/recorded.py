"""A fact as the journal keeps it, and the chain that binds each to the one before."""

from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec

from queue_core.facts import FACTS, Fact, TicketFact
from queue_core.values import value

GENESIS = bytes(32)
"""What the first fact of an office is chained to."""


@value(kw_only=True)
class Recorded:
    """One line of an office's journal: the columns of `facts`, and the fact.

    `ticket_id` is set when the fact is a ticket's. `body` is the fact as JSON, to the byte as it was hashed.
    """

    office_id: str
    seq: int
    at: datetime
    actor: str
    key: str | None
    kind: str
    ticket_id: str | None
    body: str
    hash: bytes
    fact: Fact


def recorded(office_id: str, seq: int, after: bytes, fact: Fact, actor: str, key: str | None) -> Recorded:
    """`fact` as the line `seq` that follows the one with the hash `after`."""
    kind, body = type(fact).__name__, msgspec.json.encode(fact).decode()
    return Recorded(
        office_id=office_id,
        seq=seq,
        at=fact.at,
        actor=actor,
        key=key,
        kind=kind,
        ticket_id=_ticket_id(fact),
        body=body,
        hash=chain(after, office_id, seq, actor, key, kind, body),
        fact=fact,
    )


def chain(after: bytes, office_id: str, seq: int, actor: str, key: str | None, kind: str, body: str) -> bytes:
    """The SHA-256 of a line together with the hash of the line before: change one and every later one disagrees."""
    return sha256(after + msgspec.json.encode((office_id, seq, actor, key, kind, body))).digest()


def follows(line: Recorded, seq: int, head: bytes) -> bool:
    """Whether a line is the next after the one at `seq` with the hash `head`, and is as it was written."""
    hashed = chain(head, line.office_id, line.seq, line.actor, line.key, line.kind, line.body)
    return line.seq == seq + 1 and line.hash == hashed


def read(row: Any) -> Recorded:
    """The line in a row of the table `facts`."""
    fact = msgspec.json.decode(row.body, type=FACTS[row.kind])
    return Recorded(
        office_id=row.office_id,
        seq=row.seq,
        at=row.at,
        actor=row.actor,
        key=row.key,
        kind=row.kind,
        ticket_id=_ticket_id(fact),
        body=row.body,
        hash=bytes(row.hash),
        fact=fact,
    )


def _ticket_id(fact: Fact) -> str | None:
    return fact.ticket if isinstance(fact, TicketFact) else None
