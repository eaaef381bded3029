"""An office's stream: its whole state, or every fact, to everybody who listens.

A listener costs a few small tasks and a bounded buffer. An event is encoded once, and all are handed the same bytes.
Whoever does not read is let go, and resumes by the id of the last event that arrived.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from itertools import count
from time import monotonic, thread_time
from typing import Any

import msgspec
import structlog
from prometheus_client import CollectorRegistry, Counter
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.engine import Engine
from app.journal import Journal, JournalDown, Recorded
from app.watch import Provisional
from queue_core.facts import Fact
from queue_core.hall import Hall

log = structlog.get_logger(__name__)

Snapshot = Callable[[Hall, datetime], bytes]
"""A hall as its screens are sent it, as JSON in one line."""

HEADERS = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
HEARTBEAT = b":\n\n"

TOLD_SECONDS = 60.0
"""How often the log tells of listeners who do not read; a counter has them all."""

FIRST_BEAT_SECONDS = 1.0

GOODBYE_SECONDS = 1.0
"""How long a server that stops waits for a listener."""

PAGE = 100
"""Missed facts that are read from the journal at once."""

PAGES_KEPT = 256
"""Encoded, because many who were cut off come back to the same place."""


class View(StrEnum):
    """What a stream carries.

    Whole states, of which only the last counts; facts, of which none may be missing; or a beat of the office's pulse,
    for somebody who may see little and asks for it anew.
    """

    STATE = "state"
    FACTS = "facts"
    PULSE = "pulse"


class LiveHub:
    """Everybody who listens, office by office.

    `pace_seconds` is the least time between two snapshots of one office; the first of a burst is sent at once. Who
    comes back and has missed more facts than `catch_up` is told to `resync`. `buffer_bytes` is the most that is kept
    for a slow reader, and `all_buffers_bytes` for all of them together.
    """

    def __init__(
        self,
        engine: Engine,
        snapshot: Snapshot,
        *,
        heartbeat_seconds: float = 15.0,
        pace_seconds: float = 0.2,
        catch_up: int = 10_000,
        buffer_bytes: int = 256 * 1024,
        all_buffers_bytes: int = 32 * 1024 * 1024,
    ) -> None:
        self.engine = engine
        self.heartbeat_seconds = heartbeat_seconds
        self.pace_seconds = pace_seconds
        self.catch_up = catch_up
        self.buffer_bytes = buffer_bytes
        self.all_buffers_bytes = all_buffers_bytes
        self.buffered_bytes = 0
        self.registry = CollectorRegistry()
        dropped = Counter("queue_streams_dropped", "Streams that nobody read", ["reason"], registry=self.registry)
        self._dropped = {reason: dropped.labels(reason) for reason in ("memory", "slow")}
        self._told_at = -TOLD_SECONDS
        self._reading = asyncio.Lock()
        self._pages: dict[tuple[str, int], tuple[bytes, int]] = {}
        self._snapshot = snapshot
        self._audiences: dict[str, _Audience] = {}
        self._stopped = False
        engine.subscribe(self._committed)

    async def stream(
        self, office_id: str, view: View = View.STATE, *, after: int | None = None, last_event_id: str | None = None
    ) -> Response:
        """The stream as a response that has not begun yet; UnknownOffice when there is no such office.

        Facts follow the one numbered `after`, or `last_event_id` for somebody who comes back; else they begin now.
        """
        await self.engine.hall(office_id)
        return _Stream(self, office_id, view, _cursor(after, last_event_id))

    async def visitor_stream(self, office_id: str, ticket: str) -> Response:
        """The office's pulse for the visitor with this ticket, whose own steps are told from all others."""
        await self.engine.hall(office_id)
        return _Stream(self, office_id, View.PULSE, ticket=ticket)

    def stop(self) -> None:
        """End every stream. To be called before the server waits for its connections to close."""
        self._stopped = True
        for audience in self._audiences.values():
            audience.end()

    @property
    def listeners(self) -> int:
        """How many listen now."""
        return sum(len(audience.listeners) for audience in self._audiences.values())

    def enter(self, office_id: str, listener: "_Listener") -> "_Audience":
        """The office's audience, with the listener in it."""
        audience = self._audiences.get(office_id)
        if audience is None:
            audience = self._audiences[office_id] = _Audience(self, office_id)
        audience.listeners.add(listener)
        if self._stopped:
            listener.end()
        return audience

    def leave(self, audience: "_Audience", listener: "_Listener") -> None:
        """Forget a listener, and with the last one all that was kept for the office."""
        audience.forget(listener)
        if not audience.listeners:
            audience.end()
            self._audiences.pop(audience.office_id, None)

    async def page_after(self, office_id: str, seq: int) -> tuple[bytes, int]:
        """What follows a fact, as events up to the next whole page, and the last of them.

        One page is read at a time, for all who catch up: how many they are, and how far behind, others must not feel.
        """
        if kept := self._pages.get((office_id, seq)):
            return kept
        async with self._reading:
            if kept := self._pages.get((office_id, seq)):
                return kept
            missed = await self.engine.ask(_facts_after(office_id, seq, PAGE - seq % PAGE))
            began = thread_time()
            page = b"".join(map(_fact_event, missed)), missed[-1].seq
            if page[1] % PAGE == 0:
                self._pages[office_id, seq] = page
                if len(self._pages) > PAGES_KEPT:
                    del self._pages[next(iter(self._pages))]
            await asyncio.sleep(thread_time() - began)
        return page

    def let_go(self, reason: str) -> None:
        """Count a stream that nobody reads; the first of many is told in the log."""
        self._dropped[reason].inc()
        if monotonic() - self._told_at >= TOLD_SECONDS:
            self._told_at = monotonic()
            log.info("a listener that does not read is let go", reason=reason)

    def make_room(self) -> None:
        """Let go of those for whom most is kept, until all buffers together are within their bound."""
        listeners = [each for audience in self._audiences.values() for each in audience.listeners]
        for listener in sorted(listeners, key=lambda each: -each.buffered_bytes):
            if self.buffered_bytes <= self.all_buffers_bytes:
                return
            listener.drop("memory")

    def state_event(self, hall: Hall) -> bytes:
        """A hall as an event for its screens."""
        return b"id: %d\ndata: %b\n\n" % (hall.seq, self._snapshot(hall, self.engine.clock.now()))

    def tell_provisional(self, provisional: Provisional, _hall: Hall) -> None:
        """Send on what the watch tells from memory. It has no id: whoever comes back goes on from the last fact."""
        audience = self._audiences.get(provisional.office_id)
        if audience:
            audience.told(_provisional_event(provisional))

    def _committed(self, office_id: str, _hall: Hall, facts: Sequence[Recorded]) -> None:
        audience = self._audiences.get(office_id)
        if audience:
            audience.committed(facts)


