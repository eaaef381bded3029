"""The actor: a request that knows who makes it and how to have a wish carried out."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, TypeVar

import msgspec
from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from app.engine import Answer, Engine, JournalSilent
from app.journal import Journal, JournalBroken, JournalDown, JournalFull
from app.web.refusals import BadInput, KeyMissing
from queue_core.commands import Command
from queue_core.hall import Hall

T = TypeVar("T")

KEY = re.compile(r"[\x21-\x7e]{1,200}")
KEY_HEADER = "Idempotency-Key"

BODY_BYTES = 64 * 1024
DESCRIPTION_BYTES = 1024 * 1024
"""A centre of a thousand services and counters, each named in several languages."""

JOURNAL_PATIENCE_SECONDS = 10


class Actor(Request):
    """Whoever asks.

    A request, and not a dependency on one, because a dependency costs a fifth of a route. Access comes here: `name`
    will say who it is, and `do`, `hall` and `ask` what they may.
    """

    name = "anonymous"

    @property
    def engine(self) -> Engine:
        """The engine of this process."""
        engine: Engine = self.app.state.engine
        return engine

    async def do(self, office: str, command: Command, *, keyed: bool = False) -> Answer:
        """Have a command carried out in an office, under the request's key; `keyed` commands must have one."""
        return await self.engine.do(office, command, actor=self.name, key=self._key(keyed))

    async def hall(self, office: str) -> Hall:
        """The office's hall, to be read at once and not across an await."""
        return await self.engine.hall(office)

    async def ask(self, question: Callable[[Journal], T]) -> T:
        """The journal's answer, or JournalSilent."""
        try:
            async with asyncio.timeout(JOURNAL_PATIENCE_SECONDS):
                return await self.engine.ask(question)
        except (JournalDown, JournalFull, JournalBroken, TimeoutError) as trouble:
            raise JournalSilent(retry_after=5) from trouble

    async def json(self) -> Any:
        """The body, read more strictly than the framework would: UTF-8, no NaN, no half of a surrogate pair."""
        return msgspec.json.decode(await self.body())

    async def body(self) -> bytes:
        """The body, and no more of it than is allowed, whatever its headers say."""
        if not hasattr(self, "_body"):
            self._body = b"".join([piece async for piece in self._pieces()])
        return self._body

    async def _pieces(self) -> AsyncIterator[bytes]:
        left = DESCRIPTION_BYTES if self.method == "PUT" else BODY_BYTES
        more = True
        while more:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect()
            piece, more = message.get("body", b""), message.get("more_body", False)
            left -= len(piece)
            if left < 0:
                # The framework takes any other exception here for malformed JSON.
                raise HTTPException(413)
            yield piece

    def _key(self, keyed: bool) -> str | None:
        key = self.headers.get(KEY_HEADER)
        if key is None:
            if keyed:
                raise KeyMissing()
            return None
        if not KEY.fullmatch(key):
            raise BadInput(errors=[{"at": f"header.{KEY_HEADER}", "reason": "must be 1 to 200 visible ASCII letters"}])
        return key


def room(name: str) -> APIRouter:
    """A router for one room: its endpoints meet the request as an `Actor`, and their names are their operation ids."""
    return APIRouter(
        prefix="/api/v1/offices",
        tags=[name],
        route_class=_Passage,
        generate_unique_id_function=lambda route: route.name,
    )


class _Passage(APIRoute):
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The framework's handler, with the actor in the place of the request."""
        handle = super().get_route_handler()

        async def handle_actor(request: Request) -> Response:
            return await handle(Actor(request.scope, request.receive))

        return handle_actor
