"""The visitor's page on a telephone: one number, what comes next, and what can be done about it."""

import asyncio
import re
from collections.abc import AsyncIterator
from itertools import count, pairwise
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from tests.command_line.servers import LiveServer, serving
from tests.screens.conftest import PATIENCE_MS, picture, post, violations

pytestmark = pytest.mark.needs("chromium")

KEYS = count(1)
TELEPHONE: Any = {"width": 320, "height": 640}
CHIMES = 3
"""Tones of one ring."""

LISTENED = """
    window.tones = 0;
    window.trembled = 0;
    const start = OscillatorNode.prototype.start;
    OscillatorNode.prototype.start = function (...when) { window.tones++; return start.apply(this, when); };
    const vibrate = navigator.vibrate.bind(navigator);
    navigator.vibrate = (pattern) => { window.trembled++; return vibrate(pattern); };
"""
"""Counts what a telephone plays and how often it trembles, and lets it do so."""


class Visitor:
    """Somebody with a ticket and its page."""

    def __init__(self, hall: LiveServer, page: Page, ticket: dict[str, Any]) -> None:
        self.hall, self.page = hall, page
        self.id, self.number, self.token = ticket["id"], ticket["number"], ticket["visit"]

    async def open(self, language: str = "en") -> None:
        """Scan the code on the ticket, and wait until the page is live."""
        await self.page.goto(f"{self.hall.url}/visit/{self.token}?lang={language}")
        await expect(self.page.locator("html")).to_have_attribute("data-live", "true")

    def at(self, selector: str) -> Locator:
        """A part of the page."""
        return self.page.locator(selector)

    async def is_now(self, state: str) -> None:
        """Wait until the page shows this state."""
        await expect(self.at("body")).to_have_attribute("data-state", state)

    def step(self, name: str, body: Any = None) -> None:
        """An operator does something with the ticket."""
        post(self.hall, f"/tickets/{self.id}/{name}", body)

    def call(self, counter: str = "1") -> None:
        """The operator calls this very ticket."""
        self.step("call", {"counter": counter, "reason": "the test asks for it"})


@pytest.fixture(autouse=True)
def nobody_waits(hall: LiveServer) -> None:
    """Everybody of the test before has gone."""
    state = hall.http.get("/api/v1/offices/centre").json()
    for counter in state["counters"]:
        if visitor := counter["visitor"]:
            if visitor["state"] == "called":
                post(hall, f"/tickets/{visitor['ticket']}/start")
            post(hall, f"/tickets/{visitor['ticket']}/finish")
    for place in state["line"]:
        post(hall, f"/tickets/{place['ticket']}/cancel", {})
    for counter in ("1", "2"):
        post(hall, f"/counters/{counter}/open", {"operator": f"Operatorova {counter}"})


@pytest.fixture
async def telephone(browser: Browser) -> AsyncIterator[Page]:
    """A telephone that counts its tones."""
    context = await browser.new_context(viewport=TELEPHONE, has_touch=True)
    context.set_default_timeout(PATIENCE_MS)
    await context.add_init_script(LISTENED)
    yield await context.new_page()
    await context.close()


@pytest.fixture
def visitor(hall: LiveServer, telephone: Page) -> Visitor:
    """Somebody who has just taken a ticket."""
    return Visitor(hall, telephone, issue(hall))


def issue(hall: LiveServer, service: str = "advice", **wish: Any) -> Any:
    """A ticket taken at the kiosk."""
    return post(hall, "/tickets", {"service": service, **wish}, f"visitor-{next(KEYS)}")


def call_next(hall: LiveServer, counter: str = "1") -> Any:
    """An operator presses Next."""
    return post(hall, f"/counters/{counter}/call-next", key=f"visitor-{next(KEYS)}")


async def until(page: Page, condition: str) -> None:
    """Wait for something on the page; Playwright's own way needs `eval`, which our policy forbids."""
    patience = monotonic() + PATIENCE_MS / 1000
    while not await page.evaluate(condition):
        assert monotonic() < patience, condition
        await asyncio.sleep(0.05)


# The line


