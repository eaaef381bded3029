"""What holds in every hall on every day, tried on random ones."""

from collections import Counter as Count
from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from queue_core.commands import CallNext
from queue_core.decisions import decide, passed
from queue_core.errors import Refusal
from queue_core.facts import (
    FACTS,
    Block,
    Breached,
    Called,
    CounterIdle,
    DayClosed,
    Fact,
    Issued,
    Left,
    NumbersLeased,
    NumbersVoided,
    Rank,
    TicketFact,
    Unserved,
)
from queue_core.hall import CounterState, Hall, HallState, evolve, evolve_all
from queue_core.office import Counter, Discipline, Office
from queue_core.tickets import State, Ticket, retold, ticket_id
from tests.core.stories import STORIES, Entry, Life, Story, Wish, begun, lived
from tests.proof.visits import Visit

ANY_STORY = given(STORIES)


# The journal retells every hall


@ANY_STORY
def test_the_journal_retells_the_hall(story: Story) -> None:
    life = lived(story)

    again = evolve_all(Hall(story.office.id), life.facts())

    assert again.state() == life.hall.state()
    assert future(again, life.clock) == future(life.hall, life.clock)


@ANY_STORY
def test_the_journal_survives_being_written_down(story: Story) -> None:
    life = lived(story)

    lines = [(type(fact).__name__, msgspec.json.encode(fact)) for fact in life.facts()]
    read = [msgspec.json.decode(line, type=FACTS[kind]) for kind, line in lines]

    assert read == list(life.facts())
    assert evolve_all(Hall(story.office.id), read).state() == life.hall.state()


@given(STORIES, st.integers(0, 90))
def test_a_hall_goes_on_from_a_checkpoint_as_if_nothing_had_been(story: Story, until: int) -> None:
    life = begun(story)
    life.go_on(story.wishes[:until])
    written = msgspec.json.encode(life.hall.state())
    other = Life(Hall.of(story.office.id, msgspec.json.decode(written, type=HallState)), life.clock)

    life.diary.clear()
    for each in (life, other):
        each.go_on(story.wishes[until:])

    assert diary(other) == diary(life)
    assert other.hall.state() == life.hall.state()
    assert future(other.hall, life.clock) == future(life.hall, life.clock)


@given(STORIES, st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=8))
def test_what_was_tried_and_taken_back_leaves_no_trace(story: Story, attempts: list[tuple[int, int]]) -> None:
    plain, trying = begun(story), begun(story)
    wishes = list(story.wishes)

    for kept, tried in attempts:
        try_and_go_back(trying, wishes[:tried])
        plain.clock = trying.clock
        for each in (plain, trying):
            each.go_on(wishes[:kept])
        del wishes[:kept]
        assert trying.hall.state() == plain.hall.state()

    assert diary(trying) == diary(plain)
    assert future(trying.hall, plain.clock) == future(plain.hall, plain.clock)


@ANY_STORY
def test_each_ticket_is_retold_by_its_own_facts(story: Story) -> None:
    life = lived(story)
    mine: dict[str, list[TicketFact]] = {}
    for fact in life.facts():
        if isinstance(fact, TicketFact):
            mine.setdefault(fact.ticket, []).append(fact)

    for ticket in life.hall.tickets.values():
        assert retold(mine[ticket.id]) == ticket


@ANY_STORY
def test_deciding_changes_nothing_and_says_the_same_twice(story: Story) -> None:
    life = lived(story)
    before = life.hall.state()

    for entry in life.diary:
        hall = Hall.of(story.office.id, before)
        now = hall.moment(entry.now)
        assert outcome(hall, entry, now) == outcome(hall, entry, now)
        assert hall.state() == before


# Clocks never run back


@ANY_STORY
def test_the_halls_time_never_goes_back(story: Story) -> None:
    life = lived(story)

    moments = [entry.now for entry in life.diary if entry.passed or entry.facts]
    assert moments == sorted(set(moments))
    assert all(fact.at == entry.now for entry in life.diary for fact in (*entry.passed, *entry.facts))


