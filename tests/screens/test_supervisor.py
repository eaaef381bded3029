"""The supervisor's pages before a real server: an office live, all offices by trouble, the way to every screen."""

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Locator, Page, expect

from tests.api.conftest import CENTRE
from tests.command_line.servers import LiveServer, serving
from tests.screens.conftest import PATIENCE_MS, never_close, picture, post, violations

pytestmark = pytest.mark.needs("chromium")

HURRIED_SECONDS = 4
KEYS = count(1)
GRAFANA = "https://grafana.example"
SIZES = {"phone": (320, 640), "desk": (1280, 800), "wall": (1920, 1080)}


@pytest.fixture(scope="module")
def hall() -> Iterator[LiveServer]:
    """A server with the example office and two that are in a hurry."""
    settings = {"canary_seconds": "0", "grafana": GRAFANA}
    with TemporaryDirectory(prefix="fifteen-") as directory, serving(Path(directory), **settings) as server:
        never_close(server)
        for office in ("hurried", "calm"):
            server.http.put(f"/api/v1/offices/{office}", json=hurried(office)).raise_for_status()
            in_office(server, office, "/open-day")
        yield server


@pytest.fixture
async def tab(visitor_browser: BrowserContext) -> Page:
    """A tab in which no module may fail and nothing may be refused by the policy."""
    page = await visitor_browser.new_page()
    expect.set_options(timeout=PATIENCE_MS)
    page.on("pageerror", lambda error: pytest.fail(f"a module failed: {error}"))
    return page


async def test_an_issue_is_seen_at_once_and_a_breach_when_it_happens(hall: LiveServer, tab: Page) -> None:
    await tab.goto(f"{hall.url}/supervisor/hurried?lang=en")
    await expect(tab.locator("#day")).to_have_text("The day is open.")
    before = int(await tab.locator("#waiting").inner_text())

    number = issue(hall, "hurried")

    await expect(tab.locator("#waiting")).to_have_text(str(before + 1))
    row = await needy(tab, number)
    await expect(row).to_contain_text("passed")
    await expect(row).to_contain_text("Advice")
    await expect(tab.locator("#said")).to_contain_text(number)
    await expect(tab.locator("#over")).not_to_have_text("0")
    await expect(tab).to_have_title(re.compile(r"^\(\d+\)"))


async def test_a_breach_is_answered_for_by_keyboard_alone_and_the_name_is_typed_once(
    hall: LiveServer, tab: Page
) -> None:
    first, second = issue(hall, "hurried"), issue(hall, "hurried")
    await tab.goto(f"{hall.url}/supervisor/hurried?lang=en")
    for number in (first, second):
        await needy(tab, number)
        await expect(tab.get_by_role("button", name=f"Acknowledge: {number}")).to_be_visible()

    await reach(tab, f"Acknowledge: {first}")
    await tab.keyboard.press("Enter")
    await expect(tab.locator("#by")).to_be_focused()
    await tab.keyboard.type("Olga Petrova")
    await tab.keyboard.press("Tab")
    await tab.keyboard.press("Space")
    await tab.keyboard.press("ArrowDown")
    await tab.keyboard.press("Tab")
    await tab.keyboard.type("two are ill")
    await tab.keyboard.press("Enter")

    answered = tab.locator(".needy", has_text=first).locator(".answered")
    await expect(answered).to_have_text("Olga Petrova: Staff absent · two are ill")
    visit = hall.http.get(f"/api/v1/offices/hurried/tickets/{ticket_of(hall, first)}").json()["ticket"]
    assert visit["acknowledged"]["by"] == "Olga Petrova"
    assert visit["acknowledged"]["cause"] == "staff_absent"

    await tab.reload()
    await needy(tab, second)
    await tab.get_by_role("button", name=f"Acknowledge: {second}").click()
    await expect(tab.locator("#by")).to_have_value("Olga Petrova")


async def test_who_was_called_late_can_still_be_answered_for(hall: LiveServer, tab: Page) -> None:
    number = issue(hall, "hurried", "passport")
    await tab.goto(f"{hall.url}/supervisor/hurried?lang=en")
    row = await needy(tab, number)
    await expect(tab.get_by_role("button", name=f"Acknowledge: {number}")).to_be_visible()

    in_office(hall, "hurried", "/counters/one/open", {"operator": "Anna"})
    chosen = {"counter": "one", "reason": "has a train to catch"}
    in_office(hall, "hurried", f"/tickets/{ticket_of(hall, number)}/call", chosen)

    await expect(row).to_contain_text("called to One")
    await expect(row.get_by_role("button", name=f"Acknowledge: {number}")).to_be_visible()
    in_office(hall, "hurried", f"/tickets/{ticket_of(hall, number)}/no-show")
    await expect(row).to_have_count(0)


