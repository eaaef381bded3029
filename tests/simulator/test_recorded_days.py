"""Days read from a CSV file."""

from datetime import UTC, date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from app.simulator.places import Place
from app.simulator.recorded import BadRecord, recorded_day
from app.simulator.visits import Visit

OFFICE = Place(
    id="wola",
    zone=ZoneInfo("Europe/Warsaw"),
    services=("ids", "cars"),
    counters={"1": ("ids", "cars")},
    categories=(),
    hours=((0, time(8), time(16)),),
)
TODAY = date(2026, 11, 23)
HEADER = "issued_at,service,service_minutes\n"


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return tmp_path / "day.csv"


def test_visits_are_moved_to_today_at_the_same_times_and_put_in_order(recording: Path) -> None:
    recording.write_text(
        HEADER + "09:30,cars,12.5\n2020-01-08T08:00:30,ids,4\n2020-01-08T08:15:00Z,ids,0.5\n08:01:02.5,ids,3\n"
    )

    day = recorded_day(recording, OFFICE, TODAY)

    assert [(visit.at.strftime("%H:%M:%S.%f")[:-5], visit.service, visit.service_seconds) for visit in day.visits] == [
        ("07:00:30.0", "ids", 240),
        ("07:01:02.5", "ids", 180),
        ("08:15:00.0", "ids", 30),
        ("08:30:00.0", "cars", 750),
    ]
    assert day.breaks == {}


def test_further_columns_any_order_and_a_byte_order_mark_do_no_harm(recording: Path) -> None:
    recording.write_text(
        "\ufeffservice,letter,service_minutes,issued_at\nids,A,5,08:00\n\ncars,B,6,08:01\n", encoding="utf-8"
    )

    first, second = recorded_day(recording, OFFICE, TODAY).visits

    assert first == Visit(at=datetime(2026, 11, 23, 7, tzinfo=UTC), service="ids", service_seconds=300)
    assert second.service == "cars"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "line 1: the header lacks issued_at, service, service_minutes"),
        ("service,issued_at\n", "line 1: the header lacks service_minutes"),
        (HEADER, "there are no visits in it"),
        (HEADER + "08:00,ids,5\n08:01,weddings,5\n", "line 3: office wola has no service 'weddings'; it has ids, cars"),
        (HEADER + "8 o'clock,ids,5\n", 'line 2: issued_at "8 o\'clock" is neither a time such as 09:31 nor'),
        (HEADER + "25:00,ids,5\n", "line 2: issued_at '25:00' is neither"),
        (HEADER + "08:00,ids,\n", "line 2: service_minutes '' is not a number"),
        (HEADER + "08:00,ids\n", "line 2: service_minutes '' is not a number"),
        (HEADER + "08:00,ids,five\n", "line 2: service_minutes 'five' is not a number"),
        (HEADER + "08:00,ids,-5\n", "line 2: service_minutes '-5' is not between 0 and 1440"),
        (HEADER + "08:00,ids,nan\n", "line 2: service_minutes 'nan' is not between 0 and 1440"),
        (HEADER + "08:00,ids,1441\n", "line 2: service_minutes '1441' is not between 0 and 1440"),
        (HEADER + '08:00,"ids,5\n', "line 2: unexpected end of data"),
        (HEADER + "08:00,\x00,5\n", "line 2"),
    ],
)
def test_a_bad_line_is_named_with_its_reason(recording: Path, content: str, complaint: str) -> None:
    recording.write_text(content)

    with pytest.raises(BadRecord) as refused:
        recorded_day(recording, OFFICE, TODAY)

    assert str(refused.value).startswith(str(recording))
    assert complaint in str(refused.value)


def test_a_file_that_cannot_be_read_is_named(recording: Path) -> None:
    with pytest.raises(BadRecord, match=r"day\.csv cannot be read: No such file"):
        recorded_day(recording, OFFICE, TODAY)
    recording.write_bytes(HEADER.encode() + b"08:00,\xff,5\n")
    with pytest.raises(BadRecord, match=r"day\.csv is not UTF-8 text"):
        recorded_day(recording, OFFICE, TODAY)
