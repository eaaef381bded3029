"""A description of any size is refused in few words and in little time."""

import time
from collections.abc import Callable

import pytest

from app.configuration import BadDescription, office_of
from app.configuration.descriptions import MOST_FLAWS
from app.configuration.size import LONGEST_KEY, LONGEST_TEXT, MOST_ENTRIES, MOST_KEYS, MOST_VALUES
from tests.configuration.documents import smallest
from tests.configuration.worst import WORST, Described, many


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
