"""The clock of a machine is set by an hour while a real server runs on it and people wait. libfaketime sets it."""

import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
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

NEAR = 0.1
"""Seconds by which a recorded wait may be outside of what was seen from here."""

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
    # Its own waiting for a condition, in place of glibc's, comes back at once: threads that share Python's lock spin.
    monkeypatch.setenv("FAKETIME_FORCE_MONOTONIC_FIX", "0")
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
    with serving(tmp_path, "--no-example", clock_steady_seconds="1") as server:
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
        # An hour on is followed; behind what is on record time does not go.
        soon(lambda: abs(ahead(server) - max(0, -by)) < LATE_SECONDS)

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


@pytest.mark.needs("faketime")
def test_set_back_while_nobody_waits_the_next_wait_is_warned_of_breached_and_true(
    tmp_path: Path, set_clock: Setting
) -> None:
    with serving(tmp_path, "--no-example", canary_seconds="1") as server:
        begin(server)
        soon(lambda: figure(server, "queue_canary_last_success_timestamp_seconds") > 0)
        set_clock(-HOUR)
        time.sleep(1)
        waits, came = comes(server, "only")
        soon(lambda: breaches(server))
        assert "Warned" in [fact["kind"] for fact in facts(server)]
        assert is_called_after_what_passed(server, waits, came)
        assert recorded_wait(server, waits) >= LIMIT_SECONDS
        assert re.fullmatch(r"the journal is ahead of the clock by (3599|3600|3601) s", standing(server))
        assert abs(ahead(server) - HOUR) < LATE_SECONDS
        assert figure(server, "queue_canary_last_success_timestamp_seconds") <= time.time() - HOUR + LATE_SECONDS
    log = (tmp_path / "server.log").read_text()
    assert log.count("the journal is ahead of the machine's clock") == 1


@pytest.mark.needs("faketime")
def test_three_days_back_at_a_start_and_put_right_the_wait_is_what_passed(tmp_path: Path, set_clock: Setting) -> None:
    with serving(tmp_path, "--no-example") as server:
        begin(server)
        first = comes(server, "first")
        server.kill()
    set_clock(-3 * 24 * HOUR)
    with serving(tmp_path, "--no-example") as server:
        second = comes(server, "second")
        assert standing(server).startswith("the journal is ahead of the clock by 2592")
        time.sleep(2)
        set_clock(0)
        soon(lambda: standing(server) == "right")
        for ticket, came in (first, second):
            assert is_called_after_what_passed(server, ticket, came)
            finish(server, ticket)


@pytest.mark.needs("faketime")
def test_two_processes_that_differ_by_five_seconds_keep_twelve_real_seconds(
    tmp_path: Path, set_clock: Setting, monkeypatch: pytest.MonkeyPatch, empty_database: str
) -> None:
    set_clock(0)
    other_clock = tmp_path / "other clock"
    other_clock.write_text("+5\n")
    other = tmp_path / "other"
    other.mkdir()
    with serving(tmp_path, "--no-example", database=empty_database) as right:
        begin(right, limit_seconds=12)
        monkeypatch.setenv("FAKETIME_TIMESTAMP_FILE", str(other_clock))
        with serving(other, "--no-example", database=empty_database) as ahead_of_it:
            assert re.fullmatch(r"the clock is ahead of the journal by [456] s", standing(ahead_of_it))
            assert abs(ahead(ahead_of_it) + 5) < 1
            # One ticket from either process, and whichever is first records the breach.
            came = time.monotonic()
            for server, key in ((right, "here"), (ahead_of_it, "there")):
                server.issue("branch", "papers", key)
            soon(lambda: breaches(right))
            waited = time.monotonic() - came
            soon(lambda: len(breaches(right)) == 2)
            assert standing(right) == "right"
    sys.stdout.write(f"five seconds apart: the first breach is seen {waited:.2f} s after the first issue\n")
    assert 12 <= waited < 12 + 2 * LATE_SECONDS
    assert "the machine's clock is ahead of the journal" in (other / "server.log").read_text()


@dataclass(frozen=True)
class Bounds:
    """Real seconds between which something happened: a request was sent, and its answer was there."""

    earliest: float
    latest: float


def comes(server: LiveServer, key: str) -> tuple[str, Bounds]:
    """Somebody takes a ticket; its id, and when."""
    earliest = time.monotonic()
    ticket = server.issue("branch", "papers", key)
    return ticket, Bounds(earliest, time.monotonic())


def is_called_after_what_passed(server: LiveServer, ticket: str, came: Bounds) -> bool:
    """Call the first in line, who must be this visitor; whether the recorded wait is the real one."""
    earliest = time.monotonic()
    assert call(server)["id"] == ticket
    latest = time.monotonic()
    recorded = recorded_wait(server, ticket)
    sys.stdout.write(
        f"recorded {recorded:.3f} s, {earliest - came.latest:.3f} to {latest - came.earliest:.3f} passed\n"
    )
    return earliest - came.latest - NEAR <= recorded <= latest - came.earliest + NEAR


def begin(server: LiveServer, limit_seconds: int = LIMIT_SECONDS) -> None:
    """An office that never closes, with an operator."""
    limits = {"walk_in_seconds": limit_seconds, "booked_seconds": limit_seconds}
    described: Any = OFFICE["services"]
    services = [{**service, "limits": limits} for service in described]
    server.http.put(BRANCH, json={**OFFICE, "services": services}).raise_for_status()
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


def ahead(server: LiveServer) -> float:
    """How many seconds the journal is ahead of the machine's clock, as the server's metric has it."""
    return figure(server, "queue_journal_ahead_of_clock_seconds")


def figure(server: LiveServer, name: str) -> float:
    """What a metric of the process stands at."""
    reply = server.http.get("/metrics").raise_for_status()
    return Scrape(dict(reply.headers), reply.content).series[name, frozenset()]


def standing(server: LiveServer) -> str:
    """What `/readyz` says of the clock."""
    # Also while it is not ready: a busy machine writes slowly.
    told: dict[str, str] = server.http.get("/readyz").json()
    return told["clock"]


def recorded_wait(server: LiveServer, ticket: str) -> float:
    """Seconds from the issue of a ticket to its call, as they are on record."""
    at = {fact["kind"]: instant(fact["at"]) for fact in facts(server) if fact.get("ticket") == ticket}
    return (at["Called"] - at["Issued"]).total_seconds()


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