class _Stream(Response):
    """One request for a stream, as the server runs it."""

    def __init__(
        self, hub: LiveHub, office_id: str, view: View, cursor: int | None = None, *, ticket: str | None = None
    ) -> None:
        # Without a body there is no Content-Length, so Response's own beginning is left out.
        self.status_code = 200
        self.background = None
        self.init_headers(HEADERS)
        self._hub, self._office_id, self._view, self._cursor, self._ticket = hub, office_id, view, cursor, ticket

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        # A task of its own for what is sent: waking this one goes through every layer of the application.
        sending = asyncio.create_task(self._send(send))
        watching = asyncio.create_task(_until_gone(receive))
        try:
            await asyncio.wait((sending, watching), return_when=asyncio.FIRST_COMPLETED)
            if sending.done() and not sending.cancelled():
                sending.result()
        finally:
            sending.cancel()
            watching.cancel()

    async def _send(self, send: Send) -> None:
        listener = _Listener(send, self._hub)
        listener.is_visitor, listener.ticket = self._view is View.PULSE, self._ticket
        audience = self._hub.enter(self._office_id, listener)
        try:
            await listener.begin(self.raw_headers)
            await self._go_live(audience, listener)
            await listener.send_until_ended()
        finally:
            listener.close()
            self._hub.leave(audience, listener)

    async def _go_live(self, audience: "_Audience", listener: "_Listener") -> None:
        """Send what was, then all that comes: between the last look at the hall and the entry nobody else runs."""
        match self._view:
            case View.STATE:
                listener.replace(await audience.state())
                audience.screens.add(listener)
            case View.PULSE:
                listener.replace(_pulse_event((await self._hub.engine.hall(self._office_id)).seq))
                audience.visitors.add(listener)
            case View.FACTS:
                try:
                    await self._catch_up(listener)
                except JournalDown:
                    listener.end()
                audience.followers.add(listener)

    async def _catch_up(self, listener: "_Listener") -> None:
        """Everything missed, from the journal. On return the listener is level with the hall, which has not moved."""
        engine = self._hub.engine
        listener.seq = (await engine.hall(self._office_id)).seq
        if self._cursor is not None and not await self._goes_on_from(self._cursor, listener.seq):
            await listener.send(b'event: resync\nid: %d\ndata: {"seq":%d}\n\n' % (listener.seq, listener.seq))
        else:
            listener.seq = listener.seq if self._cursor is None else self._cursor
            # An id without data: somebody cut off before the first fact comes back to this place too.
            await listener.send(b"id: %d\n\n" % listener.seq)
        while listener.seq < (await engine.hall(self._office_id)).seq and not listener.has_ended:
            missed, listener.seq = await self._hub.page_after(self._office_id, listener.seq)
            await listener.send(missed)

    async def _goes_on_from(self, cursor: int, seq: int) -> bool:
        """Whether what follows `cursor` can be told: it is not too much, and the cursor is one of this journal."""
        if cursor > seq:
            # Another process may have told of facts that this one is only about to hear of.
            return bool(await self._hub.engine.ask(_facts_after(self._office_id, cursor - 1, 1)))
        return cursor >= 0 and seq - cursor <= self._hub.catch_up


