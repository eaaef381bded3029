"""Descriptions that are read: files, documents, and the way back."""

import json
from datetime import time
from pathlib import Path

import pytest

from app.configuration import EXAMPLE, BadDescription, document_of, office_of, read_office
from queue_core.office import Channel, Discipline, Escalation, Limits, Opening
from tests.configuration.documents import smallest

EXAMPLES = sorted(Path("examples").glob("*.toml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_read_and_told_again_word_for_word(path: Path) -> None:
    office = read_office(path)

    document = json.loads(json.dumps(document_of(office)))

    assert office_of(document, "document") == office


def test_the_example_is_a_whole_centre_in_two_languages() -> None:
    office = read_office(EXAMPLE)

    assert office.languages == ("ru", "en")
    assert len(office.services) == 8
    assert 10 <= len(office.counters) <= 12
    assert all(category.basis.keys() == {"ru", "en"} for category in office.categories)


def test_what_a_description_leaves_out_is_as_the_office_has_it_by_itself() -> None:
    office = office_of(smallest(), "document")

    assert office.languages == ("ru", "en")
    assert office.discipline is Discipline.ACCUMULATING_PRIORITY
    assert (office.recall_limit, office.undo_seconds, office.closes_after_minutes) == (2, 60, 180)
    assert office.services[0].limits == Limits(walk_in=900, booked=300)
    assert office.hotline is None
    assert [(step.role, step.after_seconds) for step in office.escalation] == [
        ("operator", 0),
        ("administrator", 180),
        ("director", 600),
    ]
    assert (office.idle_seconds, office.long_pause_seconds) == (60, 600)


def test_a_service_promises_what_it_says_and_else_what_the_office_says() -> None:
    document = smallest(limits={"walk_in_seconds": 1200, "booked_seconds": 600})
    document["services"][0]["limits"] = {"booked_seconds": 60}

    limits = office_of(document, "document").services[0].limits

    assert limits.seconds(Channel.WALK_IN) == 1200
    assert limits.seconds(Channel.BOOKED) == 60


@pytest.mark.parametrize(
    ("office", "own", "walk_in", "booked"),
    [
        ({}, {}, 600, 200),
        ({"walk_in_seconds": 100}, {}, 66, 200),
        ({"walk_in_warning_seconds": 700}, {}, 700, 200),
        ({"walk_in_warning_seconds": 700}, {"walk_in_seconds": 300}, 200, 200),
        ({"walk_in_warning_seconds": 700}, {"walk_in_seconds": 300, "walk_in_warning_seconds": 60}, 60, 200),
        ({"booked_warning_seconds": 30}, {"booked_warning_seconds": 40}, 600, 40),
    ],
)
def test_a_warning_comes_at_two_thirds_unless_the_service_or_the_office_says_otherwise_for_this_limit(
    office: dict[str, int], own: dict[str, int], walk_in: int, booked: int
) -> None:
    document = smallest(limits=office)
    document["services"][0]["limits"] = own

    limits = office_of(document, "document").services[0].limits

    assert limits.warning_seconds(Channel.WALK_IN) == walk_in
    assert limits.warning_seconds(Channel.BOOKED) == booked


def test_who_is_told_of_a_breach_is_told_in_the_order_of_time() -> None:
    steps = [{"role": "porter", "after_seconds": 0}, {"role": "director", "after_seconds": 30}]

    office = office_of(smallest(escalation=steps, idle_seconds=5, long_pause_seconds=7), "document")

    assert office.escalation == (
        Escalation(role="porter", after_seconds=0),
        Escalation(role="director", after_seconds=30),
    )
    assert (office.idle_seconds, office.long_pause_seconds) == (5, 7)


def test_a_day_may_have_several_stretches_in_any_order_and_last_till_midnight() -> None:
    hours = {"sat": ["00:00-24:00"], "mon": ["14:00-20:00", "08:00-13:00"], "sun": []}

    office = office_of(smallest(hours=hours), "document")

    assert office.hours == (
        Opening(weekday=0, opens=time(8), closes=time(13)),
        Opening(weekday=0, opens=time(14), closes=time(20)),
        Opening(weekday=5, opens=time(0), closes=time(0)),
    )


def test_services_may_share_a_letter() -> None:
    document = smallest()
    document["services"].append(document["services"][0] | {"id": "advice"})
    document["counters"][0]["services"].append("advice")

    office = office_of(document, "document")

    assert [service.letter for service in office.services] == ["A", "A"]


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "office.toml"
    path.write_bytes(b"\xef\xbb\xbf" + EXAMPLE.read_bytes())

    assert read_office(path) == read_office(EXAMPLE)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b'id = "centre"\nname = \n', "line 2, column 8: is not valid TOML"),
        (b'id = "centre"\nid = "other"\n', "line 2, column 13: is not valid TOML"),
        (b'id = "centre"\n\nhours = [\n', "line 3: is not valid TOML: Invalid value, and there the file ends"),
        (b'id = "centre"\nhotline = "\xcf\xf0"\n', "line 2: is not UTF-8 text; save the file as UTF-8"),
        (b"id = " + 100_000 * b"[", "is beyond what can be read"),
        (b"recall_limit = " + 5_000 * b"9", "is beyond what can be read"),
    ],
    ids=["no value", "a key twice", "unfinished", "not UTF-8", "nested without end", "a huge number"],
)
def test_a_file_that_is_no_toml_is_refused_with_its_name_and_line(
    tmp_path: Path, content: bytes, complaint: str
) -> None:
    path = tmp_path / "office.toml"
    path.write_bytes(content)

    with pytest.raises(BadDescription) as refused:
        read_office(path)

    assert str(refused.value).startswith(f"{path}: {complaint}")


def test_a_file_that_is_not_there_is_refused_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(BadDescription, match=r"nowhere\.toml: cannot be read: No such file or directory"):
        read_office(tmp_path / "nowhere.toml")


def test_a_folder_is_no_description(tmp_path: Path) -> None:
    with pytest.raises(BadDescription, match="cannot be read: Is a directory"):
        read_office(tmp_path)
