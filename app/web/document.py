"""The OpenAPI document, and what each route says in it of the refusals it may answer with."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import WithJsonSchema
from pydantic.json_schema import models_json_schema

from app.configuration import BadDescription
from app.configuration.shape import OfficeTable
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
from app.web.problems import MEDIA_TYPE, STATUS, members, status_of, title_of
from app.web.refusals import (
    BadCursor,
    BadInput,
    BodyTooLarge,
    EncodingUnknown,
    EndpointGone,
    ForeignPage,
    InternalError,
    MalformedBody,
    NotAcceptable,
    NotJson,
    NotReady,
    NotTaken,
    UnknownDeadLetter,
    UnknownVisit,
    WrongHost,
)
from queue_core.errors import (
    BookingMismatch,
    CallTooFresh,
    CategoryInUse,
    CounterBusy,
    CounterInUse,
    CounterIsClosed,
    CounterIsPaused,
    CounterTaken,
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

Responses = dict[int | str, dict[str, Any]]

ANY = (InternalError, WrongHost, NotAcceptable, BadInput)
READ = (*ANY, BadInput, UnknownOffice, JournalSilent)
WRITE = (
    *(*ANY, ForeignPage, BadInput, UnknownOffice, KeyReused, CannotBeKept),
    *(Overloaded, OutcomeUnknown, StorageFull, Stopping),
)
BODY = (MalformedBody, BodyTooLarge, NotJson, EncodingUnknown)

OCCASION = "urn:uuid:0198f3a2-5b7c-4d1e-9a30-c2f4b6d81515"
TICKET = "20261123-A012"
LEASE = "20261123-K-1"

EXAMPLES: Mapping[type[Refusal], Mapping[str, object]] = {
    BadCursor: {"cursor": "page-2"},
    BadDescription: {"errors": [{"at": "services[2].letter", "reason": "is missing"}]},
    BadInput: {"errors": [{"at": "service", "reason": "is missing"}]},
    BookingMismatch: {"channel": "booked"},
    CallTooFresh: {"ticket": TICKET, "no_show_seconds": 60},
    CategoryInUse: {"category": "veteran", "ticket": TICKET},
    CounterBusy: {"counter": "1", "ticket": TICKET},
    CounterInUse: {"counter": "1"},
    CounterIsClosed: {"counter": "1"},
    CounterIsPaused: {"counter": "1", "reason": "lunch"},
    CounterTaken: {"counter": "1", "operator": "Anna"},
    EncodingUnknown: {"encoding": "utf-16"},
    EndpointGone: {"endpoint": "city-monitor"},
    HoldInThePast: {"until": "2026-11-23T08:00:00.000Z"},
    JournalSilent: {"retry_after": 5},
    KeyReused: {"key": "kiosk-7-000123"},
    NobodyServes: {"service": "passport"},
    NoBreach: {"ticket": TICKET},
    NoCategory: {"ticket": TICKET},
    NoClaim: {"ticket": TICKET},
    NoMoreMarks: {"kiosk": "hall"},
    NoMoreTime: {"ticket": TICKET, "more_time_limit": 1},
    NotAcceptable: {"available": ["application/json"]},
    NothingToLease: {"office": "centre"},
    NothingToUndo: {"counter": "1", "undo_seconds": 60},
    NotInLine: {"ticket": TICKET, "counter": "1"},
    NotReady: {"database": "writable", "watch": "stopped", "clock": "right"},
    NotToday: {"slot": "2028-01-03T09:00:00.000Z", "day": "2026-11-23"},
    NotTaken: {"endpoint": "city-monitor", "seq": 1034, "reason": "answered 503 Service Unavailable"},
    NumberTaken: {"lease": LEASE, "number": "AK001"},
    OfficeClosed: {"office": "centre"},
    OperatorBusy: {"counter": "2", "operator": "Anna", "at_counter": "1"},
    OutcomeUnknown: {"retry_after": 5},
    Overloaded: {"retry_after": 1},
    RatedOften: {"ticket": TICKET},
    RecallLimitReached: {"ticket": TICKET, "recalls": 2},
    ServiceInUse: {"service": "passport", "ticket": TICKET},
    ServiceIsClosed: {"service": "passport", "reason": "the printer is broken"},
    StepForbidden: {"ticket": TICKET, "state": "served", "step": "Started"},
    Stopping: {"retry_after": 5},
    StorageFull: {"retry_after": 30},
    UnknownCategory: {"category": "veteran"},
    UnknownCounter: {"counter": "99"},
    UnknownDeadLetter: {"endpoint": "city-monitor", "seq": 1034},
    UnknownLease: {"lease": LEASE},
    UnknownOffice: {"office": "nowhere"},
    UnknownService: {"service": "weddings"},
    UnknownTicket: {"ticket": TICKET},
    UnknownVisit: {},
    WrongHost: {"host": "queue.example.org"},
}
"""What rides along with a refusal, where anything does."""

KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Names this request: repeated under the same key, it is answered with the first reply again.",
    "schema": {"type": "string", "pattern": "^[!-~]{1,200}$"},
}
DEVICE = {
    "name": "Fifteen-Device",
    "in": "header",
    "description": "A secret of the device's own, to which the key belongs; without it, to the address it comes from.",
    "schema": {"type": "string", "pattern": "^[!-~]{16,200}$"},
    "required": False,
}
KEYED = {"parameters": [{**KEY, "required": True}, DEVICE]}
"""For routes that must have a key."""

MAY_BE_KEYED = {"parameters": [{**KEY, "required": False}, DEVICE]}
"""For the other writes."""

PROBLEM = {
    "title": "Problem",
    "description": "Why nothing happened (RFC 9457). Further members say what the title speaks of.",
    "type": "object",
    "required": ["type", "title", "status", "instance"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "description": "the kind of refusal, for programs"},
        "title": {"type": "string", "description": "the sentence for people, in the language asked for"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "instance": {"type": "string", "format": "uri", "description": "this one occasion, as the log names it"},
        "retry_after": {"type": "number", "minimum": 0, "description": "seconds"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["at", "reason"],
                "properties": {"at": {"type": "string"}, "reason": {"type": "string"}},
            },
        },
    },
    "additionalProperties": True,
}


DESCRIPTION = WithJsonSchema({"$ref": "#/components/schemas/OfficeTable"})
"""An office's description, which the room of the configuration reads by its own rules."""


