"""The kiosk in a real browser: two touches to a ticket, for everybody, with the server or without."""

import json
import os
import re
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, Route, expect

from app.web.languages import sentence
from app.web.problems import title_of
from queue_core.errors import ServiceIsClosed
from tests.api.conftest import CENTRE
from tests.command_line.servers import LiveServer, serving
from tests.printing.agents import agent as print_agent
from tests.printing.paper import printed
from tests.screens.conftest import PATIENCE_MS, picture, post, violations
from tests.screens.offices import Office

pytestmark = pytest.mark.needs("chromium")

ENGLISH = {"group": "Collect a result or ask", "service": "Collecting finished papers", "done": "Done"}
SIZES = {"portrait": (1080, 1920), "desk": (1280, 1024), "narrow": (320, 640)}

expect.set_options(timeout=PATIENCE_MS)


async def opened(context: BrowserContext, server: LiveServer, *, office: str = "centre", **parameters: str) -> Page:
    """A kiosk that is ready, in English unless said otherwise."""
    page = await context.new_page()
    query = "&".join(f"{name}={value}" for name, value in ({"kiosk": "hall", "lang": "en"} | parameters).items())
    await page.goto(f"{server.url}/kiosk/{office}?{query}")
    await page.wait_for_selector("html[data-ready]")
    return page


async def touch(page: Page, name: str) -> None:
    """Somebody touches a button."""
    await page.get_by_role("button", name=re.compile(f"^{re.escape(name)}")).click()


async def take(page: Page) -> str:
    """Two touches; the number on the screen."""
    await touch(page, ENGLISH["group"])
    await touch(page, ENGLISH["service"])
    return await number(page)


async def number(page: Page) -> str:
    """The number that the visitor is shown."""
    await page.wait_for_selector("[data-view=ticket] .your")
    return await page.locator(".your").inner_text()


def line(server: LiveServer, office: str = "centre") -> dict[str, Any]:
    """Who waits, by number."""
    state = server.http.get(f"/api/v1/offices/{office}").raise_for_status().json()
    return {place["number"]: place for place in state["line"]}


def facts(server: LiveServer) -> list[dict[str, Any]]:
    """The journal."""
    found: list[dict[str, Any]] = []
    query = {"limit": "1000"}
    while (page := server.http.get("/api/v1/offices/centre/facts", params=query).raise_for_status().json())["facts"]:
        found += page["facts"]
        query["cursor"] = page["next"]
    return found


# A ticket


@pytest.mark.parametrize(
    ("language", "group", "service", "promise"),
    [
        ("en", ENGLISH["group"], ENGLISH["service"], "You will be called no later than"),
        ("ru", "Получить результат или совет", "Получение готовых документов", "Вас вызовут не позже"),
    ],
)
async def test_two_touches_to_a_ticket(
    visitor_browser: BrowserContext, hall: LiveServer, language: str, group: str, service: str, promise: str
) -> None:
    page = await opened(visitor_browser, hall, lang=language)

    await touch(page, group)
    await touch(page, service)

    shown = await number(page)
    assert line(hall)[shown]["service"] == "result"
    await expect(page.locator(".due")).to_contain_text(promise)
    await expect(page.locator("figure .code")).to_be_visible()
    ticket = next(fact for fact in facts(hall) if fact["kind"] == "Issued" and fact["ticket"].endswith(shown))
    assert ticket["language"] == language


async def test_one_touch_where_the_office_has_no_groups(visitor_browser: BrowserContext, hall: LiveServer) -> None:
    services = [{name: value for name, value in each.items() if name != "group"} for each in CENTRE["services"]]
    plain = {**CENTRE, "id": "plain", "groups": [], "services": services}
    hall.http.put("/api/v1/offices/plain", json=plain).raise_for_status()
    hall.http.post("/api/v1/offices/plain/open-day").raise_for_status()
    page = await opened(visitor_browser, hall, office="plain")

    await touch(page, "Advice")

    assert await number(page) in line(hall, "plain")


