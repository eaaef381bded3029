"""What a kiosk asks."""

from datetime import datetime
from heapq import nsmallest
from typing import Annotated

from fastapi import Query
from pydantic import Field
from starlette.responses import Response
from typing_extensions import TypedDict

from app.access import Actor, room
from app.engine import Answer, JournalSilent
from app.web.document import ANY, BODY, KEYED, MAY_BE_KEYED, READ, WRITE, refusals
from app.web.inputs import Instant, KioskId, Language, LeaseId, OfficeId, OfflineNumber, Slug, TicketNumber, Wish
from app.web.models import IssuedOut, Moment, Seconds, Words, nothing, reply, ticket_out
from app.web.pages import Cursor, cursor_after, place_of
from app.web.plain import instant
from app.web.problems import type_of
from app.web.refusals import BadCursor, BadInput, KeyMissing
from app.web.snapshot import Day
from queue_core.commands import Issue, IssueOffline, LeaseNumbers, Readmit
from queue_core.decisions import decide
from queue_core.errors import (
    BookingMismatch,
    DayNotOpen,
    NobodyServes,
    NoMoreMarks,
    NothingToLease,
    NotToday,
    NumberTaken,
    OfficeClosed,
    Refusal,
    ServiceIsClosed,
    StepForbidden,
    UnknownCategory,
    UnknownLease,
    UnknownService,
    UnknownTicket,
)
from queue_core.facts import Readmission
from queue_core.hall import CounterState, Hall
from queue_core.leases import Lease
from queue_core.office import Channel, Service
from queue_core.tickets import ticket_id

router = room("kiosk")


class IssueWish(Wish):
    """What a visitor came for. `further` are more services of the same visit, in order.

    `slot` is the time that the visitor says to have booked. Nobody has found the booking yet, so the ticket waits as a
    walk-in's until somebody of the office does.
    """

    service: Slug
    channel: Annotated[Channel, Field(strict=False)] = Channel.WALK_IN
    category: Slug | None = None
    slot: Instant | None = None
    further: list[Slug] = Field(default=[], max_length=10)
    language: Language | None = None

    def command(self) -> Issue:
        """The command that carries it out."""
        further = tuple(self.further)
        return Issue(
            self.service, self.channel, self.category, self.slot, further, self.language, claim=self.slot is not None
        )


class OfflineWish(IssueWish):
    """A ticket that a kiosk gave out while the server was away: its number, from which lease, and when that was."""

    lease: LeaseId
    number: OfflineNumber
    issued_at: Instant

    def offline(self, kiosk: str) -> IssueOffline:
        """The command that carries it out."""
        return IssueOffline(
            kiosk=kiosk,
            lease=self.lease,
            letter=self.number[:2],
            serial=int(self.number[2:]),
            service=self.service,
            issued_at=self.issued_at,
            channel=self.channel,
            category=self.category,
            slot=self.slot,
            further=tuple(self.further),
            language=self.language,
            claim=self.slot is not None,
        )


class ReadmitWish(Wish):
    """The number on the ticket of somebody who missed the call."""

    number: TicketNumber


class LeaseWish(Wish):
    """A kiosk asks for numbers. It has told of everything that it issued from the lease `done`."""

    done: LeaseId | None = None


class BlockOut(TypedDict):
    """Numbers of one series: for the services with this `letter`, from `first` to `last`."""

    letter: str
    series: str
    first: Annotated[int, Field(ge=1)]
    last: Annotated[int, Field(ge=1)]


class LeaseOut(TypedDict):
    """Numbers of a kiosk's own, by when they were leased. `visits` has the token of the visitor's page for each."""

    lease: str
    kiosk: str
    mark: str
    day: Day
    server_time: Moment
    blocks: list[BlockOut]
    visits: dict[str, str]


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
    """What a kiosk of the office offers now. Visitors may say that they have booked only if `claims`."""

    office: str
    name: Words
    languages: list[str]
    hotline: str | None
    seq: int
    server_time: Moment
    day: Day
    receives: bool
    claims: bool
    late: bool
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
        *(OfficeClosed, ServiceIsClosed, NobodyServes, BookingMismatch, NotToday),
    ),
)
async def issue_ticket(office: OfficeId, wish: IssueWish, actor: Actor) -> Response:
    """Give a visitor a place in the line."""
    answer = await actor.do(office, wish.command(), keyed=True)
    return _issued(office, answer, actor)


