"""One rule for whatever people write, wherever they write it."""

import json
import subprocess
import sys
from unicodedata import category, is_normalized, normalize
from zoneinfo import available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from app.configuration.human import SPACES, UNSEEN, Unreadable, human
from app.configuration.shape import NO_ZONES, OfficeTable
from tests.configuration.documents import smallest

INVISIBLE = [
    *("\u200b", "\u202e", "\u2066", "\u200f", "\ufeff", "\u00ad", "\u061c", "\u2060", "\u3164", "\u115f", "\u2800"),
    *("\u034f", "\x00", "\x1b", "\x7f", "\x85", "\u2028", "\u2029", "\ue000", "\U000e0041", "\U0010fffd", "\ufff9"),
]


@pytest.mark.parametrize("letter", INVISIBLE)
def test_what_nobody_sees_is_refused_wherever_it_stands(letter: str) -> None:
    for text in (f"An{letter}na", f"{letter}Anna", f"Anna{letter}", letter):
        for lines in (True, False):
            with pytest.raises(Unreadable):
                human(text, lines=lines)


def test_nothing_that_unicode_calls_a_control_or_a_format_gets_in() -> None:
    hidden = {chr(code) for code in range(sys.maxunicode + 1) if category(chr(code)) in ("Cc", "Cf", "Co", "Zl", "Zp")}

    assert {letter for letter in hidden if not any(first <= ord(letter) <= last for first, last in UNSEEN)} == set()
    assert {letter for letter in hidden if letter in SPACES} == set()


@pytest.mark.parametrize("blank", ["", " ", "\u00a0", "\u3000 ", "\ufe0f", "\u200d "])
def test_a_blank_is_no_text(blank: str) -> None:
    with pytest.raises(Unreadable, match="blank"):
        human(blank)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("  Анна ", "Анна"),
        ("Андреи\u0306", "Андрей"),
        ("Zoe\u0308", "Zoë"),
        ("thanks \u2764\ufe0f", "thanks \u2764"),
        ("\u674e\u5c0f\u9f99", "\u674e\u5c0f\u9f99"),
        ("O\u2019Neill-\u0160i\u0161", "O\u2019Neill-\u0160i\u0161"),
    ],
)
def test_names_are_kept_in_normal_form(written: str, kept: str) -> None:
    assert human(written) == kept


def test_lines_are_kept_where_there_may_be_several() -> None:
    assert human("one\r\ntwo\rthree\n", lines=True) == "one\ntwo\nthree"
    with pytest.raises(Unreadable):
        human("one\ntwo")


@given(st.text())
def test_what_is_kept_is_kept_again(text: str) -> None:
    for lines in (True, False):
        try:
            kept = human(text, lines=lines)
        except Unreadable:
            continue
        assert is_normalized("NFC", kept)
        assert human(kept, lines=lines) == human(normalize("NFD", kept), lines=lines) == kept


INTL = """
const known = (timeZone) => { try { new Intl.DateTimeFormat("en", {timeZone}); return true } catch { return false } };
const names = JSON.parse(require("fs").readFileSync(0));
console.log(JSON.stringify(names.filter((name) => !known(name))));
"""


@pytest.mark.needs("node")
def test_every_zone_that_an_office_may_have_is_known_to_browsers() -> None:
    told = subprocess.run(
        ["node", "-e", INTL], input=json.dumps([*available_timezones()]), capture_output=True, text=True, check=True
    )

    assert set(json.loads(told.stdout)) <= NO_ZONES


@pytest.mark.parametrize(
    "zone",
    [
        *("Factory", "localtime", "posix/Europe/Moscow", "right/Europe/Moscow", "posixrules", "SystemV/EST5", "+03:00"),
        *("europe/moscow", "Europe/Moscow ", "../zoneinfo/Europe/Moscow", "/usr/share/zoneinfo/UTC", "Europe", ""),
    ],
)
def test_a_zone_that_browsers_do_not_know_is_refused(zone: str) -> None:
    with pytest.raises(ValidationError, match="is not a time zone"):
        OfficeTable(**{**smallest(), "time_zone": zone})


@pytest.mark.parametrize("zone", ["Europe/Moscow", "UTC", "US/Pacific", "Etc/GMT+5", "EST5EDT", "Asia/Kolkata"])
def test_a_zone_that_browsers_know_is_taken(zone: str) -> None:
    assert OfficeTable(**{**smallest(), "time_zone": zone}).time_zone == zone
