"""Printers, by where they are: at an address of the network, or behind a file. None is waited for long."""

import asyncio
import errno
import os
import select
import stat
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from app.printing import escpos
from app.printing.escpos import Asked
from app.printing.troubles import NotPrinted, Trouble

RAW_PORT = 9100
CONNECT_SECONDS = 2.0
WRITE_SECONDS = 5.0
STATUS_SECONDS = 1.0
MUTE_SECONDS = 0.2
"""How long a printer is listened to that has never answered."""

DEVICES = Path("/dev")


class BadAddress(Exception):
    """This is not where a printer can be. The message says why."""


class PaperLevel(StrEnum):
    """How much paper there is, as far as the printer's sensors tell."""

    ENOUGH = "enough"
    LOW = "low"
    OUT = "out"


@dataclass(frozen=True, slots=True)
class State:
    """What is known of a printer. `paper` is None where it does not tell."""

    trouble: Trouble | None = None
    paper: PaperLevel | None = None


class Printer(Protocol):
    """Something that tickets can be sent to."""

    name: str

    async def state(self) -> State:
        """How it is now."""

    async def take(self, job: bytes) -> None:
        """Print this, or NotPrinted."""


def printer_at(address: str) -> Printer:
    """The printer at `tcp://host:port`, or behind the file of that name; BadAddress when there cannot be one."""
    if "://" in address:
        return NetworkPrinter(*_host_and_port(address))
    path = Path(address)
    if path.is_dir():
        raise BadAddress(f"{address} is a directory. Name a file in it, a device, or tcp://host:{RAW_PORT}.")
    # A device comes and goes with its cable; any other directory is a slip of the pen.
    if not _is_device(path) and not path.parent.is_dir():
        raise BadAddress(f"{path.parent} is not a directory, so no printer can be at {address}.")
    return FilePrinter(path)


class NetworkPrinter:
    """A printer that takes raw bytes at a port, as those with a network socket do.

    Most can be asked how they are, at any time. One that has never answered prints unasked; one that did and no longer
    does is in trouble.
    """

    def __init__(
        self, host: str, port: int = RAW_PORT, *, connect: float = CONNECT_SECONDS, write: float = WRITE_SECONDS
    ) -> None:
        self.name = f"tcp://{f'[{host}]' if ':' in host else host}:{port}"
        self._host, self._port = host, port
        self._connect_seconds, self._write_seconds = connect, write
        self._answers: bool | None = None

    async def state(self) -> State:
        """What it answers, within a second."""
        try:
            async with asyncio.timeout(STATUS_SECONDS), self._link(STATUS_SECONDS) as link:
                # A little less, so that silence is told from absence.
                return await self._asked(link, STATUS_SECONDS * 0.8)
        except NotPrinted as refused:
            return State(refused.trouble)
        except TimeoutError:
            return State(Trouble.OUT_OF_REACH)

    async def take(self, job: bytes) -> None:
        """Print, if it is ready. NotPrinted also when it has taken the bytes and then says that something is wrong."""
        async with self._link(self._connect_seconds) as link:
            # A printer without paper keeps what it is sent, and prints it twice when somebody has asked again.
            _insist(await self._asked(link, STATUS_SECONDS))
            await self._send(link, job)
            if self._answers:
                # In the order of the line: whoever answers this has taken what came before it.
                _insist(await self._asked(link, self._write_seconds))

    @asynccontextmanager
    async def _link(self, seconds: float) -> AsyncIterator["_Link"]:
        try:
            async with asyncio.timeout(seconds):
                link = _Link(*await asyncio.open_connection(self._host, self._port))
        except OSError as error:  # a TimeoutError too, and a name that nobody knows
            raise NotPrinted(Trouble.OUT_OF_REACH) from error
        try:
            yield link
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            link.drop()
            raise NotPrinted(Trouble.OUT_OF_REACH) from error
        except BaseException:
            # What has not left this machine must not be printed when the printer comes to itself.
            link.drop()
            raise
        link.close()

    async def _asked(self, link: "_Link", seconds: float) -> State:
        """Its state in its own words; nothing known when it does not speak."""
        answers: dict[Asked, int] = {}
        try:
            async with asyncio.timeout(MUTE_SECONDS if self._answers is False else seconds):
                for asked in (Asked.PRINTER, Asked.PAPER, Asked.OFFLINE_CAUSE, Asked.ERROR_CAUSE):
                    answers[asked] = await link.answer(asked)
        except TimeoutError:
            pass
        if not answers:
            self._answers = self._answers or False
            return State(Trouble.SILENT if self._answers else None)
        self._answers = True
        return _state(answers)

    async def _send(self, link: "_Link", job: bytes) -> None:
        try:
            async with asyncio.timeout(self._write_seconds):
                await link.send(job)
        except TimeoutError as error:
            raise NotPrinted(Trouble.STUCK) from error