@router.post(
    "/{office}/kiosks/{kiosk}/lease",
    response_model=LeaseOut,
    openapi_extra=MAY_BE_KEYED,
    responses=refusals(*WRITE, *BODY, JournalSilent, NothingToLease, NoMoreMarks),
)
async def lease_numbers(office: OfficeId, kiosk: KioskId, wish: LeaseWish, actor: Actor) -> Response:
    """Give a kiosk numbers of its own, and have what is left of the lease before made void."""
    answer = await actor.do(office, LeaseNumbers(kiosk, wish.done))
    hall = await actor.hall(office)
    # Found by its fact, so that a repeated request is told of the same lease.
    lease = next(lease for lease in hall.leases.values() if lease.seq == answer.seq)
    return reply(_lease(office, lease, actor))


@router.post(
    "/{office}/kiosks/{kiosk}/tickets",
    status_code=201,
    response_model=IssuedOut,
    openapi_extra=KEYED,
    responses=refusals(
        *(*WRITE, *BODY, KeyMissing, UnknownLease, UnknownService, UnknownCategory),
        *(NumberTaken, DayNotOpen, NobodyServes, BookingMismatch),
    ),
)
async def tell_of_ticket(office: OfficeId, kiosk: KioskId, wish: OfflineWish, actor: Actor) -> Response:
    """Tell of a ticket that the kiosk gave out by itself; the visitor waits since then."""
    answer = await actor.do(office, wish.offline(kiosk), keyed=True)
    return _issued(office, answer, actor)


@router.post(
    "/{office}/kiosks/{kiosk}/readmit",
    status_code=204,
    response_class=Response,
    openapi_extra=MAY_BE_KEYED,
    responses=refusals(*WRITE, *BODY, UnknownTicket, StepForbidden),
)
async def readmit_at_kiosk(office: OfficeId, kiosk: KioskId, wish: ReadmitWish, actor: Actor) -> Response:
    """Somebody who missed the call has come to the kiosk, and waits again."""
    hall = await actor.hall(office)
    name = next((ticket.id for ticket in hall.people() if ticket.number == wish.number), wish.number)
    await actor.do(office, Readmit(name, Readmission.KIOSK))
    return nothing()


@router.get("/{office}/services", response_model=Menu, responses=refusals(*READ))
async def read_menu(office: OfficeId, actor: Actor) -> Response:
    """The groups and services of the office, and which of them a visitor can take a ticket for now."""
    return reply(menu(await actor.hall(office), actor.engine.clock.now()))


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


def _issued(office: str, answer: Answer, actor: Actor) -> Response:
    assert answer.ticket, "whoever is issued a ticket has one"
    issued: IssuedOut = {**ticket_out(answer.ticket, answer.seq), "visit": actor.tokens.of(office, answer.ticket.id)}
    return reply(issued, 201)


def _lease(office: str, lease: Lease, actor: Actor) -> LeaseOut:
    serials = ((block.letter, serial) for block in lease.blocks for serial in range(block.first, block.last + 1))
    return {
        "lease": lease.id,
        "kiosk": lease.kiosk,
        "mark": lease.mark,
        "day": lease.day.isoformat(),
        "server_time": instant(lease.at),
        "blocks": [
            {"letter": block.letter[0], "series": block.letter, "first": block.first, "last": block.last}
            for block in lease.blocks
        ],
        "visits": {
            f"{letter}{serial:03}": actor.tokens.of(office, ticket_id(lease.day, letter, serial))
            for letter, serial in serials
        },
    }


def menu(hall: Hall, clock: datetime) -> Menu:
    """The menu as it is now."""
    office, now = hall.office, hall.moment(clock)
    return {
        "office": office.id,
        "name": dict(office.name),
        "languages": list(office.languages),
        "hotline": office.hotline,
        "seq": hall.seq,
        "server_time": instant(clock),
        "day": hall.day_at(now).isoformat(),
        "receives": hall.receives_at(now),
        "claims": office.kiosk_claims,
        "late": office.late_seconds > 0,
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
