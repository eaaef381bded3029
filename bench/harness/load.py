"""Slices of load on the two hot routes: so many requests by several clients at once, and what they took."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from time import perf_counter

from bench.harness.client import Clients, Reply
from bench.harness.offices import MADE, call_next, issue, step
from bench.harness.servers import Server


@dataclass(frozen=True, slots=True)
class Slice:
    """What some requests took: seconds by the wall, and of the server's processor on its main and other threads."""

    requests: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    main_thread_seconds: float = 0.0

    def __add__(self, other: "Slice") -> "Slice":
        return Slice(
            self.requests + other.requests,
            self.seconds + other.seconds,
            self.cpu_seconds + other.cpu_seconds,
            self.main_thread_seconds + other.main_thread_seconds,
        )

    @property
    def per_second(self) -> float:
        """Throughput."""
        return self.requests / self.seconds

    @property
    def cpu_us(self) -> float:
        """Microseconds of the server's processor per request."""
        return self.cpu_seconds / self.requests * 1e6

    @property
    def main_thread_share(self) -> float:
        """How much of that was the event loop's thread."""
        return self.main_thread_seconds / self.cpu_seconds


async def measured(server: Server, clients: Clients, requests: Sequence[bytes]) -> tuple[Slice, list[Reply]]:
    """The replies to some requests, every one of them a success, and what they took."""
    await clients.pick_up()
    cpu, main_thread, began = server.cpu_seconds(), server.main_thread_seconds(), perf_counter()
    replies = await clients.ask(requests, expected=MADE)
    seconds = perf_counter() - began
    spent = server.cpu_seconds() - cpu, server.main_thread_seconds() - main_thread
    return Slice(len(requests), seconds, *spent), replies


class BareLoad:
    """Kiosks and operators in front of the bare routes, where nobody is ever busy."""

    def __init__(self, server: Server, clients: Clients, office: str, counters: int) -> None:
        self.server = server
        self.clients = clients
        self._office, self._counters = office, counters
        self._keys = (f"bench-{number}" for number in count())

    async def issue(self, requests: int) -> Slice:
        """So many visitors come."""
        wishes = [issue(self._office, next(self._keys)) for _ in range(requests)]
        slice_, _ = await measured(self.server, self.clients, wishes)
        return slice_

    async def call(self, requests: int) -> Slice:
        """So many calls for somebody who waits; the counters are freed again outside the time that is measured."""
        total = Slice()
        while total.requests < requests:
            counters = range(min(self._counters, requests - total.requests))
            wishes = [call_next(self._office, counter, next(self._keys)) for counter in counters]
            slice_, replies = await measured(self.server, self.clients, wishes)
            total += slice_
            await self._free(replies)
        return total

    async def _free(self, replies: Sequence[Reply]) -> None:
        pass


class HallLoad(BareLoad):
    """The same in front of Fifteen."""

    async def _free(self, replies: Sequence[Reply]) -> None:
        """Record that nobody came: one step and the counter can call again."""
        called = [reply.json()["id"] for reply in replies]
        await self.clients.ask([step(self._office, ticket, "no-show") for ticket in called], expected=MADE)
