"""One day of a Warsaw office, brought back from snapshots of its queues.

A row of the data is one queue at one moment, every five minutes: how many wait, which number was called last. Numbers
run in order, so the last one called and those who wait make the last one issued; between two snapshots both are spread
evenly, which leaves about two and a half minutes of doubt.
"""

import csv
import gzip
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "warsaw_offices_2020-01-01_14.csv.gz"

FIRST_NUMBERS = (0, 500)
"""A series begins after one of these, or goes on from the day before."""

LARGEST_FALL = 2
LARGEST_RISE = 25
"""Within one snapshot of a consistent queue. Operators call back a number now and then."""

SHORTEST_MINUTES = 0.5


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A queue at one moment; `minute` counts from midnight, `called` is 0 before the first call."""

    minute: float
    called: int
    waiting: int
    counters: int


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody who took a ticket, and how long the counter had for them."""

    minute: float
    service: str
    service_minutes: float


@dataclass(frozen=True, slots=True)
class Queue:
    """One queue of the office on that day."""

    service: str
    letter: str
    name: str
    counters: int
    visits: tuple[Visit, ...]


@dataclass(frozen=True, slots=True)
class Day:
    """The consistent queues of an office on one day, and how many of the rows they are."""

    queues: tuple[Queue, ...]
    rows: int
    rows_used: int

    @property
    def visits(self) -> list[Visit]:
        """All who came, in order."""
        return sorted((visit for queue in self.queues for visit in queue.visits), key=lambda visit: visit.minute)


def read_day(office: str, date: str) -> Day:
    """What happened in an office on a day."""
    rows: dict[str, list[Mapping[str, str]]] = defaultdict(list)
    with gzip.open(DATA, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["office"] == office and row["date"] == date:
                rows[row["group_id"]].append(row)
    read = {group: queue for group, lines in rows.items() if (queue := _queue(lines))}
    return Day(tuple(read.values()), sum(map(len, rows.values())), sum(len(rows[group]) for group in read))


def _queue(rows: Sequence[Mapping[str, str]]) -> Queue | None:
    """The queue of these rows; None when nobody came or its numbers do not run in order."""
    snapshots = _from_zero([_snapshot(row) for row in rows])
    if not snapshots[-1].called or not _is_consistent(snapshots):
        return None
    service, counters = f"queue-{rows[0]['group_id']}", max(1, *(snapshot.counters for snapshot in snapshots))
    issues = _instants([(snapshot.minute, snapshot.called + snapshot.waiting) for snapshot in snapshots])
    minutes = _service_minutes(snapshots, len(issues), float(rows[0]["city_service_min"]))
    visits = (Visit(minute, service, lasted) for minute, lasted in zip(issues, minutes, strict=True))
    return Queue(service, rows[0]["letter"], rows[0]["group_name"], counters, tuple(visits))


def _snapshot(row: Mapping[str, str]) -> Snapshot:
    hours, minutes = row["time"].split(":")
    called = int(row["current_ticket"].removeprefix(row["letter"]) or 0)
    return Snapshot(int(hours) * 60 + int(minutes), called, int(row["queue_len"]), int(row["open_counters"]))


def _from_zero(snapshots: Sequence[Snapshot]) -> list[Snapshot]:
    """The same with numbers that begin at 1, wherever the series began."""
    first = next((snapshot.called for snapshot in snapshots if snapshot.called), 1)
    before = next((start for start in FIRST_NUMBERS if start < first <= start + LARGEST_RISE), first - 1)
    return [
        Snapshot(snapshot.minute, max(0, snapshot.called - before), snapshot.waiting, snapshot.counters)
        for snapshot in snapshots
    ]


def _is_consistent(snapshots: Sequence[Snapshot]) -> bool:
    steps = [after.called - before.called for before, after in pairwise(snapshots)]
    return all(-LARGEST_FALL <= step <= LARGEST_RISE for step in steps)


def _instants(counted: Sequence[tuple[float, int]]) -> list[float]:
    """When each number was reached: those between two snapshots are spread evenly over the time between."""
    return list(_spread(counted))


def _spread(counted: Sequence[tuple[float, int]]) -> Iterator[float]:
    reached = 0
    for (before, _), (minute, count) in pairwise([counted[0], *counted]):
        new = max(0, count - reached)
        yield from (before + (minute - before) * (position + 0.5) / new for position in range(new))
        reached += new


def _service_minutes(snapshots: Sequence[Snapshot], visits: int, longest: float) -> list[float]:
    """How long each visitor had a counter: until it called again, but no longer than is usual in this queue.

    Where hardly anybody comes a counter stands idle for hours; there the city's own round figure is the longest.
    """
    calls = _instants([(snapshot.minute, snapshot.called) for snapshot in snapshots])
    counters = max(1, round(median(snapshot.counters for snapshot in snapshots)))
    gaps = [later - call for call, later in zip(calls, calls[counters:], strict=False)]
    usual = max(SHORTEST_MINUTES, min(median(gaps), longest)) if gaps else longest
    lasted = [min(max(gap, SHORTEST_MINUTES), usual) for gap in gaps]
    return lasted[:visits] + [usual] * (visits - len(lasted))
