"""The order of the line, and the reason that every call carries."""

from dataclasses import replace

import pytest

from queue_core.commands import (
    CallChosen,
    CallNext,
    Configure,
    Finish,
    Hold,
    Resume,
    ReturnToLine,
    Start,
    Transfer,
    Undo,
    WithdrawCategory,
)
from queue_core.facts import Because, Called, Candidate, HeldBy, Rank
from queue_core.office import Discipline
from tests.core.live import NINE, OFFICE, LiveHall, minutes

ARRIVAL = replace(OFFICE, discipline=Discipline.ARRIVAL)
EARLIEST_DUE = replace(OFFICE, discipline=Discipline.EARLIEST_DUE)


def order(hall: LiveHall, counter: str = "1") -> list[str]:
    """Everybody whom a counter would call, in order, if it called them all in one instant."""
    called: list[str] = []
    while ticket := hall.call(counter):
        called.append(hall.visit(ticket).number)
        hall.wish(Start(ticket))
        hall.wish(Finish(ticket))
    return called


def why(hall: LiveHall, counter: str = "1") -> Because:
    """The reason of the next call."""
    [called] = hall.wish(CallNext(counter))
    assert isinstance(called, Called)
    return called.because


def test_first_come_first_served(hall: LiveHall) -> None:
    for _ in range(5):
        hall.issue()
        hall.wait(minutes=1)

    assert order(hall) == ["A001", "A002", "A003", "A004", "A005"]


def test_those_of_one_instant_go_by_number(hall: LiveHall) -> None:
    for _ in range(12):
        hall.issue()

    assert order(hall) == [f"A{serial:03d}" for serial in range(1, 13)]


def test_a_counter_calls_from_all_its_services_and_from_no_other(hall: LiveHall) -> None:
    for service in ("cash", "land", "passport", "cash", "land"):
        hall.issue(service)
        hall.wait(minutes=1)

    assert order(hall, "1") == ["B001", "A001", "B002"]
    assert order(hall, "2") == []
    assert order(hall, "3") == ["C001", "C002"]


def test_nobody_waiting_is_an_answer_and_no_refusal(hall: LiveHall) -> None:
    assert hall.wish(CallNext("1")) == []


def test_out_of_turn_goes_first_however_late(hall: LiveHall) -> None:
    hall.issue()
    hall.issue(slot=NINE)
    hall.wait(minutes=14)
    hall.issue(category="veteran")

    assert order(hall) == ["A003", "A002", "A001"]


def test_out_of_turn_visitors_go_by_the_length_of_their_waits_among_themselves(hall: LiveHall) -> None:
    hall.issue(category="veteran", slot=NINE + minutes(10))
    hall.wait(minutes=5)
    hall.issue(category="veteran")
    hall.wait(minutes=10)

    assert order(hall) == ["A002", "A001"]


def test_a_right_that_was_withdrawn_no_longer_counts(hall: LiveHall) -> None:
    hall.issue()
    hall.wait(minutes=1)
    claimed = hall.issue(category="veteran")

    hall.wish(WithdrawCategory(claimed, "the card has expired"))

    assert order(hall) == ["A001", "A002"]


def test_a_minute_of_a_booked_visitor_counts_five_of_a_walk_in(hall: LiveHall) -> None:
    hall.issue()
    hall.wait(minutes=8)
    hall.issue(slot=hall.now)

    hall.wait(minutes=2.1)

    assert why(hall, "1").chosen.number == "A002"


def test_until_then_the_walk_in_has_the_larger_sum(hall: LiveHall) -> None:
    hall.issue()
    hall.wait(minutes=8)
    hall.issue(slot=hall.now)

    hall.wait(minutes=1.9)

    assert why(hall, "1").chosen.number == "A001"


