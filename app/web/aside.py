"""Work whose size an asker chooses, done by one thread beside the loop that keeps the limits."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TypeVar

from app.engine import Overloaded

T = TypeVar("T")

MOST_WAITING = 16
REST = 1.0
"""The thread rests as many times as long as it worked: while it works, the loop waits for the interpreter's lock."""

LONGEST_REST_SECONDS = 0.5


class Aside:
    """One thread, and a bounded line before it."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "aside")
        self._waiting = 0
        self._rests_until = 0.0
        self._is_closed = Event()

    async def do(self, work: Callable[[], T]) -> T:
        """The work's result or error, in its turn; Overloaded when too many wait."""
        if self._waiting >= MOST_WAITING:
            raise Overloaded(retry_after=1)
        self._waiting += 1
        try:
            return await asyncio.wrap_future(self._thread.submit(self._work, work))
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Take no more work."""
        self._is_closed.set()
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _work(self, work: Callable[[], T]) -> T:
        rest = self._rests_until - time.monotonic()
        if rest > 0:
            self._is_closed.wait(rest)
        began = time.thread_time()
        try:
            return work()
        finally:
            rest = min(REST * (time.thread_time() - began), LONGEST_REST_SECONDS)
            self._rests_until = time.monotonic() + rest