class _Audience:
    """Everybody who listens to one office: screens to its state, followers to its facts, visitors to its pulse."""

    def __init__(self, hub: LiveHub, office_id: str) -> None:
        self.office_id = office_id
        self.listeners: set[_Listener] = set()
        self.screens: set[_Listener] = set()
        self.followers: set[_Listener] = set()
        self.visitors: set[_Listener] = set()
        self._hub = hub
        self._painting = b""
        self._painted_seq = -1
        self._painted_at = 0.0
        self._painter: asyncio.Task[None] | None = None
        self._is_stale = False

    def committed(self, facts: Sequence[Recorded]) -> None:
        """Send on what has happened."""
        if self.followers:
            self._tell(facts)
        if self.visitors:
            seq, touched = facts[-1].seq, {line.ticket_id for line in facts}
            event, own_event = _pulse_event(seq), _pulse_event(seq, b',"yours":true')
            for visitor in self.visitors:
                visitor.replace(own_event if visitor.ticket in touched else event)
        if self.screens:
            self._is_stale = True
            self._painter = self._painter or asyncio.create_task(self._paint())

    def told(self, event: bytes) -> None:
        """Send on what is no fact yet, though never to visitors: it is about somebody else."""
        for listener in self.listeners:
            if not listener.is_visitor:
                listener.add(event)

    async def state(self) -> bytes:
        """The state as it is now, painted once for all who ask at about the same time."""
        hall = await self._hub.engine.hall(self.office_id)
        now = monotonic()
        if self._painted_seq != hall.seq or now - self._painted_at > self._hub.pace_seconds:
            self._painting = self._hub.state_event(hall)
            self._painted_seq, self._painted_at = hall.seq, now
        return self._painting

    def forget(self, listener: "_Listener") -> None:
        """Send nothing more to a listener."""
        for listeners in (self.listeners, self.screens, self.followers, self.visitors):
            listeners.discard(listener)

    def end(self) -> None:
        """Send nothing more to anybody."""
        if self._painter:
            self._painter.cancel()
        for listener in self.listeners:
            listener.end()

    def _tell(self, facts: Sequence[Recorded]) -> None:
        events = [_fact_event(fact) for fact in facts]
        all_events = b"".join(events)
        for follower in self.followers:
            if follower.seq < facts[0].seq:
                follower.add(all_events)
            elif follower.seq < facts[-1].seq:
                follower.add(b"".join(events[follower.seq - facts[0].seq + 1 :]))
            follower.seq = max(follower.seq, facts[-1].seq)

    async def _paint(self) -> None:
        """Paint until nothing new has come during a rest: states may be skipped, but never the last."""
        try:
            while self._is_stale and self.screens:
                self._is_stale = False
                painting = await self.state()
                for screen in self.screens:
                    screen.replace(painting)
                await asyncio.sleep(self._hub.pace_seconds)
        except Exception:
            # A screen that hears only heartbeats would show an old state as if it were live.
            log.exception("the office could not be painted", office=self.office_id)
            for screen in self.screens:
                screen.end()
        finally:
            self._painter = None


