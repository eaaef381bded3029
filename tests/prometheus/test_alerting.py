"""From a visitor who waits too long to the person who is told, through a real Prometheus and Alertmanager."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.configuration import document_of, office_of
from app.configuration.shape import WEEKDAYS
from tests.command_line.servers import LiveServer, serving
from tests.configuration.documents import smallest
from tests.prometheus.programs import Message, alertmanager, prometheus, receiver, soon

LIMIT_SECONDS = 12
ALWAYS_OPEN = smallest(
    hours={day: ["00:00-24:00"] for day in WEEKDAYS}, limits={"walk_in_seconds": LIMIT_SECONDS, "booked_seconds": 5}
)
ANSWER_SECONDS = 10
"""A scrape every 5 s, the rules every 5 s, and Alertmanager without a wait."""

GONE_SECONDS = 15
"""How long nobody must answer."""

MORE_SECONDS = 5
"""What Alertmanager takes its time for before it says that an alert is over: group_interval."""


@pytest.mark.needs("prometheus", "prometheus-alertmanager")
def test_people_are_told_within_ten_seconds_of_due_and_when_the_visitor_is_called(tmp_path: Path) -> None:
    with (
        receiver() as (people, told),
        alertmanager(tmp_path, people) as notifier,
        serving(tmp_path, "--no-example") as server,
        prometheus(tmp_path, server.url.removeprefix("http://"), notifier),
    ):
        _describe(server)
        soon(lambda: of("DeadMansSwitch", told))

        due = _due_of_a_new_ticket(server)
        soon(lambda: of("VisitorOverLimit", told))
        _call(server)
        called = datetime.now(UTC).timestamp()
        soon(lambda: of("VisitorOverLimit", told, "resolved"))

    [(fired, _, alert)] = of("VisitorOverLimit", told)
    [(cleared, _, _)] = of("VisitorOverLimit", told, "resolved")
    sys.stdout.write(f"told {fired - due:.1f} s after due, cleared {cleared - called:.1f} s after the call\n")
    assert alert["labels"] == {
        "alertname": "VisitorOverLimit",
        "severity": "critical",
        "office": "branch",
        "service": "papers",
    }
    assert "Past the limit: 1. Counters: closed 0 open 1 paused 0 serving 0." in alert["annotations"]["description"]
    assert 0 <= fired - due < ANSWER_SECONDS
    assert 0 <= cleared - called < ANSWER_SECONDS + MORE_SECONDS
    assert {path for _, path, alert in told if alert["labels"]["alertname"] == "DeadMansSwitch"} == {"/alive"}
    assert {path for _, path, alert in told if alert["labels"]["alertname"] != "DeadMansSwitch"} == {"/alerts"}
    assert {alert["labels"]["alertname"] for _, path, alert in told} <= {
        "DeadMansSwitch",
        "LimitNear",
        "LimitPassed",
        "VisitorOverLimit",
    }


@pytest.mark.needs("prometheus", "prometheus-alertmanager")
def test_a_killed_server_is_told_of_and_its_silence_is_no_all_clear(tmp_path: Path) -> None:
    with (
        receiver() as (people, told),
        alertmanager(tmp_path, people) as notifier,
        serving(tmp_path, "--no-example") as server,
        prometheus(tmp_path, server.url.removeprefix("http://"), notifier) as asked,
    ):
        _describe(server)
        _due_of_a_new_ticket(server)
        soon(lambda: of("VisitorOverLimit", told))

        server.kill()
        killed = datetime.now(UTC).timestamp()
        soon(lambda: of("ServerGone", told))
        soon(lambda: asked.ask('ALERTS{alertname="ServerAway",alertstate="firing"}', datetime.now(UTC)))
        assert asked.ask('ALERTS{alertname="VisitorOverLimit"}', datetime.now(UTC)) == []
        with serving(tmp_path, "--no-example", "--port", server.url.rpartition(":")[2]):
            soon(lambda: of("ServerGone", told, "resolved"))

    [(gone, _, _)] = of("ServerGone", told)
    sys.stdout.write(f"told {gone - killed:.1f} s after the kill\n")
    assert 0 <= gone - killed < GONE_SECONDS + ANSWER_SECONDS
    assert len(of("VisitorOverLimit", told)) == 1
    assert of("VisitorOverLimit", told, "resolved") == []
    assert of("ServerAway", told) == []


def of(name: str, told: Sequence[Message], status: str = "firing") -> list[Message]:
    """What was told of an alert."""
    return [each for each in told if (each[2]["labels"]["alertname"], each[2]["status"]) == (name, status)]


def _describe(server: LiveServer) -> None:
    document = document_of(office_of(ALWAYS_OPEN, "branch"))
    server.http.put("/api/v1/offices/branch", json=document).raise_for_status()
    server.http.post("/api/v1/offices/branch/counters/1/open", json={"operator": "anna"}).raise_for_status()


def _due_of_a_new_ticket(server: LiveServer) -> float:
    ticket = server.issue("branch", "papers", "ticket")
    told = server.http.get(f"/api/v1/offices/branch/tickets/{ticket}").raise_for_status().json()["ticket"]
    return datetime.fromisoformat(told["due"]).timestamp()


def _call(server: LiveServer) -> None:
    key = {"Idempotency-Key": "call"}
    server.http.post("/api/v1/offices/branch/counters/1/call-next", headers=key).raise_for_status()
