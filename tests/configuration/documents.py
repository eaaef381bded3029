"""Documents to begin from."""

from typing import Any


def smallest(**changes: Any) -> dict[str, Any]:
    """The least that describes an office, with some of its keys otherwise."""
    document: dict[str, Any] = {
        "id": "branch",
        "name": {"ru": "Отделение", "en": "Branch"},
        "time_zone": "Europe/Moscow",
        "hours": {"mon": ["08:00-20:00"]},
        "services": [{"id": "papers", "letter": "A", "name": {"ru": "Документы", "en": "Papers"}}],
        "counters": [{"id": "1", "name": {"ru": "Окно 1", "en": "Counter 1"}, "services": ["papers"]}],
    }
    return document | changes


def with_value(path: tuple[str | int, ...], value: object) -> dict[str, Any]:
    """The smallest document with one value, wherever it stands, otherwise."""
    document = smallest()
    place: Any = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return document


def without(*path: str | int) -> dict[str, Any]:
    """The smallest document with one key taken out."""
    document = smallest()
    place: Any = document
    for step in path[:-1]:
        place = place[step]
    del place[path[-1]]
    return document
