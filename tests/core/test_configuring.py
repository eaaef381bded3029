"""A new description of an office never leaves anybody in the hall without a place."""

from dataclasses import replace

import pytest

from queue_core.commands import (
    Cancel,
    CloseCounter,
    CloseService,
    Configure,
    Finish,
    Hold,
    Issue,
    OpenCounter,
    Start,
    Transfer,
)
from queue_core.errors import CategoryInUse, CounterInUse, ServiceInUse, ServiceIsClosed, UnknownService
from queue_core.facts import Configured, HeldBy
from queue_core.hall import Hall
from queue_core.office import Counter, Office, Service
from tests.core.live import NINE, OFFICE, LiveHall, minutes

TICKET = "20261123-A001"

NO_CATEGORIES = replace(OFFICE, categories=())


def without_service(gone: str) -> Office:
    """The office after a service was given up."""
    services = tuple(service for service in OFFICE.services if service.id != gone)
    counters = tuple(
        replace(counter, services=tuple(name for name in counter.services if name != gone))
        for counter in OFFICE.counters
    )
    return replace(OFFICE, services=services, counters=counters)


def without_counter(gone: str) -> Office:
    """The office after a counter was given up."""
    return replace(OFFICE, counters=tuple(counter for counter in OFFICE.counters if counter.id != gone))


def test_an_office_exists_once_it_is_described() -> None:
    hall = Hall("hall")
    assert not hall.exists

    live = LiveHall(manned=False)

    assert live.hall.exists
    assert live.facts == [Configured(at=live.facts[0].at, office=OFFICE)]


def test_the_same_description_again_is_no_news(hall: LiveHall) -> None:
    hall.look()

    assert hall.wish(Configure(replace(OFFICE))) == []


def test_a_service_with_nobody_in_it_may_go(hall: LiveHall) -> None:
    hall.issue("passport")

    hall.wish(Configure(without_service("cash")))

    assert type(hall.refusal(Issue("cash"))) is UnknownService


def test_a_service_with_people_in_it_stays(hall: LiveHall) -> None:
    ticket = hall.issue("cash")

    refusal = hall.refusal(Configure(without_service("cash")))

    assert isinstance(refusal, ServiceInUse)
    assert refusal.particulars == {"service": "cash", "ticket": ticket}
    assert hall.hall.office == OFFICE


@pytest.mark.parametrize("state", ["called", "serving", "held"])
def test_whoever_is_in_the_hall_counts_whatever_becomes_of_them_now(hall: LiveHall, state: str) -> None:
    ticket = hall.issue("cash")
    hall.call("3")
    if state == "serving":
        hall.wish(Start(ticket))
    if state == "held":
        hall.wish(Hold(ticket, HeldBy.VISITOR))

    assert type(hall.refusal(Configure(without_service("cash")))) is ServiceInUse


def test_once_they_are_served_the_service_may_go(hall: LiveHall) -> None:
    ticket = hall.issue("cash")
    hall.call("3")
    hall.wish(Start(ticket))
    hall.wish(Finish(ticket))

    assert hall.refusal(Configure(without_service("cash"))) is None


def test_a_service_that_comes_later_in_somebodys_visit_stays(hall: LiveHall) -> None:
    hall.issue("passport", further=("cash",))

    assert type(hall.refusal(Configure(without_service("cash")))) is ServiceInUse


def test_the_last_counter_of_a_service_with_people_in_it_stays(hall: LiveHall) -> None:
    ticket = hall.issue("cash")
    hall.wish(CloseCounter("3"))

    refusal = hall.refusal(Configure(without_counter("3")))

    assert isinstance(refusal, ServiceInUse)
    assert refusal.particulars == {"service": "cash", "ticket": ticket}


def test_a_counter_that_is_manned_stays(hall: LiveHall) -> None:
    refusal = hall.refusal(Configure(without_counter("2")))

    assert isinstance(refusal, CounterInUse)
    assert refusal.particulars == {"counter": "2"}


def test_a_closed_counter_that_nobody_waits_for_may_go(hall: LiveHall) -> None:
    hall.issue("passport")
    hall.wish(CloseCounter("2"))

    assert hall.refusal(Configure(without_counter("2"))) is None


