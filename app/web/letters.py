"""Letters that a request may spell and no database keeps: NUL, and half of a surrogate pair.

PostgreSQL has no NUL in its texts, and what is half of a pair has no form in UTF-8. So they are looked for once, before
any route reads what it was sent, and not field by field.
"""

import json
import re
from collections.abc import Iterator
from itertools import islice

import msgspec

MOST_TOLD = 50
LARGEST_TOLD_BYTES = 64 * 1024
"""In a larger body the places are not looked for: that alone would take longer than the loop may stand still."""

REASON = "must hold neither NUL nor half of a surrogate pair, which no database can keep"

_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_MAYBE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_UNKEPT = re.compile("[\0\ud800-\udfff]")


def unkept_in_address(path: str, query: bytes) -> list[dict[str, str]]:
    """Where in an address such letters are: the mistakes, as a problem tells them. In an address a half has no form."""
    found = [("path", "\0" in path), ("query", b"\0" in query or b"%00" in query)]
    return [_mistake(where) for where, is_there in found if is_there]


def unkept_in_body(body: bytes) -> list[dict[str, str]]:
    """The same for a body; none where it is no JSON, which whoever reads it will say."""
    if not _MAYBE.search(body):
        return []
    if not _NUL.search(body) and _is_read(body):
        return []
    try:
        # This reader takes halves of pairs, unlike the one that will read it for its route.
        said = json.loads(body.decode("utf-8-sig"), parse_constant=_refuse)
        places = [*islice(_places(said, ""), MOST_TOLD)] if len(body) <= LARGEST_TOLD_BYTES else [""]
    except (ValueError, RecursionError):
        return []
    return [_mistake(place) for place in places]


def _is_read(body: bytes) -> bool:
    try:
        msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _places(said: object, at: str) -> Iterator[str]:
    match said:
        case str():
            if _UNKEPT.search(said):
                yield at
        case dict():
            for name, held in said.items():
                if _UNKEPT.search(name):
                    yield at
                yield from _places(held, f"{at}.{name}" if at else name)
        case list():
            for index, held in enumerate(said):
                yield from _places(held, f"{at}[{index}]")
        case _:
            return


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _mistake(at: str) -> dict[str, str]:
    return {"at": _UNKEPT.sub("\ufffd", at)[:100], "reason": REASON}
