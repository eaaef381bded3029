"""What is written about the API is what the API is."""

import json
import re
from pathlib import Path
from typing import Any

from fastapi.routing import APIRoute

from app.clock import SystemClock
from app.main import FIRST, create_app, openapi_document
from app.settings import Settings
from app.web.document import EXAMPLES
from app.web.problems import STATUS, title_of, type_of
from tests.api.conftest import Centre
from tests.api.described import DOCUMENT

COMMITTED = Path(__file__).parents[2] / "openapi.json"


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    paths = DOCUMENT["paths"].items()
    return [(method, path, operation) for path, methods in paths for method, operation in methods.items()]


def test_the_committed_document_is_current() -> None:
    current = json.dumps(openapi_document(), indent=2, ensure_ascii=False) + "\n"

    assert COMMITTED.read_text(encoding="utf-8") == current, "run: fifteen openapi > openapi.json"


def test_every_operation_has_a_name_of_its_own() -> None:
    names = [operation["operationId"] for _, _, operation in operations()]

    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", name) for name in names)


def test_every_operation_tells_of_the_crash_and_every_write_of_a_full_house() -> None:
    for method, path, operation in operations():
        statuses = set(operation["responses"])
        assert "500" in statuses, path
        if method in ("post", "put"):
            assert {"404", "422", "503"} <= statuses, path
        if "requestBody" in operation:
            assert {"400", "413", "415"} <= statuses, path


def test_every_refusal_has_an_example_of_itself() -> None:
    examples = DOCUMENT["components"]["examples"]

    for kind, status in STATUS.items():
        example = examples[kind.__name__]["value"]
        assert (example["type"], example["title"], example["status"]) == (type_of(kind), title_of(kind), status)
        assert EXAMPLES.get(kind, {}).items() <= example.items()


def test_every_example_that_is_referred_to_exists() -> None:
    referred = set(re.findall(r"#/components/(\w+)/(\w+)", json.dumps(DOCUMENT)))

    assert referred
    assert all(name in DOCUMENT["components"][kind] for kind, name in referred)


def test_the_hot_routes_are_compared_first() -> None:
    routes = create_app(Settings.model_construct(), SystemClock()).routes

    assert {route.name for route in routes[:2] if isinstance(route, APIRoute)} == set(FIRST)


async def test_the_document_is_served_and_can_be_read(centre: Centre) -> None:
    served = await centre.http.get("/openapi.json")
    page = await centre.http.get("/docs")

    assert served.json() == DOCUMENT
    assert "POST /api/v1/offices/{office}/tickets" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
