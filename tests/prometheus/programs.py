"""Prometheus, Alertmanager and promtool as Debian has them, run with the files of `deploy/`."""

import json
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx2
import yaml

from tests.docs.pages import ROOT

DEPLOY = ROOT / "deploy"
RULES = DEPLOY / "prometheus" / "rules"
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
CONFIGURATION = DEPLOY / "prometheus" / "prometheus.yml"
ALERTMANAGER = DEPLOY / "alertmanager" / "alertmanager.yml"
PATIENCE_SECONDS = 180

Series = tuple[dict[str, str], float]
"""Labels and a value."""


class Prometheus:
    """A running Prometheus, to be asked."""

    def __init__(self, http: httpx2.Client) -> None:
        self._http = http

    def ask(self, expression: str, at: datetime) -> list[Series]:
        """What an expression was then."""
        reply = self._http.get("/api/v1/query", params={"query": expression, "time": at.timestamp()})
        assert reply.status_code == 200, f"{expression}\n{reply.text}"
        return [(found["metric"], float(found["value"][1])) for found in reply.json()["data"]["result"]]

    def is_ready(self) -> bool:
        """Whether it answers questions."""
        try:
            return self._http.get("/-/ready").status_code == 200
        except httpx2.TransportError:
            return False


@contextmanager
def prometheus(directory: Path, queue: str, alertmanager: str = "127.0.0.1:9") -> Iterator[Prometheus]:
    """A Prometheus as it is deployed, that scrapes the server at this address."""
    configuration = directory / "prometheus.yml"
    configuration.write_text(
        CONFIGURATION.read_text(encoding="utf-8")
        .replace("rules/*.yml", str(RULES / "*.yml"))
        .replace("app:8000", queue)
        .replace("alertmanager:9093", alertmanager)
    )
    address = free_address()
    words = [word for word in COMPOSE["services"]["prometheus"]["command"] if word.startswith("--rules.")]
    words += [f"--config.file={configuration}", f"--storage.tsdb.path={directory / 'series'}"]
    with (
        running(directory, "prometheus", *words, f"--web.listen-address={address}"),
        httpx2.Client(base_url=f"http://{address}", timeout=PATIENCE_SECONDS, trust_env=False) as http,
    ):
        asked = Prometheus(http)
        soon(asked.is_ready)
        yield asked


@contextmanager
def alertmanager(directory: Path, receiver: str) -> Iterator[str]:
    """An Alertmanager as it is deployed, whose receivers are all at this address; its own."""
    configuration = directory / "alertmanager.yml"
    text = ALERTMANAGER.read_text(encoding="utf-8")
    configuration.write_text(text.replace("people.invalid", receiver).replace("outside.invalid", receiver))
    address = free_address()
    words = [f"--config.file={configuration}", f"--storage.path={directory / 'silences'}", "--cluster.listen-address="]
    with running(directory, "prometheus-alertmanager", *words, f"--web.listen-address={address}"):
        soon(lambda: _answers(f"http://{address}/-/ready"))
        yield address


Message = tuple[float, str, dict[str, Any]]
"""When it came (seconds since the epoch), to which path, and what it says of one alert."""


@contextmanager
def receiver() -> Iterator[tuple[str, list[Message]]]:
    """Somebody who is told: an address, and every alert of every message that came there."""
    came: list[Message] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            came.extend((time.time(), self.path, alert) for alert in body["alerts"])
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}", came
        server.shutdown()


@contextmanager
def running(directory: Path, program: str, *words: str, env: Mapping[str, str] | None = None) -> Iterator[None]:
    """A program, ended afterwards."""
    with (directory / f"{Path(program).name}.log").open("a") as log:
        process = subprocess.Popen([program, *words], cwd=directory, env=env, stdout=log, stderr=log)
        try:
            yield
        finally:
            process.terminate()
            process.wait(PATIENCE_SECONDS)


def soon(happened: Callable[[], object]) -> None:
    """Wait until it has."""
    patience = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        assert time.monotonic() < patience, "it did not happen in time"
        time.sleep(0.1)


def free_address() -> str:
    """Where nobody listens yet."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def told(*words: object) -> str:
    """What a program prints; it must end with 0."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _answers(url: str) -> bool:
    try:
        return httpx2.get(url, timeout=PATIENCE_SECONDS, trust_env=False).status_code == 200
    except httpx2.TransportError:
        return False
