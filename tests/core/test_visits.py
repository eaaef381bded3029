"""A visit step by step: calls, services one after another, transfers, no-shows, rights seen and withdrawn."""

from datetime import date

import pytest

from queue_core.commands import (
    CallChosen,
    Cancel,
    Finish,
    Hold,
    NoShow,
    Recall,
    Resume,
    ReturnToLine,
    Start,
    Transfer,
    VerifyCategory,
    WithdrawCategory,
)
from queue_core.errors import HoldInThePast, NoCategory, RecallLimitReached, StepForbidden
from queue_core.facts import HeldBy, Issued, Outcome, Rank, Stop, Transferred
from queue_core.office import Channel
from queue_core.tickets import State
from tests.core.live import NINE, LiveHall, minutes


def test_a_ticket_says_what_is_printed_on_it(hall: LiveHall) -> None:
    for _ in range(11):
        hall.issue()

    ticket = hall.issue()

    assert ticket == "20261123-A012"
    assert hall.visit(ticket).number == "A012"
    assert hall.visit(ticket).day == date(2026, 11, 23)
    assert hall.visit(ticket).channel is Channel.WALK_IN


def test_numbers_run_by_the_letter_and_not_by_the_service(hall: LiveHall) -> None:
    passport, land, again = hall.issue("passport"), hall.issue("land"), hall.issue("passport")

    assert [hall.visit(ticket).number for ticket in (passport, land, again)] == ["A001", "B001", "A002"]


def test_after_999_numbers_grow_longer_and_stay_in_order(hall: LiveHall) -> None:
    for _ in range(1000):
        hall.issue()

    assert hall.visit("20261123-A1000").number == "A1000"


def test_a_ticket_remembers_how_many_waited_before_it(hall: LiveHall) -> None:
    hall.issue()
    hall.issue("land")
    hall.issue()

    ticket = hall.issue()

    assert hall.visit(ticket).ahead_at_issue == 2


