"""Undo takes back the operator's last step at a counter, within a short while, and never a second of anybody's wait."""

from dataclasses import replace

import pytest

from queue_core.commands import (
    CallChosen,
    Cancel,
    CloseCounter,
    Command,
    Configure,
    Finish,
    Hold,
    NoShow,
    OpenCounter,
    PauseCounter,
    Recall,
    ReturnToLine,
    Start,
    Transfer,
    Undo,
    VerifyCategory,
    WithdrawCategory,
)
from queue_core.errors import CounterBusy, CounterIsClosed, CounterIsPaused, NothingToUndo, Refusal
from queue_core.facts import Breached, HeldBy, Outcome, Rank, Undone
from queue_core.office import Office
from queue_core.tickets import State
from tests.core.live import NINE, OFFICE, LiveHall, minutes, seconds

TICKET = "20261123-A001"


@pytest.fixture
def called(hall: LiveHall) -> LiveHall:
    """A visitor with one more service to come was called to counter 1 at five past nine."""
    hall.issue(further=("cash",))
    hall.wait(minutes=5)
    hall.call()
    return hall


@pytest.fixture
def serving(called: LiveHall) -> LiveHall:
    """The same visitor, in service since six past."""
    called.wait(minutes=1)
    called.wish(Start(TICKET))
    return called


FROM_CALLED: list[Command] = [
    Start(TICKET),
    NoShow(TICKET),
    ReturnToLine(TICKET),
    Hold(TICKET, HeldBy.OFFICE),
    Hold(TICKET, HeldBy.VISITOR),
    Transfer(TICKET, service="land"),
]
FROM_SERVING: list[Command] = [
    Finish(TICKET, Outcome.REFUSED),
    ReturnToLine(TICKET),
    Hold(TICKET, HeldBy.OFFICE),
    Hold(TICKET, HeldBy.VISITOR),
    Transfer(TICKET, service="land", come_back=True),
]


def step_of(command: Command) -> str:
    """A test's name for a step."""
    by = f" by the {command.by}" if isinstance(command, Hold) else ""
    return f"{type(command).__name__}{by}"


