"""Days drawn from a seed."""

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from random import Random
from statistics import mean, stdev
from zoneinfo import ZoneInfo

import pytest

from app.simulator.places import Place
from app.simulator.synthetic import WORK, log_normal, synthetic_day
from app.simulator.visits import Day, Turn

THURSDAY = date(2026, 11, 26)
CENTRE = Place(
    id="centre",
    zone=ZoneInfo("Europe/Moscow"),
    services=tuple(WORK),
    counters={str(number): tuple(WORK) for number in range(1, 9)},
    categories=("veteran",),
    hours=((3, time(8), time(20)),),
)


def day(seed: int = 1, place: Place = CENTRE, visits: int | None = None) -> Day:
    return synthetic_day(place, place.stretches(THURSDAY), seed=seed, visits=visits)


def test_the_same_seed_brings_the_same_day() -> None:
    assert day(seed=7) == day(seed=7)
    assert day(seed=7) != day(seed=8)


def test_visitors_come_in_order_and_within_the_hours() -> None:
    (opens, closes), *_ = CENTRE.stretches(THURSDAY)

    times = [visit.at for visit in day().visits]

    assert times == sorted(times)
    assert opens < times[0]
    assert times[-1] < closes - timedelta(minutes=15)


def test_as_many_come_as_were_asked_for_and_most_of_them_before_lunch() -> None:
    days = [day(seed, visits=700) for seed in range(20)]

    by_hour = Counter(visit.at.astimezone(CENTRE.zone).hour for one in days for visit in one.visits)

    assert mean(len(one.visits) for one in days) == pytest.approx(700, rel=0.03)
    assert {hour for hour, _ in by_hour.most_common(3)} == {10, 11, 12}


def test_the_shares_of_a_day_are_those_assumed() -> None:
    visits = [visit for seed in range(40) for visit in day(seed).visits]

    def share(of: list[bool]) -> float:
        return sum(of) / len(visits)

    assert share([visit.slot is not None for visit in visits]) == pytest.approx(0.30, abs=0.02)
    assert share([visit.turn is Turn.NO_SHOW for visit in visits]) == pytest.approx(0.03, abs=0.01)
    assert share([visit.category is not None for visit in visits]) == pytest.approx(0.04, abs=0.01)
    assert {visit.turn for visit in visits} == set(Turn)


def test_a_booked_visitor_comes_within_ten_minutes_of_the_slot() -> None:
    early = [(visit.slot - visit.at).total_seconds() for visit in day().visits if visit.slot]

    assert all(-600 <= seconds <= 600 for seconds in early)
    assert any(seconds < 0 for seconds in early)


def test_service_times_have_the_mean_and_the_spread_asked_for() -> None:
    random = Random(15)

    drawn = [log_normal(random, 600) for _ in range(20_000)]

    assert mean(drawn) == pytest.approx(600, rel=0.02)
    assert stdev(drawn) / mean(drawn) == pytest.approx(0.7, rel=0.05)


def test_every_operator_has_a_lunch_and_breaks_that_do_not_meet() -> None:
    for breaks in day().breaks.values():
        assert [pause.reason for pause in breaks].count("lunch") == 1
        assert all(earlier.at + timedelta(seconds=earlier.seconds) < later.at for earlier, later in pairwise(breaks))


def test_nobody_comes_during_the_lunch_hour_of_the_office_or_on_a_day_off() -> None:
    branch = Place(
        id="branch",
        zone=ZoneInfo("Asia/Yekaterinburg"),
        services=("papers",),
        counters={"1": ("papers",)},
        categories=(),
        hours=((3, time(9), time(13)), (3, time(14), time(0))),
    )

    hours = {visit.at.astimezone(branch.zone).hour for visit in day(place=branch, visits=500).visits}

    assert hours == {*range(9, 13), *range(14, 24)}
    assert branch.stretches(THURSDAY)[-1][1] == datetime(2026, 11, 26, 19, tzinfo=UTC)
    assert synthetic_day(branch, branch.stretches(THURSDAY + timedelta(days=1)), seed=1).visits == ()
