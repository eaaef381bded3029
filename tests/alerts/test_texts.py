"""A message says where, what for, which number, how long, how many more and what would help, in two languages."""

import string
from datetime import timedelta

import pytest

from app.alerts.texts import (
    CALL_NEXT,
    COME_BACK,
    COUNTED,
    ENGLISH,
    ONE_MORE,
    OPEN_ONE,
    SENTENCES,
    catalogue,
    language_for,
    languages,
    message,
    what_would_help,
)
from app.alerts.told import Told, Visitor
from app.journal import GENESIS, recorded
from queue_core.facts import (
    Breached,
    CounterIdle,
    Escalated,
    Fact,
    Idleness,
    Relief,
    Relieved,
    Scene,
    Warned,
)
from queue_core.office import Channel, Counter, Office, Service
from tests.core.live import AROUND_THE_CLOCK, NINE

CENTRE = Office(
    id="centre",
    name={"ru": "Центр", "en": "Centre"},
    zone="Europe/Moscow",
    services=(Service(id="passport", letter="A", name={"ru": "Паспорта", "en": "Passports"}),),
    counters=(Counter(id="3", name={"ru": "Окно 3", "en": "Counter 3"}, services=("passport",)),),
    hours=AROUND_THE_CLOCK,
)
DUE = NINE + timedelta(minutes=15)
TICKET = "20261123-A012"


def scene(**seen: int) -> Scene:
    usual = {
        "counters_open": 4,
        "counters_paused": 1,
        "counters_able": 2,
        "counters_idle": 0,
        "waiting": 6,
        "waiting_in_office": 21,
        "issued": 8,
        "issued_in_office": 30,
    }
    return Scene(**usual | seen)


def told(fact: Fact, *before: Fact, channel: Channel = Channel.WALK_IN) -> Told:
    history = [
        recorded("centre", seq, GENESIS, earlier, "hall", None) for seq, earlier in enumerate((*before, fact), start=1)
    ]
    visitor = Visitor(number="A012", service="passport", channel=channel, limit_seconds=900)
    return Told(line=history[-1], office=CENTRE, visitor=visitor, history=tuple(history))


WARNED = Warned(at=NINE + timedelta(minutes=10), ticket=TICKET, due=DUE, since=NINE, scene=scene())
BREACHED = Breached(at=DUE, ticket=TICKET, due=DUE, scene=scene(counters_able=0))


def test_a_warning_in_english() -> None:
    assert message(told(WARNED), "en") == (
        "Centre: A012 is near the limit",
        (
            "Passports, without a booking.\n"
            "Waiting for 10 min; the limit of 15 min passes at 12:15.\n"
            "5 more people wait for this service.\n"
            "21 people wait in the whole office.\n"
            "Counters open: 4, paused: 1. This service can be had at 2, of which free: 0.\n"
            "A counter is paused: have it come back."
        ),
    )


def test_an_escalation_in_russian() -> None:
    fact = Escalated(at=DUE + timedelta(minutes=3), ticket=TICKET, due=DUE, step=1, role="administrator")

    assert message(told(fact, BREACHED, channel=Channel.BOOKED), "ru") == (
        "Центр: A012 всё ещё ждёт дольше норматива",
        (
            "Паспорта, по записи.\n"
            "Ждёт 18 мин; норматив 15 мин истёк в 12:15.\n"
            "Эту услугу ждут ещё 5 человек.\n"
            "Всего в офисе ждёт 21 человек.\n"
            "Окон открыто: 4, на паузе: 1. Услугу оказывают: 0, из них свободно: 0.\n"
            "Ни одно открытое окно её не оказывает: откройте такое."
        ),
    )


def test_a_breach_of_before_there_were_scenes_is_told_without() -> None:
    fact = Escalated(at=DUE, ticket=TICKET, due=DUE, step=0, role="operator")

    title, body = message(told(fact, Breached(at=DUE, ticket=TICKET, due=DUE, scene=None)), "en")

    assert title == "Centre: A012 waits past the limit"
    assert body.splitlines()[1:] == ["Waiting for 15 min; the limit of 15 min passed at 12:15."]


@pytest.mark.parametrize(
    ("how", "title"),
    [
        (Relief.CALLED, "Центр: A012 вызван"),
        (Relief.LEFT, "Центр: A012 не дождался и ушёл"),
        (Relief.UNSERVED, "Центр: A012 сегодня не принят"),
    ],
)
def test_the_end_of_a_breach(how: Relief, title: str) -> None:
    fact = Relieved(at=DUE + timedelta(seconds=59), ticket=TICKET, due=DUE, how=how)

    assert message(told(fact, BREACHED), "ru") == (
        title,
        "Паспорта, без записи.\nОжидание длилось 15 мин при нормативе 15 мин.",
    )


@pytest.mark.parametrize(
    ("state", "title"),
    [
        (Idleness.OPEN, "Centre: Counter 3 is free while A012 waits"),
        (Idleness.PAUSED, "Centre: Counter 3 is paused while A012 waits"),
    ],
)
def test_an_idle_counter(state: Idleness, title: str) -> None:
    fact = CounterIdle(at=DUE, counter="3", ticket=TICKET, since=NINE, state=state)

    assert message(told(fact), "en") == (title, "Passports, without a booking.\nSo since 12:00.")


def test_what_would_help() -> None:
    assert what_would_help(scene(counters_idle=1)) == CALL_NEXT
    assert what_would_help(scene(counters_able=0)) == OPEN_ONE
    assert what_would_help(scene()) == COME_BACK
    assert what_would_help(scene(counters_paused=0)) == ONE_MORE


def test_a_short_wait_is_told_in_seconds() -> None:
    visitor = Visitor(number="A012", service="passport", channel=Channel.WALK_IN, limit_seconds=5)
    fact = Relieved(at=DUE + timedelta(seconds=3), ticket=TICKET, due=DUE, how=Relief.CALLED)
    line = recorded("centre", 1, GENESIS, fact, "hall", None)

    body = message(Told(line=line, office=CENTRE, visitor=visitor), "en").body

    assert body.endswith("Waited for 8 s; the limit was 5 s.")


def test_the_language_is_the_persons_or_the_offices_first() -> None:
    assert language_for(CENTRE, "en") == "en"
    assert language_for(CENTRE, None) == "ru"
    assert languages() == ("en", "ru")


@pytest.mark.parametrize("language", [language for language in languages() if language != ENGLISH])
def test_every_sentence_is_there_with_the_same_parts_and_none_is_left_over(language: str) -> None:
    translated = catalogue(language)._catalog  # type: ignore[attr-defined]

    known = {key if isinstance(key, str) else key[0] for key in translated} - {""}
    assert known == {*SENTENCES, *(one for one, _ in COUNTED)}
    for sentence in SENTENCES:
        assert parts(catalogue(language).gettext(sentence)) == parts(sentence)
    for one, many in COUNTED:
        for count in (1, 2, 5):
            assert parts(catalogue(language).ngettext(one, many, count)) == parts(many)


def parts(sentence: str) -> set[str | None]:
    """What is filled in."""
    return {name for _, name, _, _ in string.Formatter().parse(sentence)} - {None}
