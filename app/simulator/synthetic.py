"""A day drawn at random from a seed: the same office and seed give the same day.

Where figures come from: 30 % booked, 3 % of those called not coming, the peak from 10 to 13 and the service minutes are
assumptions that the centres' own reports make plausible; log-normal service times with a coefficient of variation near
0.7 are what such counters show. The rarer turns (transfers, holds, returns, people who leave) are there so that every
kind of step happens on every day.
"""

import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from app.simulator.places import Place, Stretch
from app.simulator.visits import Break, Day, Turn, Visit

VISITS_PER_COUNTER_HOUR = 2.5
VARIATION = 0.7
BOOKED = 0.30
LATE_FOR_SLOT = 0.15
OUT_OF_TURN = 0.04
NOT_ENTITLED = 0.10
SEVERAL_SERVICES = 0.03
IMPATIENT = 0.06
SLOT = timedelta(minutes=10)
LAST_TICKET_BEFORE_CLOSING = timedelta(minutes=15)

TURNS = {
    Turn.NO_SHOW: 0.03,
    Turn.TRANSFER: 0.03,
    Turn.HOLD_BY_VISITOR: 0.015,
    Turn.HOLD_BY_OFFICE: 0.005,
    Turn.RETURN: 0.005,
}

RUSH = {8: 0.7, 9: 0.9, 10: 1.5, 11: 1.6, 12: 1.4, 13: 1.0, 14: 0.9, 15: 0.9, 16: 0.9, 17: 0.8, 18: 0.7, 19: 0.5}
"""How busy each hour of the day is, relative to the others."""

QUIET = 0.5

WORK = {
    "result": (4, 25),
    "advice": (7, 20),
    "certificates": (8, 14),
    "registration": (15, 12),
    "passport": (16, 12),
    "benefits": (18, 9),
    "cadastre": (30, 4),
    "property": (32, 4),
}
"""Mean service minutes and share of the visitors, by the example office's services."""

OTHER_WORK = ((4, 12), (7, 12), (12, 12), (18, 12))
"""The same for services of another office, in turn."""


def synthetic_day(place: Place, stretches: list[Stretch], *, seed: int, visits: int | None = None) -> Day:
    """A day within these opening hours. `visits` is how many are to be expected; else it follows from the counters."""
    random = Random(f"{place.id} {seed}")
    hours = sum((closes - opens).total_seconds() for opens, closes in stretches) / 3600
    expected = visits if visits is not None else VISITS_PER_COUNTER_HOUR * len(place.counters) * hours
    people = tuple(_visit(random, place, at) for at in _arrivals(random, place, stretches, expected))
    breaks = {counter: tuple(_breaks(random, stretches, index)) for index, counter in enumerate(place.counters)}
    return Day(visits=people, breaks=breaks)


def log_normal(random: Random, mean: float, variation: float = VARIATION) -> float:
    """A draw with this mean and coefficient of variation."""
    spread = math.log(1 + variation**2)
    return random.lognormvariate(math.log(mean) - spread / 2, math.sqrt(spread))


def work_of(place: Place) -> dict[str, tuple[int, int]]:
    """Mean minutes and weight of every service of the office."""
    return {
        service: WORK.get(service, OTHER_WORK[index % len(OTHER_WORK)]) for index, service in enumerate(place.services)
    }


def _arrivals(random: Random, place: Place, stretches: list[Stretch], expected: float) -> Iterator[datetime]:
    """A Poisson stream whose rate is constant within each hour."""
    pieces = [piece for stretch in stretches for piece in _pieces(place, stretch)]
    weights = sum(weight * (until - since).total_seconds() for since, until, weight in pieces)
    for since, until, weight in pieces:
        gap_seconds = weights / (weight * expected) if expected else math.inf
        at = since + timedelta(seconds=random.expovariate(1 / gap_seconds))
        while at < until:
            yield at
            at += timedelta(seconds=random.expovariate(1 / gap_seconds))


def _pieces(place: Place, stretch: Stretch) -> Iterator[tuple[datetime, datetime, float]]:
    """The hours of a stretch with their rush. Nobody comes at the very last minute."""
    since, closes = stretch
    last = max(since, closes - LAST_TICKET_BEFORE_CLOSING)
    while since < last:
        local = since.astimezone(place.zone)
        past = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        until = min(last, since + timedelta(hours=1) - past)
        yield since, until, RUSH.get(local.hour, QUIET)
        since = until


def _visit(random: Random, place: Place, at: datetime) -> Visit:
    work = work_of(place)
    service = random.choices(list(work), [weight for _, weight in work.values()])[0]
    turn = random.choices([Turn.NONE, *TURNS], [1 - sum(TURNS.values()), *TURNS.values()])[0]
    others = [other for other in place.services if other != service]
    claims = bool(place.categories) and random.random() < OUT_OF_TURN
    return Visit(
        at=at,
        service=service,
        service_seconds=max(20.0, log_normal(random, work[service][0] * 60)),
        slot=_slot(random, at) if random.random() < BOOKED else None,
        category=random.choice(place.categories) if claims else None,
        entitled=random.random() >= NOT_ENTITLED,
        further=(random.choice(others),) if others and random.random() < SEVERAL_SERVICES else (),
        turn=turn if turn is not Turn.TRANSFER or others else Turn.NONE,
        transfer_to=random.choice(others) if others and turn is Turn.TRANSFER else None,
        patience_seconds=random.uniform(10, 40) * 60 if random.random() < IMPATIENT else None,
    )


def _slot(random: Random, at: datetime) -> datetime:
    """The booked time of somebody who checks in at `at`: mostly a little later, sometimes already past."""
    before = datetime.fromtimestamp(at.timestamp() // SLOT.total_seconds() * SLOT.total_seconds(), at.tzinfo)
    return before if random.random() < LATE_FOR_SLOT else before + SLOT


def _breaks(random: Random, stretches: list[Stretch], index: int) -> Iterator[Break]:
    """A short break every two and a half hours and a lunch in the middle, staggered over the counters."""
    if not stretches:
        return
    opens, closes = stretches[0][0], stretches[-1][1]
    middle = opens + (closes - opens) / 2
    lunch = middle + timedelta(minutes=25 * (index % 5 - 2))
    at = opens + timedelta(minutes=90 + 12 * (index % 6) + random.uniform(0, 10))
    lunch_is_due = closes - opens > timedelta(hours=5)
    while at < closes - timedelta(hours=1):
        if lunch_is_due and at > lunch - timedelta(hours=1):
            yield Break(at=lunch, seconds=random.uniform(25, 35) * 60, reason="lunch")
            lunch_is_due, at = False, lunch
        else:
            yield Break(at=at, seconds=random.uniform(6, 10) * 60, reason="break")
        at += timedelta(minutes=140 + random.uniform(0, 20))
