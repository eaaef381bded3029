"""Descriptions that are refused: every mistake is named by its key, and all of them at once."""

from typing import Any

import pytest

from app.configuration import BadDescription, Flaw, office_of
from tests.configuration.documents import smallest, with_value, without

NAME = {"ru": "Имя", "en": "Name"}
SERVICE = {"id": "advice", "letter": "B", "name": NAME}
PRINTABLE = "must be one line of printable text with no spaces at either end, and not empty"
SLUG = "must be 1 to 40 lower-case Latin letters, digits and hyphens, the first not a hyphen"

WRONG_VALUES = [
    (("id",), "Centre", SLUG),
    (("id",), "-centre", SLUG),
    (("id",), "c" * 41, SLUG),
    (("id",), 7, "must be a text in quotes, not 7"),
    (("id",), "\ud800", SLUG),
    (("name",), "Centre", "must be a table"),
    (("name", "en"), "", "must not be empty"),
    (("name", "en"), "x" * 201, "must be at most 200 characters long"),
    (("name", "en"), " Branch", PRINTABLE),
    (("name", "en"), "Bra\nnch", PRINTABLE),
    (("name", "en"), "Bra\x00nch", PRINTABLE),
    (("name", "en"), "Bra\ud800nch", "must be valid Unicode"),
    (("name", "English"), "Branch", "must be a language code such as ru or en"),
    (("time_zone",), "Europe", "is not a time zone; write one such as Europe/Moscow"),
    (("time_zone",), "Mars/Olympus", "is not a time zone; write one such as Europe/Moscow"),
    (("time_zone",), "../../etc/passwd", "is not a time zone; write one such as Europe/Moscow"),
    (("languages",), [], "must not be empty"),
    (("languages",), ["ru", "en", "ru"], "'ru' is listed already"),
    (("hotline",), 88000001515, "must be a text in quotes, not 88000001515"),
    (
        ("discipline",),
        "lifo",
        "must be one of 'accumulating_priority', 'arrival' or 'earliest_due', not 'lifo'",
    ),
    (("booked_weight",), 0, "must be at least 1, not 0"),
    (("recall_limit",), "2", "must be a whole number, not '2'"),
    (("recall_limit",), 2.5, "must be a whole number, not 2.5"),
    (("recall_limit",), True, "must be a whole number, not True"),
    (("undo_seconds",), 3601, "must be at most 3600, not 3601"),
    (("closes_after_minutes",), -1, "must be at least 0, not -1"),
    (("limits",), {"walk_in_seconds": 0}, "must be at least 1, not 0"),
    (("limits",), {"booked_seconds": 86_401}, "must be at most 86400, not 86401"),
    (("limits",), {"walk_in": 900}, "is not a known key; did you mean 'walk_in_seconds'?"),
    (("limits",), {"walk_in_warning_seconds": 0}, "must be at least 1, not 0"),
    (("limits",), {"walk_in_warning_seconds": 900}, "must be below the limit of 900 seconds"),
    (("limits",), {"booked_seconds": 60, "booked_warning_seconds": 60}, "must be below the limit of 60 seconds"),
    (("services", 0, "limits"), {"walk_in_warning_seconds": 1000}, "must be below the limit of 900 seconds"),
    (("idle_seconds",), 0, "must be at least 1, not 0"),
    (("long_pause_seconds",), 86_401, "must be at most 86400, not 86401"),
    (("escalation",), [], "must not be empty"),
    (("escalation",), [{"role": "The boss", "after_seconds": 0}], SLUG),
    (("escalation",), [{"role": "boss", "after_second": 0}], "is not a known key; did you mean 'after_seconds'?"),
    (("escalation",), [{"role": "boss", "after_seconds": 5}], "must be 0; somebody is told at once"),
    (
        ("escalation",),
        [{"role": "boss", "after_seconds": 0}, {"role": "owner", "after_seconds": 0}],
        "must be more than the 0 of the step before",
    ),
    (("hours",), ["08:00-20:00"], "must be a table"),
    (("hours", "mon"), "08:00-20:00", "must be a list"),
    (("hours", "mon"), ["8-20"], "must be written like 08:00-20:00, at most until 24:00"),
    (("hours", "mon"), ["08:00-24:01"], "must be written like 08:00-20:00, at most until 24:00"),
    (("hours", "mon"), ["٠٨:00-20:00"], "must be written like 08:00-20:00, at most until 24:00"),
    (
        ("hours", "mon"),
        ["20:00-02:00"],
        "must end after it begins; hours past midnight go on under the next day, from 00:00",
    ),
    (("hours", "mon"), ["08:00-13:00", "12:59-20:00"], "08:00-13:00 and 12:59-20:00 overlap"),
    (("hours", "monday"), ["08:00-20:00"], "is not a known key; did you mean 'mon'?"),
    (("services",), [], "must not be empty"),
    (("services", 0), "papers", "must be a table"),
    (("services", 0, "letter"), "a", "must be one capital letter, A to Z or А to Я"),
    (("services", 0, "letter"), "AB", "must be one capital letter, A to Z or А to Я"),
    (("services", 0, "group"), "personal", "there is no group 'personal'"),
    (("services", 0, "limit"), 900, "is not a known key; did you mean 'limits'?"),
    (("counters", 0, "services"), [], "must not be empty"),
    (("counters", 0, "services", 0), "paper", "there is no service 'paper'"),
    (("counters", 0, "services"), ["papers", "papers"], "'papers' is listed already"),
    (("opening_hours",), {}, "is not a known key"),
]


