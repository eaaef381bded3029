"""Random wishes against the hall and against a naive model of it: both must say the same, for ever.

The everyday run takes a few thousand steps. `pytest tests/core/test_hall_machine.py --hypothesis-profile=thorough`
takes more than a hundred thousand. A failure prints the steps that lead to it and the line that replays them.
"""

import sys
from dataclasses import fields
from datetime import timedelta

import pytest
from hypothesis import note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from queue_core.commands import Command, Tick
from queue_core.facts import (
    Block,
    Breached,
    CounterIdle,
    DayClosed,
    DayOpened,
    Escalated,
    Fact,
    NumbersLeased,
    NumbersVoided,
    Relieved,
    Scene,
    TicketFact,
    Warned,
)
from queue_core.hall import Hall
from tests.core.naive import Event, NaiveHall, listed
from tests.core.stories import WISHES, Story, Wish, begun, command_of, stories

SCENE = tuple(field.name for field in fields(Scene))
STEPS = 40
THOROUGH = 100_000
"""Steps that the thorough profile promises."""


class HallMachine(RuleBasedStateMachine):
    """One hall being lived in, and the model that says what ought to come of it."""

    steps = 0

    @initialize(story=stories(longest=0))
    def an_office_opens(self, story: Story) -> None:
        self.life = begun(story)
        self.model = NaiveHall(story.office)
        for entry in self.life.diary[1:]:
            self.model.time_passes(entry.now)
            self.model.wish(entry.command, entry.now)

    @rule(wishes=st.lists(WISHES, min_size=1, max_size=8))
    def people_wish(self, wishes: list[Wish]) -> None:
        for wish in wishes:
            self.life.clock += wish.after
            self._wish(command_of(wish, self.life.hall, self.life.clock))

    @rule(wishes=st.lists(WISHES, max_size=4), overnight=st.booleans())
    def a_batch_is_decided_and_taken_back(self, wishes: list[Wish], overnight: bool) -> None:
        length, model = len(self.life.diary), self.model.copy()
        self.life.hall.mark()
        if overnight:
            self.time_goes_by_until_something_is_due(0)
        self.people_wish(wishes)
        self.life.hall.go_back()
        self.model = model
        del self.life.diary[length:]

    @rule()
    def the_server_starts_again_from_a_checkpoint(self) -> None:
        self.life.hall = Hall.of(self.life.hall.office_id, self.life.hall.state())

    @rule(minutes=st.integers(0, 3))
    def time_goes_by_until_something_is_due(self, minutes: int) -> None:
        alarm = self.life.hall.next_alarm(self.life.hall.moment(self.life.clock))
        self.life.clock = max(self.life.clock, alarm or self.life.clock) + timedelta(minutes=minutes)
        self._wish(Tick())

    def _wish(self, command: Command) -> None:
        type(self).steps += 1
        entry = self.life.wish(command)
        note(f"{entry.now:%a %H:%M:%S.%f} {command}")
        assert [event(fact) for fact in entry.passed] == self.model.time_passes(entry.now)
        expected = self.model.wish(command, entry.now)
        if entry.refusal:
            assert isinstance(expected, set), f"refused for {entry.refusal!r}, and nothing speaks against it"
            assert type(entry.refusal) in expected
        else:
            assert [event(fact) for fact in entry.facts] == expected
        self.the_hall_is_as_the_model_has_it()

    @invariant()
    def the_hall_is_as_the_model_has_it(self) -> None:
        self._same_people()
        self._same_counters()
        self._same_day()
        self._same_leases()

    def _same_people(self) -> None:
        now = self.life.hall.moment(self.life.clock)
        people = {ticket.id: ticket for ticket in self.life.hall.people()}
        assert people.keys() == {person.name for person in self.model.inside()}
        for name, ticket in people.items():
            person = self.model.people[name]
            assert ticket.state == person.state
            assert (ticket.service, ticket.only_counter) == (person.service, person.only)
            assert [(stop.service, stop.counter) for stop in ticket.stops] == person.stops
            assert ticket.clock.reading(now) == person.waited(now)
            assert (ticket.due, ticket.breached_due) == (person.due(), person.breached)
            assert (ticket.warned_at, ticket.escalated) == (person.warned, person.told)
            assert (ticket.relieved_at is None) == (person.relieved is None)
            answered = ticket.acknowledged and (ticket.acknowledged.by, ticket.acknowledged.cause)
            assert answered == person.answered

    def _same_leases(self) -> None:
        leases = self.life.hall.leases
        assert leases.keys() == self.model.papers.keys()
        for name, paper in self.model.papers.items():
            left = leases[name].left
            assert (left is not None) == paper.out
            assert left is None or numbers(left) == paper.left

    def _same_counters(self) -> None:
        now = self.life.hall.moment(self.life.clock)
        for counter in self.life.hall.office.counters:
            session, desk = self.life.hall.session(counter.id), self.model.desk(counter.id)
            assert (session.state, session.operator, session.ticket) == (desk.state, desk.operator, desk.visitor)
            assert session.idle_since == desk.idle_since
            heads = {ticket.id for ticket in self.life.hall.heads(counter)}
            first = self.model.first(counter, now)
            assert heads <= {person.name for person in self.model.line(counter)}
            assert first.name in heads if first else not heads

    def _same_day(self) -> None:
        hall, now = self.life.hall, self.life.hall.moment(self.life.clock)
        assert (hall.day, hall.day_is_open) == (self.model.day, self.model.day_open)
        assert hall.receives_at(now) == self.model.receives(now)
        assert hall.next_alarm(now) == self.model.alarm(now)


def event(fact: Fact) -> Event:
    """A fact as the model names it."""
    match fact:
        case Warned(ticket=ticket, scene=Scene() as scene) | Breached(ticket=ticket, scene=Scene() as scene):
            subject = " ".join((ticket, *(str(getattr(scene, name)) for name in SCENE)))
        case Escalated(ticket=ticket, step=step, role=role):
            subject = f"{ticket} {step} {role}"
        case Relieved(ticket=ticket, how=how):
            subject = f"{ticket} {how}"
        case CounterIdle(counter=counter, ticket=ticket, since=since, state=state):
            subject = f"{counter} {ticket} {since} {state}"
        case NumbersLeased(lease=lease, kiosk=kiosk, mark=mark, day=day, blocks=blocks):
            subject = f"{lease} {kiosk} {mark} {day} {listed(numbers(blocks))}"
        case NumbersVoided(lease=lease, blocks=blocks):
            subject = f"{lease} {listed(numbers(blocks))}"
        case TicketFact(ticket=ticket):
            subject = ticket
        case DayOpened(day=day) | DayClosed(day=day):
            subject = str(day)
        case _:
            subject = ""
    return (type(fact).__name__, subject)


def numbers(blocks: tuple[Block, ...]) -> list[tuple[str, int]]:
    """Each number of the blocks by itself."""
    return [(block.letter, serial) for block in blocks for serial in range(block.first, block.last + 1)]


def test_the_hall_does_what_a_naive_model_of_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    HallMachine.steps = 0

    run_state_machine_as_test(HallMachine, settings=settings(stateful_step_count=STEPS))

    if settings().max_examples * STEPS >= THOROUGH / 2:
        with capsys.disabled():
            sys.stdout.write(f" {HallMachine.steps} steps ")
        assert HallMachine.steps >= THOROUGH