async def test_who_waits_sees_the_number_who_is_ahead_and_the_latest_time(hall: LiveServer, telephone: Page) -> None:
    issue(hall)
    issue(hall)
    visitor = Visitor(hall, telephone, issue(hall))

    await visitor.open()

    await expect(visitor.at("h1 .number")).to_have_text(visitor.number)
    await expect(visitor.at("#headline")).to_have_text("Ahead of you: 2")
    await expect(visitor.at("#when")).to_have_text(re.compile(r"No later than \d\d:\d\d"))
    await expect(visitor.at("#waited-words")).to_have_text("You have waited 0 of the 15 minutes promised")
    assert await telephone.title() == f"{visitor.number} · Ahead of you: 2"


async def test_the_line_moves_on_the_page_and_is_said_to_who_listens(hall: LiveServer, telephone: Page) -> None:
    issue(hall)
    visitor = Visitor(hall, telephone, issue(hall))
    await visitor.open()
    await expect(visitor.at("#headline")).to_have_text("Ahead of you: 1")

    call_next(hall)

    await expect(visitor.at("#headline")).to_have_text("You are next")
    await expect(visitor.at("#told")).to_have_text(re.compile("^You are next"))


async def test_the_page_speaks_the_language_that_is_chosen(visitor: Visitor) -> None:
    await visitor.open("en")

    await visitor.page.get_by_role("link", name="Русский").click()

    await expect(visitor.at("html")).to_have_attribute("lang", "ru")
    await expect(visitor.at("#headline")).to_have_text("Вы следующий в очереди")
    await expect(visitor.at("#leave")).to_have_text("Я ухожу")


async def test_a_busy_hall_is_not_asked_about_more_than_once_a_second(hall: LiveServer, visitor: Visitor) -> None:
    await visitor.page.add_init_script(QUESTIONS)
    await visitor.open()

    for _ in range(40):
        last = issue(hall)
        post(hall, f"/tickets/{last['id']}/cancel", {})
    await until(visitor.page, "asked.length >= 2")
    asked: list[float] = await visitor.page.evaluate("asked")
    # What happens to the visit itself is asked about at once.
    visitor.call()
    await visitor.is_now("called")

    assert all(later - earlier >= 1_000 for earlier, later in pairwise(asked))


QUESTIONS = """
    window.asked = [];
    const ask = window.fetch;
    window.fetch = (address, ...wish) => {
        if (/^\\/api\\/v1\\/visits\\/[^/]+$/.test(address)) asked.push(performance.now());
        return ask(address, ...wish);
    };
"""
"""Writes down when the page asks for the visit: a request that begins may begin late."""


# The call


async def test_a_call_fills_the_screen_with_the_counter_and_makes_itself_heard(visitor: Visitor) -> None:
    page = visitor.page
    await visitor.open()
    await visitor.at("#sound").click()
    await expect(visitor.at("#sound")).to_have_text("The sound is on. Touch here to try it.")
    await until(page, f"window.tones >= {CHIMES}")
    tried: int = await page.evaluate("window.tones")

    visitor.call()
    await visitor.is_now("called")

    await expect(visitor.at("#headline")).to_have_text("It is your turn. Please go to:")
    await expect(visitor.at("#counter")).to_have_text("Counter 1")
    await expect(visitor.at("#counter")).to_be_in_viewport()
    await expect(visitor.at("#called")).to_have_text(f"{visitor.number}. It is your turn. Please go to: Counter 1")
    await until(page, f"window.tones >= {tried + CHIMES} && window.trembled >= 1")
    assert await page.title() == f"➜ Counter 1 · {visitor.number}"


async def test_the_call_stays_until_service_begins(visitor: Visitor) -> None:
    await visitor.open()
    visitor.call()
    await visitor.is_now("called")

    visitor.step("recall")
    await expect(visitor.at("#timeline li")).to_have_count(3)
    await visitor.is_now("called")
    visitor.step("start")

    await visitor.is_now("serving")
    await expect(visitor.at("#headline")).to_have_text("You are being served at:")
    await expect(visitor.at("#counter")).to_have_text("Counter 1")
    assert await visitor.page.title() == f"{visitor.number} · You are being served at:"


async def test_who_opens_the_page_late_is_called_all_the_same(visitor: Visitor) -> None:
    visitor.call()

    await visitor.open()
    await visitor.is_now("called")
    await visitor.at("h1").tap()

    await until(visitor.page, f"window.tones >= {CHIMES}")


# What a visitor can do


