"""What every page costs a browser that comes for the first time: kilobytes of script and style, and the first paint.

A new browser profile opens each page in turn with the barest page of the same server; the first paint of one is told
as a multiple of the other's.
"""

import sys
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import uvloop
from playwright.async_api import Browser, Page

from bench import Figures, words
from bench.harness.client import Clients, post
from bench.harness.offices import MADE, description, issue, path, set_up
from bench.harness.servers import Server, running
from tests.chromium import UNTOUCHED, chromium

OFFICE = "centre"
WAITING = 20
ROUNDS = 15
ROUNDS_QUICK = 3
BARE = "/livez"

PAINTED = """() => new Promise((done) => {
    new PerformanceObserver((entries) => {
        for (const {name, startTime} of entries.getEntries()) if (name === "first-contentful-paint") done(startTime);
    }).observe({type: "paint", buffered: true});
})"""
"""When something of the page was first to be seen, in milliseconds from the click."""

LOADED = """() => performance.getEntriesByType("resource")
    .filter(({name}) => /\\.(js|css)$/.test(name))
    .map(({name, decodedBodySize, encodedBodySize}) => [name.split(".").at(-1), decodedBodySize, encodedBodySize])"""
"""Each module and stylesheet: its kind, its bytes, and its bytes on the wire."""

OPERATOR = "localStorage.setItem('fifteen.console.operator', 'Anna')"


async def main() -> int:
    """Open every page on its own; the exit status."""
    asked, figures = words(__doc__), Figures()
    with TemporaryDirectory(prefix="fifteen-bench-") as directory:
        server = Server({"FIFTEEN_DATABASE": str(Path(directory, "pages.db"))})
        with running(server):
            await server.ready()
            pages = await peopled(server)
            async with chromium(UNTOUCHED) as browser:
                rounds = ROUNDS_QUICK if asked.quick else ROUNDS
                await look(browser, f"http://127.0.0.1:{server.port}", pages, rounds, figures)
            server.stop()
    return figures.end()


async def peopled(server: Server) -> dict[str, str]:
    """An office with a line and a visitor called; its pages by name."""
    clients = Clients(server.port, 1)
    await set_up(clients, description(OFFICE))
    tickets = await clients.ask((issue(OFFICE, f"visitor-{number}") for number in range(WAITING)), expected=MADE)
    await clients.ask([post(path(OFFICE, "/counters/1/call-next"), None, "call")], expected=MADE)
    return {
        "kiosk": f"/kiosk/{OFFICE}",
        "console": f"/console/{OFFICE}/1",
        "board": f"/board/{OFFICE}",
        "visitor": f"/visit/{tickets[-1].json()['visit']}",
        "supervisor": f"/supervisor/{OFFICE}",
        "overview": "/supervisor",
    }


async def look(browser: Browser, server: str, pages: dict[str, str], rounds: int, figures: Figures) -> None:
    """Every page and the barest one in turns, each time as if for the first time."""
    painted, ratios = defaultdict[str, list[float]](list), defaultdict[str, list[float]](list)
    for turn in range(rounds):
        for name, address in pages.items():
            turns = {name: address, BARE: BARE}
            order = sorted(turns, reverse=bool(turn % 2))
            found = {each: await first_paint(browser, server + turns[each]) for each in order}
            painted[name].append(found[name])
            ratios[name].append(found[name] / found[BARE])
    for name, address in pages.items():
        for kind, (plain, sent) in (await loaded(browser, server + address)).items():
            figures.tell(f"{name}_{kind}_kb", plain / 1000)
            figures.tell(f"{name}_{kind}_sent_kb", sent / 1000)
        figures.tell(f"{name}_first_paint_ms", median(painted[name]))
        figures.tell(f"{name}_first_paint_of_bare", median(ratios[name]))


async def first_paint(browser: Browser, address: str) -> float:
    """Milliseconds, in a profile that has never been there."""
    async with visiting(browser, address) as page:
        return float(await page.evaluate(PAINTED))


async def loaded(browser: Browser, address: str) -> dict[str, tuple[int, int]]:
    """Bytes of each kind, as they are and as they were sent."""
    async with visiting(browser, address) as page:
        files = await page.evaluate(LOADED)
    return {
        kind: (
            sum(plain for found, plain, _ in files if found == kind),
            sum(sent for found, _, sent in files if found == kind),
        )
        for kind in ("js", "css")
    }


@asynccontextmanager
async def visiting(browser: Browser, address: str) -> AsyncIterator[Page]:
    """A page, loaded in a profile of its own."""
    context = await browser.new_context()
    await context.add_init_script(OPERATOR)
    page = await context.new_page()
    await page.goto(address)
    yield page
    await context.close()


if __name__ == "__main__":
    sys.exit(uvloop.run(main()))
