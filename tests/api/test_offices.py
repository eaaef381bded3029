"""An office: its live state, its description, its days, its record."""

import asyncio

import pytest

from tests.api.conftest import CENTRE, Centre, on_each_database


async def test_the_live_state_shows_lines_counters_and_who_is_next(centre: Centre) -> None:
    for service in ("advice", "passport", "advice"):
        await centre.issue(service)
    await centre.open()
    centre.clock.go_on(minutes=16)
    await centre.call_next()

    state = (await centre.get()).json()

    assert state["server_time"] == "2026-11-23T08:16:00.000Z"
    assert (state["day"], state["day_is_open"], state["receives"], state["demo"]) == ("2026-11-23", True, True, None)
    advice, passport = state["services"]
    assert (advice["waiting"], advice["over_limit"], passport["waiting"]) == (1, 1, 1)
    assert (advice["oldest_clock_start"], advice["earliest_due"]) == (
        "2026-11-23T08:00:00.000Z",
        "2026-11-23T08:15:00.000Z",
    )
    one, two = state["counters"]
    assert (one["state"], one["operator"], one["visitor"]["number"]) == ("open", "Anna", "A001")
    assert (two["state"], two["visitor"]) == ("closed", None)
    assert [place["number"] for place in state["line"]] == ["B001", "A002"]
    assert state["waiting"] == 2


async def test_the_line_stands_in_the_offices_own_order(centre: Centre) -> None:
    await centre.issue()
    await centre.booked("2026-11-23T08:05:00Z")
    centre.clock.go_on(minutes=8)
    await centre.issue(category="veteran")

    line = (await centre.get()).json()["line"]

    assert [(place["number"], place["rank"]) for place in line] == [
        ("A003", "out_of_turn"),
        ("A002", "booked"),
        ("A001", "walk_in"),
    ]


async def test_the_line_names_the_first_hundred_and_counts_all(centre: Centre) -> None:
    for _ in range(103):
        await centre.issue()

    state = (await centre.get()).json()

    assert state["waiting"] == 103
    assert [place["number"] for place in state["line"]] == [f"A{serial:03d}" for serial in range(1, 101)]


async def test_a_state_that_is_known_is_not_sent_again(centre: Centre) -> None:
    first = await centre.get()

    same = await centre.get(headers={"If-None-Match": first.headers["etag"]})
    weak = await centre.get(headers={"If-None-Match": f'"0", W/{first.headers["etag"]}'})
    await centre.issue()
    changed = await centre.get(headers={"If-None-Match": first.headers["etag"]})

    assert first.headers["etag"] == f'"{first.json()["seq"]}"'
    assert [(answer.status_code, answer.headers["etag"]) for answer in (same, weak)] == [
        (304, first.headers["etag"]),
        (304, first.headers["etag"]),
    ]
    assert changed.status_code == 200


@on_each_database
async def test_the_record_is_read_page_by_page_from_the_first_fact_on(centre: Centre) -> None:
    for _ in range(5):
        await centre.issue()
    seq = await centre.seq()

    first = (await centre.get("/facts", params={"limit": 4})).json()
    second = (await centre.get("/facts", params={"limit": 4, "cursor": first["next"]})).json()
    last = (await centre.get("/facts", params={"cursor": second["next"]})).json()
    await centre.issue()
    news = (await centre.get("/facts", params={"cursor": last["next"]})).json()

    assert [fact["seq"] for fact in first["facts"] + second["facts"]] == list(range(1, seq + 1))
    assert (first["more"], second["more"]) == (True, False)
    assert (last["facts"], last["more"]) == ([], False)
    assert [(fact["kind"], fact["ticket"]) for fact in news["facts"]] == [("Issued", "20261123-A006")]


async def test_an_office_is_described_anew(centre: Centre) -> None:
    changed = CENTRE | {"name": {"en": "New Centre", "ru": "Новый центр"}}

    first = await centre.describe(changed)
    again = await centre.describe(changed)

    assert (first.status_code, again.json()) == (200, first.json())
    assert (await centre.get()).json()["name"]["en"] == "New Centre"


async def test_a_bad_description_is_refused_with_every_mistake(centre: Centre) -> None:
    before = await centre.seq()

    refused = await centre.describe(CENTRE | {"time_zone": "Mars", "hours": {"mon": ["9-18"]}})

    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/bad-description")
    assert {mistake["at"] for mistake in refused.json()["errors"]} == {"time_zone", "hours.mon[0]"}
    assert await centre.seq() == before


async def test_a_description_belongs_to_the_office_in_the_address(centre: Centre) -> None:
    refused = await centre.http.put("/api/v1/offices/annex", json=CENTRE)

    assert (refused.status_code, refused.json()["errors"][0]["at"]) == (422, "id")


async def test_a_service_with_people_in_it_cannot_be_removed(centre: Centre) -> None:
    ticket = (await centre.issue("passport")).json()["id"]
    advice_only = [CENTRE["counters"][1]]

    refused = await centre.describe(CENTRE | {"services": CENTRE["services"][:1], "counters": advice_only})

    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/service-in-use")
    assert (refused.json()["service"], refused.json()["ticket"]) == ("passport", ticket)


async def test_a_large_description_is_no_large_body(centre: Centre) -> None:
    many = [
        {"id": f"c{index}", "name": {"en": "x" * 100, "ru": "ы" * 100}, "services": ["advice"]} for index in range(999)
    ]

    described = await centre.describe(CENTRE | {"counters": [CENTRE["counters"][0], *many]})

    assert described.status_code == 200


@on_each_database
async def test_at_closing_whoever_waits_is_unserved(centre: Centre) -> None:
    ticket = (await centre.issue()).json()["id"]
    centre.clock.go_on(minutes=5)

    closed = await centre.post("/close-day")
    again = await centre.post("/close-day")

    assert closed.status_code == 200
    assert (again.status_code, again.json()["type"]) == (409, "/problems/day-not-open")
    visit = (await centre.get(f"/tickets/{ticket}")).json()
    assert (visit["ticket"]["state"], visit["place"]) == ("unserved", None)


async def test_two_offices_do_not_meet(centre: Centre) -> None:
    await centre.describe(CENTRE | {"id": "annex"})
    await centre.http.post("/api/v1/offices/annex/open-day")
    await centre.issue(key="same")

    there = await centre.http.post(
        "/api/v1/offices/annex/tickets", json={"service": "advice"}, headers={"Idempotency-Key": "same"}
    )

    assert (there.status_code, there.json()["number"]) == (201, "A001")


async def test_two_counters_never_call_the_same_person(centre: Centre) -> None:
    for _ in range(10):
        await centre.issue()
    await centre.open("one")
    await centre.open("two", "Boris")

    called = await asyncio.gather(centre.call_next("one"), centre.call_next("two"))

    assert sorted(ticket.json()["number"] for ticket in called) == ["A001", "A002"]


@pytest.mark.parametrize("step", ["open-day", "services/advice/open"])
async def test_what_is_so_already_is_no_refusal(centre: Centre, step: str) -> None:
    before = await centre.seq()

    answer = await centre.post(f"/{step}")

    assert (answer.status_code, answer.json()) == (200, {"office": "centre", "seq": before})
