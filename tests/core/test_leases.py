"""A kiosk goes on without the server: numbers of its own, true times, nobody lost and no number twice."""

from dataclasses import replace
from datetime import datetime, timedelta

import msgspec
import pytest

from queue_core.commands import CloseDay, Configure, IssueOffline, LeaseNumbers, OpenDay, Tick
from queue_core.errors import (
    BookingMismatch,
    DayNotOpen,
    NoMoreMarks,
    NothingToLease,
    NumberTaken,
    UnknownCategory,
    UnknownLease,
    UnknownService,
)
from queue_core.facts import Block, Issued, NumbersLeased, NumbersVoided, Relieved, Unserved
from queue_core.hall import Hall, HallState
from queue_core.leases import MARKS
from queue_core.office import Channel
from queue_core.tickets import State
from tests.core.live import NINE, OFFICE, LiveHall, minutes

LEASE = "20261123-K-1"


def lease(hall: LiveHall, kiosk: str = "hall", done: str | None = None) -> NumbersLeased:
    """What a kiosk is given."""
    fact = hall.wish(LeaseNumbers(kiosk, done))[-1]
    assert isinstance(fact, NumbersLeased)
    return fact


def offline(serial: int, at: datetime, *, lease: str = LEASE, letter: str = "AK") -> IssueOffline:
    """A ticket that a kiosk gave out by itself."""
    return IssueOffline("hall", lease, letter, serial, "passport", at)


# Leasing


def test_a_kiosk_is_leased_a_block_of_each_series_under_its_own_mark(hall: LiveHall) -> None:
    leased = lease(hall)

    assert (leased.lease, leased.kiosk, leased.mark, leased.day) == (LEASE, "hall", "K", NINE.date())
    assert leased.blocks == tuple(Block(letter=letter, first=1, last=25) for letter in ("AK", "BK", "CK"))


def test_services_with_one_letter_share_a_block(hall: LiveHall) -> None:
    services = tuple(replace(service, letter="A") for service in OFFICE.services)
    hall.wish(Configure(hall.changed(services=services, offline_numbers=3)))

    assert lease(hall).blocks == (Block(letter="AK", first=1, last=3),)


def test_marks_are_given_in_the_order_of_the_first_leases_of_the_day(hall: LiveHall) -> None:
    marks = [lease(hall, kiosk).mark for kiosk in ("hall", "door", "hall", "stairs", "door")]
    hall.wait(days=1)
    tomorrow = [lease(hall, kiosk).mark for kiosk in ("stairs", "hall")]

    assert marks == ["K", "M", "K", "H", "M"]
    assert tomorrow == ["K", "M"]


def test_more_kiosks_than_marks_are_refused_by_name(hall: LiveHall) -> None:
    for number in range(len(MARKS)):
        lease(hall, f"kiosk-{number}")

    assert type(hall.refusal(LeaseNumbers("one-more"))) is NoMoreMarks
    assert lease(hall, "kiosk-3").mark == MARKS[3]


def test_an_office_may_do_without(hall: LiveHall) -> None:
    hall.wish(Configure(hall.changed(offline_numbers=0)))

    assert type(hall.refusal(LeaseNumbers("hall"))) is NothingToLease


def test_what_was_not_used_becomes_void_and_the_next_block_begins_after_it(hall: LiveHall) -> None:
    lease(hall)
    for serial in (1, 2, 5):
        hall.wish(offline(serial, hall.now))

    voided, leased = hall.wish(LeaseNumbers("hall", done=LEASE))

    assert isinstance(voided, NumbersVoided)
    assert voided.blocks[:2] == (Block(letter="AK", first=3, last=4), Block(letter="AK", first=6, last=25))
    assert isinstance(leased, NumbersLeased)
    assert leased.lease == "20261123-K-2"
    assert [block.first for block in leased.blocks] == [26, 26, 26]


def test_a_kiosk_that_lost_its_memory_shares_no_number_with_what_it_printed_before(hall: LiveHall) -> None:
    before = lease(hall)

    after = lease(hall)

    assert {block.last for block in before.blocks} == {25}
    assert {block.first for block in after.blocks} == {26}
    assert hall.hall.lease(before.lease).left == before.blocks


def test_what_one_kiosk_gives_back_is_never_anothers(hall: LiveHall) -> None:
    lease(hall)

    assert [type(fact) for fact in hall.wish(LeaseNumbers("door", done=LEASE))] == [NumbersLeased]
    assert hall.hall.lease(LEASE).left


