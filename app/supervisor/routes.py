"""What a supervisor asks."""

import re
from contextlib import suppress
from datetime import date, datetime
from heapq import nsmallest
from typing import Annotated, Any

from fastapi import Body, Query
from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError
from starlette.responses import Response
from typing_extensions import TypedDict

from app.access import Actor, room
from app.alerts.alerts import Alerts, NoSuchEndpoint, NoSuchLetter
from app.configuration import BadDescription, Flaw, office_of
from app.engine import JournalSilent
from app.journal import JournalBroken, JournalDown, JournalFull
from app.journal.deliveries import DeadLetterPlace, given_up, letter_at
from app.journal.waits import Wait, waits_of
from app.supervisor.trouble import Glance, Glances, matching, needing_attention
from app.web.aside import Aside
from app.web.document import ANY, BODY, DESCRIPTION, MAY_BE_KEYED, READ, WRITE, refusals
from app.web.headers import demo_mark
from app.web.inputs import EndpointName, Line, OfficeId, Seq, ServiceId, TicketId, Wish
from app.web.models import (
    AcknowledgementOut,
    DeadLetterOut,
    FactOut,
    Moment,
    OfficeOut,
    Seconds,
    TicketOut,
    Words,
    acknowledgement_out,
    dead_letter_out,
    fact_out,
    office_reply,
    reply,
    ticket_reply,
)
from app.web.pages import Cursor, cursor_after, place_of
from app.web.plain import instant, instant_or_none
from app.web.refusals import BadCursor, BadInput, EndpointGone, NotTaken, UnknownDeadLetter
from app.web.snapshot import Day, Kept
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
from queue_core.hall import Hall
from queue_core.office import Channel
from queue_core.tickets import State, Ticket

router = room("supervisor")
network = room("supervisor", "/api/v1")

LAST_SEQ = 2**63 - 1
LETTER = re.compile(r"(20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00) (\d{1,18}) ([a-z0-9-]{1,40})", re.ASCII)
"""A dead letter's place, as a cursor stands for it."""

MOST_WAITS = 5000
"""Of one day. The largest office known gives out less than a fifth of that."""

DATE = re.compile(r"20\d\d-\d\d-\d\d", re.ASCII)


def _date(said: object) -> date:
    if isinstance(said, str) and DATE.fullmatch(said):
        with suppress(ValueError):
            return date.fromisoformat(said)
    raise PydanticCustomError("day", "must be a day of this century: 2026-11-23")


SomeDay = Annotated[date, BeforeValidator(_date), WithJsonSchema({"type": "string", "format": "date"})]


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


class CountersAtAGlance(TypedDict):
    """How many counters do what. `idle` of the free ones are waited for."""

    serving: int
    free: int
    paused: int
    closed: int
    idle: int


class OfficeAtAGlance(TypedDict):
    """How an office does.

    `waiting` counts everybody whose wait clock runs, held by the office included; `warned` those of them who are near
    their limit or past it; `acknowledged` those whose breach somebody has answered for. `limit_used` is how much of
    the promised wait is used up by whoever is closest to its end or past it: 1 is all of it.
    """

    office: str
    name: Words
    day_is_open: bool
    receives: bool
    waiting: int
    warned: int
    over_limit: int
    acknowledged: int
    longest_wait_seconds: Seconds
    earliest_due: Moment | None
    limit_used: float
    counters: CountersAtAGlance
    services_closed: int
    kept_today: dict[Channel, Kept]


class Overview(TypedDict):
    """The first of this server's offices that match, in order of trouble, and what all of them come to."""

    server_time: Moment
    demo: str | None
    offices_in_all: int
    offices_over_limit: int
    waiting: int
    over_limit: int
    matching: int
    offices: list[OfficeAtAGlance]


class NearLimit(TypedDict):
    """Somebody in the hall who waits near the limit or past it, or has waited past it.

    `over_limit_since` is when the limit passed, on record or not yet; `due` is null while the wait clock stands.
    """

    ticket: str
    number: str
    service: str
    channel: Channel
    state: State
    counter: str | None
    waited_seconds: Seconds
    limit_seconds: Seconds
    due: Moment | None
    over_limit: bool
    over_limit_since: Moment | None
    acknowledged: AcknowledgementOut | None


class Attention(TypedDict):
    """Who needs a supervisor's attention, the most urgent first."""

    office: str
    seq: int
    server_time: Moment
    tickets: list[NearLimit]


class WaitOut(TypedDict):
    """One visitor's wait: so far, while `waits`, and else until the last call or the end."""

    ticket: str
    number: str
    service: str
    channel: Channel
    state: State
    clock_start: Moment
    waited_seconds: Seconds
    limit_seconds: Seconds
    waits: bool
    breached: bool


class Waits(TypedDict):
    """The waits of one business day, by the start of their clocks. `left_out` says that there were too many."""

    office: str
    day: Day
    server_time: Moment
    left_out: bool
    waits: list[WaitOut]


