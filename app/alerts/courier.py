"""A courier carries facts to one receiver: in order within an office, other offices' meanwhile."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from random import random
from typing import Any, TypeVar

import structlog

from app.alerts.told import Receiver, Told, Untaken, told_at, with_history
from app.engine import HIDDEN, Engine
from app.journal import JournalDown, JournalFull, Recorded
from app.journal.deliveries import DeadLetter, Place, Untold, keep, places, untold
from queue_core.errors import Refusal

log = structlog.get_logger(__name__)

AT_ONCE = 8
"""Offices whose messages are under way to one receiver at the same time."""

AT_HAND = 64
"""Untold facts of one office that are kept in memory; more are read from the journal when it is their turn."""

PACE_SECONDS = 0.02
"""From one message to the next to one receiver: a burst of them must not keep those at the counters waiting."""

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 60.0
KEPT_SECONDS = 0.5

LOOKED_UP_SECONDS = 5.0
"""How long whoever has nothing to do sleeps before giving a sign of life."""
"""The least time between two notes of how far everybody has come. A server that is killed repeats so much."""

PAUSE_SECONDS = 1.0
"""Before the journal is asked again, when it did not answer."""

T = TypeVar("T")
Sleep = Callable[[float], Awaitable[None]]
Counted = Callable[[str], None]
"""Told of what became of a message: `delivered`, `failed`, `dead`."""


def pause_seconds(attempts: int) -> float:
    """How long to wait after so many failed attempts, and not everybody at once.

    Hardly at all after the first, for an office's messages wait behind one that is refused now and then; from then on
    a second, and twice as long each time.
    """
    pause = FIRST_PAUSE_SECONDS if attempts == 1 else min(2.0 ** min(attempts - 2, 10), LONGEST_PAUSE_SECONDS)
    return pause * (0.8 + 0.4 * random())  # noqa: S311


class Ledger:
    """How far every endpoint has come, written down a little later and together.

    What is repeated after a crash because of it bears the id it had, and is dropped by the receiver.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._places: dict[tuple[str, str], Place] = {}
        self._letters: list[DeadLetter] = []
        self._news = asyncio.Event()
        self._writing = asyncio.Lock()

    def note(self, place: Place, letter: DeadLetter | None = None) -> None:
        """An endpoint has come to a place, and gave a letter up on the way."""
        self._places[place.endpoint, place.office_id] = place
        if letter:
            self._letters.append(letter)
        self._news.set()

    def forget(self, endpoint: str) -> None:
        """Another process tells this endpoint now, and knows better."""
        self._places = {key: place for key, place in self._places.items() if place.endpoint != endpoint}
        self._letters = [letter for letter in self._letters if letter.endpoint != endpoint]

    async def keep_for_ever(self, alive: Callable[[], None]) -> None:
        """Write down what is noted, again and again."""
        while True:
            alive()
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOKED_UP_SECONDS):
                    await self._news.wait()
            try:
                await self.keep()
            except (JournalDown, JournalFull) as error:
                # Nothing is lost: it stays noted, and what is not written is only told once more.
                log.warning("deliveries could not be noted in the journal; trying again", error=str(error))
            except Exception:
                log.exception("the noting of deliveries stumbled and goes on")
            await asyncio.sleep(KEPT_SECONDS)

    async def keep(self) -> None:
        """Write down what is noted."""
        async with self._writing:
            await self._keep()

    async def _keep(self) -> None:
        self._news.clear()
        noted, letters = self._places, self._letters
        self._places, self._letters = {}, []
        if not noted and not letters:
            return
        try:
            await self._engine.ask(lambda journal: keep(journal, noted.values(), letters))
        except BaseException:
            self._places, self._letters = noted | self._places, letters + self._letters
            self._news.set()
            raise


@dataclass(slots=True, eq=False)
class _Lane:
    """One office on the way to one receiver. `at_hand` are messages by seq as they were heard."""

    place: Place
    waiting: deque[Untold] = field(default_factory=deque)
    at_hand: dict[int, Told] = field(default_factory=dict)
    is_moving: bool = False

    @property
    def seen(self) -> int:
        return self.waiting[-1].seq if self.waiting else self.place.seq


