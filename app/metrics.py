"""The hall's series for Prometheus, read from the halls in memory at the moment of the scrape.

A restart or a second process changes nothing in them: counters are tallies folded from the journal, gauges are counted
anew. Thousands of offices come to tens of megabytes of text, of which little changes between two scrapes. So the text
is kept in pieces, the lines of one family for one office, and only pieces that changed are written again.
"""

import asyncio
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from itertools import accumulate, product, repeat
from time import monotonic, perf_counter, thread_time
from typing import Any

from prometheus_client import CollectorRegistry, Gauge, GCCollector, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.clock import SystemClock
from app.engine import HIDDEN, Engine
from app.journal import Recorded
from app.watch import Watch
from queue_core.facts import Breached, Outcome
from queue_core.hall import CounterState, Hall
from queue_core.office import Channel, Office
from queue_core.tallies import BUCKETS, WAIT_OUTCOMES

SLICE_SECONDS = 0.01
"""How long a scrape may write before others have their turn."""

WANTED_SECONDS = 120.0
"""Whoever has scraped will scrape again within this time."""

AHEAD_SECONDS = 1.0
AHEAD_RESTS = 10
"""Between scrapes, writing rests at least so long, and so many times as long as it took. A busy office is not written
after every fact, and scrapes come every few seconds."""

GROUP = 16
"""Offices whose pieces are joined once and kept so. More would be joined again too often, fewer saves too little."""

CHUNK_BYTES = 256 * 1024
"""What is handed to the server at once."""

DETECTION_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600)

FOREVER = datetime.max.replace(tzinfo=UTC)


class Metrics:
    """What `/metrics` answers: all halls, and how this process does."""

    def __init__(self, engine: Engine, watch: Watch, further: Iterable[CollectorRegistry] = ()) -> None:
        self._engine = engine
        self._further = [engine.registry, *further]
        self._plain = HallsText(engine, bytes)
        self._zipped = HallsText(engine, _gzip_member)
        self._registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self._registry)
        self._detection_delay = Histogram(
            "queue_breach_detection_delay_seconds",
            "From the instant a limit passed to the record of it",
            buckets=DETECTION_SECONDS,
            registry=self._registry,
        )
        pulse = Gauge(
            "queue_watch_last_success_timestamp_seconds",
            "When the watch last looked at all halls; 0 before it ever did",
            registry=self._registry,
        )
        pulse.set_function(watch.last_success.timestamp)
        if isinstance(engine.clock, SystemClock):
            _tell_clock(engine.clock, self._registry)
        engine.subscribe(self._committed)

    async def answer(self, headers: Mapping[str, str]) -> Response:
        """The text as it is now, for a client that sent these headers."""
        zipped = _is_zipped_for(headers)
        halls = await (self._zipped if zipped else self._plain).blocks()
        process = b"".join(map(generate_latest, [self._registry, *self._further]))
        if zipped:
            return _Scrape([*halls, _gzip_member(process)], {"Content-Encoding": "gzip"})
        return _Scrape([*halls, process], {})

    def _committed(self, _office_id: str, _hall: Hall, facts: Sequence[Recorded]) -> None:
        for line in facts:
            if isinstance(line.fact, Breached):
                self._detection_delay.observe((line.fact.at - line.fact.due).total_seconds())


def _tell_clock(clock: SystemClock, registry: CollectorRegistry) -> None:
    ahead = Gauge(
        "queue_journal_ahead_of_clock_seconds",
        "How far the hall's time is ahead of the machine's clock; below 0 when the clock is ahead",
        registry=registry,
    )
    ahead.set_function(lambda: -clock.off.total_seconds())
    shown = Gauge("queue_clock_timestamp_seconds", "What the machine's clock shows, right or wrong", registry=registry)
    shown.set_function(lambda: clock.machine_time(clock.elapsed()))


class _Scrape(Response):
    """A text of many blocks. It is never joined as a whole: to find room for it would cost more than to send it."""

    def __init__(self, blocks: list[bytes], headers: Mapping[str, str]) -> None:
        length = {"Content-Length": str(sum(map(len, blocks)))}
        # Response's own beginning wants the whole body at once, to measure it.
        self.status_code = 200
        self.background = None
        self.init_headers({"Content-Type": CONTENT_TYPE_PLAIN_0_0_4, "Cache-Control": "no-store", **headers, **length})
        self._blocks = blocks

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        for chunk in _chunks(self._blocks):
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def _chunks(blocks: list[bytes]) -> Iterator[bytes]:
    """The blocks, put together up to a size that is worth sending."""
    first = size = 0
    for number, block in enumerate(blocks, 1):
        size += len(block)
        if size >= CHUNK_BYTES or number == len(blocks):
            yield b"".join(blocks[first:number])
            first, size = number, 0


