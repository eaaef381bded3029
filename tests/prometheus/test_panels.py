"""Every panel shows something of a simulated day that a real Prometheus scraped."""

import math
import re
import sys
import tomllib
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import pytest

from app.configuration import document_of, office_of
from app.configuration.shape import WEEKDAYS
from tests.command_line.servers import LiveServer, environment, serving
from tests.prometheus.deployed import panels
from tests.prometheus.programs import Prometheus, Series, prometheus, running, soon

SPEED = 60
RUNS_SECONDS = 75
"""How long the demo clock needs to come up to the real one, by which Prometheus goes."""

MORNING = 9

BUSY = """
topk(1,
  sum by (service) (queue_tickets_waiting) > 0
  and sum by (service) (increase(queue_wait_limit_outcomes_total[1m])) > 0
  and sum by (service) (rate(queue_wait_breaches_total[1m])) > 0
  and on () count(channel:queue_waits_met:ratio12h) == 1
  and on () sum(rate(queue_service_seconds_count[1m])) > 0
  and on () count(ALERTS{alertname="VisitorOverLimit",alertstate="firing"}) > 0
  and on () max(queue_deliveries_pending) > 0
)
"""
"""A service for which people wait, some past the limit, at a moment when all else that can happen in an office has."""

NOBODY_TAKES_THEM = """
[[webhooks]]
name = "nobody"
url = "http://127.0.0.1:9/"
secret_env = ["NOBODYS_SECRET"]
"""


@pytest.mark.needs("prometheus")
def test_every_panel_shows_something_of_a_simulated_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "alerts.toml").write_text(NOBODY_TAKES_THEM)
    monkeypatch.setenv("NOBODYS_SECRET", f"whsec_{b64encode(bytes(32)).decode()}")
    begins = datetime.now(UTC) - timedelta(seconds=RUNS_SECONDS * (SPEED - 1))
    demo = ("--demo-speed", str(SPEED), "--demo-start", begins.isoformat())
    visits = ("--seed", "7", "--visits", "200", "--operators", "3")
    with (
        serving(tmp_path, "--no-example", *demo, canary_seconds="5", alerts="alerts.toml") as server,
        prometheus(tmp_path, _address(server)) as asked,
    ):
        _describe(server, begins)
        day = ("-m", "app", "simulate", "--server", server.url, *visits)
        with running(tmp_path, sys.executable, *day, env=environment()):
            service, moment = _busy_moment(server, asked)
            told = [(panel, asked.ask(panel.expression, moment)) for panel in panels("centre", service)]
        tells = set(re.findall(r"^# TYPE (\w+) ", server.http.get("/metrics").text, re.MULTILINE))

    for panel, found in told:
        sys.stdout.write(f"{panel.dashboard:12} {panel.title:54} {_shown(found)}\n")
    assert {name for panel, _ in told for name in panel.asks} <= tells
    # No request makes a ticket a booked one yet: who names a time only claims a booking.
    booked = [panel for panel, _ in told if 'channel="booked"' in panel.expression]
    assert [panel for panel, found in told if not _shown(found)] == booked


def _describe(server: LiveServer, begins: datetime) -> None:
    """The example office, where it is morning at that instant on a working day."""
    document = tomllib.loads((files("app.configuration") / "centre.toml").read_text(encoding="utf-8"))
    east = (MORNING - begins.hour + 12) % 24 - 12
    document["time_zone"] = f"Etc/GMT{-east:+d}"
    document["hours"] = {day: [f"{MORNING:02}:00-16:00"] for day in WEEKDAYS}
    server.http.put("/api/v1/offices/centre", json=document_of(office_of(document, "centre"))).raise_for_status()


def _busy_moment(server: LiveServer, asked: Prometheus) -> tuple[str, datetime]:
    """A service and an instant at which the demo clock has come up to the real one."""
    moments: list[tuple[str, datetime]] = []

    def came() -> bool:
        now = datetime.now(UTC)
        caught_up = _clock(server) >= now
        moments.extend((labels["service"], now) for labels, _ in asked.ask(BUSY, now) if caught_up)
        return bool(moments)

    soon(came)
    return moments[0]


def _clock(server: LiveServer) -> datetime:
    return datetime.fromisoformat(server.http.get("/api/v1/offices/centre").json()["server_time"])


def _address(server: LiveServer) -> str:
    return server.url.removeprefix("http://")


def _shown(found: Sequence[Series]) -> str:
    """The values that a panel would show, with the labels that tell them apart; nothing if it would be empty."""
    values = [(labels, value) for labels, value in found if math.isfinite(value)]
    return ", ".join(f"{_told_apart(labels)} {value:.4g}".strip() for labels, value in values[:4])


def _told_apart(labels: Mapping[str, str]) -> str:
    return " ".join(value for name, value in labels.items() if name not in ("__name__", "job"))
