"""A visitor wants to know where the ticket stands, and why."""

from tests.api.conftest import Centre, on_each_database


@on_each_database
async def test_a_visit_is_told_from_its_issue_on(centre: Centre) -> None:
    ticket = (await centre.issue()).json()["id"]
    await centre.open()
    centre.clock.go_on(minutes=20)
    await centre.call_next()
    await centre.step(ticket, "start")
    await centre.step(ticket, "finish")

    visit = (await centre.get(f"/tickets/{ticket}")).json()

    told = ["Warned", "Breached", "Escalated", "Escalated"]
    assert [fact["kind"] for fact in visit["history"]] == ["Issued", *told, "Called", "Relieved", "Started", "Served"]
    assert visit["history"][2]["due"] == "2026-11-23T08:15:00.000Z"
    assert (visit["ticket"]["state"], visit["ticket"]["breached_due"]) == ("served", "2026-11-23T08:15:00.000Z")
    assert visit["ticket"]["seq"] == visit["history"][-1]["seq"]
    assert visit["place"] is None


async def test_who_waits_is_told_who_is_ahead_and_by_which_rule(centre: Centre) -> None:
    await centre.issue()
    mine = (await centre.issue()).json()["id"]
    await centre.issue()
    centre.clock.go_on(minutes=5)
    await centre.issue("passport", category="veteran")

    place = (await centre.get(f"/tickets/{mine}")).json()["place"]

    assert (place["rule"], place["ahead"]) == ("accumulating_priority", 2)
    assert [(other["number"], other["rank"]) for other in place["ahead_first"]] == [
        ("B001", "out_of_turn"),
        ("A001", "walk_in"),
    ]
    assert (place["standing"]["number"], place["standing"]["waited_seconds"]) == ("A002", 300)


async def test_nobody_is_ahead_for_whom_no_shared_counter_works(centre: Centre) -> None:
    named = (await centre.issue("advice")).json()["id"]
    await centre.step(named, "transfer", {"counter": "two"})
    passport = (await centre.issue("passport")).json()["id"]

    place = (await centre.get(f"/tickets/{passport}")).json()["place"]

    assert (place["ahead"], place["ahead_first"]) == (0, [])


async def test_why_somebody_went_first_has_an_answer(centre: Centre) -> None:
    await centre.issue()
    booked = (await centre.booked("2026-11-23T08:00:00Z")).json()["id"]
    await centre.open()
    centre.clock.go_on(minutes=2)
    await centre.call_next()

    because = (await centre.get(f"/tickets/{booked}")).json()["because"]

    assert because["rule"] == "accumulating_priority"
    assert (because["chosen"]["number"], because["chosen"]["rank"]) == ("A002", "booked")
    assert [(other["number"], other["rank"]) for other in because["others"]] == [("A001", "walk_in")]
    assert because["chosen"]["points"] > because["others"][0]["points"]


async def test_a_call_taken_back_is_no_reason_any_more(centre: Centre) -> None:
    ticket = (await centre.issue()).json()["id"]
    await centre.open()
    await centre.call_next()
    await centre.post("/counters/one/undo")

    visit = (await centre.get(f"/tickets/{ticket}")).json()

    assert (visit["ticket"]["state"], visit["because"]) == ("waiting", None)
    assert visit["place"]["ahead"] == 0
    assert [fact["kind"] for fact in visit["history"]] == ["Issued", "Called", "Undone"]


async def test_the_ticket_told_from_history_is_the_ticket_of_the_hall(centre: Centre) -> None:
    ticket = (await centre.issue(category="veteran")).json()["id"]
    await centre.open()
    await centre.call_next()
    await centre.step(ticket, "recall")
    await centre.step(ticket, "return")
    last = (await centre.step(ticket, "withdraw-category", {"reason": "no certificate"})).json()

    visit = (await centre.get(f"/tickets/{ticket}")).json()

    assert visit["ticket"] == last
