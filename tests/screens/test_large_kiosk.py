"""A kiosk in every mode, at four sizes: whatever is there can be reached by its buttons, and read."""

from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.command_line.servers import LiveServer
from tests.screens.conftest import PATIENCE_MS, picture
from tests.screens.offices import Office
from tests.screens.test_kiosk import number, opened, touch

pytestmark = pytest.mark.needs("chromium")

SIZES = {
    "1280x1024": (1280, 1024),
    "1080x1920": (1080, 1920),
    "1920x1080": (1920, 1080),
    "1024x768": (1024, 768),
}
MODES = [[], ["large"], ["low"], ["large", "low"], ["large", "contrast", "low"]]
TICKET_GONE_MS = 11_000

UNREACHED = """async (wanted) => {
    const frame = () => new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(next)));
    const button = (mode) => document.querySelector(`[data-mode=${mode}]`);
    for (const mode of ["large", "contrast", "low"]) {
        const isOn = button(mode).getAttribute("aria-pressed") === "true";
        if (isOn !== wanted.includes(mode)) button(mode).click();
    }
    await frame();
    await frame();
    const main = document.querySelector("main");
    const parts = [...main.querySelectorAll("h1, p, button, figcaption, .name, .wait, .closed, .code")]
        .filter((part) => part.checkVisibility() && (part.textContent.trim() || part.matches(".code")));
    const words = (part) => part.textContent.trim().slice(0, 40);
    const named = (part) => `${part.tagName}.${part.getAttribute("class") ?? ""}: ${words(part)}`;
    const within = (box, room) => box.left >= room.left - 1 && box.right <= room.right + 1;
    const inside = (box, room) =>
        within(box, room) && box.top >= room.top - 1 && box.bottom <= room.bottom + 1;
    const glass = {left: 0, top: 0, right: innerWidth, bottom: innerHeight};
    const isOnTop = (part, box) => {
        const top = document.elementFromPoint((box.left + box.right) / 2, (box.top + box.bottom) / 2);
        return top && (part.contains(top) || top.contains(part));
    };
    const seen = new Set();
    const turn = async (way) => {
        const by = document.querySelector(`.paging .${way}`);
        if (!by || by.disabled || !inside(by.getBoundingClientRect(), glass)) return false;
        by.click();
        await frame();
        return true;
    };
    while (await turn("up"));
    do {
        for (const part of parts) {
            const box = part.getBoundingClientRect();
            if (inside(box, main.getBoundingClientRect()) && inside(box, glass) && isOnTop(part, box)) seen.add(part);
        }
    } while (await turn("down"));
    const faults = parts.filter((part) => !seen.has(part)).map((part) => `not reached: ${named(part)}`);
    const around = [...document.querySelectorAll(".office, .clock, .paging button, .modes button, .line")];
    for (const part of around.filter((each) => each.checkVisibility())) {
        const box = part.getBoundingClientRect();
        const holder = part.parentElement.getBoundingClientRect();
        if (!inside(box, glass) || !isOnTop(part, box) || !inside(box, holder)) faults.push(`hidden: ${named(part)}`);
    }
    for (const part of [...parts, ...around]) {
        if (part.matches("svg")) continue;
        const isBlock = getComputedStyle(part).display !== "inline";
        if (isBlock && part.scrollWidth > part.clientWidth + 1) faults.push(`cut: ${named(part)}`);
    }
    if (main.scrollWidth > main.clientWidth + 1) faults.push("sideways");
    while (await turn("up"));
    return faults;
}"""
"""What of a view, in these modes, is never seen in full, whichever of the buttons below it is pressed."""


async def flaws(page: Page, view: str, size: str) -> dict[str, Any]:
    """What cannot be reached or read, mode by mode."""
    await page.wait_for_selector(f"[data-view={view}]")
    found = {}
    for modes in MODES:
        if unreached := await page.evaluate(UNREACHED, modes):
            found[f"{size} {view} {'+'.join(modes)}"] = unreached
        if modes == ["large"]:
            await picture(page, f"kiosk-large-{view}-{size}")
    await page.evaluate(UNREACHED, [])
    return found


@pytest.mark.parametrize("size", SIZES)
async def test_everything_is_reached_and_read_in_every_mode(browser: Browser, hall: LiveServer, size: str) -> None:
    width, height = SIZES[size]
    context = await browser.new_context(viewport={"width": width, "height": height})
    context.set_default_timeout(PATIENCE_MS)
    page = await opened(context, hall, office=Office(hall, kiosk_claims=True).id, lang="ru", idle="600")

    found = await flaws(page, "welcome", size)
    for way, view in ((0, "rights"), (1, "times")):
        await page.locator(".ways button").nth(way).click()
        found |= await flaws(page, view, size)
        await page.locator(".steps button").first.click()
    await page.locator(".choice.group").first.click()
    found |= await flaws(page, "group", size)
    await page.locator("[data-mode=large]").click()
    await page.locator(".choice:enabled").first.click()
    await number(page)
    await expect(page.locator("figure .code")).to_be_visible()
    await expect(page.locator(".take")).to_have_text("Возьмите талон")
    found |= await flaws(page, "ticket", size)
    await context.close()

    assert found == {}


async def test_who_asks_for_large_text_has_time_until_done(visitor_browser: BrowserContext, hall: LiveServer) -> None:
    before = await opened(visitor_browser, hall)
    await touch(before, "Large text")
    during = await opened(visitor_browser, hall, kiosk="door")
    for page in (before, during):
        await page.locator(".choice.group").first.click()
        await page.locator(".choice:enabled").first.click()
        await number(page)
    await touch(during, "Large text")

    await before.wait_for_timeout(TICKET_GONE_MS)

    for page in (before, during):
        await expect(page.locator(".your")).to_be_visible()
        await touch(page, "Done")
        await page.wait_for_selector("[data-view=welcome]")
        assert await page.get_attribute("html", "data-large") is None
