"""The clock of a machine is set by an hour while a real server runs on it and people wait. libfaketime sets it."""

import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from app.configuration import document_of, office_of
from app.configuration.shape import WEEKDAYS
from tests.command_line.servers import LiveServer, serving
from tests.configuration.documents import smallest
from tests.metrics.reading import Scrape
from tests.prometheus.programs import soon

pytestmark = pytest.mark.timed

HOUR = 3600
AN_HOUR_EITHER_WAY = pytest.mark.parametrize("by", [HOUR, -HOUR], ids=["on", "back"])

LIMIT_SECONDS = 8
LATE_SECONDS = 2
"""How much later than due this may hear of a breach."""

OFFICE = document_of(
    office_of(
        smallest(
            hours={day: ["00:00-24:00"] for day in WEEKDAYS},
            limits={"walk_in_seconds": LIMIT_SECONDS, "booked_seconds": LIMIT_SECONDS},
        ),
        "branch",
    )
)
BRANCH = "/api/v1/offices/branch"

READ_CLOCKS = """
import sys, time
for _ in sys.stdin:
    print(time.time(), time.clock_gettime(time.CLOCK_BOOTTIME), flush=True)
"""

Setting = Callable[[int], None]
"""Sets the machine's clock so many seconds on from the right time."""


@pytest.fixture
def set_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Setting:
    """Programs that are started from now on live on a machine whose clock is set by this."""
    file = tmp_path / "clock"

    def set_by(seconds: int) -> None:
        # In one piece: it is read all the time.
        file.with_suffix(".new").write_text(f"{seconds:+d}\n")
        file.with_suffix(".new").replace(file)

    set_by(0)
    [library] = Path("/usr/lib").glob("*/faketime/libfaketime.so.1")
    monkeypatch.setenv("LD_PRELOAD", str(library))
    monkeypatch.setenv("FAKETIME_TIMESTAMP_FILE", str(file))
    monkeypatch.setenv("FAKETIME_NO_CACHE", "1")
    # Nobody sets the seconds since the machine was started.
    monkeypatch.setenv("FAKETIME_DONT_FAKE_MONOTONIC", "1")
    return set_by


@pytest.mark.needs("faketime")
def test_only_the_clock_that_people_set_is_set(set_clock: Setting) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", READ_CLOCKS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as program:
        for by in (0, HOUR, -HOUR):
            set_clock(by)
            wall, since_boot = clocks_of(program)
            assert abs(wall - time.time() - by) < LATE_SECONDS
            assert abs(since_boot - time.clock_gettime(time.CLOCK_BOOTTIME)) < LATE_SECONDS


@pytest.mark.needs("faketime")
@AN_HOUR_EITHER_WAY
def test_a_limit_passes_after_its_time_and_by_no_setting(tmp_path: Path, set_clock: Setting, by: int) -> None:
    with serving(tmp_path, "--no-example") as server:
        begin(server)
        came = time.monotonic()
        called, waits = (server.issue("branch", "papers", key) for key in ("first", "second"))
        due = due_of(server, waits)
        set_clock(by)
        assert call(server)["id"] == called

        soon(lambda: breaches(server))
        waited = time.monotonic() - came
        # Whoever was called has had every chance to be taken for somebody who waits.
        time.sleep(LIMIT_SECONDS)
        [breach] = breaches(server)

        finish(server, called)
        finish(server, call(server)["id"])
        soon(lambda: is_followed(server, by))

    sys.stdout.write(
        f"set by {by:+d} s: recorded {late(breach):.3f} s after due, seen {waited:.2f} s after the issue\n"
    )
    assert (breach["ticket"], breach["due"]) == (waits, due)
    assert 0 <= late(breach) < LATE_SECONDS
    assert LIMIT_SECONDS <= waited < LIMIT_SECONDS + LATE_SECONDS


@pytest.mark.needs("faketime")
def test_a_server_that_comes_back_on_a_clock_set_back_goes_on_where_people_wait(
    address: str, tmp_path: Path, set_clock: Setting
) -> None:
    with serving(tmp_path, "--no-example", database=address) as server:
        begin(server)
        waits = server.issue("branch", "papers", "only")
        due = due_of(server, waits)
        server.kill()
    set_clock(-HOUR)
    with serving(tmp_path, "--no-example", database=address) as server:
        back = time.monotonic()
        soon(lambda: breaches(server))
        waited = time.monotonic() - back
        [breach] = breaches(server)
        instants = [instant(fact["at"]) for fact in facts(server)]

    sys.stdout.write(
        f"an hour back meanwhile: recorded {late(breach):.3f} s after due, {waited:.2f} s after the return\n"
    )
    assert (breach["ticket"], breach["due"]) == (waits, due)
    assert 0 <= late(breach) < LATE_SECONDS
    assert waited < LIMIT_SECONDS + LATE_SECONDS
    assert instants == sorted(instants)


def begin(server: LiveServer) -> None:
    """An office that never closes, with an operator."""
    server.http.put(BRANCH, json=OFFICE).raise_for_status()
    server.http.post(f"{BRANCH}/counters/1/open", json={"operator": "anna"}).raise_for_status()


def call(server: LiveServer) -> dict[str, Any]:
    """Whom the counter calls."""
    headers = {"Idempotency-Key": f"call-{time.monotonic_ns()}"}
    reply = server.http.post(f"{BRANCH}/counters/1/call-next", headers=headers).raise_for_status()
    called: dict[str, Any] = reply.json()
    return called


def finish(server: LiveServer, ticket: str) -> None:
    """A visit comes to its end."""
    for step in ("start", "finish"):
        server.http.post(f"{BRANCH}/tickets/{ticket}/{step}").raise_for_status()


def due_of(server: LiveServer, ticket: str) -> str:
    """When a visitor's limit passes."""
    told: dict[str, Any] = server.http.get(f"{BRANCH}/tickets/{ticket}").raise_for_status().json()["ticket"]
    return str(told["due"])


def facts(server: LiveServer) -> list[dict[str, Any]]:
    """What is on record."""
    told: list[dict[str, Any]] = (
        server.http.get(f"{BRANCH}/facts", params={"limit": 1000}).raise_for_status().json()["facts"]
    )
    return told


def breaches(server: LiveServer) -> list[dict[str, Any]]:
    """The breaches on record."""
    return [fact for fact in facts(server) if fact["kind"] == "Breached"]


def late(breach: dict[str, Any]) -> float:
    """How many seconds after its due a breach was recorded."""
    return (instant(breach["at"]) - instant(breach["due"])).total_seconds()


def is_followed(server: LiveServer, by: int) -> bool:
    """Whether the server's time is that of the clock which was set."""
    reply = server.http.get("/metrics").raise_for_status()
    pulse = Scrape(dict(reply.headers), reply.content).series["queue_watch_last_success_timestamp_seconds", frozenset()]
    return abs(pulse - time.time() - by) < LATE_SECONDS


def clocks_of(program: subprocess.Popen[str]) -> list[float]:
    """What a program reads on its clocks."""
    assert program.stdin
    assert program.stdout
    program.stdin.write("\n")
    program.stdin.flush()
    return [float(word) for word in program.stdout.readline().split()]


def instant(text: str) -> datetime:
    """An instant as the server writes it."""
    return datetime.fromisoformat(text)
