"""A description of any size is refused in few words and in little time."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from app.configuration import BadDescription, office_of
from app.configuration.descriptions import MOST_FLAWS
from app.configuration.size import LONGEST_KEY, LONGEST_TEXT, MOST_ENTRIES, MOST_KEYS, MOST_VALUES
from tests.configuration.documents import smallest

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


def refused(document: Described) -> BadDescription:
    with pytest.raises(BadDescription) as refused:
        office_of(document, "the description")
    return refused.value


@pytest.mark.parametrize("worst", WORST.values(), ids=WORST)
def test_the_worst_descriptions_are_refused_in_few_words(worst: Callable[[Described], Described]) -> None:
    refusal = refused(worst(smallest()))

    assert 1 <= len(refusal.flaws) <= MOST_FLAWS
    assert len(str(refusal)) < 20_000


@pytest.mark.timed
@pytest.mark.parametrize("worst", WORST.values(), ids=WORST)
def test_the_worst_descriptions_are_refused_soon(worst: Callable[[Described], Described]) -> None:
    document = worst(smallest())
    began = time.thread_time()
    refused(document)

    assert time.thread_time() - began < 0.5


def test_what_is_too_large_is_named() -> None:
    document = smallest() | {
        "hotline": "x" * (LONGEST_TEXT + 1),
        "languages": ["en"] * (MOST_ENTRIES + 1),
        "name": {f"l{number}": "x" for number in range(MOST_KEYS + 1)},
        "hours": {"x" * (LONGEST_KEY + 1): []},
    }

    told = {flaw.at: flaw.reason for flaw in refused(document).flaws}

    assert told == {
        "hotline": f"must be at most {LONGEST_TEXT} characters long",
        "languages": f"must have at most {MOST_ENTRIES} entries",
        "name": f"must have at most {MOST_KEYS} keys",
        "hours": f"must have keys of at most {LONGEST_KEY} characters",
    }


def test_values_are_counted_in_all() -> None:
    document = smallest() | {"groups": [["x"] * 900 for _ in range(MOST_VALUES // 900 + 2)]}

    assert [flaw.reason for flaw in refused(document).flaws] == [f"must have at most {MOST_VALUES} values in all"]


def test_a_centre_of_a_thousand_services_and_counters_is_an_office() -> None:
    document = many(many(smallest(), "services", 1_000), "counters", 1_000)
    ids = [service["id"] for service in document["services"]]
    document["counters"] = [
        counter | {"services": ids[number : number + 1] + ids[: 30 - 1]}
        for number, counter in enumerate(document["counters"])
    ]
    for counter in document["counters"]:
        counter["services"] = list(dict.fromkeys(counter["services"]))

    assert len(office_of(document, "the description").services) == 1_000


def test_of_many_mistakes_the_first_are_told_also_in_different_lists() -> None:
    document = smallest()
    document["services"] = [service | {"letter": "?"} for service in document["services"]]
    document["counters"] = [counter | {"services": [7, 8]} for counter in document["counters"]]

    told = [flaw.at for flaw in refused(document).flaws]

    assert "services[0].letter" in told
    assert "counters[0].services[0]" in told
