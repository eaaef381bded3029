"""A board of a hall where many are called at once: whoever is awaited is on the glass, and shown is what was."""

import asyncio
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, ViewportSize, expect

from tests.command_line.servers import LiveServer
from tests.screens.conftest import PATIENCE_MS, picture
from tests.screens.offices import Office
from tests.screens.test_board import CUT_OFF, until

pytestmark = pytest.mark.needs("chromium")

COUNTERS = 40
LETTERS = "ABCDEFGH"
SIZES: dict[str, ViewportSize] = {
    "1920x1080": {"width": 1920, "height": 1080},
    "3840x2160": {"width": 3840, "height": 2160},
    "1080x1920": {"width": 1080, "height": 1920},
}
LEAST_OF_A_WALL = 0.026
"""The height of a row's letters, as a share of the wall's shorter side: what is read from eight metres on 43 inches."""

ON_GLASS = """() => {
    const parts = [...document.querySelectorAll(".latest, .earlier li")];
    const rows = parts.map((row) => [row, row.querySelector(".number")]);
    return rows.filter(([row, number]) => {
        const [box, inner] = [row.getBoundingClientRect(), number?.getBoundingClientRect()];
        if (!number || box.top < 0 || box.bottom > innerHeight) return false;
        if (inner.right > box.right + 1 || inner.bottom > box.bottom + 1) return false;
        return document.elementFromPoint(inner.x + inner.width / 2, inner.y + inner.height / 2) === number;
    }).map(([, number]) => number.textContent);
}"""
"""The numbers that nothing hides and nothing cuts."""

SMALLEST = """() => {
    const numbers = [...document.querySelectorAll(".earlier .number")];
    return Math.min(...numbers.map((number) => parseFloat(getComputedStyle(number).fontSize)));
}"""
OVERLAPPING = """() => {
    const parts = [...document.querySelectorAll(".earlier li > *, .latest > :is(.number, .counter, .arrow)")];
    const boxes = parts.filter((part) => part.checkVisibility()).map((part) => [part, part.getBoundingClientRect()]);
    return boxes.flatMap(([one, a], at) => boxes.slice(at + 1)
        .filter(([, b]) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1)
        .map(([other]) => `${one.textContent} ${other.textContent}`));
}"""


def large_office(server: LiveServer) -> Office:
    """An office with many counters, whose names are numbers, and some that have a name of their own."""
    services = [
        {"id": f"s{letter.lower()}", "letter": letter, "name": {"en": f"Service {letter}"}} for letter in LETTERS
    ]
    counters = [
        {
            "id": f"c{number}",
            "name": {"en": f"Window {number}" if number % 9 else "Registrar's desk"},
            "services": [service["id"] for service in services],
        }
        for number in range(1, COUNTERS + 1)
    ]
    described = {"name": {"en": "A large office"}, "languages": ["en"], "groups": [], "categories": []}
    office = Office(server, services=services, counters=counters, **described)
    for counter in counters:
        office.post(f"/counters/{counter['id']}/open", {"operator": f"Anna {counter['id']}"})
    return office


def called(office: Office, counters: range) -> dict[str, str]:
    """Somebody is called to each of these counters; numbers by ticket."""
    numbers = {}
    for counter in counters:
        office.issue(f"s{LETTERS[counter * 3 % 8].lower()}")
        ticket = office.post(f"/counters/c{counter}/call-next")
        numbers[ticket["id"]] = ticket["number"]
    return numbers


def shown(office: Office) -> set[str]:
    """The numbers at counters of which a board has said that it showed them."""
    state: Any = office.server.http.get(f"/api/v1/offices/{office.id}").json()
    visitors = (counter["visitor"] for counter in state["counters"])
    return {visitor["number"] for visitor in visitors if visitor and visitor["shown_at"]}


async def board(context: BrowserContext, office: Office, size: ViewportSize, name: str = "wall") -> Page:
    """A silent board on a wall of this size."""
    page = await context.new_page()
    await page.set_viewport_size(size)
    await page.goto(f"{office.server.url}/board/{office.id}?lang=en&voice=&name={name}")
    await expect(page.locator("html")).to_have_attribute("data-live", "true")
    return page