@ANY_STORY
def test_no_wait_grows_shorter_or_longer_than_the_time_that_went_by(story: Story) -> None:
    waited: dict[str, timedelta] = {}
    for hall, entry in told(lived(story)):
        # A look that found nothing leaves no trace, and the clock may be set back behind it.
        if hall.last_at != entry.now:
            continue
        for ticket in hall.tickets.values():
            reading = ticket.clock.reading(entry.now)
            assert waited.get(ticket.id, timedelta()) <= reading <= since(ticket.clock_start, entry.now)
            waited[ticket.id] = reading


@ANY_STORY
def test_every_clock_agrees_with_a_sum_of_the_stretches_in_which_the_visitor_waited(story: Story) -> None:
    visits: dict[str, Visit] = {}
    for hall, entry in told(lived(story)):
        for fact in (*entry.passed, *entry.facts):
            tell(visits, fact)
        for ticket in hall.tickets.values():
            assert ticket.clock.reading(entry.now) == visits[ticket.id].waited(entry.now)
            assert ticket.state is visits[ticket.id].state


@ANY_STORY
def test_waits_lie_between_the_start_of_the_clock_and_the_event_that_they_lead_to(story: Story) -> None:
    for hall, entry in told(lived(story)):
        for ticket in hall.tickets.values():
            if ticket.first_called_at and ticket.wait_to_call is not None:
                assert timedelta() <= ticket.wait_to_call <= since(ticket.clock_start, ticket.first_called_at)
            if ticket.started_at and ticket.wait_to_start is not None:
                assert timedelta() <= ticket.wait_to_start <= since(ticket.clock_start, entry.now)
                assert ticket.wait_to_call is None or ticket.wait_to_call <= ticket.wait_to_start
            if ticket.ended_at:
                assert ticket.ended_at >= ticket.issued_at
                assert ticket.serving >= timedelta()


# As many come out as went in


@ANY_STORY
def test_everybody_who_took_a_ticket_is_somewhere_at_every_moment(story: Story) -> None:
    life, hall = lived(story), Hall(story.office.id)
    visits: dict[str, Visit] = {}

    for fact in life.facts():
        evolve(hall, fact)
        tell(visits, fact)
        inside = {ticket.id: ticket.state for ticket in hall.people()}
        assert inside == {name: visit.state for name, visit in visits.items() if not visit.ended}
        remembered = {session.before_step.id for session in hall.sessions.values() if session.before_step}
        remembered |= {fact.ticket} if isinstance(fact, Left | Unserved) and visits[fact.ticket].lasts else set()
        assert remembered >= {ticket.id for ticket in hall.tickets.values() if ticket.ended}
        over = {ticket.id for ticket in hall.tickets.values() if ticket.ended} | set(hall.ended)
        assert over <= {name for name, visit in visits.items() if visit.ended}


@ANY_STORY
def test_nobody_waits_in_a_hall_whose_day_has_just_closed(story: Story) -> None:
    hall = Hall(story.office.id)

    for fact in lived(story).facts():
        evolve(hall, fact)
        if isinstance(fact, DayClosed):
            gone = (State.WAITING, State.HELD, State.LATE)
            assert not [ticket for ticket in hall.people() if ticket.state in gone]


@ANY_STORY
def test_a_counter_has_one_visitor_and_a_visitor_one_counter(story: Story) -> None:
    hall = Hall(story.office.id)

    for fact in lived(story).facts():
        evolve(hall, fact)
        at_counters = sorted((ticket.counter or "", ticket.id) for ticket in hall.people() if ticket.at_counter)
        seated = sorted((name, session.ticket) for name, session in hall.sessions.items() if session.ticket)
        assert at_counters == seated
        assert len({counter for counter, _ in at_counters}) == len(at_counters)


@ANY_STORY
def test_numbers_have_no_gaps(story: Story) -> None:
    last: Count[tuple[object, str]] = Count()

    for fact in lived(story).facts():
        if isinstance(fact, Issued) and not fact.lease:
            last[fact.day, fact.letter] += 1
            assert fact.serial == last[fact.day, fact.letter]
            assert fact.ticket == ticket_id(fact.day, fact.letter, fact.serial)


