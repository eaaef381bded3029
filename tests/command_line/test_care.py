"""Verifying and backing up, with and without a server."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.command_line.conftest import Fifteen
from tests.command_line.servers import serving

CLEAN = "offices: 1, facts: 4, tickets: 2 compared, no difference\n"


def test_a_live_journal_is_verified_and_copied_by_its_server(directory: Path, fifteen: Fifteen) -> None:
    with serving(directory) as server:
        server.issue("centre", "advice", "first")
        server.issue("centre", "result", "second")

        verified = fifteen("verify")
        copied = fifteen("backup", "copy.db")
        again = fifteen("backup", "copy.db")
    of_the_copy = fifteen("verify", "--database", "copy.db")

    assert verified.output == CLEAN
    assert copied.output == "fifteen.db is copied into copy.db\n"
    assert again.exit_code == 1
    assert "copy.db exists already" in again.output
    assert of_the_copy.output == CLEAN


def test_a_journal_at_rest_is_verified_and_copied_by_the_command(directory: Path, fifteen: Fifteen) -> None:
    with serving(directory) as server:
        server.issue("centre", "advice", "first")
        server.issue("centre", "result", "second")
        server.stop()

    assert fifteen("verify").output == CLEAN
    assert fifteen("backup", "copy.db").exit_code == 0
    assert fifteen("verify", "--database", "copy.db").output == CLEAN


def test_after_a_kill_the_command_says_so_and_works_by_itself(directory: Path, fifteen: Fifteen) -> None:
    with serving(directory) as server:
        server.issue("centre", "advice", "first")
        server.issue("centre", "result", "second")
        server.kill()

    verified = fifteen("verify")

    assert verified.stderr == "The server that had fifteen.db open is gone; working on the file itself.\n"
    assert verified.stdout == CLEAN


def test_a_demo_journal_is_verified_too(directory: Path, fifteen: Fifteen) -> None:
    with serving(directory, "--demo-speed", "2"):
        pass

    assert fifteen("verify").exit_code == 0


def test_an_edited_line_is_found(directory: Path, fifteen: Fifteen) -> None:
    with serving(directory) as server:
        server.issue("centre", "advice", "first")
        server.stop()
    with closing(sqlite3.connect("fifteen.db", isolation_level=None)) as connection:
        connection.execute("UPDATE facts SET actor = 'nobody' WHERE seq = 3")

    verified = fifteen("verify")

    assert verified.exit_code == 1
    assert "then a difference: office centre, fact 3: the line was changed" in verified.stderr


def test_a_journal_on_media_that_cannot_be_written_is_verified_in_a_copy(directory: Path, fifteen: Fifteen) -> None:
    with serving(directory) as server:
        server.issue("centre", "advice", "first")
        server.issue("centre", "result", "second")
        server.kill()
    (directory / "fifteen.db").chmod(0o444)
    before = (directory / "fifteen.db").read_bytes()

    verified = fifteen("verify")

    assert verified.stdout == CLEAN
    assert "fifteen.db cannot be written; a copy of it in" in verified.stderr
    assert (directory / "fifteen.db").read_bytes() == before


@pytest.mark.parametrize("words", [("verify",), ("backup", "copy.db")])
def test_a_journal_that_does_not_exist_is_not_made(directory: Path, fifteen: Fifteen, words: tuple[str, ...]) -> None:
    done = fifteen(*words)

    assert done.exit_code == 1
    assert done.stderr == "fifteen.db does not exist. Name the journal with --database.\n"
    assert list(directory.iterdir()) == []


def test_a_backup_needs_a_directory_to_go_to(directory: Path, fifteen: Fifteen) -> None:
    with serving(directory):
        done = fifteen("backup", "nowhere/copy.db")

    assert done.exit_code == 1
    assert "nowhere is not a directory" in done.stderr


def test_on_postgresql_the_commands_work_beside_the_server(
    directory: Path, fifteen: Fifteen, postgres_url: str
) -> None:
    with serving(directory, "--database", postgres_url) as server:
        server.issue("centre", "advice", "first")
        server.issue("centre", "result", "second")

        verified = fifteen("verify", "--database", postgres_url)
        copied = fifteen("backup", "copy.db", "--database", postgres_url)

    assert verified.output == CLEAN
    assert copied.exit_code == 0
    assert fifteen("verify", "--database", "copy.db").output == CLEAN
    assert list(directory.glob("*.door")) == []
