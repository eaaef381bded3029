"""A kiosk that goes on without the server, as it speaks to the server before and afterwards."""

from datetime import timedelta
from typing import Any

import httpx2
import pytest

from app.journal import Verification
from app.web.plain import instant
from tests.api.conftest import CENTRE, MONDAY_MORNING, Centre, on_each_database

LEASE = "20261123-K-1"


async def lease(centre: Centre, kiosk: str = "hall", done: str | None = None, key: str | None = None) -> Any:
    """Numbers for a kiosk."""
    leased = await centre.post(f"/kiosks/{kiosk}/lease", {"done": done} if done else {}, key=key)
    assert leased.status_code == 200, leased.text
    return leased.json()


async def tell_of(centre: Centre, number: str = "AK001", *, key: str | None = None, **wish: Any) -> httpx2.Response:
    """The kiosk tells of a ticket that it gave out by itself."""
    usual = {"lease": LEASE, "number": number, "service": "advice", "issued_at": instant(MONDAY_MORNING)}
    return await centre.post("/kiosks/hall/tickets", usual | wish, key=key or centre.new_key())


@on_each_database
async def test_a_kiosk_is_leased_numbers_and_a_token_for_each(centre: Centre) -> None:
    leased = await lease(centre)

    assert (leased["lease"], leased["kiosk"], leased["mark"], leased["day"]) == (LEASE, "hall", "K", "2026-11-23")
    assert leased["blocks"] == [
        {"letter": "A", "series": "AK", "first": 1, "last": 25},
        {"letter": "B", "series": "BK", "first": 1, "last": 25},
    ]
    assert len(leased["visits"]) == 50
    assert leased["visits"]["AK007"].startswith("centre~20261123-AK007~")


@on_each_database
async def test_a_repeated_request_for_numbers_is_told_of_the_same_lease(centre: Centre) -> None:
    first = await lease(centre, key="lease-1")
    centre.clock.go_on(minutes=5)

    again = await lease(centre, key="lease-1")

    assert again == first
    assert (await lease(centre, key="lease-2"))["blocks"][0]["first"] == 26


@on_each_database
async def test_tickets_given_out_offline_come_in_once_with_their_true_times(centre: Centre) -> None:
    await lease(centre)
    centre.clock.go_on(minutes=10)
    taken = instant(MONDAY_MORNING + timedelta(minutes=4))

    told = await tell_of(centre, issued_at=taken, language="ru", key="offline-1")
    again = await tell_of(centre, issued_at=taken, language="ru", key="offline-1")

    ticket = told.json()
    assert (told.status_code, again.content) == (201, told.content)
    assert (ticket["number"], ticket["issued_offline"], ticket["issued_at"]) == ("AK001", True, taken)
    assert (ticket["clock_start"], ticket["language"], ticket["state"]) == (taken, "ru", "waiting")
    assert [place["number"] for place in (await centre.get()).json()["line"]] == ["AK001"]
    journal = await centre.app.state.engine.ask(lambda journal: Verification(journal).run())
    assert journal.difference is None


async def test_the_token_that_was_printed_offline_is_the_visits_own(centre: Centre) -> None:
    leased = await lease(centre)

    told = await tell_of(centre)

    assert told.json()["visit"] == leased["visits"]["AK001"]


@on_each_database
async def test_what_was_told_of_is_served_like_any_other(centre: Centre) -> None:
    await lease(centre)
    await tell_of(centre)
    await centre.open()

    called = await centre.call_next()
    await centre.step(called.json()["id"], "start")
    finished = await centre.step(called.json()["id"], "finish")

    assert (called.json()["id"], finished.json()["state"]) == ("20261123-AK001", "served")


@on_each_database
async def test_a_ticket_of_yesterday_went_unserved_when_yesterday_closed(centre: Centre) -> None:
    await centre.describe({**CENTRE, "hours": {day: ["08:00-18:00"] for day in ("mon", "tue")}})
    await lease(centre)
    centre.clock.go_on(days=1, hours=1)

    told = await tell_of(centre)

    ticket = told.json()
    assert (ticket["id"], ticket["state"]) == ("20261123-AK001", "unserved")
    assert (ticket["breached_due"], ticket["ended_at"]) == ("2026-11-23T08:15:00.000Z", "2026-11-23T21:00:00.000Z")
    assert (await centre.get()).json()["waiting"] == 0
    journal = await centre.app.state.engine.ask(lambda journal: Verification(journal).run())
    assert journal.difference is None


async def test_a_lease_that_is_done_is_void(centre: Centre) -> None:
    await lease(centre)
    await tell_of(centre)

    again = await lease(centre, done=LEASE)
    refused = await tell_of(centre, "AK002")

    assert [block["first"] for block in again["blocks"]] == [26, 26]
    assert (refused.status_code, refused.json()["type"]) == (404, "/problems/unknown-lease")
    facts = (await centre.get("/facts?limit=1000")).json()["facts"]
    voided = next(fact for fact in facts if fact["kind"] == "NumbersVoided")
    assert voided["blocks"][0] == {"letter": "AK", "first": 2, "last": 25}


@pytest.mark.parametrize(
    ("wish", "status", "problem"),
    [
        ({"number": "AK026"}, 409, "number-taken"),
        ({"number": "AM001"}, 409, "number-taken"),
        ({"number": "A001"}, 422, "bad-input"),
        ({"lease": "20261123-M-1"}, 404, "unknown-lease"),
        ({"lease": "mine"}, 422, "bad-input"),
        ({"service": "weddings"}, 404, "unknown-service"),
        ({"category": "hero"}, 404, "unknown-category"),
        ({"channel": "booked"}, 422, "booking-mismatch"),
        ({"issued_at": "this morning"}, 422, "bad-input"),
    ],
)
async def test_what_cannot_have_been_given_out_is_refused(
    centre: Centre, wish: dict[str, Any], status: int, problem: str
) -> None:
    await lease(centre)

    refused = await tell_of(centre, **wish)

    assert (refused.status_code, refused.json()["type"]) == (status, f"/problems/{problem}")


async def test_a_ticket_without_a_key_is_refused(centre: Centre) -> None:
    await lease(centre)

    refused = await centre.post("/kiosks/hall/tickets", {"lease": LEASE, "number": "AK001"})

    assert refused.status_code in (400, 422)


async def test_the_same_number_under_another_key_is_taken(centre: Centre) -> None:
    await lease(centre)
    await tell_of(centre)

    refused = await tell_of(centre)

    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/number-taken")


async def test_an_office_may_lease_no_numbers(centre: Centre) -> None:
    await centre.describe({**CENTRE, "offline_numbers": 0})

    refused = await centre.post("/kiosks/hall/lease", {})

    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/nothing-to-lease")


async def test_a_twelfth_kiosk_finds_no_mark(centre: Centre) -> None:
    for number in range(11):
        await lease(centre, f"kiosk-{number}")

    refused = await centre.post("/kiosks/one-more/lease", {})

    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/no-more-marks")


async def test_a_ticket_of_a_day_that_has_not_opened_yet_waits_in_the_kiosk(centre: Centre) -> None:
    await centre.describe({**CENTRE, "hours": {day: ["08:00-18:00"] for day in ("mon", "tue")}})
    await lease(centre)
    centre.clock.go_on(hours=23)
    early = instant(centre.clock.now())

    refused = await tell_of(centre, issued_at=early, key="early")
    centre.clock.go_on(hours=2)
    told = await tell_of(centre, issued_at=early, key="early")

    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/day-not-open")
    assert (told.json()["id"], told.json()["state"]) == ("20261124-AK001", "waiting")