@ANY_STORY
def test_a_number_of_a_kiosk_is_issued_or_void_or_still_leased_and_stands_on_paper_once(story: Story) -> None:
    leased: dict[str, set[tuple[str, int]]] = {}
    given: set[str] = set()

    for fact in lived(story).facts():
        match fact:
            case NumbersLeased():
                leased[fact.lease] = numbers(fact.blocks)
            case NumbersVoided():
                assert leased.pop(fact.lease) == numbers(fact.blocks)
            case Issued(lease=lease) if lease:
                leased[lease].remove((fact.letter, fact.serial))
                assert fact.issued_at
                assert fact.issued_at <= fact.at
            case _:
                pass
        if isinstance(fact, Issued):
            assert fact.ticket not in given
            given.add(fact.ticket)
    out = [number for left in leased.values() for number in left]
    assert len(out) == len(set(out))


def numbers(blocks: tuple[Block, ...]) -> set[tuple[str, int]]:
    """Each number of the blocks by itself."""
    return {(block.letter, serial) for block in blocks for serial in range(block.first, block.last + 1)}


@ANY_STORY
def test_the_lengths_of_the_lines_are_as_many_as_stand_in_them(story: Story) -> None:
    for hall, _ in told(lived(story)):
        standing = Count(ticket.service for ticket in hall.people() if ticket.state is State.WAITING)
        assert {service.id: hall.in_line(service.id) for service in hall.office.services} == {
            service.id: standing[service.id] for service in hall.office.services
        }


@ANY_STORY
def test_what_is_counted_for_the_metrics_is_what_happened(story: Story) -> None:
    life = lived(story)
    facts = list(life.facts())

    issued = {name: count for name, count in life.hall.tallies.items() if name[0] == "issued"}
    assert sum(issued.values()) == sum(isinstance(fact, Issued) for fact in facts)
    breached = {name: count for name, count in life.hall.tallies.items() if name[0] == "breached"}
    assert sum(breached.values()) == sum(isinstance(fact, Breached) for fact in facts)
    told_waits = {fact.ticket for fact in facts if isinstance(fact, Called | Left | Unserved)}
    waits = [count for name, count in life.hall.tallies.items() if name[0] == "wait_seconds" and name[-1] != "sum"]
    assert sum(waits) == len(told_waits)


# Nobody is passed over


@ANY_STORY
def test_whoever_is_called_has_the_largest_claim_of_all_whom_the_counter_may_call(story: Story) -> None:
    for hall, entry in before_each(lived(story)):
        for fact in entry.facts:
            if isinstance(fact, Called) and fact.because.rule != "chosen":
                office, counter = hall.office, hall.counter(fact.counter)
                owed = max(claim(ticket, office, entry.now) for ticket in eligible(hall, counter))
                assert claim(hall.ticket(fact.ticket), office, entry.now) == owed


@ANY_STORY
def test_a_call_that_finds_nobody_was_made_when_there_was_nobody(story: Story) -> None:
    for hall, entry in before_each(lived(story)):
        if isinstance(entry.command, CallNext) and not entry.refusal and not entry.facts:
            assert list(eligible(hall, hall.counter(entry.command.counter))) == []


@ANY_STORY
def test_within_a_class_the_called_has_waited_longest_or_come_first(story: Story) -> None:
    for hall, entry in before_each(lived(story)):
        for fact in entry.facts:
            if isinstance(fact, Called) and fact.because.rule != "chosen":
                called = hall.ticket(fact.ticket)
                for other in eligible(hall, hall.counter(fact.counter)):
                    if other.rank is called.rank:
                        assert own_place(called, hall.office) <= own_place(other, hall.office)


@ANY_STORY
def test_a_call_names_the_head_of_every_other_class(story: Story) -> None:
    for hall, entry in before_each(lived(story)):
        for fact in entry.facts:
            if isinstance(fact, Called):
                others = {candidate.ticket for candidate in fact.because.others}
                heads = {
                    min(those, key=lambda ticket: own_place(ticket, hall.office)).id
                    for rank in Rank
                    if (those := [one for one in eligible(hall, hall.counter(fact.counter)) if one.rank is rank])
                }
                assert others == heads - {fact.ticket}


