"""Booked times: those that can be, and those that somebody only claims until the booking was found."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given

from queue_core.commands import (
    Configure,
    Issue,
    IssueOffline,
    LeaseNumbers,
    OpenDay,
    Tick,
    Undo,
    VerifyClaim,
    WithdrawCategory,
)
from queue_core.errors import NoClaim, NotToday
from queue_core.facts import CategoryWithdrawn, ClaimVerified, Fact, Issued, NumbersLeased, Rank, Returned
from queue_core.hall import Hall
from queue_core.office import Channel
from queue_core.tickets import State
from tests.core.live import AROUND_THE_CLOCK, NINE, OFFICE, LiveHall, minutes
from tests.core.stories import STORIES, Life, Story, begun, command_of

DAY = timedelta(days=1)


def claim(hall: LiveHall, slot: datetime = NINE, service: str = "passport", category: str | None = None) -> str:
    """Somebody says to have a booking; the ticket's name."""
    issued = hall.wish(Issue(service, Channel.BOOKED, category, slot, claim=True))[-1]
    assert isinstance(issued, Issued)
    return issued.ticket


@pytest.mark.parametrize(
    "slot",
    [
        datetime(2020, 11, 23, 9, tzinfo=NINE.tzinfo),
        NINE - timedelta(microseconds=1),
        NINE + timedelta(hours=9),
        NINE + DAY,
        NINE + 25 * DAY,
        datetime(2028, 1, 3, 9, tzinfo=NINE.tzinfo),
    ],
)
@pytest.mark.parametrize("claimed", [True, False])
def test_a_booked_time_outside_of_the_days_hours_is_refused(hall: LiveHall, slot: datetime, claimed: bool) -> None:
    refusal = hall.refusal(Issue("passport", Channel.BOOKED, slot=slot, claim=claimed))

    assert isinstance(refusal, NotToday)
    assert refusal.particulars == {"slot": slot, "day": NINE.date()}


@pytest.mark.parametrize("slot", [NINE, NINE + timedelta(hours=8, minutes=59, seconds=59)])
def test_the_hours_have_their_first_instant_and_not_their_last(hall: LiveHall, slot: datetime) -> None:
    assert hall.refusal(Issue("passport", Channel.BOOKED, slot=slot)) is None


def test_a_day_opened_by_hand_has_all_of_its_date() -> None:
    hall = LiveHall(OFFICE, now=NINE - timedelta(hours=3))
    hall.wish(OpenDay())

    assert hall.refusal(Issue("passport", Channel.BOOKED, slot=NINE - timedelta(hours=2))) is None
    assert type(hall.refusal(Issue("passport", Channel.BOOKED, slot=NINE + timedelta(hours=16)))) is NotToday


def test_a_day_of_an_office_that_never_closes_is_its_date_by_the_clock_on_its_wall() -> None:
    hall = LiveHall(replace(OFFICE, zone="Asia/Vladivostok", hours=AROUND_THE_CLOCK), now=NINE)
    midnight = datetime(2026, 11, 23, 14, tzinfo=NINE.tzinfo)

    assert hall.refusal(Issue("passport", Channel.BOOKED, slot=midnight - minutes(1))) is None
    assert type(hall.refusal(Issue("passport", Channel.BOOKED, slot=midnight))) is NotToday


def test_a_claim_waits_as_a_walk_in_does(hall: LiveHall) -> None:
    ticket = claim(hall, NINE + minutes(20))

    visit = hall.visit(ticket)
    assert (visit.channel, visit.rank, visit.claim) == (Channel.WALK_IN, Rank.WALK_IN, NINE + minutes(20))
    assert (visit.clock_start, visit.due) == (NINE, NINE + minutes(15))


def test_a_claim_that_nobody_has_found_overtakes_nobody(hall: LiveHall) -> None:
    eight = [hall.issue() for _ in range(8)]
    hall.wait(minutes=9)
    late = claim(hall)
    hall.wait(minutes=9)

    called = [hall.call() if number % 2 else hall.call("2") for number in range(2)]

    assert called == eight[:2]
    assert hall.visit(late).state is State.WAITING


def test_a_booking_that_was_found_has_its_rank_and_limit_and_the_start_and_channel_stay(hall: LiveHall) -> None:
    first = hall.issue()
    hall.wait(minutes=1)
    ticket = claim(hall, NINE + minutes(2))
    hall.wait(minutes=2)

    found = hall.wish(VerifyClaim(ticket))

    visit = hall.visit(ticket)
    assert [type(fact) for fact in found] == [ClaimVerified]
    assert (visit.rank, visit.channel, visit.claim_verified) == (Rank.BOOKED, Channel.WALK_IN, True)
    assert (visit.clock_start, visit.due) == (NINE + minutes(1), NINE + minutes(7))
    assert hall.call() == ticket
    assert hall.visit(first).state is State.WAITING


