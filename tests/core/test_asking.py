"""What a visitor says: I need more time, and how it was."""

from datetime import timedelta

import pytest

from queue_core.commands import Announce, AskForTime, Cancel, ComeBack, Hold, Rate, Recall, Tick
from queue_core.errors import NoMoreTime, RatedOften, StepForbidden, UnknownTicket
from queue_core.facts import Announced, HeldBy, Rated, TicketFact, Told
from queue_core.hall import Hall
from queue_core.tickets import State, retold
from tests.core.live import LiveHall


@pytest.fixture
def hall() -> LiveHall:
    """A hall with its counters open."""
    return LiveHall()


def test_who_steps_aside_comes_back_with_the_waiting_already_done(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.wait(minutes=4)

    hall.wish(AskForTime(ticket))
    hall.wait(minutes=11)
    hall.wish(Tick())

    visit = hall.visit(ticket)
    assert visit.state is State.WAITING
    assert visit.clock.waited == timedelta(minutes=4)


def test_who_is_there_again_early_goes_on_waiting_at_once(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.wait(minutes=4)
    hall.wish(AskForTime(ticket))
    hall.wait(minutes=3)

    hall.wish(ComeBack(ticket))
    hall.wait(minutes=2)

    visit = hall.visit(ticket)
    assert visit.state is State.WAITING
    assert visit.clock.reading(hall.now) == timedelta(minutes=6)


def test_whom_the_office_holds_only_the_office_brings_back(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.wish(Hold(ticket, HeldBy.OFFICE))

    refusal = hall.refusal(ComeBack(ticket))

    assert type(refusal) is StepForbidden
    assert hall.visit(ticket).state is State.HELD


def test_time_is_asked_for_as_often_as_the_office_allows(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.wish(AskForTime(ticket))
    hall.wait(minutes=11)
    hall.wish(Tick())

    refusal = hall.refusal(AskForTime(ticket))

    assert type(refusal) is NoMoreTime


def test_who_has_been_called_may_still_step_aside_and_the_counter_is_free(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.call()

    hall.wish(AskForTime(ticket))

    assert hall.visit(ticket).state is State.HELD
    assert hall.hall.session("1").ticket is None


def test_a_call_is_told_of_once_however_many_boards_tell_of_it(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.call()
    for board in ("hall", "door"):
        hall.wish(Announce(ticket, board, Told.SHOWN))
    hall.wish(Announce(ticket, "hall", Told.SPOKEN))

    assert [(fact.board, fact.how) for fact in hall.of(Announced)] == [("hall", Told.SHOWN), ("hall", Told.SPOKEN)]
    assert hall.visit(ticket).shown_at is not None


def test_a_recall_is_to_be_told_of_again(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.call()
    hall.wish(Announce(ticket, "hall", Told.SPOKEN))

    hall.wish(Recall(ticket))

    assert hall.visit(ticket).spoken_at is None
    assert [(call.number, call.again) for call in hall.hall.calls] == [("A001", False), ("A001", True)]


def test_a_visit_is_rated_when_it_is_over_and_the_latest_word_counts(hall: LiveHall) -> None:
    ticket = hall.issue()
    assert type(hall.refusal(Rate(ticket, 5))) is StepForbidden
    hall.wish(Cancel(ticket))

    hall.wish(Rate(ticket, 2))
    hall.wish(Rate(ticket, 4, felt_minutes=7))

    rating = hall.hall.ratings[ticket]
    assert (rating.stars, rating.felt_minutes, rating.words) == (4, 7, 2)
    told = retold(fact for fact in hall.facts if isinstance(fact, TicketFact))
    assert told is not None
    assert told.stars == 4


def test_a_visit_is_not_rated_without_end(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.wish(Cancel(ticket))
    for _ in range(5):
        hall.wish(Rate(ticket, 1))

    refusal = hall.refusal(Rate(ticket, 1))

    assert type(refusal) is RatedOften
    assert len(hall.of(Rated)) == 5
    assert type(hall.refusal(Rate("20260101-A001", 1))) is UnknownTicket


def test_what_was_said_and_called_outlives_a_restart(hall: LiveHall) -> None:
    first, second = hall.issue(), hall.issue()
    hall.call()
    hall.wish(Cancel(second))
    hall.wish(Rate(second, 3))

    again = Hall.of("hall", hall.hall.state())

    assert again.ratings == hall.hall.ratings
    assert [call.ticket for call in again.calls] == [first]
