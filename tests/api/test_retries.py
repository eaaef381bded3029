"""A request that is repeated because its answer got lost."""

import pytest

from tests.api.conftest import Centre, on_each_database


@on_each_database
async def test_a_repeated_issue_gets_the_same_ticket(centre: Centre) -> None:
    first = await centre.issue(key="kiosk-1")
    centre.clock.go_on(minutes=30)
    await centre.open()
    await centre.call_next()

    again = await centre.issue(key="kiosk-1")

    assert (again.status_code, again.content) == (201, first.content)
    assert (await centre.issue()).json()["number"] == "A002"


@on_each_database
async def test_a_repeated_call_gets_the_same_visitor(centre: Centre) -> None:
    await centre.issue()
    await centre.issue()
    await centre.open()
    first = await centre.call_next(key="next-1")
    await centre.step(first.json()["id"], "no-show")

    again = await centre.call_next(key="next-1")

    assert (again.status_code, again.content) == (200, first.content)


@on_each_database
async def test_a_repeated_call_of_nobody_stays_nobody(centre: Centre) -> None:
    await centre.open()
    await centre.call_next(key="next-1")
    await centre.issue()

    again = await centre.call_next(key="next-1")

    assert (again.status_code, again.content) == (204, b"")


@on_each_database
async def test_a_key_used_with_another_body_is_refused(centre: Centre) -> None:
    await centre.issue("advice", key="kiosk-1")
    before = await centre.seq()

    refused = await centre.issue("passport", key="kiosk-1")

    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/key-reused")
    assert await centre.seq() == before


async def test_a_refusal_is_not_kept_so_the_same_key_succeeds_later(centre: Centre) -> None:
    await centre.issue()
    refused = await centre.call_next(key="next-1")
    await centre.open()

    called = await centre.call_next(key="next-1")

    assert (refused.status_code, called.status_code) == (409, 200)


@pytest.mark.parametrize("path", ["/tickets", "/counters/one/call-next"])
async def test_issue_and_call_next_need_a_key(centre: Centre, path: str) -> None:
    await centre.open()
    before = await centre.seq()

    refused = await centre.post(path, {"service": "advice"})

    assert (refused.status_code, refused.json()["type"]) == (400, "/problems/key-missing")
    assert await centre.seq() == before


async def test_other_writes_honour_a_key_too(centre: Centre) -> None:
    ticket = (await centre.issue()).json()["id"]
    first = await centre.post(f"/tickets/{ticket}/cancel", key="leave-1")

    again = await centre.post(f"/tickets/{ticket}/cancel", key="leave-1")
    without = await centre.post(f"/tickets/{ticket}/cancel")

    assert (again.status_code, again.content) == (200, first.content)
    assert without.status_code == 409


@pytest.mark.parametrize("key", [b"", b"two words", b"x" * 201, "кириллица".encode(), b"tab\tbed"])
async def test_a_key_is_visible_ascii_of_at_most_200_letters(centre: Centre, key: bytes) -> None:
    before = await centre.seq()

    refused = await centre.http.post(
        "/api/v1/offices/centre/tickets", json={"service": "advice"}, headers={b"Idempotency-Key": key}
    )

    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/bad-input")
    assert refused.json()["errors"][0]["at"] == "header.Idempotency-Key"
    assert await centre.seq() == before
