"""Days brought to a real server, over HTTP."""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from app.configuration import document_of, office_of
from app.simulator.running import Simulation, run
from app.simulator.summary import Summary
from tests.command_line.conftest import Fifteen, directory, fifteen
from tests.command_line.servers import PATIENCE_SECONDS, LiveServer, serving
from tests.configuration.documents import smallest

__all__ = ["directory", "fifteen"]

NAME = {"ru": "Имя", "en": "Name"}
SERVICES = {"result": "A", "advice": "B", "passport": "C"}
BRANCH = smallest(
    hours={"thu": ["08:00-09:00"]},
    services=[{"id": name, "letter": letter, "name": NAME} for name, letter in SERVICES.items()],
    counters=[
        {"id": "1", "name": NAME, "services": ["result", "advice"]},
        {"id": "2", "name": NAME, "services": ["advice", "passport"]},
        {"id": "3", "name": NAME, "services": ["passport"]},
    ],
    categories=[{"id": "veteran", "name": NAME, "basis": NAME}],
)
"""A branch with an hour of work on Thursdays."""

BEFORE_OPENING = "2026-11-26T07:55+03:00"

SPEED = 200
"""Fast, and slow enough that a machine with other things to do brings nobody to closed doors, killed server or not."""


@contextmanager
def branch(directory: Path, *words: str, speed: int = SPEED, start: str = BEFORE_OPENING) -> Iterator[LiveServer]:
    """A server of the branch, a few minutes before it opens."""
    demo = ("--demo-speed", str(speed), "--demo-start", start)
    with serving(directory, "--no-example", *demo, *words) as server:
        described = server.http.put("/api/v1/offices/branch", json=document_of(office_of(BRANCH, "branch")))
        described.raise_for_status()
        yield server


def test_a_seeded_day_goes_by_without_an_error(directory: Path, fifteen: Fifteen) -> None:
    with branch(directory) as server:
        done = fifteen("simulate", "--server", server.url, "--seed", 4, "--visits", 15, "--speed", SPEED)
        verified = fifteen("verify")
        waiting = server.http.get("/api/v1/offices/branch").json()["waiting"]

    assert done.exit_code == 0, done.output
    assert done.output.rstrip().endswith("no errors")
    assert verified.exit_code == 0, verified.output
    assert waiting == 0


def test_a_server_that_is_killed_in_the_middle_loses_nobody(directory: Path, fifteen: Fifteen) -> None:
    with branch(directory) as server, ThreadPoolExecutor() as beside:
        port = server.url.rpartition(":")[2]
        day = beside.submit(simulated, Simulation(url=server.url, seed=4, visits=15))
        while not day.done() and server.http.get("/api/v1/offices/branch").json()["seq"] < 25:
            time.sleep(0.05)
        server.kill()

        with branch(directory, "--port", port):
            summary = day.result(PATIENCE_SECONDS)
            verified = fifteen("verify")

    assert summary.repeated > 0
    assert not summary.errors
    assert summary.issued == summary.states["served"] + summary.states["missed"] + summary.states["left"] >= 10
    assert f"tickets: {summary.issued} compared, no difference" in verified.output


def test_a_recorded_day_is_served_to_the_last_visitor(directory: Path, fifteen: Fifteen) -> None:
    services = ("advice", "passport", "result")
    lines = [f"08:{minute:02}:30,{services[minute % 3]},{2 + minute % 7}" for minute in range(10, 40)]
    (directory / "day.csv").write_text("\n".join(["issued_at,service,service_minutes", *lines]))

    with branch(directory) as server:
        done = fifteen("simulate", "--server", server.url, "--office", "branch", "--csv", "day.csv")
        series = server.http.get("/metrics").text

    assert done.exit_code == 0, done.output
    assert sum(issued_of(series, service) for service in services) == 30
    assert "30/30 visits over" in done.output


