"""A visitor comes to the kiosk."""

import pytest

from tests.api.conftest import CENTRE, Centre


async def test_the_first_ticket_of_the_day_is_a001(centre: Centre) -> None:
    issued = await centre.issue("advice")

    assert issued.status_code == 201
    assert issued.json()["number"] == "A001"
    assert issued.json()["id"] == "20261123-A001"
    assert issued.json()["issued_at"] == issued.json()["clock_start"]
    assert issued.json()["due"] == "2026-11-23T08:15:00.000Z"
    assert issued.json()["limit_seconds"] == 900


async def test_who_claims_a_booking_waits_as_a_walk_in_until_it_was_found(centre: Centre) -> None:
    first = (await centre.issue()).json()
    issued = (await centre.issue(channel="booked", slot="2026-11-23T11:05:00+03:00")).json()
    assert (issued["channel"], issued["claim"], issued["claim_verified"]) == (
        "walk_in",
        "2026-11-23T08:05:00.000Z",
        False,
    )
    assert (issued["clock_start"], issued["limit_seconds"]) == (issued["issued_at"], 900)
    line = (await centre.get()).json()["line"]
    assert [(place["number"], place["rank"], place["claim"]) for place in line] == [
        (first["number"], "walk_in", None),
        (issued["number"], "walk_in", issued["claim"]),
    ]

    found = await centre.step(issued["id"], "verify-claim")

    assert found.json()["claim_verified"] is True
    assert found.json()["limit_seconds"] == 599
    again = await centre.step(issued["id"], "verify-claim")
    assert (again.status_code, again.json()["type"]) == (409, "/problems/no-claim")


async def test_one_visit_can_be_for_several_services(centre: Centre) -> None:
    issued = await centre.issue("advice", further=["passport"])

    assert issued.json()["stops"] == [{"service": "passport", "counter": None}]


@pytest.mark.parametrize(
    ("wish", "status", "kind"),
    [
        ({"service": "weddings"}, 404, "unknown-service"),
        ({"service": "advice", "category": "hero"}, 404, "unknown-category"),
        ({"service": "advice", "channel": "booked"}, 422, "booking-mismatch"),
        ({"service": "advice", "slot": "2026-11-23T12:30:00Z"}, 422, "booking-mismatch"),
        ({"service": "advice", "channel": "booked", "slot": "2020-11-23T08:00:00Z"}, 422, "not-today"),
        ({"service": "advice", "channel": "booked", "slot": "2026-12-18T08:00:00Z"}, 422, "not-today"),
        ({"service": "advice", "channel": "booked", "slot": "2028-01-03T08:00:00Z"}, 422, "not-today"),
    ],
)
async def test_what_cannot_be_issued_is_refused_by_name(
    centre: Centre, wish: dict[str, str], status: int, kind: str
) -> None:
    before = await centre.seq()

    refused = await centre.post("/tickets", wish, key="k")

    assert (refused.status_code, refused.json()["type"]) == (status, f"/problems/{kind}")
    assert await centre.seq() == before


async def test_a_wish_is_answered_alike_by_the_short_way_and_by_the_frameworks(centre: Centre) -> None:
    address, wish = "/api/v1/offices/centre/tickets", b'{"service": "advice", "channel": "walk_in"}'
    said = [
        await centre.http.post(address, content=wish, headers={"Content-Type": content, "Idempotency-Key": content})
        for content in ("application/json", "application/json;charset=utf-8", "application/problem+json")
    ]

    assert [reply.status_code for reply in said] == [201, 201, 201]
    assert [reply.json()["number"] for reply in said] == ["A001", "A002", "A003"]
    assert len({frozenset(reply.json()) for reply in said}) == 1


async def test_an_office_without_its_day_issues_nothing(centre: Centre) -> None:
    await centre.post("/close-day")

    refused = await centre.issue()

    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/office-closed")


async def test_a_closed_service_says_why_on_the_menu_and_at_the_issue(centre: Centre) -> None:
    await centre.post("/services/passport/close", {"reason": "the printer is broken"})

    refused = await centre.issue("passport")
    menu = {service["id"]: service for service in (await centre.get("/services")).json()["services"]}

    assert (refused.status_code, refused.json()["reason"]) == (409, "the printer is broken")
    assert (menu["passport"]["open"], menu["passport"]["reason"]) == (False, "the printer is broken")
    assert menu["passport"]["problem"] == "/problems/service-is-closed"
    assert menu["advice"]["open"]


async def test_a_reopened_service_is_issued_again(centre: Centre) -> None:
    await centre.post("/services/passport/close", {"reason": "the printer is broken"})
    await centre.post("/services/passport/open")

    assert (await centre.issue("passport")).status_code == 201


async def test_the_menu_has_groups_services_and_categories(centre: Centre) -> None:
    menu = (await centre.get("/services")).json()

    assert [group["id"] for group in menu["groups"]] == ["papers"]
    assert [(service["id"], service["group"]) for service in menu["services"]] == [
        ("advice", None),
        ("passport", "papers"),
    ]
    assert menu["services"][0]["limit_seconds"] == {"walk_in": 900, "booked": 300}
    assert menu["categories"][0]["basis"]["en"] == "a certificate"
    assert menu["receives"]


async def test_offices_are_listed_page_by_page(centre: Centre) -> None:
    for name in ("annex", "depot"):
        await centre.describe(CENTRE | {"id": name})
    await centre.issue()

    first = (await centre.http.get("/api/v1/offices", params={"limit": 2})).json()
    last = (await centre.http.get("/api/v1/offices", params={"limit": 2, "cursor": first["next"]})).json()

    assert [office["office"] for office in first["offices"]] == ["annex", "centre"]
    assert [office["waiting"] for office in first["offices"]] == [0, 1]
    assert [office["office"] for office in last["offices"]] == ["depot"]
    assert last["next"] is None
