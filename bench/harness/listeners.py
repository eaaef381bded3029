"""Those who listen: a crowd of screens, counted and not understood, and one who hears what is provisional."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import cast

import msgspec

from bench.harness.client import get
from bench.harness.offices import path


class Heard:
    """What all streams together have received. `open` is how many have begun and not ended."""

    def __init__(self) -> None:
        self.open = 0
        self.events = 0


@asynccontextmanager
async def listening(streams: Iterable[tuple[int, str]]) -> AsyncIterator[Heard]:
    """Screens before these ports and offices, as long as the block lasts."""
    heard, loop, transports = Heard(), asyncio.get_running_loop(), []
    try:
        for port, office in streams:
            transport, _ = await loop.create_connection(partial(_Screen, heard, office), "127.0.0.1", port)
            transports.append(transport)
        yield heard
    finally:
        for transport in transports:
            transport.close()


class _Screen(asyncio.Protocol):
    def __init__(self, heard: Heard, office: str) -> None:
        self._heard, self._office = heard, office
        self._has_begun = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none by inheritance.
        cast("asyncio.Transport", transport).write(get(path(self._office, "/stream")))

    def data_received(self, data: bytes) -> None:
        if not self._has_begun and data.startswith(b"HTTP/1.1 200"):
            self._has_begun = True
            self._heard.open += 1
        self._heard.events += data.count(b"\ndata: ")

    def connection_lost(self, exc: Exception | None) -> None:
        self._heard.open -= self._has_begun


Provisionals = list[tuple[datetime, str, datetime]]
"""When it was heard, whose limit passed, and when."""

PROVISIONAL = b"event: provisional\ndata: "


class Ear:
    """What one listener heard of provisional breaches that stand."""

    def __init__(self) -> None:
        self.provisionals: Provisionals = []


@asynccontextmanager
async def hearing(port: int, office: str) -> AsyncIterator[Ear]:
    """A listener at an office's facts, as long as the block lasts."""
    ear = Ear()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(get(path(office, "/stream?view=facts")))
    listening = asyncio.create_task(_hear(reader, ear))
    try:
        yield ear
    finally:
        listening.cancel()
        writer.close()


async def _hear(reader: asyncio.StreamReader, ear: Ear) -> None:
    while True:
        event = await reader.readuntil(b"\n\n")
        _, found, data = event.partition(PROVISIONAL)
        if found:
            told = msgspec.json.decode(data.partition(b"\n")[0])
            if told["kind"] == "Breached" and told["stands"]:
                due = datetime.fromisoformat(told["due"])
                ear.provisionals.append((datetime.now(UTC), told["ticket"], due))
