"""Descriptions that somebody may send who means no good."""

from collections.abc import Callable
from typing import Any

Described = dict[str, Any]


def with_first(document: Described, list_name: str, **changes: Any) -> Described:
    """A document whose first service, counter or other entry says something else."""
    first, *others = document[list_name]
    return document | {list_name: [first | changes, *others]}


def many(document: Described, list_name: str, count: int, **changes: Any) -> Described:
    """A document with that many entries like its first."""
    first = document[list_name][0]
    return document | {list_name: [first | {"id": f"e{number}"} | changes for number in range(count)]}


WORST: dict[str, Callable[[Described], Described]] = {
    "one language 100,000 times": lambda it: it | {"languages": ["ab"] * 100_000},
    "a service served 100,000 times": lambda it: with_first(it, "counters", services=["a"] * 100_000),
    "100,000 services that are none": lambda it: with_first(it, "counters", services=[1] * 100_000),
    "a thousand counters with a hundred services that are none": lambda it: many(
        it, "counters", 1_000, services=[1] * 90
    ),
    "a thousand counters with one service a hundred times": lambda it: many(it, "counters", 1_000, services=["a"] * 90),
    "a thousand services with sixty unknown keys": lambda it: many(
        it, "services", 1_000, **{f"key{number}": 0 for number in range(50)}
    ),
    "a thousand services of one id": lambda it: many(it, "services", 1_000, id="same"),
    "a thousand services without a name": lambda it: many(it, "services", 1_000, name={}),
    "100,000 unknown keys": lambda it: it | {f"key{number}": 0 for number in range(100_000)},
    "100,000 languages of a name": lambda it: it | {"name": {f"l{number}": "x" for number in range(100_000)}},
    "a key of a million letters": lambda it: it | {"x" * 1_000_000: 0},
    "a text of a million letters": lambda it: it | {"id": "x" * 1_000_000},
    "a time zone of a million letters": lambda it: it | {"time_zone": "Europe/" * 150_000},
    "200,000 entries that are none": lambda it: it | {"services": [0] * 200_000},
    "a thousand lists of a thousand": lambda it: it | {"services": [[0] * 1_000] * 1_000},
    "a nest": lambda it: it | {"name": nested(200)},
    "70,000 stretches of a day": lambda it: it | {"hours": {"mon": ["08:00-20:00"] * 70_000}},
    "20,000 steps of escalation": lambda it: it | {"escalation": [{"role": "a", "after_seconds": 0}] * 20_000},
}


def nested(depth: int) -> Any:
    """Tables in tables."""
    inner: Any = "x"
    for _ in range(depth):
        inner = {"en": inner}
    return inner
