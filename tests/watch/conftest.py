"""Halls that are watched."""

from tests.journal.databases import address, empty_database, reused_database

__all__ = ["address", "empty_database", "reused_database"]
