"""What stands in the files of `deploy/`: rules, and the panels of dashboards."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from tests.docs.pages import REFERENCE, codes, rows
from tests.prometheus.programs import DEPLOY, RULES

DASHBOARDS = sorted((DEPLOY / "grafana" / "dashboards").glob("*.json"))


@dataclass(frozen=True)
class Panel:
    """A question that a panel asks of Prometheus."""

    dashboard: str
    title: str
    expression: str

    @property
    def asks(self) -> set[str]:
        """The server's series in it."""
        return series(self.expression)


def panels(office: str = "centre", service: str = "result") -> Iterator[Panel]:
    """The questions of all panels, marks of breaches included, for this office and service."""
    values = {"$__rate_interval": "1m", "$office": office, "$service": service}
    for path in DASHBOARDS:
        dashboard = json.loads(path.read_text(encoding="utf-8"))
        for panel in dashboard["panels"]:
            for target in panel["targets"]:
                yield Panel(dashboard["title"], panel["title"], _filled(target["expr"], values))
        for mark in dashboard["annotations"].get("list", ()):
            yield Panel(dashboard["title"], mark["name"], _filled(mark["expr"], values))


def rules() -> Iterator[Mapping[str, Any]]:
    """All rules, as they are written."""
    for path in sorted(RULES.glob("*.yml")):
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]:
            yield from group["rules"]


def series(expression: str) -> set[str]:
    """The names of the server's own series in an expression, a histogram's parts by its name."""
    names = re.findall(r"(?<![\w:])queue_\w+(?![\w:])", expression)
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in names}


def documented() -> set[str]:
    """The series that the reference tells of."""
    return {codes(row["metric"])[0] for row in rows(REFERENCE / "metrics.md", "metric")}


def _filled(expression: str, values: Mapping[str, str]) -> str:
    for variable, value in values.items():
        expression = expression.replace(variable, value)
    return expression
