"""The rule for whatever people write: names, reasons, notes, remarks, texts of an office. There is no other.

Normal form C; no control characters, nothing invisible and nothing that turns the direction of what follows; not blank.
"""

import re
from collections.abc import Iterable
from unicodedata import normalize

UNSEEN = (
    *((0x00, 0x1F), (0x7F, 0x9F), (0xAD, 0xAD), (0x34F, 0x34F), (0x600, 0x605), (0x61C, 0x61C), (0x6DD, 0x6DD)),
    *((0x70F, 0x70F), (0x890, 0x891), (0x8E2, 0x8E2), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F)),
    *((0x200B, 0x200F), (0x2028, 0x202E), (0x2060, 0x206F), (0x2800, 0x2800), (0x3164, 0x3164), (0xE000, 0xF8FF)),
    *((0xFDD0, 0xFDEF), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFFB), (0xFFFE, 0xFFFF)),
    *((0x110BD, 0x110BD), (0x110CD, 0x110CD), (0x13430, 0x1343F), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A)),
    (0xE0000, 0x10FFFF),
)
"""Ranges of what nobody sees: controls, formats, fillers, selectors, tags, private use, noncharacters."""

SPACES = " \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
LINE_FEED = "\n"
LAST_OF_FOUR = 0xFFFF
"""Up to here a letter has four hexadecimal digits, which every dialect of patterns knows how to escape."""


WIDE = 1000
"""A range of more letters is left out of patterns: whoever makes up texts from one would list every letter."""


def _class_of(ranges: Iterable[tuple[int, int]]) -> str:
    return "".join(f"{_escaped(first)}-{_escaped(last)}" for first, last in ranges if last - first < WIDE)


def _escaped(code: int) -> str:
    return f"\\u{code:04x}" if code <= LAST_OF_FOUR else chr(code)


_IN_LINES = ((0x00, 0x09), (0x0B, 0x1F), *UNSEEN[1:])
_FIRST = f"[^{_class_of(UNSEEN)}{SPACES}]"

LINE = f"^{_FIRST}[^{_class_of(UNSEEN)}]*$"
"""One line, as a pattern for documents. What fits is taken, but for private use; some of what does not is mended."""

LINES = f"^{_FIRST}[^{_class_of(_IN_LINES)}]*$"
"""Several lines, likewise."""

_UNSEEN = re.compile("[" + "".join(f"{chr(first)}-{chr(last)}" for first, last in UNSEEN) + "]")
_MENDED = re.compile("[\u200d\ufe0e\ufe0f]")
"""What telephones put into their little pictures, which are there without it too."""

_BREAKS = re.compile("\r\n?")


class Unreadable(ValueError):
    """A text that nobody could read as it stands; the message says why."""


def human(text: str, *, lines: bool = False) -> str:
    """A text as it is kept, or Unreadable: in normal form, without what is invisible, and not blank."""
    if lines:
        text = _BREAKS.sub(LINE_FEED, text)
    text = normalize("NFC", _MENDED.sub("", text)).strip(SPACES + LINE_FEED if lines else SPACES)
    if _UNSEEN.search(text.replace(LINE_FEED, "") if lines else text):
        raise Unreadable("must hold nothing invisible: no control characters, nor what turns the direction of writing")
    if not text:
        raise Unreadable("must not be blank")
    return text
