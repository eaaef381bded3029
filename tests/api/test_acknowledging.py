"""A limit that has passed: who is known to wait, what was told of it, and who answers for it."""

import pytest

from tests.api.conftest import Centre, on_each_database

WORD = {"by": "Anna", "cause": "too_few_counters", "remark": "two are ill"}


@on_each_database
async def test_a_breach_is_answered_for_with_its_cause(centre: Centre) -> None:
    ticket = (await centre.issue()).json()["id"]
    centre.clock.go_on(minutes=16)

    answered = await centre.step(ticket, "acknowledge", WORD)

    assert answered.status_code == 200
    said = answered.json()["acknowledged"]
    assert {name: said[name] for name in WORD} == WORD
    assert answered.json()["escalated"] == 1
    assert (await centre.get(f"/tickets/{ticket}")).json()["history"][-1]["kind"] == "Acknowledged"


async def test_what_has_not_passed_its_limit_needs_no_answer(centre: Centre) -> None:
    ticket = (await centre.issue()).json()["id"]

    refused = await centre.step(ticket, "acknowledge", WORD)

    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/no-breach")
    assert refused.json()["ticket"] == ticket


@pytest.mark.parametrize(
    "change", [{"by": ""}, {"cause": "bad_luck"}, {"cause": None}, {"remark": "x" * 201}, {"remark": "two\nlines"}]
)
async def test_an_answer_that_is_none_is_refused(centre: Centre, change: dict[str, object]) -> None:
    ticket = (await centre.issue()).json()["id"]
    centre.clock.go_on(minutes=16)

    refused = await centre.step(ticket, "acknowledge", WORD | change)

    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/bad-input")


async def test_the_live_state_shows_who_is_near_the_limit_who_is_past_it_and_who_is_answered_for(
    centre: Centre,
) -> None:
    late = (await centre.issue()).json()["id"]
    centre.clock.go_on(minutes=5)
    near = (await centre.issue()).json()["id"]
    centre.clock.go_on(minutes=11)
    await centre.step(late, "acknowledge", WORD)
    await centre.issue()

    state = (await centre.get("")).json()

    assert [(service["warned"], service["over_limit"]) for service in state["services"] if service["waiting"]] == [
        (2, 1)
    ]
    assert {one["ticket"]: (one["over_limit_since"], one["acknowledged"]) for one in state["line"][:2]} == {
        late: ("2026-11-23T08:15:00.000Z", True),
        near: (None, False),
    }
