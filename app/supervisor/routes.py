"""What a supervisor asks."""

from typing import Annotated, Any

from fastapi import Body, Query
from pydantic import Field
from starlette.responses import Response
from typing_extensions import TypedDict

from app.access import Actor, room
from app.configuration import BadDescription, Flaw, office_of
from app.web.document import BODY, DESCRIPTION, MAY_BE_KEYED, READ, WRITE, refusals
from app.web.inputs import Line, OfficeId, ServiceId, TicketId, Wish
from app.web.models import FactOut, OfficeOut, TicketOut, fact_out, office_reply, reply, ticket_reply
from app.web.pages import Cursor, cursor_after, place_of
from app.web.refusals import BadCursor
from queue_core.commands import Acknowledge, CloseDay, CloseService, Configure, OpenDay, OpenService
from queue_core.errors import (
    CategoryInUse,
    CounterInUse,
    DayNotOpen,
    NoBreach,
    ServiceInUse,
    StepForbidden,
    UnknownService,
    UnknownTicket,
)
from queue_core.facts import Cause

router = room("supervisor")

LAST_SEQ = 2**63 - 1


class CloseServiceWish(Wish):
    """Why no more tickets are issued."""

    reason: Line


class AcknowledgeWish(Wish):
    """Who answers for the breach, what caused it, and a remark if there is more to say."""

    by: Line
    cause: Annotated[Cause, Field(strict=False)]
    remark: Line | None = None


class Facts(TypedDict):
    """A page of an office's journal. `next` continues it, also when nothing more has happened yet."""

    facts: list[FactOut]
    next: str
    more: bool


@router.put(
    "/{office}",
    response_model=OfficeOut,
    openapi_extra=MAY_BE_KEYED,
    responses=refusals(*WRITE, *BODY, BadDescription, ServiceInUse, CounterInUse, CategoryInUse),
)
async def describe_office(
    office: OfficeId,
    actor: Actor,
    description: Annotated[dict[str, Any], Body(description="what an office's TOML file holds, as JSON"), DESCRIPTION],
) -> Response:
    """Describe the office, for the first time or anew. Whoever is in the hall keeps a place in it, or it is refused."""
    described = office_of(description, "the description")
    if described.id != office:
        raise BadDescription("the description", [Flaw("id", f"must be {office!r}, as in the address")])
    return office_reply(office, await actor.do(office, Configure(described)))


@router.get("/{office}/facts", response_model=Facts, responses=refusals(*READ, BadCursor))
async def read_facts(
    office: OfficeId,
    actor: Actor,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """What happened in the office, from its first day on."""
    after = 0 if cursor is None else _seq_of(cursor)
    await actor.hall(office)
    lines = await actor.ask(lambda journal: journal.facts_after(office, after, limit + 1))
    shown = lines[:limit]
    return reply(
        {
            "facts": [fact_out(line) for line in shown],
            "next": cursor_after(str(shown[-1].seq if shown else after)),
            "more": len(lines) > limit,
        }
    )


@router.post("/{office}/open-day", response_model=OfficeOut, openapi_extra=MAY_BE_KEYED, responses=refusals(*WRITE))
async def open_day(office: OfficeId, actor: Actor) -> Response:
    """Begin the business day, whatever the hours say."""
    return office_reply(office, await actor.do(office, OpenDay()))


@router.post(
    "/{office}/close-day", response_model=OfficeOut, openapi_extra=MAY_BE_KEYED, responses=refusals(*WRITE, DayNotOpen)
)
async def close_day(office: OfficeId, actor: Actor) -> Response:
    """End the business day; whoever still waits goes unserved, with the wait on record."""
    return office_reply(office, await actor.do(office, CloseDay()))


@router.post(
    "/{office}/services/{service}/close",
    response_model=OfficeOut,
    openapi_extra=MAY_BE_KEYED,
    responses=refusals(*WRITE, *BODY, UnknownService),
)
async def close_service(office: OfficeId, service: ServiceId, wish: CloseServiceWish, actor: Actor) -> Response:
    """Issue no more tickets for a service; those in line are served."""
    return office_reply(office, await actor.do(office, CloseService(service, wish.reason)))


@router.post(
    "/{office}/services/{service}/open",
    response_model=OfficeOut,
    openapi_extra=MAY_BE_KEYED,
    responses=refusals(*WRITE, UnknownService),
)
async def open_service(office: OfficeId, service: ServiceId, actor: Actor) -> Response:
    """Issue tickets for a service again."""
    return office_reply(office, await actor.do(office, OpenService(service)))


@router.post(
    "/{office}/tickets/{ticket}/acknowledge",
    response_model=TicketOut,
    openapi_extra=MAY_BE_KEYED,
    responses=refusals(*WRITE, *BODY, UnknownTicket, StepForbidden, NoBreach),
)
async def acknowledge_breach(office: OfficeId, ticket: TicketId, wish: AcknowledgeWish, actor: Actor) -> Response:
    """Answer for a breach while the visitor is in the hall. Said again, the latest word counts."""
    return ticket_reply(await actor.do(office, Acknowledge(ticket, wish.by, wish.cause, wish.remark)))


def _seq_of(cursor: str) -> int:
    place = place_of(cursor)
    if not place.isascii() or not place.isdecimal() or int(place) > LAST_SEQ:
        raise BadCursor(cursor=cursor)
    return int(place)
