"""The hall's series for Prometheus, read from the halls in memory at the moment of the scrape.

A restart or a second process changes nothing in them: counters are tallies folded from the journal, gauges are counted
anew. Thousands of offices come to tens of megabytes of text, of which little changes between two scrapes. So the text
is kept in pieces, a few lines of one family for one office, and only pieces that changed are written again.
"""

import asyncio
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from itertools import accumulate, product, repeat
from time import perf_counter
from typing import Any

from prometheus_client import CollectorRegistry, Gauge, GCCollector, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.engine import Engine
from app.journal import Recorded
from app.watch import Watch
from queue_core.facts import Breached, Outcome
from queue_core.hall import CounterState, Hall
from queue_core.office import Channel, Office
from queue_core.tallies import BUCKETS, WAIT_OUTCOMES

SLICE_SECONDS = 0.01
"""How long a scrape may write before others have their turn."""

GROUP = 16
"""Offices whose pieces are joined once and kept so. More would be joined again too often, fewer saves too little."""

CHUNK_BYTES = 256 * 1024

DETECTION_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600)

FOREVER = datetime.max.replace(tzinfo=UTC)


class Metrics:
    """What `/metrics` answers: all halls, and how this process does."""

    def __init__(self, engine: Engine, watch: Watch) -> None:
        self._engine = engine
        self._plain = HallsText(bytes)
        self._zipped = HallsText(_gzip_member)
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
        pulse.set_function(lambda: watch.last_success.timestamp() if watch.last_success else 0)
        engine.subscribe(self._committed)

    async def answer(self, headers: Mapping[str, str]) -> Response:
        """The text as it is now, for a client that sent these headers."""
        zipped = _is_zipped_for(headers)
        text = self._zipped if zipped else self._plain
        await text.refresh(self._engine)
        blocks = text.blocks(generate_latest(self._registry) + generate_latest(self._engine.registry))
        return _Scrape(blocks, {"Content-Encoding": "gzip"} if zipped else {})

    def _committed(self, _office_id: str, _hall: Hall, facts: Sequence[Recorded]) -> None:
        for line in facts:
            if isinstance(line.fact, Breached):
                self._detection_delay.observe((line.fact.at - line.fact.due).total_seconds())


class _Scrape(Response):
    """A text of many blocks. It is never joined as a whole: to find room for it would cost more than to send it."""

    def __init__(self, blocks: list[bytes], headers: Mapping[str, str]) -> None:
        length = {"Content-Length": str(sum(map(len, blocks)))}
        # Response's own beginning wants the whole body at once, to measure it.
        self.status_code = 200
        self.background = None
        self.init_headers({"Content-Type": CONTENT_TYPE_PLAIN_0_0_4, "Vary": "Accept-Encoding", **headers, **length})
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

    def __init__(self, encode: Callable[[bytes], bytes]) -> None:
        self._encode = encode
        self._heads = [encode(head.encode()) if head else b"" for head in _heads()]
        self._offices: dict[str, _OfficeText] = {}
        self._groups: list[_Group] = []

    async def refresh(self, engine: Engine) -> None:
        """Write anew what is not true any more. Every office is consistent in itself."""
        halls, now = await engine.halls(), engine.clock.now()
        ends = perf_counter() + SLICE_SECONDS
        for office_id in self._outdated(halls, now):
            self._office(office_id).write(halls[office_id], now)
            if perf_counter() > ends:
                await asyncio.sleep(0)
                halls, now = await engine.halls(), engine.clock.now()
                ends = perf_counter() + SLICE_SECONDS

    def blocks(self, more: bytes) -> list[bytes]:
        """The whole text, and something after it."""
        blocks = [block for segment, head in enumerate(self._heads) for block in (head, *self._blocks(segment))]
        return [*blocks, self._encode(more)]

    def _outdated(self, halls: Mapping[str, Hall], now: datetime) -> list[str]:
        # The one loop over all offices that every scrape pays for.
        texts = self._offices
        return [
            office_id
            for office_id, hall in halls.items()
            if (text := texts.get(office_id)) is None or text.seq != hall.seq or not text.since <= now < text.until
        ]

    def _office(self, office_id: str) -> "_OfficeText":
        text = self._offices.get(office_id)
        if text is None:
            text = self._offices[office_id] = _OfficeText(office_id, self._group_with_room(), self._encode)
        return text

    def _group_with_room(self) -> "_Group":
        if not self._groups or len(self._groups[-1].offices) == GROUP:
            self._groups.append(_Group())
        return self._groups[-1]

    def _blocks(self, segment: int) -> Iterator[bytes]:
        return (group.block(segment) for group in self._groups)


