"""What is told around a limit: that it comes near, that it has passed, to whom next, that it is over; idle counters."""

from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from queue_core.commands import (
    Acknowledge,
    CallNext,
    Cancel,
    CloseCounter,
    CloseDay,
    Configure,
    Finish,
    Hold,
    OpenCounter,
    PauseCounter,
    ReturnToLine,
    Start,
    Transfer,
    Undo,
)
from queue_core.errors import NoBreach, StepForbidden
from queue_core.facts import (
    Acknowledged,
    Breached,
    Called,
    Cause,
    Configured,
    CounterIdle,
    Escalated,
    Fact,
    HeldBy,
    Idleness,
    Issued,
    Left,
    Relief,
    Relieved,
    Resumed,
    Scene,
    Undone,
    Unserved,
    Warned,
)
from queue_core.hall import Hall, HallState
from queue_core.office import Channel, Escalation, Limits
from queue_core.tickets import Acknowledgement
from tests.core.live import NINE, OFFICE, LiveHall, minutes, seconds


@pytest.fixture
def busy() -> LiveHall:
    """The hall with nobody at its counters, so that none of them is idle."""
    return LiveHall(manned=False)


def kinds(facts: list[Fact]) -> list[type[Fact]]:
    """What happened, by kind."""
    return [type(fact) for fact in facts]


# Near the limit


@pytest.mark.parametrize(
    ("limits", "walk_in", "booked"),
    [
        (Limits(), 600, 200),
        (Limits(walk_in=1), 0, 200),
        (Limits(walk_in_warning=30, booked_warning=299), 30, 299),
    ],
)
def test_a_warning_comes_at_two_thirds_of_the_limit_unless_the_office_says_otherwise(
    limits: Limits, walk_in: int, booked: int
) -> None:
    assert limits.warning_seconds(Channel.WALK_IN) == walk_in
    assert limits.warning_seconds(Channel.BOOKED) == booked


def test_whoever_has_waited_ten_of_fifteen_minutes_is_warned_of(busy: LiveHall) -> None:
    ticket = busy.issue()

    busy.wait(minutes=9, seconds=59.999999)
    assert busy.look() == []
    busy.wait(minutes=1)
    [warned] = busy.look()

    assert isinstance(warned, Warned)
    assert (warned.ticket, warned.since, warned.due) == (ticket, NINE + minutes(10), NINE + minutes(15))
    assert busy.visit(ticket).warned_at == NINE + minutes(10)


def test_the_booked_are_warned_of_by_their_own_limit(busy: LiveHall) -> None:
    busy.issue(slot=NINE + minutes(20))

    busy.wait(minutes=24)
    [warned] = busy.look()

    assert isinstance(warned, Warned)
    assert warned.since == NINE + minutes(20) + seconds(200)


def test_a_service_warns_when_it_says(busy: LiveHall) -> None:
    services = tuple(replace(service, limits=Limits(walk_in_warning=60)) for service in OFFICE.services)
    busy.wish(Configure(busy.changed(services=services)))
    busy.issue()

    busy.wait(minutes=1)
    [warned] = busy.look()

    assert isinstance(warned, Warned)
    assert warned.since == NINE + minutes(1)


def test_the_warning_of_the_issue_goes_with_the_visit(busy: LiveHall) -> None:
    ticket = busy.issue()
    services = tuple(replace(service, limits=Limits(walk_in_warning=60)) for service in OFFICE.services)

    busy.wish(Configure(busy.changed(services=services)))
    busy.wish(Transfer(ticket, service="land"))

    assert busy.hall.next_alarm(busy.now) == NINE + minutes(10)


def test_a_clock_that_stood_and_ran_again_does_not_warn_twice(busy: LiveHall) -> None:
    ticket = busy.issue()
    busy.wait(minutes=11)
    busy.wish(Hold(ticket, HeldBy.VISITOR, until=NINE + minutes(30)))

    busy.wait(minutes=30)
    busy.look()

    assert len(busy.of(Warned)) == 1
    assert [breach.due for breach in busy.of(Breached)] == [NINE + minutes(34)]


def test_the_waiting_done_warns_however_it_was_cut(busy: LiveHall) -> None:
    ticket = busy.issue()
    busy.wait(minutes=8)
    busy.wish(Hold(ticket, HeldBy.VISITOR, until=NINE + minutes(20)))

    busy.wait(minutes=15)
    busy.look()

    assert [warned.since for warned in busy.of(Warned)] == [NINE + minutes(22)]


