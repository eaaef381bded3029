"""What an operator asks."""

from collections.abc import Callable
from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError
from starlette.responses import Response

from app.access import Actor, room
from app.web.document import BODY, KEYED, MAY_BE_KEYED, WRITE, refusals
from app.web.inputs import CounterId, Instant, Line, OfficeId, Slug, TicketId, Wish
from app.web.models import CounterOut, TicketOut, counter_reply, nothing, ticket_reply
from app.web.refusals import KeyMissing
from queue_core.commands import (
    CallChosen,
    CallNext,
    Cancel,
    CloseCounter,
    Finish,
    Hold,
    NoShow,
    OpenCounter,
    PauseCounter,
    Readmit,
    Recall,
    Resume,
    ReturnToLine,
    Start,
    TicketCommand,
    Transfer,
    Undo,
    VerifyCategory,
    VerifyClaim,
    WithdrawCategory,
)
from queue_core.errors import (
    CallTooFresh,
    CounterBusy,
    CounterIsClosed,
    CounterIsPaused,
    CounterTaken,
    HoldInThePast,
    NobodyServes,
    NoCategory,
    NoClaim,
    NothingToUndo,
    NotInLine,
    OperatorBusy,
    RecallLimitReached,
    Refusal,
    StepForbidden,
    UnknownCounter,
    UnknownService,
    UnknownTicket,
)
from queue_core.facts import HeldBy, Outcome, Readmission

router = room("console")

COUNTER = (*WRITE, UnknownCounter)
READY = (*COUNTER, CounterIsClosed, CounterIsPaused, CounterBusy)
STEP = (*WRITE, UnknownTicket, StepForbidden)


Route = Callable[[Callable[..., Any]], Callable[..., Any]]


def session(name: str, *kinds: type[Refusal]) -> Route:
    """A route for what an operator does with the counter."""
    return router.post(
        f"/{{office}}/counters/{{counter}}/{name}",
        response_model=CounterOut,
        openapi_extra=MAY_BE_KEYED,
        responses=refusals(*COUNTER, *kinds),
    )


def step(name: str, *kinds: type[Refusal]) -> Route:
    """A route for one step of a ticket's life."""
    return router.post(
        f"/{{office}}/tickets/{{ticket}}/{name}",
        response_model=TicketOut,
        openapi_extra=MAY_BE_KEYED,
        responses=refusals(*STEP, *kinds),
    )


class OpenWish(Wish):
    """Who works at the counter; `take_over` ends what they do at another one."""

    operator: Line
    take_over: bool = False


class PauseWish(Wish):
    """Why the counter rests."""

    reason: Line


class CallWish(Wish):
    """Which counter calls this ticket out of the order, and why."""

    counter: Slug
    reason: Line


class FinishWish(Wish):
    """How the service ended."""

    outcome: Annotated[Outcome, Field(strict=False)] = Outcome.DONE


class ReasonWish(Wish):
    """Why, if there is anything to say."""

    reason: Line | None = None


DONE = FinishWish()
NO_REASON = ReasonWish()


class HoldWish(Wish):
    """On whose account, and until when; without `until` the ticket waits to be resumed."""

    by: Annotated[HeldBy, Field(strict=False)]
    until: Instant | None = None


def _names(member: str) -> JsonDict:
    return {"required": [member], "properties": {member: {"type": "string"}}}


class TransferWish(Wish):
    """Where to: another service, a counter, or both. `come_back` returns the visitor here afterwards."""

    model_config = ConfigDict(
        json_schema_extra={"anyOf": [_names("service"), _names("counter")]},
    )

    service: Slug | None = None
    counter: Slug | None = None
    come_back: bool = False

    @model_validator(mode="after")
    def _goes_somewhere(self) -> Self:
        if self.service is None and self.counter is None:
            raise PydanticCustomError("nowhere", "must name a service or a counter")
        return self


class WithdrawWish(Wish):
    """Why the right does not hold. A visitor at a counter goes back to the line, unless `keep` says why not."""

    reason: Line
    keep: Line | None = None


@router.post(
    "/{office}/counters/{counter}/call-next",
    response_model=TicketOut,
    openapi_extra=KEYED,
    responses={204: {"description": "Nobody waits for this counter"}, **refusals(*READY, KeyMissing)},
)
async def call_next(office: OfficeId, counter: CounterId, actor: Actor) -> Response:
    """Call whoever is next for this counter; 204 when nobody waits."""
    answer = await actor.do(office, CallNext(counter), keyed=True)
    return ticket_reply(answer) if answer.ticket else nothing()


@session("open", *BODY, CounterTaken, OperatorBusy, CounterBusy)
async def open_counter(office: OfficeId, counter: CounterId, wish: OpenWish, actor: Actor) -> Response:
    """Begin an operator's session, or go on with it after a pause."""
    return counter_reply(await actor.do(office, OpenCounter(counter, wish.operator, wish.take_over)))