# The text


class HallsText:
    """The halls' families as text, every piece of it encoded for one kind of client."""

    def __init__(self, engine: Engine, encode: Callable[[bytes], bytes]) -> None:
        self._engine = engine
        self._encode = encode
        self._heads = [encode(family.head.encode()) for family in FAMILIES]
        self._offices: dict[str, _OfficeText] = {}
        self._groups: list[_Group] = []
        self._changed: set[str] = set()
        self._writing_ahead: asyncio.Task[None] | None = None
        self._wanted_until = 0.0
        engine.subscribe(self._committed)

    async def blocks(self) -> list[bytes]:
        """The whole text as it is now. Every office is consistent in itself."""
        self._wanted_until = monotonic() + WANTED_SECONDS
        await self._write()
        return [block for family, head in enumerate(self._heads) for block in (head, *self._blocks(family))]

    def _blocks(self, family: int) -> Iterator[bytes]:
        return (group.block(family) for group in self._groups)

    async def _write(self, office_ids: Iterable[str] | None = None) -> None:
        """Write anew what is not true any more, of these offices or of all."""
        halls, now = await self._engine.halls(), self._engine.clock.now()
        ends = perf_counter() + SLICE_SECONDS
        for office_id in self._outdated(halls if office_ids is None else {id_: halls[id_] for id_ in office_ids}, now):
            self._office(office_id).write(halls[office_id], now)
            if perf_counter() > ends:
                await asyncio.sleep(0)
                halls, now = await self._engine.halls(), self._engine.clock.now()
                ends = perf_counter() + SLICE_SECONDS

    def _outdated(self, halls: Mapping[str, Hall], now: datetime) -> list[str]:
        # The one loop over all offices that every scrape pays for.
        texts = self._offices
        return [
            office_id
            for office_id, hall in halls.items()
            if (text := texts.get(office_id)) is None or text.seq != hall.seq or not text.since <= now < text.until
        ]

    def _committed(self, office_id: str, _hall: Hall, _facts: Sequence[Recorded]) -> None:
        if office_id.startswith(HIDDEN):
            return
        if monotonic() < self._wanted_until:
            self._changed.add(office_id)
            self._writing_ahead = self._writing_ahead or asyncio.create_task(self._write_ahead())

    async def _write_ahead(self) -> None:
        """Write what has changed before a scrape asks for it: the same work, but little by little."""
        try:
            took = 0.0
            while self._changed:
                await asyncio.sleep(max(AHEAD_SECONDS, took * AHEAD_RESTS))
                changed, self._changed = self._changed, set()
                began = thread_time()
                await self._write(changed)
                took = thread_time() - began
        finally:
            self._writing_ahead = None

    def _office(self, office_id: str) -> "_OfficeText":
        text = self._offices.get(office_id)
        if text is None:
            text = self._offices[office_id] = _OfficeText(office_id, self._group_with_room(), self._encode)
        return text

    def _group_with_room(self) -> "_Group":
        if not self._groups or len(self._groups[-1].offices) == GROUP:
            self._groups.append(_Group())
        return self._groups[-1]


class _Group:
    """Some offices, with their pieces of each family joined."""

    def __init__(self) -> None:
        self.offices: list[_OfficeText] = []
        self.blocks: dict[int, bytes] = {}

    def block(self, family: int) -> bytes:
        """The pieces of all offices, one after the other."""
        block = self.blocks.get(family)
        if block is None:
            block = self.blocks[family] = b"".join([office.pieces[family] for office in self.offices])
        return block


class _OfficeText:
    """One office's pieces, as they were at `seq`; they stay true from `since` until `until` if nothing happens."""

    def __init__(self, office_id: str, group: _Group, encode: Callable[[bytes], bytes]) -> None:
        self.seq = -1
        self.since = self.until = FOREVER
        self.pieces: dict[int, bytes] = {}
        self._label = _escaped(office_id)
        self._encode = encode
        self._group = group
        self._marks: dict[int, tuple[object, ...]] = {}
        self._office: Office | None = None
        self._services: tuple[str, ...] = ()
        group.offices.append(self)

    def write(self, hall: Hall, now: datetime) -> None:
        """Write the pieces whose figures have changed."""
        if self._office is not hall.office:
            self._office, self._services, self._marks = hall.office, _services(hall), {}
        figures, self.until = _figures(hall, now)
        self.seq, self.since = hall.seq, now
        for family, lines in enumerate(_lines(self._services)):
            mark = lines.mark(figures)
            if mark != self._marks.get(family):
                self._marks[family] = mark
                self.pieces[family] = self._encode(lines.text(self._label, figures).encode())
                self._group.blocks.pop(family, None)


