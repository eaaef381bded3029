"""Whoever was cut off comes back to where it was: nothing is missed, and nothing comes twice."""

import asyncio
from random import Random

import pytest

from app.live import PAGE
from tests.live.conftest import LiveHall, live_hall
from tests.postgres import postgres_server


async def test_a_follower_goes_on_after_the_last_fact_it_has(hall: LiveHall) -> None:
    await hall.issue(5)
    last = await hall.seq()

    async with hall.listener(f"view=facts&after={last - 3}") as follower:
        missed = await follower.events(3)
        await hall.issue()
        live = await follower.event()

    assert [event.id for event in [*missed, live]] == [last - 2, last - 1, last, last + 1]


async def test_many_who_were_cut_off_at_different_places_are_told_all_that_follows(hall: LiveHall) -> None:
    await hall.issue(3 * PAGE)
    last = await hall.seq()
    places = [0, 0, 1, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE, last - 1, last, 0]

    async def missed(after: int) -> list[int | None]:
        async with hall.listener(f"view=facts&after={after}") as follower:
            return [event.id for event in await follower.events(last - after)]

    heard = await asyncio.gather(*map(missed, places))

    assert heard == [[*range(after + 1, last + 1)] for after in places]


async def test_what_a_browser_remembers_counts_more_than_its_old_address(hall: LiveHall) -> None:
    await hall.issue(5)
    last = await hall.seq()

    async with hall.listener("view=facts&after=0", **{"Last-Event-ID": str(last - 1)}) as follower:
        assert (await follower.event()).id == last


async def test_somebody_cut_off_before_the_first_fact_has_a_place_to_come_back_to(hall: LiveHall) -> None:
    await hall.issue()

    async with hall.listener("view=facts") as follower:
        greeting, place = await follower.next(), await follower.next()

    assert greeting.retry
    assert (place.id, place.data) == (await hall.seq(), None)


async def test_what_was_missed_may_be_many_pages_long(hall: LiveHall) -> None:
    await asyncio.gather(*(hall.issue() for _ in range(1_000)))
    last = await hall.seq()

    async with hall.listener("view=facts&after=0") as follower:
        missed = await follower.events(last)

    assert [event.id for event in missed] == list(range(1, last + 1))
    assert missed[0].data["kind"] == "Configured"


async def test_who_missed_too_much_is_told_to_begin_anew_and_hears_what_follows(hall: LiveHall) -> None:
    hall.listened(catch_up=3)
    await hall.issue(5)
    last = await hall.seq()

    async with hall.listener(f"view=facts&after={last - 4}") as follower:
        resync = await follower.event()
        await hall.issue()
        live = await follower.event()

    assert (resync.name, resync.id, resync.data) == ("resync", last, {"seq": last})
    assert (live.name, live.id) == ("message", last + 1)


@pytest.mark.parametrize("cursor", ["1000000", "99999999999999999999", "-5", "yesterday", "²"])
async def test_a_place_that_never_was_is_nothing_to_go_on_from(hall: LiveHall, cursor: str) -> None:
    await hall.issue()

    async with hall.listener("view=facts", **{"Last-Event-ID": cursor}) as follower:
        resync = await follower.event()
        await hall.issue()
        live = await follower.event()

    assert resync.name == "resync"
    assert live.id == resync.data["seq"] + 1


@pytest.mark.parametrize("seed", range(5))
async def test_nothing_is_missed_or_doubled_however_often_the_connection_breaks(hall: LiveHall, seed: int) -> None:
    random = Random(seed)
    begin = await hall.seq()
    issuing = asyncio.gather(*(hall.issue(20) for _ in range(20)))
    heard: list[int | None] = []

    while len(heard) < 400:
        after = heard[-1] if heard else begin
        async with hall.listener("view=facts", **{"Last-Event-ID": str(after)}) as follower:
            heard += [event.id for event in await follower.events(min(random.randrange(40), 400 - len(heard)))]
            await asyncio.sleep(random.random() / 100)
    await issuing

    assert heard == list(range(begin + 1, begin + 401))


async def test_a_follower_may_change_between_servers_of_one_journal(postgres_url: str) -> None:
    async with live_hall(postgres_url) as here, live_hall(postgres_url) as there:
        await here.configure()
        heard = [await here.seq()]
        await until_known(there)

        for hall in (there, here) * 15:
            async with hall.listener(f"view=facts&after={heard[-1]}") as follower:
                await here.issue()
                event = await follower.event()
            assert event.name == "message"
            heard.append(event.id or 0)

    assert heard == list(range(heard[0], heard[0] + 31))


async def until_known(hall: LiveHall) -> None:
    """Return when this server has heard of the centre."""
    status = 0
    while status != 200:
        async with hall.listener() as screen:
            status = screen.status


async def test_who_comes_back_while_the_database_is_away_is_sent_away_and_comes_back_again() -> None:
    with postgres_server() as postgres:
        async with live_hall(postgres.fresh_database()) as hall:
            await hall.configure()
            postgres.kill()
            async with hall.listener("view=facts&after=0") as early:
                events = await early.rest()
            postgres.start()

            assert early.is_complete
            assert events[-1].retry
            async with hall.listener("view=facts&after=0") as again:
                assert [event.data["kind"] for event in await again.events(2)] == ["Configured", "DayOpened"]
