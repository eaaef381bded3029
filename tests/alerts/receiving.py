"""A receiver of messages: a real HTTP server, which takes them, refuses them, hangs or is away, as it is told."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import msgspec

HANG = -1


class Post(NamedTuple):
    """One request as it came in, and how it was answered. `at` is in seconds since 1970."""

    at: float
    path: str
    headers: dict[str, str]
    body: bytes
    answered: int

    @property
    def json(self) -> Any:
        """The body read."""
        return msgspec.json.decode(self.body)


class Receiver:
    """`answer` says which status a body gets, HANG for none at all before the receiver is closed."""

    def __init__(self) -> None:
        self.answer: Callable[[bytes], int] = lambda _body: 200
        self.posts: list[Post] = []
        self._closing = threading.Event()
        self._port = 0
        self.come()

    @property
    def url(self) -> str:
        """Where it listens, or will again."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def taken(self) -> list[Post]:
        """What was answered with a 2xx, in order."""
        return [post for post in self.posts if 200 <= post.answered < 300]

    @property
    def ids(self) -> list[str]:
        """The ids of what was taken, in order."""
        return [post.headers["webhook-id"] for post in self.taken]

    def go(self) -> None:
        """Nobody is at home."""
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def come(self) -> None:
        """At home, at the same address as before."""
        self._closing.clear()
        self._server = _Server(("127.0.0.1", self._port), self._handler())
        self._port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                status = receiver.answer(body)
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.posts.append(Post(time.time(), self.path, headers, body, status))
                if status == HANG:
                    receiver._closing.wait()
                    self.close_connection = True
                    return
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("location", f"{receiver.url}/elsewhere")
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Not a word."""

        return Handler


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever sends may go away before the answer."""


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver, gone afterwards."""
    receiver = Receiver()
    try:
        yield receiver
    finally:
        receiver.go()
