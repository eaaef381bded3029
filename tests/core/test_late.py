"""Who did not come when called may come late: back into the line, with the clock as it was."""

from dataclasses import replace
from datetime import timedelta

import pytest

from queue_core.commands import (
    CallChosen,
    Cancel,
    CloseDay,
    NoShow,
    OpenDay,
    Readmit,
    Resume,
    ReturnToLine,
    Start,
    Tick,
    Transfer,
    Undo,
)
from queue_core.errors import CallTooFresh, NothingToUndo, StepForbidden
from queue_core.facts import Absent, Missed, Readmission, Readmitted
from queue_core.hall import Hall, evolve_all
from queue_core.tickets import State
from tests.core.live import NINE, OFFICE, LiveHall, minutes, seconds

PATIENT = replace(OFFICE, late_seconds=600, late_limit=1)


@pytest.fixture
def hall() -> LiveHall:
    """A hall that waits ten minutes for who is late, once."""
    return LiveHall(PATIENT)


def absent(hall: LiveHall, *, after: timedelta = timedelta()) -> str:
    """Somebody who waited so long, was called, and was not there a minute later."""
    ticket = hall.issue()
    hall.wait(seconds=after.total_seconds())
    hall.call()
    hall.wait(seconds=60)
    hall.wish(NoShow(ticket))
    return ticket


def readmit(ticket: str, by: Readmission = Readmission.OPERATOR) -> Readmit:
    """The wish to let somebody back into the line."""
    return Readmit(ticket, by)


def test_who_does_not_come_may_come_late_and_the_counter_is_free(hall: LiveHall) -> None:
    ticket = absent(hall)

    assert hall.of(Absent) == [Absent(at=hall.now, ticket=ticket, until=hall.now + minutes(10))]
    assert hall.visit(ticket).state is State.LATE
    assert hall.hall.session("1").ticket is None
    assert ticket in {person.id for person in hall.hall.people()}


@pytest.mark.parametrize("late_seconds", [0, 600])
def test_nobody_is_taken_for_absent_within_a_minute_of_the_call(late_seconds: int) -> None:
    hall = LiveHall(replace(PATIENT, late_seconds=late_seconds))
    ticket = hall.issue()
    hall.call()
    hall.wait(seconds=59)

    refusal = hall.refusal(NoShow(ticket))

    assert isinstance(refusal, CallTooFresh) == (late_seconds > 0)
    if refusal:
        hall.wait(seconds=1)
        hall.wish(NoShow(ticket))
        assert hall.visit(ticket).state is State.LATE


def test_an_office_that_waits_for_nobody_ends_the_visit_at_once() -> None:
    hall = LiveHall(OFFICE)
    ticket = absent(hall)

    assert hall.visit(ticket).state is State.MISSED
    assert (hall.visit(ticket).misses, hall.visit(ticket).first_missed_at) == (1, hall.now)


@pytest.mark.parametrize("by", Readmission)
def test_a_late_visitor_waits_again_with_the_clock_as_it_was(hall: LiveHall, by: Readmission) -> None:
    ticket = absent(hall, after=minutes(5))
    hall.wait(minutes=4)

    back = hall.wish(readmit(ticket, by))

    visit = hall.visit(ticket)
    assert back == [Readmitted(at=hall.now, ticket=ticket, by=by, since=hall.now)]
    assert (visit.state, visit.number, visit.issued_at) == (State.WAITING, "A001", NINE)
    assert visit.clock.reading(hall.now) == minutes(5)
    assert visit.due == hall.now + minutes(10)
    assert (visit.away, visit.answering, visit.misses) == (minutes(4), minutes(1), 1)


def test_a_quick_no_show_stops_no_clock(hall: LiveHall) -> None:
    ticket = absent(hall, after=minutes(13))
    hall.wait(seconds=90)

    hall.wish(readmit(ticket))
    hall.look()

    visit = hall.visit(ticket)
    assert visit.clock.reading(hall.now) == minutes(15.5)
    assert (visit.away, visit.answering) == (minutes(0), minutes(0))
    assert hall.breaches() == [(ticket, NINE + minutes(15), hall.now)]


@pytest.mark.parametrize(("away", "counts"), [(seconds(120), True), (seconds(120.000001), False)])
def test_quick_is_two_minutes_and_not_a_microsecond_more(hall: LiveHall, away: timedelta, counts: bool) -> None:
    ticket = absent(hall, after=minutes(2))
    called = NINE + minutes(2)
    hall.wait(seconds=away.total_seconds())

    hall.wish(readmit(ticket))

    assert hall.of(Readmitted)[0].since == (called if counts else hall.now)


