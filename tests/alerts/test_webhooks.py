"""A program is told of everything, in order, whatever becomes of it meanwhile."""

import base64
import hashlib
import hmac
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import msgspec
import pytest

from app.alerts import Plan
from app.alerts.courier import LONGEST_PAUSE_SECONDS, pause_seconds
from app.alerts.reading import KINDS
from app.journal.deliveries import places
from queue_core.commands import Acknowledge, NoShow, OpenCounter
from queue_core.facts import Cause
from tests.alerts.receiving import HANG, Post, Receiver
from tests.alerts.telling import OLD_SECRET, SECRET, briefly, in_order, telling, webhook
from tests.engine.hall import HandClock, soon
from tests.engine.proxy import proxy_before


async def test_a_breach_is_told_as_a_signed_cloud_event(address: str, clock: HandClock, receiver: Receiver) -> None:
    async with telling(address, clock, Plan(webhooks=(webhook(f"{receiver.url}/queue"),))) as halls:
        await halls.describe("hall")
        await soon(lambda: halls.is_telling)
        await halls.breach()
        await soon(lambda: len(receiver.taken) == 1)

        post, [message_id] = receiver.posts[0], await halls.ids()
        assert post.path == "/queue"
        assert post.headers["content-type"] == "application/cloudevents+json"
        assert post.json["specversion"] == "1.0"
        assert post.json["id"] == post.headers["webhook-id"] == message_id
        assert post.json["type"] == "fifteen.Breached"
        assert post.json["source"] == "/api/v1/offices/hall"
        assert post.json["time"] == "2026-11-23T09:16:00.000Z"
        data = post.json["data"]
        assert (data["number"], data["service"], data["channel"]) == ("A001", "passport", "walk_in")
        assert (data["office"], data["kind"], data["due"]) == ("hall", "Breached", "2026-11-23T09:15:00.000Z")
        assert data["limit_seconds"] == 900
        assert signatures(post) == [signed(post, SECRET)]
        assert abs(datetime.now(UTC).timestamp() - int(post.headers["webhook-timestamp"])) < 60


async def test_everything_that_is_told_comes_in_order(address: str, clock: HandClock, receiver: Receiver) -> None:
    async with telling(address, clock, Plan(webhooks=(webhook(receiver.url, facts=frozenset(KINDS)),))) as halls:
        await halls.describe("hall")
        await soon(lambda: halls.is_telling)
        ticket = await halls.issue()
        clock.wait(minutes=11)
        await halls.do(OpenCounter("1", "anna"))
        for _ in range(16):
            clock.wait(minutes=1)
            await halls.look()
        await halls.do(Acknowledge(ticket, by="boris", cause=Cause.STAFF_ABSENT, remark="on the way"))
        await halls.called("1")
        lines = [line for line in await halls.lines("hall") if line.kind in KINDS]
        await soon(lambda: len(receiver.taken) == len(lines))

    assert {line.kind for line in lines} == {*KINDS}
    for line, post in zip(lines, receiver.taken, strict=True):
        data, fact = post.json["data"], msgspec.json.decode(line.body)
        assert (post.json["type"], data["seq"], data["number"]) == (f"fifteen.{line.kind}", line.seq, "A001")
        told = {name: data[name] for name in fact if not isinstance(getattr(line.fact, name), datetime)}
        assert told == {name: fact[name] for name in told}


async def test_while_a_secret_is_changed_both_sign(address: str, clock: HandClock, receiver: Receiver) -> None:
    plan = Plan(webhooks=(webhook(receiver.url, secrets=(SECRET, OLD_SECRET)),))
    async with telling(address, clock, plan) as halls:
        await halls.describe("hall")
        await soon(lambda: halls.is_telling)
        await halls.breach()
        await soon(lambda: len(receiver.taken) == 1)

        [post] = receiver.taken
        assert signatures(post) == [signed(post, SECRET), signed(post, OLD_SECRET)]