def test_the_earlier_due_stands_when_a_booking_is_found(hall: LiveHall) -> None:
    ticket = claim(hall, NINE + minutes(60))

    hall.wish(VerifyClaim(ticket))

    assert hall.visit(ticket).due == NINE + minutes(15)


def test_a_booking_found_late_was_due_when_it_was_due(hall: LiveHall) -> None:
    ticket = claim(hall)
    hall.wait(minutes=8)
    hall.wish(VerifyClaim(ticket))

    hall.look()

    assert hall.breaches() == [(ticket, NINE + minutes(5), hall.now)]


def test_a_breach_of_the_walk_ins_limit_is_not_made_another_by_the_booking(hall: LiveHall) -> None:
    ticket = claim(hall)
    hall.wait(minutes=16)
    hall.wish(VerifyClaim(ticket))

    hall.wait(minutes=1)
    hall.look()

    assert [due for _, due, _ in hall.breaches()] == [NINE + minutes(15)]


def test_a_booking_is_found_once_and_only_where_one_was_claimed(hall: LiveHall) -> None:
    claimed, walk_in = claim(hall), hall.issue()
    hall.wish(VerifyClaim(claimed))

    assert type(hall.refusal(VerifyClaim(claimed))) is NoClaim
    assert type(hall.refusal(VerifyClaim(walk_in))) is NoClaim


def test_a_booking_that_was_found_stays_so_when_the_call_is_taken_back(hall: LiveHall) -> None:
    ticket = claim(hall)
    hall.call()
    hall.wish(VerifyClaim(ticket))

    hall.wish(Undo("1"))

    visit = hall.visit(ticket)
    assert (visit.state, visit.rank, visit.due) == (State.WAITING, Rank.BOOKED, NINE + minutes(5))


@pytest.mark.parametrize("slot", [NINE + minutes(5), NINE + 25 * DAY])
def test_paper_that_is_out_is_taken_whatever_time_it_claims(hall: LiveHall, slot: datetime) -> None:
    leased = hall.wish(LeaseNumbers("hall"))[0]
    assert isinstance(leased, NumbersLeased)

    issued = hall.wish(
        IssueOffline("hall", leased.lease, "AK", 1, "passport", NINE, Channel.BOOKED, slot=slot, claim=True)
    )[-1]

    assert isinstance(issued, Issued)
    assert issued.channel is Channel.WALK_IN
    assert issued.claim == (slot if slot < NINE + DAY else None)


def test_a_right_withdrawn_at_the_counter_goes_back_to_the_line_with_its_clock(hall: LiveHall) -> None:
    first = hall.issue()
    hall.wait(minutes=2)
    claimed = hall.issue(category="veteran")
    hall.wait(minutes=1)
    assert hall.call() == claimed

    facts = hall.wish(WithdrawCategory(claimed, "no card"))

    assert [type(fact) for fact in facts] == [CategoryWithdrawn, Returned]
    assert hall.visit(claimed).clock.reading(hall.now) == minutes(1)
    assert hall.call() == first


def test_a_right_withdrawn_costs_no_place_at_the_counter_when_the_operator_says_why_not(hall: LiveHall) -> None:
    claimed = hall.issue(category="veteran")
    hall.call()

    facts = hall.wish(WithdrawCategory(claimed, "no card", "nobody else waits"))

    assert facts == [CategoryWithdrawn(at=hall.now, ticket=claimed, reason="no card", kept="nobody else waits")]
    assert hall.visit(claimed).state is State.CALLED


@given(STORIES)
def test_a_claim_that_nobody_found_changes_nothing_for_anybody(story: Story) -> None:
    """The day goes as it would have gone if everybody who claims a booking had come without one."""
    claimed, plain = begun(story), Life(Hall(story.office.id), story.begins)
    plain.wish(Configure(story.office))
    for entry in claimed.diary[1:]:
        plain.wish(entry.command)
    for wish in story.wishes:
        claimed.clock += wish.after
        plain.clock += wish.after
        command = command_of(wish, claimed.hall, claimed.clock)
        if isinstance(command, VerifyClaim):
            continue
        entry = claimed.wish(command)
        if isinstance(command, Issue) and command.claim:
            command = Tick() if entry.refusal else Issue(command.service)
        plain.wish(command)

    assert [without_claim(fact) for fact in claimed.facts()] == list(plain.facts())


def without_claim(fact: Fact) -> Fact:
    """The fact, as it would have been of a walk-in."""
    return replace(fact, claim=None) if isinstance(fact, Issued) else fact