async def test_a_visitor_chooses_the_language_and_the_next_one_finds_the_usual_again(
    visitor_browser: BrowserContext, hall: LiveServer
) -> None:
    page = await opened(visitor_browser, hall)

    await page.get_by_role("button", name="русский").click()
    await expect(page.get_by_role("heading")).to_have_text("За чем вы пришли?")
    await touch(page, "Получить результат или совет")
    await touch(page, "Получение готовых документов")
    await touch(page, "Готово")

    await expect(page.get_by_role("heading")).to_have_text("What have you come for?")
    assert await page.get_attribute("html", "lang") == "en"


async def test_each_service_says_how_many_wait_and_a_double_touch_is_one_ticket(
    visitor_browser: BrowserContext, hall: LiveServer
) -> None:
    before = len(line(hall))
    page = await opened(visitor_browser, hall)

    await touch(page, "Property")
    await expect(page.locator("[data-wait=cadastre]")).to_have_text("Nobody is waiting")
    await page.locator("[data-service=cadastre]").dblclick()
    await number(page)

    assert len(line(hall)) == before + 1
    await touch(page, "Done")
    await touch(page, "Property")
    await expect(page.locator("[data-wait=cadastre]")).to_have_text("Waiting: 1 · about 1 min")


async def test_a_closed_service_says_why(visitor_browser: BrowserContext, hall: LiveServer) -> None:
    page = await opened(visitor_browser, hall)
    await touch(page, ENGLISH["group"])

    post(hall, "/services/advice/close", {"reason": "back at two"})

    await expect(page.locator("[data-service=advice] .closed")).to_have_text("back at two")
    await expect(page.locator("[data-service=advice]")).to_be_disabled()
    post(hall, "/services/advice/open")
    await expect(page.locator("[data-service=advice]")).to_be_enabled()


async def test_a_right_to_go_first_is_claimed_with_its_document(
    visitor_browser: BrowserContext, hall: LiveServer
) -> None:
    page = await opened(visitor_browser, hall)

    await touch(page, "I have a right to go first")
    await expect(page.locator("[data-category]").first).to_contain_text("Document: Veteran's certificate")
    await page.locator("[data-category]").first.click()
    await expect(page.locator(".said")).to_contain_text("Out of turn: War veteran")
    shown = await take(page)

    assert line(hall)[shown]["rank"] == "out_of_turn"
    await expect(page.locator(".facts")).to_contain_text("Have your document ready: Veteran's certificate")


async def test_a_visitor_with_an_appointment_says_its_time(visitor_browser: BrowserContext, hall: LiveServer) -> None:
    offering = Office(hall, kiosk_claims=True)
    page = await opened(visitor_browser, hall, office=offering.id)

    await touch(page, "I have an appointment")
    slot = page.locator("[data-slot]").nth(4)
    chosen = datetime.fromisoformat(str(await slot.get_attribute("data-slot")))
    await slot.click()
    await touch(page, "Advice")
    shown = await number(page)

    place = line(hall, offering.id)[shown]
    assert (place["rank"], datetime.fromisoformat(place["claim"])) == ("walk_in", chosen)


async def test_nobody_is_asked_for_an_appointment_where_the_office_does_not_want_it(
    visitor_browser: BrowserContext, hall: LiveServer
) -> None:
    page = await opened(visitor_browser, hall)

    await expect(page.locator(".choice").first).to_be_visible()
    assert await page.get_by_role("button", name="I have an appointment").count() == 0


async def test_who_missed_the_call_touches_the_number_and_is_in_the_line_again(
    visitor_browser: BrowserContext, hall: LiveServer
) -> None:
    office = Office(hall, late_seconds=600, no_show_seconds=0)
    page = await opened(visitor_browser, hall, office=office.id)
    ticket = office.issue()
    office.post("/counters/one/open", {"operator": "Anna"})
    office.post("/counters/one/call-next")
    office.post(f"/tickets/{ticket}/no-show")

    await touch(page, "I missed my call")
    await touch(page, "A001")

    await expect(page.get_by_role("heading")).to_have_text("You are in the line again")
    assert "A001" in line(hall, office.id)


