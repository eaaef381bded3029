"""From a visitor who waits too long to whoever is told: a program by webhook, people through Alertmanager."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.configuration import document_of, office_of
from app.configuration.shape import WEEKDAYS
from tests.alerts.receiving import Receiver, receiving
from tests.alerts.telling import SECRET
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

WEBHOOK_SECONDS = 1
"""A webhook waits for nobody."""


@pytest.mark.timed
@pytest.mark.needs("prometheus", "prometheus-alertmanager")
def test_programs_are_told_within_a_second_and_people_within_ten_of_due_and_of_the_call(tmp_path: Path) -> None:
    with (
        receiver() as (people, told),
        alertmanager(tmp_path, people) as notifier,
        receiving() as program,
        serving(tmp_path, "--no-example", alerts=_telling(tmp_path, program)) as server,
        prometheus(tmp_path, server.url.removeprefix("http://"), notifier),
    ):
        _describe(server)
        soon(lambda: of("DeadMansSwitch", told))

        due = _due_of_a_new_ticket(server)
        soon(lambda: of("VisitorOverLimit", told))
        _call(server)
        called = datetime.now(UTC).timestamp()
        soon(lambda: of("VisitorOverLimit", told, "resolved"))

    breached, relieved = program.taken
    assert (breached.json["type"], relieved.json["type"]) == ("fifteen.Breached", "fifteen.Relieved")
    sys.stdout.write(
        f"webhook told {breached.at - due:.3f} s after due, cleared {relieved.at - called:.3f} s after the call\n"
    )
    assert 0 <= breached.at - due < WEBHOOK_SECONDS
    assert relieved.at - called < WEBHOOK_SECONDS

    [(fired, _, alert)] = of("VisitorOverLimit", told)
    [(cleared, _, _)] = of("VisitorOverLimit", told, "resolved")
    sys.stdout.write(
        f"Alertmanager told {fired - due:.1f} s after due, cleared {cleared - called:.1f} s after the call\n"
    )
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


def _telling(directory: Path, program: Receiver) -> str:
    """A file that has a program told of breaches and their ends."""
    file = directory / "alerts.toml"
    file.write_text(
        f'[[webhooks]]\nname = "program"\nurl = "{program.url}"\nsecrets = ["{SECRET}"]\n'
        'facts = ["Breached", "Relieved"]\n'
    )
    return str(file)


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