def test_a_clock_never_reads_more_than_has_passed_whatever_was_taken_back_before(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.wait(minutes=1)
    hall.call()
    hall.wait(seconds=10)
    hall.wish(ReturnToLine(ticket))
    hall.wait(seconds=30)
    hall.wish(Undo("1"))
    hall.wait(seconds=60)
    hall.wish(NoShow(ticket))
    hall.wait(seconds=60)

    hall.wish(readmit(ticket))

    visit = hall.visit(ticket)
    assert visit.clock.reading(hall.now) == hall.now - NINE
    assert visit.answering == minutes(0)


def test_a_late_visitor_comes_after_those_who_have_waited_longer_and_before_the_others(hall: LiveHall) -> None:
    late = absent(hall, after=minutes(5))
    longer = hall.issue()
    hall.wait(minutes=6)
    shorter = hall.issue()
    hall.wait(minutes=1)

    hall.wish(readmit(late))

    assert [hall.call(), hall.call("2")] == [longer, late]
    assert hall.visit(shorter).state is State.WAITING


def test_who_does_not_come_in_time_is_missed_at_that_instant_whenever_anybody_looks(hall: LiveHall) -> None:
    ticket = absent(hall)
    until = hall.now + minutes(10)
    assert hall.hall.next_alarm(hall.now) == until

    hall.wait(minutes=25)
    hall.look()

    assert hall.of(Missed) == [Missed(at=hall.now, ticket=ticket, since=until)]
    visit = hall.visit(ticket)
    assert (visit.state, visit.ended_at, visit.misses) == (State.MISSED, until, 1)
    assert visit.first_missed_at == NINE + minutes(1)


def test_a_second_no_show_is_the_end(hall: LiveHall) -> None:
    ticket = absent(hall)
    hall.wait(minutes=3)
    hall.wish(readmit(ticket, Readmission.VISITOR))
    hall.call()
    hall.wait(seconds=60)

    hall.wish(NoShow(ticket))

    assert hall.visit(ticket).state is State.MISSED
    assert hall.visit(ticket).misses == 2
    assert isinstance(hall.refusal(readmit(ticket)), StepForbidden)


def test_the_closing_ends_the_wait_for_who_is_late(hall: LiveHall) -> None:
    ticket = absent(hall)

    hall.wish(CloseDay())

    assert hall.of(Missed) == [Missed(at=hall.now, ticket=ticket, since=hall.now)]
    assert hall.visit(ticket).ended_at == hall.now


def test_who_is_late_over_night_has_gone_home(hall: LiveHall) -> None:
    first = hall.issue()
    hall.call()
    hall.wish(CloseDay())
    hall.wait(seconds=60)
    hall.wish(NoShow(first))
    assert hall.visit(first).state is State.LATE

    hall.wait(days=1)
    hall.wish(OpenDay())

    assert hall.visit(first).state is State.MISSED
    assert list(hall.hall.people()) == []


def test_an_operator_may_give_up_waiting_and_a_visitor_may_leave(hall: LiveHall) -> None:
    given_up, left = absent(hall), absent(hall)

    hall.wish(NoShow(given_up))
    hall.wish(Cancel(left))

    assert (hall.visit(given_up).state, hall.visit(given_up).misses) == (State.MISSED, 1)
    assert hall.visit(left).state is State.LEFT


@pytest.mark.parametrize("step", ["return", "resume", "transfer", "call", "start"])
def test_a_late_visitor_is_let_in_before_anything_else_happens(hall: LiveHall, step: str) -> None:
    ticket = absent(hall)
    wish = {
        "return": ReturnToLine(ticket),
        "resume": Resume(ticket),
        "transfer": Transfer(ticket, service="land"),
        "call": CallChosen(ticket, "2", "is here"),
        "start": Start(ticket),
    }[step]

    assert isinstance(hall.refusal(wish), StepForbidden)


def test_a_no_show_is_taken_back_while_it_was_the_last_step_and_nobody_was_let_in(hall: LiveHall) -> None:
    ticket = absent(hall)
    hall.wait(seconds=20)
    hall.wish(Undo("1"))
    assert (hall.visit(ticket).state, hall.visit(ticket).misses) == (State.CALLED, 0)

    hall.wish(NoShow(ticket))
    hall.wait(seconds=20)
    hall.wish(readmit(ticket))

    assert isinstance(hall.refusal(Undo("1")), NothingToUndo)


def test_one_who_has_passed_the_limit_is_not_told_of_again(hall: LiveHall) -> None:
    ticket = absent(hall, after=minutes(16))
    hall.wait(minutes=3)
    hall.wish(readmit(ticket))

    hall.wait(minutes=30)
    hall.wish(Tick())

    assert [breached for breached, *_ in hall.breaches()] == [ticket]


def test_a_hall_of_a_checkpoint_still_waits_for_who_is_late(hall: LiveHall) -> None:
    ticket = absent(hall)
    again = Hall.of("hall", hall.hall.state())

    evolve_all(again, hall.wish(readmit(ticket)))

    assert again.state() == hall.hall.state()
    assert again.next_alarm(hall.now) == hall.hall.next_alarm(hall.now)
