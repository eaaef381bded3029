"""How large a description may be: found out before anything in it is compared with anything else."""

from collections.abc import Iterable, Iterator, Mapping

from app.configuration.flaws import Flaw, Path, key_path

MOST_ENTRIES = 1_000
MOST_KEYS = 64
LONGEST_KEY = 100
LONGEST_TEXT = 1_000
DEEPEST = 8
MOST_VALUES = 100_000
"""In all, tables and lists counted too. A centre of a thousand services and counters has half as many."""


def excesses(document: Mapping[str, object]) -> Iterator[Flaw]:
    """Everything that is too large, from above; what is inside of it is not looked at."""
    ahead: list[tuple[Path, object]] = [((), document)]
    seen = 0
    while ahead:
        path, value = ahead.pop()
        if seen > MOST_VALUES:
            yield Flaw("", f"must have at most {MOST_VALUES} values in all")
            return
        if reason := _excess(value, len(path)):
            yield Flaw(key_path(path), reason)
        else:
            # Most values are plain and small, and need no look of their own.
            ahead += [((*path, step), each) for step, each in _entries(value) if not _is_small(each)]
            seen += len(value) if isinstance(value, list | Mapping) else 0


def _entries(value: object) -> Iterable[tuple[str | int, object]]:
    if isinstance(value, Mapping):
        return value.items()
    return enumerate(value) if isinstance(value, list) else ()


def _is_small(value: object) -> bool:
    return len(value) <= LONGEST_TEXT if isinstance(value, str) else not isinstance(value, list | Mapping)


def _excess(value: object, depth: int) -> str | None:
    match value:
        case str() if len(value) > LONGEST_TEXT:
            return f"must be at most {LONGEST_TEXT} characters long"
        case list() if len(value) > MOST_ENTRIES:
            return f"must have at most {MOST_ENTRIES} entries"
        case Mapping() if len(value) > MOST_KEYS:
            return f"must have at most {MOST_KEYS} keys"
        case Mapping() if any(len(key) > LONGEST_KEY for key in value):
            return f"must have keys of at most {LONGEST_KEY} characters"
        case list() | Mapping() if depth > DEEPEST:
            return "is nested too deeply"
    return None
