"""What a visitor sees and does from the own page: with a token, without an account."""

from typing import Any

import httpx2
import pytest

from tests.api.conftest import CENTRE, Centre, on_each_database
from tests.api.described import as_described
from tests.api.served import served
from tests.api.test_streams import events

OPERATOR = "Anna Operatorova"


class Visitor:
    """Somebody with a ticket and a telephone."""

    def __init__(self, centre: Centre, issued: dict[str, Any]) -> None:
        self.centre, self.ticket, self.token = centre, issued["id"], issued["visit"]

    async def look(self) -> Any:
        """What the page is told."""
        return (await self.ask()).raise_for_status().json()

    async def ask(self, path: str = "", **options: Any) -> httpx2.Response:
        """Ask for something about the visit."""
        return as_described(await self.centre.http.get(f"/api/v1/visits/{self.token}{path}", **options))

    async def tell(self, what: str, body: Any = None, *, key: str | None = None) -> httpx2.Response:
        """Press a button."""
        self.centre.clock.go_on(microseconds=10)
        sent = {} if body is None else {"json": body}
        headers = {"Idempotency-Key": key or self.centre.new_key()}
        answer = await self.centre.http.post(f"/api/v1/visits/{self.token}/{what}", headers=headers, **sent)
        return as_described(answer)


async def visitor_of(centre: Centre, service: str = "advice", **wish: Any) -> Visitor:
    """Somebody who takes a ticket."""
    return Visitor(centre, (await centre.issue(service, **wish)).json())


async def served_visitor(centre: Centre) -> Visitor:
    """Somebody whose visit is over."""
    visitor = await visitor_of(centre)
    await centre.open(operator=OPERATOR)
    await centre.call_next()
    await centre.step(visitor.ticket, "start")
    await centre.step(visitor.ticket, "finish")
    return visitor


async def remarks(centre: Centre, query: str = "") -> Any:
    """What the supervisor reads."""
    return (await centre.get(f"/remarks{query}")).raise_for_status().json()


@on_each_database
async def test_who_waits_sees_place_and_due(centre: Centre) -> None:
    await centre.issue()
    mine = await visitor_of(centre, "passport", language="ru", category=None)
    centre.clock.go_on(minutes=4)

    visit = await mine.look()

    assert (visit["number"], visit["state"], visit["ahead"]) == ("B001", "waiting", 1)
    assert (visit["waited_seconds"], visit["limit_seconds"]) == (240, 900)
    assert visit["due"][:16] == "2026-11-23T08:15"
    assert visit["service"] == {"id": "passport", "name": {"en": "Passport", "ru": "Паспорт"}}
    assert visit["office"]["hotline"] == "8-800-000-15-15"
    assert visit["may"] == {
        "leave": True,
        "more_time": {"seconds": 600, "left": 1},
        "back": False,
        "here": False,
        "rate": False,
    }
    assert (visit["counter"], visit["over_limit_since"], visit["expected_at"]) == (None, None, None)


async def test_nobody_keeps_a_copy_of_it(centre: Centre) -> None:
    mine = await visitor_of(centre)

    assert (await mine.ask()).headers["cache-control"] == "no-store"


async def test_about_when_is_told_once_the_counters_have_a_pace(centre: Centre) -> None:
    for _ in range(4):
        await centre.issue()
    mine = await visitor_of(centre)
    await centre.open()
    for _ in range(3):
        called = (await centre.call_next()).json()["id"]
        await centre.step(called, "start")
        centre.clock.go_on(minutes=2)
        await centre.step(called, "finish")

    visit = await mine.look()

    assert visit["ahead"] == 1
    assert visit["server_time"][:16] == "2026-11-23T08:06"
    assert visit["expected_at"][:16] == "2026-11-23T08:10"