def test_a_visitor_left_at_the_counter_by_an_earlier_run_is_served_first(directory: Path, fifteen: Fifteen) -> None:
    with branch(directory) as server:
        office = "/api/v1/offices/branch"
        server.http.post(f"{office}/open-day").raise_for_status()
        ticket = server.issue("branch", "result", "earlier")
        server.http.post(f"{office}/counters/1/open", json={"operator": "operator-1"}).raise_for_status()
        server.http.post(f"{office}/counters/1/call-next", headers={"Idempotency-Key": "call"}).raise_for_status()

        done = fifteen("simulate", "--server", server.url, "--visits", 10)
        state = server.http.get(f"{office}/tickets/{ticket}").json()["ticket"]["state"]

    assert done.exit_code == 0, done.output
    assert state == "served"


def test_what_the_server_refuses_is_told_and_ends_with_1(directory: Path, fifteen: Fifteen) -> None:
    (directory / "day.csv").write_text("issued_at,service,service_minutes\n08:00,advice,1\n08:10,passport,1\n")

    with branch(directory) as server:
        server.http.post("/api/v1/offices/branch/services/passport/close", json={"reason": "no paper"})
        done = fifteen("simulate", "--server", server.url, "--csv", "day.csv")

    assert done.exit_code == 1
    assert "error tickets: service-is-closed: 1" in done.output


def test_a_day_that_cannot_be_run_is_refused_with_what_to_do(directory: Path, fifteen: Fifteen) -> None:
    (directory / "day.csv").write_text("issued_at,service,service_minutes\n08:00,weddings,1\n")

    with branch(directory, speed=1, start="2026-11-26T08:50+03:00") as server:
        refusals = {
            words: fifteen("simulate", "--server", server.url, *words).stderr
            for words in (("--speed", "60"), ("--office", "nowhere"), ("--csv", "day.csv"), ())
        }

    assert refusals["--speed", "60"] == (
        "The server's clock runs at 1x, not at 60x. "
        "Start a server for it: fifteen serve --database demo.db --demo-speed 60\n"
    )
    assert refusals["--office", "nowhere"] == f"{server.url} has no office nowhere (unknown-office)\n"
    assert "day.csv, line 2: office branch has no service 'weddings'" in refusals["--csv", "day.csv"]
    assert refusals[()].startswith("Nobody comes to branch any more today: by the server's clock it is Thursday 08:5")


def test_a_real_journal_is_spared_and_an_office_has_to_be_named_where_there_are_several(
    directory: Path, fifteen: Fifteen
) -> None:
    with serving(directory) as server:
        real = fifteen("simulate", "--server", server.url)
        server.http.put("/api/v1/offices/branch", json=document_of(office_of(BRANCH, "branch"))).raise_for_status()
        several = fifteen("simulate", "--server", server.url)

    assert real.stderr.startswith("This server keeps a real journal, and simulated visitors would stay in it for ever.")
    assert several.stderr == "Say which office with --office: branch, centre\n"


def test_no_server_no_day(fifteen: Fifteen) -> None:
    done = fifteen("simulate", "--server", "http://127.0.0.1:1", "--office", "branch")

    assert done.exit_code == 1
    assert done.stderr.startswith("No server answers at http://127.0.0.1:1")


@pytest.mark.parametrize("url", ["nonsense", "http://[::1"])
def test_an_address_that_is_none_is_refused(fifteen: Fifteen, url: str) -> None:
    done = fifteen("simulate", "--server", url)

    assert done.exit_code == 1
    assert "Traceback" not in done.output
    assert done.stderr.startswith("No server answers at")


def simulated(simulation: Simulation) -> Summary:
    """A day, run to its end."""
    return asyncio.run(run(simulation, Console(file=StringIO())))


def issued_of(metrics: str, service: str) -> float:
    """How many tickets the metrics count for a service of the branch, walk-ins only."""
    series = f'queue_tickets_issued_total{{office="branch",service="{service}",channel="walk_in"}} '
    return next(float(line.removeprefix(series)) for line in metrics.splitlines() if line.startswith(series))
