"""The printed ticket: what stands on it, where, and that it fits the paper, whatever is to be printed."""

import re
import statistics
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from app.configuration.human import Unreadable, human
from app.printing.letters import printable
from app.printing.slip import Slip
from app.printing.ticket import Roll, ticket
from tests.printing.paper import Paper, printed
from tests.printing.slips import BAREST, ENGLISH, FULLEST, RUSSIAN, slip

SCREENSHOTS = Path(__file__).parents[2] / "screenshots"
WIDTHS = (48, 42, 32)


def paper_of(of: Slip, columns: int = 48) -> Paper:
    """The printed ticket."""
    return printed(ticket(of, Roll(columns)), columns)


def in_order(paper: Paper, *words: str) -> bool:
    """Whether all of this stands on the paper from top to bottom."""
    places = [paper.text.find(word) for word in words]
    return -1 not in places and places == sorted(places)


def test_a_visitor_reads_the_number_then_what_for_then_when_then_whom_to_call() -> None:
    paper = paper_of(slip())

    assert in_order(
        paper,
        *('Центр госуслуг "Заречный"', "Ваш номер", "A012", "Получение готовых", "Выдан", "Человек перед вами"),
        *("Норматив ожидания", "Вас вызовут не позже", "10:30", "Звоните:", "8-800-000-15-15", "Наведите телефон"),
        *("Мы обещаем", "Время ожидания ─ не более 15 минут.", "Вы можете оценить нашу работу."),
    )
    assert re.search(r"Выдан +27 ноября, 10:15\n", paper.text)
    assert re.search(r"Человек перед вами +5\n", paper.text)
    assert re.search(r"Норматив ожидания +15 мин\n", paper.text)


def test_the_ticket_speaks_the_visitors_language() -> None:
    paper = paper_of(slip(ENGLISH))

    assert in_order(paper, "Your number", "H107", "Taken", "You will be called by", "Call:", "Point your phone here")


def test_a_language_that_we_do_not_speak_is_printed_in_english() -> None:
    paper = paper_of(slip(language="de"))

    assert in_order(paper, "Your number", "A012", "Получение готовых")


@pytest.mark.parametrize("number", ["A012", "Ж0042", "A123456789"])
@pytest.mark.parametrize("columns", WIDTHS)
def test_the_number_is_the_largest_thing(number: str, columns: int) -> None:
    paper = paper_of(slip(number=number), columns)

    (of_number,) = paper.line(number).pieces
    others = [piece for line in paper.lines for piece in line.pieces if piece != of_number]
    assert of_number.high > max(piece.high for piece in others if piece.text != "10:30")
    assert of_number.high >= max(piece.high for piece in others)
    assert of_number.wide == of_number.high
    assert of_number.right - of_number.left > paper.width // 2


@pytest.mark.parametrize("columns", WIDTHS)
def test_what_stands_in_the_middle_stands_in_the_middle(columns: int) -> None:
    paper = paper_of(slip(), columns)

    for words in ("Ваш номер", "A012", "Вас вызовут не позже", "10:30", "Мы обещаем"):
        line = paper.line(words)
        assert abs(line.left - (paper.width - line.right)) <= 1, words
    (code,) = paper.codes
    assert abs(code.left - (paper.width - code.right)) <= 1


@pytest.mark.parametrize("columns", WIDTHS)
def test_values_end_where_the_paper_ends(columns: int) -> None:
    paper = paper_of(slip(), columns)

    for words in ("27 ноября, 10:15", "15 мин"):
        *_, value = next(line for line in paper.lines if words in line.text and "ожидания ─" not in line.text).pieces
        assert (value.right, value.bold) == (paper.width, True)


@pytest.mark.parametrize("columns", WIDTHS)
@pytest.mark.parametrize("letters", [30, 75, 300])
def test_the_code_leads_to_the_visitors_page_and_has_white_around_it(columns: int, letters: int) -> None:
    url = "http://queue.example/v/".ljust(letters, "x")

    paper = paper_of(slip(url=url), columns)

    (code,) = paper.codes
    white = 4 * code.dots
    assert (code.data, code.level) == (url, "M")
    assert code.left >= white
    assert code.right + white <= paper.width
    assert code.dots >= 4
    above = [line.top + line.height for line in paper.lines if line.top < code.top]
    below = [line.top for line in paper.lines if line.top > code.top]
    assert max(above) + white <= code.top
    assert code.top + code.side + white <= min(below)


def test_what_is_not_known_is_not_printed() -> None:
    paper = paper_of(slip(BAREST))

    words = [re.sub(r" +", " ", line.text) for line in paper.lines if "─" not in line.text]
    assert words == ["МФЦ", "Ваш номер", "К001", "Консультация", "Выдан 10:15", "Норматив ожидания 15 мин"]
    assert paper.codes == []


def test_a_ticket_says_what_is_special_about_it() -> None:
    paper = paper_of(slip(FULLEST))

    assert in_order(
        paper,
        *("Затем по этому же талону:", "Консультация", "Справки и выписки", "Вне очереди: Инвалид I или II группы."),
        *("Талон выдан без связи с сервером.", "Выдан"),
    )