async def test_who_is_called_sees_the_counter_until_the_service_ends(centre: Centre) -> None:
    mine = await visitor_of(centre)
    await centre.open(operator=OPERATOR)
    await centre.call_next()
    called = await mine.look()
    await centre.step(mine.ticket, "start")
    serving = await mine.look()
    await centre.step(mine.ticket, "finish")
    served = await mine.look()

    assert (called["state"], called["counter"]) == ("called", {"id": "one", "name": {"en": "One", "ru": "Один"}})
    assert called["called_at"] is not None
    assert called["ahead"] is None
    assert (serving["state"], serving["counter"]["id"], serving["may"]["leave"]) == ("serving", "one", False)
    assert (served["state"], served["counter"], served["may"]["rate"]) == ("served", None, True)


async def test_over_the_limit_is_said_with_its_instant(centre: Centre) -> None:
    mine = await visitor_of(centre)
    due = (await mine.look())["due"]
    centre.clock.go_on(minutes=20)
    not_on_record = await mine.look()
    await centre.open()

    visit = await mine.look()

    assert not_on_record["over_limit_since"] == visit["over_limit_since"] == due
    assert [(step["what"], step["at"]) for step in visit["timeline"]] == [
        ("issued", visit["issued_at"]),
        ("over_limit", due),
    ]


async def test_the_timeline_is_the_journal_without_its_people(centre: Centre) -> None:
    mine = await served_visitor(centre)

    visit = await mine.look()

    history = (await centre.get(f"/tickets/{mine.ticket}")).json()["history"]
    assert [(step["seq"], step["hash"]) for step in visit["timeline"]] == [
        (fact["seq"], fact["hash"]) for fact in history
    ]
    assert [step["what"] for step in visit["timeline"]] == ["issued", "called", "started", "served"]
    assert [step["counter"] and step["counter"]["id"] for step in visit["timeline"]] == [None, "one", None, None]
    assert OPERATOR in str(history)


async def test_no_operator_and_no_word_of_the_office_leaves_by_it(centre: Centre) -> None:
    mine = await visitor_of(centre)
    await centre.open(operator=OPERATOR)
    await centre.call_next()
    await centre.step(mine.ticket, "return", {"reason": "smelt of wine"})
    centre.clock.go_on(minutes=20)
    await centre.open("two", "Boris Inspectorov")
    said = {"by": "Director Ivanova", "cause": "other", "remark": "a difficult person"}
    await centre.step(mine.ticket, "acknowledge", said)
    other = await visitor_of(centre)
    await centre.post(f"/tickets/{other.ticket}/call", {"counter": "two", "reason": "my cousin"})

    answer = await mine.ask()

    assert answer.json()["passed_by"][0]["why"] == "chosen"
    for secret in (OPERATOR, "Inspectorov", "wine", "Ivanova", "difficult", "cousin", other.ticket, other.token):
        assert secret not in answer.text, secret


async def test_leaving_gives_the_place_up(centre: Centre) -> None:
    mine = await visitor_of(centre)

    left = await mine.tell("leave", key="bye")
    again = await mine.tell("leave", key="bye")
    once_more = await mine.tell("leave")

    visit = await mine.look()
    assert (left.status_code, again.status_code) == (204, 204)
    assert (once_more.status_code, once_more.json()["type"]) == (409, "/problems/step-forbidden")
    assert (visit["state"], visit["may"]["leave"]) == ("left", False)
    assert (await centre.get()).json()["waiting"] == 0


async def test_more_time_stops_the_clock_and_keeps_what_was_waited(centre: Centre) -> None:
    mine = await visitor_of(centre)
    centre.clock.go_on(minutes=5)

    granted = await mine.tell("more-time")

    centre.clock.go_on(minutes=4)
    visit = await mine.look()
    refused = await mine.tell("more-time")
    assert granted.status_code == 204
    assert (visit["state"], visit["held_by"], visit["due"], visit["waited_seconds"]) == ("held", "visitor", None, 300)
    assert visit["held_until"][:16] == "2026-11-23T08:15"
    assert (visit["may"]["leave"], visit["may"]["more_time"]) == (True, None)
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/step-forbidden")


