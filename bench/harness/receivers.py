"""Receivers of webhooks in a process of their own: one in good health, and three that are ill until all get well.

What arrived is written down line by line as it arrives, and every signature is checked at once, as receivers do: a
message that is five minutes old would count as replayed.
"""

import asyncio
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TextIO

import msgspec
import uvloop
from standardwebhooks.webhooks import Webhook as Signature
from standardwebhooks.webhooks import WebhookVerificationError

from bench.harness.client import HEAD_END
from bench.harness.servers import free_port

SECRET = f"whsec_{b64encode(b'a secret of nobody, for a bench.').decode()}"
TIMEOUT_SECONDS = 1
"""The least that an entry may have: so long does a receiver that hangs keep its connections."""

PATIENCE_SECONDS = 30
NOT_ANSWERED = 0


class Name(StrEnum):
    """The receivers, by what they do while they are ill."""

    HEALTHY = "healthy"
    REFUSING = "refusing"
    HANGING = "hanging"
    AWAY = "away"


ANSWERS = {Name.HEALTHY: 200, Name.REFUSING: 500, Name.HANGING: NOT_ANSWERED}
"""Of those who are at home while they are ill."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One attempt as it came in. `at` is in seconds since 1970, `seq` None for what was told from memory."""

    receiver: Name
    at: float
    answered: int
    office: str
    seq: int | None
    is_signed: bool

    @property
    def is_taken(self) -> bool:
        """Whether the sender was told that it arrived."""
        return 200 <= self.answered < 300


class Receivers:
    """The process as the bench sees it."""

    def __init__(self, directory: Path) -> None:
        self.ports = {name: free_port() for name in Name}
        self._file = directory / "arrivals"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def alerts(self) -> str:
        """The file that has a server tell all of them."""
        entries = (
            f'[[webhooks]]\nname = "{name}"\nurl = "http://127.0.0.1:{port}"\n'
            f'secrets = ["{SECRET}"]\ntimeout_seconds = {TIMEOUT_SECONDS}\n'
            for name, port in self.ports.items()
        )
        return "\n".join(entries)

    def start(self) -> None:
        """Three of them fall ill; return when those who are at home listen."""
        words = [sys.executable, "-m", "bench.harness.receivers", str(self._file), *map(str, self.ports.values())]
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout
        if not self._process.stdout.readline():
            raise RuntimeError("the receivers did not begin")

    def get_well(self) -> None:
        """From now on all of them take everything; return when they do."""
        assert self._process
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(b"get well\n")
        self._process.stdin.flush()
        if not self._process.stdout.readline():
            raise RuntimeError("the receivers did not get well")

    def end(self) -> list[Arrival]:
        """All that arrived, in order; nothing can arrive any more."""
        assert self._process
        self._process.communicate(timeout=PATIENCE_SECONDS)
        if self._process.returncode:
            raise RuntimeError(f"the receivers ended with {self._process.returncode}")
        return [msgspec.json.decode(line, type=Arrival) for line in self._file.read_bytes().splitlines()]

    def kill(self) -> None:
        """Be rid of them, however far they have come."""
        if self._process:
            self._process.kill()
            self._process.wait()


@contextmanager
def receiving(directory: Path) -> Iterator[Receivers]:
    """Receivers, gone afterwards."""
    receivers = Receivers(directory)
    try:
        receivers.start()
        yield receivers
    finally:
        receivers.kill()


# The process itself


class Ward:
    """All receivers and their health."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._signature = Signature(SECRET)
        self._are_well = False

    async def begin(self, ports: Mapping[Name, int]) -> None:
        """Be ill until a line comes in, be well until there are no more; each change is told when it is complete."""
        for name in ANSWERS:
            await self._listen(name, ports[name])
        print("ill", flush=True)
        if not await asyncio.to_thread(sys.stdin.readline):
            return
        self._are_well = True
        await self._listen(Name.AWAY, ports[Name.AWAY])
        print("well", flush=True)
        await asyncio.to_thread(sys.stdin.read)

    async def _listen(self, name: Name, port: int) -> None:
        async def receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            # Whoever sends may hang up at any time.
            with suppress(OSError, asyncio.IncompleteReadError):
                while True:
                    await self._receive_one(name, reader, writer)
            writer.close()

        await asyncio.start_server(receive, "127.0.0.1", port)

    async def _receive_one(self, name: Name, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        headers = _headers(await reader.readuntil(HEAD_END))
        body = await reader.readexactly(int(headers["content-length"]))
        answer = 200 if self._are_well else ANSWERS[name]
        self._write_down(name, answer, headers, body)
        if answer == NOT_ANSWERED:
            await reader.read()
            raise ConnectionResetError
        writer.write(f"HTTP/1.1 {answer} Answered\r\ncontent-length: 0\r\n\r\n".encode())
        await writer.drain()

    def _write_down(self, name: Name, answer: int, headers: dict[str, str], body: bytes) -> None:
        data = msgspec.json.decode(body)["data"]
        arrival = Arrival(
            receiver=name,
            at=time.time(),
            answered=answer,
            office=data["office"],
            seq=data.get("seq"),
            is_signed=self._is_signed(body, headers),
        )
        self._file.write(msgspec.json.encode(arrival).decode() + "\n")

    def _is_signed(self, body: bytes, headers: dict[str, str]) -> bool:
        try:
            self._signature.verify(body.decode(), headers)
        except WebhookVerificationError:
            return False
        return True


def _headers(head: bytes) -> dict[str, str]:
    lines = head.decode("latin-1").split("\r\n")[1:]
    return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}


def main(file: str, *ports: str) -> None:
    """Receive until nobody tells this process anything any more."""
    with Path(file).open("w", encoding="utf-8") as arrivals:
        uvloop.run(Ward(arrivals).begin(dict(zip(Name, map(int, ports), strict=True))))


if __name__ == "__main__":
    main(*sys.argv[1:])
