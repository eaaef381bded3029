"""Servers as they are started by hand: `python -m app serve`, in a directory of their own."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer

import httpx2

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 60
LAST_WORDS = ("Stop with Ctrl-C", "  fifteen apply office.toml")
"""How the welcome of a server ends."""


class LiveServer:
    """A running server, what it printed, and a client of it."""

    def __init__(self, process: subprocess.Popen[str], directory: Path, welcome: str) -> None:
        self.process = process
        self.directory = directory
        self.welcome = welcome
        self.url = next(line for line in welcome.splitlines() if line.startswith("Fifteen serves")).rpartition(" ")[2]
        self.http = httpx2.Client(base_url=self.url, timeout=PATIENCE_SECONDS, trust_env=False)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """Ask it to end, and wait until it has; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_SECONDS)

    def issue(self, office: str, service: str, key: str) -> str:
        """A ticket taken; its id."""
        headers = {"Idempotency-Key": key}
        reply = self.http.post(f"/api/v1/offices/{office}/tickets", json={"service": service}, headers=headers)
        return str(reply.raise_for_status().json()["id"])


@contextmanager
def serving(directory: Path, *words: str, command: str = "serve", **settings: str) -> Iterator[LiveServer]:
    """A server on a free port, stopped afterwards if it still runs. `command` is what starts it."""
    set_by = {f"FIFTEEN_{name.upper()}": value for name, value in settings.items()}
    with (directory / "server.log").open("a") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "app", command, "--port", "0", *words],
            cwd=directory,
            env=environment() | set_by,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        with process:
            try:
                server = LiveServer(process, directory, _welcome(process, directory / "server.log"))
                with server.http:
                    yield server
            finally:
                process.terminate()


def refused(directory: Path, *words: str) -> str:
    """What a server that cannot start says before it ends with 1."""
    command = [sys.executable, "-m", "app", "serve", "--port", "0", *words]
    done = subprocess.run(
        command, cwd=directory, env=environment(), capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    return done.stderr.splitlines()[-1]


def environment() -> dict[str, str]:
    """The checkout's own code, and no settings of whoever runs the tests."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("FIFTEEN_")}
    return inherited | {"PYTHONPATH": str(ROOT)}


def _welcome(process: subprocess.Popen[str], log: Path) -> str:
    assert process.stdout
    patience = Timer(PATIENCE_SECONDS, process.kill)
    patience.start()
    printed = ""
    for line in process.stdout:
        printed += line
        if line.startswith(LAST_WORDS):
            patience.cancel()
            return printed
    patience.cancel()
    raise AssertionError(f"the server did not start:\n{printed}{log.read_text()}")
