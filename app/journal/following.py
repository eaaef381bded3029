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

LONGEST_PAUSE_SECONDS = 30.0
"""Between two attempts to listen to a database that lets nobody in."""

LOOKED_AFTER_SECONDS = 0.2
"""How often it is asked whether the thread lives."""


class FollowerEnded(Exception):
    """The thread that listens has ended though nobody asked it to."""


class Follower:
    """A thread that tells the event loop which office has come to which seq.

    A notification is only a wake-up: it can be lost with a connection, a pooler may not pass it on, and any role of
    the database may send one that means nothing. Every `poll_seconds` the journal itself is asked.
    """

    def __init__(self, journal: Journal, heard: Heard, poll_seconds: float = 1.0) -> None:
        assert isinstance(journal.database, PostgreSQL)
        self._keywords = journal.database.keywords
        self._questions = journal.another()
        self._heard = heard
        self._poll_seconds = poll_seconds
        self._told: dict[str, int] = {}
        self._is_away = self._heard_rubbish = False
        self.thread: threading.Thread | None = None

    async def follow(self, alive: Callable[[], None] = lambda: None) -> None:
        """Listen until cancelled, and say `alive` after every look. FollowerEnded when the thread ends by itself."""
        stopped, loop = threading.Event(), asyncio.get_running_loop()
        thread = self.thread = threading.Thread(
            target=self._run, args=(loop, stopped, alive), name="follower", daemon=True
        )
        thread.start()
        try:
            while thread.is_alive():  # noqa: ASYNC110 - a thread may end without a word
                await asyncio.sleep(LOOKED_AFTER_SECONDS)
        finally:
            stopped.set()
            # Never two threads on one connection: whoever listens next waits for this one.
            while thread.is_alive():  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.02)
            self._questions.close()
        raise FollowerEnded

    def _run(self, loop: asyncio.AbstractEventLoop, stopped: threading.Event, alive: Callable[[], None]) -> None:
        pause = self._poll_seconds
        while not stopped.is_set():
            began = monotonic()
            try:
                with psycopg.connect(**self._keywords, autocommit=True) as connection:
                    connection.execute(f"LISTEN {CHANNEL}")
                    self._listen(connection, loop, stopped, alive)
            except (psycopg.Error, JournalDown) as error:
                if monotonic() - began > LONGEST_PAUSE_SECONDS:
                    pause = self._poll_seconds
                if not self._is_away:
                    log.warning("following the journal was interrupted; trying again", error=str(error).strip())
                self._is_away = True
                stopped.wait(pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    def _listen(
        self,
        connection: "psycopg.Connection[tuple[object, ...]]",
        loop: asyncio.AbstractEventLoop,
        stopped: threading.Event,
        alive: Callable[[], None],
    ) -> None:
        while not stopped.is_set():
            for office_id, seq in self._questions.heads().items():
                self._tell(loop, office_id, seq)
            if self._is_away:
                log.info("following the journal goes on")
                self._is_away = False
            alive()
            polls_at = monotonic() + self._poll_seconds
            # In short turns, so that nobody waits long for this thread to stop.
            while monotonic() < polls_at and not stopped.is_set():
                for notice in connection.notifies(timeout=0.1):
                    self._take(loop, notice.payload)

    def _take(self, loop: asyncio.AbstractEventLoop, payload: str) -> None:
        """What a notification hints at. The journal is asked in any case, so one that says nothing loses nothing."""
        office_id, _, last = payload.rpartition(" ")
        # A seq of more digits is no office's, and `int` takes long over many.
        if office_id and last.isascii() and last.isdecimal() and len(last) < 19:
            self._tell(loop, office_id, int(last))
        elif not self._heard_rubbish:
            self._heard_rubbish = True
            log.warning("somebody sends notifications that mean nothing; they are ignored", channel=CHANNEL)

    def _tell(self, loop: asyncio.AbstractEventLoop, office_id: str, seq: int) -> None:
        if self._told.get(office_id) != seq and not loop.is_closed():
            self._told[office_id] = seq
            loop.call_soon_threadsafe(self._heard, office_id, seq)