async def test_who_is_back_early_waits_on_and_whom_the_office_holds_does_not(centre: Centre) -> None:
    mine = await visitor_of(centre)
    centre.clock.go_on(minutes=5)
    await mine.tell("more-time")
    centre.clock.go_on(minutes=2)
    aside = await mine.look()

    back = await mine.tell("back")

    again = await mine.tell("back")
    visit = await mine.look()
    await centre.post(f"/tickets/{mine.ticket}/hold", {"by": "office"})
    held = await mine.look()
    assert (aside["may"]["back"], back.status_code) == (True, 204)
    assert (visit["state"], visit["waited_seconds"], visit["may"]["back"]) == ("waiting", 300, False)
    assert (again.status_code, again.json()["type"]) == (409, "/problems/step-forbidden")
    assert (held["state"], held["may"]["back"]) == ("held", False)


async def test_more_time_comes_to_an_end_and_is_not_given_for_ever(centre: Centre) -> None:
    mine = await visitor_of(centre)
    await mine.tell("more-time")
    centre.clock.go_on(minutes=11)
    await centre.open()

    visit = await mine.look()
    refused = await mine.tell("more-time")

    assert (visit["state"], visit["ahead"], visit["may"]["more_time"]) == ("waiting", 0, None)
    assert [step["what"] for step in visit["timeline"]] == ["issued", "stepped_aside", "resumed"]
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/no-more-time")


# Who went first


async def passed_by(visitor: Visitor) -> list[tuple[str, str]]:
    """Whom the page says to have gone first, and why."""
    return [(passed["number"], passed["why"]) for passed in (await visitor.look())["passed_by"]]


async def test_who_went_first_is_told_with_the_reason(centre: Centre) -> None:
    await centre.open()
    mine = await visitor_of(centre)
    centre.clock.go_on(minutes=1)
    await centre.issue("passport", category="veteran")
    await centre.booked("2026-11-23T08:00:00Z")
    chosen = (await centre.issue()).json()["id"]
    centre.clock.go_on(minutes=1)
    for _ in range(2):
        called = (await centre.call_next()).json()["id"]
        await centre.step(called, "start")
        await centre.step(called, "finish")
    await centre.post(f"/tickets/{chosen}/call", {"counter": "one", "reason": "a child is ill"})

    assert await passed_by(mine) == [("A003", "chosen"), ("A002", "booked"), ("B001", "out_of_turn")]


async def test_who_went_first_while_the_visitor_was_away(centre: Centre) -> None:
    await centre.open()
    mine = await visitor_of(centre)
    await mine.tell("more-time")
    await centre.issue()
    await centre.call_next()

    assert await passed_by(mine) == [("A002", "while_away")]


async def test_nobody_went_first_who_came_first_or_went_elsewhere_or_was_taken_back(centre: Centre) -> None:
    await centre.issue()
    mine = await visitor_of(centre, "passport")
    await centre.issue(category="veteran")
    await centre.issue(category="veteran")
    await centre.open("two", "Boris")
    await centre.call_next("two")
    await centre.open("one")
    await centre.call_next("one")
    await centre.post("/counters/one/undo")

    assert await passed_by(mine) == []


async def test_nobody_goes_first_any_more_once_one_is_called(centre: Centre) -> None:
    mine = await visitor_of(centre)
    await centre.issue()
    await centre.open("one")
    await centre.open("two", "Boris")
    await centre.call_next("one")
    await centre.call_next("two")

    assert await passed_by(mine) == []


# Rating


@on_each_database
async def test_a_rating_counts_and_the_latest_word_stands(centre: Centre) -> None:
    mine = await served_visitor(centre)

    first = await mine.tell("rate", {"stars": 2})
    await mine.tell("rate", {"stars": 4, "felt_minutes": 25})

    visit = await mine.look()
    assert first.status_code == 204
    assert visit["stars"] == 4
    assert (await centre.get()).json()["ratings_today"] == {"count": 1, "average": 4.0}