async def test_a_refusal_is_told_in_the_visitors_language(visitor_browser: BrowserContext, hall: LiveServer) -> None:
    menu = hall.http.get("/api/v1/offices/centre/services").json()
    await visitor_browser.route("**/services", lambda route: route.fulfill(json=menu))
    await visitor_browser.route("**/stream", lambda route: route.abort())
    page = await opened(visitor_browser, hall, lang="ru")
    await touch(page, "Получить результат или совет")

    # The kiosk has not heard of it yet.
    post(hall, "/services/result/close", {"reason": "нет связи"})
    await touch(page, "Получение готовых документов")

    await expect(page.get_by_role("alert")).to_have_text(sentence(title_of(ServiceIsClosed), "ru"))
    post(hall, "/services/result/open")


# Everybody


async def test_large_text_and_contrast_and_low_reach_end_with_the_visitor(
    visitor_browser: BrowserContext, hall: LiveServer
) -> None:
    page = await opened(visitor_browser, hall)
    await page.set_viewport_size({"width": 1080, "height": 1920})
    size = "parseFloat(getComputedStyle(document.body).fontSize)"
    usual = await page.evaluate(size)

    for mode in ("Large text", "High contrast", "Low reach"):
        await touch(page, mode)
        await expect(page.get_by_role("button", name=mode)).to_have_attribute("aria-pressed", "true")

    assert await page.evaluate(size) > usual * 1.2
    assert await page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(0, 0, 0)"
    tops = await page.evaluate("[...document.querySelectorAll('button')].map(b => b.getBoundingClientRect().top)")
    assert min(tops) >= 1920 * 0.4
    await take(page)
    await touch(page, "Done")
    await expect(page.locator("html")).not_to_have_attribute("data-large", "on")
    await expect(page.get_by_role("button", name="Low reach")).to_have_attribute("aria-pressed", "false")


async def test_the_page_begins_anew_when_nobody_is_there_any_more(
    visitor_browser: BrowserContext, hall: LiveServer
) -> None:
    page = await opened(visitor_browser, hall, idle="4")
    await touch(page, "Large text")
    await page.get_by_role("button", name="русский").click()
    await touch(page, "Недвижимость")

    await expect(page.locator(".countdown")).to_be_visible()
    await touch(page, "Мне нужно ещё время")
    await expect(page.locator(".countdown")).to_be_hidden()
    await expect(page.get_by_role("heading")).to_have_text("Недвижимость")

    await expect(page.get_by_role("heading")).to_have_text("What have you come for?")
    await expect(page.locator(".countdown")).to_be_hidden()
    assert await page.get_attribute("html", "data-large") is None


async def test_a_ticket_can_be_taken_by_keyboard_alone(visitor_browser: BrowserContext, hall: LiveServer) -> None:
    page = await opened(visitor_browser, hall)

    async def reach(name: str) -> None:
        for _ in range(30):
            await page.keyboard.press("Tab")
            focused = await page.evaluate("document.activeElement.textContent")
            if str(focused).startswith(name):
                await page.keyboard.press("Enter")
                return
        raise AssertionError(f"{name} cannot be reached")

    await reach(ENGLISH["group"])
    await page.wait_for_selector("[data-view=group]")
    await reach(ENGLISH["service"])

    assert await number(page) in line(hall)


async def test_reading_aloud_is_offered_where_there_is_a_voice(
    visitor_browser: BrowserContext, hall: LiveServer
) -> None:
    silent = await opened(visitor_browser, hall)
    await expect(silent.get_by_role("button", name="Read aloud")).to_have_count(0)
    await visitor_browser.add_init_script(
        """window.said = [];
        speechSynthesis.getVoices = () => [{lang: "en-GB", name: "Ann"}];
        speechSynthesis.speak = (words) => window.said.push(words.text);
        window.SpeechSynthesisUtterance = class { constructor(text) { this.text = text; } };"""
    )

    page = await opened(visitor_browser, hall)
    await touch(page, "Read aloud")

    said = await page.evaluate("window.said")
    assert "What have you come for?" in said
    assert ENGLISH["group"] in said


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["ru", "en"])
async def test_every_view_can_be_used_by_everybody(
    browser: Browser, hall: LiveServer, language: str, scheme: Any
) -> None:
    context = await browser.new_context(color_scheme=scheme, viewport={"width": 1080, "height": 1920})
    context.set_default_timeout(PATIENCE_MS)
    page = await opened(context, hall, office=Office(hall, kiosk_claims=True).id, lang=language)

    assert await violations(page) == []
    for ways in (0, 1):
        await page.locator(".ways button").nth(ways).click()
        assert await violations(page) == []
        await page.locator(".steps button").first.click()
    await page.locator(".choice").first.click()
    await page.locator("[data-mode=contrast]").click()
    assert await violations(page) == []
    await page.locator("[data-mode=contrast]").click()
    await page.locator(".choice").first.click()
    await number(page)
    assert await violations(page) == []
    await page.keyboard.press("F10")
    assert await violations(page) == []
    await context.close()


