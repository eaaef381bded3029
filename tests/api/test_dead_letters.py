"""What was given up is listed, and tried once more on request."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from standardwebhooks.webhooks import Webhook as Signature

from app.journal import JournalDown
from app.settings import Settings
from tests.alerts.receiving import HANG, Receiver, receiving
from tests.alerts.telling import SECRET
from tests.api.conftest import CENTRE, Centre, SetClock, on_each_database, running
from tests.api.described import as_described
from tests.engine.hall import soon

ENDPOINT = "monitor"

WEBHOOK = """
[[webhooks]]
name = "{name}"
url = "{url}"
secrets = ["{secret}"]
facts = ["Breached"]
timeout_seconds = 1
give_up_after_minutes = 1
"""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver that refuses everything, until it is told otherwise."""
    with receiving() as receiver:
        receiver.answer = lambda _body: 503
        yield receiver


@pytest.fixture
def settings(database: str, tmp_path: Path, receiver: Receiver) -> Settings:
    """A server that tells the receiver of breaches, and gives up after a minute."""
    return Settings(database=database, alerts=plan(tmp_path, receiver, ENDPOINT))


@pytest.fixture
async def centre(settings: Settings) -> AsyncIterator["Letters"]:
    """The centre, open, on a server that tells."""
    async with serving(settings, SetClock()) as centre:
        await centre.open_office("centre")
        yield centre


@on_each_database
async def test_nothing_was_given_up(centre: "Letters") -> None:
    listed = await centre.listed()

    assert listed == {"dead_letters": [], "next": None}


@on_each_database
async def test_what_was_given_up_is_listed_with_its_fact_and_the_reason(centre: "Letters", receiver: Receiver) -> None:
    await centre.give_up("centre")

    [letter] = (await centre.listed())["dead_letters"]

    breach = await centre.breach_of("centre")
    assert letter["fact"] == breach
    assert (letter["endpoint"], letter["seq"]) == (ENDPOINT, breach["seq"])
    assert letter["error"] == "answered 503 Service Unavailable"
    assert letter["attempts"] == len(receiver.posts)
    assert letter["failed_at"] == centre.clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")


@on_each_database
async def test_what_the_receiver_refuses_again_stays_listed(centre: "Letters", receiver: Receiver) -> None:
    letter = await centre.give_up("centre")
    receiver.answer = lambda _body: 500

    refused = await centre.redeliver(letter)
    in_russian = await centre.redeliver(letter, language="ru")

    assert (refused.status_code, refused.json()["type"]) == (502, "/problems/not-taken")
    assert refused.json()["reason"] == "answered 500 Internal Server Error"
    assert (refused.json()["endpoint"], refused.json()["seq"]) == (ENDPOINT, letter["seq"])
    assert in_russian.json()["title"] == "Получатель не принял сообщение; оно остаётся среди недоставленных."
    assert (await centre.listed())["dead_letters"] == [letter]


@on_each_database
async def test_a_receiver_that_never_answers_has_not_taken_it(centre: "Letters", receiver: Receiver) -> None:
    letter = await centre.give_up("centre")
    receiver.answer = lambda _body: HANG

    refused = await centre.redeliver(letter)

    assert (refused.status_code, refused.json()["reason"]) == (502, "no answer within 1 s")


@on_each_database
async def test_what_is_taken_at_last_is_listed_no_longer(centre: "Letters", receiver: Receiver) -> None:
    letter = await centre.give_up("centre")
    receiver.answer = lambda _body: 200

    delivered = await centre.redeliver(letter)

    assert (delivered.status_code, delivered.json()) == (200, letter)
    assert (await centre.listed())["dead_letters"] == []
    [post] = receiver.taken
    assert {earlier.headers["webhook-id"] for earlier in receiver.posts} == {f"centre/{letter['seq']}"}
    assert (post.json["type"], post.json["data"]["seq"]) == ("fifteen.Breached", letter["seq"])
    Signature(SECRET).verify(post.body.decode(), post.headers)


@on_each_database
async def test_what_was_delivered_is_not_delivered_again(centre: "Letters", receiver: Receiver) -> None:
    letter = await centre.give_up("centre")
    receiver.answer = lambda _body: 200
    await centre.redeliver(letter)

    again = await centre.redeliver(letter)

    assert (again.status_code, again.json()["type"]) == (404, "/problems/unknown-dead-letter")
    assert (again.json()["endpoint"], again.json()["seq"]) == (ENDPOINT, letter["seq"])
    assert len(receiver.taken) == 1


