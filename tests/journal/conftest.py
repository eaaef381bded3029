"""Journals to write into, on both databases."""

from tests.journal.databases import (
    address,
    empty_database,
    journal,
    journal_in_postgresql,
    journal_in_sqlite,
    reused_database,
)

__all__ = ["address", "empty_database", "journal", "journal_in_postgresql", "journal_in_sqlite", "reused_database"]
