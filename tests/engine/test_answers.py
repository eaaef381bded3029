"""A retry changes nothing: the same key gets the same answer, whatever has happened since."""

import asyncio
from dataclasses import replace

import pytest

from app.engine import KeyReused
from queue_core.commands import (
    CallChosen,
    CallNext,
    Cancel,
    CloseCounter,
    CloseDay,
    CloseService,
    Command,
    Finish,
    Hold,
    Issue,
    NoShow,
    OpenCounter,
    OpenService,
    PauseCounter,
    Recall,
    Resume,
    ReturnToLine,
    Start,
    Tick,
    Transfer,
    Undo,
    VerifyCategory,
    WithdrawCategory,
)
from queue_core.errors import CounterBusy, CounterIsPaused, StepForbidden
from queue_core.facts import HeldBy
from queue_core.tickets import State
from tests.core.live import NINE
from tests.engine.hall import HandClock, LiveHall, live_hall, outcomes

FIRST, SECOND, THIRD = "20261123-A001", "20261123-A002", "20261123-A003"

A_BUSY_HOUR: tuple[Command, ...] = (
    Issue("passport", category="veteran", further=("cash",)),
    Issue("passport"),
    Issue("passport"),
    CallNext("1"),
    Recall(FIRST),
    VerifyCategory(FIRST),
    WithdrawCategory(FIRST, reason="expired", keep="was next anyway"),
    Start(FIRST),
    Undo("1"),
    Start(FIRST),
    Transfer(FIRST, service="land", come_back=True),
    CallChosen(SECOND, counter="2", reason="is in a hurry"),
    ReturnToLine(SECOND),
    CallNext("2"),
    NoShow(SECOND),
    PauseCounter("2", reason="tea"),
    OpenCounter("2", operator="operator 2"),
    CallNext("1"),
    Hold(THIRD, by=HeldBy.VISITOR),
    Resume(THIRD),
    Cancel(THIRD, reason="too long"),
    CallNext("3"),
    Start(FIRST),
    Finish(FIRST),
    CallNext("3"),
    CloseService("land", reason="no forms"),
    OpenService("land"),
    CloseCounter("2"),
    CloseDay(),
)
"""A bit of everything, in an order in which it can happen."""

PRESSES = [(f"press {number}", command) for number, command in enumerate(A_BUSY_HOUR)]


async def test_every_command_is_answered_the_same_for_ever(address: str, clock: HandClock) -> None:
    async with live_hall(address, clock) as hall:
        await hall.open()
        first = [await hall.wish(command, key=key) for key, command in PRESSES]
        lines = await hall.lines()

        again = [await hall.wish(command, key=key) for key, command in PRESSES]

        assert again == first

    async with live_hall(address, clock) as hall:
        assert [await hall.wish(command, key=key) for key, command in PRESSES] == first
        assert await hall.lines() == lines


async def test_a_ticket_is_answered_as_it_stood_then(hall: LiveHall) -> None:
    issued = await hall.issue(key="kiosk 7, press 31")
    await hall.call()
    await hall.wish(Start(issued.id))
    await hall.wish(Finish(issued.id))

    assert await hall.issue(key="kiosk 7, press 31") == issued
    assert issued.state is State.WAITING


async def test_a_step_that_cannot_be_made_twice_is_answered_twice(hall: LiveHall) -> None:
    await hall.issue()
    ticket = await hall.call(key="call")
    assert ticket

    started = await hall.wish(Start(ticket.id), key="start")

    assert await hall.wish(Start(ticket.id), key="start") == started
    assert await hall.call(key="call") == ticket


async def test_nobody_stays_nobody(hall: LiveHall) -> None:
    assert await hall.call(key="too early") is None

    visitor = await hall.issue()

    assert await hall.call(key="too early") is None
    assert (await hall.call(key="now") or visitor).id == visitor.id


async def test_nobody_stays_nobody_after_a_restart(address: str, clock: HandClock) -> None:
    async with live_hall(address, clock) as hall:
        await hall.open()
        nobody = await hall.wish(CallNext("1"), key="too early")
        await hall.issue()

    async with live_hall(address, clock) as hall:
        assert await hall.wish(CallNext("1"), key="too early") == nobody
        assert nobody.ticket is None


async def test_without_a_key_every_wish_is_a_new_one(hall: LiveHall) -> None:
    assert (await hall.issue()).number == "A001"
    assert (await hall.issue()).number == "A002"


