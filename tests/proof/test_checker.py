"""The checker is checked: a clean day passes, and each rule broken once is noticed by its name."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.journal import GENESIS, Recorded, recorded
from queue_core.commands import (
    CallChosen,
    CallNext,
    Cancel,
    CloseDay,
    Command,
    Configure,
    Finish,
    Hold,
    Issue,
    IssueOffline,
    LeaseNumbers,
    NoShow,
    OpenCounter,
    Recall,
    ReturnToLine,
    Start,
    Tick,
    Undo,
)
from queue_core.facts import (
    Block,
    Breached,
    Called,
    CounterIdle,
    DayClosed,
    Escalated,
    Fact,
    HeldBy,
    Idleness,
    Issued,
    Left,
    Missed,
    NumbersLeased,
    NumbersVoided,
    Relief,
    Relieved,
    Returned,
    Served,
    Started,
    TicketFact,
    Unserved,
    Warned,
)
from queue_core.hall import Hall
from tests.core.live import OFFICE
from tests.core.stories import STORIES, Life, Story, lived
from tests.proof.checker import Call, Rule, Stream, Violation, check

MORNING = datetime(2026, 11, 23, 9, tzinfo=UTC)
A1, A2, A3 = (f"20261123-A00{serial}" for serial in (1, 2, 3))

OPERATIONS: dict[type[Command], str] = {Issue: "issue", CallNext: "call-next"}


@dataclass
class Book:
    """A day as a journal and its clients would tell it."""

    life: Life
    lines: list[Recorded] = field(default_factory=list)
    history: list[Call] = field(default_factory=list)

    def wish(self, command: Command, after: float = 1.0) -> None:
        """Somebody asks for something some seconds later, and it is answered."""
        self.life.clock += timedelta(seconds=after)
        entry = self.life.wish(command)
        key = f"key-{len(self.history)}"
        for fact in entry.passed:
            self.write(fact, None)
        for fact in entry.facts:
            self.write(fact, key)
        ticket = next((fact.ticket for fact in entry.facts if isinstance(fact, TicketFact)), None)
        operation = OPERATIONS.get(type(command), "another")
        begin = self.life.clock.timestamp()
        self.history.append(
            Call(
                client="kiosk",
                operation=operation,
                office="hall",
                key=key,
                start=begin,
                end=begin + 0.5,
                status=201 if operation == "issue" else 200 if ticket else 204,
                reply={"id": ticket} if ticket else None,
            )
        )

    def write(self, fact: Fact, key: str | None) -> None:
        """One more line."""
        after = self.lines[-1].hash if self.lines else GENESIS
        self.lines.append(recorded("hall", len(self.lines) + 1, after, fact, "somebody", key))


def a_day() -> Book:
    """Three tickets: one served, one that did not come, one sent back and forth until the day is closed."""
    book = Book(Life(Hall("hall"), MORNING))
    book.wish(Configure(replace(OFFICE, undo_seconds=3600)))
    book.wish(OpenCounter("1", "vera"))
    book.wish(OpenCounter("2", "boris"))
    for _ in range(3):
        book.wish(Issue("passport"))
    book.wish(CallNext("1"), after=60)
    book.wish(Recall(A1))
    book.wish(Start(A1))
    book.wish(CallNext("2"))
    book.wish(ReturnToLine(A2, "papers missing"), after=60)
    book.wish(Finish(A1), after=60)
    book.wish(CallNext("1"), after=1000)
    book.wish(Undo("1"))
    book.wish(Tick(), after=30)
    book.wish(CallNext("2"))
    book.wish(NoShow(A3))
    book.wish(CallNext("2"))
    book.wish(Hold(A2, HeldBy.OFFICE))
    book.wish(CallNext("2"))
    book.wish(CloseDay())
    return book


@pytest.fixture
def book() -> Book:
    """A clean day."""
    return a_day()


def found(lines: list[Recorded], history: list[Call] | None = None, **rules: Any) -> set[Rule]:
    """The rules that were broken."""
    return {violation.rule for violation in check(lines, history or [], **rules)}


def rewritten(
    lines: list[Recorded], change: Callable[[list[Recorded]], Iterator[tuple[Fact, str | None]]]
) -> list[Recorded]:
    """The journal as a server with a fault would have written it: other facts, whole chain."""
    book = Book(Life(Hall("hall"), MORNING))
    for fact, key in change(lines):
        book.write(fact, key)
    return book.lines


def without(lines: list[Recorded], dropped: Callable[[Fact], bool]) -> list[Recorded]:
    """The journal without some facts."""
    return rewritten(lines, lambda those: ((line.fact, line.key) for line in those if not dropped(line.fact)))


def with_change(lines: list[Recorded], change: Callable[[Fact], Fact]) -> list[Recorded]:
    """The journal with some facts otherwise."""
    return rewritten(lines, lambda those: ((change(line.fact), line.key) for line in those))


def with_insertion(
    lines: list[Recorded], after: Callable[[Fact], bool], *facts: Callable[[Fact], Fact]
) -> list[Recorded]:
    """The journal with facts written once more than they should be, after the first that is meant."""

    def told() -> Iterator[tuple[Fact, str | None]]:
        inserted = False
        for line in lines:
            yield line.fact, line.key
            if after(line.fact) and not inserted:
                inserted = True
                yield from ((fact(line.fact), None) for fact in facts)

    return rewritten(lines, lambda _: told())


def is_a(kind: type[Fact], ticket: str | None = None) -> Callable[[Fact], bool]:
    """Whether a fact is of a kind, and about a ticket."""
    return lambda fact: isinstance(fact, kind) and ticket in (None, getattr(fact, "ticket", None))


# A clean day


def test_a_clean_day_is_clean(book: Book) -> None:
    assert check(book.lines, book.history, [Stream(office="hall", ids=range(1, len(book.lines) + 1))]) == []
    assert {line.kind for line in book.lines} >= {"Breached", "Undone", "Unserved", "Missed", "DayClosed"}


@given(STORIES)
def test_every_day_that_the_core_can_tell_is_clean(story: Story) -> None:
    book = Book(Life(Hall("hall"), MORNING))
    for entry in lived(story).diary:
        for fact in entry.passed:
            book.write(fact, None)
        for fact in entry.facts:
            book.write(fact, f"{entry.now}")

    assert check(book.lines) == []


def test_offices_are_told_apart(book: Book) -> None:
    other = [replace(line, office_id="other") for line in book.lines]
    head, chained = GENESIS, []
    for line in other:
        chained.append(recorded("other", line.seq, head, line.fact, line.actor, line.key))
        head = chained[-1].hash
    shuffled = [line for pair in zip(book.lines, chained, strict=True) for line in pair]

    assert check(shuffled, book.history) == []


# Faults in the journal


@given(st.data())
def test_no_journal_is_too_broken_to_be_checked(data: st.DataObject) -> None:
    lines = a_day().lines
    for _ in range(data.draw(st.integers(1, 3))):
        place, other = data.draw(st.integers(0, len(lines) - 2)), data.draw(st.integers(0, len(lines) - 2))
        match data.draw(st.sampled_from(["dropped", "doubled", "swapped"])):
            case "dropped":
                del lines[place]
            case "doubled":
                lines.insert(place, lines[other])
            case _:
                lines[place], lines[other] = lines[other], lines[place]

    assert check(lines) or [line.seq for line in lines] == list(range(1, len(lines) + 1))
    check(without(lines, lambda _: False))


def test_a_missing_line_is_noticed(book: Book) -> None:
    del book.lines[5]

    assert Rule.GAP_IN_SEQ in found(book.lines)
    assert Rule.CHAIN_BROKEN in found(book.lines)


def test_a_line_told_twice_is_noticed(book: Book) -> None:
    book.lines.insert(5, book.lines[4])

    assert Rule.GAP_IN_SEQ in found(book.lines)


def test_an_edited_line_is_noticed(book: Book) -> None:
    edited = book.lines[6]
    book.lines[6] = replace(edited, body=edited.body.replace("passport", "land"))

    assert found(book.lines) == {Rule.CHAIN_BROKEN}


def test_another_author_is_noticed(book: Book) -> None:
    book.lines[6] = replace(book.lines[6], actor="nobody")

    assert found(book.lines) == {Rule.CHAIN_BROKEN}


def test_time_going_backwards_is_noticed(book: Book) -> None:
    back = timedelta(hours=1)
    lines = with_change(book.lines, lambda fact: replace(fact, at=fact.at - back) if is_a(Missed)(fact) else fact)

    assert Rule.TIME_BACKWARDS in found(lines)


def test_a_time_beside_the_facts_own_is_noticed(book: Book) -> None:
    book.lines[6] = replace(book.lines[6], at=book.lines[6].at + timedelta(seconds=1))

    assert Rule.TIME_BACKWARDS in found(book.lines)


def test_a_gap_in_the_numbers_is_noticed(book: Book) -> None:
    lines = without(book.lines, lambda fact: getattr(fact, "ticket", None) == A2)

    assert Rule.NUMBER_WRONG in found(lines)


def test_a_number_given_twice_is_noticed(book: Book) -> None:
    lines = with_insertion(book.lines, is_a(Issued, A2), lambda fact: fact)

    assert Rule.NUMBER_WRONG in found(lines)


def test_a_number_that_is_not_the_tickets_name_is_noticed(book: Book) -> None:
    lines = with_change(book.lines, lambda fact: replace(fact, serial=7) if is_a(Issued, A3)(fact) else fact)  # type: ignore[call-arg]

    assert Rule.NUMBER_WRONG in found(lines)


@pytest.fixture
def leased() -> Book:
    """A kiosk that issued the second of its numbers while the server was away, and came back."""
    book = Book(Life(Hall("hall"), MORNING))
    book.wish(Configure(OFFICE))
    book.wish(LeaseNumbers("hall"))
    book.wish(IssueOffline("hall", "20261123-K-1", "AK", 2, "passport", MORNING + timedelta(seconds=5)), after=600)
    book.wish(LeaseNumbers("hall", done="20261123-K-1"))
    return book


def test_a_day_with_a_kiosk_that_was_cut_off_is_clean(leased: Book) -> None:
    assert check(leased.lines, leased.history) == []
    assert {line.kind for line in leased.lines} >= {"NumbersLeased", "NumbersVoided"}


LEASE_FAULTS: dict[str, Callable[[Fact], Fact]] = {
    "a number outside the lease": lambda fact: (
        replace(fact, serial=26, ticket="20261123-AK026") if isinstance(fact, Issued) else fact
    ),
    "a number of an unknown lease": lambda fact: (
        replace(fact, lease="20261123-M-1") if isinstance(fact, Issued) else fact
    ),
    "issued in the future": lambda fact: (
        replace(fact, issued_at=fact.at + timedelta(hours=1)) if isinstance(fact, Issued) else fact
    ),
    "a number neither issued nor void": lambda fact: (
        replace(fact, blocks=fact.blocks[1:]) if isinstance(fact, NumbersVoided) else fact
    ),
    "numbers leased twice": lambda fact: (
        replace(fact, blocks=(Block(letter="AK", first=25, last=50),)) if isinstance(fact, NumbersLeased) else fact
    ),
    "numbers without the mark": lambda fact: replace(fact, mark="M") if isinstance(fact, NumbersLeased) else fact,
}


@pytest.mark.parametrize("fault", LEASE_FAULTS.values(), ids=LEASE_FAULTS)
def test_numbers_that_were_not_leased_so_are_noticed(leased: Book, fault: Callable[[Fact], Fact]) -> None:
    assert Rule.LEASE_WRONG in found(with_change(leased.lines, fault))


def test_a_visitor_called_to_two_counters_is_noticed(book: Book) -> None:
    lines = with_insertion(book.lines, is_a(Called, A1), lambda fact: replace(fact, counter="2"))  # type: ignore[call-arg]

    assert Rule.STEP_IMPOSSIBLE in found(lines)


def test_a_counter_with_two_visitors_is_noticed(book: Book) -> None:
    lines = with_change(book.lines, lambda fact: replace(fact, counter="1") if is_a(Called, A2)(fact) else fact)  # type: ignore[call-arg]

    assert Rule.COUNTER_TAKEN in found(lines)


def test_a_step_that_the_table_does_not_have_is_noticed(book: Book) -> None:
    assert Rule.STEP_IMPOSSIBLE in found(without(book.lines, is_a(Started, A1)))


def test_a_step_after_the_end_is_noticed(book: Book) -> None:
    lines = with_insertion(book.lines, is_a(Served, A1), lambda fact: Left(at=fact.at, ticket=A1, reason=None))

    assert Rule.STEP_IMPOSSIBLE in found(lines)


def test_a_step_of_a_ticket_that_was_never_issued_is_noticed(book: Book) -> None:
    lines = with_insertion(
        book.lines, is_a(Issued, A1), lambda fact: Left(at=fact.at, ticket="20261123-Z009", reason=None)
    )

    assert Rule.STEP_IMPOSSIBLE in found(lines)


def test_an_undo_with_nothing_before_it_is_noticed(book: Book) -> None:
    undone = next(line.fact for line in book.lines if line.kind == "Undone")
    lines = with_insertion(book.lines, is_a(Issued, A1), lambda fact: replace(undone, at=fact.at, ticket=A1))  # type: ignore[call-arg]

    assert Rule.STEP_IMPOSSIBLE in found(lines)


def test_somebody_passed_over_is_noticed(book: Book) -> None:
    def swapped(fact: Fact) -> Fact:
        """Ticket 1 and 3 change places from the first call on."""
        names = {A1: A3, A3: A1}
        after_issue = isinstance(fact, TicketFact) and not isinstance(fact, Issued)
        return replace(fact, ticket=names.get(fact.ticket, fact.ticket)) if after_issue else fact  # type: ignore[attr-defined,call-arg]

    assert Rule.ORDER_BROKEN in found(with_change(book.lines, swapped))


def test_a_call_that_a_person_chose_breaks_no_order() -> None:
    book = Book(Life(Hall("hall"), MORNING))
    for command in (Configure(OFFICE), OpenCounter("1", "vera"), Issue("passport"), Issue("passport")):
        book.wish(command)
    book.wish(CallChosen(A2, "1", "a child"))

    assert check(book.lines, book.history) == []


def test_a_breach_that_was_not_recorded_is_noticed(book: Book) -> None:
    for ticket in (A2, A3):
        assert Rule.BREACH_MISSING in found(without(book.lines, is_a(Breached, ticket)))


def test_a_breach_that_came_after_the_call_is_noticed(book: Book) -> None:
    breach = next(line.fact for line in book.lines if is_a(Breached, A3)(line.fact))
    lines = without(book.lines, is_a(Breached, A3))
    late = with_insertion(lines, is_a(Missed), lambda fact: replace(breach, at=fact.at))

    assert Rule.BREACH_MISSING in found(late)


def test_a_breach_missing_at_the_very_end_is_noticed(book: Book) -> None:
    book = Book(Life(Hall("hall"), MORNING))
    for command in (Configure(OFFICE), Issue("passport"), Issue("passport")):
        book.wish(command)
    book.wish(Tick(), after=2000)

    assert check(book.lines) == []
    unseen = without(book.lines, lambda fact: is_a(Breached, A2)(fact) or is_a(Escalated, A2)(fact))
    assert found(unseen) == {Rule.BREACH_MISSING}


def test_a_breach_recorded_twice_is_noticed(book: Book) -> None:
    lines = with_insertion(book.lines, is_a(Breached, A3), lambda fact: fact)

    assert Rule.BREACH_TWICE in found(lines)


@pytest.mark.parametrize("seconds", [-1, 1])
def test_a_breach_at_another_instant_is_noticed(book: Book, seconds: int) -> None:
    shift = timedelta(seconds=seconds)
    lines = with_change(
        book.lines, lambda fact: replace(fact, due=fact.due + shift) if isinstance(fact, Breached) else fact
    )

    assert Rule.BREACH_WRONG in found(lines)


def test_a_breach_of_a_promise_that_was_kept_is_noticed(book: Book) -> None:
    lines = with_insertion(
        book.lines, is_a(Issued, A3), lambda fact: Breached(at=fact.at, ticket=A3, due=fact.at + timedelta(minutes=15))
    )

    assert Rule.BREACH_WRONG in found(lines)


# Faults in what is told around a breach


def test_a_warning_that_was_not_recorded_is_noticed(book: Book) -> None:
    assert Rule.WARNING_MISSING in found(without(book.lines, is_a(Warned, A3)))


def test_a_warning_recorded_twice_is_noticed(book: Book) -> None:
    assert found(with_insertion(book.lines, is_a(Warned, A3), lambda fact: fact)) == {Rule.WARNING_TWICE}


@pytest.mark.parametrize("name", ["since", "due"])
def test_a_warning_at_another_instant_is_noticed(book: Book, name: str) -> None:
    def shifted(fact: Fact) -> Fact:
        if not is_a(Warned, A3)(fact):
            return fact
        return replace(fact, **{name: getattr(fact, name) - timedelta(seconds=1)})

    assert Rule.WARNING_WRONG in found(with_change(book.lines, shifted))


def test_a_warning_of_somebody_who_was_called_in_time_is_noticed(book: Book) -> None:
    warned = next(line.fact for line in book.lines if is_a(Warned, A3)(line.fact))
    lines = with_insertion(book.lines, is_a(Warned, A3), lambda fact: replace(warned, at=fact.at, ticket=A1))  # type: ignore[call-arg]

    assert found(lines) >= {Rule.WARNING_WRONG}


def past_the_limit(*more: Command) -> Book:
    """Somebody waits for half an hour and is called; looked after every minute."""
    book = Book(Life(Hall("hall"), MORNING))
    before: tuple[Command, ...] = (Configure(OFFICE), OpenCounter("1", "vera"), Issue("passport"))
    for command in before:
        book.wish(command)
    for _ in range(30):
        book.wish(Tick(), after=60)
    for command in more or (CallNext("1"),):
        book.wish(command)
    return book


def test_a_wait_past_the_limit_that_was_told_step_by_step_is_clean() -> None:
    book = past_the_limit()

    assert check(book.lines, book.history) == []
    told = ["Warned", "CounterIdle", "Breached", "Escalated", "Escalated", "Escalated", "Called", "Relieved"]
    assert [line.kind for line in book.lines[4:]] == told


@pytest.mark.parametrize("step", range(3))
def test_a_step_of_the_escalation_that_was_not_taken_is_noticed(step: int) -> None:
    lines = without(past_the_limit().lines, lambda fact: isinstance(fact, Escalated) and fact.step >= step)

    assert Rule.ESCALATION_MISSING in found(lines)


def test_a_step_of_the_escalation_too_early_is_noticed() -> None:
    def sooner(line: Recorded) -> bool:
        return isinstance(line.fact, Escalated) and line.fact.step == 1

    lines = past_the_limit().lines
    early = next(line for line in lines if sooner(line))
    told = with_insertion(lines, is_a(Breached), lambda fact: replace(early.fact, at=fact.at))

    assert Rule.ESCALATION_WRONG in found([line for line in told if line.seq < early.seq])


@pytest.mark.parametrize("change", [{"role": "porter"}, {"step": 2}, {"due": MORNING}])
def test_another_step_of_the_escalation_than_the_next_is_noticed(change: dict[str, Any]) -> None:
    def otherwise(fact: Fact) -> Fact:
        return replace(fact, **change) if isinstance(fact, Escalated) and fact.step == 1 else fact

    assert Rule.ESCALATION_WRONG in found(with_change(past_the_limit().lines, otherwise))


def test_a_step_of_the_escalation_after_the_breach_has_ended_is_noticed() -> None:
    lines = past_the_limit().lines
    step = next(line.fact for line in lines if is_a(Escalated)(line.fact))
    told = with_insertion(lines, is_a(Relieved), lambda fact: replace(step, at=fact.at))

    assert found(told) == {Rule.STEP_IMPOSSIBLE, Rule.ESCALATION_WRONG}


@pytest.mark.parametrize("command", [CallNext("1"), Cancel(A1), CloseDay()])
def test_an_end_of_a_breach_that_was_not_told_is_noticed(command: Command) -> None:
    book = past_the_limit(command)

    assert check(book.lines) == []
    assert Rule.RELIEF_MISSING in found(without(book.lines, is_a(Relieved)))


@pytest.mark.parametrize("how", [Relief.LEFT, Relief.UNSERVED])
def test_an_end_of_a_breach_that_was_told_otherwise_is_noticed(how: Relief) -> None:
    def otherwise(fact: Fact) -> Fact:
        return replace(fact, how=how) if isinstance(fact, Relieved) else fact

    assert Rule.RELIEF_WRONG in found(with_change(past_the_limit().lines, otherwise))


def test_an_end_of_a_breach_that_was_none_is_noticed(book: Book) -> None:
    relief = next(line.fact for line in past_the_limit().lines if is_a(Relieved)(line.fact))
    lines = with_insertion(book.lines, is_a(Called, A1), lambda fact: replace(relief, at=fact.at))

    assert Rule.RELIEF_WRONG in found(lines)


def test_a_counter_called_idle_twice_is_noticed() -> None:
    assert found(with_insertion(past_the_limit().lines, is_a(CounterIdle), lambda fact: fact)) == {Rule.IDLE_WRONG}


@pytest.mark.parametrize(
    "change",
    [{"counter": "2"}, {"counter": "3"}, {"ticket": "20261123-A009"}, {"since": MORNING}, {"state": Idleness.PAUSED}],
)
def test_a_counter_that_was_not_idle_or_could_help_nobody_is_noticed(change: dict[str, Any]) -> None:
    def otherwise(fact: Fact) -> Fact:
        return replace(fact, **change) if isinstance(fact, CounterIdle) else fact

    assert Rule.IDLE_WRONG in found(with_change(past_the_limit().lines, otherwise))


def test_an_idle_counter_that_could_not_help_is_noticed() -> None:
    book = Book(Life(Hall("hall"), MORNING))
    for command in (Configure(OFFICE), OpenCounter("3", "vera"), Issue("passport")):
        book.wish(command)
    book.wish(Tick(), after=700)
    warned = book.lines[-1].fact
    book.write(CounterIdle(at=warned.at, counter="3", ticket=A1, since=book.lines[2].at, state=Idleness.OPEN), None)

    assert [str(violation) for violation in check(book.lines)] == [
        f"hall, fact 6: {Rule.IDLE_WRONG} (counter 3 could not help {A1})"
    ]


def test_a_breach_recorded_late_is_noticed_where_somebody_watched(book: Book) -> None:
    assert Rule.BREACH_LATE in found(book.lines, breaches_within=timedelta(seconds=1))
    assert found(book.lines, breaches_within=timedelta(hours=1)) == set()


def test_a_breach_that_fell_into_an_outage_is_in_time_when_it_is_recorded_at_the_recovery(book: Book) -> None:
    breaches = [line.fact for line in book.lines if isinstance(line.fact, Breached)]
    outage = (breaches[0].due - timedelta(seconds=1), breaches[0].at)
    second = timedelta(seconds=1)

    assert found(book.lines, breaches_within=second, outages=[outage]) == set()
    assert Rule.BREACH_LATE in found(book.lines, breaches_within=second, outages=[(outage[0], outage[1] - 2 * second)])


def test_somebody_left_waiting_at_the_closing_is_noticed(book: Book) -> None:
    assert Rule.LEFT_BEHIND in found(without(book.lines, is_a(Unserved)))


def test_a_hall_that_loses_sight_of_somebody_is_noticed(book: Book) -> None:
    undone = next(line.fact for line in book.lines if line.kind == "Undone")
    elsewhere = with_insertion(
        book.lines,
        is_a(Called, A2),
        lambda fact: replace(undone, at=fact.at, ticket=A1, counter="2"),  # type: ignore[call-arg]
    )

    assert Rule.NOT_CONSERVED in found(elsewhere)


def test_a_call_to_a_counter_that_does_not_exist_is_noticed(book: Book) -> None:
    lines = with_change(book.lines, lambda fact: replace(fact, counter="9") if is_a(Called, A1)(fact) else fact)  # type: ignore[call-arg]

    assert Rule.STEP_IMPOSSIBLE in found(lines)


def test_a_key_that_took_effect_twice_is_noticed(book: Book) -> None:
    returned = next(line for line in book.lines if is_a(Returned)(line.fact))
    lines = [
        line if line.seq <= returned.seq else replace(line, key=returned.key) for line in book.lines[: returned.seq + 1]
    ]

    assert Rule.EFFECT_TWICE in found(lines)


# Faults in what clients were answered


def first(book: Book, operation: str) -> int:
    """The place of the first call of a kind in the history."""
    return next(index for index, call in enumerate(book.history) if call.operation == operation)


def test_an_acknowledged_ticket_that_was_lost_is_noticed(book: Book) -> None:
    book.history.append(replace(book.history[0], operation="issue", key="lost", status=201, reply={"id": A1}))

    assert found(book.lines, book.history) == {Rule.LOST}


def test_an_acknowledged_call_that_was_lost_is_noticed(book: Book) -> None:
    lines = without(book.lines, lambda fact: is_a(Called, A3)(fact) or is_a(Unserved)(fact) or is_a(DayClosed)(fact))

    assert Rule.LOST in found(lines, book.history)


def test_an_unanswered_request_may_have_come_to_nothing_or_to_something(book: Book) -> None:
    issue = first(book, "issue")
    book.history[issue] = replace(book.history[issue], status=None, reply=None)
    book.history.append(replace(book.history[issue], key="never arrived"))

    assert found(book.lines, book.history) == set()


def test_a_retry_with_the_same_answer_is_clean(book: Book) -> None:
    call = book.history[first(book, "issue")]
    book.history.append(replace(call, start=call.end, end=call.end + 1))

    assert found(book.lines, book.history) == set()


def test_a_retry_with_another_answer_is_noticed(book: Book) -> None:
    book.history.append(replace(book.history[first(book, "issue")], reply={"id": A2}))

    assert Rule.REPLY_CHANGED in found(book.lines, book.history)


def test_a_retry_with_another_status_is_noticed(book: Book) -> None:
    book.history.append(replace(book.history[first(book, "issue")], status=200))

    assert Rule.REPLY_CHANGED in found(book.lines, book.history)


def test_a_reply_that_names_somebody_else_is_noticed(book: Book) -> None:
    call = first(book, "call-next")
    book.history[call] = replace(book.history[call], reply={"id": A3})

    assert found(book.lines, book.history) == {Rule.REPLY_UNTRUE}


def test_a_reply_of_nobody_to_a_call_that_called_somebody_is_noticed(book: Book) -> None:
    call = first(book, "call-next")
    book.history[call] = replace(book.history[call], status=204, reply=None)

    assert found(book.lines, book.history) == {Rule.REPLY_UNTRUE}


@pytest.mark.parametrize(("status", "kind"), [(409, "/problems/counter-busy"), (503, "/problems/overloaded")])
def test_a_refusal_with_an_effect_is_noticed(book: Book, status: int, kind: str) -> None:
    call = first(book, "issue")
    book.history[call] = replace(book.history[call], status=status, reply={"type": kind})

    assert found(book.lines, book.history) == {Rule.REFUSAL_UNTRUE}


@pytest.mark.parametrize(
    ("status", "kind"), [(503, "/problems/outcome-unknown"), (500, "/problems/internal"), (None, "")]
)
def test_an_answer_that_knows_nothing_may_have_had_its_effect(book: Book, status: int | None, kind: str) -> None:
    call = first(book, "issue")
    book.history[call] = replace(book.history[call], status=status, reply={"type": kind})

    assert found(book.lines, book.history) == set()


def test_a_later_request_with_an_earlier_number_is_noticed(book: Book) -> None:
    one, two = [index for index, call in enumerate(book.history) if call.operation == "issue"][:2]
    book.history[one] = replace(book.history[one], start=book.history[two].end + 1, end=book.history[two].end + 2)

    assert Rule.REAL_TIME in found(book.lines, book.history)


def test_requests_that_overlapped_may_come_in_any_order(book: Book) -> None:
    one, two = [index for index, call in enumerate(book.history) if call.operation == "issue"][:2]
    book.history[one] = replace(book.history[one], start=book.history[two].start, end=book.history[two].end + 0.1)

    assert found(book.lines, book.history) == set()


def test_a_wish_begins_with_its_first_attempt(book: Book) -> None:
    one, two = [index for index, call in enumerate(book.history) if call.operation == "issue"][:2]
    attempt = replace(book.history[one], status=None, reply=None)
    later = book.history[two].end + 1
    book.history[one] = replace(book.history[one], start=later, end=later + 1)
    book.history.append(attempt)

    assert found(book.lines, book.history) == set()


# Faults in what listeners were sent


@pytest.mark.parametrize(
    ("ids", "whole", "clean"),
    [
        ([1, 2, 3, 4], True, True),
        ([2, 3, 4], True, True),
        ([1, 2, 4], True, False),
        ([1, 2, 4], False, True),
        ([1, 2, 2, 3, 4], True, False),
        ([1, 3, 2, 4], False, False),
        ([1, 2, 3], True, False),
        ([1, 2, 3], False, False),
    ],
)
def test_a_stream_that_repeats_reorders_or_misses_facts_is_noticed(ids: list[int], whole: bool, clean: bool) -> None:
    lines = a_day().lines[:4]

    broken = found(lines, streams=[Stream(office="hall", ids=ids, whole=whole)])

    assert broken == (set() if clean else {Rule.STREAM_BROKEN})


def test_a_violation_says_where_and_what() -> None:
    violation = Violation(rule=Rule.LEFT_BEHIND, office="hall", where="fact 40", how=A3)

    assert str(violation) == f"hall, fact 40: the day closed and somebody was left waiting ({A3})"


def test_every_rule_is_broken_by_some_fault_here() -> None:
    faults = Path(__file__).read_text()

    assert [rule.name for rule in Rule if f"Rule.{rule.name}" not in faults] == []
