"""The simulated hall: what its visitors and operators have in common."""

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any

from app.simulator.places import Place
from app.simulator.server import Server
from app.simulator.synthetic import log_normal, work_of
from app.simulator.visits import Turn, Visit

ENDED = frozenset({"served", "missed", "left", "unserved"})
"""States in which a visit is over."""


@dataclass(slots=True)
class Progress:
    """How far a visit has come. `turn` is what is still to happen, `seconds_left` the service still to be given."""

    visit: Visit
    random: Random
    turn: Turn
    seconds_left: float
    was_called: bool = False

    @classmethod
    def of(cls, visit: Visit, seed: str) -> "Progress":
        """The beginning of a visit."""
        return cls(visit, Random(seed), visit.turn, visit.service_seconds)


@dataclass(slots=True, eq=False)
class SimulatedHall:
    """Who is in the hall, as far as the simulator brought them there."""

    server: Server
    place: Place
    seed: int
    closes_at: datetime
    people: asyncio.TaskGroup
    to_come: int
    in_hall: dict[str, Progress] = field(default_factory=dict)
    issued: list[str] = field(default_factory=list)
    ended: set[str] = field(default_factory=set)
    at_kiosks: int = 0
    _work: dict[str, tuple[int, int]] = field(init=False)
    _idle: dict[str, asyncio.Event] = field(default_factory=dict)
    _going_on: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._work = work_of(self.place)

    def later(self, what: Coroutine[Any, Any, None]) -> None:
        """Have something go on beside the present work, until everybody goes home."""
        task = self.people.create_task(what)
        self._going_on.add(task)
        task.add_done_callback(self._going_on.discard)

    def everybody_goes_home(self) -> None:
        """Whoever still means to do something later does not."""
        for task in self._going_on:
            task.cancel()

    @property
    def is_over(self) -> bool:
        """Whether nobody is left to be served, or it is so late that everybody goes home."""
        return not (self.to_come or self.in_hall) or self.server.clock.now() > self.closes_at

    def came(self, ticket: Mapping[str, Any], visit: Visit) -> None:
        """A visitor has a ticket."""
        progress = Progress.of(visit, f"{self.seed} {len(self.issued)}")
        self.issued.append(ticket["id"])
        self.in_hall[ticket["id"]] = progress
        self.waits(ticket)

    async def progress_of(self, ticket: Mapping[str, Any]) -> Progress:
        """The visitor of a called ticket: one of ours, or a stranger whose needs are drawn now."""
        # A ticket can be called before the kiosk has heard that it was issued.
        patience = 500
        while ticket["id"] not in self.in_hall and self.at_kiosks and patience:
            await asyncio.sleep(0.01)
            patience -= 1
        return self.in_hall.get(ticket["id"]) or self._stranger(ticket)

    def service_seconds(self, service: str, random: Random) -> float:
        """How long a service takes this time."""
        minutes, _ = self._work[service]
        return log_normal(random, minutes * 60)

    def moved(self, ticket: Mapping[str, Any]) -> None:
        """A ticket stands anew: over, or waiting for another operator."""
        if ticket["state"] in ENDED:
            self.in_hall.pop(ticket["id"], None)
            self.ended.add(ticket["id"])
        elif ticket["state"] == "waiting":
            self.waits(ticket)

    def waits(self, ticket: Mapping[str, Any]) -> None:
        """Have one idle operator who can serve this ticket look up."""
        for counter, looks_up in self._idle.items():
            if self._may_serve(counter, ticket) and not looks_up.is_set():
                looks_up.set()
                return

    async def idle(self, counter: str, seconds: float) -> None:
        """An operator waits for somebody to come, and looks at the line anyway after a while."""
        looks_up = self._idle[counter] = asyncio.Event()
        try:
            async with asyncio.timeout(seconds):
                await looks_up.wait()
        except TimeoutError:
            pass
        finally:
            del self._idle[counter]

    def _may_serve(self, counter: str, ticket: Mapping[str, Any]) -> bool:
        return ticket["only_counter"] in (None, counter) and ticket["service"] in self.place.counters[counter]

    def _stranger(self, ticket: Mapping[str, Any]) -> Progress:
        random = Random(f"{self.seed} {ticket['id']}")
        seconds = self.service_seconds(ticket["service"], random)
        visit = Visit(at=self.server.clock.now(), service=ticket["service"], service_seconds=seconds)
        return Progress(visit, random, Turn.NONE, seconds)
