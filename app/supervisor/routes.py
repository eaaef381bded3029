"""What a supervisor asks."""

import re
from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any

from fastapi import Body, Query
from pydantic import Field
from starlette.responses import Response
from typing_extensions import TypedDict

from app.access import Actor, room
from app.alerts.alerts import Alerts, NoSuchEndpoint, NoSuchLetter
from app.configuration import BadDescription, Flaw, office_of
from app.engine import JournalSilent
from app.journal import JournalBroken, JournalDown, JournalFull
from app.journal.deliveries import DeadLetterPlace, given_up, letter_at
from app.web.document import BODY, DESCRIPTION, MAY_BE_KEYED, READ, WRITE, refusals
from app.web.inputs import EndpointName, Line, OfficeId, Seq, ServiceId, TicketId, Wish
from app.web.models import (
    DeadLetterOut,
    FactOut,
    OfficeOut,
    TicketOut,
    dead_letter_out,
    fact_out,
    office_reply,
    reply,
    ticket_reply,
)
from app.web.pages import Cursor, cursor_after, place_of
from app.web.refusals import BadCursor, EndpointGone, NotTaken, UnknownDeadLetter
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
LETTER = re.compile(r"(20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00) (\d{1,18}) ([a-z0-9-]{1,40})", re.ASCII)
"""A dead letter's place, as a cursor stands for it."""


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


class DeadLetters(TypedDict):
    """A page of an office's dead letters, the latest first. `next` is null on the last one."""

    dead_letters: list[DeadLetterOut]
    next: str | None


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


@router.get("/{office}/dead-letters", response_model=DeadLetters, responses=refusals(*READ, BadCursor))
async def read_dead_letters(
    office: OfficeId,
    actor: Actor,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """What was to be told of the office and was given up."""
    after = None if cursor is None else _letter_of(cursor)
    await actor.hall(office)
    letters = await actor.ask(lambda journal: given_up(journal, office, limit + 1, after))
    shown, more = letters[:limit], len(letters) > limit
    return reply(
        {
            "dead_letters": [dead_letter_out(letter, line) for letter, line in shown],
            "next": _cursor_after(shown[-1][0].place) if more else None,
        }
    )


@router.post(
    "/{office}/dead-letters/{endpoint}/{seq}/redeliver",
    response_model=DeadLetterOut,
    responses=refusals(*READ, UnknownDeadLetter, EndpointGone, NotTaken),
)
async def redeliver(office: OfficeId, endpoint: EndpointName, seq: Seq, actor: Actor) -> Response:
    """Try a dead letter once more; it is one no longer when the receiver takes it."""
    await actor.hall(office)
    found = await actor.ask(lambda journal: letter_at(journal, endpoint, office, seq))
    if found is None:
        raise UnknownDeadLetter(endpoint=endpoint, seq=seq)
    untaken = await _try_again(actor, office, endpoint, seq)
    if untaken is not None:
        raise NotTaken(endpoint=endpoint, seq=seq, reason=untaken)
    return reply(dead_letter_out(*found))


async def _try_again(actor: Actor, office: str, endpoint: str, seq: int) -> str | None:
    """None when the receiver took it, else why not."""
    alerts: Alerts = actor.app.state.alerts
    try:
        return await alerts.redeliver(endpoint, office, seq)
    except NoSuchLetter as meanwhile:
        raise UnknownDeadLetter(endpoint=endpoint, seq=seq) from meanwhile
    except NoSuchEndpoint as gone:
        raise EndpointGone(endpoint=endpoint) from gone
    except (JournalDown, JournalFull, JournalBroken) as trouble:
        raise JournalSilent(retry_after=5) from trouble


def _cursor_after(place: DeadLetterPlace) -> str:
    failed_at, seq, endpoint = place
    return cursor_after(f"{failed_at.isoformat(timespec='microseconds')} {seq} {endpoint}")


def _letter_of(cursor: str) -> DeadLetterPlace:
    if found := LETTER.fullmatch(place_of(cursor)):
        with suppress(ValueError):
            return datetime.fromisoformat(found[1]), int(found[2]), found[3]
    raise BadCursor(cursor=cursor)


def _seq_of(cursor: str) -> int:
    place = place_of(cursor)
    if not place.isascii() or not place.isdecimal() or int(place) > LAST_SEQ:
        raise BadCursor(cursor=cursor)
    return int(place)
