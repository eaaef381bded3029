"""The rules do what they say, by the programs that will read them."""

from pathlib import Path

import pytest

from tests.docs.pages import DOCS, anchors
from tests.prometheus.deployed import documented, rules, series
from tests.prometheus.programs import ALERTMANAGER, CONFIGURATION, DEPLOY, RULES, told

STORIES = sorted((DEPLOY / "prometheus" / "tests").glob("*.yml"))
RUNBOOK = DOCS / "how-to" / "runbook.md"
ALERTS = [rule for rule in rules() if "alert" in rule]


@pytest.mark.needs("promtool")
@pytest.mark.parametrize("stories", STORIES, ids=lambda path: path.stem)
def test_the_stories_of_the_rules_come_true(stories: Path) -> None:
    assert "SUCCESS" in told("promtool", "test", "rules", stories)


@pytest.mark.needs("promtool")
def test_prometheus_takes_its_configuration_and_all_rules() -> None:
    checked = told("promtool", "check", "config", "--lint-fatal", CONFIGURATION)

    assert f"{len(list(RULES.glob('*.yml')))} rule files found" in checked


@pytest.mark.needs("amtool")
def test_alertmanager_takes_its_configuration() -> None:
    assert "SUCCESS" in told("amtool", "check-config", ALERTMANAGER)


@pytest.mark.needs("amtool")
@pytest.mark.parametrize("alert", sorted({rule["alert"] for rule in ALERTS}))
def test_every_alert_but_the_switch_goes_to_people(alert: str) -> None:
    route = told("amtool", "config", "routes", "test", f"--config.file={ALERTMANAGER}", f"alertname={alert}")

    assert route.strip() == ("dead-mans-switch" if alert == "DeadMansSwitch" else "people")


def test_every_alert_has_a_story() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in STORIES)

    assert [rule["alert"] for rule in ALERTS if f"alertname: {rule['alert']}\n        exp_alerts" not in text] == []


def test_every_alert_says_how_bad_it_is_what_happened_and_where_to_read_on() -> None:
    for rule in ALERTS:
        assert rule["labels"]["severity"] in ("critical", "warning", "none"), rule["alert"]
        assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}, rule["alert"]
        page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
        assert (DOCS / page, anchor) == (RUNBOOK, rule["alert"].lower())


def test_the_runbook_has_a_section_for_every_alert_and_no_other() -> None:
    names = {rule["alert"].lower() for rule in ALERTS}

    assert anchors(RUNBOOK) - {"what-to-do-when-an-alert-comes"} == names


def test_rules_ask_for_nothing_that_the_server_does_not_tell() -> None:
    asked = {name for rule in rules() for name in series(rule["expr"])}

    assert asked <= documented()
