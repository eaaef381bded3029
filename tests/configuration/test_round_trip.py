"""Laws of descriptions, tried on random ones."""

import json
from datetime import time
from itertools import pairwise
from typing import Any
from unicodedata import normalize

from hypothesis import given
from hypothesis import strategies as st

from app.configuration import BadDescription, document_of, office_of
from queue_core.office import Category, Counter, Discipline, Escalation, Group, Limits, Office, Opening, Service
from tests.configuration.documents import smallest

SLUGS = st.from_regex(r"[a-z0-9][a-z0-9-]{0,39}", fullmatch=True)
LETTERS = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=40)
TEXTS = LETTERS.map(lambda text: normalize("NFC", text))
WORDS = st.fixed_dictionaries({"ru": TEXTS, "en": TEXTS})
WARNINGS = st.none() | st.integers(1, 99)
LIMITS = st.builds(
    Limits,
    walk_in=st.integers(100, 86_400),
    booked=st.integers(100, 86_400),
    walk_in_warning=WARNINGS,
    booked_warning=WARNINGS,
) | st.builds(Limits, walk_in=st.integers(1, 86_400), booked=st.integers(1, 86_400))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)


@st.composite
def hours(draw: st.DrawFn) -> tuple[Opening, ...]:
    """Stretches that touch but do not overlap, in the order of the week."""
    openings = []
    for weekday in sorted(draw(st.sets(st.integers(0, 6)))):
        edges = sorted(draw(st.sets(st.integers(0, 24 * 60), min_size=2, max_size=5)))
        openings += [
            Opening(weekday=weekday, opens=clock_time(opens), closes=clock_time(closes))
            for opens, closes in pairwise(edges)
        ]
    return tuple(openings)


def clock_time(minute: int) -> time:
    """A minute of the day; the last midnight reads like the first."""
    return time(minute // 60 % 24, minute % 60)


@st.composite
def offices(draw: st.DrawFn) -> Office:
    """Any office that may be described."""
    groups = draw(st.lists(st.builds(Group, id=SLUGS, name=WORDS), max_size=3, unique_by=lambda group: group.id))
    group_ids = st.sampled_from([None, *(group.id for group in groups)])
    letters = st.sampled_from("ABCZБЖЯ")
    service = st.builds(Service, id=SLUGS, letter=letters, name=WORDS, group=group_ids, limits=LIMITS)
    services = draw(st.lists(service, min_size=1, max_size=5, unique_by=lambda service: service.id))
    service_ids = [service.id for service in services]
    first = Counter(id="0", name={"ru": "Окно", "en": "Counter"}, services=tuple(service_ids))
    some = st.lists(st.sampled_from(service_ids), min_size=1, unique=True).map(tuple)
    counters = draw(
        st.lists(st.builds(Counter, id=SLUGS, name=WORDS, services=some), max_size=3, unique_by=lambda each: each.id)
    )
    categories = st.lists(
        st.builds(Category, id=SLUGS, name=WORDS, basis=WORDS), max_size=2, unique_by=lambda each: each.id
    )
    return Office(
        id=draw(SLUGS),
        name=draw(WORDS),
        zone=draw(st.sampled_from(["Europe/Moscow", "Asia/Vladivostok", "UTC"])),
        languages=draw(st.permutations(["ru", "en"]).map(tuple)),
        hotline=draw(st.none() | TEXTS),
        groups=tuple(groups),
        services=tuple(services),
        counters=(first, *(counter for counter in counters if counter.id != first.id)),
        categories=tuple(draw(categories)),
        hours=draw(hours()),
        discipline=draw(st.sampled_from(Discipline)),
        booked_weight=draw(st.integers(1, 100)),
        recall_limit=draw(st.integers(0, 20)),
        undo_seconds=draw(st.integers(0, 3_600)),
        closes_after_minutes=draw(st.integers(0, 1_440)),
        escalation=tuple(
            Escalation(role=draw(SLUGS), after_seconds=after)
            for after in (0, *sorted(draw(st.sets(st.integers(1, 86_400), max_size=3))))
        ),
        idle_seconds=draw(st.integers(1, 3_600)),
        long_pause_seconds=draw(st.integers(1, 86_400)),
    )


@given(office=offices())
def test_a_description_tells_the_whole_office(office: Office) -> None:
    document = json.loads(json.dumps(document_of(office)))

    assert office_of(document, "document") == office


@given(key=st.sampled_from([*smallest(), "groups", "categories", "limits", "languages", "discipline"]), value=JSON)
def test_whatever_stands_at_a_key_is_an_office_or_a_named_mistake(key: str, value: Any) -> None:
    assert is_judged(smallest(**{key: value}))


@given(key=st.sampled_from(["name", "letter", "group", "limits", "id", "services", "basis"]), value=JSON)
def test_whatever_stands_inside_an_entry_is_an_office_or_a_named_mistake(key: str, value: Any) -> None:
    for kind in ("services", "counters"):
        assert is_judged(smallest(**{kind: [smallest()[kind][0] | {key: value}]}))


def is_judged(document: dict[str, Any]) -> bool:
    """Whether a document is either an office that can be told again, or refused with mistakes."""
    try:
        office = office_of(document, "document")
    except BadDescription as refused:
        return bool(refused.flaws)
    return office_of(document_of(office), "document") == office
