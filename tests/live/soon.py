"""Waiting for what happens by itself."""

import asyncio
from collections.abc import Callable


async def soon(true: Callable[[], bool]) -> None:
    """Return when it is so; TimeoutError when that takes longer than half a minute."""
    async with asyncio.timeout(30):
        while not true():
            await asyncio.sleep(0.01)