def test_nobody_ahead_is_something_to_know() -> None:
    assert re.search(r"Человек перед вами +0\n", paper_of(slip(ahead=0)).text)


def test_every_ticket_is_cut_once_below_its_last_line() -> None:
    paper = paper_of(slip())

    (cut,) = paper.cut_at
    assert cut > paper.lines[-1].top + paper.lines[-1].height


def test_words_are_not_torn_apart_while_they_fit() -> None:
    paper = paper_of(slip(service="Подтверждение самозанятости", promise=["слово " * 30 + "8-800-000-15-15"]), 32)

    assert "Подтверждение\nсамозанятости" in paper.text
    assert {len(word) for word in re.findall(r"сло\w*", paper.text)} == {5}
    assert paper.text.count("8-800-000-15-15") == 2


def is_as_it_is_kept(text: str) -> bool:
    """Whether people may write it, and it stays as they did."""
    try:
        return human(text) == text
    except Unreadable:
        return False


ONE_LINE = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Cf", "Cn", "Co", "Zl", "Zp", "Zs"))
    | st.sampled_from(" АБВабвьё«»№—\u00a0"),
    min_size=1,
    max_size=200,
).filter(is_as_it_is_kept)
ANY_SLIP = st.fixed_dictionaries(
    {
        "language": st.sampled_from(["ru", "en", "kk"]),
        "office": ONE_LINE,
        "number": ONE_LINE.filter(lambda text: len(text) <= 12),
        "service": ONE_LINE,
        "issued_at": ONE_LINE,
        "limit_minutes": st.integers(0, 99_999),
    },
    optional={
        "ahead": st.integers(0, 99_999),
        "due": ONE_LINE,
        "hotline": ONE_LINE,
        "promise": st.lists(ONE_LINE, max_size=12),
        "url": st.from_regex(r"\Ahttps?://[!-~]{1,290}\Z"),
        "issued_offline": st.booleans(),
        "category": ONE_LINE,
        "further": st.lists(ONE_LINE, max_size=10),
    },
)


@given(ANY_SLIP, st.sampled_from([24, *WIDTHS, 72]))
@example(FULLEST, 24)
def test_any_ticket_comes_out_with_all_its_words_on_the_paper(of: dict[str, Any], columns: int) -> None:
    paper = paper_of(slip(of), columns)  # which refuses a letter beyond the edge, and a command that nobody knows

    on_paper = squeezed(paper.text)
    at = 0
    for said in in_the_order_of_reading(slip(of)):
        at = on_paper.index(squeezed(printable(said)), at)
    assert [code.data for code in paper.codes] == ([of["url"]] if "url" in of else [])
    assert all(code.left >= 0 and code.right <= paper.width for code in paper.codes)
    assert all(line.right <= paper.width for line in paper.lines)


def in_the_order_of_reading(of: Slip) -> list[str]:
    ahead = [] if of.ahead is None else [str(of.ahead)]
    told = [of.office, of.number, of.service, *of.further, of.category, of.issued_at, *ahead, str(of.limit_minutes)]
    return [said for said in (*told, of.due, of.hotline, *of.promise) if said]


def squeezed(text: str) -> str:
    """Without what may change where a line is broken."""
    return re.sub(r"\s", "", text)


@pytest.mark.parametrize(
    "wrong",
    [
        *({"number": "A012\x1b@"}, {"number": ""}, {"number": "A" * 13}, {"number": 12}),
        *({"service": "x" * 201}, {"service": "two\nlines"}, {"service": "\x1dV\x00"}, {"service": None}),
        *({"ahead": -1}, {"ahead": "5"}, {"ahead": 10**9}, {"limit_minutes": 7.5}, {"limit_minutes": None}),
        *({"url": "ftp://queue"}, {"url": "http://a b"}, {"url": "https://" + "x" * 293}, {"url": "javascript:1"}),
        *({"promise": ["x"] * 13}, {"further": ["x"] * 11}, {"promise": "x"}, {"language": "Russian"}),
        *({"issued_offline": "yes"}, {"ahead_of_me": 5}),
    ],
    ids=str,
)
def test_what_is_no_ticket_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        slip(RUSSIAN | wrong)


@pytest.mark.timed
def test_a_ticket_is_written_in_less_than_five_milliseconds() -> None:
    fullest = slip(FULLEST)
    spent = []
    for _ in range(50):
        started = time.perf_counter()
        ticket(fullest, Roll())
        spent.append(time.perf_counter() - started)

    assert statistics.median(spent) < 0.005


@pytest.mark.parametrize("columns", [48, 32])
@pytest.mark.parametrize("name", ["russian", "english", "fullest", "barest"])
def test_tickets_are_drawn_to_be_looked_at(name: str, columns: int) -> None:
    of = {"russian": RUSSIAN, "english": ENGLISH, "fullest": FULLEST, "barest": BAREST}[name]
    picture = SCREENSHOTS / f"ticket-{name}-{columns}.png"

    paper_of(slip(of), columns).save(picture)

    assert picture.stat().st_size > 1_000
