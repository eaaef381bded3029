"""A visit step by step, as evidence for its visitor: what happened, when, and the line of the journal that says so."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from typing import Any, assert_never

from typing_extensions import TypedDict

from app.journal import Recorded
from app.web.models import Moment, Words
from app.web.plain import instant, instant_or_none
from queue_core.facts import (
    Absent,
    Acknowledged,
    Announced,
    Breached,
    Called,
    CategoryVerified,
    CategoryWithdrawn,
    ClaimVerified,
    Escalated,
    Fact,
    Held,
    HeldBy,
    Issued,
    Left,
    Missed,
    Move,
    MovedOn,
    Rated,
    Readmitted,
    Recalled,
    Relieved,
    Resumed,
    Returned,
    Served,
    Started,
    Told,
    Transferred,
    Undone,
    Unserved,
    Warned,
)
from queue_core.hall import Hall
from queue_core.office import Category, Counter, Service


class What(StrEnum):
    """What can be told to a visitor of the own visit."""

    ISSUED = "issued"
    CALLED = "called"
    CALLED_AGAIN = "called_again"
    SHOWN = "shown"
    SPOKEN = "spoken"
    STARTED = "started"
    SERVED = "served"
    MOVED_ON = "moved_on"
    MISSED = "missed"
    ABSENT = "absent"
    READMITTED = "readmitted"
    RETURNED = "returned"
    STEPPED_ASIDE = "stepped_aside"
    HELD = "held"
    RESUMED = "resumed"
    TRANSFERRED = "transferred"
    LEFT = "left"
    UNSERVED = "unserved"
    OVER_LIMIT = "over_limit"
    ANSWERED_FOR = "answered_for"
    CATEGORY_VERIFIED = "category_verified"
    CATEGORY_WITHDRAWN = "category_withdrawn"
    CLAIM_VERIFIED = "claim_verified"
    RATED = "rated"
    TAKEN_BACK = "taken_back"


class NamedOut(TypedDict):
    """A service, a counter or a category as the office names it."""

    id: str
    name: Words


class StepOut(TypedDict):
    """A step of the visit as it stands in the journal: `seq` and `hash` are its line there, `at` when it came true."""

    seq: int
    at: Moment
    what: What
    counter: NamedOut | None
    service: NamedOut | None
    until: Moment | None
    hash: str


def timeline(hall: Hall, history: Iterable[Recorded]) -> Iterator[StepOut]:
    """A visit step by step, without what is the office's own matter."""
    for line in history:
        step = _step(line.fact)
        if step:
            what, at, places = step
            counter, service, until = places.get("counter"), places.get("service"), places.get("until")
            yield {
                "seq": line.seq,
                "at": instant(at),
                "what": what,
                "counter": counter_out(hall, counter) if counter else None,
                "service": service_out(hall, service) if service else None,
                "until": instant_or_none(until),
                "hash": line.hash.hex(),
            }


def _step(fact: Fact) -> tuple[What, datetime, dict[str, Any]] | None:
    """What a fact is to its visitor, when it came true, and where it leads; None when it is the office's own matter."""
    assert isinstance(fact, Issued | Move | Undone), "a history holds its ticket's facts"
    match fact:
        case Issued(service=service):
            return What.ISSUED, fact.at, {"service": service}
        case Called(counter=counter):
            return What.CALLED, fact.at, {"counter": counter}
        case Recalled():
            return What.CALLED_AGAIN, fact.at, {}
        case Announced(how=how):
            return (What.SHOWN if how is Told.SHOWN else What.SPOKEN), fact.at, {}
        case Started():
            return What.STARTED, fact.at, {}
        case Served():
            return What.SERVED, fact.at, {}
        case MovedOn(stop=stop):
            return What.MOVED_ON, fact.at, {"service": stop.service, "counter": stop.counter}
        case Missed(since=since):
            return What.MISSED, since or fact.at, {}
        case Absent(until=until):
            return What.ABSENT, fact.at, {"until": until}
        case Readmitted():
            return What.READMITTED, fact.at, {}
        case Returned():
            return What.RETURNED, fact.at, {}
        case Held(by=by, until=until):
            return (What.STEPPED_ASIDE if by is HeldBy.VISITOR else What.HELD), fact.at, {"until": until}
        case Resumed(since=since):
            return What.RESUMED, since, {}
        case Transferred(to=to):
            return What.TRANSFERRED, fact.at, {"service": to.service, "counter": to.counter}
        case Left():
            return What.LEFT, fact.at, {}
        case Unserved(since=since):
            return What.UNSERVED, since, {}
        case Breached(due=due):
            return What.OVER_LIMIT, due, {}
        case Acknowledged():
            return What.ANSWERED_FOR, fact.at, {}
        case CategoryVerified():
            return What.CATEGORY_VERIFIED, fact.at, {}
        case CategoryWithdrawn():
            return What.CATEGORY_WITHDRAWN, fact.at, {}
        case ClaimVerified():
            return What.CLAIM_VERIFIED, fact.at, {}
        case Rated():
            return What.RATED, fact.at, {}
        case Undone(counter=counter):
            return What.TAKEN_BACK, fact.at, {"counter": counter}
        case Warned() | Escalated() | Relieved():
            return None
        case unknown:
            assert_never(unknown)


def service_out(hall: Hall, name: str) -> NamedOut:
    """A service by its id."""
    return named_out(hall, name, hall.office.service(name))


def counter_out(hall: Hall, name: str) -> NamedOut:
    """A counter by its id."""
    return named_out(hall, name, hall.office.counter(name))


def named_out(hall: Hall, name: str, found: Service | Counter | Category | None) -> NamedOut:
    """Something of the office; what an old visit went to may not be there any more."""
    return {"id": name, "name": dict(found.name) if found else dict.fromkeys(hall.office.languages, name)}