def test_equal_sums_go_to_whoever_came_first(hall: LiveHall) -> None:
    hall.issue()
    hall.wait(minutes=8)
    hall.issue(slot=hall.now)

    hall.wait(minutes=2)
    because = why(hall)

    assert [candidate.points for candidate in (because.chosen, *because.others)] == [600.0, 600.0]
    assert because.chosen.number == "A001"


def test_the_weight_of_a_booking_is_the_offices_own(hall: LiveHall) -> None:
    hall.wish(Configure(hall.changed(booked_weight=1)))
    hall.issue()
    hall.wait(minutes=1)
    hall.issue(slot=hall.now)

    hall.wait(minutes=14)

    assert order(hall) == ["A001", "A002"]


def test_booked_and_early_one_waits_for_the_slot_with_no_points(hall: LiveHall) -> None:
    hall.issue(slot=NINE + minutes(10))
    hall.wait(minutes=9)
    hall.issue()
    hall.wait(minutes=0.5)

    assert order(hall) == ["A002", "A001"]


def test_those_sent_back_keep_the_place_that_their_wait_earned(hall: LiveHall) -> None:
    first = hall.issue()
    hall.wait(minutes=5)
    hall.issue()
    hall.wait(minutes=1)
    hall.call("2")

    hall.wish(ReturnToLine(first))

    assert order(hall) == ["A001", "A002"]


def test_a_call_taken_back_gives_the_old_place_back(hall: LiveHall) -> None:
    hall.issue()
    hall.wait(minutes=5)
    hall.issue()
    hall.wait(minutes=1)
    hall.call("2")

    hall.wish(Undo("2"))

    assert order(hall) == ["A001", "A002"]


def test_the_visitors_own_hold_costs_its_place_and_the_offices_does_not(hall: LiveHall) -> None:
    own, office, other = hall.issue(), hall.issue(), hall.issue()
    hall.wish(Hold(own, HeldBy.VISITOR))
    hall.wish(Hold(office, HeldBy.OFFICE))
    hall.wait(minutes=5)

    hall.wish(Resume(own))
    hall.wish(Resume(office))

    assert order(hall) == [hall.visit(ticket).number for ticket in (office, other, own)]


def test_held_tickets_are_not_called(hall: LiveHall) -> None:
    hall.wish(Hold(hall.issue(), HeldBy.OFFICE))
    hall.issue()

    assert order(hall) == ["A002"]


def test_whoever_waits_for_one_counter_by_name_is_called_by_no_other(hall: LiveHall) -> None:
    hall.wish(Transfer(hall.issue(), counter="2"))

    assert hall.call("1") is None
    assert hall.call("2") == "20261123-A001"


def test_a_name_gives_no_precedence(hall: LiveHall) -> None:
    hall.issue()
    hall.wait(minutes=1)
    hall.wish(Transfer(hall.issue(), counter="1"))
    hall.wait(minutes=1)
    hall.issue("land")

    assert order(hall) == ["A001", "A002", "B001"]


def test_strict_arrival_knows_no_weights() -> None:
    hall = LiveHall(ARRIVAL)
    hall.issue()
    hall.wait(minutes=1)
    hall.issue(slot=hall.now)
    hall.wait(minutes=1)
    hall.issue(category="veteran")

    hall.wait(minutes=13)

    assert order(hall) == ["A003", "A001", "A002"]


def test_strict_arrival_counts_from_the_start_of_the_clock_and_not_from_the_last_return() -> None:
    hall = LiveHall(ARRIVAL)
    first = hall.issue()
    hall.wait(minutes=1)
    hall.issue()
    hall.wish(Hold(first, HeldBy.VISITOR))
    hall.wait(minutes=10)
    hall.wish(Resume(first))

    assert order(hall) == ["A001", "A002"]


def test_strict_arrival_takes_the_booked_at_their_slot() -> None:
    hall = LiveHall(ARRIVAL)
    hall.issue(slot=NINE + minutes(5))
    hall.wait(minutes=3)
    hall.issue()
    hall.wait(minutes=3)
    hall.issue()

    assert order(hall) == ["A002", "A001", "A003"]