class _Listener:
    """One connection: what is still to be sent, and the sending of it. `seq` is the last fact it was given."""

    _numbers = count()

    def __init__(self, send: Send, hub: LiveHub) -> None:
        task = asyncio.current_task()
        assert task
        self.seq = 0
        self.is_visitor = False
        self.ticket: str | None = None
        self.has_ended = False
        self._is_dropped = False
        self._task = task
        self._send = send
        self._number = next(self._numbers)
        self._buffer: list[bytes] = []
        self.buffered_bytes = 0
        self._hub = hub
        self._news = asyncio.Event()
        self._is_sending = False
        self._sent = 0
        self._sent_at_beat = 0
        # The first beat comes early: a page that hears it knows that nobody holds its stream back.
        first = min(FIRST_BEAT_SECONDS, hub.heartbeat_seconds)
        self._timer = asyncio.get_running_loop().call_later(first, self._first_beat)

    async def begin(self, headers: list[tuple[bytes, bytes]]) -> None:
        """Send the response's head."""
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})
        await self.send(b"retry: 2000\n\n")

    async def send_until_ended(self) -> None:
        """Send whatever is added, until the end."""
        while self._buffer or not self.has_ended:
            await self._news.wait()
            self._news.clear()
            if self._buffer:
                chunk = self._buffer[0] if len(self._buffer) == 1 else b"".join(self._buffer)
                self._forget()
                await self.send(chunk)
        # Not everybody at once: a thousand screens come back to a server that has just started.
        goodbye = b": goodbye\nretry: %d\n\n" % (1000 + self._number * 37 % 4000)
        await self.send(goodbye, more_body=False)

    async def send(self, chunk: bytes, *, more_body: bool = True) -> None:
        """Send now; waits while the reader is slow."""
        self._is_sending = True
        await self._send({"type": "http.response.body", "body": chunk, "more_body": more_body})
        self._is_sending = False
        self._sent += 1

    def add(self, chunk: bytes) -> None:
        """Send this after everything else."""
        # One commit, however large, is no sign of a slow reader.
        if self._buffer and self.buffered_bytes + len(chunk) > self._hub.buffer_bytes:
            self._drop()
        if self._is_dropped:
            return
        self._buffer.append(chunk)
        self._news.set()
        self._keep(len(chunk))

    def replace(self, chunk: bytes) -> None:
        """Send this, and nothing that has not been sent before it."""
        self._buffer = [chunk]
        self._news.set()

    def end(self) -> None:
        """Send what is left and a goodbye, if the reader takes them soon."""
        self.has_ended = True
        self._news.set()
        self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(GOODBYE_SECONDS, self._drop)

    def close(self) -> None:
        """Let go of the timer."""
        self._timer.cancel()
        self._forget()

    def drop(self, reason: str) -> None:
        """Let go of a reader who does not read."""
        self._is_dropped = True
        self._forget()
        # A task that waits for a reader who does not read can only be cancelled.
        if not self._task.cancelling():
            self._hub.let_go(reason)
            self._task.cancel()

    def _drop(self) -> None:
        self.drop("slow")

    def _forget(self) -> None:
        self._buffer = []
        self._keep(-self.buffered_bytes)

    def _keep(self, size: int) -> None:
        self.buffered_bytes += size
        self._hub.buffered_bytes += size
        if size > 0 and self._hub.buffered_bytes > self._hub.all_buffers_bytes:
            self._hub.make_room()

    def _beat_later(self) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(self._hub.heartbeat_seconds, self._beat)

    def _first_beat(self) -> None:
        if not self._is_sending and not self._buffer:
            self.add(HEARTBEAT)
        self._timer = self._beat_later()

    def _beat(self) -> None:
        """Keep a quiet connection alive; give up one that has not taken anything since the last beat."""
        if self._is_sending and self._sent == self._sent_at_beat:
            self._drop()
            return
        if not self._is_sending and not self._buffer:
            self.add(HEARTBEAT)
        self._sent_at_beat = self._sent
        self._timer = self._beat_later()


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _cursor(after: int | None, last_event_id: str | None) -> int | None:
    """The last fact that somebody has. One who comes back still has the old `after` in the address."""
    if not last_event_id:
        return after
    return int(last_event_id) if last_event_id.isdecimal() and len(last_event_id) < 20 else -1


def _facts_after(office_id: str, seq: int, limit: int) -> Callable[[Journal], list[Recorded]]:
    return lambda journal: journal.facts_after(office_id, seq, limit)


def _pulse_event(seq: int, more: bytes = b"") -> bytes:
    return b'id: %d\ndata: {"seq":%d%b}\n\n' % (seq, seq, more)


def _fact_event(line: Recorded) -> bytes:
    body = {"seq": line.seq, "at": _instant(line.at), "kind": line.kind} | _fields(line.fact)
    return b"id: %d\ndata: %b\n\n" % (line.seq, msgspec.json.encode(body))


def _provisional_event(provisional: Provisional) -> bytes:
    fact = provisional.fact
    body = {"kind": provisional.kind} | _fields(fact) | {"stands": provisional.stands}
    return b"event: provisional\ndata: %b\n\n" % msgspec.json.encode(body)


def _fields(fact: Fact) -> dict[str, Any]:
    fields = msgspec.to_builtins(fact, builtin_types=(datetime,))
    return {name: _instant(value) if isinstance(value, datetime) else value for name, value in fields.items()}


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC).isoformat(timespec='milliseconds')[:-6]}Z"
