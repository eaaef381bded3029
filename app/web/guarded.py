"""uvicorn's protocol for HTTP/1.1, bounded: what a stranger sends is counted before the application hears of it."""

import asyncio
from functools import partial
from typing import Any, cast
from uuid import uuid4

import httptools
import msgspec
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from app.web.connections import Connections, Phase, Place
from app.web.languages import ENGLISH
from app.web.problems import MEDIA_TYPE, members, status_of
from app.web.refusals import HeadTooLarge, MalformedRequest, RequestTooSlow, TooManyConnections
from queue_core.errors import Refusal

HEAD_BYTES = 16 * 1024
"""Of a request line and its headers."""

BODY_BYTES = 8 * 1024 * 1024
"""Of a body as it comes over the wire, chunks and trailers with what frames them. What an application takes is less."""

PIPELINED = 16
"""Requests that may wait on a connection for the one before."""

HIGH_WATER_BYTES = 16 * 1024
"""What may wait unread on a connection before whoever sends has to wait."""

PROBES = frozenset({b"/livez", b"/readyz", b"/metrics"})


def guarded(connections: Connections) -> type[asyncio.Protocol]:
    """What a server makes its connections by."""
    return cast("type[asyncio.Protocol]", partial(Guarded, connections))


class Guarded(HttpToolsProtocol):
    """uvicorn's protocol, for a connection that may be a stranger's."""

    def __init__(
        self,
        connections: Connections,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.phase: Phase | None = None
        self.place: Place | None = None
        self.peer = ""
        self.on_probation = False
        self._among = connections
        self._is_refused = False
        self._has_spoken = self._has_asked = False
        self._head_is_open = False
        self._message_is_open = False
        self._begun = 0
        self._head_bytes = 0
        self._body_bytes = 0
        self._discarded = 0
        self._too_many = False
        self._has_read = False
        self._unread_before = 0

    # The connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody has come: they get a place, or are told that there is none."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=HIGH_WATER_BYTES)
        self.peer = self.client[0] if self.client else "unix"
        reason = self._among.admit(self)
        if reason is None:
            self._turn(self._among.probation if self.on_probation else self._among.head)
        else:
            self._refuse(reason, TooManyConnections(retry_after=5), linger=False)

    def connection_lost(self, exc: Exception | None) -> None:
        """They have gone."""
        super().connection_lost(exc)
        if self.phase is not None:
            self.phase.leave(self)
            self.phase = None
        self._among.leave(self)

    def data_received(self, data: bytes) -> None:
        """Take a part of what came, look at what it has led to, and go on only if that is within bounds."""
        self._unset_keepalive_if_required()
        self._has_spoken = True
        at = 0
        while at < len(data):
            if self._is_refused or self.transport.is_closing():
                self._discard(len(data) - at)
                return
            room = HEAD_BYTES - self._head_bytes
            # Mostly all of it, which then needs no copy.
            piece = data if at == 0 and len(data) <= room else data[at : at + room]
            at += len(piece)
            self._take(piece)

    def _take(self, piece: bytes) -> None:
        is_one = 0 if self._head_is_open else 1 if not self._message_is_open else None
        self._begun = 0
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade:
            # Nothing else is spoken here, so what was asked is answered, and nothing after it is understood.
            self.cycle.keep_alive = False
            self._message_is_open = False
        except httptools.HttpParserError:
            self._refuse("pipelined" if self._too_many else "malformed", MalformedRequest())
            return
        if self._is_refused:
            return
        if self._head_is_open:
            # What belongs to the message before is not its own; how much that is, the parser does not say.
            self._head_bytes += len(piece) if self._begun == is_one else 0
            if self._head_bytes >= HEAD_BYTES:
                self._refuse("head_too_large", HeadTooLarge(at_most_bytes=HEAD_BYTES))
                return
        elif self._message_is_open:
            self._body_bytes += len(piece)
            if self._body_bytes > BODY_BYTES:
                self._refuse("body_too_large", None)
                return
        self._settle()

    def _discard(self, size: int) -> None:
        # Whoever is still sending would be reset before they had read why.
        self._discarded += size
        if self._discarded > BODY_BYTES:
            self.transport.abort()

    # The parser

    def on_message_begin(self) -> None:
        """A request begins."""
        if len(self.pipeline) >= PIPELINED:
            self._too_many = True
            raise RuntimeError("too many requests wait on one connection")
        super().on_message_begin()
        self._has_asked = True
        self._begun += 1
        self._head_is_open = self._message_is_open = True
        self._head_bytes = self._body_bytes = 0

    def on_headers_complete(self) -> None:
        """A request's head is here."""
        self._head_is_open = False
        self._head_bytes = 0
        if self.on_probation and self.url.partition(b"?")[0] not in PROBES:
            self._refuse("full", TooManyConnections(retry_after=5))
            return
        super().on_headers_complete()
        if self.on_probation:
            self.cycle.keep_alive = False

    def _should_upgrade_to_ws(self) -> bool:
        return False

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, unless it comes after the body, where nobody looks."""
        if self._head_is_open:
            super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        """A piece of a body."""
        if not self._is_refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """A request is here as a whole."""
        self._message_is_open = False
        if not self._is_refused:
            super().on_message_complete()

    # The answer

    def on_response_complete(self) -> None:
        """A request is answered."""
        super().on_response_complete()
        if not self._is_refused:
            self._settle()

    def pause_writing(self) -> None:
        """What was sent is not read as fast as it comes."""
        super().pause_writing()
        self._among.unread(self, self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        """It has been read."""
        super().resume_writing()
        self._has_read = True
        self._among.read(self)

    # The phases

    def expire(self) -> None:
        """The phase has lasted too long."""
        match self.phase:
            case self._among.head | self._among.probation if not self._has_spoken:
                self._refuse("silent", None)
            case self._among.head | self._among.probation:
                self._refuse("head_too_slow", RequestTooSlow())
            case self._among.body:
                self._refuse("body_too_slow", RequestTooSlow())
            case self._among.answering:
                self._look_whether_it_is_read()
            case _:
                self.drop()

    def drop(self) -> None:
        """End the connection at once, with what was not read."""
        self._is_refused = True
        self._turn(self._among.closing)
        self.transport.abort()

    def _look_whether_it_is_read(self) -> None:
        unread = self.transport.get_write_buffer_size()
        if unread and (self.transport.is_closing() or (unread >= self._unread_before and not self._has_read)):
            self._refuse("unread", None)
            return
        self._unread_before, self._has_read = unread or 1, False
        self._turn(self._among.answering)

    def _settle(self) -> None:
        """Enter the phase that this connection is in by now."""
        if self.transport.is_closing():
            phase = self._among.closing
        elif self.on_probation and self._head_is_open:
            phase = self._among.probation
        elif self._head_is_open or not self._has_asked:
            phase = self._among.head
        elif self._message_is_open:
            phase = self._among.body
        elif self.pipeline or (self.cycle and not self.cycle.response_complete):
            phase = self._among.answering
        else:
            phase = self._among.idle
        if phase is not self.phase or self._begun:
            self._turn(phase)

    def _turn(self, phase: Phase) -> None:
        if self.phase is not None:
            self.phase.leave(self)
        self.phase = phase
        phase.enter(self, self.loop.time())

    def _refuse(self, reason: str, refusal: Refusal | None, *, linger: bool = True) -> None:
        """Answer with a refusal, unless another answer is under way, and hear nothing more."""
        self._is_refused = True
        self._among.refused(reason, self.peer)
        self._turn(self._among.closing)
        if refusal is None or self._is_answering() or self.pipeline or self.transport.is_closing():
            self.transport.abort()
            return
        self._leave_the_application()
        self.transport.write(_answer(refusal))
        if linger and self.transport.can_write_eof():
            self.transport.write_eof()
        else:
            self.transport.close()

    def _is_answering(self) -> bool:
        return bool(self.cycle and self.cycle.response_started and not self.cycle.response_complete)

    def _leave_the_application(self) -> None:
        """For the application it is as if the other side had hung up."""
        if self.cycle and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()


def _answer(refusal: Refusal) -> bytes:
    """A refusal as it goes over the wire. What language was asked for is not known yet."""
    body = msgspec.json.encode(members(refusal, uuid4().urn, ENGLISH))
    retry = b"retry-after: 5\r\n" if "retry_after" in refusal.particulars else b""
    return b"".join(
        [
            STATUS_LINE[status_of(type(refusal))],
            b"content-type: %b\r\ncontent-language: en\r\n" % MEDIA_TYPE.encode(),
            b"content-length: %d\r\nconnection: close\r\n" % len(body),
            retry,
            b"\r\n",
            body,
        ]
    )