class Courier:
    """Everything that one receiver has to be told. On duty only while it is this process's turn."""

    def __init__(self, receiver: Receiver, engine: Engine, ledger: Ledger, counted: Counted, sleep: Sleep) -> None:
        self.name, self.receiver = receiver.name, receiver
        self.is_on_duty = False
        self._engine, self._ledger, self._counted, self._sleep = engine, ledger, counted, sleep
        self._lanes: dict[str, _Lane] = {}
        self._ready: asyncio.Queue[_Lane] = asyncio.Queue()
        self._early: list[Told] | None = None
        self._from_memory: dict[str, asyncio.Task[bool]] = {}
        self._pacing = asyncio.Lock()
        self._next_at = 0.0
        self._tasks: set[asyncio.Task[Any]] = set()

    async def take_over(self) -> None:
        """Go on where the journal says that the receiver was left."""
        self._early = []
        try:
            standing = await self._engine.ask(lambda journal: places(journal, self.name))
            missed = await self._engine.ask(lambda journal: untold(journal, self.name, self.receiver.kinds, HIDDEN))
        except BaseException:
            self._early = None
            raise
        self._lanes = {place.office_id: _Lane(place) for place in standing}
        self._ready = asyncio.Queue()
        for fact in missed:
            self._wait(fact)
        early, self._early = self._early, None
        self.is_on_duty = True
        for told in early:
            self._add(told)
        for number in range(1, AT_ONCE + 1):
            task = self._engine.lives.keep(f"courier {number} of {self.name}", self._work, 120)
            self._tasks.add(task)

    async def stand_down(self) -> None:
        """Carry nothing more; what was under way may arrive and be told once more."""
        self.is_on_duty = False
        tasks, self._tasks = self._tasks, set()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        self._lanes = {}

    def heard(self, told: Told) -> None:
        """Something was committed."""
        if told.line.kind not in self.receiver.kinds or not self.receiver.wants(told):
            return
        if self._early is not None:
            self._early.append(told)
        elif self.is_on_duty:
            self._add(told)

    def tell_provisional(self, told: Told) -> None:
        """What is not on record is told at once, beside the lanes; so is that it does not stand, where it was told."""
        if not self.is_on_duty or told.line.kind not in self.receiver.kinds or not self.receiver.wants(told):
            return
        if told.stands:
            self._from_memory[told.name] = self._run(self._tell_from_memory(told))
        elif self._was_told(told.name):
            self._run(self._tell_from_memory(told))

    def day_opened(self, line: Recorded) -> None:
        """Whoever has been told of everything is told so far: a start need not search an office's quiet years."""
        if not self.is_on_duty or self._early is not None:
            return
        lane = self._lane(line.office_id)
        if not lane.waiting and lane.place.seq < line.seq:
            lane.place = replace(lane.place, seq=line.seq)
            self._ledger.note(lane.place)

    @property
    def pending(self) -> int:
        """How many messages have not been taken yet."""
        return sum(len(lane.waiting) for lane in self._lanes.values())

    @property
    def oldest(self) -> datetime | None:
        """Since when the oldest of them waits."""
        return min((lane.waiting[0].at for lane in self._lanes.values() if lane.waiting), default=None)

    # On the way

    def _add(self, told: Told) -> None:
        line = told.line
        assert isinstance(line, Recorded)
        lane = self._wait(Untold(office_id=line.office_id, seq=line.seq, at=line.at))
        if lane and told.is_whole and len(lane.at_hand) < AT_HAND:
            lane.at_hand[line.seq] = told

    def _wait(self, fact: Untold) -> _Lane | None:
        """The lane in which it waits now; None when it waits there already, or was told by another process."""
        lane = self._lane(fact.office_id)
        if fact.seq <= lane.seen:
            return None
        lane.waiting.append(fact)
        if not lane.is_moving:
            lane.is_moving = True
            self._ready.put_nowait(lane)
        return lane

    def _lane(self, office_id: str) -> _Lane:
        lane = self._lanes.get(office_id)
        if lane is None:
            lane = self._lanes[office_id] = _Lane(Place(endpoint=self.name, office_id=office_id, seq=0))
        return lane

    async def _work(self, alive: Callable[[], None]) -> None:
        while True:
            alive()
            try:
                async with asyncio.timeout(LOOKED_UP_SECONDS):
                    lane = await self._ready.get()
            except TimeoutError:
                continue
            try:
                await self._carry(lane)
            except asyncio.CancelledError:
                # Whoever goes on in our place must find it.
                self._ready.put_nowait(lane)
                raise
            except (Refusal, JournalDown) as error:
                log.warning("the journal does not answer; a delivery waits", error=str(error))
                self._again(lane, PAUSE_SECONDS)
            except Exception as error:
                # Like an attempt that failed: a message that makes us stumble must not stop those behind it for ever.
                log.exception("a delivery stumbled", endpoint=self.name)
                self._failed(lane, f"{type(error).__name__}: {error}")

    async def _carry(self, lane: _Lane) -> None:
        """The first message of a lane, once."""
        fact = lane.waiting[0]
        told = lane.at_hand.get(fact.seq) or await told_at(self._engine, fact.office_id, fact.seq)
        told = await with_history(self._engine, told, fact.seq) if self.receiver.needs_history else told
        if not self.receiver.wants(told):
            self._moved_on(lane, lane.place.failing_since)
            return
        if self.receiver.forgets and self._has_waited(fact.at):
            self._give_up(lane, "too old to be told when its turn came")
            return
        if self._was_told(told.name) and not self.receiver.hears_twice:
            self._moved_on(lane, None)
            return
        await self._keep_pace()
        try:
            await self.receiver.tell(told)
        except Untaken as untaken:
            self._failed(lane, str(untaken))
        else:
            self._counted("delivered")
            self._moved_on(lane, None)

    async def _tell_from_memory(self, told: Told) -> bool:
        """Whether the receiver took it, before it was too old or on record."""
        attempts = 0
        while not self._has_waited(told.line.at):
            await self._keep_pace()
            try:
                await self.receiver.tell(told)
            except Untaken as untaken:
                attempts += 1
                self._counted("failed")
                log.warning("a message was not taken", endpoint=self.name, id=told.id, attempts=attempts, error=untaken)
                await self._sleep(pause_seconds(attempts))
            else:
                self._counted("delivered")
                return True
        return False

    def _was_told(self, name: str) -> bool:
        """Whether the receiver has taken this from memory; if it is still under way, it is no longer needed."""
        telling = self._from_memory.pop(name, None)
        if telling is None:
            return False
        telling.cancel()
        return telling.done() and not telling.cancelled() and not telling.exception() and telling.result()

    async def _keep_pace(self) -> None:
        now = asyncio.get_running_loop().time
        async with self._pacing:
            await asyncio.sleep(max(0.0, self._next_at - now()))
            self._next_at = now() + PACE_SECONDS

    def _failed(self, lane: _Lane, error: str) -> None:
        self._counted("failed")
        fact, now = lane.waiting[0], self._engine.clock.now()
        attempts, since = lane.place.attempts + 1, lane.place.failing_since or now
        lane.place = replace(lane.place, attempts=attempts, failing_since=since)
        log.warning("a message was not taken", endpoint=self.name, id=_id(fact), attempts=attempts, error=error)
        # From when it could first have been told: neither our own absence nor what stands before it counts.
        if self._has_waited(max(fact.at, since)):
            self._give_up(lane, error)
        else:
            self._ledger.note(lane.place)
            self._again(lane, pause_seconds(attempts))

    def _give_up(self, lane: _Lane, error: str) -> None:
        self._counted("dead")
        fact, attempts = lane.waiting[0], lane.place.attempts
        log.error("a message was given up", endpoint=self.name, id=_id(fact), attempts=attempts, error=error)
        letter = DeadLetter(
            endpoint=self.name,
            office_id=fact.office_id,
            seq=fact.seq,
            failed_at=self._engine.clock.now(),
            attempts=attempts,
            error=error,
        )
        self._moved_on(lane, lane.place.failing_since, letter)

    def _moved_on(self, lane: _Lane, failing_since: datetime | None, letter: DeadLetter | None = None) -> None:
        fact = lane.waiting.popleft()
        lane.at_hand.pop(fact.seq, None)
        lane.place = replace(lane.place, seq=fact.seq, attempts=0, failing_since=failing_since)
        self._ledger.note(lane.place, letter)
        if lane.waiting:
            # Behind the others, so that an office with much to tell does not keep them waiting.
            self._ready.put_nowait(lane)
        else:
            lane.is_moving = False

    def _has_waited(self, since: datetime) -> bool:
        return self._engine.clock.now() - since >= self.receiver.patience

    def _again(self, lane: _Lane, seconds: float) -> None:
        self._run(self._later(lane, seconds))

    async def _later(self, lane: _Lane, seconds: float) -> None:
        await self._sleep(seconds)
        self._ready.put_nowait(lane)

    def _run(self, work: Coroutine[None, None, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _id(fact: Untold) -> str:
    return f"{fact.office_id}/{fact.seq}"
