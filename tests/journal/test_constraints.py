"""Rules that the database keeps by itself, whatever a program should try."""

from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError

from app.journal import Journal, LostRace
from queue_core.tickets import State, Ticket
from tests.core.live import LiveHall
from tests.journal.writing import Scribe, changed


@pytest.fixture
def day() -> LiveHall:
    """Three visitors; the first is called to counter 1."""
    day = LiveHall()
    for _ in range(3):
        day.issue()
    day.call("1")
    return day


@pytest.fixture
def scribe(journal: Journal, day: LiveHall) -> Scribe:
    """That morning, written."""
    scribe = Scribe()
    page = scribe.page(day.facts)
    page.answers.append(scribe.answer("used", day.now))
    journal.append(page)
    return scribe


@pytest.mark.parametrize("state", [State.CALLED, State.SERVING])
def test_a_counter_never_has_two_visitors(journal: Journal, scribe: Scribe, day: LiveHall, state: State) -> None:
    second = replace(day.visit("20261123-A002"), state=state, counter="1")

    with pytest.raises(IntegrityError, match=r"one_visitor_per_counter|tickets\.counter_id"):
        put(journal, scribe, second)


def test_visitors_who_only_were_at_the_counter_are_no_obstacle(journal: Journal, scribe: Scribe, day: LiveHall) -> None:
    put(journal, scribe, replace(day.visit("20261123-A002"), state=State.WAITING, counter="1"))
    put(journal, scribe, replace(day.visit("20261123-A003"), state=State.SERVED, counter="1", ended_at=day.now))


def test_counters_of_two_offices_do_not_compete(journal: Journal, scribe: Scribe, day: LiveHall) -> None:
    changed(journal, "UPDATE tickets SET office_id = 'north' WHERE number = 'A003'")
    changed(journal, "UPDATE tickets SET state = 'called', counter_id = '1' WHERE office_id = 'north'")


def test_a_number_is_given_once_a_day(journal: Journal, scribe: Scribe) -> None:
    with pytest.raises(IntegrityError):
        changed(journal, "UPDATE tickets SET number = 'A001' WHERE number = 'A002'")


def test_a_number_comes_again_on_another_day(journal: Journal, scribe: Scribe) -> None:
    changed(journal, "UPDATE tickets SET day = '2026-11-24', number = 'A001' WHERE number = 'A002'")


@pytest.mark.parametrize("state", ["served", "missed", "left", "unserved"])
def test_a_finished_visit_has_its_end(journal: Journal, scribe: Scribe, state: str) -> None:
    with pytest.raises(IntegrityError, match="ended_has_its_end"):
        changed(journal, "UPDATE tickets SET state = :state WHERE number = 'A002'", state=state)


@pytest.mark.parametrize("state", ["waiting", "held", "called", "serving"])
def test_a_visit_that_goes_on_has_no_end(journal: Journal, scribe: Scribe, state: str) -> None:
    with pytest.raises(IntegrityError, match="ended_has_its_end"):
        changed(journal, "UPDATE tickets SET state = :state, ended_at = issued_at WHERE number = 'A002'", state=state)


def test_a_key_is_used_once_in_an_office(journal: Journal, scribe: Scribe, day: LiveHall) -> None:
    page = scribe.page([])
    page.answers.append(scribe.answer("used", day.now))

    with pytest.raises(LostRace):
        journal.append(page)


def test_two_offices_may_use_the_same_key(journal: Journal, scribe: Scribe, day: LiveHall) -> None:
    other = Scribe("north")
    page = other.page(LiveHall().facts)
    page.answers.append(other.answer("used", day.now))

    journal.append(page)

    assert len(journal.answered([("hall", "used"), ("north", "used")])) == 2


def test_a_seq_is_taken_once_in_an_office(journal: Journal, scribe: Scribe) -> None:
    # On PostgreSQL it means that another process was faster.
    with pytest.raises((LostRace, IntegrityError)):
        changed(journal, "UPDATE facts SET seq = 1 WHERE seq = 2")


def test_visitors_may_change_counters_in_one_page(journal: Journal, scribe: Scribe, day: LiveHall) -> None:
    first, second = day.visit("20261123-A001"), day.visit("20261123-A002")
    put(journal, scribe, replace(second, state=State.CALLED, counter="2"))
    page = scribe.page([])
    page.facts = []
    page.answers.append(scribe.answer("exchange", day.now))
    page.tickets = {
        ("hall", first.id): (replace(first, counter="2"), 90),
        ("hall", second.id): (replace(second, state=State.CALLED, counter="1"), 91),
    }
    page.moved_counter = [
        ("hall", replace(first, state=State.WAITING), 90),
        ("hall", replace(second, state=State.WAITING), 91),
    ]

    journal.append(page)

    row = journal.ticket_row("hall", first.id)
    assert row
    assert row["counter_id"] == "2"


def put(journal: Journal, scribe: Scribe, ticket: Ticket) -> None:
    """Write one ticket's row, whatever the facts say."""
    page = scribe.page([])
    page.tickets["hall", ticket.id] = (ticket, scribe.hall.seq)
    journal.append(page)
