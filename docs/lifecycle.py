"""The page about a ticket's life, made from the table that the code runs on: `python -m docs.lifecycle` writes it."""

from collections.abc import Iterator
from pathlib import Path

from queue_core.facts import FACTS, Issued, TicketFact, Undone
from queue_core.tickets import ENDED, LIFECYCLE, STEPS

PAGE = Path(__file__).parent / "reference" / "lifecycle.md"

OPENING = """\
# The life of a ticket

A ticket moves only along these arrows; every other step is refused as `StepForbidden`. This page is made from the
table `LIFECYCLE` in `queue_core/tickets.py`, and a test keeps it current.
"""

UNDO = """\
`Undone` is in no row of the table: within the office's `undo_seconds` it takes a ticket back to where it was before
the last step made at a counter. What was waited in the meantime stays on the clock, and a breach stays on record.
The steps that can be taken back:

{steps}
"""


def page() -> str:
    """The whole page."""
    steps = "\n".join(sorted(f"- `{step.__name__}`" for step in STEPS))
    diagram = "\n".join(("```mermaid", *_diagram(), "```"))
    return "\n".join((OPENING, diagram, "", "## What each step means", "", *_meanings(), "", UNDO.format(steps=steps)))


def _diagram() -> Iterator[str]:
    yield "stateDiagram-v2"
    yield f"    [*] --> waiting: {Issued.__name__}"
    for state, steps in LIFECYCLE.items():
        for step, after in steps.items():
            yield f"    {state} --> {after}: {step.__name__}"
    for state in LIFECYCLE:
        if state in ENDED:
            yield f"    {state} --> [*]"


def _meanings() -> Iterator[str]:
    yield "| step | from | meaning |"
    yield "|---|---|---|"
    for name, fact in FACTS.items():
        if issubclass(fact, TicketFact):
            meaning = " ".join((fact.__doc__ or "").split())
            yield f"| `{name}` | {_begins(fact)} | {meaning} |"


def _begins(fact: type[TicketFact]) -> str:
    if fact is Issued:
        return "the door"
    if fact is Undone:
        return "any step at a counter"
    return ", ".join(state for state, steps in LIFECYCLE.items() if fact in steps)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
