"""A key belongs to whoever used it, and stands nowhere as it was sent."""

from datetime import timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import select

from app.access.keys import Keys, network_of
from app.journal import Verification
from app.journal.schema import answers, facts
from app.settings import Settings
from queue_core.commands import Issue
from tests.api.conftest import MONDAY_MORNING, Centre, SetClock, on_each_database, running

ISSUE = "/api/v1/offices/centre/tickets"
KEY = "anna@example.org"


def from_address(centre: Centre, address: str) -> httpx2.AsyncClient:
    """A client at this address."""
    transport = httpx2.ASGITransport(app=centre.app, raise_app_exceptions=False, client=(address, 1))
    return httpx2.AsyncClient(transport=transport, base_url="http://fifteen")


async def issued(http: httpx2.AsyncClient, key: str = KEY, **headers: str) -> dict[str, Any]:
    """A ticket for advice, taken under a key."""
    told = {"Idempotency-Key": key, **{name.replace("_", "-"): value for name, value in headers.items()}}
    reply = await http.post(ISSUE, json={"service": "advice"}, headers=told)
    assert reply.status_code == 201
    ticket: dict[str, Any] = reply.json()
    return ticket


async def kept(centre: Centre) -> set[str]:
    """Every key in the journal, of facts and of answers."""

    def read(journal: Any) -> set[str]:
        with journal.transaction(read_only=True) as connection:
            columns = (facts.c.key, answers.c.key)
            return {key for column in columns for (key,) in connection.execute(select(column)) if key is not None}

    found: set[str] = await centre.app.state.engine.ask(read)
    return found


@on_each_database
async def test_a_guessed_key_yields_nothing_of_somebody_else(centre: Centre) -> None:
    async with from_address(centre, "10.0.0.1") as kiosk, from_address(centre, "10.0.0.2") as stranger:
        mine = await issued(kiosk)
        theirs = await issued(stranger)

        assert (await issued(kiosk))["visit"] == mine["visit"]

    assert theirs["id"] != mine["id"]
    assert theirs["visit"] != mine["visit"]


@on_each_database
async def test_no_key_is_kept_as_it_was_sent(centre: Centre) -> None:
    await issued(centre.http)
    await centre.http.post(
        "/api/v1/offices/centre/counters/one/open", json={"operator": "Anna"}, headers={"Idempotency-Key": KEY + "2"}
    )

    keys = await kept(centre)

    assert len(keys) == 2
    assert all(key.startswith("sha256 ") and "anna" not in key for key in keys)
    assert (await verified(centre)).difference is None


async def verified(centre: Centre) -> Any:
    verification = await centre.app.state.engine.ask(Verification)
    while (verdict := await centre.app.state.engine.ask(lambda _: verification.step())) is None:
        pass
    return verdict


async def test_a_device_is_the_same_one_at_a_new_address(centre: Centre) -> None:
    async with from_address(centre, "10.0.0.1") as before, from_address(centre, "10.0.0.2") as after:
        first = await issued(before, Fifteen_Device="a secret of a kiosk".replace(" ", "-"))
        again = await issued(after, Fifteen_Device="a secret of a kiosk".replace(" ", "-"))
        other = await issued(before, Fifteen_Device="the secret of another".replace(" ", "-"))
        nobody = await issued(before)

    assert again == first
    assert len({first["id"], other["id"], nobody["id"]}) == 3


async def test_a_device_says_a_secret_or_nothing(centre: Centre) -> None:
    refused = await centre.http.post(
        ISSUE, json={"service": "advice"}, headers={"Idempotency-Key": KEY, "Fifteen-Device": "short"}
    )

    assert refused.json()["errors"][0]["at"] == "header.Fifteen-Device"


async def test_a_visitors_key_goes_where_the_visitor_goes(centre: Centre) -> None:
    visit = f"/api/v1/visits/{(await issued(centre.http))['visit']}/leave"

    async with from_address(centre, "10.0.0.1") as office, from_address(centre, "172.16.0.9") as street:
        replies = [await http.post(visit, headers={"Idempotency-Key": "leave"}) for http in (office, street)]

    assert [reply.status_code for reply in replies] == [204, 204]


async def test_a_reused_key_is_told_as_it_was_sent(centre: Centre) -> None:
    await issued(centre.http)
    refused = await centre.http.post(ISSUE, json={"service": "passport"}, headers={"Idempotency-Key": KEY})

    assert (refused.status_code, refused.json()["key"]) == (422, KEY)


@on_each_database
async def test_keys_of_an_older_journal_are_honoured_for_their_time(database: str) -> None:
    clock = SetClock()
    async with running(Settings(database=database), clock) as centre:
        await centre.describe()
        await centre.post("/open-day")
        engine = centre.app.state.engine
        before = (await engine.do("centre", Issue("advice"), actor="anonymous", key=KEY)).ticket.id
    async with running(Settings(database=database), clock) as centre:
        assert (await issued(centre.http))["id"] == before
        assert (await verified(centre)).difference is None
        clock.go_on(hours=73)
        await centre.post("/open-day")
        assert (await issued(centre.http))["id"] != before
        assert (await verified(centre)).difference is None


def test_a_hash_that_is_sent_as_a_key_finds_nothing() -> None:
    keys = Keys("secret", {})
    hidden = keys.kept_as("centre", ("address", "1"), KEY, MONDAY_MORNING)
    later = Keys("secret", {("centre", KEY): MONDAY_MORNING})

    assert " " in hidden
    assert later.kept_as("centre", ("address", "2"), KEY, MONDAY_MORNING + timedelta(hours=71)) == KEY
    assert later.kept_as("centre", ("address", "1"), KEY, MONDAY_MORNING + timedelta(hours=72)) == hidden
    assert later.kept_as("north", ("address", "1"), KEY, MONDAY_MORNING) == hidden
    assert Keys("another", {}).kept_as("centre", ("address", "1"), KEY, MONDAY_MORNING) != hidden


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("10.0.0.1", "10.0.0.1", True),
        ("10.0.0.1", "10.0.0.2", False),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2:bbbb::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:10.0.0.1", "::ffff:10.0.0.2", False),
        ("", "", True),
    ],
)
def test_a_device_keeps_the_first_half_of_its_address(one: str, other: str, same: bool) -> None:
    assert (network_of(one) == network_of(other)) is same