async def test_who_missed_the_call_says_so_and_is_in_the_line_again(visitor: Visitor) -> None:
    await visitor.open()
    visitor.call()
    await visitor.is_now("called")
    visitor.step("no-show")
    await visitor.is_now("late")
    await expect(visitor.at("#headline")).to_contain_text("You were called and did not come. Come by")

    await visitor.page.get_by_role("button", name="I am here").click()

    await visitor.is_now("waiting")
    await expect(visitor.at("#here")).to_be_hidden()


async def test_more_time_keeps_the_place_and_says_what_it_means(visitor: Visitor) -> None:
    await visitor.open()
    await expect(visitor.at("#more-time p")).to_contain_text("The clock stands meanwhile")
    await expect(visitor.at("#more-time p")).to_contain_text("Times left: 1.")

    await visitor.page.get_by_role("button", name="I need 10 more minutes").dblclick()

    await visitor.is_now("held")
    await expect(visitor.at("#headline")).to_have_text(re.compile(r"Your place is kept until \d\d:\d\d"))
    await expect(visitor.at("h1")).to_be_focused()
    await expect(visitor.at("#note")).to_contain_text("The clock stands meanwhile. You have waited 0 of 15 minutes")
    await expect(visitor.at("#more-time")).to_be_hidden()
    await expect(visitor.at("#problem")).to_be_hidden()
    await visitor.page.get_by_role("button", name="I am back").click()
    await visitor.is_now("waiting")
    await expect(visitor.at("#back")).to_be_hidden()
    assert [fact["kind"] for fact in history(visitor)] == ["Issued", "Held", "Resumed"]


async def test_leaving_is_asked_about_once_more(visitor: Visitor) -> None:
    page = visitor.page
    await visitor.open()
    await page.get_by_role("button", name="I am leaving", exact=True).click()
    await page.get_by_role("button", name="No, I stay").click()
    await expect(visitor.at("#leaving")).to_be_hidden()
    await visitor.is_now("waiting")

    await page.get_by_role("button", name="I am leaving", exact=True).click()
    await page.get_by_role("button", name="Yes, I am leaving").click()

    await visitor.is_now("left")
    await expect(visitor.at("#headline")).to_have_text("You have left the line")
    await expect(visitor.at("#actions")).to_be_hidden()
    assert [fact["kind"] for fact in history(visitor)] == ["Issued", "Left"]


async def test_what_is_refused_says_why(hall: LiveServer, visitor: Visitor) -> None:
    await visitor.open()
    await visitor.page.context.route("**/more-time", lambda route: _meanwhile_called(visitor, route))

    await visitor.page.get_by_role("button", name="I need 10 more minutes").click()

    await expect(visitor.at("#problem")).to_have_text("The ticket is not in a state for this step.")
    await visitor.is_now("serving")


async def _meanwhile_called(visitor: Visitor, route: Any) -> None:
    """The operator is faster than the network."""
    visitor.call()
    visitor.step("start")
    await route.continue_()


async def test_everything_can_be_done_by_keyboard(visitor: Visitor) -> None:
    page = visitor.page
    await visitor.open()

    await press_until(page, "#leave")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="No, I stay")).to_be_focused()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await visitor.is_now("left")
    await expect(visitor.at("#rating")).to_be_visible()
    await press_until(page, "[data-stars='3']")
    await page.keyboard.press("Space")
    await expect(visitor.at("#words-form")).to_be_visible()
    await press_until(page, "#remark")
    await page.keyboard.type("Too loud.")
    await press_until(page, "#words-form button")
    await page.keyboard.press("Enter")

    await expect(visitor.at("#rated")).to_have_text("Thank you! Your words have arrived.")
    assert remarks(visitor.hall)[0]["text"] == "Too loud."


async def press_until(page: Page, selector: str) -> None:
    """Go on by Tab until this has the focus."""
    for _ in range(30):
        await page.keyboard.press("Tab")
        if await page.locator(selector).evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"{selector} cannot be reached")


# Why, and what was


async def test_why_somebody_went_first_is_told_in_plain_words(hall: LiveServer, visitor: Visitor) -> None:
    await visitor.open()
    await expect(visitor.at("#passed")).to_be_hidden()
    veteran = issue(hall, category="veteran")

    call_next(hall)

    await expect(visitor.at("#passed li")).to_have_text(f"{veteran['number']} has a right by law to go out of turn.")


