"""Limits, dues and breaches: the promise is broken at its instant, once, and whatever happens afterwards."""

from dataclasses import replace
from datetime import datetime

import pytest

from queue_core.commands import (
    CallNext,
    Cancel,
    CloseDay,
    Configure,
    Finish,
    Hold,
    ReturnToLine,
    Start,
    Transfer,
)
from queue_core.facts import Breached, Called, HeldBy, Left, Resumed, Returned, Transferred
from queue_core.office import Limits
from queue_core.tickets import State
from tests.core.live import NINE, OFFICE, LiveHall, minutes, seconds


@pytest.mark.parametrize(
    ("service", "slot", "limit"),
    [
        ("passport", None, minutes(15)),
        ("passport", NINE, minutes(5)),
        ("land", None, minutes(30)),
        ("land", NINE, minutes(10)),
    ],
)
def test_the_limit_is_the_services_own_for_each_channel(
    hall: LiveHall, service: str, slot: datetime | None, limit: object
) -> None:
    ticket = hall.issue(service, slot=slot)

    assert hall.visit(ticket).clock.limit == limit
    assert hall.visit(ticket).due == NINE + hall.visit(ticket).clock.limit


def test_the_due_of_somebody_booked_counts_from_the_slot(hall: LiveHall) -> None:
    ticket = hall.issue(slot=NINE + minutes(20))

    assert hall.visit(ticket).due == NINE + minutes(25)


def test_a_limit_that_is_changed_later_is_promised_to_those_who_come_later(hall: LiveHall) -> None:
    early = hall.issue()
    services = tuple(replace(service, limits=Limits(walk_in=60, booked=60)) for service in OFFICE.services)

    hall.wish(Configure(hall.changed(services=services)))
    late = hall.issue()

    assert hall.visit(early).due == NINE + minutes(15)
    assert hall.visit(late).due == NINE + minutes(1)


def test_the_limit_of_the_issue_goes_with_the_visit(hall: LiveHall) -> None:
    ticket = hall.issue("passport")

    hall.wish(Transfer(ticket, service="land"))

    assert hall.visit(ticket).clock.limit == minutes(15)


def test_nothing_is_broken_a_moment_before_due(hall: LiveHall) -> None:
    hall.issue()

    hall.wait(minutes=14, seconds=59.999999)
    hall.look()

    assert hall.breaches() == []


def test_the_breach_happens_at_due_and_not_when_somebody_looks(hall: LiveHall) -> None:
    ticket = hall.issue()

    hall.wait(minutes=40)
    hall.look()

    assert hall.breaches() == [(ticket, NINE + minutes(15), NINE + minutes(40))]
    assert hall.visit(ticket).breached_due == NINE + minutes(15)
    assert hall.visit(ticket).breach_recorded_at == NINE + minutes(40)


def test_the_breach_is_on_record_before_the_call_that_came_too_late(hall: LiveHall) -> None:
    ticket = hall.issue()

    hall.wait(minutes=20)
    hall.call()

    assert hall.breaches() == [(ticket, NINE + minutes(15), hall.now)]
    assert hall.order_of(Breached, Called) == [Breached, Called]
    assert hall.visit(ticket).wait_to_call == minutes(20)


def test_a_call_exactly_at_due_is_too_late(hall: LiveHall) -> None:
    ticket = hall.issue()

    hall.wait(minutes=15)
    hall.call()

    assert hall.visit(ticket).breached_due == NINE + minutes(15)


def test_a_breach_is_recorded_once(hall: LiveHall) -> None:
    ticket = hall.issue()

    for _ in range(5):
        hall.wait(minutes=10)
        hall.look()
    hall.call()
    hall.wish(ReturnToLine(ticket))
    hall.wait(minutes=60)
    hall.look()

    assert len(hall.of(Breached)) == 1


def test_everybody_past_the_limit_is_recorded_in_the_order_of_the_dues(hall: LiveHall) -> None:
    walk_in = hall.issue()
    hall.wait(minutes=2)
    booked = hall.issue(slot=hall.now)
    hall.wait(minutes=2)
    land = hall.issue("land")

    hall.wait(minutes=60)
    hall.look()

    assert [(breach.ticket, breach.due - NINE) for breach in hall.of(Breached)] == [
        (booked, minutes(7)),
        (walk_in, minutes(15)),
        (land, minutes(34)),
    ]