def test_whoever_is_called_in_time_is_not_warned_of(hall: LiveHall) -> None:
    hall.issue()
    hall.wait(minutes=9)
    hall.call()

    hall.wait(minutes=60)

    assert hall.look() == []


def test_a_warning_shows_what_was_to_be_seen() -> None:
    hall = LiveHall()
    hall.wish(PauseCounter("3", "tea"))
    hall.issue("land")
    hall.call("1")
    hall.wait(minutes=20)
    first = hall.issue()
    hall.wait(minutes=7)
    for service in ("passport", "cash", "land"):
        hall.issue(service)

    hall.wait(minutes=3)
    hall.look()

    [warned] = hall.of(Warned, first)
    assert warned.scene == Scene(
        counters_open=2,
        counters_paused=1,
        counters_able=2,
        counters_idle=1,
        waiting=2,
        waiting_in_office=4,
        issued=2,
        issued_in_office=4,
    )


def test_a_scene_counts_the_tickets_of_the_last_fifteen_minutes(busy: LiveHall) -> None:
    ticket = busy.issue("land")
    for _ in range(4):
        busy.wait(minutes=5)
        busy.issue()

    scene = busy.hall.scene(busy.visit(ticket), busy.now)

    assert (scene.issued, scene.issued_in_office) == (0, 3)


def test_what_was_issued_lately_is_known_to_the_next_day_and_across_a_checkpoint() -> None:
    hall = LiveHall(OFFICE, now=NINE + minutes(9 * 60 - 5))
    hall.issue()
    ticket = hall.issue("land")
    state = msgspec.json.decode(msgspec.json.encode(hall.hall.state()), type=HallState)

    again = Hall.of("hall", state)

    assert again.scene(hall.visit(ticket), hall.now) == hall.hall.scene(hall.visit(ticket), hall.now)
    assert again.scene(hall.visit(ticket), hall.now).issued_in_office == 2


# Past it


def test_a_breach_is_told_to_the_first_role_at_once_and_to_the_others_in_time(busy: LiveHall) -> None:
    ticket = busy.issue()
    told = []

    for _ in range(26):
        busy.wait(minutes=1)
        told += [(busy.now - NINE, *step(fact)) for fact in busy.look() if isinstance(fact, Escalated)]

    assert told == [
        (minutes(15), 0, "operator"),
        (minutes(18), 1, "administrator"),
        (minutes(25), 2, "director"),
    ]
    assert busy.visit(ticket).escalated == 3


def step(fact: Escalated) -> tuple[int, str]:
    """Which step it is, and whose."""
    return fact.step, fact.role


def test_what_fell_into_an_outage_is_all_told_in_the_order_in_which_it_came_true(busy: LiveHall) -> None:
    early = busy.issue()
    busy.wait(minutes=4)
    late = busy.issue()

    busy.wait(minutes=16)
    found = busy.look()

    assert [(type(fact), fact.ticket) for fact in found if isinstance(fact, Warned | Breached | Escalated)] == [
        (Warned, early),
        (Warned, late),
        (Breached, early),
        (Escalated, early),
        (Escalated, early),
        (Breached, late),
        (Escalated, late),
    ]
    assert all(fact.at == busy.now for fact in found)


def test_the_alarm_is_set_for_the_warning_then_the_due_then_each_step(busy: LiveHall) -> None:
    busy.issue()
    alarms = []

    for _ in range(4):
        alarm = busy.hall.next_alarm(busy.now)
        assert alarm
        alarms.append(alarm - NINE)
        busy.now = alarm
        busy.look()

    assert alarms == [minutes(10), minutes(15), minutes(18), minutes(25)]
    assert busy.hall.next_alarm(busy.now) == NINE + minutes(12 * 60)


def test_another_escalation_holds_for_those_who_wait_already(busy: LiveHall) -> None:
    busy.issue()
    busy.wait(minutes=16)
    busy.look()

    steps = (Escalation(role="operator", after_seconds=0), Escalation(role="director", after_seconds=90))
    busy.wish(Configure(busy.changed(escalation=steps)))
    busy.wait(minutes=1)
    busy.look()

    assert [step(fact) for fact in busy.of(Escalated)] == [(0, "operator"), (1, "director")]


def test_the_steps_stand_still_while_the_visitor_is_away(busy: LiveHall) -> None:
    ticket = busy.issue()
    busy.wait(minutes=16)
    busy.wish(Hold(ticket, HeldBy.VISITOR, until=NINE + minutes(60)))

    busy.wait(minutes=43)
    assert busy.look() == []
    busy.wait(minutes=3)
    busy.look()

    assert [fact.step for fact in busy.of(Escalated)] == [0, 1]
    assert busy.hall.next_alarm(busy.now) == NINE + minutes(60 + 9)