def test_a_whole_visit(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.wait(minutes=3)

    hall.call()
    assert hall.visit(ticket).state is State.CALLED
    assert hall.hall.session("1").ticket == ticket
    assert (hall.visit(ticket).counter, hall.visit(ticket).operator) == ("1", "operator 1")

    hall.wait(minutes=1)
    hall.wish(Start(ticket))
    assert hall.visit(ticket).state is State.SERVING

    hall.wait(minutes=9)
    hall.wish(Finish(ticket, Outcome.INCOMPLETE))
    visit = hall.visit(ticket)
    assert visit.state is State.SERVED
    assert visit.outcome is Outcome.INCOMPLETE
    assert (visit.started_at, visit.ended_at) == (NINE + minutes(4), NINE + minutes(13))
    assert visit.serving == minutes(9)
    assert hall.hall.session("1").ticket is None


def test_who_does_not_come_is_a_no_show_and_frees_the_counter(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.call()

    hall.wish(NoShow(ticket))

    assert hall.visit(ticket).state is State.MISSED
    assert hall.hall.session("1").ticket is None


def test_a_number_is_called_again_as_often_as_the_office_allows(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.call()

    hall.wish(Recall(ticket))
    hall.wish(Recall(ticket))

    refusal = hall.refusal(Recall(ticket))
    assert isinstance(refusal, RecallLimitReached)
    assert refusal.particulars == {"ticket": ticket, "recalls": 2}


def test_a_new_call_may_be_recalled_anew(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.call()
    hall.wish(Recall(ticket))
    hall.wish(Recall(ticket))
    hall.wish(ReturnToLine(ticket))

    hall.call()
    hall.wish(Recall(ticket))

    assert hall.visit(ticket).recalls == 1
    assert hall.visit(ticket).calls == 2


def test_who_leaves_frees_the_counter_that_called(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.call()

    hall.wish(Cancel(ticket, "had to go"))

    assert hall.visit(ticket).state is State.LEFT
    assert hall.hall.session("1").ticket is None


def test_several_services_are_one_visit_with_one_number(hall: LiveHall) -> None:
    ticket = hall.issue("passport", further=("land", "cash"))

    for counter, service in (("2", "passport"), ("1", "land"), ("3", "cash")):
        assert hall.call(counter) == ticket
        assert hall.visit(ticket).service == service
        hall.wish(Start(ticket))
        hall.wish(Finish(ticket))

    assert hall.visit(ticket).state is State.SERVED
    assert len(hall.of(Issued)) == 1


def test_every_service_of_a_visit_has_its_outcome(hall: LiveHall) -> None:
    ticket = hall.issue("passport", further=("cash",))
    hall.call("2")
    hall.wish(Start(ticket))

    hall.wish(Finish(ticket, Outcome.REFUSED))
    assert hall.visit(ticket).outcome is Outcome.REFUSED

    hall.call("3")
    hall.wish(Start(ticket))
    hall.wish(Finish(ticket, Outcome.DONE))
    assert hall.visit(ticket).outcome is Outcome.DONE


def test_a_transfer_leads_to_another_service(hall: LiveHall) -> None:
    ticket = hall.issue("passport")
    hall.call("1")
    hall.wish(Start(ticket))

    hall.wish(Transfer(ticket, service="cash"))

    assert hall.hall.session("1").ticket is None
    assert hall.call("2") is None
    assert hall.call("3") == ticket


def test_a_transfer_leads_to_a_named_counter(hall: LiveHall) -> None:
    ticket = hall.issue("passport")
    hall.call("1")

    hall.wish(Transfer(ticket, counter="2"))

    assert hall.call("1") is None
    assert hall.call("2") == ticket


def test_a_transfer_may_come_back_to_the_counter_that_sent(hall: LiveHall) -> None:
    ticket = hall.issue("passport")
    hall.call("1")
    hall.wish(Start(ticket))

    hall.wish(Transfer(ticket, service="cash", come_back=True))
    assert hall.visit(ticket).stops == (Stop(service="passport", counter="1"),)

    hall.call("3")
    hall.wish(Start(ticket))
    hall.wish(Finish(ticket))
    assert hall.visit(ticket).state is State.WAITING
    assert hall.visit(ticket).stops == ()
    assert hall.call("2") is None
    assert hall.call("1") == ticket


def test_coming_back_goes_before_the_further_services_of_the_visit(hall: LiveHall) -> None:
    ticket = hall.issue("passport", further=("land",))
    hall.call("2")
    hall.wish(Start(ticket))

    hall.wish(Transfer(ticket, service="cash", come_back=True))

    assert hall.visit(ticket).stops == (Stop(service="passport", counter="2"), Stop(service="land"))


def test_from_the_waiting_room_there_is_nowhere_to_come_back_to(hall: LiveHall) -> None:
    ticket = hall.issue("passport")

    [transferred] = hall.wish(Transfer(ticket, service="cash", come_back=True))

    assert isinstance(transferred, Transferred)
    assert transferred.back is None


def test_the_visitor_at_the_counter_may_be_held_and_the_counter_is_free(hall: LiveHall) -> None:
    first, second = hall.issue(), hall.issue()
    hall.call("1")
    hall.wish(Start(first))

    hall.wish(Hold(first, HeldBy.VISITOR))

    assert hall.call("1") == second


def test_back_from_a_hold_the_visitor_waits_for_the_same_service(hall: LiveHall) -> None:
    ticket = hall.issue("land")
    hall.call("1")
    hall.wish(Hold(ticket, HeldBy.OFFICE))

    hall.wish(Resume(ticket))

    assert hall.visit(ticket).held_by is None
    assert hall.visit(ticket).held_until is None
    assert hall.call("3") == ticket


def test_a_right_is_claimed_at_issue_and_seen_at_the_counter(hall: LiveHall) -> None:
    ticket = hall.issue(category="veteran")
    assert not hall.visit(ticket).category_verified
    hall.call()

    hall.wish(VerifyCategory(ticket))

    assert hall.visit(ticket).category_verified
    assert hall.visit(ticket).rank is Rank.OUT_OF_TURN


@pytest.mark.parametrize("slot", [None, NINE], ids=["walk-in", "booked"])
def test_a_right_withdrawn_leaves_the_visitor_in_the_class_of_the_channel(hall: LiveHall, slot: None) -> None:
    ticket = hall.issue(category="veteran", slot=slot)
    hall.call()

    hall.wish(WithdrawCategory(ticket, "another person's card"))

    assert hall.visit(ticket).state is State.WAITING
    assert hall.visit(ticket).rank is (Rank.BOOKED if slot else Rank.WALK_IN)


def test_a_right_seen_may_still_be_withdrawn(hall: LiveHall) -> None:
    ticket = hall.issue(category="veteran")
    hall.wish(VerifyCategory(ticket))

    hall.wish(WithdrawCategory(ticket, "not his own"))

    assert hall.visit(ticket).rank is Rank.WALK_IN


def test_a_right_that_nobody_claims_or_that_was_withdrawn_can_be_neither_seen_nor_withdrawn(hall: LiveHall) -> None:
    without, withdrawn = hall.issue(), hall.issue(category="veteran")
    hall.wish(WithdrawCategory(withdrawn, "not his own"))

    for ticket in (without, withdrawn):
        assert isinstance(hall.refusal(VerifyCategory(ticket)), NoCategory)
        assert isinstance(hall.refusal(WithdrawCategory(ticket, "once more")), NoCategory)


def test_a_hold_ends_after_it_begins(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.wait(minutes=5)

    for until in (NINE, hall.now):
        refusal = hall.refusal(Hold(ticket, HeldBy.VISITOR, until))
        assert isinstance(refusal, HoldInThePast)
        assert refusal.particulars == {"until": until}


def test_two_counters_never_call_the_same_person(hall: LiveHall) -> None:
    hall.issue()

    assert [hall.call("1"), hall.call("2")] == ["20261123-A001", None]


def test_a_chosen_ticket_can_be_called_only_while_it_waits(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.call("1")

    assert isinstance(hall.refusal(CallChosen(ticket, "2", "hurry")), StepForbidden)


def test_a_visit_that_is_over_stays_over(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.wish(Cancel(ticket))

    refusal = hall.refusal(Cancel(ticket))

    assert isinstance(refusal, StepForbidden)
    assert refusal.particulars == {"ticket": ticket, "state": "left", "step": "Left"}
    assert hall.hall.state_of(ticket) is State.LEFT