# Every breach once, at its instant, for those who were waiting then


@ANY_STORY
def test_the_breaches_on_record_are_exactly_those_that_happened(story: Story) -> None:
    life = lived(story)
    visits: dict[str, Visit] = {}
    for fact in life.facts():
        tell(visits, fact)

    last_look = life.diary[-1].now
    for visit in visits.values():
        due = visit.due()
        happened = [due] if due and due <= last_look else []
        assert [breach.due for breach in visit.breaches] == happened


@ANY_STORY
def test_every_wait_that_comes_near_its_limit_is_warned_of_once_and_no_other(story: Story) -> None:
    life = lived(story)
    visits: dict[str, Visit] = {}
    for fact in life.facts():
        tell(visits, fact)

    last_look = life.diary[-1].now
    for visit in visits.values():
        near = visit.reached(visit.warning)
        happened = [near] if near and near <= last_look else []
        assert [warned.since for warned in visit.warnings] == happened


@ANY_STORY
def test_a_breach_is_told_up_the_escalation_until_it_ends_and_its_end_is_told(story: Story) -> None:
    visits: dict[str, Visit] = {}
    for hall, entry in told(lived(story)):
        for fact in (*entry.passed, *entry.facts):
            tell(visits, fact)
        for visit in visits.values():
            assert [step.step for step in visit.steps] == list(range(len(visit.steps)))
            assert bool(visit.steps) == bool(visit.breaches)
            if visit.lasts:
                assert visit.state in (State.WAITING, State.HELD)
        for person in hall.people():
            # Whoever waits past the limit, and is not away by their own wish, is known to everybody who should know.
            visit = visits[person.id]
            if visit.lasts and visit.waits and not entry.facts:
                over = visit.waited(entry.now) - visit.limit
                due = [step for step in hall.office.escalation if timedelta(seconds=step.after_seconds) <= over]
                assert len(visit.steps) >= len(due)


@ANY_STORY
def test_a_counter_is_called_idle_once_in_a_stretch_and_only_when_it_could_help(story: Story) -> None:
    hall, stretches = Hall(story.office.id), set()
    for fact in lived(story).facts():
        if isinstance(fact, CounterIdle):
            assert (fact.counter, fact.since) not in stretches
            stretches.add((fact.counter, fact.since))
            session, ticket = hall.session(fact.counter), hall.ticket(fact.ticket)
            assert (session.ticket, session.state.value) == (None, fact.state.value)
            assert ticket.warned_at
            assert ticket in list(eligible(hall, hall.counter(fact.counter)))
        evolve(hall, fact)


@ANY_STORY
def test_every_breach_is_recorded_with_the_first_look_that_could_know_of_it(story: Story) -> None:
    visits: dict[str, Visit] = {}

    for entry in lived(story).diary:
        for fact in entry.passed:
            tell(visits, fact)
        overdue = [visit for visit in visits.values() if (due := visit.due()) and due <= entry.now]
        assert all(visit.breaches for visit in overdue)
        for fact in entry.facts:
            tell(visits, fact)


@ANY_STORY
def test_an_alarm_is_set_for_everything_that_time_will_bring(story: Story) -> None:
    life = lived(story)
    hall, clock = life.hall, life.hall.last_at or life.clock

    alarm = hall.next_alarm(clock)
    for _ in range(20):
        if alarm is None:
            break
        assert alarm > clock
        assert passed(hall, alarm - timedelta(microseconds=1)) == ()
        evolve_all(hall, passed(hall, alarm))
        clock, alarm = alarm, hall.next_alarm(alarm)


# Words that the laws use


def told(life: Life) -> Iterator[tuple[Hall, Entry]]:
    """The hall after each wish, told again from the beginning."""
    hall = Hall(life.hall.office_id)
    for entry in life.diary:
        evolve_all(hall, (*entry.passed, *entry.facts))
        yield hall, entry


def before_each(life: Life) -> Iterator[tuple[Hall, Entry]]:
    """The hall as each wish found it."""
    hall = Hall(life.hall.office_id)
    for entry in life.diary:
        evolve_all(hall, entry.passed)
        yield hall, entry
        evolve_all(hall, entry.facts)