def test_somebody_called_in_time_is_not_in_breach_however_long_the_service_lasts(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.wait(minutes=14)
    hall.call()
    hall.wait(minutes=20)
    hall.wish(Start(ticket))

    hall.wait(minutes=60)
    hall.look()

    assert hall.of(Breached) == []


def test_the_rest_of_the_limit_goes_with_whoever_is_returned(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.wait(minutes=14)
    hall.call()
    hall.wait(minutes=10)
    hall.wish(ReturnToLine(ticket))

    hall.wait(minutes=5)
    hall.look()

    assert hall.visit(ticket).breached_due == NINE + minutes(24 + 1)


def test_waiting_twice_in_one_visit_adds_up_to_one_limit(hall: LiveHall) -> None:
    ticket = hall.issue(further=("cash",))
    hall.wait(minutes=10)
    hall.call()
    hall.wish(Start(ticket))
    hall.wait(minutes=30)
    hall.wish(Finish(ticket))

    hall.wait(minutes=6)
    hall.look()

    assert hall.visit(ticket).breached_due == NINE + minutes(45)


def test_a_hold_by_the_office_is_broken_at_due_while_it_lasts(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.wish(Hold(ticket, HeldBy.OFFICE, until=NINE + minutes(60)))

    hall.wait(minutes=16)
    hall.look()

    assert hall.visit(ticket).state is State.HELD
    assert hall.visit(ticket).breached_due == NINE + minutes(15)


def test_a_hold_by_the_visitor_puts_the_due_off(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.wait(minutes=10)
    hall.wish(Hold(ticket, HeldBy.VISITOR, until=NINE + minutes(60)))

    hall.wait(minutes=49)
    hall.look()

    assert hall.of(Breached) == []


def test_back_from_a_hold_and_past_due_both_come_to_light_at_once(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.wait(minutes=10)
    hall.wish(Hold(ticket, HeldBy.VISITOR, until=NINE + minutes(20)))

    hall.wait(minutes=50)
    hall.look()

    assert hall.of(Resumed) == [Resumed(at=hall.now, ticket=ticket, since=NINE + minutes(20))]
    assert hall.breaches() == [(ticket, NINE + minutes(25), hall.now)]
    assert hall.order_of(Resumed, Breached) == [Resumed, Breached]


def test_leaving_after_the_limit_is_a_breach(hall: LiveHall) -> None:
    ticket = hall.issue()

    hall.wait(minutes=16)
    hall.wish(Cancel(ticket))

    assert hall.breaches() == [(ticket, NINE + minutes(15), hall.now)]
    assert hall.order_of(Breached, Left) == [Breached, Left]


def test_leaving_before_the_limit_is_none(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.wait(minutes=14)
    hall.wish(Cancel(ticket))

    hall.wait(minutes=60)
    hall.look()

    assert hall.of(Breached) == []


def test_closing_the_day_after_the_limit_is_a_breach_and_before_it_none(hall: LiveHall) -> None:
    late = hall.issue()
    hall.wait(minutes=10)
    early = hall.issue()

    hall.wait(minutes=6)
    hall.wish(CloseDay())

    assert [breach.ticket for breach in hall.of(Breached)] == [late]
    assert hall.visit(early).state is State.UNSERVED


def test_a_breach_comes_before_the_step_that_follows_it_whatever_the_step(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.wait(minutes=14)
    hall.call()
    hall.wish(ReturnToLine(ticket))
    hall.wait(minutes=5)

    hall.wish(Transfer(ticket, service="land"))

    assert hall.order_of(Returned, Breached, Transferred) == [Returned, Breached, Transferred]
    assert hall.visit(ticket).breached_due == NINE + minutes(15)


def test_a_refused_wish_still_leaves_the_breach_on_record(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.wait(minutes=16)

    refusal = hall.refusal(Start(ticket))

    assert refusal is not None
    assert [breach.ticket for breach in hall.of(Breached)] == [ticket]


def test_the_next_alarm_is_the_nearest_warning_return_or_turn_of_the_day(hall: LiveHall) -> None:
    hall.look()
    assert hall.hall.next_alarm(hall.now) == NINE + minutes(12 * 60)

    walk_in = hall.issue()
    assert hall.hall.next_alarm(hall.now) == NINE + minutes(10)

    hall.issue(slot=hall.now)
    assert hall.hall.next_alarm(hall.now) == NINE + seconds(200)

    hall.wish(Hold(walk_in, HeldBy.VISITOR, until=NINE + seconds(90)))
    assert hall.hall.next_alarm(hall.now) == NINE + seconds(90)


def test_an_alarm_that_is_no_longer_meant_wakes_nobody(hall: LiveHall) -> None:
    hall.issue()
    hall.issue("land")

    hall.wish(CallNext("2"))

    assert hall.hall.next_alarm(hall.now) == NINE + minutes(20)