class FilePrinter:
    """A printer behind a device file, or a file that tickets are collected in. It can be written to, and not asked."""

    def __init__(self, path: Path, *, write: float = WRITE_SECONDS) -> None:
        self.name = str(path)
        self._path, self._write_seconds = path, write

    async def state(self) -> State:
        """Whether it is there and may be written to; nothing is known of its paper."""
        return State(await asyncio.to_thread(self._hindrance))

    async def take(self, job: bytes) -> None:
        """Append the bytes."""
        await asyncio.to_thread(self._append, job)

    def _hindrance(self) -> Trouble | None:
        if not self._path.exists():
            missing = _is_device(self._path) or not self._path.parent.is_dir()
            return Trouble.NOT_CONNECTED if missing else None
        return None if os.access(self._path, os.W_OK) else Trouble.FORBIDDEN

    def _append(self, job: bytes) -> None:
        try:
            file = os.open(self._path, self._flags(), 0o600)  # a ticket's address is its visitor's alone
        except OSError as error:
            raise NotPrinted(_trouble_of(error, at_device=_is_device(self._path))) from error
        try:
            self._write(file, job)
        except OSError as error:
            raise NotPrinted(_trouble_of(error, at_device=stat.S_ISCHR(os.fstat(file).st_mode))) from error
        finally:
            os.close(file)

    def _flags(self) -> int:
        """To append and never to wait. Where a device is missing, no file is put in its place."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        return flags if _is_device(self._path) else flags | os.O_CREAT

    def _write(self, file: int, job: bytes) -> None:
        ready = select.poll()
        ready.register(file, select.POLLOUT)
        deadline = time.monotonic() + self._write_seconds
        left = memoryview(job)
        while left:
            if not ready.poll(max(0.0, deadline - time.monotonic()) * 1000):
                raise NotPrinted(Trouble.STUCK)
            try:
                left = left[os.write(file, left) :]
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise NotPrinted(Trouble.STUCK) from None


class _Link:
    """An open connection to a printer."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        writer.transport.set_write_buffer_limits(0)  # sent is what has left this program

    async def answer(self, asked: Asked) -> int:
        """The printer's answer to a question."""
        await self.send(escpos.ask(asked))
        while True:
            answer = (await self._reader.readexactly(1))[0]
            if _is_answer(answer):
                return answer

    async def send(self, data: bytes) -> None:
        """Have the bytes leave this program."""
        self._writer.write(data)
        await self._writer.drain()

    def close(self) -> None:
        """Let the rest be sent, and end."""
        self._writer.close()

    def drop(self) -> None:
        """End at once, and forget what has not been sent."""
        self._writer.transport.abort()


def _is_answer(byte: int) -> bool:
    """Four bits are the same in all answers, and tell them from what a printer says by itself."""
    return byte & 0b1001_0011 == 0b0001_0010


def _state(answers: Mapping[Asked, int]) -> State:
    """What answers mean, by the bits that Epson gave them and all others took over."""

    def has(asked: Asked, bits: int) -> bool:
        return bool(answers.get(asked, 0) & bits)

    paper = None
    if Asked.PAPER in answers:
        paper = PaperLevel.LOW if has(Asked.PAPER, 0b0000_1100) else PaperLevel.ENOUGH
    if has(Asked.PAPER, 0b0110_0000) or has(Asked.OFFLINE_CAUSE, 0b0010_0000):
        return State(Trouble.PAPER_OUT, PaperLevel.OUT)
    if has(Asked.OFFLINE_CAUSE, 0b0000_0100):
        return State(Trouble.COVER_OPEN, paper)
    if has(Asked.ERROR_CAUSE, 0b0000_1000):
        return State(Trouble.CUTTER_STUCK, paper)
    if has(Asked.PRINTER, 0b0000_1000) or has(Asked.OFFLINE_CAUSE, 0b0100_0000):
        return State(Trouble.FAULT, paper)
    return State(None, paper)


def _insist(state: State) -> None:
    if state.trouble:
        raise NotPrinted(state.trouble)


TROUBLES: Mapping[int, Trouble] = {
    **dict.fromkeys((errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.ENOTDIR), Trouble.NOT_CONNECTED),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), Trouble.FORBIDDEN),
    errno.EBUSY: Trouble.TAKEN,
    errno.EDQUOT: Trouble.DISK_FULL,
}


def _trouble_of(error: OSError, *, at_device: bool) -> Trouble:
    if error.errno == errno.ENOSPC:
        # Linux's driver of USB printers has no other word for it.
        return Trouble.PAPER_OUT if at_device else Trouble.DISK_FULL
    return TROUBLES.get(error.errno or 0, Trouble.FAULT)


def _is_device(path: Path) -> bool:
    return DEVICES in path.absolute().parents


def _host_and_port(address: str) -> tuple[str, int]:
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise BadAddress(f"{address} is no address of a printer: {error}.") from error
    if parts.scheme != "tcp" or not host or parts.path or parts.query or port == 0:
        raise BadAddress(f"{address} is no address of a printer. One looks like tcp://192.0.2.7:{RAW_PORT}.")
    return host, port or RAW_PORT
