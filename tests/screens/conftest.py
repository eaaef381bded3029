"""The screens in a real browser, before a real server."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page

from app.configuration import EXAMPLE, document_of, read_office
from tests.api.conftest import centre, database
from tests.chromium import UNTOUCHED, chromium
from tests.command_line.servers import LiveServer, serving

__all__ = ["centre", "database"]

ROOT = Path(__file__).parents[2]
SCREENSHOTS = ROOT / "screenshots"
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
PATIENCE_MS = 30_000
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Chromium, as Debian has it."""
    async with chromium(UNTOUCHED) as browser:
        yield browser


@pytest.fixture
async def visitor_browser(browser: Browser) -> AsyncIterator[BrowserContext]:
    """A browser of one's own: no cookies, nothing stored."""
    context = await browser.new_context()
    context.set_default_timeout(PATIENCE_MS)
    yield context
    await context.close()


@pytest.fixture(scope="module")
def hall() -> Iterator[LiveServer]:
    """A server with the example office, whatever the time of day."""
    with TemporaryDirectory(prefix="fifteen-") as directory, serving(Path(directory), canary_seconds="0") as server:
        never_close(server)
        yield server


def never_close(server: LiveServer) -> None:
    """Have the example office stay open: at the end of its hours it would take no more visitors amid a test."""
    always = {"hours": {day: ["00:00-24:00"] for day in WEEK}, "no_show_seconds": 0}
    round_the_clock = document_of(read_office(EXAMPLE)) | always
    server.http.put("/api/v1/offices/centre", json=round_the_clock).raise_for_status()


def post(server: LiveServer, path: str, body: Any = None, key: str | None = None) -> Any:
    """Something done over the API in the example office; the reply's body, or None."""
    headers = {"Idempotency-Key": key} if key else {}
    reply = server.http.post(f"/api/v1/offices/centre{path}", json=body, headers=headers)
    reply.raise_for_status()
    return reply.json() if reply.content else None


async def violations(page: Page) -> list[str]:
    """What axe-core finds against WCAG 2.2 AA on a page."""
    await page.evaluate(AXE.read_text(encoding="utf-8"))
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    found = await page.evaluate(
        "async (tags) => (await axe.run(document, {runOnly: {type: 'tag', values: tags}})).violations", tags
    )
    return [f"{each['id']}: {each['help']} at {[node['target'] for node in each['nodes']][:3]}" for each in found]


async def picture(page: Page, name: str) -> None:
    """A screenshot among what CI keeps."""
    SCREENSHOTS.mkdir(exist_ok=True)
    await page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=False)
