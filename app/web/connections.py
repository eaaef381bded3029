"""Connections, and what a stranger may do with one: everything is bounded before the application hears of it.

A connection is always in one phase, and no phase but the answering has an end that the other side chooses. Phases are
kept in the order of their beginning, so what has lasted too long stands in front and is found by a look at the first.
"""

import asyncio
import resource
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache, partial
from ipaddress import ip_address, ip_network
from time import monotonic
from typing import Any, Protocol

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

from app.settings import Network, Settings, networks

log = structlog.get_logger(__name__)

HEAD_SECONDS = 10.0
BODY_SECONDS = 30.0
IDLE_SECONDS = 80.0
"""Longer than the server keeps an idle connection: whoever is still there has not read what was sent."""

UNREAD_SECONDS = 30.0
"""How long an answer may stand without a byte of it being read."""

CLOSING_SECONDS = 2.0
PROBATION_SECONDS = 2.0
SILENT_SECONDS = 1.0
"""Who has said nothing for so long makes room when there is none."""

UNREAD_BYTES = 64 * 1024 * 1024
"""Of all answers that were sent and not read."""

KNOWN_PLACES = 64
PROBES_PLACES = 64
"""Beyond the usual: for known devices, and for whoever asks how the server does."""

OWN_DESCRIPTORS = 128
"""What a process needs beside its connections: the journal, logs, messages to others."""

SWEEP_SECONDS = 0.5
EDGE_SECONDS = 60.0
"""Refusals that are further apart are told in the log each time."""

REASONS = (
    "address",
    "body_too_large",
    "body_too_slow",
    "full",
    "head_too_large",
    "head_too_slow",
    "made_room",
    "malformed",
    "pipelined",
    "silent",
    "unread",
)


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many connections there may be, and for whom this does not hold.

    `most` are all together, as far as descriptors reach; `of_one_address` those of an address that is neither a proxy,
    through which many come, nor a known device.
    """

    most: int
    of_one_address: int
    proxies: tuple[Network, ...] = ()
    known: tuple[Network, ...] = ()

    @classmethod
    def of(cls, settings: Settings) -> "Bounds":
        """As the settings say."""
        return cls(
            settings.connections,
            settings.connections_per_address,
            networks(settings.proxies),
            networks(settings.known_addresses),
        )


def raise_descriptor_limit() -> int:
    """Let this process have as many descriptors as it may; how many that is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (ValueError, OSError) as error:
            log.warning("the limit of descriptors stays as it was", descriptors=soft, reason=str(error))
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return soft if soft != resource.RLIM_INFINITY else 2**20