@on_each_database
async def test_what_is_written_is_read_by_the_office_and_stays_out_of_the_journal(centre: Centre) -> None:
    mine = await served_visitor(centre)
    other = await visitor_of(centre)
    await other.tell("leave")

    await mine.tell("rate", {"stars": 5, "remark": "Спасибо!\nВсё быстро."})
    await other.tell("rate", {"stars": 1, "remark": "Nobody came for an hour.", "complaint": True})

    said = (await remarks(centre))["remarks"]
    assert [(each["ticket"], each["kind"], each["text"]) for each in said] == [
        (other.ticket, "complaint", "Nobody came for an hour."),
        (mine.ticket, "remark", "Спасибо!\nВсё быстро."),
    ]
    facts = (await centre.get("/facts")).text
    assert '"Rated"' in facts
    assert "Nobody came" not in facts


async def test_a_repeated_rating_is_written_once(centre: Centre) -> None:
    mine = await served_visitor(centre)
    wish = {"stars": 3, "remark": "The chairs are hard."}

    answers = [await mine.tell("rate", wish, key="once") for _ in range(3)]
    another = await mine.tell("rate", wish | {"remark": "The chairs are soft."}, key="once")

    assert [answer.status_code for answer in answers] == [204, 204, 204]
    assert (another.status_code, another.json()["type"]) == (422, "/problems/key-reused")
    assert [each["text"] for each in (await remarks(centre))["remarks"]] == ["The chairs are hard."]


async def test_remarks_come_in_pages(centre: Centre) -> None:
    mine = await served_visitor(centre)
    for number in range(3):
        await mine.tell("rate", {"stars": 3, "remark": f"remark {number}"})

    first = await remarks(centre, "?limit=2")
    rest = await remarks(centre, f"?limit=2&cursor={first['next']}")

    assert [each["text"] for page in (first, rest) for each in page["remarks"]] == ["remark 2", "remark 1", "remark 0"]
    assert rest["next"] is None
    assert (await centre.get("/remarks?cursor=nonsense!")).json()["type"] == "/problems/bad-cursor"


async def test_remarks_are_forgotten(centre: Centre) -> None:
    mine = await served_visitor(centre)
    await mine.tell("rate", {"stars": 3, "remark": "The chairs are hard."})

    centre.clock.go_on(days=181)

    assert await remarks(centre) == {"remarks": [], "next": None}


async def test_no_rating_before_the_end_nor_on_another_day_nor_for_ever(centre: Centre) -> None:
    waiting = await visitor_of(centre)
    early = await waiting.tell("rate", {"stars": 5})
    await waiting.tell("leave")
    rated = [await waiting.tell("rate", {"stars": 5}) for _ in range(6)]
    centre.clock.go_on(days=1)
    await centre.open()
    late = await waiting.tell("rate", {"stars": 5})

    assert (early.status_code, early.json()["type"]) == (409, "/problems/step-forbidden")
    assert [answer.status_code for answer in rated] == [204] * 5 + [409]
    assert rated[-1].json()["type"] == "/problems/rated-often"
    assert (late.status_code, late.json()["type"]) == (404, "/problems/unknown-ticket")
    visit = await waiting.look()
    assert (visit["state"], visit["stars"], visit["may"]["rate"]) == ("left", 5, False)


@pytest.mark.parametrize(
    "wish",
    [
        {},
        {"stars": 0},
        {"stars": 6},
        {"stars": True},
        {"stars": "5"},
        {"stars": 5, "felt_minutes": 601},
        {"stars": 5, "felt_minutes": -1},
        {"stars": 5, "remark": ""},
        {"stars": 5, "remark": " \n "},
        {"stars": 5, "remark": "x" * 1001},
        {"stars": 5, "remark": "bell\x07"},
        {"stars": 5, "remark": None, "name": "Ivan"},
    ],
)
async def test_a_bad_rating_changes_nothing(centre: Centre, wish: Any) -> None:
    mine = await served_visitor(centre)
    before = await centre.seq()

    refused = await mine.tell("rate", wish)

    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/bad-input")
    assert await centre.seq() == before
    assert await remarks(centre) == {"remarks": [], "next": None}


