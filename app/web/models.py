"""The shapes of replies.

Typed dictionaries, built as plain literals and encoded once: on the two hot routes a model object in between would cost
as much as the decision itself. The framework only reads them, for the OpenAPI document.
"""

from typing import Annotated, Any

import msgspec
from pydantic import ConfigDict, Field, WithJsonSchema, with_config
from starlette.responses import Response
from typing_extensions import TypedDict

from app.engine import Answer
from app.journal import Recorded
from app.journal.deliveries import DeadLetter
from app.web.plain import instant, instant_or_none, plain, seconds_or_none
from queue_core.facts import Because, Candidate, Cause, HeldBy, Outcome, Rank, Stop
from queue_core.hall import CounterState, Session
from queue_core.office import Channel
from queue_core.tickets import Acknowledgement, State, Ticket

Moment = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
"""An instant in UTC, to the millisecond."""

Seconds = Annotated[int, Field(ge=0)]
Words = dict[str, str]
"""A text by language."""


class StopOut(TypedDict):
    """A place a visit goes to."""

    service: str
    counter: str | None


class AcknowledgementOut(TypedDict):
    """Who answered for a breach, when, and what they said of it."""

    at: Moment
    by: str
    cause: Cause
    remark: str | None


class TicketOut(TypedDict):
    """A ticket as it stood at fact `seq` of its office: the same for every repetition of a request."""

    id: str
    number: str
    seq: int
    state: State
    state_since: Moment
    service: str
    issued_service: str
    channel: Channel
    category: str | None
    category_verified: bool
    category_withdrawn: bool
    claim: Moment | None
    claim_verified: bool
    stops: list[StopOut]
    only_counter: str | None
    counter: str | None
    operator: str | None
    ahead_at_issue: int
    issued_at: Moment
    issued_offline: bool
    clock_start: Moment
    limit_seconds: Seconds
    due: Moment | None
    warned_at: Moment | None
    breached_due: Moment | None
    escalated: Annotated[int, Field(ge=0)]
    acknowledged: AcknowledgementOut | None
    relieved_at: Moment | None
    first_called_at: Moment | None
    last_called_at: Moment | None
    calls: int
    recalls: int
    started_at: Moment | None
    ended_at: Moment | None
    wait_to_call_seconds: Seconds | None
    wait_to_start_seconds: Seconds | None
    outcome: Outcome | None
    held_by: HeldBy | None
    held_until: Moment | None
    misses: Annotated[int, Field(ge=0)]
    first_missed_at: Moment | None
    late_until: Moment | None
    away_seconds: Seconds
    language: str | None
    shown_at: Moment | None
    spoken_at: Moment | None
    stars: int | None


class CounterOut(TypedDict):
    """A counter as it stood at fact `seq`."""

    counter: str
    seq: int
    state: CounterState
    since: Moment | None
    operator: str | None
    reason: str | None
    ticket: str | None


class IssuedOut(TicketOut):
    """A ticket as it is handed out: `visit` is the token of the visitor's own page, and the only key to it."""

    visit: str


class OfficeOut(TypedDict):
    """An office has come to fact `seq`."""

    office: str
    seq: int


@with_config(ConfigDict(extra="allow"))
class FactOut(TypedDict):
    """A line of the journal: beside these, whatever belongs to its `kind`. `hash` chains it to the line before."""

    seq: int
    at: Moment
    kind: str
    actor: str
    hash: str


class DeadLetterOut(TypedDict):
    """A message that was given up: whom it was for, the fact it told, and what became of the last of its attempts."""

    endpoint: str
    seq: int
    fact: FactOut
    failed_at: Moment
    attempts: Annotated[int, Field(ge=0)]
    error: str


class CandidateOut(TypedDict):
    """Somebody in line as the office's rule saw them; the larger `points` go first within the rule."""

    ticket: str
    number: str
    rank: Rank
    waited_seconds: Seconds
    points: float


class BecauseOut(TypedDict):
    """Why a ticket was called: the rule, its own standing, who else was at the head, and a person's reason if any."""

    rule: str
    chosen: CandidateOut
    others: list[CandidateOut]
    reason: str | None


