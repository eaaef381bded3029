"""Chromium, as Debian has it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, async_playwright

PROGRAM = "/usr/bin/chromium"
SWITCHES = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)

UNTOUCHED = "--autoplay-policy=no-user-gesture-required"
"""A board speaks without having been touched: so are real ones set up."""


@asynccontextmanager
async def chromium(*switches: str) -> AsyncIterator[Browser]:
    """A browser that has never been used, with these switches besides the usual ones."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=PROGRAM, args=[*SWITCHES, *switches])
        try:
            yield browser
        finally:
            await browser.close()
