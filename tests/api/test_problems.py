"""Whatever is refused is refused with a problem that says why, and nothing has changed."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from app.settings import Settings
from app.web.languages import ENGLISH, MOST_ACCEPTED, catalogues, language_of, sentence
from app.web.problems import STATUS, title_of, type_of
from app.web.screens import APP, ROOMS, said_by
from queue_core.errors import Refusal
from tests.api.conftest import Centre, SetClock, running
from tests.api.described import DOCUMENT

ISSUE = "/api/v1/offices/centre/tickets"
HOLD = "/api/v1/offices/centre/tickets/20261123-A001/hold"
KEYED = {"Idempotency-Key": "k", "Content-Type": "application/json"}


def every_kind(kind: type[Refusal] = Refusal) -> Iterator[type[Refusal]]:
    for child in kind.__subclasses__():
        yield child
        yield from every_kind(child)


OURS = [kind for kind in every_kind() if kind.__module__.startswith(("app.", "queue_core."))]


@pytest.mark.parametrize("kind", OURS)
def test_every_refusal_has_a_status_and_a_russian_sentence(kind: type[Refusal]) -> None:
    assert kind in STATUS
    assert sentence(title_of(kind), "ru") != title_of(kind)


def said_on_pages() -> set[str]:
    """The sentences of templates, of modules, and of Python that says them to people."""
    templates = "".join(path.read_text(encoding="utf-8") for path in APP.rglob("*.html"))
    python = "".join(path.read_text(encoding="utf-8") for path in APP.rglob("*.py"))
    modules = {english for room in ROOMS for english in said_by(room)}
    in_templates = {english for _, english in re.findall(r"""\b_\((['"])(.+?)\1\)""", templates)}
    in_python = set(re.findall(r"""\b(?:sentence|mark)\(\s*"([^"]+)\"""", python))
    return modules | in_templates | in_python


def test_every_sentence_of_a_page_is_translated_and_no_translation_is_left_over() -> None:
    ours = {title_of(kind) for kind in STATUS} | said_on_pages()

    for language, catalogue in catalogues().items():
        known = {english for english in catalogue._catalog if english}  # type: ignore[attr-defined]
        assert known == ours, language


def test_types_are_stable_and_no_two_alike() -> None:
    types = [type_of(kind) for kind in STATUS]

    assert len(set(types)) == len(types)
    assert "/problems/counter-busy" in types


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        (None, "en"),
        ("ru", "ru"),
        ("RU-ru", "ru"),
        ("de, ru;q=0.5, en;q=0.1", "ru"),
        ("ru;q=0.1, en;q=0.9", "en"),
        ("ru;q=0", "en"),
        ("de", "en"),
        ("*", "en"),
        ("ru;q=nonsense", "en"),
        (",;=,;;q=,", "en"),
    ],
)
def test_the_language_is_the_one_that_is_liked_best(accepted: str | None, language: str) -> None:
    assert language_of(accepted) == language


def test_of_a_header_without_end_no_more_is_read_than_a_browser_would_send() -> None:
    assert language_of("ru," + "de," * 1_000_000) == "ru"
    assert language_of("de," * MOST_ACCEPTED + "ru") == "en"


async def test_a_problem_speaks_russian_to_who_asks_for_it(centre: Centre) -> None:
    refused = await centre.get("/tickets/20261123-A999", headers={"Accept-Language": "ru-RU, ru;q=0.9, en;q=0.8"})

    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.headers["content-language"] == "ru"
    assert refused.json()["title"] == "В зале нет такого талона."
    assert refused.json()["ticket"] == "20261123-A999"
    assert refused.json()["instance"].startswith("urn:uuid:")


@pytest.fixture
async def before_and_after(centre: Centre) -> AsyncIterator[Centre]:
    """The centre with somebody in line, where nothing may happen."""
    await centre.issue()
    before = (await centre.get()).json()
    yield centre
    after = (await centre.get()).json()
    assert after | {"server_time": None} == before | {"server_time": None}


BODIES: dict[str, tuple[bytes, int, str]] = {
    "nothing": (b"", 422, "bad-input"),
    "no JSON": (b"service=advice", 400, "malformed-body"),
    "half a body": (b'{"service": "adv', 400, "malformed-body"),
    "two bodies": (b'{"service": "advice"} {"service": "advice"}', 400, "malformed-body"),
    "no UTF-8": (b'{"service": "\xff\xfe"}', 400, "malformed-body"),
    "UTF-16": ('{"service": "advice"}'.encode("utf-16"), 415, "encoding-unknown"),
    "half a surrogate pair": (b'{"service": "\\ud800"}', 422, "bad-input"),
    "a NUL": (b'{"service": "\\u0000"}', 422, "bad-input"),
    "a surrogate in bytes": (b'{"service": "\xed\xa0\x80"}', 400, "malformed-body"),
    "not a number": (b'{"service": NaN}', 400, "malformed-body"),
    "an endless number": (b'{"service": 1e999}', 400, "malformed-body"),
    "a deep body": (b'{"service": ' + b"[" * 30_000, 400, "malformed-body"),
    "an oversized body": (b'{"service": "' + b"x" * 70_000 + b'"}', 413, "body-too-large"),
    "a list": (b"[]", 422, "bad-input"),
    "null": (b"null", 422, "bad-input"),
    "no service": (b"{}", 422, "bad-input"),
    "a wrong type": (b'{"service": 7}', 422, "bad-input"),
    "a huge number": (b'{"service": ' + b"9" * 4_000 + b"}", 422, "bad-input"),
    "a control character": (b'{"service": "adv\\u0000ice"}', 422, "bad-input"),
    "capitals": (b'{"service": "Advice"}', 422, "bad-input"),
    "a long name": (b'{"service": "' + b"x" * 41 + b'"}', 422, "bad-input"),
    "a line break at the end": (b'{"service": "advice\\n"}', 422, "bad-input"),
    "a member too many": (b'{"service": "advice", "prioritet": 1}', 422, "bad-input"),
    "an unknown channel": (b'{"service": "advice", "channel": "telepathy"}', 422, "bad-input"),
    "too many services": (b'{"service": "advice", "further": ["advice"' + b', "advice"' * 10 + b"]}", 422, "bad-input"),
    "no offset": (b'{"service": "advice", "channel": "booked", "slot": "2026-11-23T12:00:00"}', 422, "bad-input"),
    "a number for a time": (b'{"service": "advice", "channel": "booked", "slot": 1795000000}', 422, "bad-input"),
    "no such day": (b'{"service": "advice", "channel": "booked", "slot": "2026-02-30T12:00:00Z"}', 422, "bad-input"),
    "a far century": (b'{"service": "advice", "channel": "booked", "slot": "9999-12-31T23:59:59Z"}', 422, "bad-input"),
}


@pytest.mark.parametrize("name", BODIES)
async def test_a_bad_body_is_refused_and_changes_nothing(before_and_after: Centre, name: str) -> None:
    body, status, kind = BODIES[name]

    refused = await before_and_after.http.post(ISSUE, content=body, headers=KEYED)

    assert (refused.status_code, refused.json()["type"]) == (status, f"/problems/{kind}")
    assert str(status) in DOCUMENT["paths"]["/api/v1/offices/{office}/tickets"]["post"]["responses"]


async def test_the_size_of_a_body_is_counted_whatever_its_headers_say(before_and_after: Centre) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b" " * 1_000

    refused = await before_and_after.http.post(ISSUE, content=endless(), headers=KEYED)

    assert (refused.status_code, refused.json()["type"]) == (413, "/problems/body-too-large")


async def test_a_body_that_is_not_called_json_is_refused(before_and_after: Centre) -> None:
    headers = KEYED | {"Content-Type": "text/plain"}

    refused = await before_and_after.http.post(ISSUE, content=b'{"service": "advice"}', headers=headers)

    assert (refused.status_code, refused.json()["type"]) == (415, "/problems/not-json")


async def test_a_mistake_is_named_with_its_place(centre: Centre) -> None:
    refused = await centre.http.post(ISSUE, json={"servise": "advice", "further": ["ok", 7]}, headers=KEYED)

    mistakes = {mistake["at"]: mistake["reason"] for mistake in refused.json()["errors"]}
    assert mistakes["service"] == "is missing"
    assert mistakes["servise"] == "is not a known key"
    assert "text" in mistakes["further[1]"]


@pytest.mark.parametrize(
    "reason", ["", " ", "two\nlines", "bell\x07", "delete\x7f", "line\u2028separator", "x" * 201, 7, None, ["a"]]
)
async def test_a_reason_is_one_line_of_text(before_and_after: Centre, reason: Any) -> None:
    refused = await before_and_after.post("/services/advice/close", {"reason": reason})

    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/bad-input")


@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        ("GET", "/api/v1/offices/nowhere", 404, "unknown-office"),
        ("GET", "/api/v1/offices/nowhere/services", 404, "unknown-office"),
        ("GET", "/api/v1/offices/nowhere/facts", 404, "unknown-office"),
        ("GET", "/api/v1/offices/nowhere/stream", 404, "unknown-office"),
        ("GET", "/api/v1/offices/nowhere/tickets/20261123-A001", 404, "unknown-office"),
        ("POST", "/api/v1/offices/nowhere/open-day", 404, "unknown-office"),
        ("POST", "/api/v1/offices/nowhere/counters/one/call-next", 404, "unknown-office"),
        ("POST", "/api/v1/offices/centre/counters/nine/call-next", 404, "unknown-counter"),
        ("POST", "/api/v1/offices/centre/counters/nine/undo", 404, "unknown-counter"),
        ("POST", "/api/v1/offices/centre/services/weddings/open", 404, "unknown-service"),
        ("GET", "/api/v1/offices/centre/tickets/20261123-A999", 404, "unknown-ticket"),
        ("POST", "/api/v1/offices/centre/tickets/20261123-A999/start", 404, "unknown-ticket"),
        ("POST", "/api/v1/offices/centre/tickets/A001/start", 422, "bad-input"),
        ("GET", "/api/v1/offices/CENTRE", 422, "bad-input"),
        ("GET", "/api/v1/offices/%00", 422, "bad-input"),
        ("GET", "/api/v1/offices/%ff", 422, "bad-input"),
        ("GET", "/api/v1/offices/centre/facts?limit=0", 422, "bad-input"),
        ("GET", "/api/v1/offices/centre/facts?limit=99999999999999999999999", 422, "bad-input"),
        ("GET", "/api/v1/offices/centre/facts?cursor=nonsense!", 422, "bad-cursor"),
        ("GET", "/api/v1/offices/centre/facts?cursor=LTE", 422, "bad-cursor"),
        ("GET", "/api/v1/offices/centre/facts?cursor=OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5", 422, "bad-cursor"),
        ("GET", "/api/v1/offices?cursor=%D1%8F", 422, "bad-cursor"),
        ("GET", "/api/v1/offices/centre/stream?view=everything", 422, "bad-input"),
        ("GET", "/api/v1/offices/centre/stream?after=-1", 422, "bad-input"),
        ("GET", "/nowhere", 404, "no-such-page"),
        ("GET", "/api/v1/offices/", 404, "no-such-page"),
        ("GET", "/api/v1/offices/centre/", 404, "no-such-page"),
        ("POST", "/api/v1/offices/centre/tickets/20261123-A001/dance", 404, "no-such-page"),
    ],
)
async def test_what_is_not_there_is_refused_by_name(
    before_and_after: Centre, method: str, path: str, status: int, kind: str
) -> None:
    refused = await before_and_after.http.request(method, path, headers={"Idempotency-Key": "k"})

    assert (refused.status_code, refused.json()["type"]) == (status, f"/problems/{kind}")


