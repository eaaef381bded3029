"""Refusals told over HTTP: one table from refusal to status, and RFC 9457 for all of them."""

import inspect
import re
from collections.abc import Mapping
from math import ceil
from typing import Any, cast
from uuid import uuid4

import msgspec
import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic_core import ErrorDetails
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from app.configuration import BadDescription
from app.configuration.flaws import flaw_of
from app.engine import (
    CannotBeKept,
    JournalSilent,
    KeyReused,
    OutcomeUnknown,
    Overloaded,
    PastGone,
    Stopping,
    StorageFull,
)
from app.web.headers import DEMO_HEADER, demo_mark
from app.web.languages import language_of, sentence
from app.web.plain import plain
from app.web.refusals import (
    AdminDoorShut,
    BackupRefused,
    BadCursor,
    BadInput,
    BodyTooLarge,
    EncodingUnknown,
    EndpointGone,
    ForeignPage,
    HeadTooLarge,
    InternalError,
    KeyMissing,
    MalformedBody,
    MalformedRequest,
    MethodNotAllowed,
    NoSuchPage,
    NotAcceptable,
    NotJson,
    NotReady,
    NotTaken,
    RequestTooSlow,
    TooManyConnections,
    UnknownDeadLetter,
    UnknownVisit,
    WrongHost,
)
from app.web.screens import language_for, page
from queue_core.errors import (
    BookingMismatch,
    CallTooFresh,
    CategoryInUse,
    CounterBusy,
    CounterInUse,
    CounterIsClosed,
    CounterIsPaused,
    CounterTaken,
    DayNotOpen,
    HoldInThePast,
    NobodyServes,
    NoBreach,
    NoCategory,
    NoClaim,
    NoMoreMarks,
    NoMoreTime,
    NothingToLease,
    NothingToUndo,
    NotInLine,
    NotToday,
    NumberTaken,
    OfficeClosed,
    OperatorBusy,
    RatedOften,
    RecallLimitReached,
    Refusal,
    ServiceInUse,
    ServiceIsClosed,
    StepForbidden,
    UnknownCategory,
    UnknownCounter,
    UnknownLease,
    UnknownOffice,
    UnknownService,
    UnknownTicket,
)

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"

STATUS: Mapping[type[Refusal], int] = {
    MalformedBody: 400,
    MalformedRequest: 400,
    KeyMissing: 400,
    AdminDoorShut: 403,
    ForeignPage: 403,
    NoSuchPage: 404,
    UnknownOffice: 404,
    UnknownService: 404,
    UnknownCounter: 404,
    UnknownTicket: 404,
    UnknownCategory: 404,
    UnknownLease: 404,
    UnknownDeadLetter: 404,
    UnknownVisit: 404,
    MethodNotAllowed: 405,
    NotAcceptable: 406,
    RequestTooSlow: 408,
    OfficeClosed: 409,
    ServiceIsClosed: 409,
    NobodyServes: 409,
    CounterIsClosed: 409,
    CounterIsPaused: 409,
    CounterBusy: 409,
    CounterTaken: 409,
    OperatorBusy: 409,
    StepForbidden: 409,
    NotInLine: 409,
    RecallLimitReached: 409,
    CallTooFresh: 409,
    HoldInThePast: 409,
    NoCategory: 409,
    NoClaim: 409,
    NoBreach: 409,
    NoMoreTime: 409,
    RatedOften: 409,
    NothingToUndo: 409,
    NothingToLease: 409,
    NoMoreMarks: 409,
    NumberTaken: 409,
    DayNotOpen: 409,
    ServiceInUse: 409,
    CounterInUse: 409,
    CategoryInUse: 409,
    BackupRefused: 409,
    EndpointGone: 409,
    BodyTooLarge: 413,
    NotJson: 415,
    EncodingUnknown: 415,
    WrongHost: 421,
    BadInput: 422,
    BadCursor: 422,
    BadDescription: 422,
    CannotBeKept: 422,
    BookingMismatch: 422,
    NotToday: 422,
    KeyReused: 422,
    HeadTooLarge: 431,
    InternalError: 500,
    NotTaken: 502,
    JournalSilent: 503,
    NotReady: 503,
    Overloaded: 503,
    OutcomeUnknown: 503,
    PastGone: 503,
    StorageFull: 503,
    Stopping: 503,
    TooManyConnections: 503,
}
"""The only place where a refusal has a status."""

BY_STATUS: Mapping[int, type[Refusal]] = {
    400: MalformedBody,
    404: NoSuchPage,
    405: MethodNotAllowed,
    413: BodyTooLarge,
}
"""What the framework's own errors mean."""

BROKEN = 500
"""From here on it is not the asker's fault."""

