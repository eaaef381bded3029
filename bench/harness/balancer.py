"""A front door for several servers: every new connection goes to the next of them, as a load balancer would send it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import cycle

from bench.harness.servers import free_port

PIECE_BYTES = 65_536


@asynccontextmanager
async def balancing(ports: Sequence[int]) -> AsyncIterator[int]:
    """The port of the front door, open until the end of the block."""
    turns = cycle(ports)

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", next(turns))
        await asyncio.gather(_pour(reader, back), _pour(there, writer))

    port = free_port()
    door = await asyncio.start_server(pass_on, "127.0.0.1", port)
    try:
        yield port
    finally:
        door.close()


async def _pour(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    """Everything from one end to the other; when one hangs up, so does the other."""
    with suppress(OSError):
        while piece := await source.read(PIECE_BYTES):
            target.write(piece)
            await target.drain()
    target.close()
