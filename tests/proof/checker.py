"""The checker: one ordered pass over a journal, then over what clients were answered, and everything that is wrong.

It believes neither the server nor the database. States and clocks it retells in plain lists (`visits.py`), the order it
asks of the core's own rule against a hall folded from the same facts, and the rest it counts.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from heapq import heappop, heappush

from app.journal import GENESIS, Recorded, chain
from queue_core.discipline import next_in_line
from queue_core.errors import Refusal
from queue_core.facts import (
    Block,
    Breached,
    Called,
    ClaimVerified,
    Configured,
    CounterClosed,
    CounterIdle,
    CounterOpened,
    CounterPaused,
    DayClosed,
    DayOpened,
    Escalated,
    Fact,
    Idleness,
    Issued,
    Left,
    Missed,
    NumbersLeased,
    NumbersVoided,
    Readmitted,
    Relief,
    Relieved,
    Resumed,
    TicketFact,
    Undone,
    Unserved,
    Warned,
)
from queue_core.hall import Hall, evolve
from queue_core.tickets import State, ticket_id
from tests.proof.visits import Impossible, Visit

Outages = Sequence[tuple[datetime, datetime]]
"""When no server was there to record anything, from its death to its being back."""

BROUGHT_BY_TIME = (
    *(Resumed, Warned, Breached, Escalated, CounterIdle),
    *(Unserved, Relieved, DayClosed, NumbersVoided, DayOpened),
)
"""What time alone can bring. Relief comes with the closing; else it follows something that settles the time before."""

HOW_RELIEVED: Mapping[type[Fact], Relief] = {
    Called: Relief.CALLED,
    Left: Relief.LEFT,
    Unserved: Relief.UNSERVED,
    Undone: Relief.CALLED,
}
"""What ends a wait past the limit, and how the relief after it says so."""


class Rule(StrEnum):
    """What must never be seen."""

    GAP_IN_SEQ = "the journal misses a line or has one twice"
    CHAIN_BROKEN = "a line was changed, or one before it removed or inserted"
    TIME_BACKWARDS = "a fact is older than the one before it"
    STEP_IMPOSSIBLE = "a ticket took a step that the table does not have"
    COUNTER_TAKEN = "a counter that has a visitor called another"
    NUMBER_WRONG = "numbers have a gap, or one was given twice"
    LEASE_WRONG = "a number of a kiosk was leased twice, or issued or void without being leased"
    ORDER_BROKEN = "somebody was called who was not next"
    BREACH_MISSING = "a limit passed and no breach was recorded"
    BREACH_TWICE = "one breach was recorded twice"
    BREACH_WRONG = "a breach was recorded that did not happen at that instant"
    BREACH_LATE = "a breach was recorded too late"
    WARNING_MISSING = "somebody came near the limit and no warning was recorded"
    WARNING_TWICE = "one warning was recorded twice"
    WARNING_WRONG = "a warning was recorded of somebody who did not come near the limit at that instant"
    ESCALATION_MISSING = "a step of the escalation was due and was not recorded"
    ESCALATION_WRONG = "a step of the escalation came out of order, too early, or when no breach lasted"
    RELIEF_MISSING = "a wait past the limit ended and it was not said"
    RELIEF_WRONG = "an end was told of a wait past the limit that did not end, or not so"
    IDLE_WRONG = "a counter was called idle that was not, or that could help nobody near the limit"
    LEFT_BEHIND = "the day closed and somebody was left waiting"
    NOT_CONSERVED = "the hall does not hold those who came and did not go"
    EFFECT_TWICE = "one key took effect twice"
    LOST = "an acknowledged request is not in the journal"
    REPLY_UNTRUE = "a reply names another ticket than the journal"
    REPLY_CHANGED = "one key was answered in two ways"
    REFUSAL_UNTRUE = "a refused request took effect"
    REAL_TIME = "what began after another had ended came before it"
    STREAM_BROKEN = "a stream repeated, reordered or missed a fact"


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A rule that was broken, where, and how."""

    rule: Rule
    office: str
    where: str
    how: str = ""

    def __str__(self) -> str:
        return f"{self.office}, {self.where}: {self.rule}" + (f" ({self.how})" if self.how else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One attempt of a client as the client saw it, by any clock that never goes back.

    `status` is None when no answer came, and `reply` the body as it was decoded, None when there was none.
    """

    client: str
    operation: str
    office: str
    key: str | None
    start: float
    end: float
    status: int | None
    reply: object = None

    @property
    def is_acknowledged(self) -> bool:
        """Whether the client was told that it is done."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_refused(self) -> bool:
        """Whether the client was told that nothing was done; else, unacknowledged, nobody knows."""
        unknown = self.status is None or self._field("type").endswith("/outcome-unknown")
        return not unknown and self.status is not None and (400 <= self.status < 500 or self.status == 503)

    @property
    def ticket(self) -> str | None:
        """The ticket that the reply is about."""
        return self._field("id") or None

    def _field(self, name: str) -> str:
        value = self.reply.get(name) if isinstance(self.reply, Mapping) else None
        return value if isinstance(value, str) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """The ids that one listener received up to the journal's end, reconnects included.

    A `whole` stream carries every fact; another may skip to the latest state.
    """

    office: str
    ids: Sequence[int]
    whole: bool = True


def check(
    journal: Iterable[Recorded],
    history: Iterable[Call] = (),
    streams: Iterable[Stream] = (),
    *,
    breaches_within: timedelta | None = None,
    outages: Outages = (),
) -> list[Violation]:
    """Everything that is wrong, in the order in which it is found; nothing when all is well.

    Lines come in the order of their seq within each office. `breaches_within` is how soon after its due a breach had to
    be recorded, outages aside; None where nobody watched.
    """
    witnesses: dict[str, Witness] = {}
    for line in journal:
        if line.office_id not in witnesses:
            witnesses[line.office_id] = Witness(line.office_id, breaches_within, outages)
        witnesses[line.office_id].tell(line)
    found: list[Violation] = []
    for witness in witnesses.values():
        witness.end()
        found += witness.found
    found += _against_history(witnesses, list(history))
    found += (violation for stream in streams for violation in _against_stream(witnesses, stream))
    return found


# The journal


class Witness:
    """One office's journal told line by line."""

    def __init__(self, office: str, breaches_within: timedelta | None = None, outages: Outages = ()) -> None:
        self.office = office
        self.found: list[Violation] = []
        self.seq = 0
        self.by_key: dict[str, list[Recorded]] = {}
        self._hall = Hall(office)
        self._head = GENESIS
        self._at: datetime | None = None
        self._visits: dict[str, Visit] = {}
        self._inside: set[str] = set()
        self._visitors: dict[str, str] = {}
        self._serials: dict[tuple[object, str], int] = {}
        self._leases: dict[str, set[Number]] = {}
        self._leased: dict[date, set[Number]] = {}
        self._dues: list[tuple[datetime, str, int]] = []
        self._owed: tuple[str, Relief] | None = None
        self._idle: dict[str, tuple[Idleness, datetime | None]] = {}
        self._came_to_light: dict[str, datetime] = {}
        self._settled = True
        self._breaches_within, self._outages = breaches_within, sorted(outages)
        self._where = "the beginning"

    def tell(self, line: Recorded) -> None:
        """One more line."""
        self._where = f"fact {line.seq}"
        self._line_follows(line)
        self._time_passes(line.fact)
        self._key_is_new(line)
        self._relief_follows(line.fact)
        if self._is_sound(line.fact):
            self._order_was_kept(line.fact)
            self._evolve(line.fact)

    def end(self) -> None:
        """There are no more lines."""
        if not self._settled and self._at:
            self._settle(self._at)
        if self._owed:
            self._against(Rule.RELIEF_MISSING, " ".join(self._owed))
        self._all_are_there()

    def _against(self, rule: Rule, how: str = "") -> None:
        self.found.append(Violation(rule=rule, office=self.office, where=self._where, how=how))

    def _line_follows(self, line: Recorded) -> None:
        if line.seq != self.seq + 1:
            self._against(Rule.GAP_IN_SEQ, f"after {self.seq}")
        expected = chain(self._head, line.office_id, line.seq, line.actor, line.key, line.kind, line.body)
        if line.hash != expected:
            self._against(Rule.CHAIN_BROKEN)
        if line.at != line.fact.at or (self._at and line.at < self._at):
            self._against(Rule.TIME_BACKWARDS)
        self.seq, self._head = line.seq, line.hash

    def _time_passes(self, fact: Fact) -> None:
        """What time had brought is on record before the first thing that somebody did at the same instant."""
        if self._at is not None and fact.at != self._at:
            if not self._settled:
                self._settle(self._at)
            self._settled = False
        self._at = fact.at
        by_time = isinstance(fact, BROUGHT_BY_TIME) or (isinstance(fact, Missed) and fact.since is not None)
        if not self._settled and not by_time:
            self._settle(fact.at)
            self._settled = True

    def _settle(self, now: datetime) -> None:
        while self._dues and self._dues[0][0] <= now:
            due, name, steps = heappop(self._dues)
            visit = self._visits[name]
            if visit.due() == due and not visit.breaches:
                self._against(Rule.BREACH_MISSING, f"{name} at {due}")
            if visit.reached(visit.warning) == due and not visit.warnings:
                self._against(Rule.WARNING_MISSING, f"{name} at {due}")
            if len(visit.steps) == steps and self._next_step(visit) == due:
                self._against(Rule.ESCALATION_MISSING, f"{name} at {due}, step {steps}")

    def _next_step(self, visit: Visit) -> datetime | None:
        """When the next role is to be told of a breach that lasts."""
        steps = self._hall.office.escalation
        if not visit.breaches or visit.relieved or not visit.waits or len(visit.steps) >= len(steps):
            return None
        return visit.reached(visit.limit + timedelta(seconds=steps[len(visit.steps)].after_seconds))

    def _key_is_new(self, line: Recorded) -> None:
        if line.key is None:
            return
        lines = self.by_key.setdefault(line.key, [])
        if lines and lines[0].at != line.at:
            self._against(Rule.EFFECT_TWICE, f"key {line.key}")
        lines.append(line)

    # One fact

    def _is_sound(self, fact: Fact) -> bool:
        """Whether a fact can follow on those before it; one that cannot is named and left out of the hall."""
        before = len(self.found)
        if not self._hall.exists and not isinstance(fact, Configured):
            self._against(Rule.STEP_IMPOSSIBLE, f"{type(fact).__name__} in an office that was never described")
        elif isinstance(fact, DayClosed):
            self._nobody_is_left_behind()
        elif isinstance(fact, CounterOpened | CounterPaused | CounterClosed):
            self._change_idleness(fact)
        elif isinstance(fact, CounterIdle):
            self._idleness_is_true(fact)
        elif isinstance(fact, NumbersLeased):
            self._lease_is_new(fact)
        elif isinstance(fact, NumbersVoided):
            if self._leases.pop(fact.lease, None) != _numbers(fact.blocks):
                self._against(Rule.LEASE_WRONG, f"{fact.lease} had others left")
        elif isinstance(fact, Issued):
            self._number_follows(fact)
        elif isinstance(fact, TicketFact):
            self._step_is_possible(fact)
        return len(self.found) == before or (isinstance(fact, DayClosed) and self._hall.exists)

    def _number_follows(self, fact: Issued) -> None:
        if fact.ticket in self._visits or fact.ticket != ticket_id(fact.day, fact.letter, fact.serial):
            self._against(Rule.NUMBER_WRONG, fact.ticket)
            return
        if fact.lease:
            self._number_was_leased(fact)
        else:
            series = (fact.day, fact.letter)
            expected = self._serials.get(series, 0) + 1
            if fact.serial != expected:
                self._against(Rule.NUMBER_WRONG, f"{fact.ticket} where {expected} was next")
            self._serials[series] = fact.serial
        self._visits[fact.ticket] = Visit(fact)
        self._inside.add(fact.ticket)
        self._set_due(fact.ticket)

    def _lease_is_new(self, fact: NumbersLeased) -> None:
        """No number is held by two leases, nor by two of one day, even if the first was given back."""
        numbers, today = _numbers(fact.blocks), self._leased.setdefault(fact.day, set())
        held = set().union(today, *self._leases.values())
        if fact.lease in self._leases or numbers & held:
            self._against(Rule.LEASE_WRONG, f"{fact.lease} has numbers that are out already")
        if any(not letter.endswith(fact.mark) for letter, _ in numbers):
            self._against(Rule.LEASE_WRONG, f"{fact.lease} has numbers without the mark {fact.mark}")
        self._leases[fact.lease] = numbers
        today |= numbers

    def _number_was_leased(self, fact: Issued) -> None:
        number, left = (fact.letter, fact.serial), self._leases.get(fact.lease or "", set())
        if number not in left or fact.issued_at is None or fact.issued_at > fact.at:
            self._against(Rule.LEASE_WRONG, f"{fact.ticket} of {fact.lease}")
        left.discard(number)

    def _step_is_possible(self, fact: TicketFact) -> None:
        visit = self._visits.get(fact.ticket)
        if visit is None:
            self._against(Rule.STEP_IMPOSSIBLE, f"{type(fact).__name__} of {fact.ticket}, which was never issued")
            return
        if isinstance(fact, Breached):
            self._breach_is_true(fact, visit)
        if isinstance(fact, Warned):
            self._warning_is_true(fact, visit)
        if isinstance(fact, Escalated):
            self._escalation_is_true(fact, visit)
        if isinstance(fact, Relieved) and not visit.lasts:
            self._against(Rule.RELIEF_WRONG, f"{fact.ticket} was not past the limit")
            return
        lasted = visit.lasts
        if isinstance(fact, Called) and self._hall.office.counter(fact.counter) is None:
            self._against(Rule.STEP_IMPOSSIBLE, f"{fact.ticket} was called to {fact.counter}, which is no counter")
            return
        was_at = visit.counter if visit.at_counter else None
        try:
            visit.happened(fact)
        except Impossible as impossible:
            self._against(Rule.STEP_IMPOSSIBLE, f"{fact.ticket}: {impossible}")
            return
        if isinstance(fact, Undone | Readmitted | ClaimVerified):
            self._came_to_light[fact.ticket] = fact.at
        how = HOW_RELIEVED.get(type(fact))
        if how and lasted and visit.lasts and not visit.waits:
            self._owed = fact.ticket, how
        self._change_counter(fact, visit, was_at)
        self._set_due(fact.ticket)
        (self._inside.discard if visit.ended else self._inside.add)(fact.ticket)

    def _change_counter(self, fact: TicketFact, visit: Visit, was_at: str | None) -> None:
        name = fact.ticket
        if was_at and self._visitors.get(was_at) == name:
            del self._visitors[was_at]
            if not visit.at_counter:
                self._idle[was_at] = Idleness.OPEN, fact.at
        if visit.at_counter and visit.counter:
            if visit.counter in self._visitors:
                self._against(Rule.COUNTER_TAKEN, f"{visit.counter} has {self._visitors[visit.counter]}, not {name}")
            self._visitors[visit.counter] = name
            self._idle.pop(visit.counter, None)

    def _change_idleness(self, fact: CounterOpened | CounterPaused | CounterClosed) -> None:
        if isinstance(fact, CounterClosed):
            self._idle.pop(fact.counter, None)
            return
        state = Idleness.OPEN if isinstance(fact, CounterOpened) else Idleness.PAUSED
        if fact.counter not in self._idle or self._idle[fact.counter][0] is not state:
            self._idle[fact.counter] = state, fact.at

    def _set_due(self, name: str) -> None:
        visit = self._visits[name]
        due, near = visit.due(), visit.reached(visit.warning)
        if due and not visit.breaches:
            heappush(self._dues, (due, name, -1))
        if near and not visit.warnings:
            heappush(self._dues, (near, name, -1))
        step = self._next_step(visit)
        if step:
            heappush(self._dues, (step, name, len(visit.steps)))

    def _breach_is_true(self, fact: Breached, visit: Visit) -> None:
        if visit.breaches:
            self._against(Rule.BREACH_TWICE, fact.ticket)
        elif fact.due > fact.at or visit.due() != fact.due:
            self._against(Rule.BREACH_WRONG, f"{fact.ticket} at {fact.due}, due {visit.due()}")
        elif self._breaches_within is not None and fact.at > self._latest(fact, self._breaches_within):
            self._against(Rule.BREACH_LATE, f"{fact.ticket} due {fact.due}, recorded {fact.at}")

    def _warning_is_true(self, fact: Warned, visit: Visit) -> None:
        if visit.warnings:
            self._against(Rule.WARNING_TWICE, fact.ticket)
        elif fact.since > fact.at or visit.reached(visit.warning) != fact.since or visit.due() != fact.due:
            self._against(Rule.WARNING_WRONG, f"{fact.ticket} at {fact.since}, near {visit.reached(visit.warning)}")

    def _escalation_is_true(self, fact: Escalated, visit: Visit) -> None:
        step, steps = len(visit.steps), self._hall.office.escalation
        due = visit.breaches[0].due if visit.breaches else None
        at = self._next_step(visit)
        if at is None or at > fact.at or (fact.due, fact.step, fact.role) != (due, step, steps[step].role):
            self._against(Rule.ESCALATION_WRONG, f"{fact.ticket} step {fact.step}, where {step} was due at {at}")

    def _relief_follows(self, fact: Fact) -> None:
        """What ends a wait past the limit is followed by its relief, and by nothing else."""
        if isinstance(fact, Relieved):
            if self._owed and self._owed != (fact.ticket, fact.how):
                self._against(Rule.RELIEF_WRONG, f"{fact.ticket} {fact.how}, and not {self._owed}")
            elif not self._owed:
                self._against(Rule.RELIEF_WRONG, f"{fact.ticket} {fact.how}")
        elif self._owed:
            self._against(Rule.RELIEF_MISSING, " ".join(self._owed))
        self._owed = None

    def _idleness_is_true(self, fact: CounterIdle) -> None:
        office, visit, ticket = self._hall.office, self._visits.get(fact.ticket), self._hall.tickets.get(fact.ticket)
        paused, counter = fact.state is Idleness.PAUSED, office.counter(fact.counter)
        lasted = timedelta(seconds=office.long_pause_seconds if paused else office.idle_seconds)
        if self._idle.get(fact.counter) != (fact.state, fact.since) or fact.since + lasted > fact.at:
            self._against(Rule.IDLE_WRONG, f"counter {fact.counter} since {fact.since}")
        elif not visit or not visit.warnings or visit.state is not State.WAITING:
            self._against(Rule.IDLE_WRONG, f"{fact.ticket} was not near the limit")
        elif not ticket or not counter or not counter.serves(ticket.service, ticket.only_counter):
            self._against(Rule.IDLE_WRONG, f"counter {fact.counter} could not help {fact.ticket}")
        self._idle[fact.counter] = fact.state, None

    def _latest(self, fact: Breached, within: timedelta) -> datetime:
        """The last instant at which the breach could be recorded in time."""
        # A call that is taken back after due brings a breach to light that nobody could know of before.
        # The same holds for who is back soon after a no-show, and for a booking that is found.
        # Nor could anybody know of what was issued while the server was away.
        since = max(fact.due, self._came_to_light.get(fact.ticket, fact.due), self._visits[fact.ticket].issued.at)
        for died, back in self._outages:
            if died <= since + within and since <= back:
                since = back
        return since + within

    def _nobody_is_left_behind(self) -> None:
        gone = (State.WAITING, State.HELD, State.LATE)
        waiting = [name for name in self._inside if self._visits[name].state in gone]
        if waiting:
            self._against(Rule.LEFT_BEHIND, ", ".join(sorted(waiting)))
        self._all_are_there()

    # The hall

    def _order_was_kept(self, fact: Fact) -> None:
        if not isinstance(fact, Called) or fact.because.rule == "chosen":
            return
        counter = self._hall.counter(fact.counter)
        because = next_in_line(self._hall.heads(counter), self._hall.office, fact.at)
        if because is None or because.chosen.ticket != fact.ticket:
            owed = because.chosen.ticket if because else "nobody"
            self._against(Rule.ORDER_BROKEN, f"{fact.ticket} was called, {owed} was next")

    def _evolve(self, fact: Fact) -> None:
        try:
            ticket = evolve(self._hall, fact)
        except (Refusal, AssertionError) as error:
            self._against(Rule.STEP_IMPOSSIBLE, f"{type(fact).__name__}: {error}")
            return
        if isinstance(fact, Configured):
            # Another escalation has other instants.
            for name in self._inside:
                self._set_due(name)
        if ticket and ticket.state is not self._visits[ticket.id].state:
            self._against(Rule.NOT_CONSERVED, f"{ticket.id} is {ticket.state}")

    def _all_are_there(self) -> None:
        inside = {ticket.id for ticket in self._hall.people()}
        if inside != self._inside:
            self._against(Rule.NOT_CONSERVED, ", ".join(sorted(inside ^ self._inside)))


Number = tuple[str, int]


def _numbers(blocks: Iterable[Block]) -> set[Number]:
    """Each number of the blocks by itself."""
    return {(block.letter, serial) for block in blocks for serial in range(block.first, block.last + 1)}


# What clients were answered


def _against_history(witnesses: Mapping[str, Witness], history: list[Call]) -> Iterator[Violation]:
    wishes: dict[tuple[str, str], list[Call]] = {}
    for call in history:
        if call.key is not None:
            wishes.setdefault((call.office, call.key), []).append(call)
    effects = {(office, key): lines for office, witness in witnesses.items() for key, lines in witness.by_key.items()}
    for wish, calls in wishes.items():
        yield from _against_answers(calls, effects.get(wish, []))
    yield from _against_real_time(wishes, effects)


def _against_answers(calls: list[Call], lines: list[Recorded]) -> Iterator[Violation]:
    """What speaks against the answers to one key, given what it brought."""
    acknowledged = [call for call in calls if call.is_acknowledged]
    first = calls[0]

    def against(rule: Rule, how: str = "") -> Violation:
        return Violation(
            rule=rule, office=first.office, where=f"{first.operation} {first.key} of {first.client}", how=how
        )

    if len({repr((call.status, call.reply)) for call in acknowledged}) > 1:
        yield against(Rule.REPLY_CHANGED)
    if lines and all(call.is_refused for call in calls):
        yield against(Rule.REFUSAL_UNTRUE, ", ".join(line.kind for line in lines))
    for call in acknowledged[:1]:
        yield from (against(rule, how) for rule, how in _untruths(call, lines))


_PROMISES = {"issue": "Issued", "call-next": "Called"}
"""Which fact stands behind the acknowledged ticket of an operation."""


def _untruths(call: Call, lines: list[Recorded]) -> Iterator[tuple[Rule, str]]:
    promised = _PROMISES.get(call.operation)
    tickets = {line.ticket_id for line in lines if promised in (None, line.kind)}
    if call.ticket and promised and not tickets:
        yield Rule.LOST, call.ticket
    elif (call.ticket or promised) and tickets - {None} and call.ticket not in tickets:
        yield Rule.REPLY_UNTRUE, f"{call.ticket} was {tickets}"


def _against_real_time(
    wishes: Mapping[tuple[str, str], list[Call]], effects: Mapping[tuple[str, str], list[Recorded]]
) -> Iterator[Violation]:
    """Effects of one office whose seqs are not in the order in which their requests followed on each other.

    A wish lasts from its first attempt to its first acknowledgement: somewhere in between it took effect.
    """
    lasted: dict[str, list[tuple[float, float, int, str]]] = {}
    for (office, key), calls in wishes.items():
        ends = [call.end for call in calls if call.is_acknowledged]
        if ends and effects.get((office, key)):
            begin = min(call.start for call in calls)
            lasted.setdefault(office, []).append((begin, min(ends), effects[office, key][0].seq, key))
    for office, spans in lasted.items():
        for key, earlier in _overtaken(spans):
            yield Violation(rule=Rule.REAL_TIME, office=office, where=f"key {key}", how=f"before key {earlier}")


def _overtaken(spans: list[tuple[float, float, int, str]]) -> Iterator[tuple[str, str]]:
    """Each key whose seq is smaller than that of one which had ended before it began."""
    by_end = sorted(spans, key=lambda span: span[1])
    ended, latest, latest_key = 0, 0, ""
    for begin, _, seq, key in sorted(spans):
        while ended < len(by_end) and by_end[ended][1] < begin:
            if by_end[ended][2] > latest:
                _, _, latest, latest_key = by_end[ended]
            ended += 1
        if seq < latest:
            yield key, latest_key


# What listeners were sent


def _against_stream(witnesses: Mapping[str, Witness], stream: Stream) -> Iterator[Violation]:
    last = witnesses[stream.office].seq if stream.office in witnesses else 0
    for before, after in zip(stream.ids, stream.ids[1:], strict=False):
        if after <= before or (stream.whole and after != before + 1):
            yield Violation(rule=Rule.STREAM_BROKEN, office=stream.office, where=f"id {after}", how=f"after {before}")
    if stream.ids and stream.ids[-1] != last:
        how = f"the journal ends with {last}"
        yield Violation(rule=Rule.STREAM_BROKEN, office=stream.office, where=f"id {stream.ids[-1]}", how=how)