async def test_a_service_is_closed_with_a_reason_that_the_kiosk_shows(hall: LiveServer, tab: Page) -> None:
    await tab.goto(f"{hall.url}/supervisor/calm?lang=en")

    await tab.get_by_role("button", name="Close: Passport").click()
    await tab.get_by_role("button", name="Close it", exact=True).last.click()
    await expect(tab.locator("#close-service [role=alert]")).to_have_text("Something is still to be filled in.")
    await tab.get_by_role("textbox", name="Reason").fill("the printer is broken")
    await tab.keyboard.press("Enter")

    await expect(tab.locator(".line", has_text="Passport")).to_contain_text("No tickets: the printer is broken")
    assert menu(hall, "calm")["passport"] == (False, "the printer is broken")

    await tab.get_by_role("button", name="Open: Passport").click()
    await tab.get_by_role("button", name="Issue again").click()
    await expect(tab.get_by_role("button", name="Close: Passport")).to_be_visible()
    assert menu(hall, "calm")["passport"] == (True, None)


async def test_issuing_is_stopped_for_everything_and_started_again(hall: LiveServer, tab: Page) -> None:
    await tab.goto(f"{hall.url}/supervisor/calm?lang=en")

    await tab.get_by_role("button", name="Stop issuing tickets").click()
    await tab.get_by_role("textbox", name="Reason").fill("fire drill")
    await tab.get_by_role("button", name="Stop issuing", exact=True).click()
    await expect(tab.locator("#stop-all")).to_be_hidden()
    stopped = menu(hall, "calm")
    await tab.get_by_role("button", name="Issue tickets again").click()
    await tab.get_by_role("checkbox", name="Advice").uncheck()
    await tab.get_by_role("button", name="Issue again").click()
    await expect(tab.get_by_role("button", name="Close: Passport")).to_be_visible()

    assert stopped == {"advice": (False, "fire drill"), "passport": (False, "fire drill")}
    assert menu(hall, "calm") == {"advice": (False, "fire drill"), "passport": (True, None)}
    in_office(hall, "calm", "/services/advice/open")


async def test_a_chosen_ticket_is_called_with_a_reason_that_stays_on_record(hall: LiveServer, tab: Page) -> None:
    post(hall, "/counters/1/open", {"operator": "Anna"})
    issue(hall, "centre")
    number = issue(hall, "centre")
    await tab.goto(f"{hall.url}/supervisor/centre?lang=en")

    await tab.get_by_text("Everybody in line").click()
    await tab.get_by_role("button", name=f"Call {number} out of the order").click()
    await expect(tab.locator("#to-counter option").first).to_have_text("Counter 1 – free")
    await tab.get_by_role("textbox", name="Reason").fill("came back from the doctor")
    await tab.get_by_role("button", name="Call", exact=True).click()

    counter = tab.locator(".counter", has_text="Counter 1").first
    await expect(counter).to_contain_text("calling")
    await expect(counter).to_contain_text(number)
    told = hall.http.get(f"/api/v1/offices/centre/tickets/{ticket_of(hall, number, 'centre')}").json()
    assert "came back from the doctor" in json.dumps(told)
    await tab.get_by_role("button", name="Close: Advice").focus()

    # The counter is taken now, and the refusal is said where it was asked.
    other = next(place["number"] for place in state(hall, "centre")["line"])
    await tab.get_by_role("button", name=f"Call {other} out of the order").click()
    await tab.get_by_role("combobox", name="Counter").select_option("1")
    await tab.get_by_role("textbox", name="Reason").fill("for the same reason")
    await tab.keyboard.press("Enter")
    alert = tab.locator("#call-chosen [role=alert]")
    await expect(alert).to_have_text("The counter still has a visitor; finish that visit first.")


async def test_a_day_is_closed_and_opened_only_after_a_question(hall: LiveServer, tab: Page) -> None:
    await tab.goto(f"{hall.url}/supervisor/calm?lang=en")

    await tab.get_by_role("button", name="Close the day").click()
    await expect(tab.locator("#day-closes")).to_contain_text("Waiting now:")
    await tab.keyboard.press("Escape")
    still_open = state(hall, "calm")["day_is_open"]
    await tab.get_by_role("button", name="Close the day").click()
    await tab.locator("#day-closes").get_by_role("button", name="Close the day").click()
    await expect(tab.locator("#day")).to_have_text("The day is closed.")
    await tab.get_by_role("button", name="Open the day").click()
    await tab.locator("#day-opens").get_by_role("button", name="Open the day").click()

    await expect(tab.locator("#day")).to_have_text("The day is open.")
    assert still_open


