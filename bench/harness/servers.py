"""Server processes, started as an administrator would: waited for, measured, killed, started again."""

import asyncio
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from bench.harness.client import Connection, ConnectionEnded, get

PATIENCE_SECONDS = 30
FIFTEEN = ("app", "serve", "--no-example")
BARE = ("bench.harness.bare",)


class Server:
    """One server process on a port of its own. `words` is the module that is run, with its arguments."""

    def __init__(self, settings: Mapping[str, str], words: tuple[str, ...] = FIFTEEN) -> None:
        self.port = free_port()
        self._command = [sys.executable, "-m", *words]
        # A journal in which a canary flies holds more than what a bench put into it.
        self._settings = {
            "FIFTEEN_CANARY_SECONDS": "0",
            **settings,
            "FIFTEEN_HOST": "127.0.0.1",
            "FIFTEEN_PORT": str(self.port),
        }
        self._logs = TemporaryDirectory(prefix="fifteen-bench-")
        self._log = Path(self._logs.name, "log")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process, which must be running."""
        assert self._process
        return self._process.pid

    def start(self) -> None:
        """Give the command; `ready` says when it has had its effect."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, env=os.environ | self._settings, stdout=log, stderr=log)

    async def ready(self) -> None:
        """Return when the server says it is ready."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not await self._is_ready():
            if self._process is None or self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{' '.join(self._command)} is not ready:\n{self.log_end()}")
            await asyncio.sleep(0.01)

    def kill(self) -> None:
        """SIGKILL, as by a lost machine, except that the disk's cache survives."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """Ask the server to end, and wait until it has done so in good order."""
        if self._process:
            self._process.send_signal(signal.SIGTERM)
            try:
                status = self._process.wait(PATIENCE_SECONDS)
            finally:
                self.kill()
            if status:
                raise RuntimeError(f"{' '.join(self._command)} ended with {status}:\n{self.log_end()}")

    def cpu_seconds(self) -> float:
        """The processor time of all threads so far, to the microsecond."""
        return cpu_seconds(self.pid)

    def main_thread_seconds(self) -> float:
        """The part of it that the event loop's thread had."""
        return self._main_thread()[0]

    def waited_seconds(self) -> float:
        """How long that thread has stood ready and had no processor."""
        return self._main_thread()[1]

    async def commits(self) -> int:
        """How many batches the server has written into its journal."""
        connection = await Connection.to(self.port)
        metrics = await connection.ask(get("/metrics"))
        connection.close()
        counted = re.search(rb"^queue_journal_batch_size_count (\S+)", metrics.body, re.MULTILINE)
        assert counted, "the server tells of its commits"
        return int(float(counted[1]))

    def log_end(self) -> str:
        """The last of what the server wrote."""
        return self.log()[-4000:]

    def log(self) -> str:
        """All that the server wrote."""
        return self._log.read_text(errors="replace")

    def _main_thread(self) -> tuple[float, float]:
        ran, waited, _ = Path(f"/proc/{self.pid}/task/{self.pid}/schedstat").read_text().split()
        return int(ran) / 1e9, int(waited) / 1e9

    async def _is_ready(self) -> bool:
        try:
            connection = await Connection.to(self.port)
            async with asyncio.timeout(2):
                reply = await connection.ask(get("/readyz"))
        except (OSError, ConnectionEnded, TimeoutError):
            return False
        connection.close()
        return reply.status < 300


@contextmanager
def running(*servers: Server) -> Iterator[None]:
    """These servers started; they are gone afterwards, however it went."""
    try:
        for server in servers:
            server.start()
        yield
    finally:
        for server in servers:
            server.kill()


def free_port() -> int:
    """A port that nobody listens on, now or while its server is down for a moment."""
    while True:
        # Below the ports that the system gives to clients: one of those, knocking at a closed door, can meet itself.
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def busy_seconds() -> float:
    """How long the processors of this machine have been at work for anybody, those of the machine's host included."""
    user, nice, system, _idle, _iowait, irq, softirq, steal, *_ = (
        int(ticks) for ticks in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    )
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def family_cpu_seconds(pid: int) -> float:
    """The processor time of a process and of its children that live."""
    return sum(cpu_seconds(process.pid) for process in (psutil.Process(pid), *psutil.Process(pid).children()))


def cpu_seconds(pid: int) -> float:
    """The processor time of another process. psutil reads hundredths of a second, too coarse for a short slice."""
    # What clock_getcpuclockid(3) answers with on Linux.
    return time.clock_gettime((~pid << 3) | 2)