def reply(body: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A reply with one of these shapes as its body."""
    return Response(msgspec.json.encode(body), status, headers, "application/json")


def nothing() -> Response:
    """There is nothing to tell: nobody waits."""
    return Response(status_code=204)


def ticket_reply(answer: Answer, status: int = 200) -> Response:
    """The ticket that a command touched."""
    assert answer.ticket, "a command about a ticket answers with it"
    return reply(ticket_out(answer.ticket, answer.seq), status)


def counter_reply(answer: Answer) -> Response:
    """The counter that a command touched."""
    assert answer.session, "a command about a counter answers with its session"
    return reply(counter_out(answer.session, answer.seq))


def office_reply(office: str, answer: Answer) -> Response:
    """How far the office has come with a command."""
    return reply(OfficeOut(office=office, seq=answer.seq))


def ticket_out(ticket: Ticket, seq: int) -> TicketOut:
    """A ticket for its readers. Nothing here asks the clock, so a repeated request gets the same bytes."""
    return {
        "id": ticket.id,
        "number": ticket.number,
        "seq": seq,
        "state": ticket.state,
        "state_since": instant(ticket.state_since),
        "service": ticket.service,
        "issued_service": ticket.issued_service,
        "channel": ticket.channel,
        "category": ticket.category,
        "category_verified": ticket.category_verified,
        "category_withdrawn": ticket.category_withdrawn,
        "claim": instant_or_none(ticket.claim),
        "claim_verified": ticket.claim_verified,
        "stops": [stop_out(stop) for stop in ticket.stops],
        "only_counter": ticket.only_counter,
        "counter": ticket.counter,
        "operator": ticket.operator,
        "ahead_at_issue": ticket.ahead_at_issue,
        "issued_at": instant(ticket.issued_at),
        "issued_offline": ticket.issued_offline,
        "clock_start": instant(ticket.clock_start),
        "limit_seconds": int(ticket.clock.limit.total_seconds()),
        "due": instant_or_none(ticket.clock.due),
        "warned_at": instant_or_none(ticket.warned_at),
        "breached_due": instant_or_none(ticket.breached_due),
        "escalated": ticket.escalated,
        "acknowledged": acknowledgement_out(ticket.acknowledged) if ticket.acknowledged else None,
        "relieved_at": instant_or_none(ticket.relieved_at),
        "first_called_at": instant_or_none(ticket.first_called_at),
        "last_called_at": instant_or_none(ticket.last_called_at),
        "calls": ticket.calls,
        "recalls": ticket.recalls,
        "started_at": instant_or_none(ticket.started_at),
        "ended_at": instant_or_none(ticket.ended_at),
        "wait_to_call_seconds": seconds_or_none(ticket.wait_to_call),
        "wait_to_start_seconds": seconds_or_none(ticket.wait_to_start),
        "outcome": ticket.outcome,
        "held_by": ticket.held_by,
        "held_until": instant_or_none(ticket.held_until),
        "misses": ticket.misses,
        "first_missed_at": instant_or_none(ticket.first_missed_at),
        "late_until": instant_or_none(ticket.late_until) if ticket.state is State.LATE else None,
        "away_seconds": int(ticket.away.total_seconds()),
        "language": ticket.language,
        "shown_at": instant_or_none(ticket.shown_at),
        "spoken_at": instant_or_none(ticket.spoken_at),
        "stars": ticket.stars,
    }


def stop_out(stop: Stop) -> StopOut:
    """A stop of a visit."""
    return {"service": stop.service, "counter": stop.counter}


def acknowledgement_out(said: Acknowledgement) -> AcknowledgementOut:
    """What was said of a breach."""
    return {"at": instant(said.at), "by": said.by, "cause": said.cause, "remark": said.remark}


def counter_out(session: Session, seq: int) -> CounterOut:
    """What a counter does."""
    return {
        "counter": session.counter,
        "seq": seq,
        "state": session.state,
        "since": instant_or_none(session.since),
        "operator": session.operator,
        "reason": session.reason,
        "ticket": session.ticket,
    }


def fact_out(line: Recorded) -> dict[str, Any]:
    """A line of the journal, as a FactOut; without the key, which belongs to whoever sent it."""
    known = {"seq": line.seq, "at": instant(line.at), "kind": line.kind, "actor": line.actor, "hash": line.hash.hex()}
    return {**known, **plain(line.fact)}


def dead_letter_out(letter: DeadLetter, line: Recorded) -> dict[str, Any]:
    """A dead letter, as a DeadLetterOut."""
    return {
        "endpoint": letter.endpoint,
        "seq": letter.seq,
        "fact": fact_out(line),
        "failed_at": instant(letter.failed_at),
        "attempts": letter.attempts,
        "error": letter.error,
    }


def because_out(because: Because) -> BecauseOut:
    """The reason of a call."""
    return {
        "rule": because.rule,
        "chosen": candidate_out(because.chosen),
        "others": [candidate_out(other) for other in because.others],
        "reason": because.reason,
    }


def candidate_out(candidate: Candidate) -> CandidateOut:
    """A standing in line."""
    return {
        "ticket": candidate.ticket,
        "number": candidate.number,
        "rank": candidate.rank,
        "waited_seconds": int(candidate.waited_seconds),
        "points": round(candidate.points, 3),
    }
