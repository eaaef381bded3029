"""A hall that went ahead of its journal goes back to it whole, whatever had been tried."""

from dataclasses import replace

import pytest

from queue_core.commands import (
    CallChosen,
    CallNext,
    Cancel,
    CloseCounter,
    CloseDay,
    CloseService,
    Command,
    Configure,
    Finish,
    Hold,
    Issue,
    IssueOffline,
    LeaseNumbers,
    NoShow,
    OpenCounter,
    OpenDay,
    OpenService,
    PauseCounter,
    ReturnToLine,
    Start,
    Tick,
    Transfer,
    Undo,
)
from queue_core.errors import OfficeClosed
from queue_core.facts import Configured, DayOpened, Fact, HeldBy
from queue_core.hall import Hall, evolve
from queue_core.office import Discipline
from tests.core.live import AROUND_THE_CLOCK, NINE, OFFICE, LiveHall, minutes

FIRST, SECOND, THIRD, FOURTH = (f"20261123-A00{serial}" for serial in (1, 2, 3, 4))


@pytest.fixture
def busy(hall: LiveHall) -> LiveHall:
    """One called, one in service, one held, one waiting, one gone; a service closed and a counter paused."""
    for _ in range(5):
        hall.issue()
        hall.wait(minutes=1)
    hall.call("1")
    hall.call("2")
    hall.wish(Start(SECOND))
    hall.wish(Hold(THIRD, HeldBy.VISITOR, hall.now + minutes(30)))
    hall.wish(Cancel("20261123-A005"))
    hall.wish(CloseService("cash", "no change"))
    hall.wish(PauseCounter("3", "lunch"))
    hall.wish(LeaseNumbers("window"))
    hall.wish(LeaseNumbers("entry"))
    hall.wait(minutes=1)
    return hall


TRIED: list[tuple[Command, ...]] = [
    (Issue("passport"), Issue("land", category="veteran")),
    (Start(FIRST), Finish(FIRST), CallNext("1"), NoShow(FOURTH)),
    (Finish(SECOND), CallChosen(FOURTH, "2", "a child"), Undo("2")),
    (ReturnToLine(FIRST), CallNext("1"), Transfer(FIRST, service="land")),
    (Undo("1"), CallNext("1"), Cancel(FIRST)),
    (Finish(SECOND), CloseCounter("2"), OpenCounter("2", "somebody else")),
    (OpenCounter("3", "operator 3"), OpenService("cash"), CloseService("land", "power cut")),
    (CloseDay(), OpenDay(), Issue("passport")),
    (Configure(replace(OFFICE, discipline=Discipline.EARLIEST_DUE, hours=AROUND_THE_CLOCK)), Issue("passport")),
    (NoShow(FIRST), CallNext("1"), NoShow(FOURTH), Undo("1")),
    (LeaseNumbers("hall"), IssueOffline("hall", "20261123-X-1", "AK", 1, "passport", NINE), LeaseNumbers("door")),
    (IssueOffline("entry", "20261123-M-1", "AM", 7, "passport", NINE), LeaseNumbers("entry", done="20261123-M-1")),
]


def names(commands: tuple[Command, ...]) -> str:
    """A test's name for what is tried."""
    return "-".join(type(command).__name__ for command in commands)


@pytest.mark.parametrize("later", [0, 20, 60 * 20], ids=["at once", "after some breaches", "the next day"])
@pytest.mark.parametrize("tried", TRIED, ids=names)
def test_what_was_tried_is_gone(busy: LiveHall, tried: tuple[Command, ...], later: int) -> None:
    before, happened = busy.hall.state(), list(busy.facts)
    ahead = what_follows(busy)

    busy.hall.mark()
    busy.wait(minutes=later)
    for command in tried:
        busy.refusal(command)
    busy.hall.go_back()

    assert busy.hall.state() == before
    busy.wait(minutes=-later)
    busy.facts = happened
    assert what_follows(busy) == ahead


def test_what_is_kept_stays(busy: LiveHall) -> None:
    busy.hall.mark()
    ticket = busy.issue()
    busy.hall.keep()

    assert busy.hall.ticket(ticket)


def test_the_mark_knows_the_seq_and_the_tickets_as_they_were(busy: LiveHall) -> None:
    before, seq = busy.hall.ticket(FIRST), busy.hall.seq
    busy.hall.mark()

    busy.wish(Start(FIRST))
    ticket = busy.issue()

    assert busy.hall.seq_at_mark == seq
    assert busy.hall.at_mark(FIRST) == before
    assert busy.hall.at_mark(ticket) is None
    assert busy.hall.at_mark(FOURTH) is None


def test_an_office_that_was_described_in_vain_does_not_exist() -> None:
    hall = Hall("hall")

    hall.mark()
    evolve(hall, Configured(at=NINE, office=OFFICE))
    evolve(hall, DayOpened(at=NINE, day=NINE.date(), by_hand=True))
    hall.go_back()

    assert not hall.exists
    assert hall.state() == Hall("hall").state()


def test_a_day_that_was_opened_by_hand_in_vain_keeps_the_hours_of_its_office() -> None:
    live = LiveHall(now=NINE.replace(hour=8))
    before = live.hall.state()

    live.hall.mark()
    live.wish(OpenDay())
    live.hall.go_back()

    assert live.hall.state() == before
    assert isinstance(live.refusal(Issue("passport")), OfficeClosed)


def what_follows(hall: LiveHall) -> list[list[Fact]]:
    """What a fixed course of a day would bring from now on; itself tried and taken back."""
    now, happened = hall.now, list(hall.facts)
    hall.hall.mark()
    course: list[list[Fact]] = []
    for command in (Tick(), Issue("passport"), CallNext("1"), Start(FIRST), Finish(FIRST), CallNext("1"), Tick()):
        hall.wait(minutes=7)
        seen = len(hall.facts)
        hall.refusal(command)
        course.append(hall.facts[seen:])
    hall.wait(hours=15)
    course.append(hall.look())
    hall.hall.go_back()
    hall.now, hall.facts = now, happened
    return course
