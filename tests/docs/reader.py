"""A reader with a checkout of their own, who types what a page says."""

import hashlib
import os
import platform
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.docs.pages import ROOT, blocks

CHECKOUT = ("dev.py", "app", "queue_core", "migrations", "examples", "requirements.lock", "requirements-dev.lock")
PATIENCE_SECONDS = 240
DONE = "--- done ---"
READY = "Ctrl-C"

CURL = '''
"""As much of curl as our pages use, for machines that have none."""
import argparse, sys, urllib.error, urllib.request
words = argparse.ArgumentParser()
for option in ("-w", "-X", "-d"):
    words.add_argument(option)
words.add_argument("-H", action="append", default=[])
words.add_argument("-s", action="store_true")
words.add_argument("url")
typed = words.parse_args()
request = urllib.request.Request(typed.url, typed.d.encode() if typed.d else None, method=typed.X or "GET")
for header in typed.H:
    request.add_header(*header.split(": ", 1))
try:
    answer = urllib.request.urlopen(request)
except urllib.error.HTTPError as error:
    answer = error
print(answer.read().decode(), end=(typed.w or "").replace(r"\\n", "\\n"))
'''


class Reader:
    """Somebody who has just cloned the product.

    They have a folder with it, one terminal to type in and others to leave servers running in. The ports that our pages
    name may be taken on this machine, so the reader uses free ones, and is in more of a hurry with a demo clock.
    """

    def __init__(self, folder: Path) -> None:
        self._checkout, self._programs = folder / "checkout", folder / "programs"
        self._ports = {"8000": _free_port(), "8001": _free_port()}
        self._complaints = folder / "stderr"
        self._servers: list[subprocess.Popen[str]] = []
        self._copy_the_product()
        self._install_programs()
        self._terminal = self._begin("sh", "-eu")

    def follow(self, page: Path) -> tuple[list[str], list[str]]:
        """Do all that the page says; what the servers printed, and what each block that was typed printed."""
        served, typed = [], []
        for block in blocks(page):
            if block.info == "sh serves":
                served.append(self._serve(block.text))
            elif block.info == "sh runs":
                typed.append(self._type(block.text))
        return served, typed

    def leave(self) -> None:
        """Close all terminals."""
        for process in (self._terminal, *self._servers):
            with _patiently(process):
                os.killpg(process.pid, signal.SIGTERM)
                process.communicate()

    def _type(self, text: str) -> str:
        assert self._terminal.stdin
        assert self._terminal.stdout
        self._terminal.stdin.write(f"{self._as_typed(text)}\necho {DONE!r}\n")
        self._terminal.stdin.flush()
        with _patiently(self._terminal):
            printed = list(iter(self._terminal.stdout.readline, f"{DONE}\n"))
            if self._terminal.poll() is not None:
                raise AssertionError(f"{text}\nfailed and said:\n{''.join(printed)}{self._complaints.read_text()}")
        return self._as_on_the_page("".join(printed))

    def _serve(self, text: str) -> str:
        server = self._begin("sh", "-c", self._as_typed(text))
        self._servers.append(server)
        printed = ""
        assert server.stdout
        with _patiently(server):
            while READY not in printed:
                line = server.stdout.readline()
                assert line, f"{text}\nended and said:\n{printed}{self._complaints.read_text()}"
                printed += line
        # Nobody reads on, and a full pipe would stop the server.
        threading.Thread(target=server.stdout.read, daemon=True).start()
        return self._as_on_the_page(printed)

    def _begin(self, *words: str) -> "subprocess.Popen[str]":
        others = {name: value for name, value in os.environ.items() if not name.startswith("FIFTEEN_")}
        path = f"{self._programs}{os.pathsep}{others.get('PATH', '')}"
        with self._complaints.open("a") as complaints:
            return subprocess.Popen(
                words,
                cwd=self._checkout,
                env=others | {"PATH": path, "FIFTEEN_PORT": str(self._ports["8000"])},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=complaints,
                text=True,
                start_new_session=True,
            )

    def _copy_the_product(self) -> None:
        self._checkout.mkdir()
        for name in CHECKOUT:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, self._checkout / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copyfile(ROOT / name, self._checkout / name)

    def _install_programs(self) -> None:
        """What the first run of dev.py would take from the internet is here already: the tests run on it."""
        venv = self._checkout / ".venv"
        _program(venv / "bin" / "python", "")
        locks = [(ROOT / name).read_bytes() for name in CHECKOUT if name.endswith(".lock")]
        stamp = [platform.python_version(), *(hashlib.sha256(lock).hexdigest() for lock in locks)]
        (venv / "made-from").write_text("\n".join(stamp))
        _program(self._programs / "python3", "")
        if not shutil.which("curl"):
            (self._programs / "curl.py").write_text(CURL)
            _program(self._programs / "curl", str(self._programs / "curl.py"))

    def _as_typed(self, text: str) -> str:
        text = text.replace("--demo-speed 300", "--demo-speed 1200")
        return re.sub(r"\b8000\b|\b8001\b", lambda port: str(self._ports[port[0]]), text)

    def _as_on_the_page(self, text: str) -> str:
        for shown, port in self._ports.items():
            text = text.replace(str(port), shown)
        return text


def _program(path: Path, first_word: str) -> None:
    """A program that is this Python, with a first word already given."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" {first_word} "$@"\n')
    path.chmod(0o755)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _patiently(process: "subprocess.Popen[str]") -> Iterator[None]:
    """Whatever waits for the process inside waits no longer than patience lasts."""
    timer = threading.Timer(PATIENCE_SECONDS, process.kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
