"""A lean HTTP/1.1 client: one kept connection, one request at a time.

Libraries for programs in earnest cost more than the routes that are measured here, and would be what is measured.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any, cast

import msgspec

HEAD_END = b"\r\n\r\n"
LENGTH = b"\r\ncontent-length:"
BODILESS = frozenset({204, 304})
SILENCE_SECONDS = 2.0


class ConnectionEnded(Exception):
    """The connection ended before the reply was whole: whether the request took effect is not known."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server answered."""

    status: int
    head: bytes
    body: bytes

    def json(self) -> Any:
        """The body, decoded; None when there is none."""
        return msgspec.json.decode(self.body) if self.body else None


def get(path: str, headers: Mapping[str, str] | None = None) -> bytes:
    """A GET as it goes over the wire."""
    further = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
    return f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{further}\r\n".encode()


def post(path: str, body: object = None, key: str | None = None, *, method: str = "POST") -> bytes:
    """A POST (or PUT) with a JSON body, if any, and an idempotency key, if any."""
    content = b"" if body is None else msgspec.json.encode(body)
    kind = "content-type: application/json\r\n" if content else ""
    keyed = f"idempotency-key: {key}\r\n" if key else ""
    head = f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{kind}{keyed}content-length: {len(content)}\r\n\r\n"
    return head.encode() + content


class Connection(asyncio.Protocol):
    """A connection to one server."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._received = bytearray()
        self._body_at = self._ends_at = 0
        self._reply: asyncio.Future[Reply] | None = None
        self.is_open = False

    @classmethod
    async def to(cls, port: int) -> "Connection":
        """A new connection to this port of the same machine; OSError when nobody listens."""
        _, connection = await asyncio.get_running_loop().create_connection(cls, "127.0.0.1", port)
        return connection

    async def ask(self, request: bytes) -> Reply:
        """The reply to a request, or ConnectionEnded."""
        if not self.is_open:
            raise ConnectionEnded
        self._reply = self._loop.create_future()
        self._transport.write(request)
        return await self._reply

    def close(self) -> None:
        """Hang up."""
        if self.is_open:
            self._transport.close()

    # Called by the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The server has picked up."""
        # uvloop's transports are none by inheritance.
        self._transport = cast("asyncio.Transport", transport)
        self.is_open = True

    def data_received(self, data: bytes) -> None:
        """A piece of a reply, mostly all of it."""
        received = self._received
        received += data
        if not self._ends_at and not self._find_ends():
            return
        if len(received) >= self._ends_at:
            head, body = bytes(received[: self._body_at]), bytes(received[self._body_at : self._ends_at])
            received.clear()
            self._ends_at = 0
            self._answer(Reply(int(head[9:12]), head, body))

    def connection_lost(self, exc: Exception | None) -> None:
        """The server hung up, or is no more."""
        self.is_open = False
        if self._reply and not self._reply.done():
            self._reply.set_exception(ConnectionEnded())

    def _find_ends(self) -> bool:
        received = self._received
        head_end = received.find(HEAD_END)
        if head_end < 0:
            return False
        self._body_at = head_end + len(HEAD_END)
        at = received.find(LENGTH, 0, head_end)
        assert at > 0 or int(received[9:12]) in BODILESS, "every reply with a body tells its length"
        line_end = received.find(b"\r", at + len(LENGTH))
        length = int(received[at + len(LENGTH) : line_end]) if at > 0 else 0
        self._ends_at = self._body_at + length
        return True

    def _answer(self, reply: Reply) -> None:
        if self._reply and not self._reply.done():
            self._reply.set_result(reply)


class Clients:
    """Several connections to one server that work off the same list of requests."""

    def __init__(self, port: int, count: int) -> None:
        self._port, self._count = port, count
        self._connections: list[Connection] = []
        self._used_at = 0.0

    async def pick_up(self) -> None:
        """Be connected. A server hangs up on those who have been silent for some seconds, so they call anew."""
        if monotonic() - self._used_at > SILENCE_SECONDS:
            self.hang_up()
            self._connections = [await Connection.to(self._port) for _ in range(self._count)]
            self._used_at = monotonic()

    async def ask(self, requests: Iterable[bytes], *, expected: frozenset[int]) -> list[Reply]:
        """The replies, in the order in which they came. One with another status than `expected` ends everything."""
        await self.pick_up()
        shared, replies = iter(requests), list[Reply]()
        async with asyncio.TaskGroup() as group:
            for connection in self._connections:
                group.create_task(_work_off(connection, shared, expected, replies))
        self._used_at = monotonic()
        return replies

    def hang_up(self) -> None:
        """Close every connection."""
        for connection in self._connections:
            connection.close()
        self._connections = []


async def _work_off(
    connection: Connection, requests: Iterator[bytes], expected: frozenset[int], replies: list[Reply]
) -> None:
    for request in requests:
        reply = await connection.ask(request)
        if reply.status not in expected:
            raise RuntimeError(f"{request!r}\nwas answered with {reply.status} {reply.body!r}")
        replies.append(reply)
