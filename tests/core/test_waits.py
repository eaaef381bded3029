"""The clocks of a visit: what counts as waiting, and what can never be taken off again."""

from datetime import timedelta

import pytest

from queue_core.commands import (
    CallChosen,
    Cancel,
    CloseDay,
    Command,
    Finish,
    Hold,
    NoShow,
    Recall,
    Resume,
    ReturnToLine,
    Start,
    Transfer,
)
from queue_core.facts import HeldBy
from queue_core.tickets import State
from queue_core.waits import WaitClock
from tests.core.live import NINE, LiveHall, minutes, seconds


def test_the_wait_to_call_runs_from_the_issue_to_the_first_call(hall: LiveHall) -> None:
    ticket = hall.issue()

    hall.wait(minutes=7)
    hall.call()

    assert hall.visit(ticket).wait_to_call == minutes(7)


def test_the_wait_to_start_runs_on_until_the_visitor_is_at_the_counter(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.wait(minutes=7)
    hall.call()

    hall.wait(seconds=40)
    hall.wish(Start(ticket))

    assert hall.visit(ticket).wait_to_call == minutes(7)
    assert hall.visit(ticket).wait_to_start == minutes(7) + seconds(40)


def test_a_recall_changes_neither_wait(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.wait(minutes=7)
    hall.call()

    hall.wait(seconds=30)
    hall.wish(Recall(ticket))
    hall.wait(seconds=30)
    hall.wish(Start(ticket))

    assert hall.visit(ticket).first_called_at == NINE + minutes(7)
    assert hall.visit(ticket).last_called_at == NINE + minutes(7.5)
    assert hall.visit(ticket).wait_to_call == minutes(7)
    assert hall.visit(ticket).wait_to_start == minutes(8)


def test_somebody_returned_to_the_line_waits_on_with_what_was_already_waited(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.wait(minutes=7)
    hall.call()
    hall.wait(minutes=1)

    hall.wish(ReturnToLine(ticket, "the printer is out of paper"))
    hall.wait(minutes=2)

    assert hall.visit(ticket).clock.reading(hall.now) == minutes(9)
    assert hall.visit(ticket).due == NINE + minutes(1) + minutes(15)


def test_the_wait_to_call_stays_with_the_first_call_and_the_wait_to_start_takes_in_the_second_wait(
    hall: LiveHall,
) -> None:
    ticket = hall.issue()
    hall.wait(minutes=7)
    hall.call()
    hall.wait(minutes=1)
    hall.wish(ReturnToLine(ticket))
    hall.wait(minutes=4)

    hall.call("2")
    hall.wait(seconds=30)
    hall.wish(Start(ticket))

    assert hall.visit(ticket).first_called_at == NINE + minutes(7)
    assert hall.visit(ticket).last_called_at == NINE + minutes(12)
    assert hall.visit(ticket).wait_to_call == minutes(7)
    assert hall.visit(ticket).wait_to_start == minutes(12.5)


def test_a_transfer_keeps_the_number_the_origin_and_the_clock(hall: LiveHall) -> None:
    ticket = hall.issue("passport")
    hall.wait(minutes=10)
    hall.call()
    hall.wish(Start(ticket))
    hall.wait(minutes=20)

    hall.wish(Transfer(ticket, service="cash"))
    hall.wait(minutes=3)

    visit = hall.visit(ticket)
    assert (visit.number, visit.issued_service, visit.service) == ("A001", "passport", "cash")
    assert visit.clock.reading(hall.now) == minutes(13)
    assert visit.due == NINE + minutes(30) + minutes(5)


def test_a_transfer_from_the_waiting_room_does_not_touch_the_clock(hall: LiveHall) -> None:
    ticket = hall.issue("passport")
    hall.wait(minutes=10)

    hall.wish(Transfer(ticket, service="land"))

    assert hall.visit(ticket).state is State.WAITING
    assert hall.visit(ticket).due == NINE + minutes(15)


def test_time_in_service_is_nobodys_wait(hall: LiveHall) -> None:
    ticket = hall.issue(further=("cash",))
    hall.wait(minutes=5)
    hall.call()
    hall.wish(Start(ticket))

    hall.wait(minutes=25)
    hall.wish(Finish(ticket))

    assert hall.visit(ticket).serving == minutes(25)
    assert hall.visit(ticket).clock.reading(hall.now) == minutes(5)


def test_every_further_wait_of_a_visit_counts_into_its_wait_to_start(hall: LiveHall) -> None:
    ticket = hall.issue("passport", further=("cash",))
    hall.wait(minutes=5)
    hall.call("1")
    hall.wish(Start(ticket))
    hall.wait(minutes=25)
    hall.wish(Finish(ticket))

    hall.wait(minutes=6)
    hall.call("3")
    hall.wait(minutes=1)
    hall.wish(Start(ticket))

    assert hall.visit(ticket).wait_to_call == minutes(5)
    assert hall.visit(ticket).wait_to_start == minutes(5 + 6 + 1)


def test_a_hold_by_the_office_does_not_stop_the_clock(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.wait(minutes=4)

    hall.wish(Hold(ticket, HeldBy.OFFICE))
    hall.wait(minutes=6)

    assert hall.visit(ticket).clock.reading(hall.now) == minutes(10)
    assert hall.visit(ticket).due == NINE + minutes(15)


def test_a_hold_by_the_office_starts_the_clock_of_somebody_who_was_at_a_counter(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.wait(minutes=4)
    hall.call()
    hall.wish(Start(ticket))
    hall.wait(minutes=10)

    hall.wish(Hold(ticket, HeldBy.OFFICE))
    hall.wait(minutes=6)

    assert hall.visit(ticket).clock.reading(hall.now) == minutes(10)
    assert hall.visit(ticket).due == NINE + minutes(14) + minutes(11)


def test_only_a_hold_that_the_visitor_asks_for_stops_the_clock(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.wait(minutes=4)

    hall.wish(Hold(ticket, HeldBy.VISITOR))
    hall.wait(minutes=30)

    assert hall.visit(ticket).clock.reading(hall.now) == minutes(4)
    assert hall.visit(ticket).due is None


def test_after_the_visitors_hold_the_clock_goes_on_from_where_it_stood(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.wait(minutes=4)
    hall.wish(Hold(ticket, HeldBy.VISITOR))
    hall.wait(minutes=30)

    hall.wish(Resume(ticket))
    hall.wait(minutes=2)

    assert hall.visit(ticket).clock.reading(hall.now) == minutes(6)
    assert hall.visit(ticket).due == NINE + minutes(34) + minutes(11)


def test_a_hold_runs_out_at_its_instant_even_when_nobody_looked(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.wait(minutes=4)
    hall.wish(Hold(ticket, HeldBy.VISITOR, until=NINE + minutes(10)))

    hall.wait(minutes=9)
    hall.look()

    assert hall.visit(ticket).state is State.WAITING
    assert hall.visit(ticket).clock.reading(hall.now) == minutes(4 + 3)


def test_a_hold_that_has_not_run_out_stays(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.wish(Hold(ticket, HeldBy.VISITOR, until=NINE + minutes(10)))

    hall.wait(minutes=9, seconds=59)
    hall.look()

    assert hall.visit(ticket).state is State.HELD


def test_a_hold_that_was_ended_early_does_not_come_back_at_its_old_instant(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.wish(Hold(ticket, HeldBy.VISITOR, until=NINE + minutes(10)))
    hall.wait(minutes=5)
    hall.wish(Resume(ticket))
    hall.wish(Hold(ticket, HeldBy.VISITOR, until=NINE + minutes(20)))

    hall.wait(minutes=10)
    hall.look()

    assert hall.visit(ticket).state is State.HELD


def test_booked_and_early_the_clock_starts_at_the_slot(hall: LiveHall) -> None:
    ticket = hall.issue(slot=NINE + minutes(20))

    hall.wait(minutes=23)
    hall.call()

    assert hall.visit(ticket).clock_start == NINE + minutes(20)
    assert hall.visit(ticket).wait_to_call == minutes(3)


def test_booked_and_late_the_clock_starts_at_the_check_in(hall: LiveHall) -> None:
    hall.wait(minutes=30)
    ticket = hall.issue(slot=NINE + minutes(10))

    hall.wait(minutes=3)
    hall.call()

    assert hall.visit(ticket).clock_start == NINE + minutes(30)
    assert hall.visit(ticket).wait_to_call == minutes(3)


def test_booked_and_early_nobody_ahead_one_is_called_before_the_slot_and_has_not_waited_at_all(hall: LiveHall) -> None:
    ticket = hall.issue(slot=NINE + minutes(20))
    hall.wait(minutes=5)

    hall.call()
    hall.wait(seconds=30)
    hall.wish(Start(ticket))

    assert hall.visit(ticket).wait_to_call == timedelta()
    assert hall.visit(ticket).wait_to_start == timedelta()


def test_called_before_the_slot_and_started_after_it_only_the_time_past_the_slot_was_a_wait(hall: LiveHall) -> None:
    ticket = hall.issue(slot=NINE + minutes(20))
    hall.wait(minutes=19)

    hall.call()
    hall.wait(minutes=3)
    hall.wish(Start(ticket))

    assert hall.visit(ticket).wait_to_start == minutes(2)


def test_booked_and_returned_before_the_slot_the_clock_still_starts_at_the_slot(hall: LiveHall) -> None:
    ticket = hall.issue(slot=NINE + minutes(20))
    hall.wait(minutes=5)
    hall.call()

    hall.wish(ReturnToLine(ticket))
    hall.wait(minutes=18)

    assert hall.visit(ticket).clock.reading(hall.now) == minutes(3)
    assert hall.visit(ticket).due == NINE + minutes(25)


def test_booked_and_held_past_the_slot_the_clock_starts_when_the_visitor_is_back(hall: LiveHall) -> None:
    ticket = hall.issue(slot=NINE + minutes(20))
    hall.wish(Hold(ticket, HeldBy.VISITOR, until=NINE + minutes(40)))

    hall.wait(minutes=42)
    hall.look()

    assert hall.visit(ticket).clock.reading(hall.now) == minutes(2)


def test_calling_a_chosen_ticket_stops_its_clock_too(hall: LiveHall) -> None:
    hall.issue()
    ticket = hall.issue()
    hall.now = hall.visit(ticket).issued_at + minutes(6)

    hall.wish(CallChosen(ticket, "1", "came from far away"))

    assert hall.visit(ticket).wait_to_call == minutes(6)


@pytest.mark.parametrize(
    ("ending", "state"),
    [(Cancel, State.LEFT), (NoShow, State.MISSED)],
    ids=["leaves", "does not come"],
)
def test_whoever_is_called_and_is_not_served_keeps_the_wait(
    hall: LiveHall, ending: type[Cancel] | type[NoShow], state: State
) -> None:
    ticket = hall.issue()
    hall.wait(minutes=8)
    hall.call()
    hall.wait(minutes=1)

    hall.wish(ending(ticket))

    assert hall.visit(ticket).state is state
    assert hall.visit(ticket).ended_at == hall.now
    assert hall.visit(ticket).wait_to_call == minutes(8)
    assert hall.visit(ticket).clock.reading(hall.now + minutes(60)) == minutes(8)


@pytest.mark.parametrize(
    ("command", "state"),
    [(Cancel("20261123-A001"), State.LEFT), (CloseDay(), State.UNSERVED)],
    ids=["leaves", "the day closes"],
)
def test_whoever_was_never_called_keeps_the_wait(hall: LiveHall, command: Command, state: State) -> None:
    ticket = hall.issue()
    hall.wait(minutes=8)

    hall.wish(command)

    assert hall.visit(ticket).state is state
    assert hall.visit(ticket).wait_to_call is None
    assert hall.visit(ticket).clock.waited == minutes(8)


def test_a_clock_that_runs_already_cannot_be_started_anew() -> None:
    clock = WaitClock(limit=minutes(15), since=NINE)

    assert clock.started(NINE + minutes(10)) == clock


def test_a_clock_that_stands_reads_the_same_for_ever() -> None:
    clock = WaitClock(limit=minutes(15), since=NINE).stopped(NINE + minutes(10))

    assert clock.reading(NINE + minutes(500)) == minutes(10)
    assert clock.due is None
    assert not clock.runs
