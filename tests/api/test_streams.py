"""Screens and programs listen to the centre over a real connection."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from tests.api.conftest import Centre
from tests.api.served import served


@pytest.fixture
async def listening(centre: Centre) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the centre over the wire."""
    async with served(centre.app) as address, httpx2.AsyncClient(base_url=address, timeout=30) as http:
        yield http


async def events(response: httpx2.Response) -> AsyncIterator[dict[str, Any]]:
    """The events of a stream as they come."""
    async for line in response.aiter_lines():
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))


async def test_a_screen_is_sent_the_whole_state_whenever_it_changes(
    centre: Centre, listening: httpx2.AsyncClient
) -> None:
    async with listening.stream("GET", "/api/v1/offices/centre/stream") as response:
        told = events(response)
        first = await anext(told)
        await centre.issue()
        second = await anext(told)

    assert response.headers["content-type"] == "text/event-stream"
    assert first["waiting"] == 0
    assert [place["number"] for place in second["line"]] == ["A001"]
    assert second == (await centre.get()).json()


async def test_a_program_is_sent_every_fact_from_where_it_stopped(
    centre: Centre, listening: httpx2.AsyncClient
) -> None:
    await centre.issue()
    followed = {"view": "facts", "after": "1"}

    async with listening.stream("GET", "/api/v1/offices/centre/stream", params=followed) as response:
        told = events(response)
        kinds = [(await anext(told))["kind"] for _ in range(2)]
        await centre.open()
        kinds.append((await anext(told))["kind"])

    assert kinds == ["DayOpened", "Issued", "CounterOpened"]


async def test_a_stream_of_an_unknown_office_is_a_problem(listening: httpx2.AsyncClient) -> None:
    refused = await listening.get("/api/v1/offices/nowhere/stream")

    assert (refused.status_code, refused.headers["content-type"]) == (404, "application/problem+json")


async def test_an_oversized_body_in_pieces_is_refused_over_the_wire(
    centre: Centre, listening: httpx2.AsyncClient
) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(70):
            yield b" " * 1_000

    headers = {"Idempotency-Key": "k", "Content-Type": "application/json"}
    refused = await listening.post("/api/v1/offices/centre/tickets", content=pieces(), headers=headers)

    assert (refused.status_code, refused.json()["type"]) == (413, "/problems/body-too-large")
    assert (await centre.get()).json()["waiting"] == 0