@session("pause", *BODY, CounterIsClosed, CounterBusy)
async def pause_counter(office: OfficeId, counter: CounterId, wish: PauseWish, actor: Actor) -> Response:
    """Take the counter out of work for a while."""
    return counter_reply(await actor.do(office, PauseCounter(counter, wish.reason)))


@session("close", CounterBusy)
async def close_counter(office: OfficeId, counter: CounterId, actor: Actor) -> Response:
    """End the operator's session."""
    return counter_reply(await actor.do(office, CloseCounter(counter)))


@router.post(
    "/{office}/counters/{counter}/undo",
    response_model=TicketOut,
    openapi_extra=MAY_BE_KEYED,
    responses=refusals(*READY, NothingToUndo),
)
async def undo_step(office: OfficeId, counter: CounterId, actor: Actor) -> Response:
    """Take back the last step made at this counter, and answer with the ticket as it was before."""
    return ticket_reply(await actor.do(office, Undo(counter)))


@step("call", *BODY, *READY, NotInLine)
async def call_ticket(office: OfficeId, ticket: TicketId, wish: CallWish, actor: Actor) -> Response:
    """Call this ticket out of the order."""
    return await _step(actor, office, CallChosen(ticket, wish.counter, wish.reason))


@step("recall", RecallLimitReached)
async def recall_ticket(office: OfficeId, ticket: TicketId, actor: Actor) -> Response:
    """Show and speak the number once more."""
    return await _step(actor, office, Recall(ticket))


@step("start")
async def start_service(office: OfficeId, ticket: TicketId, actor: Actor) -> Response:
    """The visitor is at the counter."""
    return await _step(actor, office, Start(ticket))


@step("finish", *BODY)
async def finish_service(office: OfficeId, ticket: TicketId, actor: Actor, wish: FinishWish = DONE) -> Response:
    """This service is over: the visit ends, or goes on to its next stop."""
    return await _step(actor, office, Finish(ticket, wish.outcome))


@step("no-show", CallTooFresh)
async def record_no_show(office: OfficeId, ticket: TicketId, actor: Actor) -> Response:
    """The visitor was called and did not come. Where the office waits for who is late, a second time ends the visit."""
    return await _step(actor, office, NoShow(ticket))


@step("readmit")
async def readmit_visitor(office: OfficeId, ticket: TicketId, actor: Actor) -> Response:
    """A late visitor has come to the staff and is in the line again."""
    return await _step(actor, office, Readmit(ticket, Readmission.OPERATOR))


@step("return", *BODY)
async def return_to_line(office: OfficeId, ticket: TicketId, actor: Actor, wish: ReasonWish = NO_REASON) -> Response:
    """Let the visitor wait again, on the same clock."""
    return await _step(actor, office, ReturnToLine(ticket, wish.reason))


@step("hold", *BODY, HoldInThePast)
async def hold_ticket(office: OfficeId, ticket: TicketId, wish: HoldWish, actor: Actor) -> Response:
    """Take the ticket out of the line. The wait clock stops only for the visitor's own wish."""
    return await _step(actor, office, Hold(ticket, wish.by, wish.until))


@step("resume")
async def resume_ticket(office: OfficeId, ticket: TicketId, actor: Actor) -> Response:
    """Bring a held ticket back to the line."""
    return await _step(actor, office, Resume(ticket))


@step("transfer", *BODY, UnknownService, UnknownCounter, NobodyServes)
async def transfer_ticket(office: OfficeId, ticket: TicketId, wish: TransferWish, actor: Actor) -> Response:
    """Send the visitor on with the same number and clock."""
    return await _step(actor, office, Transfer(ticket, wish.service, wish.counter, wish.come_back))


@step("cancel", *BODY)
async def cancel_ticket(office: OfficeId, ticket: TicketId, actor: Actor, wish: ReasonWish = NO_REASON) -> Response:
    """The visitor leaves."""
    return await _step(actor, office, Cancel(ticket, wish.reason))


@step("verify-category", NoCategory)
async def verify_category(office: OfficeId, ticket: TicketId, actor: Actor) -> Response:
    """The document behind the out-of-turn right was seen."""
    return await _step(actor, office, VerifyCategory(ticket))


@step("withdraw-category", *BODY, NoCategory)
async def withdraw_category(office: OfficeId, ticket: TicketId, wish: WithdrawWish, actor: Actor) -> Response:
    """The out-of-turn right does not hold."""
    return await _step(actor, office, WithdrawCategory(ticket, wish.reason, wish.keep))


@step("verify-claim", NoClaim)
async def verify_claim(office: OfficeId, ticket: TicketId, actor: Actor) -> Response:
    """Somebody of the office has found the booking that the visitor claims."""
    return await _step(actor, office, VerifyClaim(ticket))


async def _step(actor: Actor, office: str, command: TicketCommand) -> Response:
    return ticket_reply(await actor.do(office, command))
