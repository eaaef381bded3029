"""What somebody who listens to an office hears."""

import asyncio
from datetime import UTC, datetime
from random import Random

import pytest
from structlog.testing import capture_logs

from app.watch import Provisional
from queue_core.errors import UnknownOffice
from queue_core.facts import Breached
from queue_core.hall import Hall
from tests.live.conftest import LiveHall


async def test_a_screen_is_sent_the_whole_state_at_once(hall: LiveHall) -> None:
    await hall.issue(2)

    async with hall.listener() as screen:
        event = await screen.event()

    assert event.id == event.data["seq"] == await hall.seq()
    assert event.data["people"] == ["A001:waiting", "A002:waiting"]


async def test_a_screen_is_repainted_when_something_happens(hall: LiveHall) -> None:
    async with hall.listener() as screen:
        before = await screen.event()
        await hall.issue()
        after = await screen.event()

    assert before.data["people"] == []
    assert after.data["people"] == ["A001:waiting"]
    assert after.id == await hall.seq()


async def test_the_answer_says_that_it_is_a_stream_and_is_not_to_be_kept(hall: LiveHall) -> None:
    async with hall.listener() as screen:
        assert screen.status == 200
        assert screen.headers["content-type"] == "text/event-stream"
        assert screen.headers["cache-control"] == "no-store"
        assert screen.headers["x-accel-buffering"] == "no"
        assert (await screen.next()).retry == 2000


async def test_an_unknown_office_has_no_stream(hall: LiveHall) -> None:
    with pytest.raises(UnknownOffice):
        await hall.hub.stream("nowhere")


async def test_nothing_is_painted_when_nobody_looks(hall: LiveHall) -> None:
    await hall.issue(3)
    async with hall.listener("view=facts") as follower:
        await follower.next()
        await hall.issue()
        await follower.event()

    assert hall.painted == 0


async def test_a_busy_office_is_painted_now_and_then_and_always_at_last(hall: LiveHall) -> None:
    hall.listened(pace_seconds=0.3)
    async with hall.listener() as screen:
        await screen.event()
        await asyncio.gather(*(hall.issue(20) for _ in range(10)))
        last = await hall.seq()
        ids = [(await screen.event()).id]
        while ids[-1] != last:
            ids.append((await screen.event()).id)

    assert ids == sorted(set(ids), key=lambda id_: id_ or 0)
    assert hall.painted == 1 + len(ids) < 10


async def test_the_last_state_is_painted_whenever_it_comes(hall: LiveHall) -> None:
    hall.listened(pace_seconds=0.005)
    random = Random(15)
    async with hall.listener() as screen:
        seen = (await screen.event()).id
        for _ in range(60):
            for _ in range(random.randrange(1, 4)):
                await hall.issue()
                await asyncio.sleep(random.choice((0, 0.001, 0.004, 0.006)))
            while seen != await hall.seq():
                seen = (await screen.event()).id


async def test_screens_that_come_together_are_sent_one_painting(hall: LiveHall) -> None:
    hall.listened(pace_seconds=60)
    async with hall.listener() as one, hall.listener() as two:
        assert (await one.event()).raw == (await two.event()).raw

    assert hall.painted == 1


async def test_facts_are_told_one_by_one_as_they_were_written(hall: LiveHall) -> None:
    async with hall.listener("view=facts") as follower:
        await follower.next()
        await hall.issue()
        await hall.call()
        issued, opened, called = await follower.events(3)

    assert [event.data["kind"] for event in (issued, opened, called)] == ["Issued", "CounterOpened", "Called"]
    assert [event.id for event in (issued, opened, called)] == [event.data["seq"] for event in (issued, opened, called)]
    assert issued.data["ticket"] == called.data["ticket"] == called.data["because"]["chosen"]["ticket"]
    assert issued.data["at"] == issued.data["clock_start"]
    assert len(issued.data["at"]) == len("2026-11-23T08:00:00.000Z")


async def test_facts_say_nothing_of_who_asked_or_under_which_key(hall: LiveHall) -> None:
    async with hall.listener("view=facts") as follower:
        await follower.next()
        await hall.issue()
        issued = await follower.event()

    assert list(issued.data)[:3] == ["seq", "at", "kind"]
    assert not {"key", "actor", "hash"} & issued.data.keys()


@pytest.mark.parametrize("view", ["facts", "state"])
async def test_what_is_told_from_memory_is_marked_and_is_no_place_to_come_back_to(hall: LiveHall, view: str) -> None:
    due = datetime(2026, 11, 23, 9, 15, tzinfo=UTC)
    breach = Breached(at=due, ticket="20261123-A001", due=due)
    async with hall.listener(f"view={view}") as listener:
        await (listener.event() if view == "state" else listener.next())
        for stands in (True, False):
            hall.hub.tell_provisional(Provisional("centre", breach, stands=stands), await hall.engine.hall("centre"))
        told = await listener.events(2)

    assert [(event.name, event.id, event.data["stands"]) for event in told] == [
        ("provisional", None, True),
        ("provisional", None, False),
    ]
    assert told[0].data["kind"] == "Breached"
    assert told[0].data["due"] == "2026-11-23T09:15:00.000Z"


async def test_a_visitor_hears_that_something_happened_and_never_what(hall: LiveHall) -> None:
    due = datetime(2026, 11, 23, 9, 15, tzinfo=UTC)
    breach = Breached(at=due, ticket="20261123-A001", due=due)
    async with hall.listener("view=pulse") as visitor:
        await visitor.event()
        hall.hub.tell_provisional(Provisional("centre", breach, stands=True), await hall.engine.hall("centre"))
        await hall.issue()
        told = await visitor.event()

    assert (told.name, told.data) == ("message", {"seq": await hall.seq()})


async def test_a_quiet_stream_beats(hall: LiveHall) -> None:
    hall.listened(heartbeat_seconds=0.05)
    async with hall.listener("view=facts") as follower, hall.listener() as screen:
        await screen.event()
        beats = [await reader.next() for reader in (follower, screen) for _ in range(5)]

    assert [beat.comment for beat in beats].count("") >= 8


async def test_a_listener_that_hangs_up_is_forgotten(hall: LiveHall) -> None:
    async with hall.listener() as screen, hall.listener("view=facts") as follower:
        await screen.event()
        await follower.next()
        assert hall.hub.listeners == 2

    await hall.until_listeners(0)
    painted = hall.painted
    await hall.issue()
    assert hall.painted == painted


async def test_a_screen_is_cut_off_rather_than_left_with_an_old_state(
    hall: LiveHall, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with hall.listener() as screen:
        await screen.event()
        monkeypatch.setattr(Hall, "people", lambda _hall: 1 / 0)
        with capture_logs() as logs:
            await hall.issue()
            await screen.rest()

    assert screen.is_complete
    assert [(entry["log_level"], entry["office"]) for entry in logs] == [("error", "centre")]