def test_earliest_due_goes_by_what_is_left_of_each_limit() -> None:
    hall = LiveHall(EARLIEST_DUE)
    hall.issue("land")
    hall.wait(minutes=12)
    hall.issue("passport")
    hall.issue("passport", slot=NINE + minutes(22))
    hall.issue("passport", slot=NINE + minutes(23))

    assert order(hall) == ["A001", "A002", "A003", "B001"]


def test_earliest_due_does_not_forget_those_past_due() -> None:
    hall = LiveHall(EARLIEST_DUE)
    hall.issue()
    hall.wait(minutes=16)
    hall.issue(slot=hall.now)

    assert order(hall) == ["A001", "A002"]


def test_earliest_due_lets_out_of_turn_visitors_first_by_the_start_of_their_clocks() -> None:
    hall = LiveHall(EARLIEST_DUE)
    hall.issue("passport", slot=NINE)
    hall.issue("land", category="veteran")
    hall.wait(minutes=1)
    hall.issue("passport", category="veteran")

    assert order(hall) == ["B001", "A002", "A001"]


def test_an_office_may_change_its_order_with_people_waiting(hall: LiveHall) -> None:
    hall.issue()
    hall.wait(minutes=1)
    hall.issue(slot=hall.now)
    hall.wait(minutes=2)

    hall.wish(Configure(hall.changed(discipline=Discipline.ARRIVAL)))

    assert order(hall) == ["A001", "A002"]


def test_a_call_says_by_which_rule_and_before_whom(hall: LiveHall) -> None:
    walk_in = hall.issue()
    hall.issue()
    hall.wait(minutes=8)
    booked = hall.issue(slot=hall.now)
    hall.wait(minutes=1)

    because = why(hall)

    assert because == Because(
        rule="accumulating_priority",
        chosen=Candidate(ticket=walk_in, number="A001", rank=Rank.WALK_IN, waited_seconds=540.0, points=540.0),
        others=(Candidate(ticket=booked, number="A003", rank=Rank.BOOKED, waited_seconds=60.0, points=300.0),),
    )


def test_a_call_names_the_others_in_the_order_in_which_they_would_have_gone(hall: LiveHall) -> None:
    hall.issue()
    hall.wait(minutes=8)
    hall.issue(slot=hall.now)
    hall.wait(minutes=3)
    hall.issue("land", category="veteran")

    because = why(hall)

    assert [candidate.number for candidate in (because.chosen, *because.others)] == ["B001", "A002", "A001"]


@pytest.mark.parametrize("discipline", Discipline)
def test_the_rule_is_named_as_the_office_names_it(discipline: Discipline) -> None:
    hall = LiveHall(replace(OFFICE, discipline=discipline))
    hall.issue()

    assert why(hall).rule == discipline.value


def test_a_chosen_call_says_that_a_person_chose_and_why_and_who_was_passed_over(hall: LiveHall) -> None:
    hall.issue()
    hall.wait(minutes=1)
    chosen = hall.issue()
    hall.wait(minutes=1)

    [called] = hall.wish(CallChosen(chosen, "1", "her train leaves at ten"))

    assert isinstance(called, Called)
    assert called.because.rule == "chosen"
    assert called.because.reason == "her train leaves at ten"
    assert called.because.chosen.number == "A002"
    assert [other.number for other in called.because.others] == ["A001"]


def test_the_first_in_line_may_be_chosen_too_and_then_nobody_was_passed_over(hall: LiveHall) -> None:
    first = hall.issue()
    hall.issue()

    [called] = hall.wish(CallChosen(first, "1", "known to be deaf"))

    assert isinstance(called, Called)
    assert called.because.others == ()


def test_a_thousand_in_line_are_called_in_order(hall: LiveHall) -> None:
    for _ in range(1000):
        hall.issue()
        hall.wait(seconds=0.5)

    assert order(hall) == [f"A{serial:03d}" for serial in range(1, 1001)]
