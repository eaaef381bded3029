"""What a supervisor sees: all offices by trouble, who needs attention, a day's waits."""

from typing import Any

import pytest

from tests.api.conftest import CENTRE, Centre, on_each_database
from tests.api.described import as_described


async def test_the_office_in_the_worst_trouble_comes_first(centre: Centre) -> None:
    for office in ("calm", "busy", "late", "idle", "near"):
        await centre.describe(CENTRE | {"id": office})
        await in_office(centre, office, "/open-day")
    await issue_in(centre, "late")
    centre.clock.go_on(minutes=10)
    await issue_in(centre, "near")
    centre.clock.go_on(minutes=6, seconds=1)
    await issue_in(centre, "idle")
    await in_office(centre, "idle", "/counters/two/open", {"operator": "Boris"})
    await issue_in(centre, "busy")

    told = await overview(centre)

    assert [office["office"] for office in told["offices"]] == ["late", "near", "idle", "busy", "calm", "centre"]
    assert [office["over_limit"] for office in told["offices"]] == [1, 0, 0, 0, 0, 0]
    assert (told["offices_in_all"], told["offices_over_limit"], told["waiting"], told["over_limit"]) == (6, 1, 4, 1)
    late, _, idle = told["offices"][:3]
    assert (late["longest_wait_seconds"], late["earliest_due"]) == (960, "2026-11-23T08:15:00.000Z")
    assert late["limit_used"] == pytest.approx(16 / 15, abs=0.005)
    assert idle["counters"] == {"serving": 0, "free": 1, "paused": 0, "closed": 1, "idle": 1}


async def test_an_overview_goes_on_while_nothing_happens(centre: Centre) -> None:
    await centre.issue()
    [before] = (await overview(centre))["offices"]

    centre.clock.go_on(minutes=16)
    [after] = (await overview(centre))["offices"]

    assert (before["longest_wait_seconds"], before["over_limit"]) == (0, 0)
    assert (after["longest_wait_seconds"], after["over_limit"]) == (960, 1)


async def test_whom_the_office_holds_is_still_waited_for(centre: Centre) -> None:
    ticket = (await centre.issue()).json()["id"]
    await centre.open()
    await centre.call_next()
    await centre.step(ticket, "hold", {"by": "office"})

    [office] = (await overview(centre))["offices"]

    assert office["waiting"] == 1


async def test_an_overview_keeps_walk_ins_and_bookings_apart(centre: Centre) -> None:
    await centre.issue()
    await centre.issue(channel="booked", slot="2026-11-23T08:00:00Z")
    await centre.open()
    await centre.call_next()
    centre.clock.go_on(minutes=6)
    await centre.open("two", "Boris")
    await centre.call_next("two")

    [office] = (await overview(centre))["offices"]

    assert sum(kept["met"] + kept["breached"] for kept in office["kept_today"].values()) == 2
    assert office["counters"]["serving"] == 2


async def test_an_office_is_found_by_words_of_its_name_in_any_language(centre: Centre) -> None:
    for number in range(3):
        await centre.describe(CENTRE | {"id": f"branch-{number}", "name": {"en": f"Branch {number}", "ru": "Филиал"}})

    by_name = await overview(centre, search="фИЛ", limit=2)
    by_id = await overview(centre, search="centre")

    assert (by_name["matching"], [office["office"] for office in by_name["offices"]]) == (3, ["branch-0", "branch-1"])
    assert [office["office"] for office in by_id["offices"]] == ["centre"]
    assert by_id["offices_in_all"] == 4


async def test_who_waits_near_the_limit_or_past_it_needs_attention(centre: Centre) -> None:
    await centre.issue()
    centre.clock.go_on(minutes=5)
    await centre.issue("passport")
    centre.clock.go_on(minutes=10, seconds=1)
    await centre.issue()
    await tick(centre)

    told = (await centre.get("/attention")).json()

    late, near = told["tickets"]
    assert (late["number"], late["over_limit"], late["over_limit_since"]) == ("A001", True, "2026-11-23T08:15:00.000Z")
    assert (near["number"], near["over_limit"], near["due"]) == ("B001", False, "2026-11-23T08:20:00.000Z")
    assert (near["waited_seconds"], near["limit_seconds"]) == (601, 900)


