"""The journal: facts appended, read again, followed and verified. The only room that knows SQLite from PostgreSQL."""

from app.journal.errors import (
    JournalBroken,
    JournalDamaged,
    JournalDown,
    JournalFull,
    JournalRefused,
    JournalUnwritable,
    LostRace,
    PastLost,
    Unkept,
)
from app.journal.journal import Answered, Journal, Page
from app.journal.opening import open_journal
from app.journal.recorded import GENESIS, Recorded, chain, recorded
from app.journal.verification import Verdict, Verification

__all__ = [
    "GENESIS",
    "Answered",
    "Journal",
    "JournalBroken",
    "JournalDamaged",
    "JournalDown",
    "JournalFull",
    "JournalRefused",
    "JournalUnwritable",
    "LostRace",
    "Page",
    "PastLost",
    "Recorded",
    "Unkept",
    "Verdict",
    "Verification",
    "chain",
    "open_journal",
    "recorded",
]
