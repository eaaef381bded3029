"""Starting and stopping a server."""

import json
import re
import socket
import stat
import subprocess
import time
from pathlib import Path

import pytest

from tests.command_line.servers import environment, refused, serving


@pytest.mark.needs("curl")
def test_the_printed_lines_issue_a_ticket_and_call_it(directory: Path) -> None:
    with serving(directory) as server:
        lines = re.search(r"whoever is next:\n(.*)\nStop with", server.welcome, re.DOTALL)
        assert lines
        curl = lines[1].replace("curl ", "curl --noproxy '*' -sS ")

        done = subprocess.run(["sh", "-e"], input=curl, env=environment(), capture_output=True, text=True, check=True)

    issued, opened, called = map(json.loads, done.stdout.splitlines())
    assert (issued["number"], issued["state"]) == ("A001", "waiting")
    assert (opened["counter"], opened["state"]) == ("1", "open")
    assert (called["number"], called["state"], called["counter"]) == ("A001", "called", "1")


def test_the_printed_addresses_answer(directory: Path) -> None:
    with serving(directory) as server:
        addresses = re.findall(r"^  [^:]*? (http\S+)$", server.welcome, re.MULTILINE)

        answers = {address: server.http.get(address).status_code for address in addresses}

    assert [address.removeprefix(server.url) for address in answers] == [
        *("/", "/supervisor", "/kiosk/centre", "/console/centre", "/board/centre", "/supervisor/centre"),
        *("/docs", "/api/v1/offices/centre", "/metrics"),
    ]
    assert set(answers.values()) == {200}


def test_a_server_leaves_a_door_for_its_owner_alone_and_takes_it_away(directory: Path) -> None:
    door = directory / "fifteen.db.door"
    with serving(directory) as server:
        told = json.loads(door.read_text())
        mode = stat.S_IMODE(door.stat().st_mode)

        exit_code = server.stop()

    assert told["url"] == server.url
    assert mode == 0o600
    assert exit_code == 0
    assert not door.exists()


def test_without_the_example_the_server_says_how_to_describe_an_office(directory: Path) -> None:
    with serving(directory, "--no-example") as server:
        offices = server.http.get("/api/v1/offices").json()["offices"]

    assert offices == []
    assert "fifteen apply office.toml --database fifteen.db" in server.welcome


def test_a_second_server_on_the_same_file_is_refused(directory: Path) -> None:
    with serving(directory):
        sentence = refused(directory)

    assert sentence.startswith("fifteen.db is in use by another program.")


def test_a_port_that_is_taken_is_named(directory: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        sentence = refused(directory, "--port", str(port))

    assert sentence == (f"Cannot listen at 127.0.0.1 port {port}: Address already in use. Name another with --port.")
    assert not (directory / "fifteen.db").exists()


def test_a_file_that_is_no_journal_is_refused(directory: Path) -> None:
    (directory / "fifteen.db").write_bytes(b"This is a letter to my aunt, not a journal." * 100)

    assert refused(directory).startswith("fifteen.db is damaged")


def test_a_setting_that_cannot_be_is_named(directory: Path) -> None:
    sentence = refused(directory, "--demo-speed", "-1")

    assert sentence == "demo_speed: Input should be greater than 0"


def test_the_real_clock_cannot_be_set(directory: Path) -> None:
    sentence = refused(directory, "--demo-start", "2026-11-26T08:00+03:00")

    assert sentence == "A start is for a demo clock: say how fast it runs, with --demo-speed."


def test_a_demo_server_is_loud_and_its_journal_never_becomes_real(directory: Path) -> None:
    with serving(directory, "--demo-speed", "60") as server:
        told = server.http.get("/api/v1/offices/centre").json()["demo"]
    sentence = refused(directory)

    assert "!!  DEMO CLOCK: time runs 60-fold here" in server.welcome
    assert told == "60x"
    assert sentence.startswith("fifteen.db is a demo journal and this server runs a real clock.")


def test_a_real_journal_refuses_a_demo_clock(directory: Path) -> None:
    with serving(directory) as server:
        welcome = server.welcome
    sentence = refused(directory, "--demo-speed", "60")

    assert "DEMO" not in welcome
    assert sentence.startswith("fifteen.db is a real journal and this server runs a demo clock.")


def test_a_demo_clock_goes_on_where_its_journal_stopped(directory: Path) -> None:
    demo = ("--demo-speed", "300", "--demo-start", "2026-11-26T08:00+03:00")
    with serving(directory, *demo) as server:
        time.sleep(0.5)
        ticket = server.issue("centre", "advice", "before")
        issued = server.http.get(f"/api/v1/offices/centre/tickets/{ticket}").json()["ticket"]["issued_at"]
        server.kill()
    with serving(directory, *demo) as server:
        now = server.http.get("/api/v1/offices/centre").json()["server_time"]

    assert "2026-11-26T05:02" < issued < now