async def test_a_breach_can_be_answered_for_after_the_visitor_was_called(centre: Centre) -> None:
    ticket = (await centre.issue()).json()["id"]
    centre.clock.go_on(minutes=16)
    await tick(centre)
    await centre.open()
    await centre.call_next()

    [before] = (await centre.get("/attention")).json()["tickets"]
    await centre.step(ticket, "acknowledge", {"by": "Olga", "cause": "staff_absent", "remark": "two are ill"})
    [after] = (await centre.get("/attention")).json()["tickets"]

    assert (before["state"], before["counter"], before["due"], before["acknowledged"]) == ("called", "one", None, None)
    assert (after["acknowledged"]["by"], after["acknowledged"]["remark"]) == ("Olga", "two are ill")


@on_each_database
async def test_a_days_waits_are_told_as_far_as_they_have_come(centre: Centre) -> None:
    await centre.issue()
    centre.clock.go_on(minutes=16)
    await centre.issue(channel="booked", slot="2026-11-23T08:20:00Z")
    await centre.issue("passport")
    await centre.open()
    await centre.call_next()
    centre.clock.go_on(minutes=2)

    told = (await centre.get("/waits")).json()

    assert (told["day"], told["left_out"]) == ("2026-11-23", False)
    called, early, waits = told["waits"]
    facts = ("number", "waited_seconds", "breached", "waits")
    assert [called[fact] for fact in facts] == ["A001", 960, True, False]
    assert [waits[fact] for fact in facts] == ["B001", 120, False, True]
    assert (early["channel"], early["waited_seconds"], early["limit_seconds"]) == ("walk_in", 120, 900)
    assert [wait["state"] for wait in told["waits"]] == ["called", "waiting", "waiting"]


@on_each_database
async def test_another_days_waits_are_told_by_its_date(centre: Centre) -> None:
    await centre.issue()
    await centre.post("/close-day")
    centre.clock.go_on(days=1)
    await centre.post("/open-day")
    await centre.issue("passport")

    present = (await centre.get("/waits")).json()
    day_before = (await centre.get("/waits", params={"day": "2026-11-23"})).json()
    nobody_came = (await centre.get("/waits", params={"day": "2026-11-20"})).json()

    assert [(wait["number"], wait["state"]) for wait in day_before["waits"]] == [("A001", "unserved")]
    assert (present["day"], [wait["number"] for wait in present["waits"]]) == ("2026-11-24", ["B001"])
    assert nobody_came["waits"] == []


@on_each_database
async def test_of_too_many_waits_the_latest_are_told(centre: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.supervisor.routes.MOST_WAITS", 2)
    for _ in range(3):
        await centre.issue()

    told = (await centre.get("/waits")).json()

    assert ([wait["number"] for wait in told["waits"]], told["left_out"]) == (["A002", "A003"], True)


@pytest.mark.parametrize("day", ["yesterday", "2026-02-30", "20261123", "1795000000", "1999-12-31", ""])
async def test_a_day_is_a_date_of_this_century(centre: Centre, day: str) -> None:
    refused = await centre.get("/waits", params={"day": day})

    assert (refused.status_code, refused.json()["errors"][0]["at"]) == (422, "query.day")


@pytest.mark.parametrize("path", ["/attention", "/waits"])
async def test_an_office_that_is_not_there_has_nothing_to_show(centre: Centre, path: str) -> None:
    refused = as_described(await centre.http.get(f"/api/v1/offices/nowhere{path}"))

    assert (refused.status_code, refused.json()["type"]) == (404, "/problems/unknown-office")


async def overview(centre: Centre, **options: Any) -> Any:
    return as_described(await centre.http.get("/api/v1/overview", params=options)).json()


async def in_office(centre: Centre, office: str, path: str, body: Any = None, key: str | None = None) -> None:
    headers = {"Idempotency-Key": key} if key else {}
    reply = await centre.http.post(f"/api/v1/offices/{office}{path}", json=body, headers=headers)
    reply.raise_for_status()


async def issue_in(centre: Centre, office: str) -> None:
    await in_office(centre, office, "/tickets", {"service": "advice"}, centre.new_key())


async def tick(centre: Centre) -> None:
    """Have time alone recorded, as the watch would: any command brings it in."""
    await centre.post("/services/passport/open")