async def test_todays_waits_are_a_picture_that_is_also_a_sentence_and_a_list(hall: LiveServer, tab: Page) -> None:
    number = issue(hall, "hurried")
    await tab.goto(f"{hall.url}/supervisor/hurried?lang=en")
    await expect(await needy(tab, number)).to_contain_text("passed")

    marks = tab.locator("#picture .dot")
    late = tab.locator(f"#picture .dot.walk_in.breached:has-text('{number} ·')")

    await expect(late).to_have_count(1)
    assert await marks.count() == len(waits(hall, "hurried"))
    await expect(tab.locator("#picture .limit")).to_have_count(1)
    await expect(tab.locator("#picture-said")).to_contain_text("past the limit")
    await tab.get_by_text("Those past the limit, as a list").click()
    await expect(tab.locator("#breached tr", has_text=number)).to_contain_text("Advice")


async def test_the_overview_puts_trouble_first_and_finds_an_office(hall: LiveServer, tab: Page) -> None:
    number = issue(hall, "hurried")
    await tab.goto(f"{hall.url}/supervisor?lang=en")

    first = tab.locator("#rows tr").first
    await expect(first).to_contain_text("Office in a hurry: hurried")
    await expect(first).to_have_class("over-limit")
    await expect(tab.locator("#over")).not_to_have_text("0")
    await tab.get_by_label("Find an office").fill("zarechny")
    await expect(tab.locator("#rows tr")).to_have_count(1)
    await tab.locator("#rows a").click()

    await expect(tab.get_by_role("heading", level=1)).to_have_text("Zarechny Public Service Centre")
    assert number.startswith("A")


async def test_hundreds_of_offices_are_shown_a_hundred_at_a_time(tab: Page) -> None:
    with TemporaryDirectory(prefix="fifteen-") as directory, serving(Path(directory), canary_seconds="0") as server:
        for index in range(120):
            office = f"office-{index:03d}"
            server.http.put(f"/api/v1/offices/{office}", json=hurried(office)).raise_for_status()

        await tab.goto(f"{server.url}/supervisor?lang=en")
        await expect(tab.locator("#rows tr")).to_have_count(100)
        await expect(tab.locator("#found")).to_have_text("Found: 121, shown: 100")
        await tab.get_by_role("button", name="Show more offices").click()

        await expect(tab.locator("#rows tr")).to_have_count(121)
        await expect(tab.locator("#more")).to_be_hidden()


async def test_what_is_not_live_says_so_and_its_times_stand_still(tab: Page) -> None:
    with TemporaryDirectory(prefix="fifteen-") as directory, serving(Path(directory), canary_seconds="0") as server:
        issue(server, "centre")
        await tab.goto(f"{server.url}/supervisor/centre?lang=en")
        overview = await tab.context.new_page()
        await overview.goto(f"{server.url}/supervisor?lang=en")
        await expect(tab.locator("#waiting")).to_have_text("1")
        await expect(overview.locator("#waiting")).to_have_text("1")

        server.kill()

        await expect(tab.locator(".stale")).to_contain_text("The link to the server is lost.")
        await expect(overview.locator(".stale")).to_contain_text("The server does not answer.")
        await expect(tab.locator("#close-day")).to_be_disabled()
        stood = await tab.locator("#next").inner_text()
        await tab.wait_for_timeout(1_500)
        assert await tab.locator("#next").inner_text() == stood


async def test_from_the_first_page_every_screen_is_one_click_away(hall: LiveServer, tab: Page) -> None:
    await tab.goto(f"{hall.url}/?lang=en")

    targets = await tab.eval_on_selector_all("main a", "links => links.map(link => link.getAttribute('href'))")

    screens = [f"/{screen}/{office}" for office in ("calm", "centre", "hurried") for screen in SCREENS]
    assert targets == [*screens, "/supervisor", "/docs", "/metrics", f"{GRAFANA}/d/fifteen-network"]
    await tab.get_by_role("link", name="Русский").click()
    await expect(tab.get_by_role("heading", level=2).first).to_have_text("Спешащий офис: calm")


async def test_an_office_links_to_its_dashboard(hall: LiveServer, tab: Page) -> None:
    await tab.goto(f"{hall.url}/supervisor/centre?lang=en")

    link = tab.get_by_role("link", name="Grafana")

    assert await link.get_attribute("href") == f"{GRAFANA}/d/fifteen-office?var-office=centre"


@pytest.mark.parametrize("screen", ["supervisor", "board", "kiosk", "console"])
@pytest.mark.parametrize(
    ("language", "title"), [("en", "There is no such office."), ("ru", "Такого офиса нет.")], ids=["en", "ru"]
)
async def test_an_office_that_is_not_there_is_a_page_that_says_so(
    hall: LiveServer, tab: Page, screen: str, language: str, title: str
) -> None:
    reply = await tab.goto(f"{hall.url}/{screen}/nowhere?lang={language}")

    assert reply
    assert reply.status == 404
    await expect(tab.get_by_role("heading", level=1)).to_have_text(title)
    assert await violations(tab) == []
    await tab.locator('a[href="/"]').click()
    await expect(tab.get_by_role("heading", level=1)).to_have_text("Fifteen")


