"""The actor: a request that knows who makes it and how to have a wish carried out."""

import asyncio
import re
from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import APIRouter
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.access.keys import Keys, network_of
from app.access.tokens import VisitTokens
from app.engine import Answer, Engine, JournalSilent, KeyReused
from app.journal import Journal, JournalBroken, JournalDown, JournalFull
from app.web.gate import BoundedRequest, Gated
from app.web.refusals import BadInput, KeyMissing
from queue_core.commands import Command
from queue_core.hall import Hall

T = TypeVar("T")

KEY = re.compile(r"[\x21-\x7e]{1,200}")
KEY_HEADER = "Idempotency-Key"
DEVICE = re.compile(r"[\x21-\x7e]{16,200}")
DEVICE_HEADER = "Fifteen-Device"
"""A secret of its own by which a device is the same one after its address has changed."""

JOURNAL_PATIENCE_SECONDS = 10


class Actor(BoundedRequest):
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

    @property
    def tokens(self) -> VisitTokens:
        """What visitors' tokens are made and read by."""
        tokens: VisitTokens = self.app.state.tokens
        return tokens

    async def do(self, office: str, command: Command, *, keyed: bool = False) -> Answer:
        """Have a command carried out in an office, under the request's key; `keyed` commands must have one."""
        key, whose = self._key(keyed), self._whose()
        if key is None:
            return await self.engine.do(office, command, actor=self.name)
        keys: Keys = self.app.state.keys
        kept = keys.kept_as(office, whose, key, self.engine.clock.now())
        try:
            return await self.engine.do(office, command, actor=self.name, key=kept)
        except KeyReused as reused:
            # As it was sent: nobody knows the other.
            raise KeyReused(key=key) from reused

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

    def _whose(self) -> tuple[str, ...]:
        """Whom a key of this request belongs to: the visitor of a token, else a device, else an address."""
        if token := self.path_params.get("token"):
            return ("visit", token)
        device = self.headers.get(DEVICE_HEADER)
        if device is None:
            return ("address", network_of(self.client.host if self.client else ""))
        if not DEVICE.fullmatch(device):
            raise BadInput(
                errors=[{"at": f"header.{DEVICE_HEADER}", "reason": "must be 16 to 200 visible ASCII letters"}]
            )
        return ("device", device)

    def _key(self, keyed: bool) -> str | None:
        key = self.headers.get(KEY_HEADER)
        if key is None:
            if keyed:
                raise KeyMissing()
            return None
        if not KEY.fullmatch(key):
            raise BadInput(errors=[{"at": f"header.{KEY_HEADER}", "reason": "must be 1 to 200 visible ASCII letters"}])
        return key


def room(name: str, prefix: str = "/api/v1/offices") -> APIRouter:
    """A router for one room: its endpoints meet the request as an `Actor`, and their names are their operation ids."""
    return APIRouter(
        prefix=prefix,
        tags=[name],
        route_class=_Passage,
        generate_unique_id_function=lambda route: route.name,
    )


def pages() -> APIRouter:
    """A router for the pages of a room: they meet the request as an `Actor` too, and are not part of the API."""
    return APIRouter(include_in_schema=False, route_class=_Page)


class _Passage(Gated):
    """A route whose endpoint meets the request as an `Actor`.

    Most take nothing but a path and a body, and what they are told is as a rule well said. Such a request goes straight
    to the endpoint; any other is the framework's, which knows how to put what is wrong with it.
    """

    meets = Actor

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        self._is_short = self._takes_path_and_body_alone()
        self._actor_name = self.dependant.request_param_name

    async def answer(self, request: BoundedRequest, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request of this path, past the framework's own layers where they have nothing to do."""
        inputs = await self._well_said(request) if self._is_short else None
        if inputs is None:
            await super().answer(request, scope, receive, send)
        else:
            inputs[self._actor_name] = request
            response: Response = await self.endpoint(**inputs)
            await response(scope, receive, send)

    def _takes_path_and_body_alone(self) -> bool:
        takes = self.dependant
        others = (takes.dependencies, takes.query_params, takes.header_params, takes.cookie_params)
        return not any(others) and len(takes.body_params) <= 1

    async def _well_said(self, request: BoundedRequest) -> dict[Any, Any] | None:
        """The endpoint's arguments, or None."""
        inputs: dict[Any, Any] = {}
        for field in self.dependant.path_params:
            inputs[field.name], mistakes = field.validate(request.path_params[field.alias])
            if mistakes:
                return None
        for field in self.dependant.body_params:
            if request.headers.get("content-type") != "application/json":
                return None
            try:
                said = await request.json()
            except Exception:  # noqa: BLE001 - whatever it is, the framework finds it again
                return None
            inputs[field.name], mistakes = field.validate(said)
            if mistakes:
                return None
        return inputs


class _Page(_Passage):
    """A page for people, which may be asked for in a language."""

    usually_produces = ("text/html",)
    also_asked = frozenset({"lang"})
