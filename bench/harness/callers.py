"""Kiosks and operators who do not give up: every wish has a key, and is repeated under it until there is an answer."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count, cycle
from math import inf
from random import Random
from time import perf_counter
from typing import Any

from bench.harness.client import Connection, ConnectionEnded, Reply, post
from bench.harness.offices import counter_id, path, service_id
from tests.proof.checker import Call

PATIENCE_SECONDS = 15.0
NO_ANSWER = frozenset({502, 503, 504})
PAUSE_SECONDS = 0.05
RETRY_SECONDS = 0.1
REPEATED = 0.03
REMEMBERED = 50
"""How often, and from how far back, something answered is sent once more, as a confused network would."""


@dataclass(slots=True)
class Crowd:
    """Everybody at one office. `history` has a line for every attempt, as the checker wants it."""

    office: str
    ports: Sequence[int]
    random: Random
    services: int
    visitors: float = inf
    history: list[Call] = field(default_factory=list)
    issued: int = 0
    ended: int = 0
    kiosks_are_open: bool = True

    @property
    def is_served(self) -> bool:
        """Whether nobody will come any more and everybody who came has gone."""
        return not self.kiosks_are_open and self.ended == self.issued


class Client:
    """One machine at a kiosk or a counter. It keeps to one server until that fails it."""

    def __init__(self, crowd: Crowd, name: str, ports: Sequence[int] = ()) -> None:
        self.crowd = crowd
        self._name = name
        self._numbers = count(1)
        self._ports = cycle(ports or crowd.random.sample(crowd.ports, len(crowd.ports)))
        self._connection: Connection | None = None
        self._told: deque[tuple[str, str, bytes]] = deque(maxlen=REMEMBERED)

    async def tell(self, operation: str, rest: str, body: object = None) -> Reply:
        """The answer to a wish, however often it has to be repeated."""
        key = f"{self._name}-{next(self._numbers)}"
        request = post(path(self.crowd.office, rest), body, key)
        while True:
            reply = await self._attempt(operation, key, request)
            if reply:
                break
            await asyncio.sleep(RETRY_SECONDS)
        self._told.append((operation, key, request))
        if self.crowd.random.random() < REPEATED:
            await self._attempt(*self.crowd.random.choice(self._told))
        return reply

    def hang_up(self) -> None:
        """Leave."""
        if self._connection:
            self._connection.close()
            self._connection = None

    async def _attempt(self, operation: str, key: str, request: bytes) -> Reply | None:
        """One line of the history; None when it has to be tried again."""
        start = perf_counter()
        reply = await self._ask(request)
        self.crowd.history.append(
            Call(
                client=self._name,
                operation=operation,
                office=self.crowd.office,
                key=key,
                start=start,
                end=perf_counter(),
                status=reply.status if reply else None,
                reply=reply.json() if reply else None,
            )
        )
        if reply and reply.status not in NO_ANSWER:
            return reply
        self.hang_up()
        return None

    async def _ask(self, request: bytes) -> Reply | None:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                if self._connection is None:
                    self._connection = await Connection.to(next(self._ports))
                return await self._connection.ask(request)
        except (OSError, ConnectionEnded, TimeoutError):
            return None


async def attend_kiosk(crowd: Crowd, number: int, pause_seconds: float = 0.0) -> None:
    """Take tickets until there are as many as visitors, or the kiosks close."""
    client = Client(crowd, f"kiosk-{number}")
    while crowd.kiosks_are_open and crowd.issued < crowd.visitors:
        await take_ticket(client)
        await asyncio.sleep(pause_seconds)
    client.hang_up()


async def take_ticket(client: Client) -> None:
    """Be issued a ticket."""
    crowd = client.crowd
    crowd.issued += 1
    service = crowd.random.randrange(crowd.services)
    _surely(await client.tell("issue", "/tickets", {"service": service_id(service)}), 201)


async def attend_counter(crowd: Crowd, number: int) -> None:
    """Serve whoever is next until everybody has gone."""
    counter = counter_id(number)
    client = Client(crowd, f"operator-{counter}")
    _surely(await client.tell("open", f"/counters/{counter}/open", {"operator": f"operator-{counter}"}), 200)
    while not crowd.is_served:
        called = await client.tell("call-next", f"/counters/{counter}/call-next")
        if called.status == 204:
            await asyncio.sleep(PAUSE_SECONDS)
        else:
            await _see_through(client, _surely(called, 200)["id"])
    client.hang_up()


async def _see_through(client: Client, ticket: str) -> None:
    crowd = client.crowd
    steps = ("no-show",) if crowd.random.random() < 0.03 else ("start", "finish")
    for step in steps:
        _surely(await client.tell(step, f"/tickets/{ticket}/{step}"), 200)
    crowd.ended += 1


def _surely(reply: Reply, status: int) -> Any:
    """The body of a reply with the status that was to be expected."""
    if reply.status != status:
        raise RuntimeError(f"answered with {reply.status} {reply.body!r}")
    return reply.json()
