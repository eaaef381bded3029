"""The gate: the one way into every route, in one order. Nothing of a body is read before everything else is settled.

A request is addressed to us, comes from no foreign page, knows the method, may ask, spells nothing that no database
keeps, names only what the route knows, can take what comes back, says its headers once, and sends a body that is small
enough and in UTF-8.
"""

import codecs
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import Message, Receive, Scope, Send

from app.web.hosts import Hosts
from app.web.letters import unkept_in_address, unkept_in_body
from app.web.media import LONGEST_ACCEPT, can_take
from app.web.refusals import (
    BadInput,
    BodyTooLarge,
    EncodingUnknown,
    ForeignPage,
    NotAcceptable,
    NotJson,
    WrongHost,
)

BODY_BYTES = 64 * 1024
DESCRIPTION_BYTES = 1024 * 1024
"""A centre of a thousand services and counters, each named in several languages."""

MARKS = (b",", b":", b"[", b"{")
MOST_MARKS = 150_000
"""Of a description: to read a million small values takes longer than the loop may stand still."""

SAFE = ("GET", "HEAD", "OPTIONS")
OWN_PAGES = ("same-origin", "none")
ONCE = {
    b"content-type": "Content-Type",
    b"content-encoding": "Content-Encoding",
    b"idempotency-key": "Idempotency-Key",
    b"fifteen-device": "Fifteen-Device",
}
"""Headers that mean nothing when they are said twice."""

UTF_8 = ("utf-8", "utf8", "us-ascii")
OTHER_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
LONGEST_NAME = 100
MISTAKES_SHOWN = 50

REQUEST = "fifteen.request"
"""Where a request's scope has the one that has read the body."""

PRODUCES = "produces"
Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


def produces(*kinds: str) -> Callable[[Endpoint], Endpoint]:
    """Say of an endpoint which media types it answers with, where that is not plain from its route."""

    def say(endpoint: Endpoint) -> Endpoint:
        setattr(endpoint, PRODUCES, kinds)
        return endpoint

    return say


class BoundedRequest(Request):
    """A request whose body is no larger than allowed, whatever its headers say, and is read as UTF-8."""

    body_bytes = BODY_BYTES

    async def json(self) -> Any:
        """The body, read more strictly than the framework would: UTF-8, no NaN, no half of a surrogate pair."""
        return msgspec.json.decode((await self.body()).removeprefix(codecs.BOM_UTF8))

    async def body(self) -> bytes:
        """The whole body, or BodyTooLarge."""
        if not hasattr(self, "_body"):
            self._body = b"".join([piece async for piece in self._pieces()])
        return self._body

    async def _pieces(self) -> AsyncIterator[bytes]:
        left = self.body_bytes
        more = True
        while more:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect()
            piece, more = message.get("body", b""), message.get("more_body", False)
            left -= len(piece)
            if left < 0:
                raise BodyTooLarge()
            yield piece


