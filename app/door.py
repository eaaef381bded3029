"""How other commands find the server that has a SQLite file open: a small file beside it, the door.

The file is readable by its owner alone, because whoever holds the secret may ask the server for a backup. It outlives a
server that was killed; then nobody lives behind it, and a command works on the database by itself.
"""

import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

HEADER = "Fifteen-Door"
"""Carries the secret to the server, on requests that only the machine's own administrator may make."""


@dataclass(frozen=True, slots=True)
class Door:
    """Where a server answers, and the secret it knows its administrator by."""

    url: str
    secret: str
    pid: int

    @property
    def is_inhabited(self) -> bool:
        """Whether the process that made it still lives."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:  # it lives, and is somebody else's
            return True
        return True


def door_file(database: str) -> Path | None:
    """Where the door of this database stands; None on PostgreSQL, which everybody may ask by themselves."""
    return None if "://" in database else Path(f"{database}.door")


def new_secret() -> str:
    """A secret nobody can guess."""
    return secrets.token_urlsafe(32)


def open_door(database: str, url: str, secret: str) -> None:
    """Tell the other commands of this machine where the server answers."""
    path = door_file(database)
    if path is None:
        return
    # Written aside and then renamed, so that nobody reads half a door or one that others may read.
    growing = path.with_name(f".{path.name}.{os.getpid()}")
    growing.unlink(missing_ok=True)
    descriptor = os.open(growing, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(Door(url, secret, os.getpid())), file)
    growing.rename(path)


def close_door(database: str) -> None:
    """Take away the door that this process made, and no other's."""
    path, door = door_file(database), find_door(database)
    if path and door and door.pid == os.getpid():
        path.unlink(missing_ok=True)


def find_door(database: str) -> Door | None:
    """The door of this database, if there is a readable one. Its server may be gone all the same."""
    path = door_file(database)
    if path is None:
        return None
    try:
        return Door(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