class _Group:
    """Some offices, with their pieces of each segment joined."""

    def __init__(self) -> None:
        self.offices: list[_OfficeText] = []
        self.blocks: dict[int, bytes] = {}

    def block(self, segment: int) -> bytes:
        """The pieces of all offices, one after the other."""
        block = self.blocks.get(segment)
        if block is None:
            block = self.blocks[segment] = b"".join([office.pieces[segment] for office in self.offices])
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
        for number, segment in enumerate(_segments(self._services)):
            mark = segment.mark(figures)
            if mark != self._marks.get(number):
                self._marks[number] = mark
                self.pieces[number] = self._encode(segment.text(self._label, figures).encode())
                self._group.blocks.pop(number, None)


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

    def segments(self, services: tuple[str, ...]) -> list["_Segment"]:
        """A segment for each histogram, or one for all plain numbers."""
        rows = list(product(*(values or services for values in self.labels.values())))
        lines = [(self.name, ",".join(map(_label, ("office", *self.labels), (OFFICE, *row)))) for row in rows]
        if self.kind == "histogram":
            return [_histogram(*line, self.key(*row)) for line, row in zip(lines, rows, strict=True)]
        return [_numbers(lines, tuple(self.key(*row) for row in rows), self.nothing)]


@dataclass(frozen=True, slots=True)
class _Segment:
    """Lines that are written together: the names of the figures in them, and the text around these.

    No figure changes without one of the `telling`: of a histogram the first bucket and the sum, because what adds
    nothing to the sum falls into the first bucket.
    """

    keys: tuple[Key, ...]
    telling: tuple[Key, ...]
    template: str
    nothing: float | str = 0
    is_histogram: bool = False

    def mark(self, figures: Figures) -> tuple[float | str, ...]:
        """Something that is different whenever the text is."""
        return tuple(map(figures.get, self.telling, repeat(self.nothing)))

    def text(self, office: str, figures: Figures) -> str:
        """The lines of one office."""
        values = tuple(map(figures.get, self.keys, repeat(self.nothing)))
        if self.is_histogram:
            *counts, seconds = values
            cumulative = tuple(accumulate(counts))
            values = (*cumulative, seconds, cumulative[-1])
        return (self.template % values).replace(OFFICE, office)


def _numbers(lines: list[tuple[str, str]], keys: tuple[Key, ...], nothing: float | str) -> _Segment:
    template = "".join(f"{name}{{{_literally(labels)}}} %s\n" for name, labels in lines)
    return _Segment(keys, keys, template, nothing)


def _histogram(name: str, labels: str, key: Key) -> _Segment:
    labels = _literally(labels)
    buckets = "".join(f'{name}_bucket{{{labels},le="{bucket}"}} %s\n' for bucket in BUCKETS)
    template = f"{buckets}{name}_sum{{{labels}}} %s\n{name}_count{{{labels}}} %s\n"
    keys = tuple((*key, part) for part in (*BUCKETS, "sum"))
    return _Segment(keys, (keys[0], keys[-1]), template, is_histogram=True)


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
def _segments(services: tuple[str, ...]) -> tuple[_Segment, ...]:
    return tuple(segment for family in FAMILIES for segment in family.segments(services))


def _heads() -> list[str]:
    """For each segment, what comes before it."""
    return ["" if number else family.head for family in FAMILIES for number, _ in enumerate(family.segments(()))]


def _label(name: str, value: str) -> str:
    return f'{name}="{_escaped(value)}"'


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _literally(text: str) -> str:
    return text.replace("%", "%%")


# The figures


@dataclass(slots=True)
class _Line:
    """Those who wait for one service."""

    people: int = 0
    over: int = 0
    oldest: datetime = FOREVER
    due: datetime = FOREVER


def _figures(hall: Hall, now: datetime) -> tuple[Figures, datetime]:
    """All figures of a hall, counted in one pass over its people, and until when they stay so if nothing happens."""
    lines: dict[str, _Line] = {}
    until = FOREVER
    for ticket in hall.tickets.values():
        began = ticket.clock.as_if_since
        if began is None:
            continue
        due = began + ticket.clock.limit
        line = lines.get(ticket.service) or lines.setdefault(ticket.service, _Line())
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
    for service, line in lines.items():
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
