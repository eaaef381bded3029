"""A letter that no database keeps is its own request's 422, wherever it is written and on whichever route."""

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests.api.conftest import CENTRE, Centre, on_each_database
from tests.api.described import DOCUMENT

UNKEPT = {
    "NUL": "a\0b",
    "the first half of a pair": "a\ud83db",
    "the second half": "\udc00",
    "halves turned": "\udc00\ud83d",
}
KEPT = ["\U0001f600", "\\u0000", "\\ud800", "\\\\u0000", "é"]
GOOD = {"office": "centre", "counter": "one", "ticket": "20261123-A001", "service": "advice", "kiosk": "hall"}

Asked = tuple[str, str, Any, str]
"""Method, address, body (None: none) and where in it the letter stands."""


def asked(text: str) -> Iterator[Asked]:
    """Every place in a request of the document that a text can be written into."""
    for path, operations in DOCUMENT["paths"].items():
        for method, operation in operations.items():
            if "\0" in text:
                yield from in_address(path, method, operation)
            if content := operation.get("requestBody", {}).get("content", {}).get("application/json"):
                for body, at in bodies(members(content["schema"]), text):
                    yield method, filled(path), body, at


def in_address(path: str, method: str, operation: Any) -> Iterator[Asked]:
    """In an address half of a pair has no form: only NUL can be written there."""
    for parameter in operation.get("parameters", ()):
        match parameter["in"]:
            case "path":
                yield method, filled(path, {parameter["name"]: "a%00b"}), None, "path"
            case "query":
                yield method, f"{filled(path)}?{parameter['name']}=a%00b", None, "query"
            case _:
                continue


def bodies(names: list[str], text: str) -> Iterator[tuple[Any, str]]:
    """Bodies with a text in each member, deeper, in a name of a member, and instead of all."""
    for name in names:
        yield {name: text}, name
        yield {name: [{"deep": [text]}]}, f"{name}[0].deep[0]"
    yield {text: 1}, ""
    yield text, ""


def members(schema: Any) -> list[str]:
    """The names that a body may have."""
    if "$ref" in schema:
        schema = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return [*schema.get("properties", {})] + [name for each in schema.get("anyOf", ()) for name in members(each)]


def filled(path: str, values: Any = ()) -> str:
    """An address of a route."""
    return re.sub(r"\{(\w+)\}", lambda place: (GOOD | dict(values)).get(place[1], "1"), path)


async def send(centre: Centre, method: str, address: str, body: Any) -> httpx2.Response:
    """Have it answered. Bodies are spelled in ASCII, as most programs do: so any letter can be written."""
    content = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", "Idempotency-Key": "letters"}
    return await centre.http.request(method.upper(), address, headers=headers, content=content)


@on_each_database
async def test_no_route_takes_what_cannot_be_kept(centre: Centre) -> None:
    before = await centre.seq()
    tried = 0

    for name, text in UNKEPT.items():
        for method, address, body, at in asked(text):
            refused = await send(centre, method, address, body)
            told = (refused.status_code, [mistake["at"] for mistake in refused.json().get("errors", ())])
            assert told == (422, [at]), f"{name}: {method} {address} {at}"
            tried += 1

    assert tried > 400
    assert await centre.seq() == before
    assert (await centre.issue()).status_code == 201


@pytest.mark.parametrize("text", KEPT)
async def test_what_only_looks_like_it_is_taken(centre: Centre, text: str) -> None:
    opened = await send(centre, "post", "/api/v1/offices/centre/counters/one/open", {"operator": text})

    assert opened.json()["operator"] == text


async def test_a_large_description_is_refused_without_a_search_for_the_place(centre: Centre) -> None:
    name = {"en": "Centre", "ru": "\ud800" + "я" * 20_000}

    refused = await send(centre, "put", "/api/v1/offices/centre", {**CENTRE, "name": name})

    assert (refused.status_code, [mistake["at"] for mistake in refused.json()["errors"]]) == (422, [""])


@pytest.mark.parametrize("body", ['{"operator": "\\ud800', '{"operator": NaN, "a": "\\ud800"}', '"\\ud800" "\\u0000"'])
async def test_what_is_no_json_stays_malformed(centre: Centre, body: str) -> None:
    refused = await centre.http.post(
        "/api/v1/offices/centre/counters/one/open", content=body, headers={"Content-Type": "application/json"}
    )

    assert (refused.status_code, refused.json()["type"]) == (400, "/problems/malformed-body")