async def seen_on(page: Page, wanted: set[str]) -> None:
    """Wait until each of these numbers has been on the glass, on whatever page."""
    seen: set[str] = set()

    async def all_of_them() -> bool:
        seen.update(await page.evaluate(ON_GLASS))
        return wanted <= seen

    await until(all_of_them)


async def test_every_number_that_is_called_is_on_the_glass(browser: Browser, hall: LiveServer) -> None:
    office = await asyncio.to_thread(large_office, hall)
    context = await browser.new_context()
    context.set_default_timeout(PATIENCE_MS)
    pages = {name: await board(context, office, size, f"wall-{name}") for name, size in SIZES.items()}
    numbers: set[str] = set()

    for already, now in ((0, 4), (4, 12), (12, 18), (18, 40)):
        numbers |= {*(await asyncio.to_thread(called, office, range(already + 1, now + 1))).values()}
        await asyncio.gather(*(seen_on(page, numbers) for page in pages.values()))
        for name, page in pages.items():
            await page.bring_to_front()
            await picture(page, f"board-{now}-called-{name}")
            assert await page.evaluate(CUT_OFF) == [], (now, name)
            assert await page.evaluate(OVERLAPPING) == [], (now, name)
            letters = await page.evaluate(SMALLEST) / min(SIZES[name]["width"], SIZES[name]["height"])
            assert letters > LEAST_OF_A_WALL, (now, name)
    await until(lambda: asyncio.to_thread(lambda: shown(office) == numbers))
    turned = await pages["1920x1080"].locator(".turns span").all_inner_texts()
    await context.close()

    assert len(turned) == 2


async def test_who_is_served_goes_first_and_who_is_awaited_for_long_stays(
    visitor_browser: BrowserContext, hall: LiveServer
) -> None:
    office = await asyncio.to_thread(large_office, hall)
    waiting = await asyncio.to_thread(called, office, range(1, 9))
    first, *_ = waiting
    served = await asyncio.to_thread(called, office, range(9, 21))
    for ticket in served:
        office.post(f"/tickets/{ticket}/start")
    # More calls than a hall remembers, all of them after the first.
    for _ in range(62):
        (ticket,) = await asyncio.to_thread(called, office, range(21, 22))
        for step in ("start", "finish"):
            office.post(f"/tickets/{ticket}/{step}", {} if step == "finish" else None)
    remembered = {call["ticket"] for call in hall.http.get(f"/api/v1/offices/{office.id}").json()["calls"]}

    page = await board(visitor_browser, office, SIZES["1920x1080"])

    assert first not in remembered
    await seen_on(page, {*waiting.values()})
    on_wall = set(await page.evaluate(ON_GLASS))
    assert {*waiting.values()} <= on_wall
    await until(lambda: asyncio.to_thread(lambda: {*waiting.values()} <= shown(office)))


async def test_only_what_was_seen_is_called_shown(visitor_browser: BrowserContext, hall: LiveServer) -> None:
    office = await asyncio.to_thread(large_office, hall)
    await visitor_browser.add_init_script("""
        window.eye = "hidden";
        Object.defineProperty(document, "visibilityState", {get: () => window.eye});
    """)
    numbers = {*(await asyncio.to_thread(called, office, range(1, 19))).values()}
    # In a hand: most of it is further down.
    page = await board(visitor_browser, office, {"width": 700, "height": 400})
    await expect(page.locator(".latest .number")).to_be_visible()
    await page.wait_for_timeout(1_500)
    behind = shown(office)

    await page.evaluate("window.eye = 'visible'")
    seen = set(await page.evaluate(ON_GLASS))
    await until(lambda: asyncio.to_thread(lambda: shown(office) >= seen))
    await page.wait_for_timeout(1_500)
    at_first = shown(office)
    await page.evaluate("document.querySelector('.earlier').scrollIntoView({block: 'end'})")
    last = await page.locator(".earlier li .number").last.inner_text()

    await until(lambda: asyncio.to_thread(lambda: last in shown(office)))
    assert behind == set()
    assert 0 < len(at_first) < len(numbers)
    assert last not in at_first
