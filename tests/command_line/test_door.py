"""The file by which commands find a server."""

import json
import os
from pathlib import Path

import pytest

from app.door import close_door, door_file, find_door, open_door


@pytest.fixture
def database(tmp_path: Path) -> str:
    return str(tmp_path / "fifteen.db")


def test_whoever_finds_a_door_knows_where_to_knock(database: str) -> None:
    open_door(database, "http://127.0.0.1:8000", "open sesame")

    door = find_door(database)

    assert door
    assert (door.url, door.secret, door.pid) == ("http://127.0.0.1:8000", "open sesame", os.getpid())
    assert door.is_inhabited


def test_the_door_of_a_process_that_is_gone_is_not_inhabited(database: str) -> None:
    gone = os.fork()
    if gone == 0:
        os._exit(0)
    os.waitpid(gone, 0)
    Path(f"{database}.door").write_text(json.dumps({"url": "http://127.0.0.1:8000", "secret": "s", "pid": gone}))

    door = find_door(database)

    assert door
    assert not door.is_inhabited


@pytest.mark.parametrize("content", ["", "{", "[]", '{"url": "http://127.0.0.1"}', '"door"', "\xff"])
def test_what_is_no_door_is_not_found(database: str, content: str) -> None:
    Path(f"{database}.door").write_bytes(content.encode("latin-1"))

    assert find_door(database) is None


def test_a_server_takes_away_only_its_own_door(database: str) -> None:
    others = Path(f"{database}.door")
    others.write_text(json.dumps({"url": "http://127.0.0.1:8000", "secret": "s", "pid": 1}))

    close_door(database)

    assert others.exists()


def test_postgresql_has_no_door() -> None:
    address = "postgresql+psycopg://somewhere/fifteen"

    open_door(address, "http://127.0.0.1:8000", "open sesame")

    assert door_file(address) is None
    assert find_door(address) is None