async def test_a_key_used_for_another_command_is_refused_and_nothing_happens(hall: LiveHall) -> None:
    await hall.issue("passport", key="press 1")
    lines = await hall.lines()

    with pytest.raises(KeyReused, match="press 1"):
        await hall.issue("land", key="press 1")
    with pytest.raises(KeyReused):
        await hall.call(key="press 1")
    with pytest.raises(KeyReused):
        await hall.wish(Recall("nobody"), key="press 1")

    assert await hall.lines() == lines


async def test_a_key_is_an_office_own(hall: LiveHall) -> None:
    await hall.issue(key="press 1")
    north = LiveHall(hall.engine, replace(hall.office, id="north"))
    await north.open()

    assert (await north.issue("land", key="press 1")).number == "B001"


async def test_a_refusal_leaves_its_key_free(hall: LiveHall) -> None:
    await hall.issue()
    await hall.wish(PauseCounter("1", reason="tea"))
    with pytest.raises(CounterIsPaused):
        await hall.call(key="call")

    await hall.wish(OpenCounter("1", operator="operator 1"))

    assert await hall.call(key="call")


async def test_a_key_of_a_refused_command_may_go_to_another(hall: LiveHall) -> None:
    with pytest.raises(StepForbidden):
        await hall.wish(Start((await hall.issue()).id), key="press 1")

    assert await hall.call(key="press 1")


async def test_one_key_pressed_many_times_at_once_has_one_effect(hall: LiveHall) -> None:
    tickets = await asyncio.gather(*(hall.issue(key="impatient") for _ in range(20)))

    assert {ticket.number for ticket in tickets} == {"A001"}
    assert (await hall.kinds()).count("Issued") == 1


async def test_one_key_for_two_commands_at_once_serves_the_first(hall: LiveHall) -> None:
    passport, land = await outcomes([hall.issue("passport", key="same"), hall.issue("land", key="same")])

    assert not isinstance(passport, KeyReused)
    assert isinstance(land, KeyReused)
    assert (await hall.kinds()).count("Issued") == 1


async def test_repetitions_and_news_go_through_in_one_batch(hall: LiveHall) -> None:
    first = [await hall.issue(key=f"press {press}") for press in range(5)]

    again = await asyncio.gather(*(hall.issue(key=f"press {press}") for press in range(10)))

    assert list(again[:5]) == first
    assert [ticket.number for ticket in again] == [f"A{number:03d}" for number in range(1, 11)]


async def test_a_refused_repetition_does_not_hide_a_refusal(hall: LiveHall) -> None:
    await hall.issue()
    await hall.issue()
    first = await hall.call(key="call")

    repeated, busy = await outcomes([hall.call(key="call"), hall.call(key="another call")])

    assert repeated == first
    assert isinstance(busy, CounterBusy)


async def test_a_key_is_good_in_every_process(empty_database: str, clock: HandClock) -> None:
    async with live_hall(empty_database, clock) as here, live_hall(empty_database, clock) as there:
        await here.open()
        issued = await here.issue(key="press 1")
        nobody = await here.wish(CallNext("3"), key="press 2")
        await here.issue("cash")

        assert await there.issue(key="press 1") == issued
        assert await there.wish(CallNext("3"), key="press 2") == nobody
        with pytest.raises(KeyReused):
            await there.issue("land", key="press 1")


async def test_one_key_in_two_processes_at_once_has_one_effect(empty_database: str, clock: HandClock) -> None:
    async with live_hall(empty_database, clock) as here, live_hall(empty_database, clock) as there:
        await here.open()

        for press in range(15):
            tickets = await asyncio.gather(
                *(hall.issue(key=f"press {press}") for hall in (here, there) for _ in range(3))
            )
            assert len(set(map(repr, tickets))) == 1

        assert (await here.kinds()).count("Issued") == 15


async def test_keys_are_kept_for_three_days_and_then_forgotten(hall: LiveHall, clock: HandClock) -> None:
    clock.instant = NINE.replace(hour=10)
    issued = await hall.issue(key="monday, ten o'clock")

    for day in (24, 25, 26):
        clock.instant = NINE.replace(day=day)
        await hall.wish(Tick())
        assert await hall.issue(key="monday, ten o'clock") == issued

    clock.instant = NINE.replace(day=27)
    await hall.wish(Tick())

    assert (await hall.issue(key="monday, ten o'clock")).id == "20261127-A001"