def backlog(descriptors: int) -> int:
    """How many may come at once: all of them have a descriptor before one can be refused."""
    return min(1024, descriptors // 8)


def places(bounds: Bounds, descriptors: int) -> Bounds:
    """The same bounds, as far as so many descriptors reach."""
    reserved = OWN_DESCRIPTORS + KNOWN_PLACES + PROBES_PLACES + backlog(descriptors)
    reach = max(1, descriptors - reserved)
    if reach < bounds.most:
        log.info("descriptors do not reach for all connections", connections=reach, descriptors=descriptors)
    most = min(bounds.most, reach)
    return Bounds(most, min(bounds.of_one_address, most), bounds.proxies, bounds.known)


class Connection(Protocol):
    """What is to be known of a connection."""

    loop: asyncio.AbstractEventLoop
    peer: str
    place: "Place | None"
    phase: "Phase | None"
    on_probation: bool

    def expire(self) -> None:
        """The phase has lasted too long."""

    def drop(self) -> None:
        """End it at once, with what was not read."""


class Connections:
    """All connections of a server: who may have one, who loses it, and how often that happened."""

    def __init__(
        self,
        bounds: Bounds,
        *,
        head_seconds: float = HEAD_SECONDS,
        body_seconds: float = BODY_SECONDS,
        idle_seconds: float = IDLE_SECONDS,
        unread_seconds: float = UNREAD_SECONDS,
        unread_bytes: int = UNREAD_BYTES,
    ) -> None:
        self.bounds = bounds
        self.probation = Phase(PROBATION_SECONDS)
        self.head = Phase(head_seconds)
        self.body = Phase(body_seconds)
        self.answering = Phase(unread_seconds)
        self.idle = Phase(idle_seconds)
        self.closing = Phase(CLOSING_SECONDS)
        self._phases = (self.probation, self.head, self.body, self.answering, self.idle, self.closing)
        self._unread: dict[Connection, int] = {}
        self._unread_bytes = 0
        self._most_unread_bytes = unread_bytes
        self._taken = 0
        self._addresses: dict[str, _Address] = {}
        self._edges: dict[str, _Edge] = {}
        self._sweeper: asyncio.TimerHandle | None = None
        self._place_of = lru_cache(maxsize=4096)(partial(_place_of, bounds))
        self.registry = CollectorRegistry()
        refused = Counter(
            "queue_connections_refused", "Connections refused or given up", ["reason"], registry=self.registry
        )
        self._refused = {reason: refused.labels(reason) for reason in REASONS}
        gauge = Gauge("queue_connections", "Connections that are open now", registry=self.registry)
        gauge.set_function(lambda: self.open)
        unread = Gauge("queue_unread_bytes", "Bytes of answers that wait for slow readers", registry=self.registry)
        unread.set_function(lambda: self._unread_bytes)

    @property
    def open(self) -> int:
        """How many connections there are."""
        return self._taken + sum(phase.on_probation for phase in self._phases)

    # Who may come

    def admit(self, connection: "Connection") -> str | None:
        """Give a connection its place, or say why it has none."""
        self._sweep_later(connection.loop)
        place = self._place_of(connection.peer)
        address = self._addresses.get(place.name)
        if address is None:
            address = self._addresses[place.name] = _Address()
        now = connection.loop.time()
        if (
            not place.is_exempt
            and len(address.members) >= self.bounds.of_one_address
            and not self._made_room_in(address, now)
        ):
            return "address"
        if self._taken >= self._most_for(place) and not self._made_room(now):
            if self._on_probation() >= PROBES_PLACES and not self._gave_up_first_of(self.probation):
                self._forget_if_empty(place.name)
                return "full"
            connection.on_probation = True
        else:
            self._taken += 1
        connection.place = place
        address.members[connection] = None
        return None

    def leave(self, connection: "Connection") -> None:
        """Give a place back."""
        self.read(connection)
        if connection.place is None:
            return
        self._addresses[connection.place.name].members.pop(connection, None)
        self._forget_if_empty(connection.place.name)
        connection.place = None
        self._taken -= not connection.on_probation

    def refused(self, reason: str, peer: str) -> None:
        """Count a refusal; the first of many is told in the log."""
        self._refused[reason].inc()
        edge, now = self._edges.get(reason), monotonic()
        if edge is None:
            self._edges[reason] = _Edge(now)
            log.warning("connections are refused", reason=reason, address=peer)
        else:
            edge.refused += 1
            edge.last_at = now

    def _most_for(self, place: "Place") -> int:
        return self.bounds.most + KNOWN_PLACES * place.is_known

    def _on_probation(self) -> int:
        return sum(phase.on_probation for phase in self._phases)

    def _made_room(self, now: float) -> bool:
        """Close who has been idle for longest, or else said nothing for longest."""
        if self._gave_up_first_of(self.idle):
            return True
        first = next(iter(self.head.since.items()), None)
        return first is not None and now - first[1] >= SILENT_SECONDS and self._gave_up_first_of(self.head)

    def _made_room_in(self, address: "_Address", now: float) -> bool:
        # Everything is looked through, and so not more often than it can help.
        if now < address.full_until:
            return False
        for connection in address.members:
            if connection.phase is self.idle:
                self._give_up(connection)
                return True
        address.full_until = now + SWEEP_SECONDS
        return False

    def _gave_up_first_of(self, phase: "Phase") -> bool:
        for connection in phase.since:
            self._give_up(connection)
            return True
        return False

    def _give_up(self, connection: "Connection") -> None:
        self.refused("made_room", connection.peer)
        connection.drop()

    def _forget_if_empty(self, name: str) -> None:
        address = self._addresses.get(name)
        if address is not None and not address.members:
            del self._addresses[name]

    # Who does not read

    def unread(self, connection: "Connection", size: int) -> None:
        """So much waits for a reader; when it is too much together, whoever has not read for longest is let go."""
        self.read(connection)
        self._unread[connection] = size
        self._unread_bytes += size
        while self._unread_bytes > self._most_unread_bytes:
            slowest = next(iter(self._unread))
            self.refused("unread", slowest.peer)
            self.read(slowest)
            slowest.drop()

    def read(self, connection: "Connection") -> None:
        """It has been read, or never will be."""
        self._unread_bytes -= self._unread.pop(connection, 0)

    # What has lasted too long

    def _sweep_later(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._sweeper is None:
            self._sweeper = loop.call_later(SWEEP_SECONDS, self._sweep, loop)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        self._sweeper = None
        now = loop.time()
        for phase in self._phases:
            for connection in phase.overdue(now):
                connection.expire()
        self._end_edges()
        if any(phase.since for phase in self._phases) or self._edges:
            self._sweep_later(loop)

    def _end_edges(self) -> None:
        over = [reason for reason, edge in self._edges.items() if monotonic() - edge.last_at > EDGE_SECONDS]
        for reason in over:
            log.info("connections are no longer refused", reason=reason, refused=self._edges.pop(reason).refused)


class Phase:
    """Connections that are at the same point, the longest first."""

    def __init__(self, seconds: float) -> None:
        self.since: dict[Connection, float] = {}
        self.on_probation = 0
        self._seconds = seconds

    def enter(self, connection: "Connection", now: float) -> None:
        self.since[connection] = now
        self.on_probation += connection.on_probation

    def leave(self, connection: "Connection") -> None:
        del self.since[connection]
        self.on_probation -= connection.on_probation

    def overdue(self, now: float) -> list["Connection"]:
        """Those that have been here for too long."""
        late = []
        for connection, since in self.since.items():
            if now - since < self._seconds:
                break
            late.append(connection)
        return late


class _Address:
    """What comes from one address."""

    def __init__(self) -> None:
        self.members: dict[Connection, None] = {}
        self.full_until = 0.0


class _Edge:
    """Refusals for one reason, from the first until there are none for a while."""

    def __init__(self, now: float) -> None:
        self.refused = 1
        self.last_at = now


@dataclass(frozen=True, slots=True)
class Place:
    """An address as it is counted. Of IPv6 it is the network of a household, whose addresses are without number."""

    name: str
    is_exempt: bool
    is_known: bool


def _place_of(bounds: Bounds, peer: str) -> Place:
    try:
        address = ip_address(peer)
    except ValueError:
        # A socket in the file system, which only programs of this machine can open.
        return Place(peer, is_exempt=True, is_known=True)
    mapped = getattr(address, "ipv4_mapped", None)
    address = mapped or address
    is_known = _is_in(address, bounds.known)
    name = str(address) if address.version == 4 else str(ip_network((address, 64), strict=False))
    return Place(name, is_exempt=is_known or _is_in(address, bounds.proxies), is_known=is_known)


def _is_in(address: Any, listed: Iterable[Network]) -> bool:
    return any(address.version == network.version and address in network for network in listed)