@network.get("/overview", response_model=Overview, responses=refusals(*ANY, BadInput, JournalSilent))
async def read_overview(
    actor: Actor,
    search: Annotated[str, Query(max_length=100, description="words in the id or the name of an office")] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """All offices at a glance, those first that need somebody most: from memory, to be asked every few seconds."""
    halls, now = [hall for hall in (await actor.engine.halls()).values() if hall.exists], actor.engine.clock.now()
    seen = {hall.office_id: _glances(actor).at(hall) for hall in halls}
    over = {office: glance.over_limit(now) for office, glance in seen.items()}
    found = [*matching(halls, search)]
    # The id last, so that offices in equal trouble do not change places.
    first = nsmallest(limit, found, key=lambda hall: (seen[hall.office_id].trouble(now), hall.office_id))
    overview: Overview = {
        "server_time": instant(now),
        "demo": demo_mark(actor.engine.clock),
        "offices_in_all": len(halls),
        "offices_over_limit": sum(number > 0 for number in over.values()),
        "waiting": sum(len(glance.dues) for glance in seen.values()),
        "over_limit": sum(over.values()),
        "matching": len(found),
        "offices": [_at_a_glance(hall, seen[hall.office_id], now) for hall in first],
    }
    return reply(overview)


router.routes.extend(network.routes)


@router.get("/{office}/attention", response_model=Attention, responses=refusals(*READ))
async def read_attention(office: OfficeId, actor: Actor) -> Response:
    """Who waits near the limit or past it, and who has waited past it and is still in the hall."""
    hall, now = await actor.hall(office), actor.engine.clock.now()
    near = [_near_limit(ticket, now) for ticket in needing_attention(hall, now)]
    return reply(Attention(office=office, seq=hall.seq, server_time=instant(now), tickets=near))


@router.get("/{office}/waits", response_model=Waits, responses=refusals(*READ))
async def read_waits(
    office: OfficeId,
    actor: Actor,
    day: Annotated[SomeDay | None, Query(description="a business day; if not named, the present or last one")] = None,
) -> Response:
    """How long each visitor of a business day waited, or has waited so far."""
    asked_of = await actor.hall(office)
    that_day = day or asked_of.day or asked_of.office.date_at(actor.engine.clock.now())
    waits = await actor.ask(lambda journal: waits_of(journal, office, that_day, MOST_WAITS + 1))
    hall, now = await actor.hall(office), actor.engine.clock.now()
    shown = [_wait(wait, hall, now) for wait in waits[-MOST_WAITS:]]
    return reply(
        Waits(
            office=office,
            day=that_day.isoformat(),
            server_time=instant(now),
            left_out=len(waits) > MOST_WAITS,
            waits=shown,
        )
    )


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
    aside: Aside = actor.app.state.aside
    described = await aside.do(lambda: office_of(description, "the description"))
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


def _glances(actor: Actor) -> Glances:
    """What this server has last seen of its offices."""
    state = actor.app.state
    if not hasattr(state, "glances"):
        state.glances = Glances()
    glances: Glances = state.glances
    return glances


def _at_a_glance(hall: Hall, glance: Glance, now: datetime) -> OfficeAtAGlance:
    return {
        "office": hall.office_id,
        "name": dict(hall.office.name),
        "day_is_open": hall.day_is_open,
        "receives": hall.receives_at(now),
        "waiting": len(glance.dues),
        "warned": glance.warned,
        "over_limit": glance.over_limit(now),
        "acknowledged": glance.acknowledged,
        "longest_wait_seconds": _seconds_since(glance.oldest, now),
        "earliest_due": instant_or_none(glance.dues[0] if glance.dues else None),
        "limit_used": round(glance.share(now), 3),
        "counters": {
            "serving": glance.counters["serving"],
            "free": glance.counters["free"],
            "paused": glance.counters["paused"],
            "closed": glance.counters["closed"],
            "idle": glance.idle,
        },
        "services_closed": len(hall.closed_services),
        "kept_today": {channel: Kept(met=met, breached=passed) for channel, (met, passed) in glance.kept.items()},
    }


def _seconds_since(since: datetime | None, now: datetime) -> int:
    return max(0, int((now - since).total_seconds())) if since else 0


def _near_limit(ticket: Ticket, now: datetime) -> NearLimit:
    due = ticket.clock.due
    return {
        "ticket": ticket.id,
        "number": ticket.number,
        "service": ticket.service,
        "channel": ticket.channel,
        "state": ticket.state,
        "counter": ticket.counter if ticket.at_counter else ticket.only_counter,
        "waited_seconds": int(ticket.clock.reading(now).total_seconds()),
        "limit_seconds": int(ticket.clock.limit.total_seconds()),
        "due": instant_or_none(due),
        "over_limit": ticket.over_limit_since(now) is not None,
        "over_limit_since": instant_or_none(ticket.over_limit_since(now)),
        "acknowledged": acknowledgement_out(ticket.acknowledged) if ticket.acknowledged else None,
    }


def _wait(wait: Wait, hall: Hall, now: datetime) -> WaitOut:
    """A wait, with what has been added to it since the ticket's row was written."""
    ticket = hall.tickets.get(wait.ticket_id)
    runs = ticket is not None and ticket.clock.runs
    seconds = ticket.clock.reading(now).total_seconds() if ticket else wait.waited_seconds
    return {
        "ticket": wait.ticket_id,
        "number": wait.number,
        "service": wait.service,
        "channel": wait.channel,
        "state": ticket.state if ticket else wait.state,
        "clock_start": instant(wait.clock_start),
        "waited_seconds": int(seconds),
        "limit_seconds": wait.limit_seconds,
        "waits": runs,
        "breached": wait.breached_at is not None or (ticket is not None and ticket.breached_due is not None),
    }


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
