"""Describing offices from files."""

from pathlib import Path

import pytest

from tests.command_line.conftest import Fifteen
from tests.command_line.servers import ROOT, LiveServer, serving

CENTRE = ROOT / "examples" / "centre.toml"
BRANCH = ROOT / "examples" / "branch.toml"


def test_a_live_server_is_asked_to_describe_an_office(directory: Path, fifteen: Fifteen) -> None:
    with serving(directory) as server:
        done = fifteen("apply", BRANCH)

        assert done.output == f"branch is as {BRANCH} describes it, as of fact 1\n"
        assert offices(server) == ["branch", "centre"]


def test_a_server_can_be_named_by_its_address(directory: Path, fifteen: Fifteen) -> None:
    with serving(directory) as server:
        done = fifteen("apply", BRANCH, "--database", "elsewhere.db", "--server", server.url)

        assert done.exit_code == 0
        assert offices(server) == ["branch", "centre"]


def test_offices_can_be_described_before_any_server(directory: Path, fifteen: Fifteen) -> None:
    done = fifteen("apply", BRANCH, CENTRE)

    assert done.exit_code == 0
    with serving(directory) as server:
        assert offices(server) == ["branch", "centre"]


def test_on_postgresql_a_running_server_hears_of_it(directory: Path, fifteen: Fifteen, postgres_url: str) -> None:
    with serving(directory, "--database", postgres_url) as server:
        done = fifteen("apply", BRANCH, "--database", postgres_url)

        assert done.exit_code == 0
        issued = server.http.get("/api/v1/offices/branch")
        for _ in range(100):
            if issued.status_code == 200:
                break
            issued = server.http.get("/api/v1/offices/branch")
        assert issued.json()["office"] == "branch"


def test_one_bad_file_and_nothing_is_applied(directory: Path, fifteen: Fifteen) -> None:
    (directory / "bad.toml").write_text('id = "Bad"\n')
    (directory / "worse.toml").write_text("id = \n")

    with serving(directory) as server:
        done = fifteen("apply", BRANCH, "bad.toml", "worse.toml")

        assert done.exit_code == 1
        assert offices(server) == ["centre"]
    lines = done.stderr.splitlines()
    assert lines[0].startswith("bad.toml: id: must be 1 to 40 lower-case")
    assert lines[-2].startswith("worse.toml: line 1, column 6: is not valid TOML")
    assert lines[-1] == "Nothing was applied."


@pytest.mark.parametrize("live", [True, False])
def test_a_service_with_people_in_it_is_not_removed(directory: Path, fifteen: Fifteen, *, live: bool) -> None:
    without_advice = CENTRE.read_text().replace('"advice"', '"hints"')
    (directory / "smaller.toml").write_text(without_advice)
    with serving(directory) as server:
        ticket = server.issue("centre", "advice", "first")
        if not live:
            server.stop()

        done = fifteen("apply", "smaller.toml")

    assert done.exit_code == 1
    assert done.stderr == (
        "People in the hall still need this service; it can be removed when they have been served. "
        f"(service advice, ticket {ticket})\n"
    )


def test_nobody_at_the_address(fifteen: Fifteen) -> None:
    done = fifteen("apply", BRANCH, "--server", "http://127.0.0.1:1")

    assert done.exit_code == 1
    assert done.stderr.startswith("The server at http://127.0.0.1:1 does not answer")


def test_an_address_that_is_none(fifteen: Fifteen) -> None:
    done = fifteen("apply", BRANCH, "--server", "http://[::1")

    assert done.exit_code == 1
    assert done.stderr.startswith("http://[::1 is not the address of a server")


def offices(server: LiveServer) -> list[str]:
    """The ids of the offices that a server keeps."""
    return [office["office"] for office in server.http.get("/api/v1/offices").json()["offices"]]
