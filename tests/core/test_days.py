"""Business days: by the hours and by hand, across midnights, daylight saving and silence, with people in the hall."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from queue_core.commands import (
    CloseDay,
    Configure,
    Finish,
    Hold,
    Issue,
    OpenDay,
    ReturnToLine,
    Start,
    Tick,
    Transfer,
)
from queue_core.errors import DayNotOpen, OfficeClosed
from queue_core.facts import Breached, DayClosed, DayOpened, HeldBy, Issued, Resumed, Unserved
from queue_core.office import Opening
from queue_core.tickets import State
from tests.core.live import AROUND_THE_CLOCK, NINE, OFFICE, WORKDAYS, LiveHall, minutes

ALWAYS_OPEN = replace(OFFICE, hours=AROUND_THE_CLOCK)
MONDAY, TUESDAY = date(2026, 11, 23), date(2026, 11, 24)
CLOSING = NINE.replace(hour=21)
"""Six o'clock and the three hours of grace."""


def wall(zone: str, *at: int) -> datetime:
    """An instant by the clock on an office's wall."""
    year, month, day, hour, minute = (*at, 0, 0)[:5]
    return datetime(year, month, day, hour, minute, tzinfo=ZoneInfo(zone)).astimezone(UTC)


# By the hours


def test_a_day_opens_by_its_hours_with_the_first_look(hall: LiveHall) -> None:
    assert hall.look() == [DayOpened(at=NINE, day=MONDAY, by_hand=False)]
    assert hall.look() == []


def test_before_the_hours_there_is_no_day() -> None:
    hall = LiveHall(now=NINE - minutes(60))

    assert type(hall.refusal(Issue("passport"))) is OfficeClosed
    assert hall.hall.day is None
    assert hall.hall.next_alarm(hall.now) == NINE


def test_after_the_hours_there_is_a_while_to_serve_those_inside(hall: LiveHall) -> None:
    ticket = hall.issue()

    hall.until(20, 59)

    assert hall.call() == ticket
    assert hall.hall.day_is_open


def test_who_still_waits_when_the_day_closes_goes_unserved_with_the_wait_at_that_instant(hall: LiveHall) -> None:
    hall.until(17)
    ticket = hall.issue()

    hall.until(21)
    hall.look()

    assert hall.of(Unserved) == [Unserved(at=CLOSING, ticket=ticket, since=CLOSING)]
    assert hall.of(DayClosed) == [DayClosed(at=CLOSING, day=MONDAY, since=CLOSING)]
    assert hall.visit(ticket).clock.waited == minutes(240)
    assert hall.visit(ticket).ended_at == CLOSING


def test_a_closing_that_nobody_saw_happened_at_its_true_instant(hall: LiveHall) -> None:
    hall.until(17)
    ticket = hall.issue()

    hall.wait(hours=30)
    hall.look()

    assert hall.of(Unserved) == [Unserved(at=hall.now, ticket=ticket, since=CLOSING)]
    assert hall.breaches() == [(ticket, CLOSING.replace(hour=17, minute=15), hall.now)]
    assert hall.visit(ticket).clock.waited == minutes(240)
    assert hall.visit(ticket).ended_at == CLOSING


def test_limits_that_would_have_passed_after_the_closing_were_not_broken(hall: LiveHall) -> None:
    hall.until(17, 59)
    ticket = hall.issue()
    hall.wish(Hold(ticket, HeldBy.VISITOR, until=CLOSING - minutes(1)))

    hall.wait(hours=30)
    hall.look()

    assert hall.of(Breached) == []
    assert hall.visit(ticket).clock.waited == minutes(1)


def test_holds_that_run_out_before_the_closing_count_and_those_after_it_do_not(hall: LiveHall) -> None:
    before, after = hall.issue(), hall.issue()
    hall.wish(Hold(before, HeldBy.VISITOR, until=CLOSING - minutes(5)))
    hall.wish(Hold(after, HeldBy.VISITOR, until=CLOSING + minutes(5)))

    hall.wait(hours=30)
    hall.look()

    assert [fact.ticket for fact in hall.of(Resumed)] == [before]
    assert hall.visit(before).clock.waited == minutes(5)
    assert hall.visit(after).clock.waited == timedelta()
    assert {hall.visit(ticket).state for ticket in (before, after)} == {State.UNSERVED}


