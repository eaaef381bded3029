"""The law: real seconds between issue and call are the recorded wait, whatever was done to the machine's clock."""

import asyncio
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.clock import SystemClock
from app.engine import Engine
from app.journal import open_journal
from app.watch import Watch
from queue_core.commands import CallNext, Configure, Issue, NoShow, OpenCounter, Tick
from queue_core.errors import Refusal
from queue_core.facts import Breached
from tests.core.live import AROUND_THE_CLOCK, NINE, OFFICE
from tests.watch.machines import HandMachine

DAY = 86400.0
ALWAYS = replace(OFFICE, id="always", hours=AROUND_THE_CLOCK)
OFFICES = (OFFICE, ALWAYS)
LIMIT = 900.0
NEAR = 0.01
"""Seconds by which a wait may be off: facts of one instant are a tick apart."""


@dataclass(frozen=True)
class Passes:
    """Seconds in which the watch looks a few times; with `asleep` it does not look, as the machine is suspended."""

    seconds: float
    asleep: bool = False


@dataclass(frozen=True)
class IsSet:
    """The clock is set by so many seconds, and what keeps it right says so or does not."""

    by: float
    synchronised: bool | None = None


@dataclass(frozen=True)
class Restarts:
    """The server is away for a while, and its clock may be set meanwhile."""

    seconds: float
    by: float


@dataclass(frozen=True)
class Comes:
    """Somebody takes a ticket."""

    office: int


@dataclass(frozen=True)
class IsCalled:
    """The counter calls who is next, who does not come."""

    office: int


Event = Passes | IsSet | Restarts | Comes | IsCalled

seconds = st.floats(0.1, 2 * LIMIT)
leaps = st.one_of(st.floats(-20, 20), st.floats(-3 * DAY, 3 * DAY))
events = st.one_of(
    st.builds(Passes, st.one_of(seconds, st.floats(60, DAY)), st.booleans()),
    st.builds(IsSet, leaps, st.sampled_from([None, True, False])),
    st.builds(Restarts, seconds, st.one_of(st.just(0.0), leaps)),
    st.builds(Comes, st.integers(0, 1)),
    st.builds(Comes, st.integers(0, 1)),
    st.builds(IsCalled, st.integers(0, 1)),
    st.builds(IsCalled, st.integers(0, 1)),
)


@dataclass
class Story:
    """What happens to one machine and its halls, held against what really passed."""

    address: str
    machine: HandMachine = field(default_factory=HandMachine)
    came: dict[tuple[str, str], float] = field(default_factory=dict)
    told: int = 0

    async def runs(self, story: list[Event]) -> None:
        """All of it."""
        await self._start()
        for office in OFFICES:
            await self._engine.do(office.id, Configure(office), actor="law")
            await self._engine.do(office.id, Tick(), actor="law")
            await self._engine.do(office.id, OpenCounter("1", "anna"), actor="law")
        for event in (*story, *(IsCalled(number % 2) for number in range(2))):
            await self._happens(event)
            await self._watch._look()
            await self._nothing_goes_back()
        await self._engine.stop()

    async def _start(self) -> None:
        self._engine = Engine(open_journal(self.address), self.machine.clock())
        await self._engine.start()
        self._watch = Watch(self._engine)
        self._last = self._engine.clock.now()

    async def _happens(self, event: Event) -> None:
        match event:
            case Passes(lasting, asleep):
                for _ in range(1 if asleep else 4):
                    self.machine.passes(lasting if asleep else lasting / 4)
                    await self._look()
            case IsSet(by, synchronised):
                self.machine.is_set(by)
                self.machine.synchronised = synchronised
            case Restarts(lasting, by):
                # What was last decided upon is kept before a server ends by itself.
                if self._engine._keeping_time:
                    await self._engine._keeping_time
                await self._engine.stop()
                self.machine.passes(lasting)
                self.machine.is_set(by)
                await self._start()
                await self._look()
            case Comes(number):
                await self._comes(OFFICES[number].id)
            case IsCalled(number):
                await self._is_called(OFFICES[number].id)

    async def _look(self) -> None:
        for hall in self._engine.all_remembered():
            self._watch._set(hall, self._engine.clock.now())
        await self._watch._look()

    async def _comes(self, office: str) -> None:
        try:
            ticket = (await self._engine.do(office, Issue("passport"), actor="law")).ticket
        except Refusal:
            return
        assert ticket
        self.came[office, ticket.id] = self.machine.boot_seconds

    async def _is_called(self, office: str) -> None:
        try:
            await self._engine.do(office, OpenCounter("1", "anna"), actor="law")
            called = (await self._engine.do(office, CallNext("1"), actor="law")).ticket
        except Refusal:
            return
        if called is None:
            return
        really = self.machine.boot_seconds - self.came[office, called.id]
        assert called.wait_to_call is not None
        assert abs(called.wait_to_call.total_seconds() - really) < NEAR, (called.wait_to_call, really)
        if abs(really - LIMIT) > NEAR:
            lines = await self._engine.ask(lambda journal: journal.history(office, called.id))
            assert any(isinstance(line.fact, Breached) for line in lines) == (really > LIMIT)
        await self._engine.do(office, NoShow(called.id), actor="law")
        self.told += 1

    async def _nothing_goes_back(self) -> None:
        now = self._engine.clock.now()
        assert now >= self._last
        for hall in self._engine.all_remembered():
            assert hall.last_at is None or now >= hall.last_at - timedelta(milliseconds=1)
        self._last = now


@pytest.fixture(scope="module")
def empty_journal() -> Iterator[Path]:
    """A journal in which nothing has happened."""
    with TemporaryDirectory() as directory:
        path = Path(directory, "empty.db")
        journal = open_journal(str(path))
        journal.close()
        journal.database.close()
        yield path


@given(story=st.lists(events, min_size=4, max_size=24))
@example(story=[IsSet(-3600), Passes(4), Comes(0), Passes(1000), IsCalled(0)])
@example(story=[IsSet(3600), Passes(100), Comes(1), IsSet(-7200), Passes(950), IsCalled(1)])
@example(story=[Comes(1), Restarts(8, -3 * DAY), Passes(8), IsSet(3 * DAY), Passes(60), IsCalled(1)])
@example(
    story=[Passes(DAY / 2), IsSet(-7200, True), Passes(3600), Restarts(5, 100), Passes(DAY), Comes(1), IsCalled(1)]
)
@settings(max_examples=20, deadline=None)
def test_real_seconds_between_issue_and_call_are_the_recorded_wait(empty_journal: Path, story: list[Event]) -> None:
    with TemporaryDirectory() as directory:
        copy = Path(directory, "law.db")
        shutil.copy(empty_journal, copy)
        asyncio.run(Story(str(copy)).runs(story))


def test_the_law_is_about_somebody(empty_journal: Path, tmp_path: Path) -> None:
    copy = tmp_path / "law.db"
    shutil.copy(empty_journal, copy)
    story = Story(str(copy))
    asyncio.run(story.runs([Comes(1), IsSet(-3600), Passes(5000), Restarts(20, 7200), IsCalled(1), Comes(1)]))

    assert story.told == 2
    assert isinstance(story._engine.clock, SystemClock)
    assert story.machine.boot_seconds - 1000 == 5020
    assert story._engine.clock.now() == NINE + timedelta(seconds=5020)
