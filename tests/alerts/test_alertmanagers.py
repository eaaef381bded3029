"""Alertmanager knows who waits past the limit, for as long as it lasts."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.alerts import Plan
from app.alerts.plan import AlertmanagerEntry
from queue_core.commands import CallNext, Cancel, OpenCounter, Undo
from tests.alerts.receiving import Receiver
from tests.alerts.telling import telling
from tests.engine.hall import HandClock, soon
from tests.prometheus.programs import alertmanager as real_alertmanager

PASSPORT = {
    "alertname": "VisitorOverLimit",
    "severity": "critical",
    "office": "hall",
    "service": "passport",
    "channel": "walk_in",
}


def alertmanager(url: str, resend_seconds: float = 60) -> AlertmanagerEntry:
    return AlertmanagerEntry(
        name="alertmanager", offices=frozenset(), timeout_seconds=5, url=url, resend_seconds=resend_seconds
    )


async def test_it_is_told_from_due_to_the_call(address: str, clock: HandClock, receiver: Receiver) -> None:
    async with telling(address, clock, Plan(alertmanagers=(alertmanager(receiver.url),))) as halls:
        await halls.describe("hall")
        await soon(lambda: halls.is_telling)
        await halls.breach()
        await soon(lambda: len(receiver.taken) == 1)

        post = receiver.taken[0]
        assert (post.path, post.headers["content-type"]) == ("/api/v2/alerts", "application/json")
        [alert] = post.json
        assert alert["labels"] == PASSPORT
        assert alert["startsAt"] == "2026-11-23T09:15:00.000Z"
        assert "endsAt" not in alert

        await halls.do(OpenCounter("1", "anna"))
        clock.wait(minutes=1)
        await halls.do(CallNext("1"))
        await soon(lambda: len(receiver.taken) == 2)

        [over] = receiver.taken[1].json
        assert over == alert | {"endsAt": "2026-11-23T09:17:00.000Z", "annotations": over["annotations"]}


async def test_it_lasts_until_the_last_has_been_called_and_begins_anew(
    address: str, clock: HandClock, receiver: Receiver
) -> None:
    async with telling(address, clock, Plan(alertmanagers=(alertmanager(receiver.url),))) as halls:
        await halls.describe("hall")
        await soon(lambda: halls.is_telling)
        await halls.breach(visitors=2)
        await halls.do(OpenCounter("1", "anna"))
        called = await halls.called("1")
        await soon(lambda: bool(receiver.taken))
        await soon(lambda: last(receiver)["annotations"]["summary"] == "hall, passport: 1 past the limit")
        assert "endsAt" not in last(receiver)

        left = next(ticket for ticket in (await halls.hall.now()).tickets if ticket != called)
        await halls.do(Cancel(left, reason=None))
        await soon(lambda: "endsAt" in last(receiver))

        # The call was a slip of the hand: that visitor waits again, past the limit as before.
        await halls.do(Undo("1"))
        await soon(lambda: "endsAt" not in last(receiver))
        assert last(receiver)["startsAt"] == "2026-11-23T09:15:00.000Z"


async def test_it_is_told_again_while_it_lasts_and_after_a_restart(
    address: str, clock: HandClock, receiver: Receiver
) -> None:
    plan = Plan(alertmanagers=(alertmanager(receiver.url, resend_seconds=0.05),))
    async with telling(address, clock, plan) as halls:
        await halls.describe("hall")
        await soon(lambda: halls.is_telling)
        await halls.breach()
        await soon(lambda: len(receiver.taken) > 3)
    before = len(receiver.taken)
    first = receiver.taken[0].json
    async with telling(address, clock, plan) as halls:
        await soon(lambda: len(receiver.taken) > before)

    assert all(post.json == first for post in receiver.taken)


async def test_what_it_did_not_take_is_told_when_it_is_back(address: str, clock: HandClock, receiver: Receiver) -> None:
    async with telling(address, clock, Plan(alertmanagers=(alertmanager(receiver.url),))) as halls:
        await halls.describe("hall")
        await soon(lambda: halls.is_telling)
        await halls.breach()
        await soon(lambda: len(receiver.taken) == 1)
        receiver.answer = lambda _body: 503
        await halls.do(OpenCounter("1", "anna"))
        await halls.do(CallNext("1"))
        await soon(lambda: halls.figure("queue_deliveries_total", result="failed") > 2)
        receiver.answer = lambda _body: 200
        await soon(lambda: len(receiver.taken) == 2)

        assert "endsAt" in last(receiver)


@pytest.mark.needs("prometheus-alertmanager")
async def test_a_real_alertmanager_tells_both_ends(tmp_path: Path, receiver: Receiver) -> None:
    clock = HandClock(datetime.now(UTC) - timedelta(minutes=20))
    with real_alertmanager(tmp_path, receiver.url.removeprefix("http://")) as there:
        plan = Plan(alertmanagers=(alertmanager(f"http://{there}"),))
        async with telling(str(tmp_path / "journal.db"), clock, plan) as halls:
            await halls.describe("hall")
            await soon(lambda: halls.is_telling)
            await halls.breach()
            await soon(lambda: told(receiver) == [("firing", PASSPORT)])

            await halls.do(OpenCounter("1", "anna"))
            await halls.do(CallNext("1"))
            await soon(lambda: told(receiver) == [("firing", PASSPORT), ("resolved", PASSPORT)])


def told(receiver: Receiver) -> list[tuple[str, dict[str, str]]]:
    """What people were told by a real Alertmanager."""
    return [(alert["status"], alert["labels"]) for post in receiver.taken for alert in post.json["alerts"]]


def last(receiver: Receiver) -> dict[str, Any]:
    alert: dict[str, Any] = receiver.taken[-1].json[-1]
    return alert
