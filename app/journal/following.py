"""Hearing of facts that other processes append: LISTEN, with a poll behind it."""

import asyncio
import threading
from collections.abc import Callable
from time import monotonic

import psycopg
import structlog

from app.journal.databases import CHANNEL, PostgreSQL
from app.journal.errors import JournalDown
from app.journal.journal import Journal

log = structlog.get_logger(__name__)

Heard = Callable[[str, int], None]


class Follower:
    """A thread that tells the event loop which office has come to which seq.

    A notification is only a wake-up: it can be lost with a connection, and a pooler may not pass it on. Every
    `poll_seconds` the journal itself is asked.
    """

    def __init__(self, journal: Journal, heard: Heard, poll_seconds: float = 1.0) -> None:
        assert isinstance(journal.database, PostgreSQL)
        self._address = journal.database.address
        self._questions = journal.another()
        self._heard = heard
        self._poll_seconds = poll_seconds
        self._told: dict[str, int] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to listen."""
        self._loop = loop
        self._thread.start()

    def stop(self) -> None:
        """Stop listening."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                with psycopg.connect(self._address, autocommit=True, connect_timeout=5) as connection:
                    connection.execute(f"LISTEN {CHANNEL}")
                    self._listen(connection)
            except (psycopg.Error, JournalDown) as error:
                log.warning("following the journal was interrupted", error=str(error))
                self._stopped.wait(self._poll_seconds)
        self._questions.close()

    def _listen(self, connection: "psycopg.Connection[tuple[object, ...]]") -> None:
        while not self._stopped.is_set():
            for office_id, seq in self._questions.heads().items():
                self._tell(office_id, seq)
            polls_at = monotonic() + self._poll_seconds
            # In short turns, so that nobody waits long for this thread to stop.
            while monotonic() < polls_at and not self._stopped.is_set():
                for notice in connection.notifies(timeout=0.1):
                    office, _, last = notice.payload.rpartition(" ")
                    self._tell(office, int(last))

    def _tell(self, office_id: str, seq: int) -> None:
        if self._told.get(office_id) != seq and not self._loop.is_closed():
            self._told[office_id] = seq
            self._loop.call_soon_threadsafe(self._heard, office_id, seq)