async def test_the_visit_is_told_step_by_step_with_its_seals(visitor: Visitor) -> None:
    visitor.call()
    visitor.step("start")
    visitor.step("finish")
    await visitor.open()

    await visitor.at("summary").click()

    told = await visitor.at("#timeline li p").all_inner_texts()
    assert [text.split("\n")[0] for text in told] == [
        "You took the ticket: Advice",
        "You were called: Counter 1",
        "Your service began",
        "Your service ended",
    ]
    seals = [f"line {fact['seq']}, {fact['hash'][:8]}…" for fact in history(visitor)]
    assert [text.split("\n")[1] for text in told] == seals
    assert "Operatorova" not in await visitor.page.content()


async def test_past_the_limit_the_page_says_so_and_whom_to_call(telephone: Page, tmp_path: Path) -> None:
    with serving(tmp_path, "--demo-speed", "300", "--demo-start", "2026-11-26T09:00+03:00", canary_seconds="0") as hall:
        post(hall, "/open-day")
        visitor = Visitor(hall, telephone, issue(hall))
        await visitor.open()

        await expect(visitor.at("#over")).to_be_visible()

        await expect(visitor.at("#over p").first).to_contain_text("longer than the promised 15 minutes")
        await expect(visitor.at("#over p").first).to_contain_text("This is on record and stays there.")
        await expect(visitor.at("#over a")).to_have_attribute("href", "tel:88000001515")
        await expect(visitor.at("#when")).to_be_hidden()
        await expect(visitor.at(".demo")).to_have_text("Demonstration: the clock runs at 300x")
        await picture(telephone, "visitor-over-limit-320-en")
        assert await violations(telephone) == []


# Afterwards


async def test_a_visit_is_rated_by_one_touch_and_words_if_there_are_any(visitor: Visitor) -> None:
    page = visitor.page
    await visitor.open()
    visitor.call()
    visitor.step("start")
    visitor.step("finish")
    await expect(visitor.at("#headline")).to_have_text("Your visit is over. Thank you for coming!")

    await page.get_by_role("button", name="2 of 5").tap()
    await expect(page.get_by_role("button", name="2 of 5")).to_have_attribute("aria-pressed", "true")
    await page.get_by_label("How long did the wait feel").fill("40")
    await page.get_by_label("What would you like to tell us").fill("Nobody said a word.\nНи слова!")
    await page.get_by_label("This is a complaint").check()
    await page.get_by_role("button", name="Send").click()

    await expect(visitor.at("#rated")).to_have_text("Thank you! Your words have arrived.")
    await expect(visitor.at("#words-form")).to_be_hidden()
    rated = [(fact["stars"], fact["felt_minutes"]) for fact in history(visitor) if fact["kind"] == "Rated"]
    assert rated == [(2, None), (2, 40)]
    assert [(said["kind"], said["text"]) for said in remarks(visitor.hall)[:1]] == [
        ("complaint", "Nobody said a word.\nНи слова!")
    ]


def history(visitor: Visitor) -> Any:
    """What the journal says of the visit."""
    return visitor.hall.http.get(f"/api/v1/offices/centre/tickets/{visitor.id}").json()["history"]


def remarks(hall: LiveServer) -> Any:
    """What was written, the latest first."""
    return hall.http.get("/api/v1/offices/centre/remarks").json()["remarks"]


# When something is wrong


async def test_an_address_with_one_letter_changed_leads_to_a_page_that_helps(visitor: Visitor) -> None:
    mistyped = visitor.token[:-1] + ("A" if visitor.token[-1] != "A" else "B")

    reply = await visitor.page.goto(f"{visitor.hall.url}/visit/{mistyped}?lang=en")

    assert reply
    assert (reply.status, reply.headers["content-type"]) == (404, "text/html; charset=utf-8")
    await expect(visitor.at("h1")).to_have_text("We do not know this visit")
    await expect(visitor.at("main")).to_contain_text("Your place in the line is safe either way")
    assert await violations(visitor.page) == []


