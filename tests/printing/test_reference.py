"""The reference of the print agent is complete and true."""

from app.printing.agent import TITLES, StateOut
from app.printing.slip import Slip
from app.printing.troubles import SENTENCES, Trouble
from app.web.languages import sentence
from tests.docs.pages import REFERENCE, codes, rows

PAGE = REFERENCE / "print-agent.md"


def documented(column: str, under: str) -> list[str]:
    """What stands in the first column of a section's table."""
    return [codes(row[column])[0] for row in rows(PAGE, column, under=under)]


def test_every_member_of_a_ticket_is_there_and_those_that_are_needed() -> None:
    text = PAGE.read_text(encoding="utf-8")
    needed = [name for name, field in Slip.model_fields.items() if field.is_required()]

    assert documented("member", "A ticket") == list(Slip.model_fields)
    assert ", ".join(f"`{name}`" for name in needed[:-1]) + f" and `{needed[-1]}` are needed" in text


def test_every_member_of_the_state_is_there() -> None:
    assert documented("member", "The state") == list(StateOut.__annotations__)


def test_every_trouble_is_there_and_has_a_sentence_in_both_languages() -> None:
    assert documented("problem", "The state") == list(Trouble) == list(SENTENCES)
    assert all(sentence(english, "ru") != english for english in SENTENCES.values())


def test_every_problem_is_there_with_its_status() -> None:
    told = {codes(row["type"])[0].removeprefix("/problems/"): int(row["status"]) for row in rows(PAGE, "type")}

    assert told == {kind: status for kind, (status, _) in TITLES.items()}