@on_each_database
async def test_an_office_has_only_its_own(centre: "Letters", receiver: Receiver) -> None:
    await centre.open_office("annex")
    theirs = await centre.give_up("annex")
    ours = (await centre.listed("centre"))["dead_letters"]
    receiver.answer = lambda _body: 200

    refused = await centre.redeliver(theirs, "centre")

    assert ours == []
    assert refused.json()["type"] == "/problems/unknown-dead-letter"
    assert receiver.taken == []
    assert (await centre.listed("annex"))["dead_letters"] == [theirs]


@on_each_database
async def test_the_list_is_read_page_by_page_while_it_shrinks(centre: "Letters", receiver: Receiver) -> None:
    def refuse(_body: bytes) -> int:
        # Some are given up at the same instant, and some later.
        centre.clock.go_on(milliseconds=len(receiver.posts) % 2)
        return 503

    receiver.answer = refuse
    await centre.give_up("centre", visitors=5)
    receiver.answer = lambda _body: 200
    whole = (await centre.listed())["dead_letters"]
    first = await centre.listed(limit=2)
    second = await centre.listed(limit=2, cursor=first["next"])

    pages = [await centre.listed(limit=2)]
    while pages[-1]["next"]:
        for letter in pages[-1]["dead_letters"]:
            assert (await centre.redeliver(letter)).status_code == 200
        pages.append(await centre.listed(limit=2, cursor=pages[-1]["next"]))

    assert first["dead_letters"] + second["dead_letters"] == whole[:4]
    assert [len(page["dead_letters"]) for page in pages] == [2, 2, 1]
    assert [letter for page in pages for letter in page["dead_letters"]] == whole
    failed_at = [(letter["failed_at"], letter["seq"]) for letter in whole]
    assert failed_at == sorted(failed_at, reverse=True)
    assert 1 < len({instant for instant, _ in failed_at}) < 5


async def test_what_is_taken_while_the_journal_falls_silent_bears_the_same_id_when_it_comes_again(
    centre: "Letters", receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter = await centre.give_up("centre")
    receiver.answer = lambda _body: 200
    engine = centre.app.state.engine
    ask = engine.ask

    async def ask_until_taken(question: Any) -> Any:
        if receiver.taken:
            raise JournalDown("away")
        return await ask(question)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(engine, "ask", ask_until_taken)
        silent = await centre.redeliver(letter)
    again = await centre.redeliver(letter)

    assert (silent.status_code, silent.json()["type"]) == (503, "/problems/journal-silent")
    assert again.status_code == 200
    assert receiver.ids == [f"centre/{letter['seq']}"] * 2


@on_each_database
async def test_an_endpoint_that_is_gone_from_the_file_cannot_be_told(
    settings: Settings, tmp_path: Path, receiver: Receiver
) -> None:
    clock = SetClock()
    async with serving(settings, clock) as before:
        await before.open_office("centre")
        letter = await before.give_up("centre")
    receiver.answer = lambda _body: 200

    renamed = settings.model_copy(update={"alerts": plan(tmp_path, receiver, "renamed")})
    async with serving(renamed, clock) as after:
        refused = await after.redeliver(letter)
        listed = (await after.listed())["dead_letters"]

    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/endpoint-gone")
    assert refused.json()["endpoint"] == ENDPOINT
    assert listed == [letter]
    assert receiver.taken == []


@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        ("GET", "nowhere/dead-letters", 404, "unknown-office"),
        ("GET", "~canary/dead-letters", 422, "bad-input"),
        ("GET", "centre/dead-letters?limit=0", 422, "bad-input"),
        ("GET", "centre/dead-letters?cursor=nonsense!", 422, "bad-cursor"),
        ("GET", "centre/dead-letters?cursor=MTI", 422, "bad-cursor"),
        # 2026-13-32T00:00:00.000000+00:00 1 monitor
        (
            "GET",
            "centre/dead-letters?cursor=MjAyNi0xMy0zMlQwMDowMDowMC4wMDAwMDArMDA6MDAgMSBtb25pdG9y",
            422,
            "bad-cursor",
        ),
        ("POST", "nowhere/dead-letters/monitor/1/redeliver", 404, "unknown-office"),
        ("POST", "~canary/dead-letters/monitor/1/redeliver", 422, "bad-input"),
        ("POST", "centre/dead-letters/monitor/1/redeliver", 404, "unknown-dead-letter"),
        ("POST", "centre/dead-letters/nobody/1/redeliver", 404, "unknown-dead-letter"),
        ("POST", "centre/dead-letters/monitor/9223372036854775807/redeliver", 404, "unknown-dead-letter"),
        ("POST", "centre/dead-letters/monitor/9223372036854775808/redeliver", 422, "bad-input"),
        ("POST", f"centre/dead-letters/monitor/{'9' * 4_000}/redeliver", 422, "bad-input"),
        ("POST", "centre/dead-letters/monitor/0/redeliver", 422, "bad-input"),
        ("POST", "centre/dead-letters/monitor/-1/redeliver", 422, "bad-input"),
        ("POST", "centre/dead-letters/monitor/first/redeliver", 422, "bad-input"),
        ("POST", "centre/dead-letters/MONITOR/1/redeliver", 422, "bad-input"),
        ("POST", "centre/dead-letters/%00/1/redeliver", 422, "bad-input"),
        ("POST", "centre/dead-letters/%ff/1/redeliver", 422, "bad-input"),
        ("POST", f"centre/dead-letters/{'x' * 41}/1/redeliver", 422, "bad-input"),
    ],
)
async def test_what_makes_no_sense_is_refused_by_name(
    centre: "Letters", method: str, path: str, status: int, kind: str
) -> None:
    refused = as_described(await centre.http.request(method, f"/api/v1/offices/{path}"))

    assert (refused.status_code, refused.json()["type"]) == (status, f"/problems/{kind}")


