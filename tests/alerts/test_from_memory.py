"""While the database is away, people and programs are told from memory, and once it is back nobody is told too much."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

import app.watch
from app.alerts import Plan
from app.journal import JournalDown
from app.watch import Watch
from queue_core.commands import CallNext, OpenCounter
from tests.alerts.receiving import Receiver
from tests.alerts.telling import TellingHalls, telling, webhook
from tests.alerts.test_alertmanagers import PASSPORT, alertmanager, last
from tests.alerts.test_people import person, titles
from tests.engine.hall import HandClock, soon
from tests.engine.proxy import Cut, Proxy, proxy_before

NEAR = "The hall: A001 is near the limit"
OVER = "The hall: A001 waits past the limit"
DOES_NOT_HOLD = "The hall: what was said of A001 does not hold"


@pytest.fixture(autouse=True)
def quick_pulse(monkeypatch: pytest.MonkeyPatch) -> None:
    """The watch looks at the clock often, because it is turned by hand."""
    monkeypatch.setattr(app.watch, "PULSE_SECONDS", 0.02)


@asynccontextmanager
async def an_outage(database: str, clock: HandClock, plan: Plan) -> AsyncIterator[tuple[TellingHalls, Proxy]]:
    """A watched hall in which somebody waits. The database is there until it is told otherwise."""
    async with proxy_before(database) as proxy, telling(proxy.address, clock, plan) as halls:
        watch = Watch(halls.engine)
        watch.subscribe(halls.alerts.tell_provisional)
        await watch.start()
        try:
            await halls.describe("hall")
            await soon(lambda: halls.is_telling)
            await halls.issue()
            yield halls, proxy
        finally:
            await watch.stop()


async def test_a_person_is_told_from_memory_and_not_again(
    empty_database: str, clock: HandClock, receiver: Receiver
) -> None:
    async with an_outage(empty_database, clock, person(receiver, "warned", "operator", "relieved")) as (halls, proxy):
        proxy.go_down()
        clock.wait(minutes=11)
        await soon(lambda: titles(receiver) == [NEAR])
        clock.wait(minutes=5)
        await soon(lambda: titles(receiver) == [NEAR, OVER])
        assert "told from memory" in receiver.taken[0].json["message"]
        assert "1 person waits in the whole office." in receiver.taken[1].json["message"]

        proxy.come_back()
        await soon(lambda: is_recorded(halls, "Escalated"))
        await halls.do(OpenCounter("1", "anna"))
        await halls.called("1")
        await soon(lambda: len(receiver.taken) >= 3)
        await soon(lambda: halls.figure("queue_deliveries_pending") == 0)

    assert titles(receiver) == [NEAR, OVER, "The hall: A001 was called"]


async def test_whoever_could_not_be_reached_in_the_outage_is_told_once_by_the_record(
    empty_database: str, clock: HandClock, receiver: Receiver
) -> None:
    receiver.answer = lambda _body: 500
    async with an_outage(empty_database, clock, person(receiver, "operator")) as (halls, proxy):
        proxy.go_down()
        clock.wait(minutes=16)
        await soon(lambda: len(receiver.posts) >= 3)
        proxy.come_back()
        await soon(lambda: is_recorded(halls, "Escalated"))
        receiver.answer = lambda _body: 200
        await soon(lambda: bool(receiver.taken) and halls.figure("queue_deliveries_pending") == 0)

    assert titles(receiver) == [OVER]


async def test_a_program_is_told_of_both_and_can_tell_them_apart(
    empty_database: str, clock: HandClock, receiver: Receiver
) -> None:
    async with an_outage(empty_database, clock, Plan(webhooks=(webhook(receiver.url),))) as (halls, proxy):
        proxy.go_down()
        clock.wait(minutes=16)
        await soon(lambda: len(receiver.taken) == 1)
        proxy.come_back()
        await soon(lambda: len(receiver.taken) == 2)
        recorded = await halls.ids()

    provisional, breached = (post.json for post in receiver.taken)
    assert (provisional["type"], breached["type"]) == ("fifteen.Provisional", "fifteen.Breached")
    assert (provisional["data"]["kind"], provisional["data"]["stands"]) == ("Breached", True)
    assert same_breach(provisional) == same_breach(breached)
    assert "seq" not in provisional["data"]
    assert [breached["id"]] == recorded
    assert provisional["id"].startswith("hall/Breached/20261123-A001/")
    assert receiver.ids == [provisional["id"], breached["id"]]


async def test_what_does_not_stand_is_taken_back_where_it_was_told(
    empty_database: str, clock: HandClock, receiver: Receiver
) -> None:
    people = person(receiver, "operator").people
    plan = Plan(webhooks=(webhook(receiver.url),), people=people, alertmanagers=(alertmanager(receiver.url),))
    async with an_outage(empty_database, clock, plan) as (halls, proxy):
        await halls.do(OpenCounter("1", "anna"))
        proxy.cut(Cut.AFTER_THE_COMMIT, and_go_down=True)
        calling = asyncio.create_task(halls.do(CallNext("1")))
        await soon(lambda: proxy.has_cut)
        clock.wait(minutes=16)
        await soon(lambda: len(receiver.taken) == 3)
        proxy.come_back()
        await calling
        await soon(lambda: len(receiver.taken) == 6)
        assert not await is_recorded(halls, "Breached")

    assert [post.json["title"] for post in receiver.taken if post.path == "/anna"] == [OVER, DOES_NOT_HOLD]
    [alert], [over] = (post.json for post in receiver.taken if post.path == "/api/v2/alerts")
    assert ("endsAt" in alert, "endsAt" in over) == (False, True)
    events = [post.json for post in receiver.taken if post.path == "/"]
    assert [event["data"]["stands"] for event in events] == [True, False]
    assert events[1]["id"] == f"{events[0]['id']}/withdrawn"


async def test_an_alertmanager_is_told_without_the_record_and_lasts_through_it(
    empty_database: str, clock: HandClock, receiver: Receiver
) -> None:
    async with an_outage(empty_database, clock, Plan(alertmanagers=(alertmanager(receiver.url),))) as (halls, proxy):
        proxy.go_down()
        clock.wait(minutes=16)
        await soon(lambda: len(receiver.taken) == 1)
        assert last(receiver)["labels"] == PASSPORT
        assert last(receiver)["startsAt"] == "2026-11-23T09:15:00.000Z"
        proxy.come_back()
        await soon(lambda: is_recorded(halls, "Breached"))
        assert not any("endsAt" in alert for post in receiver.taken for alert in post.json)
        await halls.do(OpenCounter("1", "anna"))
        await halls.called("1")
        await soon(lambda: "endsAt" in last(receiver))


async def is_recorded(halls: TellingHalls, kind: str) -> bool:
    """Whether the journal has such a fact, as soon as it can be asked."""
    try:
        return kind in [line.kind for line in await halls.lines("hall")]
    except JournalDown:
        return False


def same_breach(event: dict[str, Any]) -> dict[str, Any]:
    """What both tellings of a breach must agree in."""
    return {name: event["data"][name] for name in ("office", "ticket", "due", "number", "service", "limit_seconds")}
