"""What a kiosk asks."""

from datetime import datetime
from heapq import nsmallest
from typing import Annotated

from fastapi import Query
from pydantic import Field
from starlette.responses import Response
from typing_extensions import TypedDict

from app.access import Actor, room
from app.engine import JournalSilent
from app.web.document import ANY, BODY, KEYED, READ, WRITE, refusals
from app.web.inputs import Instant, Language, OfficeId, Slug, Wish
from app.web.models import IssuedOut, Moment, Seconds, Words, reply, ticket_out
from app.web.pages import Cursor, cursor_after, place_of
from app.web.plain import instant
from app.web.problems import type_of
from app.web.refusals import BadCursor, BadInput, KeyMissing
from queue_core.commands import Issue
from queue_core.decisions import decide
from queue_core.errors import (
    BookingMismatch,
    NobodyServes,
    OfficeClosed,
    Refusal,
    ServiceIsClosed,
    UnknownCategory,
    UnknownService,
)
from queue_core.hall import CounterState, Hall
from queue_core.office import Channel, Service

router = room("kiosk")


class IssueWish(Wish):
    """What a visitor came for. `slot` is the booked time, `further` are more services of the same visit, in order."""

    service: Slug
    channel: Annotated[Channel, Field(strict=False)] = Channel.WALK_IN
    category: Slug | None = None
    slot: Instant | None = None
    further: list[Slug] = Field(default=[], max_length=10)
    language: Language | None = None

    def command(self) -> Issue:
        """The command that carries it out."""
        return Issue(self.service, self.channel, self.category, self.slot, tuple(self.further), self.language)


class GroupOut(TypedDict):
    """A heading of the menu."""

    id: str
    name: Words


class MenuService(TypedDict):
    """A service of the menu. `open` says whether a ticket would be issued now, `problem` and `reason` why not."""

    id: str
    letter: str
    group: str | None
    name: Words
    open: bool
    problem: str | None
    reason: str | None
    limit_seconds: dict[Channel, Seconds]


class CategoryOut(TypedDict):
    """An out-of-turn right and the document that it rests on."""

    id: str
    name: Words
    basis: Words


class Menu(TypedDict):
    """What a kiosk of the office offers now."""

    office: str
    name: Words
    languages: list[str]
    hotline: str | None
    seq: int
    server_time: Moment
    receives: bool
    groups: list[GroupOut]
    services: list[MenuService]
    categories: list[CategoryOut]


class OfficeListed(TypedDict):
    """One of the offices that this server keeps."""

    office: str
    name: Words
    receives: bool
    waiting: int
    counters_open: int


class Offices(TypedDict):
    """A page of them."""

    server_time: Moment
    offices: list[OfficeListed]
    next: str | None


@router.post(
    "/{office}/tickets",
    status_code=201,
    response_model=IssuedOut,
    openapi_extra=KEYED,
    responses=refusals(
        *(*WRITE, *BODY, KeyMissing, UnknownService, UnknownCategory),
        *(OfficeClosed, ServiceIsClosed, NobodyServes, BookingMismatch),
    ),
)
async def issue_ticket(office: OfficeId, wish: IssueWish, actor: Actor) -> Response:
    """Give a visitor a place in the line."""
    answer = await actor.do(office, wish.command(), keyed=True)
    assert answer.ticket, "whoever is issued a ticket has one"
    issued: IssuedOut = {**ticket_out(answer.ticket, answer.seq), "visit": actor.tokens.of(office, answer.ticket.id)}
    return reply(issued, 201)


@router.get("/{office}/services", response_model=Menu, responses=refusals(*READ))
async def read_menu(office: OfficeId, actor: Actor) -> Response:
    """The groups and services of the office, and which of them a visitor can take a ticket for now."""
    return reply(_menu(await actor.hall(office), actor.engine.clock.now()))


@router.get("", response_model=Offices, responses=refusals(*ANY, BadInput, BadCursor, JournalSilent))
async def list_offices(
    actor: Actor,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> Response:
    """The offices that this server keeps, by id."""
    halls, now = await actor.engine.halls(), actor.engine.clock.now()
    after = "" if cursor is None else place_of(cursor)
    page = nsmallest(limit + 1, (office for office, hall in halls.items() if office > after and hall.exists))
    shown, more = page[:limit], page[limit:]
    listed = [_listed(halls[office], now) for office in shown]
    return reply(Offices(server_time=instant(now), offices=listed, next=cursor_after(shown[-1]) if more else None))


def _menu(hall: Hall, clock: datetime) -> Menu:
    office, now = hall.office, hall.moment(clock)
    return {
        "office": office.id,
        "name": dict(office.name),
        "languages": list(office.languages),
        "hotline": office.hotline,
        "seq": hall.seq,
        "server_time": instant(clock),
        "receives": hall.receives_at(now),
        "groups": [{"id": group.id, "name": dict(group.name)} for group in office.groups],
        "services": [_menu_service(hall, service, now) for service in office.services],
        "categories": [
            {"id": category.id, "name": dict(category.name), "basis": dict(category.basis)}
            for category in office.categories
        ],
    }


def _menu_service(hall: Hall, service: Service, now: datetime) -> MenuService:
    refusal = _refusal_of(hall, service, now)
    return {
        "id": service.id,
        "letter": service.letter,
        "group": service.group,
        "name": dict(service.name),
        "open": refusal is None,
        "problem": type_of(type(refusal)) if refusal else None,
        "reason": hall.closed_services.get(service.id),
        "limit_seconds": {channel: service.limits.seconds(channel) for channel in (Channel.WALK_IN, Channel.BOOKED)},
    }


def _refusal_of(hall: Hall, service: Service, now: datetime) -> Refusal | None:
    """What a visitor without a booking would be told now. The hall is asked, so the menu has no rule of its own."""
    try:
        decide(hall, Issue(service.id), now)
    except Refusal as refusal:
        return refusal
    return None


def _listed(hall: Hall, now: datetime) -> OfficeListed:
    return {
        "office": hall.office_id,
        "name": dict(hall.office.name),
        "receives": hall.receives_at(now),
        "waiting": sum(hall.in_line(service.id) for service in hall.office.services),
        "counters_open": sum(session.state is CounterState.OPEN for session in hall.sessions.values()),
    }
