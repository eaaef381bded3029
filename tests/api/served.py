"""The application behind a real server on a free port."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from app.web.connections import Connections
from app.web.guarded import guarded


@asynccontextmanager
async def served(app: Any, connections: Connections | None = None) -> AsyncIterator[str]:
    """The address at which a running application answers, to whom `connections` let in."""
    config = uvicorn.Config(
        app,
        http=guarded(connections or app.state.connections),
        # The lifespan belongs to whoever made the application.
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=5,
    )
    server = uvicorn.Server(config)
    listening = socket.socket()
    # Else the kernel would keep megabytes for somebody who does not read.
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 64 * 1024)
    listening.bind(("127.0.0.1", 0))
    serving = asyncio.create_task(server.serve([listening]))
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        app.state.hub.stop()
        server.should_exit = True
        await serving