async def test_programs_are_refused_with_a_problem_as_everywhere(hall: LiveServer) -> None:
    reply = hall.http.get("/supervisor/nowhere")

    assert (reply.status_code, reply.json()["type"]) == (404, "/problems/unknown-office")


@pytest.mark.parametrize("path", ["/", "/supervisor", "/supervisor/hurried"])
@pytest.mark.parametrize("language", ["ru", "en"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_page_can_be_read_by_everybody(
    hall: LiveServer, browser: Browser, path: str, language: str, scheme: Any
) -> None:
    number = issue(hall, "hurried")
    context = await browser.new_context(color_scheme=scheme)
    tab = await context.new_page()
    await tab.goto(f"{hall.url}{path}?lang={language}")
    if path.endswith("hurried"):
        await expect((await needy(tab, number)).locator(".acknowledge")).to_be_visible()
        await tab.locator("#line-details summary").click()

    found = await violations(tab)
    if path.endswith("hurried"):
        await tab.locator(".acknowledge").first.click()
        await expect(tab.locator("#acknowledge")).to_be_visible()
        found += await violations(tab)

    assert found == []
    await context.close()


@pytest.mark.parametrize("size", SIZES)
async def test_no_page_is_wider_than_its_screen(hall: LiveServer, browser: Browser, size: str) -> None:
    issue(hall, "hurried")
    width, height = SIZES[size]
    context = await browser.new_context(
        viewport={"width": width, "height": height}, color_scheme="dark" if size == "desk" else "light"
    )
    tab = await context.new_page()
    for name, path in {"home": "/", "overview": "/supervisor", "office": "/supervisor/hurried"}.items():
        await tab.goto(f"{hall.url}{path}?lang={'en' if size == 'desk' else 'ru'}")
        if name == "office":
            await expect(tab.locator("#attention .needy").first).to_be_visible()
        if name == "overview":
            await expect(tab.locator("#rows tr")).to_have_count(3)

        await picture(tab, f"supervisor-{name}-{size}")

        assert await tab.evaluate("document.documentElement.scrollWidth") <= width
    await context.close()


SCREENS = ("kiosk", "console", "board", "supervisor")


def hurried(office: str) -> dict[str, Any]:
    """An office whose promise is a few seconds."""
    described = deepcopy(CENTRE) | {"id": office}
    described["name"] = {"en": f"Office in a hurry: {office}", "ru": f"Спешащий офис: {office}"}
    described["limits"] = {"walk_in_seconds": HURRIED_SECONDS, "walk_in_warning_seconds": 1}
    return described


def in_office(server: LiveServer, office: str, path: str, body: Any = None) -> None:
    server.http.post(f"/api/v1/offices/{office}{path}", json=body).raise_for_status()


def issue(server: LiveServer, office: str, service: str = "advice") -> str:
    """A visitor takes a ticket; its number."""
    return server.issue(office, service, f"issue-{next(KEYS)}").partition("-")[2]


def state(server: LiveServer, office: str) -> Any:
    return server.http.get(f"/api/v1/offices/{office}").json()


def waits(server: LiveServer, office: str) -> list[Any]:
    told: list[Any] = server.http.get(f"/api/v1/offices/{office}/waits").json()["waits"]
    return told


def ticket_of(server: LiveServer, number: str, office: str = "hurried") -> str:
    return next(str(wait["ticket"]) for wait in waits(server, office) if wait["number"] == number)


def menu(server: LiveServer, office: str) -> dict[str, tuple[bool, str | None]]:
    """What the kiosk is told: whether tickets are issued for a service, and if not, why."""
    services = server.http.get(f"/api/v1/offices/{office}/services").json()["services"]
    return {service["id"]: (service["open"], service["reason"]) for service in services}


async def needy(tab: Page, number: str) -> Locator:
    """The row of somebody who needs attention, however many others do."""
    row, others = tab.locator(".needy", has_text=number), tab.locator("#all-needy")
    await expect(row.or_(others).first).to_be_visible()
    if await others.is_visible():
        await others.click()
    await expect(row).to_be_visible()
    return row


async def reach(tab: Page, name: str) -> None:
    """Come to a button by the Tab key alone."""
    for _ in range(200):
        await tab.keyboard.press("Tab")
        if await tab.evaluate("document.activeElement?.getAttribute('aria-label')") == name:
            return
    raise AssertionError(f"the keyboard does not come to {name}")