# Over


@pytest.mark.parametrize(("end", "how"), [("call", Relief.CALLED), ("leave", Relief.LEFT), ("close", Relief.UNSERVED)])
def test_a_breach_ends_right_after_what_ended_it(end: str, how: Relief) -> None:
    hall = LiveHall()
    ticket = hall.issue()
    hall.wait(minutes=16)

    if end == "call":
        facts = hall.wish(CallNext("1"))
    elif end == "leave":
        facts = hall.wish(Cancel(ticket))
    else:
        facts = hall.wish(CloseDay())

    assert kinds(facts)[0] in (Called, Left, Unserved)
    assert facts[1] == Relieved(at=hall.now, ticket=ticket, due=NINE + minutes(15), how=how)
    assert hall.visit(ticket).relieved_at == hall.now
    assert [person.id for person in hall.hall.people()] == ([ticket] if end == "call" else [])


def test_who_left_past_the_limit_is_remembered_by_how_they_ended(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.wait(minutes=16)
    hall.wish(Cancel(ticket))

    assert hall.hall.ended == {ticket: "left"}
    assert hall.hall.tickets == {}


def test_a_closing_that_nobody_saw_ends_the_breaches_that_nobody_saw(busy: LiveHall) -> None:
    ticket = busy.issue()

    busy.wait(hours=24)
    found = busy.look()

    assert kinds(found)[:7] == [Warned, Breached, Escalated, Escalated, Escalated, Unserved, Relieved]
    assert busy.of(Relieved, ticket)[0].how is Relief.UNSERVED


def test_whoever_is_called_in_time_needs_no_relief(hall: LiveHall) -> None:
    hall.issue()
    hall.wait(minutes=14)
    hall.call()

    assert hall.of(Relieved) == []


def test_who_waits_again_after_the_relief_is_not_told_of_a_second_time(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.wait(minutes=16)
    hall.call()
    hall.wish(ReturnToLine(ticket))

    hall.wait(minutes=60)
    hall.look()
    hall.call()

    assert [fact.step for fact in hall.of(Escalated)] == [0]
    assert len(hall.of(Relieved)) == 1


def test_a_call_that_is_taken_back_relieves_nobody(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.wait(minutes=17, seconds=30)
    hall.call()
    hall.wait(seconds=20)
    hall.wish(Undo("1"))
    assert hall.visit(ticket).relieved_at is None

    hall.wait(minutes=1)
    hall.look()
    hall.call()

    assert [fact.step for fact in hall.of(Escalated)] == [0, 1]
    assert [fact.at - NINE for fact in hall.of(Relieved)] == [minutes(17.5), minutes(18) + seconds(50)]


def test_a_return_that_is_taken_back_past_the_limit_is_a_relief(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.wait(minutes=14, seconds=50)
    hall.call()
    hall.wish(ReturnToLine(ticket))
    hall.wait(seconds=20)

    facts = hall.wish(Undo("1"))

    assert kinds(facts) == [Undone, Relieved]
    assert len(hall.of(Breached)) == 1
    hall.wait(minutes=60)
    assert [fact for fact in hall.look() if isinstance(fact, Escalated)] == []


def test_a_breach_and_its_warning_stay_when_a_step_is_taken_back(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.wait(minutes=16)
    hall.wish(Acknowledge(ticket, "Anna", Cause.STAFF_ABSENT))
    hall.call()
    hall.wish(Undo("1"))

    visit = hall.visit(ticket)
    assert (visit.warned_at, visit.breached_due) == (NINE + minutes(10), NINE + minutes(15))
    assert visit.acknowledged
    assert visit.escalated == 1


# Answered for


def test_a_person_answers_for_a_breach_with_its_cause(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.wait(minutes=16)

    [fact] = hall.wish(Acknowledge(ticket, "Anna", Cause.TOO_FEW_COUNTERS, "two are ill"))

    assert fact == Acknowledged(
        at=hall.now, ticket=ticket, by="Anna", cause=Cause.TOO_FEW_COUNTERS, remark="two are ill"
    )
    assert hall.visit(ticket).acknowledged == Acknowledgement(
        at=hall.now, by="Anna", cause=Cause.TOO_FEW_COUNTERS, remark="two are ill"
    )


def test_the_latest_word_counts_and_the_escalation_goes_on(busy: LiveHall) -> None:
    ticket = busy.issue()
    busy.wait(minutes=16)
    busy.wish(Acknowledge(ticket, "Anna", Cause.OTHER))
    busy.wish(Acknowledge(ticket, "Boris", Cause.LONG_SERVICE))

    busy.wait(minutes=3)
    busy.look()

    said = busy.visit(ticket).acknowledged
    assert said
    assert (said.by, said.cause) == ("Boris", Cause.LONG_SERVICE)
    assert [fact.step for fact in busy.of(Escalated)] == [0, 1]


def test_what_has_not_passed_its_limit_needs_no_answer(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.wait(minutes=14)

    with pytest.raises(NoBreach):
        hall.wish(Acknowledge(ticket, "Anna", Cause.OTHER))


def test_a_breach_can_be_answered_for_at_the_counter_and_not_when_the_visit_is_over(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.wait(minutes=16)
    hall.call()
    hall.wish(Acknowledge(ticket, "Anna", Cause.OTHER))
    hall.wish(Start(ticket))
    hall.wish(Finish(ticket))

    with pytest.raises(StepForbidden):
        hall.wish(Acknowledge(ticket, "Anna", Cause.OTHER))


# Idle counters


def idle(hall: LiveHall) -> list[tuple[str, str, timedelta, Idleness]]:
    """Which counters were told of as idle, with whom they could have served, since when, and how."""
    return [(fact.counter, fact.ticket, fact.since - NINE, fact.state) for fact in hall.of(CounterIdle)]


def manned(hall: LiveHall, *counters: str) -> None:
    """Sit down at the counters."""
    for counter in counters:
        hall.wish(OpenCounter(counter, f"operator {counter}"))


def test_a_counter_that_is_open_for_nobody_is_told_of_once_somebody_is_near_the_limit(busy: LiveHall) -> None:
    ticket = busy.issue()
    manned(busy, "2", "3")
    busy.wait(minutes=9)
    busy.look()
    assert idle(busy) == []

    busy.wait(minutes=1)
    found = busy.look()

    assert kinds(found) == [Warned, CounterIdle]
    assert idle(busy) == [("2", ticket, timedelta(), Idleness.OPEN)]


def test_a_counter_is_idle_only_after_a_while(busy: LiveHall) -> None:
    busy.issue()
    busy.wait(minutes=11)
    manned(busy, "2")
    assert busy.hall.next_alarm(busy.now) == busy.now + seconds(60)

    busy.wait(seconds=59.999999)
    assert busy.look() == []
    busy.wait(seconds=0.000001)
    busy.look()

    assert [counter for counter, *_ in idle(busy)] == ["2"]


def test_a_long_pause_is_idleness_too(busy: LiveHall) -> None:
    ticket = busy.issue()
    manned(busy, "2")
    busy.wish(PauseCounter("2", "tea"))
    busy.wait(minutes=5)
    busy.wish(PauseCounter("2", "more tea"))

    busy.wait(minutes=5)
    busy.look()

    assert idle(busy) == [("2", ticket, timedelta(), Idleness.PAUSED)]


def test_a_stretch_of_idleness_is_told_once_and_the_next_one_again(hall: LiveHall) -> None:
    first, second = hall.issue(), hall.issue()
    hall.wish(CloseCounter("1"))
    hall.wait(minutes=12)
    for _ in range(3):
        hall.wait(minutes=1)
        hall.look()
    assert hall.call("2") == first
    hall.wish(Start(first))
    hall.wish(Finish(first))
    hall.wait(minutes=2)
    hall.look()

    assert idle(hall) == [
        ("2", first, -seconds(1), Idleness.OPEN),
        ("2", second, minutes(15), Idleness.OPEN),
    ]


def test_a_counter_that_could_not_serve_them_or_is_closed_is_not_meant(busy: LiveHall) -> None:
    busy.issue("cash")
    manned(busy, "1", "2", "3")
    busy.wish(CloseCounter("3"))

    busy.wait(minutes=30)
    busy.look()

    assert idle(busy) == []


def test_somebody_who_waits_for_one_counter_by_name_is_the_business_of_that_counter(busy: LiveHall) -> None:
    ticket = busy.issue()
    busy.wish(Transfer(ticket, counter="1"))
    manned(busy, "1", "2")

    busy.wait(minutes=11)
    busy.look()

    assert [(counter, whom) for counter, whom, *_ in idle(busy)] == [("1", ticket)]


def test_the_earliest_due_of_those_near_is_named(busy: LiveHall) -> None:
    land = busy.issue("land")
    busy.wait(minutes=11)
    passport = busy.issue()
    busy.wait(minutes=10)
    busy.look()
    manned(busy, "1")

    busy.wait(minutes=1)
    busy.look()

    assert busy.visit(land).due > busy.visit(passport).due  # type: ignore[operator]
    assert [whom for _, whom, *_ in idle(busy)] == [passport]


def test_a_counter_idle_for_long_is_told_of_as_soon_as_somebody_near_comes_back_to_the_line(busy: LiveHall) -> None:
    ticket = busy.issue()
    busy.wait(minutes=11)
    busy.wish(Hold(ticket, HeldBy.VISITOR, until=NINE + minutes(20)))
    manned(busy, "2")
    busy.wait(minutes=5)
    assert busy.look() == []

    busy.wait(minutes=5)
    found = busy.look()

    assert kinds(found) == [Resumed, CounterIdle]
    assert idle(busy) == [("2", ticket, minutes(11), Idleness.OPEN)]


def test_the_idle_alarm_is_not_lost_when_a_batch_is_taken_back(hall: LiveHall) -> None:
    hall.issue("cash")
    hall.wish(CloseCounter("1"))
    hall.wait(minutes=10)
    hall.wish(CloseCounter("3"))
    hall.wish(OpenCounter("3", "operator 3"))
    alarm = hall.hall.next_alarm(hall.now)

    hall.hall.mark()
    hall.wish(CallNext("3"))
    assert hall.hall.next_alarm(hall.now) != alarm
    hall.hall.go_back()

    assert hall.hall.next_alarm(hall.now) == alarm == hall.now + seconds(60)


# From before there were warnings


def test_facts_from_before_there_were_warnings_are_read_as_they_were_meant(busy: LiveHall) -> None:
    configured = msgspec.to_builtins(Configured(at=NINE, office=OFFICE))
    for name in ("escalation", "idle_seconds", "long_pause_seconds"):
        del configured["office"][name]
    for service in configured["office"]["services"]:
        del service["limits"]["walk_in_warning"], service["limits"]["booked_warning"]
    busy.issue()
    issued = msgspec.to_builtins(busy.of(Issued)[0])
    del issued["warning_seconds"]
    breached = {"at": NINE, "ticket": issued["ticket"], "due": NINE}

    assert msgspec.convert(configured, Configured).office == OFFICE
    assert msgspec.convert(issued, Issued).warning_seconds is None
    assert msgspec.convert(breached, Breached).scene is None


def test_a_ticket_from_before_there_were_warnings_is_near_at_two_thirds(busy: LiveHall) -> None:
    busy.issue()
    issued = replace(busy.of(Issued)[0], ticket="20261123-A002", serial=2, warning_seconds=None)
    busy.happen(issued)

    assert busy.visit(issued.ticket).wakes_at(OFFICE.escalation) == NINE + minutes(10)


def test_a_breach_from_before_there_were_warnings_ends_without_a_word_and_else_is_escalated(busy: LiveHall) -> None:
    left, stays = busy.issue(), busy.issue()
    busy.now = NINE + minutes(16)
    for ticket in (left, stays):
        busy.happen(Breached(at=busy.now, ticket=ticket, due=NINE + minutes(15)))
    busy.happen(Left(at=busy.now, ticket=left, reason=None))
    assert left not in busy.hall.tickets

    found = busy.look()

    assert [(type(fact), fact.ticket) for fact in found if isinstance(fact, Escalated)] == [(Escalated, stays)]
    assert busy.of(Warned) == []


def test_a_checkpoint_from_before_there_were_warnings_still_loads(hall: LiveHall) -> None:
    hall.issue()
    hall.call()
    written = msgspec.to_builtins(hall.hall.state())
    del written["issued_lately"]
    for session in written["sessions"]:
        del session["idle_since"]
    for ticket in written["tickets"]:
        for name in ("warning_seconds", "warned_at", "escalated", "acknowledged", "relieved_at"):
            del ticket[name]

    state = msgspec.convert(written, HallState)

    again = Hall.of("hall", state).state()
    assert (again.seq, again.tallies, again.numbers) == (
        hall.hall.seq,
        hall.hall.state().tallies,
        hall.hall.state().numbers,
    )
    assert [session.counter for session in again.sessions] == ["1", "2", "3"]
    assert state == replace(hall.hall.state().as_old_as(state), tickets=state.tickets)