# Tokens, and whom they lead to


async def test_a_token_with_one_letter_changed_is_nobodys(centre: Centre) -> None:
    mine = await visitor_of(centre)
    for place in range(len(mine.token)):
        letter = "b" if mine.token[place] == "a" else "a"
        mistyped = mine.token[:place] + letter + mine.token[place + 1 :]

        asked = as_described(await centre.http.get(f"/api/v1/visits/{mistyped}"))

        assert (asked.status_code, asked.json()["type"]) == (404, "/problems/unknown-visit"), mistyped
        assert asked.headers["content-type"] == "application/problem+json"


async def test_nothing_is_done_for_a_token_that_is_nobodys(centre: Centre) -> None:
    mine = await visitor_of(centre)
    before = await centre.seq()
    mine.token = mine.token[:-1] + ("A" if mine.token[-1] != "A" else "B")

    answers = [
        await mine.tell("leave"),
        await mine.tell("more-time"),
        await mine.tell("rate", {"stars": 1, "remark": "not mine"}),
        await mine.ask("/stream"),
    ]

    assert {(answer.status_code, answer.json()["type"]) for answer in answers} == {(404, "/problems/unknown-visit")}
    assert await centre.seq() == before


async def test_nothing_leaks_from_one_office_to_another(centre: Centre) -> None:
    await centre.describe(CENTRE | {"id": "annex", "name": {"en": "Annex", "ru": "Филиал"}, "hotline": "112"})
    await centre.http.post("/api/v1/offices/annex/open-day")
    mine = await visitor_of(centre)
    issued = await centre.http.post(
        "/api/v1/offices/annex/tickets", json={"service": "advice"}, headers={"Idempotency-Key": "k"}
    )
    theirs = Visitor(centre, issued.json())
    before = await theirs.look()

    await mine.tell("leave")
    await mine.tell("rate", {"stars": 1, "remark": "Only for the centre."})

    after = await theirs.look()
    assert mine.ticket == theirs.ticket
    assert mine.token != theirs.token
    assert after | {"server_time": None} == before | {"server_time": None}
    assert (after["office"]["id"], after["office"]["hotline"]) == ("annex", "112")
    assert (await centre.http.get("/api/v1/offices/annex/remarks")).json() == {"remarks": [], "next": None}
    forged = theirs.token.replace("annex", "centre")
    assert (await centre.http.get(f"/api/v1/visits/{forged}")).status_code == 404


async def test_the_stream_beats_and_tells_nothing(centre: Centre) -> None:
    mine = await visitor_of(centre)
    async with (
        served(centre.app) as address,
        httpx2.AsyncClient(base_url=address, timeout=30) as http,
        http.stream("GET", f"/api/v1/visits/{mine.token}/stream") as response,
    ):
        told = events(response)
        first = await anext(told)
        await centre.open(operator=OPERATOR)
        second = await anext(told)
        await centre.post("/counters/one/call-next", key="call")
        third = await anext(told)

    assert response.headers["content-type"] == "text/event-stream"
    assert (first, second, third) == ({"seq": 3}, {"seq": 4}, {"seq": 5, "yours": True})


async def test_a_visit_that_the_journal_does_not_know_is_nobodys(centre: Centre) -> None:
    token = centre.app.state.tokens.of("centre", "20261123-Z999")

    asked = await centre.http.get(f"/api/v1/visits/{token}")

    assert (asked.status_code, asked.json()["type"]) == (404, "/problems/unknown-visit")
