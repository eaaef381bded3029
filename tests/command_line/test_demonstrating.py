"""The demonstration: one command, and everything moves."""

import signal
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.command_line.demonstrating import busy_hour, free_counter
from app.configuration import EXAMPLE, read_office
from tests.command_line.servers import PATIENCE_SECONDS, LiveServer, serving


def test_a_demo_moves_within_seconds_and_leaves_nothing_behind(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(directory))
    with serving(directory, "--speed", "60", command="demo", canary_seconds="0") as demo:
        started = time.monotonic()
        seen = until_somebody_was_served(demo)
        seconds = time.monotonic() - started

        demo.process.send_signal(signal.SIGINT)
        exit_code = demo.process.wait(PATIENCE_SECONDS)

    assert exit_code == 0
    assert [path.name for path in directory.iterdir()] == ["server.log"]
    assert "Traceback" not in (directory / "server.log").read_text()
    assert seen["demo"] == "60x"
    assert next(counter for counter in seen["counters"] if counter["id"] == "1")["state"] == "closed"
    print(f"somebody was served {seconds:.1f} s after the start")  # noqa: T201 - a figure for whoever reads the log


def test_a_demo_tells_the_way_to_a_called_ticket(directory: Path) -> None:
    with serving(directory, command="demo", canary_seconds="0") as demo:
        told = demo.welcome

    assert [line.strip()[:2] for line in told.splitlines() if line.strip()[:2] in ("1.", "2.", "3.")] == [
        "1.",
        "2.",
        "3.",
    ]
    assert f"{demo.url}/kiosk/centre" in told
    assert f"{demo.url}/console/centre/1" in told
    assert "DEMO CLOCK" in told
    assert "Nothing of it is kept." in told


def test_a_demo_that_is_kept_goes_on_where_it_stopped(directory: Path) -> None:
    with serving(directory, "--database", "demo.db", command="demo", canary_seconds="0") as demo:
        seen = until_somebody_was_served(demo)
        demo.stop()
    with serving(directory, "--database", "demo.db", command="demo", canary_seconds="0") as again:
        later = state(again)

    assert "The demo is kept in demo.db." in again.welcome
    assert (later["day"], later["server_time"] > seen["server_time"]) == (seen["day"], True)


@pytest.mark.parametrize("days", range(7))
def test_a_demo_begins_when_most_people_come(days: int) -> None:
    office, today = read_office(EXAMPLE), datetime(2026, 11, 23, 20, tzinfo=UTC) + timedelta(days=days)

    begins = busy_hour(office, today)

    assert office.date_at(begins).isoweekday() == 4
    assert timedelta(hours=-20) <= begins - today < timedelta(days=7)
    assert office.receives_at(begins)[0]


def test_the_counter_that_is_left_serves_what_most_people_want() -> None:
    office = read_office(EXAMPLE)

    counter = office.counter(free_counter(office))

    assert counter
    assert "advice" in counter.services


def until_somebody_was_served(demo: LiveServer) -> Any:
    """The office's state when visitors have come, were called, and one of them has gone again."""
    deadline = time.monotonic() + 2 * PATIENCE_SECONDS
    while time.monotonic() < deadline:
        seen = state(demo)
        served = {call["ticket"] for call in seen["calls"]} - {
            counter["visitor"]["ticket"] for counter in seen["counters"] if counter["visitor"]
        }
        if served:
            return seen
        time.sleep(0.1)
    raise AssertionError(f"nobody was served:\n{seen}")


def state(demo: LiveServer) -> Any:
    return demo.http.get("/api/v1/offices/centre").raise_for_status().json()