@pytest.mark.parametrize(("path", "value", "reason"), WRONG_VALUES)
def test_a_wrong_value_is_named_with_its_reason(path: tuple[str | int, ...], value: object, reason: str) -> None:
    assert reason in [flaw.reason for flaw in flaws(with_value(path, value))]


@pytest.mark.parametrize(
    "key",
    [
        ("id",),
        ("name",),
        ("name", "en"),
        ("time_zone",),
        ("hours",),
        ("services",),
        ("services", 0, "id"),
        ("services", 0, "letter"),
        ("services", 0, "name"),
        ("counters",),
        ("counters", 0, "name", "ru"),
        ("counters", 0, "services"),
    ],
)
def test_a_missing_key_is_named(key: tuple[str | int, ...]) -> None:
    written = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in key).removeprefix(".")

    missing = [flaw.at for flaw in flaws(without(*key)) if flaw.reason.startswith("is missing")]

    assert missing == [written]


def test_every_name_is_needed_in_every_language_of_the_office() -> None:
    document = smallest(languages=["ru", "kk"])

    missing = {flaw.at for flaw in flaws(document)}

    assert missing == {"name.kk", "services[0].name.kk", "counters[0].name.kk"}


@pytest.mark.parametrize("kind", ["groups", "services", "counters", "categories"])
def test_an_id_is_given_once(kind: str) -> None:
    entry = {
        "groups": {"id": "personal", "name": NAME},
        "categories": {"id": "veteran", "name": NAME, "basis": NAME},
        "services": smallest()["services"][0],
        "counters": smallest()["counters"][0],
    }[kind]

    found = flaws(smallest(**{kind: [entry, entry]}))

    assert found == (Flaw(f"{kind}[1].id", f"{entry['id']!r} is the id of {kind}[0] already"),)


def test_a_service_that_no_counter_serves_is_refused() -> None:
    document = smallest(services=[*smallest()["services"], SERVICE])

    (flaw,) = flaws(document)

    assert flaw.at == "services[1]"
    assert flaw.reason == "no counter serves 'advice', so whoever took a ticket would wait for ever"


def test_two_letters_that_look_alike_are_refused() -> None:
    document = with_value(("counters", 0, "services"), ["papers", "advice"])
    document["services"].append(SERVICE | {"letter": "А"})

    (flaw,) = flaws(document)

    assert flaw.at == "services[1].letter"
    assert flaw.reason == "the Cyrillic А looks like the Latin A of services[0]; use one of them"


def test_all_mistakes_are_told_at_once_each_with_file_and_key() -> None:
    document = smallest(time_zone="Moscow", hours={"mon": ["8:00-20:00"], "tue": ["08:00-12:00", "11:00-13:00"]})
    document["services"].append(SERVICE | {"letter": "b", "group": "none"})

    with pytest.raises(BadDescription) as refused:
        office_of(document, "centre.toml")

    assert str(refused.value).splitlines() == [
        "centre.toml: time_zone: is not a time zone; write one such as Europe/Moscow",
        "centre.toml: hours.mon[0]: must be written like 08:00-20:00, at most until 24:00",
        "centre.toml: services[1].letter: must be one capital letter, A to Z or А to Я",
        "centre.toml: services[1].group: there is no group 'none'",
        "centre.toml: services[1]: no counter serves 'advice', so whoever took a ticket would wait for ever",
        "centre.toml: hours.tue: 08:00-12:00 and 11:00-13:00 overlap",
    ]
    assert refused.value.particulars["errors"] == [
        {"at": flaw.at, "reason": flaw.reason} for flaw in refused.value.flaws
    ]


def test_a_key_that_cannot_be_printed_is_named_all_the_same() -> None:
    assert flaws(smallest(**{"hot\nline": 1})) == (Flaw("'hot\\nline'", "is not a known key; did you mean 'hotline'?"),)


def flaws(document: dict[str, Any]) -> tuple[Flaw, ...]:
    """What is found wrong with a document that has to be refused."""
    with pytest.raises(BadDescription) as refused:
        office_of(document, "document")
    return refused.value.flaws