class Gated(APIRoute):
    """A route behind the gate. Every route is one, or the application does not start."""

    meets: type[BoundedRequest] = BoundedRequest
    usually_produces: tuple[str, ...] | None = None
    also_asked: frozenset[str] = frozenset()
    """Names in the query that no endpoint takes, and that mean something all the same."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        self._methods = frozenset(self.methods or ())
        takes = [*_with_all_below(self.dependant)]
        self._asked = {field.alias for each in takes for field in each.query_params} | self.also_asked
        self._reads = any(each.body_params for each in takes)
        self._body_bytes = DESCRIPTION_BYTES if "PUT" in self._methods else BODY_BYTES
        self.produced = self._produced()

    @property
    def known_methods(self) -> frozenset[str]:
        """HEAD is known wherever GET is, though the document does not list it."""
        return self._methods | {"HEAD"} if "GET" in self._methods else self._methods

    async def authorise(self, request: BoundedRequest) -> None:
        """A Refusal, if whoever asks may not. Nothing of the body has been read, and nothing of it may be here."""

    async def answer(self, request: BoundedRequest, scope: Scope, receive: Receive, send: Send) -> None:
        """Go on to the endpoint with a request that has come through the gate."""
        await self.app(scope, receive, send)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether this is the route's path, and a method that it knows."""
        match, child = super().matches(scope)
        if match is Match.PARTIAL and scope["method"] == "HEAD" and "GET" in self._methods:
            return Match.FULL, child
        return match, child

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The framework's handler, with the bounded request in the place of its own."""
        handle = super().get_route_handler()

        async def handle_bounded(request: Request) -> Response:
            return await handle(request.scope[REQUEST])

        return handle_bounded

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or refuse it by name."""
        if scope["method"] == "HEAD" and "GET" in self._methods:
            await _without_body(self.handle, {**scope, "method": "GET"}, receive, send)
            return
        request = scope[REQUEST] = self.meets(scope, receive)
        request.body_bytes = self._body_bytes
        refuse_strangers(scope)
        if scope["method"] not in self._methods:
            raise HTTPException(405)
        await self.authorise(request)
        if mistakes := unkept_in_address(scope["path"], scope["query_string"]):
            raise BadInput(errors=mistakes)
        if scope["query_string"]:
            self._refuse_unknown_names(scope["query_string"])
        self._refuse_what_nobody_takes(scope["headers"])
        try:
            if self._reads:
                await _read(request)
            await self.answer(request, scope, receive, send)
        except ClientDisconnect:
            return

    def _produced(self) -> tuple[str, ...] | None:
        """The media types of this route's answers; () where there is no body; None if nobody said."""
        said: tuple[str, ...] | None = getattr(self.endpoint, PRODUCES, None)
        content = self.responses.get(200, {}).get("content")
        if said is not None:
            return said
        if content:
            return tuple(content)
        if self.status_code == 204:
            return ()
        return ("application/json",) if self.response_model else self.usually_produces

    def _refuse_unknown_names(self, query: bytes) -> None:
        seen: set[str] = set()
        mistakes: list[dict[str, str]] = []
        for name, _ in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
            reason = "must be given once" if name in seen else "is not known here"
            if name in seen or name not in self._asked:
                mistakes.append({"at": f"query.{name[:LONGEST_NAME]}", "reason": reason})
            seen.add(name)
        if mistakes:
            raise BadInput(errors=mistakes[:MISTAKES_SHOWN])

    def _refuse_what_nobody_takes(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        accepts: list[str] = []
        seen: set[bytes] = set()
        for name, value in headers:
            if name == b"accept":
                accepts.append(value.decode("latin-1"))
            elif name in ONCE:
                if name in seen:
                    raise _bad_header(ONCE[name], "must be given once")
                seen.add(name)
        if accepts and self.produced and accepts != ["*/*"]:
            refuse_unless_taken(",".join(accepts), self.produced)


def refuse_unless_taken(accept: str, produced: Iterable[str]) -> None:
    """NotAcceptable, if an `Accept` has no room for any of these."""
    if len(accept) > LONGEST_ACCEPT:
        raise _bad_header("Accept", f"must be at most {LONGEST_ACCEPT} letters long")
    if not can_take(accept, produced):
        raise NotAcceptable(available=[*produced])


def refuse_strangers(scope: Scope) -> None:
    """WrongHost or ForeignPage, if a request is not addressed to us or was sent by somebody else's page."""
    said: dict[bytes, str] = {}
    hosts_said = 0
    for name, value in scope["headers"]:
        if name == b"host":
            hosts_said += 1
        if name in (b"host", b"origin", b"sec-fetch-site"):
            said[name] = value.decode("latin-1")
    hosts: Hosts = scope["app"].state.hosts
    host = said.get(b"host", "")
    # Only a probe of an old kind says no host at all; no browser does.
    nameless = not hosts_said and scope.get("http_version") == "1.0"
    if hosts_said > 1 or not (nameless or hosts.answers_to(host, (scope.get("server") or ("",))[0] or "")):
        raise WrongHost(host=host[:LONGEST_NAME])
    if scope["method"] in SAFE:
        return
    site, origin = said.get(b"sec-fetch-site"), said.get(b"origin")
    if site is not None and site not in OWN_PAGES:
        raise ForeignPage()
    if origin is not None and not hosts.is_origin(origin, host):
        raise ForeignPage()


def check_gates(app: FastAPI) -> None:
    """TypeError, if a route of the application can be reached past the gate, or does not say what it answers with."""
    for route in app.router.routes:
        if not isinstance(route, Gated):
            raise TypeError(f"{_told(route)} lacks the gate")
        if route.produced is None:
            raise TypeError(f"{_told(route)} does not say what it produces")


def guard_the_rest(app: FastAPI) -> None:
    """Have what no route knows pass the same strangers' check."""
    nowhere = app.router.default

    async def default(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            refuse_strangers(scope)
        await nowhere(scope, receive, send)

    app.router.default = default


async def _read(request: BoundedRequest) -> None:
    """The body, once everything about it is known to be readable."""
    headers = request.headers
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding != "identity":
        raise EncodingUnknown(encoding=encoding[:LONGEST_NAME])
    charset = _charset(headers)
    if charset not in UTF_8:
        raise EncodingUnknown(encoding=charset[:LONGEST_NAME])
    length = headers.get("content-length", "")
    if length.isascii() and length.isdecimal() and int(length[:20]) > request.body_bytes:
        raise BodyTooLarge()
    body = await request.body()
    if len(body) > BODY_BYTES and sum(map(body.count, MARKS)) > MOST_MARKS:
        raise BodyTooLarge()
    if body and not _is_json(headers.get("content-type", "")):
        raise NotJson()
    if other := next((name for mark, name in OTHER_MARKS.items() if body.startswith(mark)), None):
        raise EncodingUnknown(encoding=other)
    if b"\0" in body[:4]:
        raise EncodingUnknown(encoding="utf-32" if body[:4].count(0) == 3 else "utf-16")
    if mistakes := unkept_in_body(body):
        raise BadInput(errors=mistakes)


def _is_json(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


def _charset(headers: Headers) -> str:
    for parameter in headers.get("content-type", "").split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"').lower()
    return UTF_8[0]


def _bad_header(name: str, reason: str) -> BadInput:
    return BadInput(errors=[{"at": f"header.{name}", "reason": reason}])


def _with_all_below(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for below in dependant.dependencies:
        yield from _with_all_below(below)


def _told(route: BaseRoute) -> str:
    return f"The route {getattr(route, 'path', route)}"


class _HeadersSent(BaseException):
    """The headers are on their way, and nothing else was asked for. No handler of errors may take it for one."""


async def _without_body(
    handle: Callable[[Scope, Receive, Send], Coroutine[Any, Any, None]], scope: Scope, receive: Receive, send: Send
) -> None:
    """The headers of an answer, and an end: also of a stream, which would have none."""

    async def send_headers(message: Message) -> None:
        await send(message)
        if message["type"] == "http.response.start":
            await send({"type": "http.response.body", "body": b""})
            raise _HeadersSent()

    try:
        await handle(scope, receive, send_headers)
    except _HeadersSent:
        return
