"""Every figure, at many moments of a random day, against what the journal's facts come to when counted one by one."""

import math
from collections import Counter as Count
from collections import defaultdict
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product
from random import Random

import pytest

from app.journal import Journal, Recorded
from queue_core.commands import CloseDay, OpenDay
from queue_core.errors import Refusal
from queue_core.facts import (
    Breached,
    Called,
    CounterClosed,
    CounterOpened,
    CounterPaused,
    Fact,
    Issued,
    Left,
    MovedOn,
    Outcome,
    Served,
    Started,
    TicketFact,
    Transferred,
    Undone,
    Unserved,
)
from queue_core.tallies import EDGES
from queue_core.tickets import STEPS
from tests.core.live import AROUND_THE_CLOCK, OFFICE
from tests.core.stories import Wish, command_of
from tests.metrics.conftest import PROMETHEUS, ScrapedHalls
from tests.proof.visits import Visit

HALL = replace(OFFICE, hours=AROUND_THE_CLOCK)
SERVICES = [service.id for service in HALL.services]
CHANNELS = ("walk_in", "booked")
WISHES = (
    *("look", "issue", "issue", "issue", "book", "book", "claim", "several", "several"),
    *("work",) * 10,
    *("call", "choose", "recall", "start", "finish", "no_show", "undo", "undo", "undo"),
    *("send_back", "transfer", "transfer", "hold", "leave_for_a_while", "resume", "resume", "cancel"),
    *("open_counter", "pause", "close_counter"),
)
"""What people wish on a day on which the office stays as it is."""

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.mark.parametrize("seed", [15, 900])
async def test_every_figure_is_what_the_facts_come_to(halls: ScrapedHalls, seed: int) -> None:
    random = Random(seed)
    await halls.describe(HALL)

    for number in range(1, 601):
        await live_on(halls, random)
        if number == 300:
            await halls.do(CloseDay(), HALL.id)
            await halls.do(OpenDay(), HALL.id)
        if number % 40 == 0:
            facts = await halls.engine.ask(all_facts)
            expected = Recount(facts).series(halls.clock.now())
            for headers in ({}, PROMETHEUS):
                scrape = await halls.scrape(headers)
                told = {key: value for key, value in scrape.series.items() if ("office", HALL.id) in key[1]}
                assert told == pytest.approx(expected, rel=0, abs=0.001), f"seed {seed}, after {number} wishes"

    kinds = {fact.kind for fact in facts}
    assert kinds >= {"Breached", "Undone", "Transferred", "Held", "MovedOn", "Unserved", "Missed", "Left"}, seed


async def live_on(halls: ScrapedHalls, random: Random) -> None:
    """Somebody wishes something, whatever comes of it."""
    after = timedelta(seconds=random.choice((0, 1, 2, 5, 10, 30, 60, 300)))
    wish = Wish(random.choice(WISHES), random.randrange(16), random.randrange(3), random.randrange(8), after)
    halls.clock.instant += wish.after
    command = command_of(wish, await halls.engine.hall(HALL.id), halls.clock.now())
    with suppress(Refusal):
        await halls.do(command, HALL.id)


def all_facts(journal: Journal) -> list[Recorded]:
    """Everything that happened in the hall."""
    return journal.facts_after(HALL.id, 0)