@pytest.mark.parametrize("language", ["ru", "en"])
@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1366, 768), (1280, 1024), (1920, 1080)])
async def test_on_a_wide_screen_the_way_on_from_a_ticket_is_seen_without_scrolling(
    browser: Browser, hall: LiveServer, width: int, height: int, language: str
) -> None:
    context = await browser.new_context(viewport={"width": width, "height": height})
    context.set_default_timeout(PATIENCE_MS)
    page = await opened(context, hall, lang=language)
    below = "done => done.getBoundingClientRect().bottom - done.closest('main').getBoundingClientRect().bottom"

    for view in ("group", "ticket"):
        await page.locator(".choice:enabled").first.click()
        await page.wait_for_selector(f"[data-view={view}]")
    await expect(page.locator("figure .code")).to_be_visible()

    assert await page.locator(".steps button").last.evaluate(below) <= 0
    await context.close()


@pytest.mark.parametrize("size", SIZES)
async def test_nothing_is_wider_than_the_screen(browser: Browser, hall: LiveServer, size: str) -> None:
    width, height = SIZES[size]
    scheme: Any = "dark" if size == "desk" else "light"
    context = await browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    context.set_default_timeout(PATIENCE_MS)
    page = await opened(context, hall, lang="ru")
    wide = "Math.max(document.documentElement.scrollWidth, document.querySelector('main').scrollWidth) - innerWidth"

    await expect(page.locator(".choice").first).to_be_visible()
    for view in ("welcome", "group", "ticket"):
        if view != "welcome":
            await page.locator(".choice:enabled").first.click()
            await page.wait_for_selector(f"[data-view={view}]")
        assert await page.evaluate(wide) <= 0
        if view == "ticket":
            await expect(page.locator("figure .code")).to_be_visible()
        await picture(page, f"kiosk-{size}-{view}")
    small = await page.evaluate(
        "[...document.querySelectorAll('button')].map(b => b.getBoundingClientRect().height).filter(h => h && h < 44)"
    )
    assert small == []
    await context.close()


# Paper


