"""Counters and the operators at them: who may sit down, who may be called, who is in the way."""

import pytest

from queue_core.commands import (
    CallChosen,
    CallNext,
    CloseCounter,
    Command,
    OpenCounter,
    PauseCounter,
    ReturnToLine,
    Start,
    Transfer,
)
from queue_core.errors import (
    CounterBusy,
    CounterIsClosed,
    CounterIsPaused,
    CounterTaken,
    NobodyServes,
    NotInLine,
    OperatorBusy,
    Refusal,
    UnknownCounter,
    UnknownService,
    UnknownTicket,
)
from queue_core.facts import CounterClosed, CounterOpened, CounterPaused
from queue_core.hall import CounterState
from tests.core.live import NINE, LiveHall, minutes


@pytest.fixture
def empty() -> LiveHall:
    """An office in which nobody has sat down yet."""
    return LiveHall(manned=False)


def test_an_operator_opens_pauses_reopens_and_closes_a_counter(empty: LiveHall) -> None:
    opened = empty.wish(OpenCounter("1", "vera"))
    empty.wait(minutes=30)
    paused = empty.wish(PauseCounter("1", "lunch"))
    empty.wait(minutes=30)
    reopened = empty.wish(OpenCounter("1", "vera"))
    empty.wait(minutes=30)
    closed = empty.wish(CloseCounter("1"))

    assert opened[-1] == CounterOpened(at=NINE, counter="1", operator="vera")
    assert paused == [CounterPaused(at=NINE + minutes(30), counter="1", reason="lunch")]
    assert reopened == [CounterOpened(at=NINE + minutes(60), counter="1", operator="vera")]
    assert closed == [CounterClosed(at=NINE + minutes(90), counter="1")]


def test_a_session_says_who_works_there_since_when_and_why_not(empty: LiveHall) -> None:
    empty.wish(OpenCounter("1", "vera"))
    assert empty.hall.session("1").operator == "vera"
    assert empty.hall.session("1").state is CounterState.OPEN

    empty.wait(minutes=5)
    empty.wish(PauseCounter("1", "lunch"))
    assert empty.hall.session("1").since == NINE + minutes(5)
    assert empty.hall.session("1").reason == "lunch"
    assert empty.hall.session("1").operator == "vera"

    empty.wish(CloseCounter("1"))
    assert empty.hall.session("1").operator is None
    assert empty.hall.session("1").reason is None
    assert empty.hall.session("1").state is CounterState.CLOSED


@pytest.mark.parametrize(
    ("first", "again"),
    [
        (OpenCounter("1", "vera"), OpenCounter("1", "vera")),
        (PauseCounter("1", "lunch"), PauseCounter("1", "lunch")),
        (CloseCounter("1"), CloseCounter("1")),
    ],
    ids=["opened", "paused", "closed"],
)
def test_what_is_so_already_is_no_news(empty: LiveHall, first: Command, again: Command) -> None:
    empty.wish(OpenCounter("1", "vera"))
    empty.wish(first)

    assert empty.wish(again) == []


def test_a_pause_may_change_its_reason(empty: LiveHall) -> None:
    empty.wish(OpenCounter("1", "vera"))
    empty.wish(PauseCounter("1", "lunch"))

    empty.wish(PauseCounter("1", "fire drill"))

    assert empty.hall.session("1").reason == "fire drill"


def test_a_counter_belongs_to_its_operator_until_it_is_closed(empty: LiveHall) -> None:
    empty.wish(OpenCounter("1", "vera"))
    assert type(empty.refusal(OpenCounter("1", "boris"))) is CounterTaken

    empty.wish(PauseCounter("1", "lunch"))
    assert type(empty.refusal(OpenCounter("1", "boris"))) is CounterTaken

    empty.wish(CloseCounter("1"))
    assert empty.refusal(OpenCounter("1", "boris")) is None


@pytest.mark.parametrize("command", [CallNext("1"), PauseCounter("1", "tea")], ids=["calls", "pauses"])
def test_a_closed_counter_does_nothing(empty: LiveHall, command: Command) -> None:
    empty.issue()

    assert type(empty.refusal(command)) is CounterIsClosed