MISTAKES_SHOWN = 50
LONGEST_MISTAKE = 200


def answer_with_problems(app: FastAPI) -> None:
    """Have every refusal, bad request and crash of `app` answered with a problem."""
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(RequestValidationError, _bad_request)
    app.add_exception_handler(HTTPException, _framework_refused)
    app.add_exception_handler(Exception, _crashed)


def problem(refusal: Refusal, request: Request) -> Response:
    """A refusal as the asker reads it. `instance` names this one occasion, here and in the log."""
    occasion = uuid4().urn
    _note(refusal, request, occasion)
    if _is_for_people(request):
        return _as_page(refusal, request, occasion)
    language = language_of(request.headers.get("accept-language"))
    return Response(
        msgspec.json.encode(members(refusal, occasion, language)),
        status_of(type(refusal)),
        {"Content-Language": language, **_retry(refusal)},
        MEDIA_TYPE,
    )


def _is_for_people(request: Request) -> bool:
    """Whether somebody looks at a screen; who opens an address of the API in a browser wants to see its answer."""
    return "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/api/")


def _as_page(refusal: Refusal, request: Request, occasion: str) -> Response:
    title, mistakes = title_of(type(refusal)), refusal.particulars.get("errors")
    language = language_for(request, ())
    answer = page(request, "refused.html", language, title=title, mistakes=mistakes, occasion=occasion)
    answer.status_code = status_of(type(refusal))
    answer.headers.update(_retry(refusal))
    return answer


def members(refusal: Refusal, occasion: str, language: str) -> dict[str, Any]:
    """The members of a problem: the standard's, then the particulars."""
    return {
        "type": type_of(type(refusal)),
        "title": sentence(title_of(type(refusal)), language),
        "status": status_of(type(refusal)),
        "instance": occasion,
        **plain(refusal.particulars),
    }


def status_of(refusal: type[Refusal]) -> int:
    """The status that a kind of refusal is told with."""
    return STATUS[refusal]


def type_of(refusal: type[Refusal]) -> str:
    """`CounterBusy` as `/problems/counter-busy`."""
    return "/problems/" + re.sub(r"(?<!^)(?=[A-Z])", "-", refusal.__name__).lower()


def title_of(refusal: type[Refusal]) -> str:
    """The sentence of a kind of refusal, in English."""
    return inspect.cleandoc(refusal.__doc__ or "").replace("\n", " ")


def _note(refusal: Refusal, request: Request, occasion: str) -> None:
    """Failures of ours go to the log; what others ask wrongly does not."""
    status = status_of(type(refusal))
    if status >= BROKEN:
        log.warning(
            "refused",
            problem=type_of(type(refusal)),
            status=status,
            request_id=occasion,
            method=request.method,
            path=request.url.path,
        )


def _retry(refusal: Refusal) -> dict[str, str]:
    after = refusal.particulars.get("retry_after")
    return {"Retry-After": str(ceil(after))} if isinstance(after, int | float) else {}


# Handlers: plain coroutines, because anything else would be sent to a thread.


async def _refused(request: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, Refusal)
    return problem(refusal, request)


async def _bad_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    # The framework hands a body on as bytes when its content type is not JSON's.
    if isinstance(error.body, bytes):
        return problem(NotJson(), request)
    mistakes = [_mistake(detail) for detail in error.errors()[:MISTAKES_SHOWN]]
    return problem(BadInput(errors=mistakes), request)


async def _framework_refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    answer = problem(BY_STATUS[error.status_code](), request)
    if error.status_code == STATUS[MethodNotAllowed]:
        answer.headers["Allow"] = _allowed(request)
    return answer


async def _crashed(request: Request, error: Exception) -> Response:
    log.error("crashed", error=type(error).__name__)
    answer = problem(InternalError(), request)
    # A crash is answered outside of what marks the other responses.
    if speed := demo_mark(request.app.state.clock):
        answer.headers[DEMO_HEADER] = speed
    return answer


def _allowed(request: Request) -> str:
    """Every method that this address knows; the framework names only those of one route."""
    routes = (route for route in request.app.routes if route.matches(request.scope)[0] is Match.PARTIAL)
    return ", ".join(sorted({method for route in routes for method in route.known_methods}))


def _mistake(detail: dict[str, Any]) -> dict[str, str]:
    """One complaint, with `at` as the body's key path, or the header, path or query parameter."""
    place, *path = detail["loc"]
    if place != "body":
        path = [place, *path]
    flaw = flaw_of(cast("ErrorDetails", detail | {"loc": tuple(path)}), lambda _: ())
    return {"at": _printable(flaw.at), "reason": _printable(flaw.reason)}


def _printable(text: str) -> str:
    return text[:LONGEST_MISTAKE].encode(errors="replace").decode()