def test_a_counter_that_somebody_waits_for_by_name_stays(hall: LiveHall) -> None:
    ticket = hall.issue("passport")
    hall.wish(Transfer(ticket, counter="2"))
    hall.wish(CloseCounter("2"))

    refusal = hall.refusal(Configure(without_counter("2")))

    assert isinstance(refusal, CounterInUse)
    assert refusal.particulars == {"counter": "2", "ticket": ticket}


def test_a_counter_that_somebody_will_come_back_to_stays(hall: LiveHall) -> None:
    ticket = hall.issue("passport")
    hall.call("2")
    hall.wish(Start(ticket))
    hall.wish(Transfer(ticket, service="cash", come_back=True))
    hall.wish(CloseCounter("2"))

    refusal = hall.refusal(Configure(without_counter("2")))

    assert isinstance(refusal, CounterInUse)
    assert refusal.particulars == {"counter": "2", "ticket": ticket}


def test_a_named_counter_may_not_give_up_the_service_it_is_waited_for(hall: LiveHall) -> None:
    hall.wish(Transfer(hall.issue("passport"), counter="2"))
    idle = tuple(replace(counter, services=("land",)) if counter.id == "2" else counter for counter in OFFICE.counters)

    assert type(hall.refusal(Configure(replace(OFFICE, counters=idle)))) is ServiceInUse


def test_a_category_that_somebody_claims_stays(hall: LiveHall) -> None:
    ticket = hall.issue(category="veteran")

    refusal = hall.refusal(Configure(NO_CATEGORIES))
    assert isinstance(refusal, CategoryInUse)
    assert refusal.particulars == {"category": "veteran", "ticket": ticket}

    hall.wish(Cancel(ticket))
    assert hall.refusal(Configure(NO_CATEGORIES)) is None


@pytest.mark.parametrize(
    "description",
    [without_service("cash"), without_counter("2"), NO_CATEGORIES],
    ids=["a service", "a counter", "a category"],
)
def test_a_refused_description_changes_nothing(hall: LiveHall, description: Office) -> None:
    hall.issue("cash", category="veteran")
    facts = len(hall.facts)

    assert hall.refusal(Configure(description)) is not None
    assert hall.hall.office == OFFICE
    assert len(hall.facts) == facts


def test_new_services_and_counters_are_there_at_once(hall: LiveHall) -> None:
    weddings = Service(id="weddings", letter="W", name={"en": "Weddings"})
    registrar = Counter(id="9", name={"en": "Registrar"}, services=("weddings",))

    hall.wish(Configure(hall.changed(services=(*OFFICE.services, weddings), counters=(*OFFICE.counters, registrar))))
    hall.wish(OpenCounter("9", "olga"))
    ticket = hall.issue("weddings")

    assert hall.visit(ticket).number == "W001"
    assert hall.call("9") == ticket


def test_a_counter_with_new_services_calls_those_who_wait_for_them(hall: LiveHall) -> None:
    ticket = hall.issue("cash")
    assert hall.call("2") is None

    both = tuple(replace(counter, services=("passport", "cash")) for counter in OFFICE.counters)
    hall.wish(Configure(hall.changed(counters=both)))

    assert hall.call("2") == ticket


def test_a_new_letter_begins_its_own_numbers_and_an_old_one_goes_on_with_its(hall: LiveHall) -> None:
    hall.issue("passport")
    services = tuple(replace(service, letter="B") for service in OFFICE.services)

    hall.wish(Configure(hall.changed(services=services)))
    renamed = hall.issue("passport")
    hall.wish(Configure(OFFICE))

    assert hall.visit(renamed).number == "B001"
    assert hall.visit(hall.issue("passport")).number == "A002"
    assert hall.visit(hall.issue("land")).number == "B002"


def test_a_new_description_changes_no_wait(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.wait(minutes=4)
    before = hall.visit(ticket)

    hall.wish(Configure(hall.changed(hotline="8 800 555 35 35", recall_limit=5)))

    assert hall.hall.ticket(ticket) == before
    assert hall.hall.next_alarm(hall.now) == NINE + minutes(10)


def test_a_service_stays_closed_through_a_new_description(hall: LiveHall) -> None:
    hall.wish(CloseService("land", "the register is down"))

    hall.wish(Configure(hall.changed(hotline="8 800 555 35 35")))

    assert type(hall.refusal(Issue("land"))) is ServiceIsClosed