class Recount:
    """The figures counted from facts, with visits as the second opinion has them."""

    def __init__(self, facts: list[Recorded]) -> None:
        self.visits: dict[str, Visit] = {}
        self.services: dict[str, str] = {}
        self.services_before_step: dict[str, str] = {}
        self.started: dict[str, datetime] = {}
        self.issued = Count[tuple[str, ...]]()
        self.breached = Count[tuple[str, ...]]()
        self.met = Count[tuple[str, ...]]()
        self.waits: defaultdict[tuple[str, ...], list[float]] = defaultdict(list)
        self.served: defaultdict[tuple[str, ...], list[float]] = defaultdict(list)
        self.counters = {counter.id: "closed" for counter in HALL.counters}
        self._told: set[str] = set()
        for line in facts:
            self._happened(line.fact)

    def series(self, now: datetime) -> Series:
        """Everything that a scrape should tell."""
        series: Series = {}

        def tell(name: str, value: float, **labels: str) -> None:
            series[name, frozenset({"office": HALL.id, **labels}.items())] = value

        for service, channel in product(SERVICES, CHANNELS):
            of = {"service": service, "channel": channel}
            tell("queue_tickets_issued_total", self.issued[service, channel], **of)
            tell("queue_wait_breaches_total", self.breached[service, channel], **of)
            tell("queue_wait_limit_outcomes_total", self.breached[service, channel], result="breached", **of)
            tell("queue_wait_limit_outcomes_total", self.met[service, channel], result="met", **of)
        for service in SERVICES:
            began, dues = self._waiting(service, now)
            tell("queue_tickets_waiting", len(began), service=service)
            tell("queue_oldest_ticket_timestamp_seconds", min(began, default=math.inf), service=service)
            tell("queue_earliest_due_timestamp_seconds", min(dues, default=math.inf), service=service)
            tell("queue_tickets_over_limit", sum(due <= now.timestamp() for due in dues), service=service)
        for state in ("open", "serving", "paused", "closed"):
            tell("queue_counters", sum(self._state(counter) == state for counter in self.counters), state=state)
        for channel, outcome in product(CHANNELS, ("called", "left", "unserved")):
            for name, value, le in histogram("queue_wait_seconds", self.waits[channel, outcome]):
                tell(name, value, channel=channel, outcome=outcome, **le)
        for ended in Outcome:
            for name, value, le in histogram("queue_service_seconds", self.served[ended.value,]):
                tell(name, value, outcome=ended.value, **le)
        return series

    def _happened(self, fact: Fact) -> None:
        match fact:
            case CounterOpened(counter=counter):
                self.counters[counter] = "open"
            case CounterPaused(counter=counter):
                self.counters[counter] = "paused"
            case CounterClosed(counter=counter):
                self.counters[counter] = "closed"
            case Issued():
                self.visits[fact.ticket] = Visit(fact)
                self.services[fact.ticket] = fact.service
                self.issued[fact.service, fact.channel] += 1
            case TicketFact():
                self._moved(fact, self.visits[fact.ticket])
            case _:
                pass

    def _moved(self, fact: TicketFact, visit: Visit) -> None:
        visit.happened(fact)
        name, channel = fact.ticket, visit.issued.channel
        if type(fact) in STEPS:
            self.services_before_step[name] = self.services[name]
        match fact:
            case Breached():
                self.breached[self.services[name], channel] += 1
            case Called(at=at):
                if name not in self._told and not visit.breaches:
                    self.met[self.services[name], channel] += 1
                self._wait_ended(name, "called", at)
            case Left(at=at):
                self._wait_ended(name, "left", at)
            case Unserved(since=since):
                self._wait_ended(name, "unserved", since)
            case Started(at=at):
                self.started[name] = at
            case Served(at=at, outcome=outcome):
                self.served[outcome.value,].append((at - self.started[name]).total_seconds())
            case MovedOn(at=at, outcome=outcome, stop=stop):
                self.served[outcome.value,].append((at - self.started[name]).total_seconds())
                self.services[name] = stop.service
            case Transferred(to=to):
                self.services[name] = to.service
            case Undone():
                self.services[name] = self.services_before_step[name]
            case _:
                pass

    def _wait_ended(self, name: str, outcome: str, at: datetime) -> None:
        """Each visit's wait is told once, however often it is called."""
        if name not in self._told:
            self._told.add(name)
            visit = self.visits[name]
            self.waits[visit.issued.channel, outcome].append(visit.waited(at).total_seconds())

    def _waiting(self, service: str, now: datetime) -> tuple[list[float], list[float]]:
        """When the waits for a service began, taken as unbroken, and when their limits pass."""
        began, dues = [], []
        for name, visit in self.visits.items():
            if self.services[name] == service and visit.stretches and visit.stretches[-1][1] is None:
                start = visit.stretches[-1][0]
                moment = max(now, start)
                began.append((moment - visit.waited(moment)).timestamp())
                dues.append(began[-1] + visit.limit.total_seconds())
        return began, dues

    def _state(self, counter: str) -> str:
        busy = any(visit.at_counter and visit.counter == counter for visit in self.visits.values())
        return "serving" if busy else self.counters[counter]


def histogram(name: str, seconds: list[float]) -> list[tuple[str, float, dict[str, str]]]:
    """The samples of a histogram of these observations."""
    buckets = [(f"{name}_bucket", float(sum(one <= edge for one in seconds)), {"le": str(edge)}) for edge in EDGES]
    total = float(len(seconds))
    return [
        *buckets,
        (f"{name}_bucket", total, {"le": "+Inf"}),
        (f"{name}_sum", sum(seconds), {}),
        (f"{name}_count", total, {}),
    ]
