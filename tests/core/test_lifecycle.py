"""The life of a ticket is one table: steps, refusals, the diagram in the documentation all come from it."""

from dataclasses import replace
from pathlib import Path

import pytest

from docs.lifecycle import PAGE, page
from queue_core import commands, errors, facts
from queue_core.commands import (
    Acknowledge,
    Announce,
    AskForTime,
    CallChosen,
    Cancel,
    ComeBack,
    Finish,
    Hold,
    Issue,
    NoShow,
    Rate,
    Readmit,
    Recall,
    Resume,
    ReturnToLine,
    Start,
    TicketCommand,
    Transfer,
    VerifyCategory,
    VerifyClaim,
    WithdrawCategory,
)
from queue_core.decisions import STEP_OF
from queue_core.errors import Refusal, StepForbidden
from queue_core.facts import FACTS, Cause, Fact, HeldBy, Issued, Missed, Readmission, TicketFact, Told, Undone
from queue_core.office import Channel
from queue_core.tickets import AT_COUNTER, ENDED, LIFECYCLE, STEPS, State
from tests.core.live import NINE, OFFICE, LiveHall

TICKET = "20261123-A001"

WISHES: tuple[TicketCommand, ...] = (
    CallChosen(TICKET, "1", "in a hurry"),
    Recall(TICKET),
    Start(TICKET),
    Finish(TICKET),
    NoShow(TICKET),
    ReturnToLine(TICKET),
    Hold(TICKET, HeldBy.OFFICE),
    Resume(TICKET),
    ComeBack(TICKET),
    Transfer(TICKET, service="land"),
    Cancel(TICKET),
    VerifyCategory(TICKET),
    WithdrawCategory(TICKET, "no card", "was next anyway"),
    Acknowledge(TICKET, "Anna", Cause.OTHER),
    Announce(TICKET, "hall", Told.SHOWN),
    AskForTime(TICKET),
    Rate(TICKET, 5),
    Readmit(TICKET, Readmission.OPERATOR),
    VerifyClaim(TICKET),
)
"""One of each thing that may be wished about a ticket."""

WAYS_TO: dict[State, tuple[TicketCommand, ...]] = {
    State.WAITING: (),
    State.CALLED: (CallChosen(TICKET, "2", "in a hurry"),),
    State.SERVING: (CallChosen(TICKET, "2", "in a hurry"), Start(TICKET)),
    State.HELD: (Hold(TICKET, HeldBy.VISITOR),),
    State.SERVED: (CallChosen(TICKET, "2", "in a hurry"), Start(TICKET), Finish(TICKET)),
    State.LATE: (CallChosen(TICKET, "2", "in a hurry"), NoShow(TICKET)),
    State.MISSED: (CallChosen(TICKET, "2", "in a hurry"), NoShow(TICKET)),
    State.LEFT: (Cancel(TICKET),),
}
"""How a ticket gets into each state; unserved it becomes only with the closing of the day."""


def in_state(state: State) -> LiveHall:
    """A hall with one ticket, past its limit, in that state."""
    hall = LiveHall(replace(OFFICE, no_show_seconds=0, late_seconds=600 if state is State.LATE else 0))
    hall.wish(Issue("passport", Channel.BOOKED, "veteran", slot=NINE, claim=True))
    hall.wait(minutes=16)
    for step in WAYS_TO[state]:
        hall.wish(step)
    assert hall.visit(TICKET).state is state
    return hall


def name(value: object) -> str:
    """A test's name for a state or a wish."""
    return value.value if isinstance(value, State) else type(value).__name__