@pytest.mark.parametrize("status", [500, 404, 302, HANG])
async def test_what_is_not_taken_is_told_again_and_what_follows_waits(
    address: str, clock: HandClock, receiver: Receiver, status: int
) -> None:
    plan = Plan(webhooks=(webhook(receiver.url, timeout_seconds=0.2),))
    async with telling(address, clock, plan) as halls:
        await halls.describe("hall", "north")
        await soon(lambda: halls.is_telling)
        receiver.answer = lambda body: status if b'"hall"' in body else 200
        await halls.breach("hall", visitors=3)
        await halls.breach("north")
        first, *_ = expected = await halls.ids("hall")
        await soon(lambda: len(receiver.posts) > 4)

        assert receiver.ids == await halls.ids("north")
        assert {post.headers["webhook-id"] for post in receiver.posts} == {first, *await halls.ids("north")}
        assert halls.figure("queue_deliveries_pending") == 3
        receiver.answer = lambda _body: 200
        await soon(lambda: len(in_order(receiver.ids)) == 4)
        assert in_order(receiver.ids)[1:] == expected
        assert "/elsewhere" not in {post.path for post in receiver.posts}


async def test_a_receiver_that_was_away_hears_everything_in_order(
    address: str, clock: HandClock, receiver: Receiver
) -> None:
    async with telling(address, clock, Plan(webhooks=(webhook(receiver.url),))) as halls:
        await halls.describe("hall", "north")
        await soon(lambda: halls.is_telling)
        receiver.go()
        await halls.breach("hall", "north", visitors=50)
        await soon(lambda: halls.figure("queue_deliveries_total", result="failed") > 3)
        assert halls.figure("queue_deliveries_pending") == 100
        assert halls.figure("queue_oldest_delivery_timestamp_seconds") == clock.instant.timestamp()

        receiver.come()
        await soon(lambda: halls.figure("queue_deliveries_pending") == 0)

        for office_id in ("hall", "north"):
            assert [name for name in receiver.ids if name.startswith(office_id)] == await halls.ids(office_id)
        assert halls.figure("queue_oldest_delivery_timestamp_seconds") == float("inf")
        assert halls.figure("queue_deliveries_total", result="delivered") == 100


async def test_a_restart_in_the_middle_loses_nothing(address: str, clock: HandClock, receiver: Receiver) -> None:
    plan = Plan(webhooks=(webhook(receiver.url),))
    async with telling(address, clock, plan) as halls:
        await halls.describe("hall")
        await soon(lambda: halls.is_telling)
        receiver.answer = lambda _body: 200 if len(receiver.posts) < 20 else 503
        await halls.breach(visitors=50)
        expected = await halls.ids()
        await soon(lambda: len(receiver.posts) > 22)
    assert receiver.ids == expected[:20]
    receiver.answer = lambda _body: 200

    async with telling(address, clock, plan):
        await soon(lambda: len(receiver.ids) >= 50)

        assert receiver.ids == expected


async def test_what_happened_while_nobody_told_is_told_at_the_start(
    address: str, clock: HandClock, receiver: Receiver
) -> None:
    plan = Plan(webhooks=(webhook(receiver.url),))
    async with telling(address, clock, plan) as halls:
        await halls.describe("hall")
        await soon(lambda: halls.is_telling)
    async with telling(address, clock, Plan()) as halls:
        await halls.breach()
        await halls.describe("north")
        await halls.breach("north")
        expected = await halls.ids("hall", "north")

    async with telling(address, clock, plan):
        await soon(lambda: sorted(receiver.ids) == sorted(expected))

        assert receiver.taken[0].json["data"]["number"] == "A001"


async def test_a_new_endpoint_begins_at_the_present(address: str, clock: HandClock, receiver: Receiver) -> None:
    async with telling(address, clock, Plan()) as halls:
        await halls.describe("hall")
        await halls.breach(visitors=3)

    async with telling(address, clock, Plan(webhooks=(webhook(receiver.url),))) as halls:
        await soon(lambda: halls.is_telling)
        await halls.breach()
        await soon(lambda: len(receiver.taken) > 0)

        assert receiver.ids == (await halls.ids())[3:]


