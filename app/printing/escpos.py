"""The few commands of ESC/POS that a ticket is printed with, as bytes. Each sets one thing and leaves the rest."""

from enum import IntEnum

from app.printing.letters import ENCODING, HARD_SPACE

ESC, FS, GS, DLE, EOT = b"\x1b", b"\x1c", b"\x1d", b"\x10", b"\x04"

CYRILLIC = 17
"""Where code page 866 stands in most printers' tables."""

LARGEST = 8
FEED_TO_CUTTER = 6
"""Lines between the print head and the knife."""


class Align(IntEnum):
    """Where a line stands."""

    LEFT = 0
    CENTRE = 1


class Asked(IntEnum):
    """What a printer can be asked at any time, in the middle of a job or when it can do nothing else."""

    PRINTER = 1
    OFFLINE_CAUSE = 2
    ERROR_CAUSE = 3
    PAPER = 4


def initialise(code_page: int = CYRILLIC) -> bytes:
    """As switched on, with a code page."""
    # FS . for printers made for China: they read two Russian letters as one of theirs until they are told not to.
    return ESC + b"@" + FS + b"." + ESC + b"t" + bytes([code_page])


def size(width: int, height: int) -> bytes:
    """Letters so many times as wide and as high, from 1 to 8."""
    assert 1 <= width <= LARGEST
    assert 1 <= height <= LARGEST
    return GS + b"!" + bytes([(width - 1) << 4 | (height - 1)])


def bold(on: bool) -> bytes:
    """Heavy letters from here on, or not."""
    return ESC + b"E" + bytes([on])


def align(where: Align) -> bytes:
    """Whether lines, and codes, stand at the left or in the middle."""
    return ESC + b"a" + bytes([where])


def line(text: str) -> bytes:
    """A line of letters that the printer has."""
    return letters(text) + b"\n"


def letters(text: str) -> bytes:
    """The beginning of a line."""
    # Not every printer leaves the place of the hard space empty.
    return text.replace(HARD_SPACE, " ").encode(ENCODING)


def qr(data: str, dots: int) -> bytes:
    """A QR code drawn by the printer: model 2, error correction M, modules of so many dots."""
    return b"".join(
        [
            _symbol(b"A", b"2\x00"),
            _symbol(b"C", bytes([dots])),
            _symbol(b"E", b"1"),
            _symbol(b"P", b"0" + data.encode()),
            _symbol(b"Q", b"0"),
        ]
    )


def cut() -> bytes:
    """Feed the last line past the knife, and cut but for a bridge, so that the ticket does not fall."""
    return ESC + b"d" + bytes([FEED_TO_CUTTER]) + GS + b"V\x01"


def ask(what: Asked) -> bytes:
    """A question that is answered with one byte."""
    return DLE + EOT + bytes([what])


def _symbol(function: bytes, parameters: bytes) -> bytes:
    content = b"1" + function + parameters
    return GS + b"(k" + len(content).to_bytes(2, "little") + content
