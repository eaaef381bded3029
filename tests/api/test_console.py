"""An operator works at a counter."""

import pytest

from tests.api.conftest import Centre, on_each_database


@on_each_database
async def test_a_visitor_is_called_served_and_gone(centre: Centre) -> None:
    await centre.issue()
    await centre.open()
    centre.clock.go_on(minutes=4)

    called = await centre.call_next()
    ticket = called.json()["id"]
    centre.clock.go_on(minutes=1)
    started = await centre.step(ticket, "start")
    centre.clock.go_on(minutes=10)
    finished = await centre.step(ticket, "finish", {"outcome": "incomplete"})

    assert (called.status_code, called.json()["number"], called.json()["counter"]) == (200, "A001", "one")
    assert called.json()["wait_to_call_seconds"] == 240
    assert (started.json()["state"], started.json()["wait_to_start_seconds"]) == ("serving", 300)
    assert (finished.json()["state"], finished.json()["outcome"]) == ("served", "incomplete")


@on_each_database
async def test_nobody_in_line_is_an_empty_answer(centre: Centre) -> None:
    await centre.open()

    nobody = await centre.call_next()

    assert (nobody.status_code, nobody.content) == (204, b"")


@on_each_database
async def test_a_second_next_while_a_visitor_is_there_is_refused(centre: Centre) -> None:
    await centre.issue()
    await centre.issue()
    await centre.open()
    first = await centre.call_next()

    second = await centre.call_next()

    assert (second.status_code, second.json()["type"]) == (409, "/problems/counter-busy")
    assert second.json()["ticket"] == first.json()["id"]


@pytest.mark.parametrize("state", ["closed", "paused"])
async def test_a_counter_that_rests_calls_nobody(centre: Centre, state: str) -> None:
    await centre.issue()
    await centre.open()
    await centre.post("/counters/one/pause", {"reason": "lunch"})
    if state == "closed":
        await centre.post("/counters/one/close")

    refused = await centre.call_next()

    assert (refused.status_code, refused.json()["type"]) == (409, f"/problems/counter-is-{state}")


async def test_a_counter_belongs_to_one_operator_at_a_time(centre: Centre) -> None:
    opened = await centre.open(operator="Anna")

    refused = await centre.open(operator="Boris")

    assert (opened.json()["state"], opened.json()["operator"]) == ("open", "Anna")
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/counter-taken")


async def test_somebody_can_be_called_out_of_the_order_with_a_reason(centre: Centre) -> None:
    await centre.issue()
    second = (await centre.issue()).json()["id"]
    await centre.open()

    called = await centre.step(second, "call", {"counter": "one", "reason": "a crying child"})

    assert called.json()["number"] == "A002"
    visit = (await centre.get(f"/tickets/{second}")).json()
    assert (visit["because"]["rule"], visit["because"]["reason"]) == ("chosen", "a crying child")


async def test_a_number_is_recalled_up_to_the_limit_and_then_missed(centre: Centre) -> None:
    await centre.issue()
    await centre.open()
    ticket = (await centre.call_next()).json()["id"]

    recalls = [await centre.step(ticket, "recall") for _ in range(3)]
    missed = await centre.step(ticket, "no-show")

    assert [recall.status_code for recall in recalls] == [200, 200, 409]
    assert recalls[-1].json()["type"] == "/problems/recall-limit-reached"
    assert missed.json()["state"] == "missed"


async def test_a_visitor_goes_back_to_the_line_on_the_same_clock(centre: Centre) -> None:
    issued = (await centre.issue()).json()
    await centre.open()
    centre.clock.go_on(minutes=3)
    await centre.call_next()
    centre.clock.go_on(minutes=2)

    returned = (await centre.step(issued["id"], "return", {"reason": "went for a copy"})).json()

    assert (returned["state"], returned["due"]) == ("waiting", "2026-11-23T08:17:00.000Z")


async def test_a_hold_at_the_visitors_wish_stops_the_clock_and_ends_by_itself(centre: Centre) -> None:
    ticket = (await centre.issue()).json()["id"]
    await centre.open()

    held = await centre.step(ticket, "hold", {"by": "visitor", "until": "2026-11-23T08:20:00Z"})
    while_held = await centre.call_next()
    centre.clock.go_on(minutes=21)
    called = await centre.call_next()

    assert (held.json()["state"], held.json()["due"]) == ("held", None)
    assert while_held.status_code == 204
    assert (called.json()["id"], called.json()["wait_to_call_seconds"]) == (ticket, 60)


