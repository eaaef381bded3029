"""What a stranger may do with a connection: nothing that lasts, grows or keeps others out."""

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.settings import networks
from app.web.connections import PROBES_PLACES, Bounds, Connections, backlog, places
from app.web.guarded import BODY_BYTES, HEAD_BYTES, PIPELINED
from tests.api.conftest import Centre
from tests.api.served import served

PATIENCE_SECONDS = 30
LARGE = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
LIVEZ = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
STRANGERS = Bounds(most=1_000, of_one_address=1_000)


@dataclass
class Wire:
    """One connection, byte by byte."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    heard: bytearray = field(default_factory=bytearray)

    async def say(self, said: bytes) -> None:
        """Send, as far as the other side takes it."""
        try:
            self.writer.write(said)
            await self.writer.drain()
        except ConnectionError:
            pass

    async def reply(self) -> tuple[int, Any]:
        """The status and the JSON of the next answer."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            head = await self.reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"\r\ncontent-length: (\d+)", head)
            body = await self.reader.readexactly(int(length[1])) if length else b""
        return int(head[9:12]), json.loads(body) if body else None

    async def until_hung_up(self) -> bytes:
        """Whatever comes until the other side ends the connection."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                try:
                    piece = await self.reader.read(65536)
                except ConnectionError:
                    piece = b""
                if not piece:
                    return bytes(self.heard)
                self.heard += piece

    async def is_served(self) -> bool:
        """Whether a question is answered."""
        await self.say(LIVEZ)
        return (await self.reply())[0] == 200


class Strangers:
    """Whoever knocks at a server."""

    def __init__(self, address: str, connections: Connections, stack: AsyncExitStack) -> None:
        self._host, _, port = address.removeprefix("http://").partition(":")
        self._port = int(port)
        self._stack = stack
        self.connections = connections

    async def come(self, source: str = "127.0.0.1") -> Wire:
        """One more connection."""
        sock = socket.socket()
        # Else the kernel would keep megabytes for somebody who does not read.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
        sock.bind((source, 0))
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, (self._host, self._port))
        wire = Wire(*await asyncio.open_connection(sock=sock))
        self._stack.callback(wire.writer.close)
        return wire

    def refused(self, reason: str) -> float:
        """How often the server says it has refused somebody for this reason."""
        value = self.connections.registry.get_sample_value("queue_connections_refused_total", {"reason": reason})
        assert value is not None, reason
        return value

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until it is so."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not is_so():
                await asyncio.sleep(0.02)


@asynccontextmanager
async def strangers(centre: Centre, bounds: Bounds = STRANGERS, **patience: Any) -> AsyncIterator[Strangers]:
    """A server of the centre that bounds its connections so."""
    connections = Connections(bounds, **patience)
    async with served(centre.app, connections) as address, AsyncExitStack() as stack:
        yield Strangers(address, connections, stack)


async def test_a_head_of_sixteen_kibibytes_is_read_and_a_larger_one_is_not(centre: Centre) -> None:
    room = HEAD_BYTES - len(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nA: \r\n\r\n")
    async with strangers(centre) as others:
        fits, too_large, endless, in_lines, in_path = [await others.come() for _ in range(5)]
        await fits.say(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nA: " + b"a" * (room - 1) + b"\r\n\r\n")
        await too_large.say(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nA: " + b"a" * (room + 1) + b"\r\n\r\n")
        await endless.say(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nA: " + b"a" * 100_000)
        await in_lines.say(b"GET /livez HTTP/1.1\r\n" + b"a: b\r\n" * 20_000)
        await in_path.say(b"GET /" + b"a" * 100_000)

        assert (await fits.reply())[0] == 200
        for wire in (too_large, endless, in_lines, in_path):
            status, problem = await wire.reply()
            assert (status, problem["type"]) == (431, "/problems/head-too-large")
            assert problem["at_most_bytes"] == HEAD_BYTES
            assert await wire.until_hung_up() == b""
        assert others.refused("head_too_large") == 4


async def test_a_head_that_comes_in_many_small_pieces_is_counted_as_one(centre: Centre) -> None:
    async with strangers(centre) as others:
        wire = await others.come()
        await wire.say(b"GET /livez HTTP/1.1\r\n")
        for _ in range(HEAD_BYTES // 512 + 1):
            await wire.say(b"a: " + b"b" * 507 + b"\r\n")
            await asyncio.sleep(0.002)

        assert (await wire.reply())[0] == 431


async def test_many_heads_on_one_connection_are_each_counted_alone(centre: Centre) -> None:
    large = b"GET /livez HTTP/1.1\r\nHost: localhost\r\nA: " + b"a" * (HEAD_BYTES - 100) + b"\r\n\r\n"
    body = b'{"service": "' + b"a" * 40_000 + b'"}'
    post = b"POST /api/v1/offices/centre/tickets HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    async with strangers(centre) as others:
        wire = await others.come()
        await wire.say(large * 3)
        await wire.say(post + b"Content-Length: %d\r\n\r\n" % len(body) + body + large)

        assert [(await wire.reply())[0] for _ in range(5)] == [200, 200, 200, 422, 200]


async def test_eighty_megabytes_of_header_are_not_kept(centre: Centre) -> None:
    async with strangers(centre) as others:
        wire = await others.come()
        await wire.say(b"GET /livez HTTP/1.1\r\nAccept-Language: ")
        for _ in range(80):
            await wire.say(b"a" * 1_000_000)
        await wire.until_hung_up()

        assert others.refused("head_too_large") == 1
        assert await (await others.come()).is_served()


async def test_silent_half_sent_and_open_chunked_connections_are_closed(centre: Centre) -> None:
    chunked = b"POST /api/v1/offices/centre/tickets HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
    lengthy = b"POST /api/v1/offices/centre/tickets HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n"
    async with strangers(centre, head_seconds=0.5, body_seconds=1) as others:
        silent, half, blank, open_chunked, half_body = [await others.come() for _ in range(5)]
        await half.say(b"GET /livez HTTP/1.1\r\nHost:")
        await blank.say(b"\r\n\r\n")
        await open_chunked.say(chunked + b"Content-Type: application/json\r\n\r\n1\r\n{\r\n")
        await half_body.say(lengthy + b"Content-Type: application/json\r\n\r\n{")

        assert await silent.until_hung_up() == b""
        for wire in (half, blank, open_chunked, half_body):
            status, problem = await wire.reply()
            assert (status, problem["type"]) == (408, "/problems/request-too-slow")
            assert await wire.until_hung_up() == b""
        told = {reason: others.refused(reason) for reason in ("silent", "head_too_slow", "body_too_slow")}
        assert told == {"silent": 1, "head_too_slow": 2, "body_too_slow": 2}
        await others.until(lambda: others.connections.open == 0)


async def test_a_body_that_drips_is_ended_though_it_never_pauses(centre: Centre) -> None:
    async with strangers(centre, body_seconds=1) as others:
        wire = await others.come()
        await wire.say(b"PUT /api/v1/offices/centre HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        hanging_up = asyncio.create_task(wire.until_hung_up())
        while not hanging_up.done():
            await wire.say(b"1\r\n \r\n")
            await asyncio.sleep(0.05)

        assert others.refused("body_too_slow") == 1
        assert b"408 Request Timeout" in await hanging_up


async def test_a_second_request_may_not_take_its_time_either(centre: Centre) -> None:
    async with strangers(centre, head_seconds=0.5) as others:
        wire = await others.come()
        assert await wire.is_served()
        await asyncio.sleep(1.5)
        assert await wire.is_served(), "an idle connection is kept for longer than a head may take"
        await wire.say(b"GET /livez")

        assert (await wire.reply())[0] == 408


async def test_streams_live_longer_than_any_bound(centre: Centre) -> None:
    async with strangers(centre, head_seconds=0.3, body_seconds=0.3, idle_seconds=0.3, unread_seconds=0.3) as others:
        wire = await others.come()
        await wire.say(b"GET /api/v1/offices/centre/stream?view=facts HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await wire.reader.readuntil(b"retry: 2000\n\n")
        await asyncio.sleep(2)
        await centre.issue()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await wire.reader.readuntil(b'"kind":"Issued"')

        assert others.connections.open == 1


async def test_of_one_address_there_are_only_so_many_and_others_are_served(centre: Centre) -> None:
    async with strangers(centre, Bounds(most=100, of_one_address=5)) as others:
        for _ in range(5):
            await others.come("127.0.0.2")
        await others.until(lambda: others.connections.open == 5)
        status, problem = await (await others.come("127.0.0.2")).reply()

        assert (status, problem["type"]) == (503, "/problems/too-many-connections")
        assert others.refused("address") == 1
        assert await (await others.come("127.0.0.3")).is_served()


async def test_a_proxy_brings_as_many_as_there_are_and_a_known_device_has_a_place_always(centre: Centre) -> None:
    bounds = Bounds(10, 2, proxies=networks("127.0.0.2"), known=networks("127.0.0.8/30, ::1"))
    async with strangers(centre, bounds) as others:
        behind_proxy = [await others.come("127.0.0.2") for _ in range(10)]
        assert all([await wire.is_served() for wire in behind_proxy])
        # They are answering now, and nobody of them can be asked to make room.
        for wire in behind_proxy:
            await wire.say(b"GET /api/v1/offices/centre/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await wire.reader.readuntil(b"retry: 2000\n\n")
        stranger = await others.come("127.0.0.2")
        await stranger.say(b"GET /api/v1/offices HTTP/1.1\r\nHost: localhost\r\n\r\n")

        assert (await stranger.reply())[0] == 503
        known = [await others.come("127.0.0.9") for _ in range(5)]
        for wire in known:
            await wire.say(b"GET /api/v1/offices HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert [(await wire.reply())[0] for wire in known] == [200] * 5


async def test_probes_are_answered_by_a_server_that_is_full(centre: Centre) -> None:
    async with strangers(centre, Bounds(most=3, of_one_address=3)) as others:
        for number in range(3):
            wire = await others.come(f"127.0.0.{number + 2}")
            await wire.say(b"GET /api/v1/offices/centre/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await wire.reader.readuntil(b"retry: 2000\n\n")
        for number in range(2 * PROBES_PLACES):
            await others.come(f"127.0.1.{number + 1}")

        for path in (b"/livez", b"/readyz", b"/metrics"):
            probe = await others.come("127.0.2.1")
            await probe.say(b"GET %b HTTP/1.1\r\nHost: localhost\r\n\r\n" % path)
            async with asyncio.timeout(PATIENCE_SECONDS):
                assert (await probe.reader.readuntil(b"\r\n"))[9:12] == b"200"
        assert others.connections.open <= 3 + PROBES_PLACES + 3


async def test_who_is_idle_makes_room_and_who_is_served_does_not(centre: Centre) -> None:
    async with strangers(centre, Bounds(most=2, of_one_address=2)) as others:
        listener = await others.come("127.0.0.2")
        await listener.say(b"GET /api/v1/offices/centre/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await listener.reader.readuntil(b"retry: 2000\n\n")
        idle = await others.come("127.0.0.3")
        assert await idle.is_served()
        newcomer = await others.come("127.0.0.4")
        await newcomer.say(b"GET /api/v1/offices HTTP/1.1\r\nHost: localhost\r\n\r\n")

        assert (await newcomer.reply())[0] == 200
        assert await idle.until_hung_up() == b""
        assert others.refused("made_room") == 1
        await centre.issue()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await listener.reader.readuntil(b"data: ")


async def test_a_thousand_requests_at_once_on_one_connection_are_too_many(centre: Centre) -> None:
    async with strangers(centre) as others:
        wire = await others.come()
        await wire.say(LIVEZ * (PIPELINED // 2))
        assert [(await wire.reply())[0] for _ in range(PIPELINED // 2)] == [200] * (PIPELINED // 2)
        await wire.say(LIVEZ * 10_000)
        await wire.until_hung_up()

        assert others.refused("pipelined") == 1


async def test_a_body_without_end_is_not_read_to_its_end(centre: Centre) -> None:
    async with strangers(centre) as others:
        wire, trailing = await others.come(), await others.come()
        head = b"POST /api/v1/offices/centre/tickets HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        await wire.say(head)
        await trailing.say(head + b"0\r\na: ")
        for _ in range(2 * BODY_BYTES // 65536):
            await wire.say(b"10000\r\n" + b" " * 65536 + b"\r\n")
            await trailing.say(b"a" * 65536)
        await wire.until_hung_up()
        await trailing.until_hung_up()

        assert others.refused("body_too_large") + others.refused("malformed") == 2


async def test_what_is_no_http_is_refused_in_words_and_told_in_the_log_once(centre: Centre) -> None:
    async with strangers(centre) as others:
        with capture_logs() as logs:
            for _ in range(20):
                wire = await others.come()
                await wire.say(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 and so on\r\n\r\n")
                status, problem = await wire.reply()
                assert (status, problem["type"]) == (400, "/problems/malformed-request")

        assert others.refused("malformed") == 20
        assert [line["event"] for line in logs] == ["connections are refused"]
        assert logs[0]["reason"] == "malformed"


async def test_another_protocol_is_not_spoken_and_the_question_is_answered(centre: Centre) -> None:
    async with strangers(centre) as others:
        wire = await others.come()
        await wire.say(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")

        assert (await wire.reply())[0] == 200
        assert await wire.until_hung_up() == b""


async def test_answers_that_nobody_reads_are_bounded_together(centre: Centre) -> None:
    async with strangers(centre, unread_bytes=1_000_000) as others:
        for _ in range(40):
            wire = await others.come()
            wire.writer.transport.pause_reading()  # type: ignore[attr-defined]
            await wire.say(LARGE * PIPELINED)

            unread = others.connections.registry.get_sample_value("queue_unread_bytes")
            assert unread is not None
            assert unread <= 1_000_000
        await others.until(lambda: others.refused("unread") > 0)

        assert await (await others.come()).is_served()


async def test_an_answer_that_nobody_reads_does_not_stand_for_ever(centre: Centre) -> None:
    async with strangers(centre, unread_seconds=0.5, idle_seconds=0.5) as others:
        wires = [await others.come() for _ in range(3)]
        for wire in wires:
            wire.writer.transport.pause_reading()  # type: ignore[attr-defined]
            for _ in range(40):
                await wire.say(LARGE * 10)

        await others.until(lambda: others.connections.open == 0)


def test_descriptors_bound_what_settings_ask_for() -> None:
    few = places(Bounds(10_000, 1_000), 1_024)
    many = places(Bounds(10_000, 1_000), 20_000)

    assert few.most + PROBES_PLACES + backlog(1_024) < 1_024
    assert few.of_one_address <= few.most
    assert many == Bounds(10_000, 1_000)


@pytest.mark.parametrize("listed", ["10.0.0.0/33", "localhost", "10.0.0.1/8", "::g"])
def test_what_is_no_network_is_refused(listed: str) -> None:
    with pytest.raises(ValueError, match=r"network|bits|permitted|appear"):
        networks(listed)


def test_networks_are_listed_with_commas() -> None:
    assert networks("10.0.0.0/8, ::1,") == (ip_network("10.0.0.0/8"), ip_network("::1"))
