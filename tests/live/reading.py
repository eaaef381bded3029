"""A client of a stream, down to the bytes."""

import asyncio
import socket
from dataclasses import dataclass, field
from typing import Any

import msgspec


@dataclass
class Event:
    """What came between two empty lines."""

    id: int | None = None
    name: str = "message"
    data: Any = None
    comment: str | None = None
    retry: int | None = None
    raw: bytes = field(default=b"", repr=False)


class Reader:
    """One connection to a stream. Chunks are taken apart here, so that the end of the body can be told from a cut."""

    def __init__(self, stream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._stream, self._writer = stream, writer
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""
        self.is_complete = False
        self._taken = 0

    @classmethod
    async def connect(cls, port: int, path: str, headers: dict[str, str], *, receive_bytes: int = 0) -> "Reader":
        """Ask for a stream and read the head of the answer."""
        connection = socket.socket()
        if receive_bytes:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", port))
        reader = cls(*await asyncio.open_connection(sock=connection, limit=receive_bytes or 2**16))
        lines = [f"GET {path} HTTP/1.1", "Host: localhost", *(f"{name}: {value}" for name, value in headers.items())]
        reader._writer.write("".join(f"{line}\r\n" for line in [*lines, ""]).encode())
        head = (await reader._stream.readuntil(b"\r\n\r\n")).decode().splitlines()
        reader.status = int(head[0].split()[1])
        reader.headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        return reader

    async def next(self) -> Event:
        """The next event, with the heartbeats and the notes between them."""
        while (end := self.body.find(b"\n\n", self._taken)) < 0:
            assert await self._read_chunk(), "the stream ended"
        raw = self.body[self._taken : end + 2]
        self._taken = end + 2
        return _event(raw)

    async def event(self) -> Event:
        """The next event that carries data."""
        while (event := await self.next()).data is None:
            pass
        return event

    async def events(self, how_many: int) -> list[Event]:
        """As many events that carry data."""
        return [await self.event() for _ in range(how_many)]

    async def rest(self) -> list[Event]:
        """Everything up to the end of the stream."""
        while await self._read_chunk():
            pass
        *pieces, _ = self.body[self._taken :].split(b"\n\n")
        return [_event(piece + b"\n\n") for piece in pieces]

    def hang_up(self) -> None:
        """Close the connection, as a browser does with its tab."""
        self._writer.close()

    async def _read_chunk(self) -> bool:
        try:
            async with asyncio.timeout(30):
                size = int(await self._stream.readuntil(b"\r\n"), 16)
                chunk = await self._stream.readexactly(size + 2)
        except (asyncio.IncompleteReadError, ConnectionResetError):
            return False
        self.body += chunk[:-2]
        self.is_complete = size == 0
        return size > 0


def _event(raw: bytes) -> Event:
    event = Event(raw=raw)
    for line in raw.decode().splitlines():
        name, _, value = line.partition(":")
        match name, value.removeprefix(" "):
            case "id", id_:
                event.id = int(id_)
            case "event", kind:
                event.name = kind
            case "data", data:
                event.data = msgspec.json.decode(data)
            case "retry", milliseconds:
                event.retry = int(milliseconds)
            case "", comment if line:
                event.comment = comment
    return event
