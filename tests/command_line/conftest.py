"""A directory to work in, and the command line."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.command_line.commands import fifteen as command_line

Fifteen = Callable[..., Result]


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory, and everything that is typed is typed in it."""
    monkeypatch.chdir(tmp_path)
    for name in ("FIFTEEN_DATABASE", "FIFTEEN_PORT", "FIFTEEN_DEMO_SPEED"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def fifteen(directory: Path) -> Fifteen:
    """Type a command."""
    runner = CliRunner()

    def typed(*words: object) -> Result:
        handlers = logging.root.handlers[:]
        try:
            return runner.invoke(command_line, [str(word) for word in words])
        finally:
            # A command that logs does so to the end of its process; here it would go on into a stream that is closed.
            logging.root.handlers[:] = handlers

    return typed
