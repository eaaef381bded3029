"""Waiting for what happens by itself."""

import asyncio
from collections.abc import Callable


async def soon(true: Callable[[], bool]) -> None:
    """Return when it is so; TimeoutError when that takes longer than ten seconds."""
    for _ in range(1_000):
        if true():
            return
        await asyncio.sleep(0.01)
    raise TimeoutError
