"""What can be wrong with a description, said in plain words."""

import difflib
import reprlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import ErrorDetails

from queue_core.errors import Refusal

Path = tuple[str | int, ...]
"""Where in a document something stands: `("services", 2, "letter")`."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """One mistake: the key it is at, such as `services[2].letter`, or the line; and the reason."""

    at: str
    reason: str

    def __str__(self) -> str:
        return f"{self.at}: {self.reason}" if self.at else self.reason


class BadDescription(Refusal):
    """The description of the office has mistakes."""

    def __init__(self, source: str, flaws: Iterable[Flaw]) -> None:
        self.source = source
        self.flaws = tuple(flaws)
        super().__init__(errors=[{"at": flaw.at, "reason": flaw.reason} for flaw in self.flaws])

    def __str__(self) -> str:
        return "\n".join(f"{self.source}: {flaw}" for flaw in self.flaws)


def key_path(path: Path) -> str:
    """`("services", 2, "letter")` as `services[2].letter`."""
    return "".join(map(_written, path)).removeprefix(".")


def flaw_of(error: ErrorDetails, known: Callable[[Path], Sequence[str]]) -> Flaw:
    """A complaint of pydantic in our words; `known` tells which keys a table may have."""
    path = tuple(step for step in error["loc"] if step != KEY_ITSELF)
    if error["type"] == "extra_forbidden":
        return Flaw(key_path(path), _unknown_key(str(path[-1]), known(path[:-1])))
    words = WORDS.get(error["type"])
    if words is None:
        return Flaw(key_path(path), error["msg"])
    return Flaw(key_path(path), words(error.get("ctx", {})) + _not_that(error))


def _written(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    return f".{step if step.isprintable() else ascii(step)}"


KEY_ITSELF = "[key]"
"""How pydantic says that it is the key of an entry that is wrong, not its value."""

Context = Mapping[str, Any]

WORDS: Mapping[str, Callable[[Context], str]] = {
    "missing": lambda _: "is missing",
    "string_type": lambda _: "must be a text in quotes",
    "string_unicode": lambda _: "must be valid Unicode",
    "string_too_short": lambda _: "must not be empty",
    "string_too_long": lambda context: f"must be at most {context['max_length']} characters long",
    "int_type": lambda _: "must be a whole number",
    "int_parsing_size": lambda _: "is far too large",
    "greater_than_equal": lambda context: f"must be at least {context['ge']}",
    "less_than_equal": lambda context: f"must be at most {context['le']}",
    "list_type": lambda _: "must be a list",
    "too_short": lambda _: "must not be empty",
    "too_long": lambda context: f"must have at most {context['max_length']} entries",
    "dict_type": lambda _: "must be a table",
    "model_type": lambda _: "must be a table",
    "enum": lambda context: f"must be one of {context['expected']}",
}

SHOWN = frozenset({"string_type", "int_type", "greater_than_equal", "less_than_equal", "enum"})
"""The complaints that are plainer with what was found instead."""


def _not_that(error: ErrorDetails) -> str:
    found = error["input"]
    return (
        f", not {reprlib.repr(found)}" if error["type"] in SHOWN and isinstance(found, str | int | float | bool) else ""
    )


def _unknown_key(key: str, known: Sequence[str]) -> str:
    meant = difflib.get_close_matches(key, known, n=1)
    return f"is not a known key; did you mean {meant[0]!r}?" if meant else "is not a known key"
