"""What a board asks."""

from typing import Annotated

from fastapi import Header, Query
from pydantic import Field
from starlette.responses import Response

from app.access import Actor, room
from app.board.speech import SpeechDelay
from app.live import LiveHub, View
from app.web.document import BODY, MAY_BE_KEYED, READ, WRITE, Responses, refusals
from app.web.etags import knows
from app.web.inputs import OfficeId, Slug, TicketId, Wish
from app.web.models import nothing
from app.web.snapshot import Snapshot, snapshot_bytes
from queue_core.commands import Announce
from queue_core.errors import StepForbidden, UnknownTicket
from queue_core.facts import Told

router = room("board")


class AnnouncedWish(Wish):
    """Which board has told of the call, and how."""

    board: Slug
    how: Annotated[Told, Field(strict=False)]
    delay_seconds: Annotated[
        float | None, Field(ge=0, le=3600, description="from the call to the first word, of a call that was spoken")
    ] = None


UNCHANGED: Responses = {304: {"description": "Nothing has happened since the state with this ETag"}}

EVENTS: Responses = {
    200: {"description": "Server-sent events", "content": {"text/event-stream": {"schema": {"type": "string"}}}}
}


@router.get("/{office}", response_model=Snapshot, responses={**UNCHANGED, **refusals(*READ)})
async def read_office(
    office: OfficeId,
    actor: Actor,
    if_none_match: Annotated[str | None, Header(description="the ETag of the state already known")] = None,
) -> Response:
    """The office's live state."""
    hall, clock = await actor.hall(office), actor.engine.clock
    headers = {"ETag": f'"{hall.seq}"', "Cache-Control": "no-cache"}
    if knows(if_none_match, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(snapshot_bytes(hall, clock.now(), clock), 200, headers, "application/json")


@router.get("/{office}/stream", response_class=Response, responses={**EVENTS, **refusals(*READ)})
async def follow_office(
    office: OfficeId,
    actor: Actor,
    view: Annotated[View, Query(description="whole states, every fact, or only that there was one")] = View.STATE,
    after: Annotated[int | None, Query(ge=0, lt=2**63, description="the last fact already known")] = None,
    last_event_id: Annotated[str | None, Header(max_length=40, description="sent by a browser that comes back")] = None,
) -> Response:
    """The office's events as they happen."""
    hub: LiveHub = actor.app.state.hub
    return await hub.stream(office, view, after=after, last_event_id=last_event_id)


@router.post(
    "/{office}/tickets/{ticket}/announced",
    status_code=204,
    response_class=Response,
    openapi_extra=MAY_BE_KEYED,
    responses=refusals(*WRITE, *BODY, UnknownTicket, StepForbidden),
)
async def announce_call(office: OfficeId, ticket: TicketId, wish: AnnouncedWish, actor: Actor) -> Response:
    """A board has shown or spoken the ticket's call. The first to say so is kept."""
    known = (await actor.hall(office)).tickets.get(ticket)
    is_first = known is not None and known.spoken_at is None
    answer = await actor.do(office, Announce(ticket, wish.board, wish.how))
    if is_first and wish.how is Told.SPOKEN and wish.delay_seconds is not None and answer.ticket:
        speech: SpeechDelay = actor.app.state.speech
        speech.spoken(answer.ticket, wish.delay_seconds, actor.engine.clock.now())
    return nothing()