def test_a_new_day_begins_anew_unless_numbers_of_the_series_are_still_out(hall: LiveHall) -> None:
    lease(hall, "hall")
    lease(hall, "door")
    hall.wait(days=1)

    given_back = lease(hall, "hall", done=LEASE)
    still_out = lease(hall, "door")

    assert (given_back.mark, {block.first for block in given_back.blocks}) == ("K", {1})
    assert (still_out.mark, {block.first for block in still_out.blocks}) == ("M", {26})


def test_a_number_used_on_a_later_day_is_not_leased_again_that_day(hall: LiveHall) -> None:
    lease(hall)
    hall.wait(days=1)
    hall.wish(offline(7, hall.now))

    again = lease(hall, done=LEASE)

    assert hall.visit("20261124-AK007").in_line
    assert [block.first for block in again.blocks] == [8, 1, 1]


def test_a_lease_is_forgotten_a_week_after_its_day_and_void_then(hall: LiveHall) -> None:
    lease(hall)
    hall.wish(offline(1, hall.now))
    for _ in range(7):
        hall.wait(days=1)
        hall.wish(Tick())
    assert not hall.of(NumbersVoided)

    hall.wait(days=1)
    hall.wish(Tick())

    assert [fact.blocks[0] for fact in hall.of(NumbersVoided)] == [Block(letter="AK", first=2, last=25)]
    assert hall.hall.leases == {}
    assert type(hall.refusal(offline(2, hall.now))) is UnknownLease


def test_a_hall_from_before_there_were_leases_is_read_again(hall: LiveHall) -> None:
    hall.issue()
    old = msgspec.to_builtins(hall.hall.state())
    del old["leases"], old["day_closed_at"]

    read = msgspec.convert(old, HallState)

    assert hall.hall.state().as_old_as(read) == read
    assert Hall.of("hall", read).leases == {}


# Coming back


def test_a_ticket_of_a_kiosk_joins_the_line_with_its_true_time(hall: LiveHall) -> None:
    lease(hall)
    hall.wait(minutes=5)
    online = hall.issue()
    hall.wait(minutes=3)

    issued = hall.wish(offline(1, NINE + minutes(2)))[0]

    ticket = hall.visit("20261123-AK001")
    assert isinstance(issued, Issued)
    assert (issued.at, issued.issued_at, issued.lease) == (hall.now, NINE + minutes(2), LEASE)
    assert (ticket.number, ticket.issued_offline, ticket.issued_at) == ("AK001", True, NINE + minutes(2))
    assert (ticket.clock_start, ticket.due) == (NINE + minutes(2), NINE + minutes(17))
    assert [hall.call("1"), hall.call("2")] == [ticket.id, online]


def test_online_numbers_stay_without_gaps(hall: LiveHall) -> None:
    lease(hall)
    first = hall.issue()
    hall.wish(offline(4, hall.now))

    assert (first, hall.issue()) == ("20261123-A001", "20261123-A002")


def test_a_booked_visitor_waits_from_the_slot(hall: LiveHall) -> None:
    lease(hall)
    slot = NINE + minutes(10)
    hall.wait(minutes=20)

    hall.wish(replace(offline(1, NINE + minutes(1)), channel=Channel.BOOKED, slot=slot))

    assert hall.visit("20261123-AK001").clock_start == slot


def test_a_kiosks_clock_is_believed_between_the_lease_and_now(hall: LiveHall) -> None:
    hall.wait(minutes=5)
    lease(hall)
    hall.wait(minutes=5)

    hall.wish(offline(1, NINE - timedelta(days=300)))
    hall.wish(offline(2, NINE + timedelta(days=300)))

    assert hall.visit("20261123-AK001").issued_at == NINE + minutes(5)
    assert hall.visit("20261123-AK002").issued_at == NINE + minutes(10)


def test_a_limit_that_has_passed_meanwhile_is_recorded_at_its_true_instant(hall: LiveHall) -> None:
    lease(hall)
    hall.wait(minutes=30)
    hall.wish(offline(1, NINE + minutes(1)))

    hall.wait(seconds=1)
    hall.look()

    assert hall.breaches() == [("20261123-AK001", NINE + minutes(16), hall.now)]


def test_no_number_is_issued_twice(hall: LiveHall) -> None:
    lease(hall)
    hall.wish(offline(1, hall.now))

    assert type(hall.refusal(offline(1, hall.now))) is NumberTaken
    assert type(hall.refusal(offline(26, hall.now))) is NumberTaken
    assert type(hall.refusal(offline(1, hall.now, letter="AM"))) is NumberTaken