async def test_nothing_of_another_office_is_on_the_page(visitor: Visitor) -> None:
    annex = ANNEX | {"hotline": "112"}
    visitor.hall.http.put("/api/v1/offices/annex", json=annex).raise_for_status()
    visitor.hall.http.post("/api/v1/offices/annex/open-day").raise_for_status()
    await visitor.open()
    key = {"Idempotency-Key": f"visitor-{next(KEYS)}"}

    theirs = visitor.hall.http.post("/api/v1/offices/annex/tickets", json={"service": "secret"}, headers=key).json()
    issue(visitor.hall)
    page = await visitor.page.context.new_page()
    other = Visitor(visitor.hall, page, theirs)
    await other.open()

    await expect(other.at("#headline")).to_have_text("You are next")
    await expect(other.at("footer a")).to_have_text("112")
    for word in ("Zarechny", "8-800", visitor.number, "Operatorova"):
        assert word not in await page.content(), word
    for word in ("Annex", "Secret", "112", theirs["number"]):
        assert word not in await visitor.page.locator("body").inner_text(), word


ANNEX: dict[str, Any] = {
    "id": "annex",
    "name": {"en": "Annex", "ru": "Филиал"},
    "time_zone": "UTC",
    "hours": {day: ["00:00-24:00"] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")},
    "services": [{"id": "secret", "letter": "X", "name": {"en": "Secret", "ru": "Секрет"}}],
    "counters": [{"id": "one", "name": {"en": "One", "ru": "Один"}, "services": ["secret"]}],
}


async def test_a_lost_link_is_said_and_the_call_is_not_lost(telephone: Page, tmp_path: Path) -> None:
    with serving(tmp_path, "--port", "0", canary_seconds="0") as hall:
        visitor = Visitor(hall, telephone, issue(hall))
        await visitor.open()
        port = hall.url.rpartition(":")[2]

        hall.kill()

        await expect(visitor.at(".stale")).to_have_text(re.compile(r"No connection since \d\d:\d\d"))
    with serving(tmp_path, "--port", port, canary_seconds="0") as hall:
        visitor.hall = hall
        post(hall, "/counters/1/open", {"operator": "Anna"})
        visitor.call()

        await visitor.is_now("called")
        await expect(visitor.at(".stale")).to_be_hidden()


# How it looks


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["ru", "en"])
async def test_every_state_is_readable_for_everybody(
    hall: LiveServer, browser: Browser, language: str, scheme: Any
) -> None:
    issue(hall, "passport")
    context = await browser.new_context(viewport=TELEPHONE, color_scheme=scheme)
    context.set_default_timeout(PATIENCE_MS)
    visitor = Visitor(hall, await context.new_page(), issue(hall))
    await visitor.open(language)
    issue(hall, category="veteran")
    call_next(hall, "2")
    await expect(visitor.at("#passed")).to_be_visible()
    name = f"320-{language}-{scheme}"

    await looks_well(visitor, f"visitor-waiting-{name}")
    await visitor.at("#leave").click()
    await looks_well(visitor, f"visitor-leaving-{name}")
    await visitor.page.keyboard.press("Escape")
    await visitor.at("#more-time button").click()
    await visitor.is_now("held")
    await looks_well(visitor, f"visitor-held-{name}")
    visitor.step("resume")
    visitor.call()
    await visitor.is_now("called")
    await looks_well(visitor, f"visitor-called-{name}")
    visitor.step("start")
    await visitor.is_now("serving")
    visitor.step("finish")
    await visitor.is_now("served")
    await visitor.at("[data-stars='5']").click()
    await expect(visitor.at("#words-form")).to_be_visible()
    await visitor.at("summary").click()
    await looks_well(visitor, f"visitor-rated-{name}")
    await context.close()


async def looks_well(visitor: Visitor, name: str) -> None:
    """Nothing against WCAG 2.2 AA, nothing wider than the screen, nothing too small to be touched."""
    await picture(visitor.page, name)
    assert await violations(visitor.page) == [], name
    assert await visitor.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
    small = "(all) => all.filter(each => each.checkVisibility() && each.offsetHeight < 44).map(each => each.outerHTML)"
    assert await visitor.page.locator("button, summary, header a, .check").evaluate_all(small) == [], name


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (1920, 1080)])
async def test_a_large_screen_is_used_calmly(hall: LiveServer, browser: Browser, width: int, height: int) -> None:
    context = await browser.new_context(viewport={"width": width, "height": height})
    context.set_default_timeout(PATIENCE_MS)
    visitor = Visitor(hall, await context.new_page(), issue(hall))
    await visitor.open("ru")

    await looks_well(visitor, f"visitor-waiting-{width}-ru")
    visitor.call()
    await visitor.is_now("called")

    await looks_well(visitor, f"visitor-called-{width}-ru")
    await context.close()
