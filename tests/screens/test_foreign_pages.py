"""A page of somebody else, in the browser of somebody who is in the office's network, changes nothing."""

import asyncio
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from playwright.async_api import BrowserContext, Page, Response

from tests.api.test_gate import WRITES, filled
from tests.command_line.servers import LiveServer
from tests.screens.conftest import post

TRIES = """
async (wishes) => {
  const text = JSON.stringify({service: "passport", operator: "Eve", reason: "no", counter: "1", by: "office", stars: 1,
    outcome: "done", texts: ["x"], path: "/tmp/x", board: "hall", how: "shown", cause: "other"});
  const bodies = [undefined, text];
  const tries = [];
  for (const [method, url] of wishes) {
    for (const body of bodies) {
      tries.push(fetch(url, {method: "POST", mode: "no-cors", credentials: "include", body}));
    }
    for (const mode of ["cors", "same-origin", "no-cors"]) {
      const headers = {"Content-Type": "application/json", "Idempotency-Key": "foreign"};
      try { tries.push(fetch(url, {method, mode, headers, body: text})); } catch {}
    }
    navigator.sendBeacon(url);
    navigator.sendBeacon(url, new Blob([text], {type: "text/plain"}));
    for (const enctype of ["application/x-www-form-urlencoded", "text/plain"]) {
      const frame = document.body.appendChild(document.createElement("iframe"));
      frame.name = `frame${document.querySelectorAll("iframe").length}`;
      const form = document.body.appendChild(document.createElement("form"));
      Object.assign(form, {method: "POST", action: url, enctype, target: frame.name});
      form.appendChild(Object.assign(document.createElement("input"), {name: '{"reason": "no", "x": "', value: '"}'}));
      form.submit();
    }
    const waited = new Promise((done) => setTimeout(done, 1_000, []));
    const told = await Promise.race([Promise.allSettled(tries.splice(0)), waited]);
    if (told.some((each) => each.value?.status)) return `somebody could read the answer of ${url}`;
  }
  return "";
}
"""
"""Everything a page can do without being let: for each address, every way in which a browser writes to another site."""


class _Empty(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """A page with nothing in it."""
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>Win a prize</title>")

    def log_request(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[int]:
    """The port of somebody else's server."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Empty) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def facts(hall: LiveServer) -> int:
    seq: int = hall.http.get("/api/v1/offices/centre").json()["seq"]
    return seq


@pytest.fixture(scope="module")
def wishes(hall: LiveServer) -> list[list[str]]:
    """Every write of the application, at addresses where it could do something: there is a visitor, and a counter."""
    ticket = post(hall, "/tickets", {"service": "passport"}, key="foreign-pages")
    post(hall, "/counters/1/open", {"operator": "Anna"})
    found = []
    for method, path in WRITES:
        known = path.replace("{ticket}", ticket["id"]).replace("{token}", ticket["visit"]).replace("{counter}", "1")
        found.append([method, hall.url + filled(known.replace("{service}", "passport"))])
    return found


async def fresh_page(browser: BrowserContext, url: str) -> tuple[Page, list[Response]]:
    """A page, and the answers to what it sends."""
    page = await browser.new_page()
    answers: list[Response] = []

    def note(answer: Response) -> None:
        answers.append(answer)

    browser.on("response", note)
    await page.goto(url)
    return page, answers


async def test_a_foreign_page_tries_every_write_in_every_way_and_nothing_changes(
    hall: LiveServer, visitor_browser: BrowserContext, elsewhere: int, wishes: list[list[str]]
) -> None:
    before = facts(hall)
    page, answers = await fresh_page(visitor_browser, f"http://localhost:{elsewhere}/")

    read = await page.evaluate(TRIES, wishes)
    # Beacons and forms have no end that a page could wait for.
    await asyncio.sleep(3)

    assert read == ""
    assert facts(hall) == before
    refused = {
        (each.request.method, each.url) for each in answers if each.url.startswith(hall.url) and each.status == 403
    }
    assert {url for _, url in wishes} <= {url for _, url in refused}, "the browser itself kept them back"
    assert {each.status for each in answers if each.request.method in ("POST", "PUT")} == {403}
