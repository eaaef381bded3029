"""The print agent: a few lines of HTTP in front of a printer, for the pages of one's own server and nobody else's."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from typing_extensions import TypedDict

from app.printing.desk import Desk, NothingYet
from app.printing.printers import PaperLevel
from app.printing.slip import Slip
from app.printing.troubles import NotPrinted, Trouble, told
from app.web.languages import language_of, mark, sentence

BODY_BYTES = 64 * 1024
MISTAKES_SHOWN = 50

TITLES: Mapping[str, tuple[int, str]] = {
    "bad-slip": (422, mark("This is not a ticket as it has to be described.")),
    "foreign-page": (403, mark("Pages of this address may not print here.")),
    "nothing-yet": (409, mark("No ticket was printed here before.")),
    "not-printed": (503, mark("The ticket was not printed.")),
}


class StateOut(TypedDict):
    """How the printer is. `problem` is a name that stays, `reason` the same in a sentence."""

    ready: bool
    printer: str
    paper: PaperLevel | None
    printed: int
    problem: Trouble | None
    reason: str | None
    last: str | None


class Printed(TypedDict):
    """The printer has taken a ticket."""

    printed: bool
    number: str


def create_agent(desk: Desk, origins: Sequence[str]) -> FastAPI:
    """The application. `origins` are those whose pages may print, as browsers write them."""
    agent = FastAPI(
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        max_body_size=BODY_BYTES,
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
        middleware=[Middleware(_OnlyPagesOf, origins=origins), _cross_origin(origins)],
    )

    @agent.get("/state")
    async def state(request: Request) -> StateOut:
        known = await desk.state()
        return {
            "ready": known.trouble is None,
            "printer": desk.printer.name,
            "paper": known.paper,
            "printed": desk.printed,
            "problem": known.trouble,
            "reason": told(known.trouble, _language(request)) if known.trouble else None,
            "last": desk.last.number if desk.last else None,
        }

    @agent.post("/print")
    async def print_slip(slip: Slip) -> Printed:
        await desk.print(slip)
        return {"printed": True, "number": slip.number}

    @agent.post("/reprint")
    async def reprint() -> Printed:
        slip = await desk.print_again()
        return {"printed": True, "number": slip.number}

    agent.add_exception_handler(NotPrinted, _not_printed)
    agent.add_exception_handler(NothingYet, _nothing_yet)
    agent.add_exception_handler(RequestValidationError, _bad_slip)
    agent.add_exception_handler(HTTPException, _framework_refused)
    return agent


def _cross_origin(origins: Sequence[str]) -> Middleware:
    return Middleware(
        CORSMiddleware,
        allow_origins=origins,
        allow_methods=["GET", "POST"],
        allow_headers=["Content-Type", "Idempotency-Key"],  # our pages send a key with whatever they ask
        allow_private_network=True,
    )


class _OnlyPagesOf:
    """Refuses pages of other origins. Leaving out a header would keep the answer from them, and still print."""

    def __init__(self, app: ASGIApp, origins: Sequence[str]) -> None:
        self._app, self._origins = app, origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what a page of ours asks, or a program that is no browser."""
        app = self._app
        if scope["type"] == "http":
            origin = Headers(scope=scope).get("origin")
            if origin is not None and origin not in self._origins:
                app = _problem("foreign-page", Request(scope), origin=origin)
        await app(scope, receive, send)


async def _not_printed(request: Request, refused: Exception) -> JSONResponse:
    assert isinstance(refused, NotPrinted)
    reason = told(refused.trouble, _language(request))
    return _problem("not-printed", request, problem=refused.trouble, reason=reason)


async def _nothing_yet(request: Request, _: Exception) -> JSONResponse:
    return _problem("nothing-yet", request)


async def _bad_slip(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    details = error.errors()[:MISTAKES_SHOWN]
    mistakes = [{"at": ".".join(map(str, detail["loc"][1:])), "reason": detail["msg"]} for detail in details]
    return _problem("bad-slip", request, errors=mistakes)


async def _framework_refused(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    title = HTTPStatus(error.status_code).phrase
    members = {"type": "about:blank", "title": title, "status": error.status_code}
    return JSONResponse(members, error.status_code, error.headers, "application/problem+json")


def _problem(kind: str, request: Request, **particulars: Any) -> JSONResponse:
    """A problem as the whole product tells them."""
    status, title = TITLES[kind]
    language = _language(request)
    members = {"type": f"/problems/{kind}", "title": sentence(title, language), "status": status, **particulars}
    return JSONResponse(members, status, {"Content-Language": language}, "application/problem+json")


def _language(request: Request) -> str:
    return language_of(request.headers.get("accept-language"))
