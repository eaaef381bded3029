"""The dashboards are what their script writes, and ask what Prometheus can answer."""

import json
import re
from pathlib import Path

import pytest
import yaml

from deploy.grafana import dashboards
from tests.prometheus.deployed import DASHBOARDS, documented, panels, rules
from tests.prometheus.programs import DEPLOY, told

PROVISIONING = DEPLOY / "grafana" / "provisioning"


def test_the_files_are_what_the_script_writes() -> None:
    written = {path.name: path.read_text(encoding="utf-8") for path in DASHBOARDS}

    assert written == dict(dashboards.texts())


def test_links_lead_from_the_network_to_an_office_to_a_service() -> None:
    links = {path.stem: re.findall(r'"url": "/d/([\w-]+)\?', path.read_text(encoding="utf-8")) for path in DASHBOARDS}

    assert links == {
        "fifteen-network": ["fifteen-office"],
        "fifteen-office": ["fifteen-service"],
        "fifteen-service": [],
        "fifteen-watch": [],
    }
    assert {path.stem for path in DASHBOARDS} == {
        json.loads(path.read_text(encoding="utf-8"))["uid"] for path in DASHBOARDS
    }


def test_every_panel_asks_the_source_that_is_provisioned() -> None:
    sources = yaml.safe_load((PROVISIONING / "datasources" / "prometheus.yml").read_text(encoding="utf-8"))
    asked = {
        target["datasource"]["uid"]
        for path in DASHBOARDS
        for panel in json.loads(path.read_text(encoding="utf-8"))["panels"]
        for target in [panel, *panel["targets"]]
    }

    assert asked == {source["uid"] for source in sources["datasources"]}


@pytest.mark.needs("promtool")
def test_every_panel_asks_in_promql(tmp_path: Path) -> None:
    asked = [{"record": "panel", "expr": panel.expression, "labels": {"n": str(n)}} for n, panel in enumerate(panels())]
    file = tmp_path / "panels.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": asked}]}))

    assert f"{len(asked)} rules found" in told("promtool", "check", "rules", file)


def test_panels_ask_for_nothing_that_nobody_tells() -> None:
    recorded = {rule["record"] for rule in rules() if "record" in rule}

    assert {name for panel in panels() for name in panel.asks} <= documented()
    assert {name for panel in panels() for name in re.findall(r"\w+:\w+:\w+", panel.expression)} <= recorded