# The families

Key = tuple[str, ...]
"""The name of a figure: a tally's, or one of those that `_figures` adds."""

Figures = dict[Key, Any]

OFFICE = "\0"
"""Stands in templates for the office, so that offices with the same services share them."""

CHANNELS = tuple(channel.value for channel in Channel)
COUNTER_STATES = ("open", "serving", "paused", "closed")
OF_THE_OFFICE = ()


@dataclass(frozen=True, slots=True)
class _Family:
    """A metric, its further labels with their values (OF_THE_OFFICE: its services), and the figure for each line.

    A figure that nothing is known of is `nothing`.
    """

    name: str
    kind: str
    help: str
    labels: Mapping[str, tuple[str, ...]]
    key: Callable[..., Key]
    nothing: float | str = 0

    @property
    def head(self) -> str:
        """What comes before the first line."""
        return f"# HELP {self.name} {self.help}\n# TYPE {self.name} {self.kind}\n"

    def lines(self, services: tuple[str, ...]) -> "_Lines":
        """Its lines for an office with these services."""
        rows = list(product(*(values or services for values in self.labels.values())))
        labels = [",".join(map(_label, ("office", *self.labels), (OFFICE, *row))) for row in rows]
        keys = [self.key(*row) for row in rows]
        if self.kind == "histogram":
            return _histograms(self.name, labels, keys)
        template = "".join(f"{self.name}{{{_literally(each)}}} %s\n" for each in labels)
        return _Lines(tuple(keys), tuple(keys), template, self.nothing)


@dataclass(frozen=True, slots=True)
class _Lines:
    """A family's lines for one office: the names of the figures in them, and the text around these.

    No figure changes without one of the `telling`: of a histogram the first bucket and the sum, because what adds
    nothing to the sum falls into the first bucket.
    """

    keys: tuple[Key, ...]
    telling: tuple[Key, ...]
    template: str
    nothing: float | str = 0
    are_histograms: bool = False

    def mark(self, figures: Figures) -> tuple[float | str, ...]:
        """Something that is different whenever the text is."""
        return tuple(map(figures.get, self.telling, repeat(self.nothing)))

    def text(self, office: str, figures: Figures) -> str:
        """The lines of one office."""
        values = tuple(map(figures.get, self.keys, repeat(self.nothing)))
        if self.are_histograms:
            values = tuple(_cumulative(values))
        return (self.template % values).replace(OFFICE, office)


def _histograms(name: str, labels: list[str], keys: list[Key]) -> _Lines:
    template = ""
    for each in map(_literally, labels):
        template += "".join(f'{name}_bucket{{{each},le="{bucket}"}} %s\n' for bucket in BUCKETS)
        template += f"{name}_sum{{{each}}} %s\n{name}_count{{{each}}} %s\n"
    parts = (*BUCKETS, "sum")
    telling = (BUCKETS[0], "sum")
    return _Lines(tuple(_parts(keys, parts)), tuple(_parts(keys, telling)), template, are_histograms=True)


def _parts(keys: list[Key], parts: tuple[str, ...]) -> Iterator[Key]:
    return ((*key, part) for key in keys for part in parts)


def _cumulative(values: tuple[Any, ...]) -> Iterator[Any]:
    """For each histogram in a row the counts up to every edge, the sum and the count."""
    size = len(BUCKETS) + 1
    for first in range(0, len(values), size):
        *counts, seconds = values[first : first + size]
        cumulative = list(accumulate(counts))
        yield from (*cumulative, seconds, cumulative[-1])


def _figure(name: str) -> Callable[..., Key]:
    return lambda *row: (name, *row)


