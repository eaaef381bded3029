"""Applying descriptions: to the server that holds the file, to a server by its address, or by an engine of our own."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import httpx2
import typer

from app.clock import SystemClock
from app.command_line.knocking import asked, live_server, server_at
from app.command_line.sorry import Sorry
from app.configuration import BadDescription, document_of, read_office
from app.engine import Engine
from app.journal import open_journal
from app.settings import Settings
from queue_core.commands import Configure
from queue_core.errors import Refusal
from queue_core.office import Office

Described = Sequence[tuple[Path, Office]]


def apply(files: Sequence[Path], settings: Settings, url: str | None) -> None:
    """Describe the offices of all files. All are read before the first is applied."""
    described = _read(files)
    if url:
        with server_at(url) as server:
            _tell(server, described)
        return
    with live_server(settings.database) as holder:
        if holder:
            _tell(holder, described)
        else:
            asyncio.run(_apply_alone(described, settings))


def _read(files: Sequence[Path]) -> Described:
    described, mistakes = [], []
    for path in files:
        try:
            described.append((path, read_office(path)))
        except BadDescription as bad:
            mistakes.append(str(bad))
    if mistakes:
        raise Sorry("\n".join([*mistakes, "Nothing was applied."]))
    return described


def _tell(server: httpx2.Client, described: Described) -> None:
    for path, office in described:
        answer = asked(server, "PUT", f"/api/v1/offices/{office.id}", document_of(office))
        _say(path, office, answer["seq"])


async def _apply_alone(described: Described, settings: Settings) -> None:
    engine = Engine(open_journal(settings.database, demo=None), SystemClock())
    try:
        await engine.start()
        for path, office in described:
            answer = await engine.do(office.id, Configure(office), actor="command line")
            _say(path, office, answer.seq)
    except Refusal as refusal:
        raise Sorry(str(refusal)) from refusal
    finally:
        await engine.stop()


def _say(path: Path, office: Office, seq: int) -> None:
    typer.echo(f"{office.id} is as {path} describes it, as of fact {seq}")