async def test_what_is_never_taken_is_given_up_and_the_next_goes(
    address: str, clock: HandClock, receiver: Receiver
) -> None:
    async with telling(address, clock, Plan(webhooks=(webhook(receiver.url),))) as halls:
        await halls.describe("hall")
        await soon(lambda: halls.is_telling)
        first = b'"number":"A001"'
        receiver.answer = lambda body: 500 if first in body else 200
        await halls.breach(visitors=2)
        bad, good = await halls.ids()
        await soon(lambda: len(receiver.posts) > 2)
        assert await halls.dead_letters() == []

        clock.wait(hours=24)
        await soon(lambda: receiver.ids == [good])

        assert halls.figure("queue_deliveries_total", result="dead") == 1
        await soon(halls.has_dead_letters)
        [letter] = await halls.dead_letters()
        assert letter.error == "answered 500 Internal Server Error"
        assert (letter.endpoint, f"{letter.office_id}/{letter.seq}") == ("monitor", bad)
        assert letter.attempts >= 3

        assert await halls.alerts.redeliver("monitor", "hall", letter.seq) == "answered 500 Internal Server Error"
        receiver.answer = lambda _body: 200
        assert await halls.alerts.redeliver("monitor", "hall", letter.seq) is None
        assert receiver.ids == [good, bad]
        assert await halls.dead_letters() == []
        with pytest.raises(LookupError, match=f"monitor has no dead letter {bad}"):
            await halls.alerts.redeliver("monitor", "hall", letter.seq)


async def test_a_server_that_was_away_for_days_gives_nothing_up_unsaid(
    address: str, clock: HandClock, receiver: Receiver
) -> None:
    plan = Plan(webhooks=(webhook(receiver.url),))
    async with telling(address, clock, plan) as halls:
        await halls.describe("hall")
        await soon(lambda: halls.is_telling)
        receiver.answer = lambda _body: 500
        await halls.breach()
        await soon(lambda: len(receiver.posts) > 0)

    clock.wait(hours=20)
    receiver.answer = lambda _body: 500 if len(receiver.posts) < 8 else 200
    async with telling(address, clock, plan) as halls:
        await soon(lambda: len(receiver.taken) == 1)

        assert await halls.dead_letters() == []


async def test_only_the_offices_that_are_named_are_told_of(address: str, clock: HandClock, receiver: Receiver) -> None:
    plan = Plan(webhooks=(webhook(receiver.url, offices=frozenset({"north"})),))
    async with telling(address, clock, plan) as halls:
        await halls.describe("hall", "north")
        await soon(lambda: halls.is_telling)
        await halls.breach("hall", "north")
        await soon(lambda: len(receiver.taken) > 0)

        assert receiver.ids == await halls.ids("north")


async def test_a_quiet_day_is_not_searched_again(address: str, clock: HandClock, receiver: Receiver) -> None:
    plan = Plan(webhooks=(webhook(receiver.url),))
    async with telling(address, clock, Plan()) as halls:
        await halls.describe("hall")
    async with telling(address, clock, plan) as halls:
        await soon(lambda: halls.is_telling)
        for _ in range(3):
            await halls.issue()
        clock.wait(minutes=5)
        await halls.do(OpenCounter("1", "anna"))
        for _ in range(3):
            await halls.do(NoShow(await halls.called("1")))
        clock.wait(days=1)
        await halls.look()
        opened = [line.seq for line in await halls.lines("hall") if line.kind == "DayOpened"][-1]

        async def has_come_so_far() -> bool:
            [place] = await halls.engine.ask(lambda journal: places(journal, "monitor"))
            return place.seq == opened

        await soon(has_come_so_far)


async def test_each_endpoint_has_a_place_of_its_own(address: str, clock: HandClock, receiver: Receiver) -> None:
    entries = (webhook(f"{receiver.url}/bad", name="bad"), webhook(f"{receiver.url}/good", name="good"))
    async with telling(address, clock, Plan(webhooks=entries)) as halls:
        await halls.describe("hall")
        await soon(lambda: halls.is_telling)
        receiver.answer = lambda body: 200 if any(post.body == body for post in receiver.posts) else 500
        await halls.breach(visitors=10)
        await soon(lambda: halls.figure("queue_deliveries_pending") == 0)

        for path in ("/bad", "/good"):
            assert [p.headers["webhook-id"] for p in receiver.taken if p.path == path] == await halls.ids()


