"""The reference is complete and true: whatever exists is in it, and whatever is in it exists."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import Table
from typer.main import get_group

from app.clock import SystemClock
from app.command_line.commands import fifteen
from app.configuration.shape import TABLES
from app.configuration.shape import Table as OfficeTable
from app.journal.schema import metadata
from app.main import create_app, openapi_document
from app.settings import Settings
from app.web.document import EXAMPLES
from app.web.problems import STATUS, title_of, type_of
from queue_core.facts import FACTS, Fact, TicketFact
from queue_core.tallies import EDGES
from tests.docs.pages import REFERENCE, codes, rows

# Settings


def test_every_setting_is_there_with_its_default() -> None:
    documented = {codes(row["variable"])[0]: row["default"] for row in rows(REFERENCE / "settings.md", "variable")}

    settings = {f"FIFTEEN_{name.upper()}": field.default for name, field in Settings.model_fields.items()}

    assert documented.keys() == settings.keys()
    told = {name: default for name, default in settings.items() if default is not None}
    assert {name: documented[name] for name in told} == {name: _as_set(default) for name, default in told.items()}


def _as_set(default: object) -> str:
    """A default as one would write it into the environment."""
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


# The office file


@pytest.mark.parametrize(
    ("section", "table"), [(path, table) for path, table in TABLES.items() if path != ("services", "limits")]
)
def test_every_key_of_the_office_file_is_there_with_its_default(
    section: tuple[str, ...], table: type[OfficeTable]
) -> None:
    lists = ("groups", "services", "counters", "categories", "escalation")
    heading = "".join(f"[[{name}]]" if name in lists else f"[{name}]" for name in section) or "The office"

    documented = {
        codes(row["key"])[0]: row["default"] for row in rows(REFERENCE / "office-file.md", "key", under=heading)
    }

    assert documented.keys() == table.model_fields.keys()
    for key, field in table.model_fields.items():
        assert (documented[key] == "–") == field.is_required(), key
        if isinstance(field.default, int | str) or key == "languages":
            assert documented[key] == f"`{_as_toml(field.default)}`", key


def _as_toml(default: object) -> str:
    return (
        str(default).lower()
        if isinstance(default, int)
        else str(default).replace("'", '"')
        if isinstance(default, list)
        else f'"{default}"'
    )


# The HTTP API


def test_every_problem_is_there_with_its_status_and_sentence() -> None:
    documented = {
        codes(row["problem"])[0]: (row["status"], row["title"]) for row in rows(REFERENCE / "http-api.md", "problem")
    }

    assert documented == {
        type_of(kind).removeprefix("/problems/"): (str(status), title_of(kind)) for kind, status in STATUS.items()
    }


def test_every_member_of_a_problem_is_there() -> None:
    documented = {
        codes(row["problem"])[0]: set(codes(row["members"])) for row in rows(REFERENCE / "http-api.md", "problem")
    }

    for kind, members in EXAMPLES.items():
        assert set(members) <= documented[type_of(kind).removeprefix("/problems/")], kind


def test_every_route_is_there_and_says_whether_it_needs_a_key() -> None:
    documented = {
        codes(row["route"])[0]: row["route"].endswith(" K") for row in rows(REFERENCE / "http-api.md", "route")
    }

    assert documented == {
        f"{method.upper()} {path}": _needs_key(operation)
        for path, operations in openapi_document()["paths"].items()
        for method, operation in operations.items()
    }


def test_every_member_of_a_body_is_there() -> None:
    document = openapi_document()
    documented = {codes(row["route"])[0]: set(codes(row["body"])) for row in rows(REFERENCE / "http-api.md", "route")}

    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert _members(document, operation) <= documented[f"{method.upper()} {path}"], path


def _needs_key(operation: Mapping[str, Any]) -> bool:
    parameters = operation.get("parameters", ())
    return any(parameter["name"] == "Idempotency-Key" and parameter["required"] for parameter in parameters)


def _members(document: Mapping[str, Any], operation: Mapping[str, Any]) -> set[str]:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    references = re.findall(r"#/components/schemas/(\w+Wish)'", str(body))
    schemas = document["components"]["schemas"]
    return {member for name in references for member in schemas[name].get("properties", ())}


# Metrics


async def test_every_metric_is_there_with_its_type_and_labels(tmp_path: Path) -> None:
    documented = {
        codes(row["metric"])[0]: (row["type"], set(codes(row["labels"])))
        for row in rows(REFERENCE / "metrics.md", "metric")
    }

    text = await _scraped(tmp_path)

    kinds = re.findall(r"^# TYPE (queue_\w+) (\w+)$", text, re.MULTILINE)
    assert documented == {name: (kind, _labels(text, name)) for name, kind in kinds if not name.endswith("_created")}


def test_every_edge_of_the_histograms_is_there() -> None:
    numbers = map(int, re.findall(r"\d+", (REFERENCE / "metrics.md").read_text(encoding="utf-8")))

    assert set(EDGES) <= set(numbers)


async def _scraped(folder: Path) -> str:
    """What Prometheus reads of a server with the example office."""
    app = create_app(Settings(database=str(folder / "fifteen.db"), example=True), SystemClock())
    prometheus = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://queue")
    async with app.router.lifespan_context(app), prometheus:
        return (await prometheus.get("/metrics")).text


def _labels(text: str, name: str) -> set[str]:
    lines = re.findall(rf"^{name}(?:_bucket|_sum|_count)?(?:{{(.*)}})? ", text, re.MULTILINE)
    return {label for line in lines for label in re.findall(r'(\w+)="', line)} - {"le"}


# The command line


def test_every_command_is_there_with_all_its_options() -> None:
    page = (REFERENCE / "commands.md").read_text(encoding="utf-8")
    sections = {words.split()[0]: words for words in re.findall(r"^## `fifteen (.*)`$", page, re.MULTILINE)}

    commands = get_group(fifteen).commands

    assert sections.keys() == commands.keys()
    for name, command in commands.items():
        listed = rows(REFERENCE / "commands.md", "option", under=f"fifteen {sections[name]}")
        assert [word for row in listed for word in codes(row["option"])] == list(_words(command.params)), name
        assert sections[name].split()[1:] == [word for word in _words(command.params) if word.isupper()]


def _words(parameters: Iterable[Any]) -> Iterator[str]:
    """What may be typed after a command."""
    for parameter in parameters:
        if parameter.param_type_name == "argument":
            yield parameter.name.upper()
        else:
            yield from (*parameter.opts, *parameter.secondary_opts)


# The database


@pytest.mark.parametrize("table", metadata.tables.values(), ids=lambda table: table.name)
def test_every_column_is_there_and_says_whether_it_may_be_null(table: Table) -> None:
    documented = {
        codes(row["column"])[0]: row["kind"].endswith(", null")
        for row in rows(REFERENCE / "database.md", "column", under=table.name)
    }

    assert documented == {column.name: bool(column.nullable) for column in table.columns}


def test_every_kind_of_fact_is_there_with_all_that_it_holds() -> None:
    documented = {codes(row["kind"])[0]: codes(row["body"]) for row in rows(REFERENCE / "database.md", "kind", "body")}

    def told(fact: type[Fact]) -> list[str]:
        known = {field.name for field in fields(TicketFact if issubclass(fact, TicketFact) else Fact)}
        return [field.name for field in fields(fact) if field.name not in known]

    assert documented == {name: told(fact) for name, fact in FACTS.items()}
