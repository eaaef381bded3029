"""Journals filled through the engine itself, where a bench needs a large hall and not the way to it."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

from app.clock import SystemClock
from app.configuration import office_of
from app.engine import Engine
from app.journal import open_journal
from bench.harness.offices import Document
from queue_core.commands import Command, Configure

TOGETHER = 256

Wish = tuple[str, Command]
"""An office and what is asked of it."""


async def fill(path: Path, offices: Iterable[Document], wishes: Iterable[Wish]) -> None:
    """Describe offices in a new SQLite journal, then have wishes carried out there, a batch at a time."""
    engine = Engine(open_journal(str(path)), SystemClock())
    await engine.start()
    try:
        described = (office_of(document, "a bench") for document in offices)
        await _all(engine, ((office.id, Configure(office)) for office in described))
        await _all(engine, wishes)
    finally:
        await engine.stop()


async def _all(engine: Engine, wishes: Iterable[Wish]) -> None:
    batch: list[Wish] = []
    for wish in wishes:
        batch.append(wish)
        if len(batch) == TOGETHER:
            await _together(engine, batch)
            batch = []
    await _together(engine, batch)


async def _together(engine: Engine, batch: list[Wish]) -> None:
    await asyncio.gather(*(engine.do(office, command, actor="bench") for office, command in batch))
