"""Headers that stand on every response."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.clock import Clock, DemoClock

DEMO_HEADER = "Fifteen-Demo-Clock"


def demo_mark(clock: Clock) -> str | None:
    """`60x` for a demo clock, None for the real one."""
    return f"{clock.speed:g}x" if isinstance(clock, DemoClock) else None


class DemoMark:
    """Says on every response that the clock behind it is not the real one, and how fast it runs."""

    def __init__(self, app: ASGIApp, speed: str) -> None:
        self._app = app
        self._speed = speed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and mark its response."""

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[DEMO_HEADER] = self._speed
            await send(message)

        await self._app(scope, receive, send_marked)
