"""The sums behind the metrics: each thing counted once, when it happens, and never taken off again."""

import pytest

from queue_core.commands import Cancel, CloseDay, Command, Finish, Recall, ReturnToLine, Start, Undo
from queue_core.facts import Outcome
from tests.core.live import NINE, LiveHall


def counted(hall: LiveHall, *name: str) -> float:
    """What has been counted under a name."""
    return hall.hall.tallies.get(name, 0)


def waits(hall: LiveHall, *name: str) -> dict[str, float]:
    """The filled buckets of a histogram, and its sum."""
    return {tally[-1]: count for tally, count in hall.hall.tallies.items() if tally[:-1] == name}


def test_tickets_are_counted_by_service_and_channel(hall: LiveHall) -> None:
    hall.issue("passport")
    hall.issue("passport", slot=NINE)
    hall.issue("passport")
    hall.issue("land")

    assert counted(hall, "issued", "passport", "walk_in") == 2
    assert counted(hall, "issued", "passport", "booked") == 1
    assert counted(hall, "issued", "land", "walk_in") == 1


def test_a_promise_is_kept_at_the_call_and_broken_at_due(hall: LiveHall) -> None:
    hall.issue()
    hall.wait(minutes=1)
    hall.issue()
    hall.call("1")
    assert counted(hall, "met", "passport", "walk_in") == 1

    hall.wait(minutes=20)
    hall.look()
    assert counted(hall, "breached", "passport", "walk_in") == 1

    hall.call("2")
    assert counted(hall, "met", "passport", "walk_in") == 1
    assert counted(hall, "breached", "passport", "walk_in") == 1


def test_a_wait_is_observed_when_it_ends_in_a_call(hall: LiveHall) -> None:
    hall.issue()

    hall.wait(minutes=7)
    hall.call()

    assert waits(hall, "wait_seconds", "walk_in", "called") == {"420": 1, "sum": 420.0}


@pytest.mark.parametrize(
    ("seconds", "bucket"), [(899.5, "900"), (900, "900"), (900.5, "960"), (0, "30"), (9000, "+Inf")]
)
def test_a_bucket_holds_what_is_not_longer_than_its_edge(hall: LiveHall, seconds: float, bucket: str) -> None:
    hall.issue()

    hall.wait(seconds=seconds)
    hall.call()

    assert waits(hall, "wait_seconds", "walk_in", "called") == {bucket: 1, "sum": seconds}


@pytest.mark.parametrize(
    ("command", "outcome"),
    [(Cancel("20261123-A001"), "left"), (CloseDay(), "unserved")],
    ids=["leaves", "the day closes"],
)
def test_a_wait_that_ends_otherwise_is_observed_too(hall: LiveHall, command: Command, outcome: str) -> None:
    hall.issue()

    hall.wait(minutes=5)
    hall.wish(command)

    assert waits(hall, "wait_seconds", "walk_in", outcome) == {"300": 1, "sum": 300.0}


def test_a_wait_is_observed_once_however_often_the_visitor_is_called(hall: LiveHall) -> None:
    ticket = hall.issue()
    hall.wait(minutes=7)
    hall.call()
    hall.wish(Recall(ticket))
    hall.wish(ReturnToLine(ticket))
    hall.wait(minutes=1)
    hall.call("2")
    hall.wish(Cancel(ticket))

    assert waits(hall, "wait_seconds", "walk_in", "called") == {"420": 1, "sum": 420.0}
    assert waits(hall, "wait_seconds", "walk_in", "left") == {}


def test_a_call_taken_back_and_made_again_counts_once(hall: LiveHall) -> None:
    hall.issue()
    hall.wait(minutes=7)
    hall.call()
    hall.wish(Undo("1"))
    hall.wait(minutes=1)
    hall.call()

    assert counted(hall, "met", "passport", "walk_in") == 1
    assert (
        sum(count for bucket, count in waits(hall, "wait_seconds", "walk_in", "called").items() if bucket != "sum") == 1
    )


def test_services_are_observed_by_their_outcome(hall: LiveHall) -> None:
    ticket = hall.issue(further=("cash",))
    hall.call()
    hall.wish(Start(ticket))
    hall.wait(minutes=10)
    hall.wish(Finish(ticket, Outcome.INCOMPLETE))
    hall.call("3")
    hall.wish(Start(ticket))
    hall.wait(minutes=2)
    hall.wish(Finish(ticket))

    assert waits(hall, "service_seconds", "incomplete") == {"600": 1, "sum": 600.0}
    assert waits(hall, "service_seconds", "done") == {"120": 1, "sum": 120.0}