async def test_a_wrong_method_is_told_the_right_ones(centre: Centre) -> None:
    refused = await centre.http.delete("/api/v1/offices/centre")

    assert (refused.status_code, refused.json()["type"]) == (405, "/problems/method-not-allowed")
    assert refused.headers["allow"] == "GET, HEAD, PUT"


async def test_a_crash_is_a_problem_without_its_secrets(centre: Centre) -> None:
    centre.app.state.hub = None

    crashed = await centre.get("/stream")

    assert (crashed.status_code, crashed.json()["type"]) == (500, "/problems/internal-error")
    assert set(crashed.json()) == {"type", "title", "status", "instance"}


async def test_a_server_with_too_much_to_do_says_when_to_come_back(database: str) -> None:
    async with running(Settings(database=database, queue_size=2), SetClock()) as centre:
        await centre.describe()
        await centre.post("/open-day")

        answers = await asyncio.gather(*(centre.issue() for _ in range(20)))
        listed = (await centre.get()).json()["waiting"]

    refused = [answer for answer in answers if answer.status_code != 201]
    assert {answer.json()["type"] for answer in refused} == {"/problems/overloaded"}
    assert {answer.headers["retry-after"] for answer in refused} == {"1"}
    assert listed == len(answers) - len(refused) > 0


async def test_english_is_what_the_code_says() -> None:
    assert sentence("There is no such office.", ENGLISH) == "There is no such office."