class Agent:
    """A print agent as the kiosk sees it: what it was given to print, and whether there is paper."""

    def __init__(self) -> None:
        self.slips: list[dict[str, Any]] = []
        self.problem: str | None = None
        agent = self

        class Answer(BaseHTTPRequestHandler):
            def answer(self, status: int, body: Any) -> None:
                self.send_response(status)
                for name, value in {
                    "Access-Control-Allow-Origin": "*",
                    "Access-Control-Allow-Headers": "*",
                    "Access-Control-Allow-Private-Network": "true",
                    "Content-Type": "application/json",
                }.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            def do_OPTIONS(self) -> None:
                self.answer(200, {})

            def do_GET(self) -> None:
                self.answer(200, {"ready": agent.problem is None, "problem": agent.problem})

            def do_POST(self) -> None:
                slip = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if agent.problem:
                    self.answer(503, {"type": "/problems/no-paper", "title": agent.problem, "status": 503})
                    return
                agent.slips.append(slip)
                self.answer(200, {})

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = Thread(target=self._server.serve_forever)
        self._thread.start()

    def stop(self) -> None:
        """Print nothing more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def agent() -> Iterator[Agent]:
    """A print agent with paper."""
    agent = Agent()
    yield agent
    agent.stop()


async def test_a_ticket_is_printed_by_the_agent(
    visitor_browser: BrowserContext, hall: LiveServer, agent: Agent
) -> None:
    page = await opened(visitor_browser, hall, printer=agent.url, visits="https://queue.example.org")

    shown = await take(page)
    await expect(page.locator(".take")).to_have_text("Take your ticket")

    (slip,) = agent.slips
    assert (slip["number"], slip["service"], slip["language"]) == (shown, ENGLISH["service"], "en")
    assert (slip["limit_minutes"], slip["issued_offline"]) == (10, False)
    assert slip["url"].startswith("https://queue.example.org/visit/centre~")
    assert slip["due"] in await page.locator(".due").inner_text()


async def test_a_print_that_fails_costs_no_ticket(
    visitor_browser: BrowserContext, hall: LiveServer, agent: Agent
) -> None:
    page = await opened(visitor_browser, hall, printer=agent.url)
    agent.problem = "The paper is out."

    shown = await take(page)
    await expect(page.get_by_role("alert")).to_contain_text("Please note your number")
    await expect(page.get_by_role("alert")).to_contain_text("The paper is out.")
    assert shown in line(hall)
    agent.problem = None
    await touch(page, "Print again")

    await expect(page.locator(".take")).to_have_text("Take your ticket")
    assert [slip["number"] for slip in agent.slips] == [shown]


async def test_the_staff_see_the_printer_and_print_the_last_ticket_again(
    visitor_browser: BrowserContext, hall: LiveServer, agent: Agent
) -> None:
    page = await opened(visitor_browser, hall, printer=agent.url)
    shown = await take(page)
    await touch(page, "Done")
    await until(page, "0", None, lambda _: [slip["number"] for slip in agent.slips] == [shown])
    agent.problem = "The paper is out."

    await page.keyboard.press("F10")
    panel = page.get_by_role("dialog")
    await expect(panel).to_contain_text("The paper is out.")
    await expect(panel).to_contain_text("hall")
    agent.problem = None
    await touch(page, f"Print {shown} again")

    await expect(panel).to_contain_text("ready to print")
    await until(page, "0", None, lambda _: [slip["number"] for slip in agent.slips] == [shown, shown])
    await page.keyboard.press("F10")
    await expect(panel).to_be_hidden()


KEEPS_THE_SLIP = """
    window.print = () => {
        const slip = document.querySelector(".slip");
        window.printed = slip.innerText;
        slip.replaceChildren = () => {};
        Object.defineProperty(slip, "hidden", {set() {}});
    };
"""
"""Instead of asking for a printer, leaves on the page what one would print."""


async def test_without_an_agent_the_browser_prints(visitor_browser: BrowserContext, hall: LiveServer) -> None:
    await visitor_browser.add_init_script(KEEPS_THE_SLIP)
    page = await opened(visitor_browser, hall)

    shown = await take(page)
    await until(page, "window.printed ?? ''", None, bool)

    printed = await page.evaluate("window.printed")
    assert shown in printed
    assert "You will be called no later than" in printed
    paper = await page.pdf(prefer_css_page_size=True)
    ((wide, long),) = [(float(box[1]), float(box[2])) for box in re.finditer(rb"/MediaBox \[0 0 (\S+) (\S+)\]", paper)]
    assert wide == pytest.approx(80 / 25.4 * 72, abs=1)
    assert 80 < long / 72 * 25.4 < 140


# Without the server


@contextmanager
def a_port() -> Iterator[int]:
    """A port that a server can come back to."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    yield port


READ = """async (store) => {
    const open = indexedDB.open("fifteen-kiosk-centre-hall");
    const database = await new Promise((done) => { open.onsuccess = () => done(open.result); });
    const asked = database.transaction(store).objectStore(store).getAll();
    const found = await new Promise((done) => { asked.onsuccess = () => done(asked.result); });
    database.close();
    return found;
}"""
KEPT = """async () => {
    const cache = await caches.open("kiosk");
    return Boolean(await cache.match(location.href)) && (await cache.keys()).length > 10;
}"""