def refusals(*kinds: type[Refusal]) -> Responses:
    """What a route may be refused with, by status, for its `responses`."""
    by_status: dict[int, list[type[Refusal]]] = {}
    known = {*kinds, PastGone} if {JournalSilent, OutcomeUnknown} & {*kinds} else {*kinds}
    for kind in sorted(known, key=lambda kind: (status_of(kind), kind.__name__)):
        by_status.setdefault(status_of(kind), []).append(kind)
    return {status: _response(status, listed) for status, listed in by_status.items()}


def document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of an application."""
    described = get_openapi(
        title=app.title,
        version=app.version,
        openapi_version=app.openapi_version,
        summary=app.summary,
        description=app.description,
        routes=app.routes,
    )
    components = described["components"]
    components["schemas"] |= {"Problem": PROBLEM, **_schemas_of_a_description()}
    components["examples"] = {kind.__name__: _example(kind) for kind in sorted(STATUS, key=lambda kind: kind.__name__)}
    _link_tickets(described["paths"])
    return described


def _schemas_of_a_description() -> dict[str, Any]:
    _, schemas = models_json_schema([(OfficeTable, "validation")], ref_template="#/components/schemas/{model}")
    defined: dict[str, Any] = schemas["$defs"]
    return defined


def _link_tickets(paths: Mapping[str, Mapping[str, Any]]) -> None:
    """Say that the ticket of an issue or a call is what the operations on tickets ask for."""
    parameters = {"office": "$request.path.office", "ticket": "$response.body#/id"}
    links = {
        operation["operationId"]: {"operationId": operation["operationId"], "parameters": parameters}
        for path, operations in paths.items()
        for operation in operations.values()
        if "{ticket}" in path
    }
    for operations in paths.values():
        for operation in operations.values():
            if operation["operationId"] in ("issue_ticket", "call_next"):
                operation["responses"][min(operation["responses"])]["links"] = links


def _response(status: int, kinds: list[type[Refusal]]) -> dict[str, Any]:
    examples = {kind.__name__: {"$ref": f"#/components/examples/{kind.__name__}"} for kind in kinds}
    retry = {"Retry-After": {"description": "seconds", "schema": {"type": "integer", "minimum": 1}}}
    return {
        "description": " ".join(title_of(kind) for kind in kinds),
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": examples}},
        **({"headers": retry} if status == status_of(Overloaded) else {}),
    }


def _example(kind: type[Refusal]) -> dict[str, Any]:
    particulars = EXAMPLES.get(kind, {})
    return {"summary": title_of(kind), "value": members(_with(kind, particulars), OCCASION, "en")}


def _with(kind: type[Refusal], particulars: Mapping[str, object]) -> Refusal:
    # Not through the constructor: some kinds take what they are made of instead of particulars.
    refusal = kind.__new__(kind)
    refusal.particulars = dict(particulars)
    return refusal