def test_a_paused_counter_calls_nobody_and_says_why(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.wish(PauseCounter("1", "lunch"))

    for command in (CallNext("1"), CallChosen(ticket, "1", "in a hurry")):
        refusal = hall.refusal(command)
        assert isinstance(refusal, CounterIsPaused)
        assert refusal.particulars == {"counter": "1", "reason": "lunch"}


def test_a_counter_has_one_visitor_at_a_time(hall: LiveHall) -> None:
    ticket, other = hall.issue(), hall.issue()
    hall.call("1")

    for command in (CallNext("1"), CallChosen(other, "1", "quick"), PauseCounter("1", "tea"), CloseCounter("1")):
        refusal = hall.refusal(command)
        assert isinstance(refusal, CounterBusy)
        assert refusal.particulars == {"counter": "1", "ticket": ticket}

    hall.wish(Start(ticket))
    assert type(hall.refusal(CallNext("1"))) is CounterBusy


def test_opening_a_counter_that_has_its_visitor_changes_nothing(hall: LiveHall) -> None:
    hall.issue()
    hall.call("1")

    assert hall.wish(OpenCounter("1", "operator 1")) == []


def test_a_ticket_can_be_chosen_only_by_a_counter_that_serves_it(hall: LiveHall) -> None:
    cash, named = hall.issue("cash"), hall.issue("passport")
    hall.wish(Transfer(named, counter="2"))

    assert type(hall.refusal(CallChosen(cash, "1", "why not"))) is NotInLine
    assert type(hall.refusal(CallChosen(named, "1", "why not"))) is NotInLine
    assert hall.refusal(CallChosen(named, "2", "why not")) is None


def test_a_transfer_needs_a_counter_that_can_serve_it(hall: LiveHall) -> None:
    ticket = hall.issue("passport")

    refusal = hall.refusal(Transfer(ticket, counter="3"))

    assert isinstance(refusal, NobodyServes)
    assert refusal.particulars == {"service": "passport", "counter": "3"}
    assert hall.refusal(Transfer(ticket, service="land", counter="3")) is None


@pytest.mark.parametrize(
    ("command", "refusal"),
    [
        (OpenCounter("9", "vera"), UnknownCounter),
        (PauseCounter("9", "tea"), UnknownCounter),
        (CloseCounter("9"), UnknownCounter),
        (CallNext("9"), UnknownCounter),
        (CallChosen("20261123-A001", "9", "why not"), UnknownCounter),
        (CallChosen("20261123-A009", "1", "why not"), UnknownTicket),
        (ReturnToLine("20261122-A001"), UnknownTicket),
        (Transfer("20261123-A001", service="weddings"), UnknownService),
        (Transfer("20261123-A001", counter="9"), UnknownCounter),
    ],
    ids=repr,
)
def test_what_the_hall_does_not_know_is_named(hall: LiveHall, command: Command, refusal: type[Refusal]) -> None:
    hall.issue()

    assert type(hall.refusal(command)) is refusal


def test_an_operator_may_stay_when_the_counters_visitor_has_gone_on(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.call("1")

    hall.wish(ReturnToLine(ticket))

    assert hall.refusal(CloseCounter("1")) is None


def test_one_person_is_not_at_two_counters(empty: LiveHall) -> None:
    empty.wish(OpenCounter("1", "vera"))
    empty.wish(PauseCounter("1", "lunch"))

    refusal = empty.refusal(OpenCounter("2", "vera"))

    assert type(refusal) is OperatorBusy
    assert refusal.particulars == {"counter": "2", "operator": "vera", "at_counter": "1"}
    assert empty.refusal(OpenCounter("1", "vera")) is None


def test_who_takes_over_leaves_the_other_counter_closed(empty: LiveHall) -> None:
    empty.wish(OpenCounter("1", "vera"))

    facts = empty.wish(OpenCounter("2", "vera", take_over=True))

    assert [type(fact) for fact in facts] == [CounterClosed, CounterOpened]
    assert empty.hall.session("1").operator is None
    assert empty.hall.session("2").operator == "vera"


def test_nobody_walks_away_from_a_visitor(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.wish(CloseCounter("2"))
    hall.call("1")

    refusal = hall.refusal(OpenCounter("2", "operator 1", take_over=True))

    assert type(refusal) is CounterBusy
    assert refusal.particulars == {"counter": "1", "ticket": ticket}