@pytest.mark.parametrize("wish", WISHES, ids=name)
@pytest.mark.parametrize("state", WAYS_TO, ids=name)
def test_a_step_is_taken_where_the_table_has_it_and_refused_by_name_where_not(
    state: State, wish: TicketCommand
) -> None:
    hall = in_state(state)
    step = STEP_OF[type(wish)]

    refusal = hall.refusal(wish)

    if step in LIFECYCLE[state] and (wish, state) != (AskForTime(TICKET), State.SERVING):
        assert refusal is None
        assert hall.visit(TICKET).state is LIFECYCLE[state][step]
    else:
        assert isinstance(refusal, StepForbidden)
        assert refusal.particulars == {"ticket": TICKET, "state": state.value, "step": step.__name__}
        assert hall.visit(TICKET).state is state


def test_every_wish_about_a_ticket_is_one_of_the_table() -> None:
    wishes = {kind for kind in vars(commands).values() if isinstance(kind, type) and issubclass(kind, TicketCommand)}

    assert {type(wish) for wish in WISHES} == wishes - {TicketCommand} == set(STEP_OF)


def test_every_fact_about_a_ticket_has_its_place_in_the_table() -> None:
    placed = {step for steps in LIFECYCLE.values() for step in steps}

    assert placed == {fact for fact in FACTS.values() if issubclass(fact, TicketFact)} - {Issued, Undone}


def test_every_state_can_be_reached_and_every_visit_can_end() -> None:
    reached = {State.WAITING} | {state for steps in LIFECYCLE.values() for state in steps.values()}

    assert reached == set(State) == set(LIFECYCLE)
    assert {State.SERVED, State.MISSED, State.LEFT, State.UNSERVED} == ENDED
    assert all(after is state for state in ENDED for after in LIFECYCLE[state].values())
    assert not AT_COUNTER & ENDED


def test_every_step_that_can_be_taken_back_changes_the_state_of_somebody_at_a_counter_or_calls_them_there() -> None:
    for step in STEPS:
        moves = [(state, steps[step]) for state, steps in LIFECYCLE.items() if step in steps]

        assert any(before is not after and {before, after} & AT_COUNTER for before, after in moves)


def test_only_those_at_a_counter_are_left_there_when_the_day_closes() -> None:
    closing = {state for state, steps in LIFECYCLE.items() if facts.Unserved in steps}

    assert closing == set(State) - AT_COUNTER - ENDED - {State.LATE}
    assert Missed in LIFECYCLE[State.LATE]


def test_every_kind_of_fact_is_known_by_its_name_and_nothing_else_is() -> None:
    told = {kind for kind in vars(facts).values() if isinstance(kind, type) and issubclass(kind, Fact)}

    assert set(FACTS.values()) == told - {Fact, TicketFact}
    assert all(kind.__name__ == name for name, kind in FACTS.items())


def test_every_fact_says_what_it_means() -> None:
    assert all(fact.__doc__ and not fact.__doc__.startswith(fact.__name__) for fact in FACTS.values())


def test_every_refusal_is_a_sentence() -> None:
    refusals = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Refusal)]

    assert all((kind.__doc__ or "").endswith(".") for kind in refusals)
    assert str(StepForbidden(ticket="A001")) == "The ticket is not in a state for this step. (ticket A001)"
    assert str(errors.OfficeClosed()) == "The office does not receive visitors now."


def test_every_refusal_of_the_core_is_shown_by_an_example() -> None:
    examples = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    refusals = {kind.__name__ for kind in Refusal.__subclasses__() if kind.__module__ == errors.__name__}

    shown = {refusal for refusal in refusals if f" is {refusal}\n" in examples or f"{refusal})" in examples}
    assert shown == refusals


def test_the_diagram_in_the_documentation_is_the_table() -> None:
    assert PAGE.read_text() == page(), "run `python -m docs.lifecycle`"


def test_the_diagram_has_every_arrow_of_the_table_and_no_other() -> None:
    arrows = {line.strip() for line in page().splitlines() if "-->" in line}

    assert arrows == {
        "[*] --> waiting: Issued",
        *(
            f"{state} --> {after}: {step.__name__}"
            for state, steps in LIFECYCLE.items()
            for step, after in steps.items()
        ),
        *(f"{state} --> [*]" for state in ENDED),
    }
