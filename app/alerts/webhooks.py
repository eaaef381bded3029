"""Webhooks: facts as CloudEvents, signed as Standard Webhooks has it."""

import asyncio
from datetime import datetime, timedelta

import httpx2
import msgspec
from standardwebhooks.webhooks import Webhook as Signature

from app.alerts.plan import WebhookEntry
from app.alerts.told import Told, Untaken, rfc3339
from app.clock import SystemClock
from app.journal import Recorded
from app.watch import Provisional

AT_ONCE = 8
"""Connections to one receiver at the most."""

SMALL_ANSWER = 64 * 1024
"""An answer no larger is read to its end, so that its connection can be used again."""


class Webhook:
    """One address that is told."""

    forgets = False
    needs_history = False
    hears_twice = True

    def __init__(self, entry: WebhookEntry, clock: SystemClock) -> None:
        self.name, self.patience = entry.name, timedelta(minutes=entry.give_up_after_minutes)
        self.kinds = entry.facts
        self._entry = entry
        self._signatures = [Signature(secret) for secret in entry.secrets]
        self._clock = clock
        self._client = client(AT_ONCE)

    def wants(self, told: Told) -> bool:
        """Whether the office is one of those it is told of."""
        return self._entry.is_about(told.line.office_id)

    async def tell(self, told: Told) -> None:
        """Post the event; anything but a 2xx in time is Untaken."""
        event = msgspec.json.encode(cloud_event(told))
        # Of the attempt, and as the machine's clock shows it: receivers refuse what is five minutes old as replayed.
        attempted_at = self._clock.now() + self._clock.off
        headers = {"content-type": "application/cloudevents+json", **self._signed(told.id, event, attempted_at)}
        await post(self._client, self._entry.url, event, headers, self._entry.timeout_seconds)

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.aclose()

    def _signed(self, message_id: str, body: bytes, now: datetime) -> dict[str, str]:
        """Signed with every secret, so that a receiver may change from one to the next in its own time."""
        signatures = [signature.sign(message_id, now, body.decode()) for signature in self._signatures]
        return {
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(signatures),
        }


def cloud_event(told: Told) -> dict[str, object]:
    """A fact as a CloudEvent 1.0: its members as they stand in the journal, and whose ticket it is.

    What is told from memory is an event of its own: nobody who counts breaches counts it twice.
    """
    line, visitor = told.line, told.visitor
    of_its_own: dict[str, object] = {"seq": line.seq} if isinstance(line, Recorded) else {"stands": line.stands}
    fact: dict[str, object] = msgspec.to_builtins(line.fact, builtin_types=(datetime,))
    about: dict[str, object] = msgspec.to_builtins(visitor) if visitor else {}
    return {
        "specversion": "1.0",
        "id": told.id,
        "source": f"/api/v1/offices/{line.office_id}",
        "type": f"fifteen.{line.kind if isinstance(line, Recorded) else Provisional.__name__}",
        "time": rfc3339(line.at),
        "datacontenttype": "application/json",
        "data": {"office": line.office_id, "kind": line.kind}
        | of_its_own
        | {name: rfc3339(value) if isinstance(value, datetime) else value for name, value in fact.items()}
        | about,
    }


def client(at_once: int) -> httpx2.AsyncClient:
    """A small pool of connections. Redirects are not followed: who moves a receiver tells us so in the file."""
    limits = httpx2.Limits(max_connections=at_once, max_keepalive_connections=at_once)
    return httpx2.AsyncClient(limits=limits, follow_redirects=False)


async def post(
    client: httpx2.AsyncClient, url: str, body: bytes, headers: dict[str, str], timeout_seconds: float
) -> None:
    """Post a body; Untaken unless the answer is a 2xx and comes in time."""
    try:
        # Over everything: a receiver may send its answer a byte at a time.
        async with asyncio.timeout(timeout_seconds):
            async with client.stream("POST", url, content=body, headers=headers, timeout=timeout_seconds) as answer:
                if int(answer.headers.get("content-length", SMALL_ANSWER + 1)) <= SMALL_ANSWER:
                    await answer.aread()
    except (TimeoutError, httpx2.TimeoutException):
        raise Untaken(f"no answer within {timeout_seconds:g} s") from None
    except httpx2.HTTPError as error:
        raise Untaken(f"{type(error).__name__}: {error}") from error
    if not answer.is_success:
        raise Untaken(f"answered {answer.status_code} {answer.reason_phrase}".strip())
