"""Late visitors, and operators at two counters, by HTTP: to the staff, at a kiosk, by the visitor's own page."""

import pytest

from tests.api.conftest import CENTRE, Centre, on_each_database

PATIENT = {**CENTRE, "late_seconds": 600, "late_limit": 1}


async def absent(centre: Centre) -> dict[str, str]:
    """Somebody who was called and was not there a minute later; the ticket as it was issued."""
    await centre.describe(PATIENT)
    issued: dict[str, str] = (await centre.issue()).json()
    await centre.open()
    await centre.call_next()
    fresh = await centre.step(issued["id"], "no-show")
    assert (fresh.status_code, fresh.json()["type"]) == (409, "/problems/call-too-fresh")
    centre.clock.go_on(seconds=60)
    late = await centre.step(issued["id"], "no-show")
    assert (late.json()["state"], late.json()["misses"]) == ("late", 1)
    return issued


@on_each_database
async def test_a_late_visitor_is_shown_and_let_in_by_the_staff(centre: Centre) -> None:
    issued = await absent(centre)
    state = (await centre.get()).json()
    assert state["late"] == 1
    [late] = state["late_visitors"]
    assert (late["number"], late["counter"]) == ("A001", "one")
    assert late["until"][:19] == "2026-11-23T08:11:00"
    assert [call["missed"] for call in state["calls"]] == [True]

    centre.clock.go_on(minutes=5)
    back = (await centre.step(issued["id"], "readmit")).json()

    assert (back["state"], back["number"], back["away_seconds"]) == ("waiting", "A001", 300)
    assert back["late_until"] is None
    state = (await centre.get()).json()
    assert (state["late"], [place["number"] for place in state["line"]]) == (0, ["A001"])
    assert [call["missed"] for call in state["calls"]] == [False]


async def test_a_late_visitor_comes_to_the_kiosk(centre: Centre) -> None:
    await absent(centre)

    let_in = await centre.post("/kiosks/hall/readmit", {"number": "A001"})

    assert let_in.status_code == 204
    again = await centre.post("/kiosks/hall/readmit", {"number": "A001"})
    assert (again.status_code, again.json()["type"]) == (409, "/problems/step-forbidden")
    unknown = await centre.post("/kiosks/hall/readmit", {"number": "A099"})
    assert (unknown.status_code, unknown.json()["type"]) == (404, "/problems/unknown-ticket")


async def test_a_late_visitor_says_so_on_the_own_page(centre: Centre) -> None:
    issued = await absent(centre)
    own = f"/api/v1/visits/{issued['visit']}"
    before = (await centre.http.get(own)).json()
    assert (before["state"], before["may"]["here"], before["late_until"][:19]) == ("late", True, "2026-11-23T08:11:00")

    assert (await centre.http.post(f"{own}/here")).status_code == 204

    after = (await centre.http.get(own)).json()
    assert (after["state"], after["may"]["here"], after["late_until"]) == ("waiting", False, None)
    assert [step["what"] for step in after["timeline"]] == ["issued", "called", "absent", "readmitted"]


@on_each_database
async def test_who_does_not_come_late_either_is_missed(centre: Centre) -> None:
    issued = await absent(centre)
    centre.clock.go_on(minutes=11)

    refused = await centre.step(issued["id"], "readmit")

    assert (refused.status_code, refused.json()["state"]) == (409, "missed")
    ticket = (await centre.get(f"/tickets/{issued['id']}")).json()["ticket"]
    assert (ticket["state"], ticket["ended_at"][:19]) == ("missed", "2026-11-23T08:11:00")
    assert ticket["first_missed_at"][:19] == "2026-11-23T08:01:00"


@pytest.mark.parametrize("step", ["return", "resume", "start"])
async def test_nothing_else_is_done_with_who_is_not_there(centre: Centre, step: str) -> None:
    issued = await absent(centre)

    refused = await centre.step(issued["id"], step)

    assert (refused.status_code, refused.json()["state"]) == (409, "late")


@on_each_database
async def test_an_operator_is_at_one_counter_and_may_take_another_over(centre: Centre) -> None:
    await centre.open("one", "Anna")

    refused = await centre.open("two", "Anna")

    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/operator-busy")
    assert refused.json()["at_counter"] == "one"
    taken = await centre.post("/counters/two/open", {"operator": "Anna", "take_over": True}, key="over")
    assert (taken.json()["counter"], taken.json()["state"]) == ("two", "open")
    again = await centre.post("/counters/two/open", {"operator": "Anna", "take_over": True}, key="over")
    assert again.content == taken.content
    assert [counter["operator"] for counter in (await centre.get()).json()["counters"]] == [None, "Anna"]


async def test_a_right_that_does_not_hold_sends_the_visitor_back_unless_the_operator_says_why_not(
    centre: Centre,
) -> None:
    await centre.open()
    for keep in (None, "nobody else waits"):
        await centre.issue(category="veteran")
        called = (await centre.call_next()).json()["id"]

        reason = {"reason": "no card"} if keep is None else {"reason": "no card", "keep": keep}
        withdrawn = (await centre.step(called, "withdraw-category", reason)).json()

        assert withdrawn["category_withdrawn"] is True
        assert withdrawn["state"] == ("called" if keep else "waiting")
        await centre.step(called, "cancel")
