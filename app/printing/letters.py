"""Letters as a receipt printer has them: code page 866, and for all others whatever comes nearest."""

import unicodedata
from collections.abc import Mapping

ENCODING = "cp866"
UNKNOWN = "?"
HARD_SPACE = "\u00a0"
"""A space at which no line is broken."""

HAS = frozenset(map(chr, range(0x20, 0x7F))) | frozenset(bytes(range(0x80, 0x100)).decode(ENCODING))

SIGNS = {
    **dict.fromkeys("«»„“”‟″", '"'),
    **dict.fromkeys("‘’‚‛′ʼ", "'"),
    **dict.fromkeys("‐‑‒–−", "-"),
    **dict.fromkeys("—―", "─"),
    "‹": "<",
    "›": ">",
    "•": "·",
    "×": "x",
    "⁄": "/",
    "½": " 1/2",
    "¼": " 1/4",
    "¾": " 3/4",
    "€": "EUR",
    "₽": "руб.",
    "₸": "тг",
}
# Of the languages of Russia and its neighbours the code page has Russian, Belarusian and half of Ukrainian.
CYRILLIC = {
    "ә": "э",
    "ғ": "г",
    "қ": "к",
    "ң": "н",
    "ө": "о",
    "ұ": "у",
    "ү": "у",
    "һ": "х",
    "і": "i",
    "җ": "ж",
    "ҡ": "к",
    "ҙ": "з",
    "ҫ": "с",
    "ҷ": "ч",
    "ҳ": "х",
    "ґ": "г",
    "ҥ": "н",
}
LATIN = {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ı": "i"}

NEAREST: Mapping[str, str] = {
    **SIGNS,
    **CYRILLIC,
    **LATIN,
    **{letter.upper(): near.upper() for letter, near in (CYRILLIC | LATIN).items()},
}


def printable(text: str) -> str:
    """The text in letters that the printer has."""
    # Composed first: to a printer a letter and its accent are two letters.
    return "".join(letter if letter in HAS else _near(letter) for letter in unicodedata.normalize("NFC", text))


def _near(letter: str) -> str:
    if letter in NEAREST:
        return NEAREST[letter]
    if unicodedata.category(letter) in ("Cc", "Cf", "Mn", "Me"):  # nothing to see, or an accent without its letter
        return ""
    parts = (part if part in HAS else NEAREST.get(part, "") for part in unicodedata.normalize("NFKD", letter))
    return "".join(parts) or UNKNOWN