async def test_of_two_servers_one_tells(empty_database: str, clock: HandClock, receiver: Receiver) -> None:
    plan = Plan(webhooks=(webhook(receiver.url),))
    async with AsyncExitStack() as first:
        here = await first.enter_async_context(telling(empty_database, clock, plan))
        await here.describe("hall")
        await soon(lambda: here.is_telling)
        async with telling(empty_database, clock, plan) as there:
            await there.breach(visitors=10)
            await here.breach(visitors=10)
            expected = await here.ids()
            await soon(lambda: len(receiver.taken) >= 20 and here.figure("queue_deliveries_pending") == 0)

            assert receiver.ids == expected
            assert not there.is_telling
            await first.aclose()
            await there.breach(visitors=10)
            await soon(lambda: len(receiver.taken) >= 30)

            assert receiver.ids == await there.ids()


async def test_a_server_cut_off_from_the_database_lets_the_other_tell(
    empty_database: str, clock: HandClock, receiver: Receiver
) -> None:
    plan = Plan(webhooks=(webhook(receiver.url),))
    async with proxy_before(empty_database) as proxy, telling(proxy.address, clock, plan) as here:
        await here.describe("hall")
        await soon(lambda: here.is_telling)
        async with telling(empty_database, clock, plan) as there:
            proxy.go_down()
            await soon(lambda: there.is_telling)
            await there.breach(visitors=5)
            await soon(lambda: len(receiver.taken) >= 5)
            proxy.come_back()
            await soon(lambda: not here.is_telling)
            await there.breach(visitors=5)
            await soon(lambda: len(receiver.taken) >= 10)

            assert receiver.ids == await there.ids()


async def test_a_connection_that_was_cut_is_no_reason_to_fall_silent(
    empty_database: str, clock: HandClock, receiver: Receiver
) -> None:
    plan = Plan(webhooks=(webhook(receiver.url),))
    async with proxy_before(empty_database) as proxy, telling(proxy.address, clock, plan) as halls:
        await halls.describe("hall")
        await soon(lambda: halls.is_telling)
        receiver.go()
        await halls.breach(visitors=5)
        expected = await halls.ids()
        proxy.go_down()
        receiver.come()
        await soon(lambda: in_order(receiver.ids) == expected)
        proxy.come_back()
        await halls.breach(visitors=5)
        await soon(lambda: halls.figure("queue_deliveries_pending") == 0 and len(in_order(receiver.ids)) == 10)

        assert in_order(receiver.ids) == await halls.ids()


async def test_pauses_grow_to_a_minute() -> None:
    for attempts in range(2, 40):
        expected = min(2 ** (attempts - 2), LONGEST_PAUSE_SECONDS)

        assert 0.8 * expected <= pause_seconds(attempts) <= 1.2 * expected
    assert len({pause_seconds(1) for _ in range(20)}) > 1
    assert pause_seconds(1) < 0.3


async def test_attempts_are_as_far_apart_as_they_should_be(clock: HandClock, receiver: Receiver, address: str) -> None:
    paused: list[float] = []

    async def pause(seconds: float) -> None:
        paused.append(seconds)
        await briefly(seconds)

    async with telling(address, clock, Plan(webhooks=(webhook(receiver.url),)), sleep=pause) as halls:
        await halls.describe("hall")
        await soon(lambda: halls.is_telling)
        receiver.answer = lambda _body: 500 if len(receiver.posts) < 5 else 200
        await halls.breach()
        await soon(lambda: len(receiver.taken) == 1)

    assert paused[0] < 0.3
    assert [round(seconds / 2**index) for index, seconds in enumerate(paused[1:])] == [1, 1, 1, 1]


def signatures(post: Post) -> list[str]:
    return post.headers["webhook-signature"].split()


def signed(post: Post, secret: str) -> str:
    """The signature as the specification has it, by other means than ours."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = b".".join([post.headers["webhook-id"].encode(), post.headers["webhook-timestamp"].encode(), post.body])
    return "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
