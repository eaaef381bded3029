"""Taking a ticket: what can be asked for, and when."""

from dataclasses import replace
from datetime import timedelta

import pytest

from queue_core.commands import CloseDay, CloseService, Command, Issue, OpenDay, OpenService, Transfer
from queue_core.decisions import decide
from queue_core.errors import (
    BookingMismatch,
    NobodyServes,
    OfficeClosed,
    Refusal,
    ServiceIsClosed,
    UnknownCategory,
    UnknownOffice,
    UnknownService,
)
from queue_core.facts import Issued, ServiceClosed, ServiceOpened, Stop
from queue_core.hall import Hall
from queue_core.office import Channel
from tests.core.live import NINE, OFFICE, LiveHall, minutes


def test_a_ticket_says_everything_that_was_promised(hall: LiveHall) -> None:
    hall.issue()
    hall.wait(minutes=1)

    [issued] = hall.wish(Issue("passport", Channel.BOOKED, "veteran", NINE + minutes(10), ("cash",)))

    assert issued == Issued(
        at=NINE + minutes(1),
        ticket="20261123-A002",
        letter="A",
        serial=2,
        day=NINE.date(),
        service="passport",
        channel=Channel.BOOKED,
        category="veteran",
        clock_start=NINE + minutes(10),
        limit_seconds=300,
        warning_seconds=200,
        stops=(Stop(service="cash"),),
        ahead=1,
    )


@pytest.mark.parametrize(
    ("command", "refusal"),
    [
        (Issue("weddings"), UnknownService),
        (Issue("passport", further=("cash", "weddings")), UnknownService),
        (Issue("passport", category="admiral"), UnknownCategory),
        (Issue("passport", Channel.BOOKED), BookingMismatch),
        (Issue("passport", Channel.WALK_IN, slot=NINE), BookingMismatch),
        (CloseService("weddings", "no registrar"), UnknownService),
        (OpenService("weddings"), UnknownService),
    ],
    ids=repr,
)
def test_what_cannot_be_is_refused_by_name(hall: LiveHall, command: Command, refusal: type[Refusal]) -> None:
    assert type(hall.refusal(command)) is refusal


@pytest.mark.parametrize(
    "command",
    [OpenDay(), CloseDay(), Issue("passport")],
    ids=lambda command: type(command).__name__,
)
def test_nothing_can_be_done_in_an_office_that_was_never_described(command: Command) -> None:
    with pytest.raises(UnknownOffice):
        decide(Hall("nowhere"), command, NINE)


def test_a_refused_issue_takes_no_number(hall: LiveHall) -> None:
    hall.issue()
    hall.refusal(Issue("passport", category="admiral"))

    assert hall.visit(hall.issue()).number == "A002"


def test_a_closed_service_gives_no_tickets_until_it_is_opened_again(hall: LiveHall) -> None:
    hall.wait(minutes=1)
    assert hall.wish(CloseService("land", "the register is down"))[-1] == ServiceClosed(
        at=hall.now, service="land", reason="the register is down"
    )

    refusal = hall.refusal(Issue("land"))
    assert isinstance(refusal, ServiceIsClosed)
    assert refusal.particulars == {"service": "land", "reason": "the register is down"}

    assert hall.wish(OpenService("land")) == [ServiceOpened(at=hall.now, service="land")]
    assert hall.refusal(Issue("land")) is None


def test_a_visit_is_not_begun_whose_later_service_is_closed(hall: LiveHall) -> None:
    hall.wish(CloseService("cash", "no change"))

    assert type(hall.refusal(Issue("passport", further=("cash",)))) is ServiceIsClosed


def test_those_who_wait_for_a_service_are_called_after_it_was_closed(hall: LiveHall) -> None:
    ticket = hall.issue("land")

    hall.wish(CloseService("land", "the register is down"))

    assert hall.call("1") == ticket


def test_a_visit_in_the_hall_may_go_on_to_a_closed_service(hall: LiveHall) -> None:
    ticket = hall.issue("passport")
    hall.wish(CloseService("land", "enough for today"))

    assert hall.refusal(Transfer(ticket, service="land")) is None


def test_closing_twice_for_one_reason_is_no_news_and_for_another_it_is(hall: LiveHall) -> None:
    hall.wish(CloseService("land", "the register is down"))

    assert hall.wish(CloseService("land", "the register is down")) == []
    assert len(hall.wish(CloseService("land", "power cut"))) == 1
    assert hall.wish(OpenService("cash")) == []


def test_a_service_that_no_counter_serves_gives_no_tickets() -> None:
    unserved = replace(OFFICE, counters=OFFICE.counters[:2])

    refusal = LiveHall(unserved).refusal(Issue("cash"))

    assert isinstance(refusal, NobodyServes)
    assert refusal.particulars == {"service": "cash"}


def test_outside_the_hours_no_tickets_are_given(hall: LiveHall) -> None:
    hall.until(18)

    assert type(hall.refusal(Issue("passport"))) is OfficeClosed


def test_the_first_and_the_last_instant_of_the_hours(hall: LiveHall) -> None:
    assert hall.refusal(Issue("passport")) is None

    hall.until(18)
    hall.now -= timedelta(microseconds=1)
    assert hall.refusal(Issue("passport")) is None
