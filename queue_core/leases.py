"""Numbers that a kiosk holds in advance, to go on with when the server is away.

Online numbers stay without gaps, because a kiosk's are a series of its own: the letter followed by the kiosk's mark.
A fresh block always begins after everything that may stand on paper already, so that neither a kiosk that lost its
memory nor a second tab can give one number twice.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime

from queue_core.facts import Block, NumbersLeased
from queue_core.values import value

MARKS = "KMHTXPCBEOA"
"""Letters that look the same in Latin and Cyrillic, so that nobody who reads a number aloud has to choose."""


@value(kw_only=True)
class Lease:
    """The numbers of one kiosk. `left` are those not issued yet; None once it was given back. `seq` is its fact."""

    id: str
    kiosk: str
    mark: str
    day: date
    at: datetime
    seq: int
    blocks: tuple[Block, ...]
    left: tuple[Block, ...] | None

    @classmethod
    def of(cls, fact: NumbersLeased, seq: int) -> "Lease":
        """The lease as it is granted."""
        return cls(
            id=fact.lease,
            kiosk=fact.kiosk,
            mark=fact.mark,
            day=fact.day,
            at=fact.at,
            seq=seq,
            blocks=fact.blocks,
            left=fact.blocks,
        )

    @property
    def is_done(self) -> bool:
        """Whether it was given back."""
        return self.left is None

    def has(self, letter: str, serial: int) -> bool:
        """Whether a number is left."""
        return any(block.letter == letter and block.first <= serial <= block.last for block in self.left or ())

    def without(self, letter: str, serial: int) -> "Lease":
        """The lease once this number was issued."""
        assert self.has(letter, serial), "a number is issued once"
        pieces = (piece for block in self.left or () for piece in _without(block, letter, serial))
        return replace(self, left=tuple(pieces))

    def done(self) -> "Lease":
        """The lease once it was given back."""
        return replace(self, left=None)


def mark_for(kiosk: str, leases: Iterable[Lease], day: date) -> str | None:
    """The kiosk's mark of that day: marks are given in the order of the first leases. None when none is left."""
    given = {lease.kiosk: lease.mark for lease in leases if lease.day == day}
    return given.get(kiosk) or next((mark for mark in MARKS if mark not in given.values()), None)


def last_number(letter: str, leases: Iterable[Lease], day: date) -> int:
    """The last number of a series that may stand on paper with this day: from a lease of it, or one still out."""
    held = (lease.blocks for lease in leases if lease.day == day or not lease.is_done)
    return max((block.last for blocks in held for block in blocks if block.letter == letter), default=0)


def _without(block: Block, letter: str, serial: int) -> Iterator[Block]:
    if block.letter != letter or not block.first <= serial <= block.last:
        yield block
        return
    if block.first < serial:
        yield replace(block, last=serial - 1)
    if serial < block.last:
        yield replace(block, first=serial + 1)
