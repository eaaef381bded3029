"""A receipt printer on the network: a socket that takes bytes, answers questions about itself, or misbehaves."""

import socket
import threading
from contextlib import suppress
from types import TracebackType

from app.printing.escpos import Asked

FINE = dict.fromkeys(Asked, 0b0001_0010)
"""Nothing is the matter."""

NO_PAPER = FINE | {Asked.PRINTER: 0b0001_1010, Asked.OFFLINE_CAUSE: 0b0011_0010, Asked.PAPER: 0b0111_1110}
LITTLE_PAPER = FINE | {Asked.PAPER: 0b0001_1110}
COVER_OPEN = FINE | {Asked.PRINTER: 0b0001_1010, Asked.OFFLINE_CAUSE: 0b0001_0110}
KNIFE_STUCK = FINE | {Asked.PRINTER: 0b0001_1010, Asked.OFFLINE_CAUSE: 0b0101_0010, Asked.ERROR_CAUSE: 0b0001_1010}
BROKEN = FINE | {Asked.PRINTER: 0b0001_1010, Asked.ERROR_CAUSE: 0b0011_0010}
MUTE: dict[Asked, int] = {}

QUESTION = b"\x10\x04"


class ReceiptPrinter:
    """`answers` are what it says when it is asked, `took` is what it was told to print.

    `goes_silent_after` bytes of a job it does nothing any more, as one that hangs. `says_first` comes unasked.
    """

    def __init__(self) -> None:
        self.answers = FINE
        self.took = b""
        self.says_first = b""
        self.goes_silent_after: int | None = None
        self.reads = True
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._open: list[socket.socket] = []
        self._changed, self._off = threading.Condition(), threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def __enter__(self) -> "ReceiptPrinter":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.switch_off()

    @property
    def address(self) -> str:
        """Where it is."""
        return f"tcp://127.0.0.1:{self.port}"

    @property
    def is_connected(self) -> bool:
        """Whether somebody holds a link to it."""
        return bool(self._open)

    def switch_off(self) -> None:
        """Nothing listens any more."""
        self._off.set()
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for link in self._open:
            with suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)
        self._thread.join()

    def wait_for(self, job: bytes) -> None:
        """Until all of this has come, or an AssertionError."""
        with self._changed:
            came = self._changed.wait_for(lambda: self.took == job, timeout=30)
        assert came, f"{self.took!r} came"

    def _work(self) -> None:
        """One link after the other, as printers do."""
        while True:
            try:
                link, _ = self._listening.accept()
            except OSError:
                return
            self._open.append(link)
            with link, suppress(OSError):
                link.sendall(self.says_first)
                self._serve(link)
            self._open.remove(link)

    def _serve(self, link: socket.socket) -> None:
        pending = b""
        while self._may_read() and (came := link.recv(4096)):
            pending += came
            while pending and not QUESTION.startswith(pending):
                if not pending.startswith(QUESTION):
                    job, question, rest = pending.partition(QUESTION)
                    self._print(job)
                    pending = question + rest
                elif len(pending) == len(QUESTION):
                    break
                else:
                    self._answer(link, Asked(pending[2]))
                    pending = pending[3:]
        # Hanging, until somebody has switched it off and on: what was in the line is lost then.
        while not self._may_read() and not self._off.wait(0.02):
            pass

    def _may_read(self) -> bool:
        return self.reads and not self._hangs()

    def _hangs(self) -> bool:
        return self.goes_silent_after is not None and len(self.took) >= self.goes_silent_after

    def _print(self, job: bytes) -> None:
        with self._changed:
            self.took += job
            self._changed.notify_all()

    def _answer(self, link: socket.socket, asked: Asked) -> None:
        if asked in self.answers and not self._hangs():
            link.sendall(bytes([self.answers[asked]]))
