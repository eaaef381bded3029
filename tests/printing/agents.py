"""Print agents as they are started by hand: `python -m app printer`, in a directory of their own."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer

import httpx2

from tests.command_line.servers import PATIENCE_SECONDS, environment


class Agent:
    """A running print agent and what it printed when it began."""

    def __init__(self, process: subprocess.Popen[str], welcome: str) -> None:
        self.process, self.welcome = process, welcome
        self.url = welcome.splitlines()[0].rpartition(" ")[2]
        self.http = httpx2.Client(base_url=self.url, timeout=PATIENCE_SECONDS, trust_env=False)


@contextmanager
def agent(directory: Path, *words: str) -> Iterator[Agent]:
    """An agent on a free port."""
    command = [sys.executable, "-m", "app", "printer", "--listen", "127.0.0.1:0", *words]
    process = subprocess.Popen(command, cwd=directory, env=environment(), stdout=subprocess.PIPE, text=True)
    patience = Timer(PATIENCE_SECONDS, process.kill)
    patience.start()
    with process:
        try:
            assert process.stdout
            lines = iter(process.stdout.readline, "")
            welcome = ""
            while not welcome.endswith("Stop with Ctrl-C.\n"):
                welcome += next(lines)
            running = Agent(process, welcome)
            with running.http:
                yield running
        finally:
            patience.cancel()
            process.terminate()
