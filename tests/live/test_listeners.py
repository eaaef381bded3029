"""Many who listen, some who do not read, and the end for all of them."""

import asyncio
import gc
import time
from contextlib import AsyncExitStack

import pytest
from starlette.responses import Response

from tests.live.conftest import LiveHall


async def test_a_thousand_listeners_are_sent_the_same_bytes(hall: LiveHall) -> None:
    async with AsyncExitStack() as stack:
        followers = [await stack.enter_async_context(hall.listener("view=facts")) for _ in range(1_000)]
        await hall.until_listeners(1_000)
        await hall.issue(3)
        heard = [[event.raw for event in await follower.events(3)] for follower in followers]

    assert all(events == heard[0] for events in heard)


async def test_who_has_left_leaves_nothing_behind(hall: LiveHall) -> None:
    before = streams_in_memory()
    async with AsyncExitStack() as stack:
        for view in ("state", "facts") * 10:
            reader = await stack.enter_async_context(hall.listener(f"view={view}"))
            await reader.next()
    await hall.until_listeners(0)
    await hall.issue()

    assert streams_in_memory() == before


async def test_a_follower_that_does_not_read_is_let_go_and_resumes_later(hall: LiveHall) -> None:
    hall.listened(buffer_bytes=64 * 1024)
    begin = await hall.seq()
    deaf = await hall.somebody_deaf("view=facts")
    async with hall.listener("view=facts") as follower:
        await hall.until_listeners(2)
        for _ in range(40):
            if hall.hub.listeners == 1:
                break
            seq = await hall.seq()
            await asyncio.gather(*(hall.issue() for _ in range(250)))
            await follower.events(await hall.seq() - seq)

    got = [event.id for event in await deaf.rest() if event.data]
    async with hall.listener("view=facts", **{"Last-Event-ID": str(got[-1])}) as again:
        got += [event.id for event in await again.events(await hall.seq() - begin - len(got))]

    deaf.hang_up()
    assert not deaf.is_complete, "nobody let it go"
    assert got == list(range(begin + 1, await hall.seq() + 1))


async def test_many_who_do_not_read_are_bounded_together(hall: LiveHall) -> None:
    hall.listened(buffer_bytes=10_000_000, all_buffers_bytes=400_000)
    deaf = [await hall.somebody_deaf("view=facts") for _ in range(10)]
    async with hall.listener("view=facts") as follower:
        await hall.until_listeners(11)
        for _ in range(300):
            if hall.hub.listeners == 1:
                break
            seq = await hall.seq()
            await asyncio.gather(*(hall.issue() for _ in range(40)))
            await follower.events(await hall.seq() - seq)
            assert hall.hub.buffered_bytes <= 400_000
        await hall.until_listeners(1)

    for somebody in deaf:
        somebody.hang_up()
    await hall.until_listeners(0)
    assert hall.hub.registry.get_sample_value("queue_streams_dropped_total", {"reason": "memory"}) == 10
    assert hall.hub.buffered_bytes == 0


@pytest.mark.timed
async def test_a_screen_that_does_not_read_is_let_go_at_the_second_heartbeat(hall: LiveHall) -> None:
    hall.wallpaper = b" " * 8_000_000
    hall.listened(heartbeat_seconds=0.3)
    deaf = await hall.somebody_deaf()
    await hall.until_listeners(1)

    await hall.issue()
    began = time.monotonic()
    await hall.until_listeners(0)

    assert time.monotonic() - began < 3
    deaf.hang_up()


@pytest.mark.timed
async def test_streams_end_with_a_goodbye_when_the_server_stops(hall: LiveHall) -> None:
    async with AsyncExitStack() as stack:
        queries = ["view=state", "view=facts"] * 5
        readers = [await stack.enter_async_context(hall.listener(query)) for query in queries]
        await hall.until_listeners(10)

        began = time.monotonic()
        await hall.server.end()
        took = time.monotonic() - began
        last = [(await reader.rest())[-1] for reader in readers]

    assert took < 2
    assert all(reader.is_complete for reader in readers)
    assert len({event.retry for event in last}) == 10


@pytest.mark.timed
async def test_a_listener_that_does_not_read_is_not_waited_for_long(hall: LiveHall) -> None:
    hall.wallpaper = b" " * 8_000_000
    deaf = await hall.somebody_deaf()
    await hall.until_listeners(1)

    hall.hub.stop()
    began = time.monotonic()
    await hall.until_listeners(0)

    assert time.monotonic() - began < 3
    deaf.hang_up()


@pytest.mark.parametrize("view", ["state", "facts"])
async def test_who_comes_when_the_server_stops_is_sent_away_at_once(hall: LiveHall, view: str) -> None:
    hall.hub.stop()

    async with hall.listener(f"view={view}") as late:
        events = await late.rest()

    assert late.is_complete
    assert events[-1].retry


async def test_what_was_said_before_the_end_is_still_sent(hall: LiveHall) -> None:
    async with hall.listener("view=facts") as follower:
        await follower.events(0)
        await hall.until_listeners(1)
        await hall.issue()
        hall.hub.stop()
        events = await follower.rest()

    assert [event.data["kind"] for event in events if event.data] == ["Issued"]


async def test_a_slow_reader_too_hears_everything_before_the_goodbye(hall: LiveHall) -> None:
    begin = await hall.seq()
    slow = await hall.somebody_deaf("view=facts")
    await hall.until_listeners(1)
    for _ in range(5):
        await asyncio.gather(*(hall.issue() for _ in range(250)))
    hall.hub.stop()

    events = await slow.rest()
    slow.hang_up()

    assert [event.id for event in events if event.data] == list(range(begin + 1, begin + 1251))
    assert events[-1].retry


def streams_in_memory() -> int:
    """How many responses of any kind there are."""
    gc.collect()
    return sum(isinstance(thing, Response) for thing in gc.get_objects())