FAMILIES = (
    _Family(
        "queue_tickets_issued_total",
        "counter",
        "Tickets issued",
        {"service": OF_THE_OFFICE, "channel": CHANNELS},
        _figure("issued"),
    ),
    _Family(
        "queue_tickets_waiting",
        "gauge",
        "People whose wait clock runs, held by the office included",
        {"service": OF_THE_OFFICE},
        _figure("waiting"),
    ),
    _Family(
        "queue_oldest_ticket_timestamp_seconds",
        "gauge",
        "When the longest wait began, taken as unbroken; +Inf when nobody waits",
        {"service": OF_THE_OFFICE},
        _figure("oldest"),
        nothing="+Inf",
    ),
    _Family(
        "queue_earliest_due_timestamp_seconds",
        "gauge",
        "When the first limit passes or passed among those waiting; +Inf when nobody waits",
        {"service": OF_THE_OFFICE},
        _figure("due"),
        nothing="+Inf",
    ),
    _Family(
        "queue_tickets_over_limit",
        "gauge",
        "People waiting past their limit",
        {"service": OF_THE_OFFICE},
        _figure("over"),
    ),
    _Family(
        "queue_wait_breaches_total",
        "counter",
        "Limits that passed while the visitor waited, each counted once, at its due instant",
        {"service": OF_THE_OFFICE, "channel": CHANNELS},
        _figure("breached"),
    ),
    _Family(
        "queue_wait_limit_outcomes_total",
        "counter",
        "Waits decided: breached at the due instant, or met at the first call",
        {"service": OF_THE_OFFICE, "channel": CHANNELS, "result": ("met", "breached")},
        lambda service, channel, result: (result, service, channel),
    ),
    _Family(
        "queue_counters",
        "gauge",
        "Counters by what they do; serving from the call on",
        {"state": COUNTER_STATES},
        _figure("counters"),
    ),
    _Family(
        "queue_wait_seconds",
        "histogram",
        "From the start of the wait clock to the first call, or to the end without one",
        {"channel": CHANNELS, "outcome": WAIT_OUTCOMES},
        _figure("wait_seconds"),
    ),
    _Family(
        "queue_service_seconds",
        "histogram",
        "From the start of a service to its end",
        {"outcome": tuple(outcome.value for outcome in Outcome)},
        _figure("service_seconds"),
    ),
)


@lru_cache(maxsize=4096)
def _lines(services: tuple[str, ...]) -> tuple[_Lines, ...]:
    """The lines of all families; most offices of a network have the same services and share them."""
    return tuple(family.lines(services) for family in FAMILIES)


def _label(name: str, value: str) -> str:
    return f'{name}="{_escaped(value)}"'


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _literally(text: str) -> str:
    return text.replace("%", "%%")


# The figures


@dataclass(slots=True)
class _Waiting:
    """Those who wait for one service."""

    people: int = 0
    over: int = 0
    oldest: datetime = FOREVER
    due: datetime = FOREVER


def _figures(hall: Hall, now: datetime) -> tuple[Figures, datetime]:
    """All figures of a hall, counted in one pass over its people, and until when they stay so if nothing happens."""
    waiting: dict[str, _Waiting] = {}
    until = FOREVER
    for ticket in hall.tickets.values():
        began = ticket.clock.as_if_since
        if began is None:
            continue
        due = began + ticket.clock.limit
        line = waiting.get(ticket.service) or waiting.setdefault(ticket.service, _Waiting())
        line.people += 1
        if began < line.oldest:
            line.oldest = began
        if due < line.due:
            line.due = due
        if due <= now:
            line.over += 1
        elif due < until:
            until = due
    figures: Figures = hall.tallies.copy()
    for service, line in waiting.items():
        figures["waiting", service], figures["over", service] = line.people, line.over
        figures["oldest", service], figures["due", service] = line.oldest.timestamp(), line.due.timestamp()
    _add_counters(figures, hall)
    return figures, until


def _add_counters(figures: Figures, hall: Hall) -> None:
    at_work = [session for session in hall.sessions.values() if session.state is not CounterState.CLOSED]
    for session in at_work:
        state = "serving" if session.ticket else session.state.value
        figures["counters", state] = figures.get(("counters", state), 0) + 1
    figures["counters", "closed"] = len(hall.office.counters) - len(at_work)


def _services(hall: Hall) -> tuple[str, ...]:
    """The services of the office, and those it once had: what was counted for them stays counted."""
    once = {key[1] for key in hall.tallies if key[0] in ("issued", "breached", "met")}
    ours = [service.id for service in hall.office.services]
    return (*ours, *sorted(once.difference(ours)))


# The bytes


def _gzip_member(text: bytes) -> bytes:
    # Small tables: clearing large ones would cost more than compressing these few lines.
    packer = zlib.compressobj(level=1, wbits=16 + 13, memLevel=5)
    return packer.compress(text) + packer.flush()


def _is_zipped_for(headers: Mapping[str, str]) -> bool:
    """Only for Prometheus and its kin: they read gzip members to the last; curl and httpx stop after the first."""
    return "gzip" in headers.get("accept-encoding", "") and "x-prometheus-scrape-timeout-seconds" in headers
