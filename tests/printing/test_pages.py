"""Pages in a real browser: the kiosk's prints, and no other does."""

import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

from tests.chromium import chromium
from tests.printing.agents import agent
from tests.printing.paper import printed
from tests.printing.slips import RUSSIAN
from tests.screens.conftest import PATIENCE_MS

pytestmark = pytest.mark.needs("chromium")

ASK = """async ([url, slip]) => {
  const written = {headers: {"Content-Type": "application/json"}, body: JSON.stringify(slip)};
  try {
    const answer = await fetch(url, {method: "POST", ...(slip ? written : {})});
    return [answer.status, await answer.json()];
  } catch (error) {
    return [0, String(error)];
  }
}"""
TAKEN = [200, {"printed": True, "number": "A012"}]
NO_ANSWER = [0, "TypeError: Failed to fetch"]


class _Kiosk(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>Kiosk</title>")

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def port() -> Iterator[int]:
    """Where a server of pages listens."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Kiosk) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server.server_port
        server.shutdown()


@asynccontextmanager
async def page_at(origin: str, *switches: str) -> AsyncIterator[Page]:
    """A page of this origin, in a browser started with these switches."""
    async with chromium(*switches) as browser:
        page = await browser.new_page()
        page.set_default_timeout(PATIENCE_MS)
        await page.goto(origin)
        yield page


@pytest.mark.parametrize(
    "switches",
    [
        ["--ip-address-space-overrides=127.0.0.1:{port}=local"],
        ["--ip-address-space-overrides=127.0.0.1:{port}=public", "--disable-features=LocalNetworkAccessChecks"],
    ],
    ids=["of a server in the office", "of a server far away, with the switch that our page names"],
)
async def test_the_kiosks_page_prints(tmp_path: Path, port: int, switches: list[str]) -> None:
    origin = f"http://127.0.0.1:{port}"
    with agent(tmp_path, "--to", "tickets.bin", "--origin", origin) as running:
        async with page_at(origin, *(switch.format(port=port) for switch in switches)) as page:
            answer = await page.evaluate(ASK, [f"{running.url}/print", RUSSIAN])
            again = await page.evaluate(ASK, [f"{running.url}/reprint", None])

    assert (answer, again) == (TAKEN, TAKEN)
    assert len(printed((tmp_path / "tickets.bin").read_bytes()).cut_at) == 2


async def test_another_page_on_the_same_machine_prints_nothing(tmp_path: Path, port: int) -> None:
    with agent(tmp_path, "--to", "tickets.bin", "--origin", "http://kiosk-server:8000") as running:
        running.http.post("/print", json=RUSSIAN)
        before = (tmp_path / "tickets.bin").read_bytes()
        async with page_at(f"http://127.0.0.1:{port}") as page:
            answers = [
                await page.evaluate(ASK, [f"{running.url}/print", RUSSIAN]),
                # This one goes out without the browser asking first.
                await page.evaluate(ASK, [f"{running.url}/reprint", None]),
            ]

    assert answers == [NO_ANSWER, NO_ANSWER]
    assert (tmp_path / "tickets.bin").read_bytes() == before