class Letters:
    """Offices of a server that tells, and their dead letters. Every answer is held against the OpenAPI document."""

    def __init__(self, centre: Centre) -> None:
        self.http, self.clock, self.app, self._centre = centre.http, centre.clock, centre.app, centre

    async def open_office(self, office: str) -> None:
        """An office like the centre, of which the receiver is told from now on."""
        await self._centre.describe(CENTRE | {"id": office})
        await self._post(office, "open-day")
        await soon(lambda: self.app.state.alerts.is_telling)

    async def give_up(self, office: str, *, visitors: int = 1) -> Any:
        """Visitors wait past the limit, and nobody outside can be told; the latest of the dead letters."""
        for _ in range(visitors):
            await self._post(office, "tickets", {"service": "advice"})
        self.clock.go_on(minutes=16)
        await self._post(office, "counters/one/open", {"operator": "Anna"})
        await soon(self._has_failed)
        self.clock.go_on(minutes=1)

        async def are_given_up() -> bool:
            return len((await self.listed(office))["dead_letters"]) == visitors

        await soon(are_given_up)
        return (await self.listed(office))["dead_letters"][0]

    async def breach_of(self, office: str) -> Any:
        """The breach in the office's journal."""
        facts = (await self.http.get(f"/api/v1/offices/{office}/facts")).json()["facts"]
        [breach] = [fact for fact in facts if fact["kind"] == "Breached"]
        return breach

    async def listed(self, office: str = "centre", **asked: Any) -> Any:
        """The office's dead letters."""
        answer = as_described(await self.http.get(f"/api/v1/offices/{office}/dead-letters", params=asked))
        assert answer.status_code == 200
        return answer.json()

    async def redeliver(self, letter: Any, office: str = "centre", language: str = "en") -> httpx2.Response:
        """Have one tried again."""
        path = f"/api/v1/offices/{office}/dead-letters/{letter['endpoint']}/{letter['seq']}/redeliver"
        return as_described(await self.http.post(path, headers={"Accept-Language": language}))

    def _has_failed(self) -> bool:
        """Whether an attempt has, from which on the minute is counted."""
        failed: float = self.app.state.alerts.registry.get_sample_value("queue_deliveries_total", {"result": "failed"})
        return failed > 0

    async def _post(self, office: str, path: str, body: Any = None) -> None:
        self.clock.go_on(microseconds=10)
        headers = {"Idempotency-Key": self._centre.new_key()}
        sent = {} if body is None else {"json": body}
        answer = as_described(await self.http.post(f"/api/v1/offices/{office}/{path}", headers=headers, **sent))
        assert answer.is_success, answer.text


@asynccontextmanager
async def serving(settings: Settings, clock: SetClock) -> AsyncIterator[Letters]:
    """A server that tells, from its start to its stop."""
    async with running(settings, clock) as centre:
        yield Letters(centre)


def plan(folder: Path, receiver: Receiver, name: str) -> Path:
    """A file of alerts with one webhook of this name."""
    path = folder / f"{name}.toml"
    path.write_text(WEBHOOK.format(name=name, url=receiver.url, secret=SECRET), encoding="utf-8")
    return path