def test_a_lease_that_was_given_back_is_none(hall: LiveHall) -> None:
    lease(hall)
    lease(hall, done=LEASE)

    assert type(hall.refusal(offline(1, hall.now))) is UnknownLease
    assert type(hall.refusal(offline(1, hall.now, lease="20261123-M-1"))) is UnknownLease


def test_a_kiosk_issues_only_what_was_leased_to_it(hall: LiveHall) -> None:
    lease(hall)

    assert type(hall.refusal(replace(offline(1, hall.now), kiosk="door"))) is UnknownLease


def test_the_paper_is_out_so_hours_and_closed_services_are_no_question_any_more() -> None:
    hall = LiveHall()
    lease(hall)
    hall.until(18, 30)

    hall.wish(offline(1, hall.now))

    assert hall.visit("20261123-AK001").in_line


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"service": "weddings"}, UnknownService),
        ({"further": ("weddings",)}, UnknownService),
        ({"category": "hero"}, UnknownCategory),
        ({"channel": Channel.BOOKED}, BookingMismatch),
    ],
)
def test_what_the_office_does_not_know_is_refused_as_ever(
    hall: LiveHall, changes: dict[str, object], refusal: type[Exception]
) -> None:
    lease(hall)

    assert type(hall.refusal(replace(offline(1, hall.now), **changes))) is refusal  # type: ignore[arg-type]


# Days that are over


def test_who_took_a_ticket_on_a_day_that_has_closed_went_unserved_then(hall: LiveHall) -> None:
    lease(hall)
    hall.wait(minutes=30)
    hall.wish(CloseDay())
    closed = hall.now
    hall.wait(minutes=30)

    facts = hall.wish(offline(1, closed - minutes(5)))

    ticket = hall.visit("20261123-AK001")
    assert [type(fact) for fact in facts] == [Issued, Unserved]
    assert (ticket.state, ticket.ended_at, ticket.clock.waited) == (State.UNSERVED, closed, minutes(5))
    assert not list(hall.hall.people())


def test_a_limit_that_passed_before_that_closing_is_a_breach(hall: LiveHall) -> None:
    lease(hall)
    hall.wait(days=1)

    hall.wish(offline(1, NINE + minutes(60)))

    closing = NINE.replace(hour=21)
    ticket = hall.visit("20261123-AK001")
    assert hall.breaches() == [(ticket.id, NINE + minutes(75), hall.now)]
    assert (ticket.day, ticket.state, ticket.ended_at) == (NINE.date(), State.UNSERVED, closing)
    assert ticket.escalated == 3
    assert len(hall.of(Relieved)) == 1
    assert hall.hall.in_line("passport") == 0


def test_who_came_after_the_closing_has_not_waited(hall: LiveHall) -> None:
    lease(hall)
    hall.wish(CloseDay())
    hall.wait(minutes=30)

    hall.wish(offline(1, NINE + minutes(20)))

    ticket = hall.visit("20261123-AK001")
    assert (ticket.state, ticket.ended_at, ticket.clock.waited) == (State.UNSERVED, NINE + minutes(20), minutes(0))


def test_who_came_before_the_day_has_opened_is_told_of_when_it_has(hall: LiveHall) -> None:
    lease(hall)
    hall.wait(hours=23)
    early = offline(1, hall.now - minutes(10))

    assert type(hall.refusal(early)) is DayNotOpen
    hall.wait(hours=1)
    hall.wish(early)

    ticket = hall.visit("20261124-AK001")
    assert (ticket.issued_at, ticket.state) == (NINE + timedelta(hours=22, minutes=50), State.WAITING)


def test_a_ticket_of_a_day_that_was_opened_again_by_hand_is_in_its_line(hall: LiveHall) -> None:
    lease(hall)
    hall.wish(CloseDay())
    hall.wait(minutes=5)
    hall.wish(OpenDay())

    hall.wish(offline(1, NINE))

    assert hall.visit("20261123-AK001").in_line


def test_an_office_without_nights_has_its_day_end_with_the_next() -> None:
    hall = LiveHall(replace(OFFICE, hours=tuple(replace(opening, closes=NINE.min.time()) for opening in OFFICE.hours)))
    hall.wish(Configure(hall.changed(closes_after_minutes=1200)))
    lease(hall)
    hall.wait(days=1)

    hall.wish(offline(1, NINE + minutes(1)))

    assert hall.visit("20261123-AK001").ended_at == NINE + timedelta(days=1)