async def until(page: Page, expression: str, arg: Any, fits: Callable[[Any], bool]) -> None:
    """Wait until something asked of the page fits; a browser that waits by itself does not wait for promises."""
    for _ in range(PATIENCE_MS // 100):
        found = await page.evaluate(expression, arg)
        if fits(found):
            return
        await page.wait_for_timeout(100)
    raise AssertionError(f"still {found}")


async def remembers(page: Page, store: str, count: int) -> None:
    """Wait until the kiosk holds so many of something."""
    await until(page, READ, store, lambda found: len(found) == count)


async def stocked(page: Page) -> None:
    """The kiosk has its numbers with their codes, and its page is kept."""
    await until(page, READ, "leases", lambda leases: len(leases) == 2 and all(lease["codes"] for lease in leases))
    await until(page, KEPT, None, bool)


def issued(server: LiveServer) -> dict[str, dict[str, Any]]:
    """Every ticket of the journal by its number, once each."""
    tickets = [fact for fact in facts(server) if fact["kind"] == "Issued"]
    by_number = {fact["ticket"].partition("-")[2]: fact for fact in tickets}
    assert len(by_number) == len(tickets)
    return by_number


@pytest.mark.timed
async def test_ten_tickets_are_given_while_the_server_is_dead_and_come_in_once_with_their_true_times(
    visitor_browser: BrowserContext, tmp_path: Path
) -> None:
    taken: dict[str, datetime] = {}
    with (
        a_port() as port,
        print_agent(tmp_path, "--to", "tickets.bin", "--origin", f"http://127.0.0.1:{port}") as agent,
    ):
        with serving(tmp_path, "--port", str(port), canary_seconds="0") as server:
            page = await opened(visitor_browser, server, printer=agent.url)
            await stocked(page)
            server.issue("centre", "result", "other-kiosk-1")
            server.kill()

            for count in range(10):
                if count == 4:
                    await page.reload()
                    await page.wait_for_selector("html[data-ready]")
                shown = await take(page)
                taken[shown] = datetime.now(UTC)
                await expect(page.locator("figure .code")).to_be_visible()
                await expect(page.locator(".take")).to_have_text("Take your ticket")
                await touch(page, "Done")
            await page.keyboard.press("F10")
            panel = page.get_by_role("dialog")
            await expect(panel).to_contain_text("does not answer")
            await picture(page, "kiosk-staff-offline")
            await page.keyboard.press("F10")
            paper = printed((tmp_path / "tickets.bin").read_bytes())
            assert [line.text for line in paper.lines if line.text in taken] == list(taken)
            assert len(paper.cut_at) == len({code.data for code in paper.codes}) == len(taken)

        with serving(tmp_path, "--port", str(port), canary_seconds="0") as server:
            online = server.issue("centre", "result", "other-kiosk-2")
            await page.wait_for_selector("html[data-away=false]")
            await remembers(page, "tickets", 0)
            server.issue("centre", "result", "other-kiosk-3")

            journal = issued(server)
            assert [f"AK{serial:03}" for serial in range(1, 11)] == list(taken)
            assert set(journal) == {*taken, "A001", "A002", "A003"}
            assert online.endswith("A002")
            for shown, at in taken.items():
                told = datetime.fromisoformat(journal[shown]["issued_at"])
                assert abs(told - at) < timedelta(seconds=3), shown
            true_times = [journal[shown]["issued_at"] for shown in taken]
            assert true_times == sorted(true_times)
            assert list(line(server)).count("AK001") == 1
            await remembers(page, "leases", 2)
            voided = [fact for fact in facts(server) if fact["kind"] == "NumbersVoided"]
            assert voided[0]["blocks"][0] == {"letter": "AK", "first": 11, "last": 25}
            assert await take(page) == "A004"


async def test_a_ticket_whose_answer_was_lost_is_given_up_because_the_visitor_has_another(
    visitor_browser: BrowserContext, tmp_path: Path
) -> None:
    with serving(tmp_path, canary_seconds="0") as server:
        page = await opened(visitor_browser, server)
        await stocked(page)
        lost: list[str] = []

        async def lose(route: Route) -> None:
            if lost:
                await route.fallback()
                return
            lost.append(str((await (await route.fetch()).json())["number"]))
            await route.abort()

        await page.route("**/centre/tickets", lose)
        shown = await take(page)

        assert (lost, shown) == (["A001"], "AK001")
        await remembers(page, "tickets", 0)
        await remembers(page, "wishes", 0)
        assert list(line(server)) == ["AK001"]
        left = next(fact for fact in facts(server) if fact["kind"] == "Left")
        assert left["ticket"].endswith("A001")
        assert "gave the visitor another number" in left["reason"]


async def test_a_wish_that_never_arrived_leaves_no_trace(visitor_browser: BrowserContext, tmp_path: Path) -> None:
    with serving(tmp_path, canary_seconds="0") as server:
        page = await opened(visitor_browser, server)
        await stocked(page)
        first = [True]

        async def drop(route: Route) -> None:
            if first.pop() if first else False:
                await route.abort()
            else:
                await route.fallback()

        await page.route("**/centre/tickets", drop)
        shown = await take(page)
        await remembers(page, "tickets", 0)
        await touch(page, "Done")
        await page.wait_for_selector("html[data-away=false]")

        assert await take(page) == "A001"
        assert set(issued(server)) == {shown, "A001"}


async def test_a_ticket_that_is_still_on_its_way_is_not_given_up(
    visitor_browser: BrowserContext, tmp_path: Path
) -> None:
    with serving(tmp_path, canary_seconds="0") as server:
        page = await opened(visitor_browser, server)
        await stocked(page)

        async def slow(route: Route) -> None:
            answer = await route.fetch()
            async with page.expect_response("**/centre/services"):
                # What the kiosk hears of now makes it look after everything that is left to be told.
                post(server, "/services/cadastre/close", {"reason": "power cut"})
            await route.fulfill(response=answer)

        await page.route("**/centre/tickets", slow)
        shown = await take(page)

        await remembers(page, "wishes", 0)
        await remembers(page, "tickets", 0)
        assert list(line(server)) == [shown]


@pytest.mark.timed
async def test_a_server_that_stands_still_keeps_nobody_waiting(visitor_browser: BrowserContext, tmp_path: Path) -> None:
    with serving(tmp_path, canary_seconds="0") as server:
        page = await opened(visitor_browser, server)
        await stocked(page)
        os.kill(server.process.pid, signal.SIGSTOP)
        try:
            began = datetime.now(UTC)
            shown = await take(page)
            lasted = datetime.now(UTC) - began
        finally:
            os.kill(server.process.pid, signal.SIGCONT)

        assert shown == "AK001"
        assert lasted < timedelta(seconds=6)
        await remembers(page, "tickets", 0)
        await page.wait_for_selector("html[data-away=false]")
        await remembers(page, "wishes", 0)
        assert list(line(server)) == ["AK001"]


async def test_a_kiosk_that_lost_its_memory_never_gives_a_number_twice(browser: Browser, tmp_path: Path) -> None:
    numbers: list[str] = []
    with a_port() as port:
        for _ in range(2):
            context = await browser.new_context()
            context.set_default_timeout(PATIENCE_MS)
            with serving(tmp_path, "--port", str(port), canary_seconds="0") as server:
                page = await opened(context, server)
                await stocked(page)
                server.kill()
                numbers.append(await take(page))
            await context.close()

    assert len(set(numbers)) == 2


async def test_an_office_that_leases_nothing_says_so_when_it_cannot_give_a_ticket(
    visitor_browser: BrowserContext, tmp_path: Path
) -> None:
    with serving(tmp_path, canary_seconds="0") as server:
        server.http.put(
            "/api/v1/offices/plain", json={**CENTRE, "id": "plain", "offline_numbers": 0}
        ).raise_for_status()
        server.http.post("/api/v1/offices/plain/open-day").raise_for_status()
        page = await opened(visitor_browser, server, office="plain")
        server.kill()

        await touch(page, "Advice")

        await expect(page.get_by_role("alert")).to_have_text("We cannot give you a ticket now. Please ask the staff.")
