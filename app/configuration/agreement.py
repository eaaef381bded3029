"""Whether the parts of a description agree with each other.

The document is read as it was written, wherever it has the right shape, so that a slip in one place does not hide
another elsewhere: whoever corrects a file hears of all its mistakes at once.
"""

import itertools
from collections.abc import Iterator, Mapping

from app.configuration.flaws import Flaw
from app.configuration.shape import USUAL, WEEKDAYS, is_stretch
from queue_core.office import Limits

Document = Mapping[str, object]
Entry = tuple[str, Document]
"""A table of the document with its key path."""

LOOKALIKES = dict(zip("ABCEHKMOPTXY", "АВСЕНКМОРТХУ", strict=True))
"""Capital letters that nobody can tell apart on a printed ticket."""


def disagreements(document: Document) -> Iterator[Flaw]:
    """Everything that contradicts something else in the same document."""
    for list_name in ("groups", "services", "counters", "categories"):
        yield from _repeated_ids(document, list_name)
    yield from _repeated_languages(document)
    yield from _missing_languages(document)
    yield from _lookalike_letters(document)
    yield from _unknown_groups(document)
    yield from _unknown_services(document)
    yield from _unserved_services(document)
    yield from _overlapping_hours(document)
    yield from _late_warnings(document)
    yield from _wrong_escalation(document)


def _repeated_ids(document: Document, list_name: str) -> Iterator[Flaw]:
    first_at: dict[str, str] = {}
    for path, entry in _entries(document, list_name):
        name = entry.get("id")
        if isinstance(name, str) and first_at.setdefault(name, path) != path:
            yield Flaw(f"{path}.id", f"{name!r} is the id of {first_at[name]} already")


def _repeated_languages(document: Document) -> Iterator[Flaw]:
    for index, language in _repeated(_texts(document.get("languages"))):
        yield Flaw(f"languages[{index}]", f"{language!r} is listed already")


def _missing_languages(document: Document) -> Iterator[Flaw]:
    languages = _texts(document.get("languages")) or USUAL.languages
    for path, words in _wordings(document):
        for language in dict.fromkeys(languages):
            if language not in words:
                yield Flaw(f"{path}.{language}", "is missing; the office speaks this language")


def _lookalike_letters(document: Document) -> Iterator[Flaw]:
    letters = {str(entry.get("letter")): path for path, entry in _entries(document, "services")}
    for latin, cyrillic in LOOKALIKES.items():
        if latin in letters and cyrillic in letters:
            reason = f"the Cyrillic {cyrillic} looks like the Latin {latin} of {letters[latin]}; use one of them"
            yield Flaw(f"{letters[cyrillic]}.letter", reason)


def _unknown_groups(document: Document) -> Iterator[Flaw]:
    groups = _ids(document, "groups")
    for path, service in _entries(document, "services"):
        group = service.get("group")
        if isinstance(group, str) and group not in groups:
            yield Flaw(f"{path}.group", f"there is no group {group!r}")


def _unknown_services(document: Document) -> Iterator[Flaw]:
    services = _ids(document, "services")
    for path, counter in _entries(document, "counters"):
        served = _texts(counter.get("services"))
        for index, service in enumerate(served):
            if service not in services:
                yield Flaw(f"{path}.services[{index}]", f"there is no service {service!r}")
        for index, service in _repeated(served):
            if service in services:
                yield Flaw(f"{path}.services[{index}]", f"{service!r} is listed already")


def _unserved_services(document: Document) -> Iterator[Flaw]:
    served = {name for _, counter in _entries(document, "counters") for name in _texts(counter.get("services"))}
    for path, service in _entries(document, "services"):
        name = service.get("id")
        if isinstance(name, str) and name not in served:
            yield Flaw(path, f"no counter serves {name!r}, so whoever took a ticket would wait for ever")


def _overlapping_hours(document: Document) -> Iterator[Flaw]:
    hours = document.get("hours")
    if not isinstance(hours, Mapping):
        return
    for day in WEEKDAYS:
        stretches = sorted(text for text in _texts(hours.get(day)) if is_stretch(text))
        for earlier, later in itertools.pairwise(stretches):
            if later[:5] < earlier[6:]:
                yield Flaw(f"hours.{day}", f"{earlier} and {later} overlap")


def _late_warnings(document: Document) -> Iterator[Flaw]:
    usual = _table(document.get("limits"))
    places = [("limits", usual)]
    places += [(f"{path}.limits", _table(service.get("limits"))) for path, service in _entries(document, "services")]
    for path, limits in places:
        for channel, promised in (("walk_in", Limits().walk_in), ("booked", Limits().booked)):
            key = f"{channel}_seconds"
            limit = limits.get(key, usual.get(key, promised))
            warning = limits.get(f"{channel}_warning_seconds")
            if isinstance(limit, int) and isinstance(warning, int) and warning >= limit:
                yield Flaw(f"{path}.{channel}_warning_seconds", f"must be below the limit of {limit} seconds")


def _wrong_escalation(document: Document) -> Iterator[Flaw]:
    before: int | None = None
    for path, step in _entries(document, "escalation"):
        after = step.get("after_seconds")
        if not isinstance(after, int):
            return
        if before is None and after != 0:
            yield Flaw(f"{path}.after_seconds", "must be 0; somebody is told at once")
        if before is not None and after <= before:
            yield Flaw(f"{path}.after_seconds", f"must be more than the {before} of the step before")
        before = after


def _wordings(document: Document) -> Iterator[Entry]:
    """Every text that is given by language."""
    places = [("", document, "name")]
    for list_name in ("groups", "services", "counters", "categories"):
        places += [(f"{path}.", entry, "name") for path, entry in _entries(document, list_name)]
    places += [(f"{path}.", entry, "basis") for path, entry in _entries(document, "categories")]
    for path, entry, key in places:
        words = entry.get(key)
        if isinstance(words, Mapping):
            yield f"{path}{key}", words


def _entries(document: Document, list_name: str) -> Iterator[Entry]:
    entries = document.get(list_name)
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        if isinstance(entry, Mapping):
            yield f"{list_name}[{index}]", entry


def _table(value: object) -> Document:
    return value if isinstance(value, Mapping) else {}


def _repeated(texts: list[str]) -> Iterator[tuple[int, str]]:
    """Those that stand further ahead too, with their places."""
    seen: set[str] = set()
    for index, text in enumerate(texts):
        if text in seen:
            yield index, text
        seen.add(text)


def _ids(document: Document, list_name: str) -> set[object]:
    return {name for _, entry in _entries(document, list_name) if isinstance(name := entry.get("id"), str)}


def _texts(value: object) -> list[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []
