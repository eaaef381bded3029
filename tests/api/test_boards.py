"""What a board shows, says and reports back."""

from typing import Any

import pytest

from tests.api.conftest import Centre, on_each_database


@on_each_database
async def test_a_call_stands_among_the_latest_until_the_board_has_told_of_it_and_after(centre: Centre) -> None:
    ticket = (await centre.issue(language="ru")).json()["id"]
    await centre.open()
    await centre.call_next()

    shown = await centre.step(ticket, "announced", {"board": "hall", "how": "shown"})
    await centre.step(ticket, "announced", {"board": "door", "how": "shown"})

    state = (await centre.get()).json()
    visitor = state["counters"][0]["visitor"]
    assert shown.status_code == 204
    assert [(call["number"], call["counter"], call["again"], call["missed"]) for call in state["calls"]] == [
        ("A001", "one", False, False)
    ]
    assert (visitor["language"], visitor["spoken_at"]) == ("ru", None)
    assert visitor["shown_at"] is not None
    history = (await centre.get(f"/tickets/{ticket}")).json()["history"]
    assert [fact["board"] for fact in history if fact["kind"] == "Announced"] == ["hall"]


@pytest.mark.parametrize(
    ("wrong", "at"),
    [(-0.1, "delay_seconds"), (3_601, "delay_seconds"), ("soon", "delay_seconds")],
)
async def test_a_delay_that_cannot_be_is_refused(centre: Centre, wrong: Any, at: str) -> None:
    ticket = (await centre.issue()).json()["id"]
    await centre.open()
    await centre.call_next()

    refused = await centre.step(ticket, "announced", {"board": "hall", "how": "spoken", "delay_seconds": wrong})

    assert refused.status_code == 422
    assert at in refused.text


async def test_who_did_not_come_is_marked_among_the_latest_calls(centre: Centre) -> None:
    ticket = (await centre.issue()).json()["id"]
    await centre.open()
    await centre.call_next()
    await centre.step(ticket, "no-show")

    late = await centre.step(ticket, "announced", {"board": "hall", "how": "spoken"})

    assert (await centre.get()).json()["calls"][0]["missed"] is True
    assert (late.status_code, late.json()["type"]) == (409, "/problems/step-forbidden")


async def test_the_promise_of_the_day_is_counted_by_channel(centre: Centre) -> None:
    await centre.issue()
    await centre.issue()
    await centre.open()
    await centre.call_next()
    centre.clock.go_on(minutes=16)
    await centre.open("two", "Boris")

    kept = (await centre.get()).json()["kept_today"]

    assert kept == {"walk_in": {"met": 1, "breached": 1}, "booked": {"met": 0, "breached": 0}}


async def test_a_counter_says_whether_anybody_waits_for_it(centre: Centre) -> None:
    await centre.issue("passport")

    counters = (await centre.get()).json()["counters"]

    assert [counter["waits"] for counter in counters] == [True, False]


async def test_every_visitor_gets_a_token_of_their_own_and_the_same_again(centre: Centre) -> None:
    first = (await centre.issue(key="one")).json()["visit"]
    second = (await centre.issue(key="two")).json()["visit"]

    again = (await centre.issue(key="one")).json()["visit"]

    assert first == again != second
    assert centre.app.state.tokens.read(second) == ("centre", "20261123-A002")
