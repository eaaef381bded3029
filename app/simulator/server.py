"""The server as kiosks and operators know it: requests that are repeated until answered, and the server's own clock."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any
from uuid import uuid4

import httpx2

REPEATED_STATUSES = frozenset({502, 503, 504})
LONGEST_PAUSE_SECONDS = 2.0
LONGEST_SILENCE_SECONDS = 3.0
SHORTEST_SLEEP_SECONDS = 0.002
NOTHING_TO_TELL = 204
REFUSED = 400


class ServerGone(Exception):
    """The server did not answer for too long, or is not one of ours; the message says which."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server answered: `body` is None when there was nothing to tell; `problem` names a refusal."""

    body: Mapping[str, Any] | None
    problem: str | None = None


class ServerClock:
    """The server's time, kept up between the replies that tell it."""

    def __init__(self) -> None:
        self.speed = 1.0
        self._told = datetime.min.replace(tzinfo=UTC)
        self._heard_at = 0.0

    def heard(self, snapshot: Mapping[str, Any]) -> None:
        """Set the clock by an office's live state."""
        mark = snapshot["demo"]
        self.speed = float(mark.removesuffix("x")) if mark else 1.0
        self._told = datetime.fromisoformat(snapshot["server_time"])
        self._heard_at = monotonic()

    def now(self) -> datetime:
        """The instant by the server's clock. While the server is silent, its time stands still: so does its office."""
        silent = monotonic() - self._heard_at
        return self._told + timedelta(seconds=min(silent, LONGEST_SILENCE_SECONDS) * self.speed)

    async def sleep(self, seconds: float) -> None:
        """Let this many of the server's seconds pass."""
        await asyncio.sleep(max(seconds / self.speed, SHORTEST_SLEEP_SECONDS))

    async def sleep_until(self, instant: datetime) -> None:
        """Wait until the server's clock shows `instant`, however it is set meanwhile."""
        while (left := (instant - self.now()).total_seconds()) > 0:
            # Not all at once: a server that comes back after a crash may tell another time.
            await self.sleep(min(left, self.speed))


class Server:
    """One office of a server. Every write carries a key and is repeated under it until there is an answer."""

    def __init__(self, http: httpx2.AsyncClient, office: str, *, patience_seconds: float = 120) -> None:
        self.clock = ServerClock()
        self.errors: Counter[str] = Counter()
        self.repeated = 0
        self.requests = 0
        self._http = http
        self._office = office
        self._patience = patience_seconds

    async def snapshot(self) -> Mapping[str, Any]:
        """The office's live state, by which the clock is set."""
        reply = await self.ask("")
        if reply.body is None or reply.problem:
            raise ServerGone(f"{self._http.base_url} has no office {self._office} ({reply.problem})")
        self.clock.heard(reply.body)
        return reply.body

    async def description(self) -> Mapping[str, Any]:
        """How the office is set up, as its journal tells it."""
        page: Mapping[str, Any] = {"more": True, "next": None}
        described: Mapping[str, Any] | None = None
        while page["more"]:
            after = f"&cursor={page['next']}" if page["next"] else ""
            reply = await self.ask(f"/facts?limit=1000{after}")
            if reply.body is None or reply.problem:
                raise ServerGone(f"{self._http.base_url} does not tell how {self._office} is set up ({reply.problem})")
            page = reply.body
            for line in page["facts"]:
                described = line["office"] if line["kind"] == "Configured" else described
        assert described is not None, "an office begins with being described"
        return described

    async def ask(self, path: str) -> Reply:
        """Read something of the office."""
        return await self._surely("GET", path, None, {})

    async def tell(self, path: str, body: Mapping[str, Any] | None = None, *, expected: tuple[str, ...] = ()) -> Reply:
        """Write something. A refusal that is not among the `expected` counts as an error."""
        key = {"Idempotency-Key": f"simulator-{uuid4()}"}
        reply = await self._surely("POST", path, body, key)
        if reply.problem and reply.problem not in expected:
            self.errors[f"{path.rpartition('/')[2]}: {reply.problem}"] += 1
        return reply

    async def _surely(self, method: str, path: str, body: Mapping[str, Any] | None, headers: dict[str, str]) -> Reply:
        """The answer to a request that may have to be made several times: lost connections and 503 are no answer."""
        since, pause = monotonic(), 0.05
        while True:
            self.requests += 1
            trouble = ""
            try:
                response = await self._http.request(
                    method, f"/api/v1/offices/{self._office}{path}", json=body, headers=headers
                )
                if response.status_code not in REPEATED_STATUSES:
                    return _reply(response)
                trouble = f"status {response.status_code}"
            except httpx2.TransportError as error:
                trouble = f"{type(error).__name__} {error}".strip()
            if monotonic() - since > self._patience:
                raise ServerGone(f"{self._http.base_url} did not answer for {self._patience:g} s ({trouble})")
            self.repeated += 1
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


def _reply(response: httpx2.Response) -> Reply:
    if response.status_code == NOTHING_TO_TELL:
        return Reply(None)
    try:
        body = response.json()
    except ValueError:
        return Reply(None, f"status {response.status_code} without JSON")
    if response.status_code >= REFUSED:
        return Reply(body, str(body.get("type", response.status_code)).removeprefix("/problems/"))
    return Reply(body)