def test_a_call_taken_back_never_was(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.wait(minutes=5)
    before = hall.visit(ticket)
    hall.call()
    hall.wait(seconds=30)

    [undone] = hall.wish(Undo("1"))

    assert undone == Undone(at=hall.now, ticket=ticket, counter="1", step="called")
    assert hall.hall.session("1").ticket is None
    assert replace(hall.visit(ticket), wait_told=False) == before


def test_the_clock_of_a_call_taken_back_was_never_stopped(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.wait(minutes=5)
    hall.call()
    hall.wait(seconds=30)
    hall.wish(Undo("1"))

    hall.wait(minutes=1)
    hall.call("2")

    assert hall.visit(ticket).wait_to_call == minutes(6.5)


@pytest.mark.parametrize("step", FROM_CALLED, ids=step_of)
def test_a_step_after_the_call_is_taken_back(called: LiveHall, step: Command) -> None:
    before = called.visit(TICKET)
    called.wish(step)
    called.wait(seconds=30)

    called.wish(Undo("1"))

    after = called.visit(TICKET)
    assert after.state is State.CALLED
    assert called.hall.session("1").ticket == TICKET
    assert (after.service, after.only_counter, after.stops) == (before.service, before.only_counter, before.stops)
    assert (after.ended_at, after.outcome, after.held_by, after.started_at) == (None, None, None, None)


@pytest.mark.parametrize("step", FROM_SERVING, ids=step_of)
def test_a_step_after_the_start_is_taken_back(serving: LiveHall, step: Command) -> None:
    before = serving.visit(TICKET)
    serving.wish(step)
    serving.wait(seconds=30)

    serving.wish(Undo("1"))

    after = serving.visit(TICKET)
    assert after.state is State.SERVING
    assert serving.hall.session("1").ticket == TICKET
    assert (after.service, after.only_counter, after.stops) == (before.service, before.only_counter, before.stops)
    assert (after.started_at, after.wait_to_start) == (before.started_at, before.wait_to_start)
    assert (after.ended_at, after.outcome, after.held_by) == (None, None, None)


def test_the_end_of_a_visit_is_taken_back(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.call()
    hall.wish(Start(ticket))
    hall.wait(minutes=5)
    hall.wish(Finish(ticket))
    hall.wait(minutes=1)

    hall.wish(Undo("1"))
    hall.wait(minutes=4)
    hall.wish(Finish(ticket, Outcome.INCOMPLETE))

    assert hall.visit(ticket).serving == minutes(10)
    assert hall.visit(ticket).outcome is Outcome.INCOMPLETE


@pytest.mark.parametrize("step", FROM_CALLED, ids=step_of)
def test_what_was_waited_while_the_step_stood_stays_on_the_clock(called: LiveHall, step: Command) -> None:
    called.wish(step)
    called.wait(seconds=30)
    waited = called.visit(TICKET).clock.reading(called.now)

    called.wish(Undo("1"))

    assert called.visit(TICKET).clock.reading(called.now) == waited


@pytest.mark.parametrize("step", FROM_CALLED[1:], ids=step_of)
def test_no_second_counts_twice_when_a_step_is_taken_back(called: LiveHall, step: Command) -> None:
    called.wish(step)
    called.wait(seconds=30)
    called.wish(Undo("1"))
    called.wait(seconds=30)

    called.wish(Start(TICKET))

    waited = called.visit(TICKET).wait_to_start
    assert waited is not None
    assert waited <= minutes(6)


def test_the_whole_window_long_and_no_longer(hall: LiveHall) -> None:
    hall.issue()
    hall.call()

    hall.wait(seconds=60)
    assert hall.refusal(Undo("1")) is None

    hall.call()
    hall.wait(seconds=60.000001)
    refusal = hall.refusal(Undo("1"))
    assert isinstance(refusal, NothingToUndo)
    assert refusal.particulars == {"counter": "1", "undo_seconds": 60}


def test_the_window_is_the_offices_own(hall: LiveHall) -> None:
    hall.wish(Configure(hall.changed(undo_seconds=5)))
    hall.issue()
    hall.call()

    hall.wait(seconds=6)

    assert isinstance(hall.refusal(Undo("1")), NothingToUndo)


def test_there_is_nothing_to_take_back_at_a_counter_that_did_nothing(hall: LiveHall) -> None:
    hall.issue()
    hall.call("1")

    assert isinstance(hall.refusal(Undo("2")), NothingToUndo)


def test_only_the_last_step_is_taken_back_and_only_once(serving: LiveHall) -> None:
    serving.wish(Undo("1"))

    assert serving.visit(TICKET).state is State.CALLED
    assert isinstance(serving.refusal(Undo("1")), NothingToUndo)


def test_a_recall_does_not_hide_the_call(called: LiveHall) -> None:
    called.wish(Recall(TICKET))

    called.wish(Undo("1"))

    assert called.visit(TICKET).state is State.WAITING
    assert called.visit(TICKET).calls == 0


def test_the_step_before_is_out_of_reach_once_the_next_visitor_is_called(hall: LiveHall) -> None:
    first, second = hall.issue(), hall.issue()
    hall.call()
    hall.wish(NoShow(first))
    hall.call()

    hall.wish(Undo("1"))

    assert hall.visit(second).state is State.WAITING
    assert hall.visit(first).state is State.MISSED
    assert isinstance(hall.refusal(Undo("1")), NothingToUndo)


def test_a_call_out_of_turn_is_taken_back_too(hall: LiveHall) -> None:
    hall.issue()
    chosen = hall.issue()
    hall.wish(CallChosen(chosen, "1", "a mistake"))

    hall.wish(Undo("1"))

    assert hall.visit(chosen).state is State.WAITING
    assert hall.call() == TICKET


def test_a_visitor_whom_another_counter_has_called_stays_there(serving: LiveHall) -> None:
    serving.wish(Finish(TICKET))
    serving.wait(seconds=10)
    serving.call("3")

    assert isinstance(serving.refusal(Undo("1")), NothingToUndo)
    assert serving.visit(TICKET).state is State.CALLED
    assert serving.visit(TICKET).counter == "3"


def test_a_visitor_served_elsewhere_and_gone_stays_gone(serving: LiveHall) -> None:
    serving.wish(Finish(TICKET))
    serving.wait(seconds=10)
    serving.call("3")
    serving.wish(NoShow(TICKET))
    serving.issue("cash")
    serving.call("3")

    assert isinstance(serving.refusal(Undo("1")), NothingToUndo)
    assert serving.visit(TICKET).state is State.MISSED


def test_a_counters_step_stays_within_reach_when_another_that_had_the_visitor_before_goes_on(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.call("1")
    hall.wish(ReturnToLine(ticket))
    hall.wait(seconds=10)
    hall.call("2")
    hall.wish(NoShow(ticket))
    hall.wait(seconds=10)
    hall.issue()
    hall.call("1")

    assert hall.refusal(Undo("2")) is None
    assert hall.visit(ticket).state is State.CALLED


def test_a_visitor_who_left_in_the_meantime_stays_gone(called: LiveHall) -> None:
    called.wish(ReturnToLine(TICKET))
    called.wait(seconds=10)
    called.wish(Cancel(TICKET))

    assert isinstance(called.refusal(Undo("1")), NothingToUndo)
    assert called.visit(TICKET).state is State.LEFT


def test_a_visitor_who_left_at_another_counter_stays_gone(serving: LiveHall) -> None:
    serving.wish(Finish(TICKET))
    serving.wait(seconds=10)
    serving.call("3")
    serving.wish(Cancel(TICKET))

    assert isinstance(serving.refusal(Undo("1")), NothingToUndo)


def test_a_visitor_whom_somebody_sent_on_from_the_waiting_room_is_not_taken_back(called: LiveHall) -> None:
    called.wish(ReturnToLine(TICKET))
    called.wait(seconds=10)
    called.wish(Transfer(TICKET, service="land"))

    assert isinstance(called.refusal(Undo("1")), NothingToUndo)
    assert called.visit(TICKET).service == "land"


def test_a_hold_that_has_run_out_meanwhile_is_not_taken_back(called: LiveHall) -> None:
    called.wish(Hold(TICKET, HeldBy.VISITOR, until=called.now + seconds(20)))

    called.wait(seconds=30)

    assert isinstance(called.refusal(Undo("1")), NothingToUndo)
    assert called.visit(TICKET).state is State.WAITING


def test_nobody_is_brought_back_to_a_counter_that_has_a_visitor(serving: LiveHall) -> None:
    other = serving.issue()
    serving.wish(ReturnToLine(TICKET))
    serving.wish(CallChosen(other, "1", "quick question"))
    serving.wish(Undo("1"))

    assert isinstance(serving.refusal(Undo("1")), NothingToUndo)
    assert serving.hall.session("1").ticket is None


@pytest.mark.parametrize(
    ("closing", "refusal"),
    [(CloseCounter("1"), CounterIsClosed), (PauseCounter("1", "tea"), CounterIsPaused)],
    ids=["closed", "paused"],
)
def test_nobody_is_brought_back_to_a_counter_that_is_not_open(
    serving: LiveHall, closing: Command, refusal: type[Refusal]
) -> None:
    serving.wish(Finish(TICKET))
    serving.wish(closing)

    assert type(serving.refusal(Undo("1"))) is refusal

    serving.wish(OpenCounter("1", "operator 1"))
    assert serving.refusal(Undo("1")) is None


def test_a_counter_with_its_visitor_cannot_be_closed_and_so_keeps_the_step(called: LiveHall) -> None:
    assert isinstance(called.refusal(CloseCounter("1")), CounterBusy)
    assert called.refusal(Undo("1")) is None


def test_a_breach_is_never_taken_back(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.wait(minutes=16)
    hall.call()

    hall.wish(Undo("1"))
    hall.wait(minutes=5)
    hall.look()

    assert hall.visit(ticket).breached_due == NINE + minutes(15)
    assert len(hall.of(Breached)) == 1


def test_a_breach_that_came_while_the_step_stood_is_kept(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.wait(minutes=14.75)
    hall.call()
    hall.wish(ReturnToLine(ticket))
    hall.wait(seconds=30)
    hall.look()
    assert len(hall.breaches()) == 1

    hall.wish(Undo("1"))

    assert hall.visit(ticket).state is State.CALLED
    assert hall.visit(ticket).breached_due == NINE + minutes(15)


def test_a_call_before_due_taken_back_after_it_does_not_save_the_promise(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.wait(minutes=14.75)
    hall.call()
    hall.wait(seconds=30)

    hall.wish(Undo("1"))
    hall.look()

    assert hall.breaches() == [(ticket, NINE + minutes(15), hall.now)]


def test_what_was_found_out_about_a_right_is_kept(hall: LiveHall) -> None:
    seen, withdrawn = hall.issue(category="veteran"), hall.issue(category="veteran")
    hall.call("1")
    hall.call("2")
    hall.wish(VerifyCategory(seen))
    hall.wish(WithdrawCategory(withdrawn, "no card", "was next anyway"))

    hall.wish(Undo("1"))
    hall.wish(Undo("2"))

    assert hall.visit(seen).category_verified
    assert hall.visit(withdrawn).rank is Rank.WALK_IN
    assert hall.visit(withdrawn).state is State.WAITING


def test_nobody_is_brought_back_to_a_service_that_the_office_no_longer_has(hall: LiveHall) -> None:
    ticket = hall.issue("cash")
    hall.call("3")
    hall.wish(Start(ticket))
    hall.wish(Finish(ticket))
    hall.wish(Configure(without_cash()))

    assert isinstance(hall.refusal(Undo("3")), NothingToUndo)
    assert hall.visit(ticket).state is State.SERVED


def test_a_transfer_out_of_a_service_that_was_then_removed_stands(hall: LiveHall) -> None:
    ticket = hall.issue("cash")
    hall.call("3")
    hall.wish(Transfer(ticket, service="land"))
    hall.wish(Configure(without_cash()))

    assert isinstance(hall.refusal(Undo("3")), NothingToUndo)
    assert hall.visit(ticket).service == "land"


def without_cash() -> Office:
    """The office after its cash desk was given up."""
    services = tuple(service for service in OFFICE.services if service.id != "cash")
    counters = tuple(
        replace(counter, services=tuple(name for name in counter.services if name != "cash"))
        for counter in OFFICE.counters
    )
    return replace(OFFICE, services=services, counters=counters)
