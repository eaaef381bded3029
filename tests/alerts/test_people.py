"""People are told what concerns them, when it does, once, in their language."""

from dataclasses import replace
from datetime import time
from typing import Any

import pytest

from app.alerts import Plan
from app.alerts.plan import PersonEntry
from queue_core.commands import OpenCounter
from queue_core.office import Opening
from tests.alerts.receiving import HANG, Receiver
from tests.alerts.telling import telling
from tests.engine.hall import HandClock, soon

WEEKEND = tuple(Opening(weekday=weekday, opens=time(), closes=time()) for weekday in (5, 6))
MONDAY_MORNING = (Opening(weekday=0, opens=time(9), closes=time(9, 30)),)


def person(receiver: Receiver, *steps: str, **changes: Any) -> Plan:
    """A person whose messages come to the receiver, by the path of their name."""
    entry = PersonEntry(
        name="anna",
        offices=frozenset(),
        timeout_seconds=5,
        to=f"{receiver.url.replace('http', 'json')}/anna",
        steps=frozenset(steps),
        hours=None,
        language="en",
        give_up_after_minutes=60,
    )
    return Plan(people=(replace(entry, **changes),))


def titles(receiver: Receiver) -> list[str]:
    return [post.json["title"] for post in receiver.taken]


async def test_each_step_is_told_once_to_whom_it_concerns(address: str, clock: HandClock, receiver: Receiver) -> None:
    async with telling(address, clock, person(receiver, "warned", "administrator", "relieved")) as halls:
        await halls.describe("hall")
        await soon(lambda: halls.is_telling)
        await halls.issue()
        for _ in range(25):
            clock.wait(minutes=1)
            await halls.look()
        await halls.do(OpenCounter("1", "anna"))
        await halls.called("1")
        await soon(lambda: len(receiver.taken) == 3)

    assert titles(receiver) == [
        "The hall: A001 is near the limit",
        "The hall: A001 still waits past the limit",
        "The hall: A001 was called",
    ]
    assert receiver.posts[0].path == "/anna"


async def test_that_it_is_over_is_told_to_whoever_heard_of_it(
    address: str, clock: HandClock, receiver: Receiver
) -> None:
    async with telling(address, clock, person(receiver, "director", "relieved")) as halls:
        await halls.describe("hall")
        await soon(lambda: halls.is_telling)
        await halls.breach()
        await halls.do(OpenCounter("1", "anna"))
        await halls.called("1")
        await halls.issue()
        clock.wait(minutes=26)
        await halls.look()
        await soon(lambda: len(receiver.taken) == 1)

    assert titles(receiver) == ["The hall: A002 still waits past the limit"]


async def test_nobody_is_told_outside_their_hours(address: str, clock: HandClock, receiver: Receiver) -> None:
    plan = Plan(
        people=(
            *person(receiver, "operator", name="weekend", hours=WEEKEND).people,
            *person(receiver, "operator", hours=MONDAY_MORNING, to=f"{receiver.url.replace('http', 'json')}/m").people,
        )
    )
    async with telling(address, clock, plan) as halls:
        await halls.describe("hall")
        await soon(lambda: halls.is_telling)
        await halls.breach()
        clock.wait(minutes=20)
        await halls.breach()
        await soon(lambda: len(receiver.taken) > 0 and halls.figure("queue_deliveries_pending") == 0)

    assert [post.path for post in receiver.posts] == ["/m"]
    assert titles(receiver) == ["The hall: A001 waits past the limit"]


@pytest.mark.parametrize("status", [500, HANG])
async def test_a_message_that_was_not_taken_is_sent_again(
    address: str, clock: HandClock, receiver: Receiver, status: int
) -> None:
    async with telling(address, clock, person(receiver, "operator", timeout_seconds=1)) as halls:
        await halls.describe("hall")
        await soon(lambda: halls.is_telling)
        receiver.answer = lambda _body: status if len(receiver.posts) < 2 else 200
        await halls.breach()
        await soon(lambda: len(receiver.taken) == 1)

        assert halls.figure("queue_deliveries_total", result="failed") == 2


async def test_nobody_is_told_of_what_is_long_over(address: str, clock: HandClock, receiver: Receiver) -> None:
    plan = person(receiver, "operator")
    async with telling(address, clock, plan) as halls:
        await halls.describe("hall")
        await soon(lambda: halls.is_telling)
    async with telling(address, clock, Plan()) as halls:
        await halls.breach()
        clock.wait(hours=2)
        await halls.breach()

    async with telling(address, clock, plan) as halls:
        await soon(lambda: len(receiver.taken) == 1)
        await soon(lambda: halls.figure("queue_deliveries_pending") == 0)

        assert titles(receiver) == ["The hall: A002 waits past the limit"]
        assert halls.figure("queue_deliveries_total", result="dead") == 1
        await soon(halls.has_dead_letters)
        [letter] = await halls.dead_letters()
        assert letter.error == "too old to be told when its turn came"
        assert await halls.alerts.redeliver("anna", "hall", letter.seq) is None
        assert titles(receiver)[1:] == ["The hall: A001 waits past the limit"]


async def test_a_message_is_in_the_language_of_whom_it_is_for(
    address: str, clock: HandClock, receiver: Receiver
) -> None:
    async with telling(address, clock, person(receiver, "operator", language="ru")) as halls:
        await halls.describe("hall")
        await soon(lambda: halls.is_telling)
        await halls.breach()
        await soon(lambda: len(receiver.taken) == 1)

    assert titles(receiver) == ["The hall: A001 ждёт дольше норматива"]