async def test_a_held_ticket_is_resumed_by_hand(centre: Centre) -> None:
    ticket = (await centre.issue()).json()["id"]
    await centre.step(ticket, "hold", {"by": "office"})

    resumed = await centre.step(ticket, "resume")

    assert resumed.json()["state"] == "waiting"


async def test_a_hold_that_ends_before_it_begins_is_refused(centre: Centre) -> None:
    ticket = (await centre.issue()).json()["id"]

    refused = await centre.step(ticket, "hold", {"by": "office", "until": "2026-11-23T07:59:59Z"})

    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/hold-in-the-past")
    assert refused.json()["until"] == "2026-11-23T07:59:59.000Z"


@on_each_database
async def test_a_transfer_keeps_number_and_clock_and_comes_back(centre: Centre) -> None:
    issued = (await centre.issue("passport")).json()
    await centre.open()
    await centre.call_next()
    await centre.step(issued["id"], "start")

    sent = (
        await centre.step(issued["id"], "transfer", {"service": "advice", "counter": "two", "come_back": True})
    ).json()

    assert (sent["number"], sent["clock_start"]) == (issued["number"], issued["clock_start"])
    assert (sent["service"], sent["only_counter"]) == ("advice", "two")
    assert sent["stops"] == [{"service": "passport", "counter": "one"}]


async def test_a_transfer_to_a_counter_that_does_not_serve_it_is_refused(centre: Centre) -> None:
    ticket = (await centre.issue("passport")).json()["id"]

    refused = await centre.step(ticket, "transfer", {"counter": "two"})

    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/nobody-serves")


@on_each_database
async def test_the_last_step_is_taken_back(centre: Centre) -> None:
    await centre.issue()
    await centre.open()
    ticket = (await centre.call_next()).json()["id"]
    await centre.step(ticket, "no-show")

    undone = await centre.post("/counters/one/undo")
    too_late = await centre.post("/counters/one/undo")

    assert (undone.status_code, undone.json()["state"]) == (200, "called")
    assert (too_late.status_code, too_late.json()["type"]) == (409, "/problems/nothing-to-undo")


async def test_a_visitor_who_gives_up_has_left(centre: Centre) -> None:
    ticket = (await centre.issue()).json()["id"]

    left = await centre.step(ticket, "cancel")

    assert left.json()["state"] == "left"


async def test_a_category_is_verified_or_withdrawn_at_the_counter(centre: Centre) -> None:
    honest = (await centre.issue(category="veteran")).json()["id"]
    bold = (await centre.issue(category="veteran")).json()["id"]
    plain = (await centre.issue()).json()["id"]

    verified = await centre.step(honest, "verify-category")
    withdrawn = await centre.step(bold, "withdraw-category", {"reason": "no certificate"})
    refused = await centre.step(plain, "verify-category")

    assert verified.json()["category_verified"]
    assert withdrawn.json()["category_withdrawn"]
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/no-category")


async def test_a_step_the_table_forbids_is_refused(centre: Centre) -> None:
    ticket = (await centre.issue()).json()["id"]

    refused = await centre.step(ticket, "finish")

    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/step-forbidden")
    assert (refused.json()["state"], refused.json()["ticket"]) == ("waiting", ticket)


async def test_several_services_end_one_visit(centre: Centre) -> None:
    ticket = (await centre.issue("advice", further=["passport"])).json()["id"]
    await centre.open()
    await centre.call_next()
    await centre.step(ticket, "start")

    moved_on = (await centre.step(ticket, "finish")).json()

    assert (moved_on["state"], moved_on["service"], moved_on["issued_service"]) == ("waiting", "passport", "advice")


async def test_who_is_held_is_named_with_the_counter_and_the_end_of_the_hold(centre: Centre) -> None:
    first = (await centre.issue()).json()["id"]
    second = (await centre.issue()).json()["id"]
    await centre.open()
    await centre.call_next()
    await centre.step(first, "hold", {"by": "visitor", "until": "2026-11-23T08:30:00Z"})
    await centre.step(second, "hold", {"by": "office"})

    state = (await centre.get()).json()

    held = [(each["number"], each["counter"], each["by"], each["until"]) for each in state["on_hold"]]
    assert held == [("A001", "one", "visitor", "2026-11-23T08:30:00.000Z"), ("A002", None, "office", None)]
    assert state["held"] == 2
    assert all(each["since"].startswith("2026-11-23T08:00:") for each in state["on_hold"])