def tell(visits: dict[str, Visit], fact: Fact) -> None:
    """Let the visit that a fact is about move on by it."""
    if isinstance(fact, Issued):
        visits[fact.ticket] = Visit(fact)
    elif isinstance(fact, TicketFact):
        visits[fact.ticket].happened(fact)


def diary(life: Life) -> list[tuple[object, ...]]:
    """What was wished and what came of it, in a form that can be compared."""
    return [(entry.now, entry.command, entry.passed, entry.facts, repr(entry.refusal)) for entry in life.diary]


def outcome(hall: Hall, entry: Entry, now: datetime) -> object:
    """What a command comes to."""
    try:
        return decide(hall, entry.command, now)
    except Refusal as refusal:
        return repr(refusal)


def try_and_go_back(life: Life, wishes: list[Wish]) -> None:
    """Live through some wishes and then take them all back. The time that it took is gone."""
    length = len(life.diary)
    life.hall.mark()
    life.go_on(wishes)
    life.hall.go_back()
    del life.diary[length:]


def future(hall: Hall, clock: datetime) -> object:
    """How a hall behaves from now on, as far as its indexes have a part in it. Uses the hall up."""
    alarms: list[datetime | None] = []
    now = hall.moment(clock)
    for _ in range(5):
        alarms.append(hall.next_alarm(now))
        now = max(alarms[-1] or now, hall.moment(now))
        evolve_all(hall, passed(hall, now))
    return alarms, emptied(hall, now), hall.state()


def emptied(hall: Hall, now: datetime) -> list[tuple[Fact, ...]]:
    """Every counter's calls until nobody is left, each visitor sent away at once."""
    calls: list[tuple[Fact, ...]] = []
    for counter in hall.office.counters:
        session = hall.session(counter.id)
        if session.state is CounterState.OPEN and not session.ticket:
            while called := decide(hall, CallNext(counter.id), now):
                evolve_all(hall, called)
                calls.append(called)
                evolve_all(hall, (Left(at=now, ticket=hall.session(counter.id).ticket or "", reason=None),))
    return calls


def eligible(hall: Hall, counter: Counter) -> Iterator[Ticket]:
    """Everybody whom a counter may call, found by looking at each person in the hall."""
    for ticket in hall.people():
        served_here = ticket.service in counter.services if ticket.only_counter is None else False
        if ticket.state is State.WAITING and (ticket.only_counter == counter.id or served_here):
            yield ticket


def claim(ticket: Ticket, office: Office, now: datetime) -> tuple[bool, float]:
    """How strong a claim to the next call is: out of turn first, then by what the office's rule compares."""
    waited = ticket.clock.reading(now).total_seconds()
    if ticket.category and not ticket.category_withdrawn:
        return True, 0.0
    match office.discipline:
        case Discipline.ACCUMULATING_PRIORITY:
            is_booked = ticket.channel == "booked" or ticket.claim_verified
            return False, waited * (office.booked_weight if is_booked else 1)
        case Discipline.ARRIVAL:
            return False, -(ticket.clock_start - now).total_seconds()
        case Discipline.EARLIEST_DUE:
            left = ticket.clock.limit - (ticket.clock.waited if ticket.clock.since else timedelta())
            assert ticket.clock.since
            return False, (now - ticket.clock.since - left).total_seconds()


def own_place(ticket: Ticket, office: Office) -> tuple[datetime, datetime, int, str]:
    """Who came first within a class, told from the sum of the waits and not from an index."""
    assert ticket.clock.since
    began = ticket.clock.since - ticket.clock.waited
    if office.discipline is Discipline.ARRIVAL:
        began = ticket.clock_start
    if office.discipline is Discipline.EARLIEST_DUE:
        out_of_turn = ticket.category and not ticket.category_withdrawn
        began = ticket.clock_start if out_of_turn else began + ticket.clock.limit
    return began, ticket.issued_at, ticket.serial, ticket.letter


def since(start: datetime, end: datetime) -> timedelta:
    """How long that was, and nothing when the end came first."""
    return max(timedelta(), end - start)