def test_who_is_at_a_counter_when_the_day_closes_is_served_to_the_end(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.until(20, 50)
    hall.call()
    hall.wish(Start(ticket))

    hall.until(21, 30)
    hall.wish(Finish(ticket))

    assert hall.of(Unserved) == []
    assert hall.visit(ticket).state is State.SERVED


def test_numbers_start_again_with_the_day(hall: LiveHall) -> None:
    hall.issue()
    hall.issue()

    hall.wait(days=1)

    assert hall.issue() == "20261124-A001"


def test_several_days_of_silence_close_the_old_day_and_open_only_the_present_one(hall: LiveHall) -> None:
    ticket = hall.issue()

    hall.wait(days=3)
    hall.look()

    assert hall.of(DayClosed) == [DayClosed(at=hall.now, day=MONDAY, since=CLOSING)]
    assert [opened.day for opened in hall.of(DayOpened)] == [MONDAY, date(2026, 11, 26)]
    assert hall.visit(ticket).ended_at == CLOSING


def test_a_silence_into_the_weekend_opens_nothing(hall: LiveHall) -> None:
    hall.issue()

    hall.wait(days=5)
    hall.look()

    assert not hall.hall.day_is_open
    assert hall.hall.next_alarm(hall.now) == NINE + timedelta(days=7)


def test_in_the_lunch_break_no_tickets_are_given_and_the_day_stays_open() -> None:
    morning, afternoon = (time(9), time(12)), (time(13), time(18))
    hours = tuple(
        Opening(weekday=day, opens=opens, closes=closes) for day in WORKDAYS for opens, closes in (morning, afternoon)
    )
    hall = LiveHall(replace(OFFICE, hours=hours))
    ticket = hall.issue()

    hall.until(12, 30)
    assert type(hall.refusal(Issue("passport"))) is OfficeClosed
    assert hall.call() == ticket

    hall.until(13)
    assert hall.refusal(Issue("passport")) is None
    assert len(hall.of(DayOpened)) == 1


def test_the_day_lasts_until_the_last_of_its_hours_in_whatever_order_they_stand() -> None:
    hours = (
        Opening(weekday=0, opens=time(9), closes=time(18)),
        Opening(weekday=0, opens=time(10), closes=time(12)),
    )
    hall = LiveHall(replace(OFFICE, hours=hours))
    hall.look()

    assert hall.hall.closes_at() == CLOSING


def test_an_office_without_hours_waits_to_be_opened_by_hand() -> None:
    hall = LiveHall(replace(OFFICE, hours=()))
    assert hall.hall.next_alarm(hall.now) is None

    hall.wish(OpenDay())

    assert hall.refusal(Issue("passport")) is None


# By hand


def test_a_day_opened_by_hand_receives_outside_the_hours() -> None:
    hall = LiveHall(now=NINE.replace(hour=7))

    hall.wish(OpenDay())

    assert hall.issue() == "20261123-A001"
    hall.until(19)
    assert hall.issue() == "20261123-A002"


def test_a_day_opened_by_hand_is_not_opened_again_by_the_hours() -> None:
    hall = LiveHall(now=NINE.replace(hour=7))
    hall.wish(OpenDay())

    hall.until(9, 30)

    assert hall.look() == []


def test_a_day_off_may_be_opened_by_hand_and_lasts_to_its_midnight_and_the_grace() -> None:
    saturday = NINE + timedelta(days=5)
    hall = LiveHall(now=saturday)

    hall.wish(OpenDay())

    assert hall.hall.day == saturday.date()
    assert hall.hall.closes_at() == saturday.replace(hour=3) + timedelta(days=1)


def test_opening_an_open_day_is_no_news(hall: LiveHall) -> None:
    hall.look()

    assert hall.wish(OpenDay()) == []


def test_a_day_closed_by_hand_ends_at_once(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.wait(minutes=10)

    facts = hall.wish(CloseDay())

    assert facts == [
        Unserved(at=hall.now, ticket=ticket, since=hall.now),
        DayClosed(at=hall.now, day=MONDAY, since=hall.now),
    ]
    assert type(hall.refusal(Issue("passport"))) is OfficeClosed


def test_a_day_closed_by_hand_stays_closed_within_its_hours_and_the_next_one_opens(hall: LiveHall) -> None:
    hall.look()
    hall.wish(CloseDay())

    hall.wait(hours=5)
    assert hall.look() == []

    hall.until(9)
    assert hall.look() == [DayOpened(at=NINE + timedelta(days=1), day=TUESDAY, by_hand=False)]


def test_a_day_can_be_closed_only_once(hall: LiveHall) -> None:
    hall.look()
    hall.wish(CloseDay())

    assert type(hall.refusal(CloseDay())) is DayNotOpen


def test_a_day_opened_again_goes_on_with_its_numbers(hall: LiveHall) -> None:
    hall.issue()
    hall.wish(CloseDay())

    hall.wait(minutes=10)
    hall.wish(OpenDay())

    assert hall.issue() == "20261123-A002"


def test_a_day_opened_again_late_in_the_evening_has_its_whole_grace(hall: LiveHall) -> None:
    hall.look()
    hall.wish(CloseDay())
    hall.until(22)

    hall.wish(OpenDay())

    assert hall.hall.closes_at() == NINE.replace(hour=1) + timedelta(days=1)


# Midnight


def test_an_office_that_never_closes_goes_straight_on_into_the_next_day() -> None:
    hall = LiveHall(ALWAYS_OPEN, now=NINE.replace(hour=23, minute=50))
    yesterday = hall.issue()

    hall.wait(minutes=20)
    today = hall.issue()

    assert hall.of(DayClosed) == []
    assert (yesterday, today) == ("20261123-A001", "20261124-A001")


def test_people_in_the_hall_past_midnight_keep_their_ticket_their_day_and_their_place() -> None:
    hall = LiveHall(ALWAYS_OPEN, now=NINE.replace(hour=23, minute=50))
    yesterday = hall.issue()
    hall.wait(minutes=12)
    hall.issue()

    assert hall.call("2") == yesterday
    assert hall.visit(yesterday).day == MONDAY
    assert hall.visit(yesterday).wait_to_call == minutes(12)


def test_a_limit_is_broken_across_midnight() -> None:
    hall = LiveHall(ALWAYS_OPEN, now=NINE.replace(hour=23, minute=50))
    ticket = hall.issue()

    hall.wait(minutes=30)
    hall.look()

    assert hall.visit(ticket).breached_due == NINE.replace(hour=0, minute=5) + timedelta(days=1)


def test_two_people_with_one_number_from_two_days_are_two_people() -> None:
    hall = LiveHall(ALWAYS_OPEN, now=NINE.replace(hour=23, minute=50))
    yesterday = hall.issue()
    hall.wait(minutes=12)
    today = hall.issue()

    hall.call("1")
    hall.call("2")

    assert hall.visit(yesterday).number == hall.visit(today).number == "A001"
    assert {hall.hall.session(counter).ticket for counter in ("1", "2")} == {yesterday, today}


def test_the_grace_may_last_past_midnight() -> None:
    hours = tuple(Opening(weekday=day, opens=time(9), closes=time(23)) for day in WORKDAYS)
    hall = LiveHall(replace(OFFICE, hours=hours))
    hall.until(22, 59)
    ticket = hall.issue()

    hall.wait(hours=2)

    assert hall.hall.day == MONDAY
    assert hall.call() == ticket


def test_an_office_open_around_the_clock_on_workdays_closes_for_the_weekend() -> None:
    hours = tuple(Opening(weekday=day, opens=time(), closes=time()) for day in WORKDAYS)
    friday = NINE + timedelta(days=4)
    hall = LiveHall(replace(OFFICE, hours=hours), now=friday)
    hall.look()

    assert hall.hall.closes_at() == friday.replace(hour=3) + timedelta(days=1)


def test_a_grace_that_lasts_into_the_next_days_hours_closes_nothing_whether_anybody_looks_or_not() -> None:
    long_grace = replace(OFFICE, closes_after_minutes=20 * 60)
    watched, silent = LiveHall(long_grace), LiveHall(long_grace)
    for hall in (watched, silent):
        hall.until(17)
        hall.issue()

    watched.until(9)
    watched.look()
    for hall in (watched, silent):
        hall.now = NINE + timedelta(days=1, hours=8)
        hall.look()

    assert watched.of(DayClosed) == silent.of(DayClosed) == []
    assert watched.call() == silent.call() == "20261123-A001"


# Zones and daylight saving


def test_the_business_day_is_the_date_on_the_offices_wall() -> None:
    office = replace(ALWAYS_OPEN, zone="Asia/Vladivostok")
    hall = LiveHall(office, now=datetime(2026, 11, 23, 13, 30, tzinfo=UTC))

    before, hall.now = hall.issue(), datetime(2026, 11, 23, 14, tzinfo=UTC)
    after = hall.issue()

    assert (before, after) == ("20261123-A001", "20261124-A001")


@pytest.mark.parametrize(
    ("zone", "sunday", "hours_long"),
    [
        ("Europe/Berlin", (2026, 3, 29), 23),
        ("Europe/Berlin", (2026, 10, 25), 25),
        ("America/New_York", (2026, 3, 8), 23),
        ("America/New_York", (2026, 11, 1), 25),
        ("Asia/Kathmandu", (2026, 3, 29), 24),
        ("Australia/Lord_Howe", (2026, 4, 5), 24.5),
    ],
)
def test_on_a_night_of_changed_clocks_the_day_turns_at_the_walls_midnight(
    zone: str, sunday: tuple[int, int, int], hours_long: float
) -> None:
    midnight = wall(zone, *sunday)
    hall = LiveHall(replace(ALWAYS_OPEN, zone=zone), now=midnight)
    hall.look()

    assert hall.hall.next_alarm(hall.now) == midnight + timedelta(hours=hours_long)
    hall.now = midnight + timedelta(hours=hours_long)
    assert [type(fact) for fact in hall.look()] == [DayOpened]
    assert hall.hall.day == date(*sunday) + timedelta(days=1)


@pytest.mark.parametrize(
    ("zone", "evening"),
    [
        ("Europe/Berlin", (2026, 3, 28, 23, 50)),
        ("Europe/Berlin", (2026, 10, 24, 23, 50)),
        ("America/New_York", (2026, 3, 7, 23, 50)),
        ("America/New_York", (2026, 10, 31, 23, 50)),
    ],
)
def test_a_wait_through_a_night_of_changed_clocks_is_as_long_as_it_was(zone: str, evening: tuple[int, ...]) -> None:
    hall = LiveHall(replace(ALWAYS_OPEN, zone=zone), now=wall(zone, *evening))
    ticket = hall.issue("land")
    hall.wish(Hold(ticket, HeldBy.VISITOR, until=hall.now + minutes(100)))

    hall.wait(hours=5)
    hall.call()

    assert hall.visit(ticket).wait_to_call == minutes(200)
    assert hall.visit(ticket).breached_due == wall(zone, *evening) + minutes(130)


def test_hours_that_do_not_exist_in_spring_begin_when_the_clocks_have_jumped() -> None:
    hours = (Opening(weekday=6, opens=time(2, 30), closes=time(6)),)
    office = replace(OFFICE, zone="Europe/Berlin", hours=hours)
    hall = LiveHall(office, now=wall("Europe/Berlin", 2026, 3, 29, 1))

    assert hall.hall.next_alarm(hall.now) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def test_hours_that_come_twice_in_autumn_open_the_first_time_and_last_an_hour_longer() -> None:
    hours = (Opening(weekday=6, opens=time(1), closes=time(6)),)
    office = replace(OFFICE, zone="America/New_York", hours=hours)
    hall = LiveHall(office, now=datetime(2026, 11, 1, 5, tzinfo=UTC))

    assert hall.look()[0].at == datetime(2026, 11, 1, 5, tzinfo=UTC)
    hall.now = datetime(2026, 11, 1, 10, 59, tzinfo=UTC)
    assert hall.refusal(Issue("passport")) is None
    hall.now = datetime(2026, 11, 1, 11, tzinfo=UTC)
    assert type(hall.refusal(Issue("passport"))) is OfficeClosed


def test_a_midnight_that_does_not_exist_is_the_instant_of_the_jump() -> None:
    zone = "Africa/Cairo"
    hall = LiveHall(replace(ALWAYS_OPEN, zone=zone), now=wall(zone, 2026, 4, 23, 23, 50))
    hall.look()

    turns_at = hall.hall.next_alarm(hall.now)
    assert turns_at == wall(zone, 2026, 4, 24, 1)
    hall.now = turns_at
    assert [type(fact) for fact in hall.look()] == [DayOpened]


# A clock that goes wrong


def test_a_clock_that_steps_back_moves_nothing_back(hall: LiveHall) -> None:
    hall.wait(minutes=10)
    hall.issue()

    hall.now -= minutes(60)
    hall.issue()
    hall.issue()

    instants = [issued.at for issued in hall.of(Issued)]
    assert instants == [NINE + minutes(10) + timedelta(microseconds=tick) for tick in range(3)]


def test_a_clock_that_steps_back_over_midnight_does_not_bring_yesterday_back() -> None:
    hall = LiveHall(ALWAYS_OPEN, now=NINE.replace(hour=0, minute=1))
    hall.issue()

    hall.wait(hours=-2)

    assert hall.issue() == "20261123-A002"
    assert len(hall.of(DayOpened)) == 1


def test_an_office_opens_by_its_hours_after_a_clock_that_had_leapt_over_them_is_set_right() -> None:
    hall = LiveHall(now=NINE.replace(hour=8))

    hall.wait(hours=15)
    hall.look()
    hall.wait(hours=-14)

    assert hall.refusal(Issue("passport")) is None


def test_after_a_step_back_nobody_has_waited_less_than_nothing(hall: LiveHall) -> None:
    hall.wait(minutes=10)
    ticket = hall.issue()

    hall.wait(minutes=-30)
    hall.call()

    assert hall.visit(ticket).wait_to_call == timedelta(microseconds=1)


def test_a_clock_that_leaps_ahead_breaks_every_promise_once(hall: LiveHall) -> None:
    hall.issue()
    hall.issue("land")

    hall.wait(hours=8)
    hall.look()
    hall.wait(hours=-8)
    hall.look()

    assert len(hall.of(Breached)) == 2


# New hours


def test_new_hours_are_kept_from_the_next_look_on(hall: LiveHall) -> None:
    hall.issue()
    hours = tuple(Opening(weekday=day, opens=time(9), closes=time(12)) for day in WORKDAYS)
    hall.until(11)

    hall.wish(Configure(hall.changed(hours=hours)))

    assert hall.hall.closes_at() == NINE.replace(hour=15)


def test_hours_cut_to_before_what_has_happened_end_the_day_with_the_last_of_it(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.until(17)
    hall.call()
    hall.until(17, 30)
    hall.wish(ReturnToLine(ticket))
    hall.until(17, 40)
    hall.wish(
        Configure(hall.changed(closes_after_minutes=0, hours=(Opening(weekday=0, opens=time(9), closes=time(10)),)))
    )
    changed_at = hall.now

    hall.wait(minutes=5)
    hall.look()

    assert [fact.since for fact in hall.of(Unserved)] == [changed_at]
    assert hall.visit(ticket).ended_at == changed_at
    assert hall.visit(ticket).clock.waited == minutes(480) + minutes(10)


def test_a_new_zone_does_not_open_a_day_twice(hall: LiveHall) -> None:
    hall.issue()

    hall.wish(Configure(hall.changed(zone="Pacific/Honolulu", hours=AROUND_THE_CLOCK)))
    hall.wish(Tick())

    assert hall.hall.day == MONDAY
    assert hall.issue() == "20261123-A002"


# After the closing


def test_a_visit_goes_on_after_the_closing_while_there_are_counters(hall: LiveHall) -> None:
    ticket = hall.issue("passport")
    hall.until(20, 59)
    hall.call("1")
    hall.wish(Start(ticket))
    hall.until(21, 10)

    hall.wish(Transfer(ticket, service="cash"))

    assert hall.visit(ticket).state is State.WAITING
    assert hall.call("3") == ticket


def test_nobody_is_carried_over_a_night_in_which_the_office_was_closed(hall: LiveHall) -> None:
    ticket = hall.issue("passport")
    hall.until(20, 59)
    hall.call("1")
    hall.until(21, 10)
    hall.wish(ReturnToLine(ticket))

    hall.until(9)
    hall.look()

    assert hall.visit(ticket).state is State.UNSERVED
    assert [type(fact) for fact in hall.facts[-2:]] == [Unserved, DayOpened]


def test_a_day_opened_again_keeps_those_who_came_back_to_the_line_meanwhile(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.call()
    hall.wish(CloseDay())
    hall.wish(ReturnToLine(ticket))

    hall.wait(minutes=5)
    hall.wish(OpenDay())

    assert hall.call() == ticket
