"""A network between a server process and its PostgreSQL, which breaks at the worst moment."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from enum import Enum, auto
from pathlib import Path

from sqlalchemy import URL, make_url

GREETINGS_WE_DECLINE = (80877103, 80877104)
"""Questions for TLS and for GSS encryption, asked before anything else."""

WRITING = (b"INSERT INTO facts ", b"INSERT INTO answers ")


class Cut(Enum):
    """When the connection of a transaction that writes is cut."""

    BEFORE_THE_COMMIT = auto()
    AFTER_THE_COMMIT = auto()


class Proxy:
    """Passes everything on, until it is told otherwise."""

    def __init__(self, database: URL) -> None:
        self._database = database
        self._to_cut: list[Cut] = []
        self._lines: set[_Line] = set()
        self._is_down = False
        self._goes_down_with_the_cut = False
        self.port = 0

    @property
    def address(self) -> str:
        """The database, through this proxy."""
        url = self._database.difference_update_query(["host"]).set(host="127.0.0.1", port=self.port)
        return url.render_as_string(hide_password=False)

    @property
    def has_cut(self) -> bool:
        """Whether everything was cut that was to be."""
        return not self._to_cut

    def cut(self, *when: Cut, and_go_down: bool = False) -> None:
        """The next transactions that write are cut, each at its moment, the last of them perhaps for longer."""
        self._to_cut += when
        self._goes_down_with_the_cut = and_go_down

    def go_down(self) -> None:
        """Cut everybody off, and let nobody in."""
        self._is_down = True
        for line in list(self._lines):
            line.hang_up()

    async def is_quiet(self) -> None:
        """Return when nothing is carried any more."""
        while self._lines:
            await asyncio.sleep(0.01)

    def come_back(self) -> None:
        """Pass everything on again."""
        self._is_down = False

    def next_cut(self) -> Cut | None:
        """What is to become of the commit that is about to pass."""
        if not self._to_cut:
            return None
        self._is_down = self._goes_down_with_the_cut and len(self._to_cut) == 1
        return self._to_cut.pop(0)

    async def accept(self, client_in: asyncio.StreamReader, client_out: asyncio.StreamWriter) -> None:
        """Connect somebody to the database."""
        if self._is_down:
            client_out.close()
            return
        line = _Line(self, client_in, client_out, *await self._dial())
        self._lines.add(line)
        await line.carry()
        self._lines.discard(line)

    async def _dial(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        host, port = self._database.query.get("host") or self._database.host, self._database.port or 5432
        assert isinstance(host, str)
        if host.startswith("/"):
            return await asyncio.open_unix_connection(Path(host) / f".s.PGSQL.{port}")
        return await asyncio.open_connection(host, port)


@asynccontextmanager
async def proxy_before(address: str) -> AsyncIterator[Proxy]:
    """A proxy before the database, as long as the block lasts."""
    proxy = Proxy(make_url(address))
    server = await asyncio.start_server(proxy.accept, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        proxy.go_down()
        await proxy.is_quiet()


class _Line:
    """One connection, understood as far as to know when something written is committed."""

    def __init__(
        self,
        proxy: Proxy,
        client_in: asyncio.StreamReader,
        client_out: asyncio.StreamWriter,
        server_in: asyncio.StreamReader,
        server_out: asyncio.StreamWriter,
    ) -> None:
        self._proxy = proxy
        self._client_in, self._client_out = client_in, client_out
        self._server_in, self._server_out = server_in, server_out
        self._prepared: dict[bytes, bytes] = {}
        self._writes = False
        self._is_hushed = False

    async def carry(self) -> None:
        """Carry messages both ways until one way ends."""
        ways = [asyncio.create_task(self._requests()), asyncio.create_task(self._answers())]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        self.hang_up()
        await asyncio.gather(*ways)

    def hang_up(self) -> None:
        """Cut both off, without a goodbye."""
        for end in (self._client_out, self._server_out):
            end.transport.abort()

    async def _requests(self) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            await self._greeting()
            while True:
                kind, body = await _message(self._client_in)
                cut = self._proxy.next_cut() if self._commits(kind, body) else None
                if cut is Cut.BEFORE_THE_COMMIT:
                    return
                self._is_hushed = self._is_hushed or cut is Cut.AFTER_THE_COMMIT
                await _send(self._server_out, kind, body)

    async def _answers(self) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                kind, body = await _message(self._server_in)
                if not self._is_hushed:
                    await _send(self._client_out, kind, body)
                elif kind == b"Z":
                    # The server is ready for more, so the commit is done; and nobody will hear of it.
                    return

    async def _greeting(self) -> None:
        while True:
            length = await self._client_in.readexactly(4)
            body = await self._client_in.readexactly(int.from_bytes(length) - 4)
            if int.from_bytes(body[:4]) not in GREETINGS_WE_DECLINE:
                self._server_out.write(length + body)
                return
            self._client_out.write(b"N")

    def _commits(self, kind: bytes, body: bytes) -> bool:
        """Whether this message ends a transaction that has written."""
        statement = self._statement(kind, body)
        self._writes = self._writes or statement.startswith(WRITING)
        if not statement.startswith((b"COMMIT", b"ROLLBACK")):
            return False
        ends_writing, self._writes = self._writes and statement.startswith(b"COMMIT"), False
        return ends_writing

    def _statement(self, kind: bytes, body: bytes) -> bytes:
        match kind:
            case b"Q":
                return body
            case b"P":
                name, statement = body.split(b"\0")[:2]
                self._prepared[name] = statement
                return statement
            case b"B":
                _, name = body.split(b"\0")[:2]
                return self._prepared.get(name, b"")
            case _:
                return b""


async def _message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    kind, length = await reader.readexactly(1), await reader.readexactly(4)
    return kind, await reader.readexactly(int.from_bytes(length) - 4)


async def _send(writer: asyncio.StreamWriter, kind: bytes, body: bytes) -> None:
    writer.write(kind + (len(body) + 4).to_bytes(4) + body)
    await writer.drain()
