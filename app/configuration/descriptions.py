"""Documents in, offices out, and back again."""

import re
import tomllib
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

from pydantic import ValidationError

from app.configuration.agreement import disagreements
from app.configuration.flaws import BadDescription, Flaw, flaw_of
from app.configuration.shape import UNREAD, WEEKDAYS, OfficeTable, Patience, known_keys, stretch_of
from app.configuration.size import excesses
from queue_core.office import Office, Service

EXAMPLE = Path(__file__).with_name("centre.toml")
"""The office that an empty database begins with."""

MOST_FLAWS = 50
"""Whoever has made more corrects these first."""


def read_office(path: Path) -> Office:
    """The office that a TOML file describes; BadDescription names every mistake in it."""
    return office_of(read_document(path), str(path))


def read_document(path: Path) -> dict[str, object]:
    """What a TOML file holds, unjudged; BadDescription names the line where it is no TOML."""
    try:
        # Some editors begin a file with a byte order mark, which TOML does not know.
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise BadDescription(str(path), [Flaw("", f"cannot be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        raise BadDescription(str(path), [_not_utf8(error)]) from error
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadDescription(str(path), [_not_toml(str(error), text)]) from error
    except (ValueError, RecursionError) as error:
        raise BadDescription(str(path), [Flaw("", f"is beyond what can be read: {error}")]) from error


def office_of(document: Mapping[str, object], source: str) -> Office:
    """The office that a document describes; BadDescription names its mistakes, at most MOST_FLAWS.

    `source` is for the message.
    """
    if too_large := [*islice(excesses(document), MOST_FLAWS)]:
        raise BadDescription(source, too_large)
    try:
        table = OfficeTable.model_validate(dict(document), context=Patience(MOST_FLAWS))
    except ValidationError as error:
        flaws = _flaws_in(error)
    else:
        flaws = []
    flaws += islice(disagreements(document), MOST_FLAWS - len(flaws))
    if flaws:
        raise BadDescription(source, flaws)
    return table.office()


def _flaws_in(error: ValidationError) -> list[Flaw]:
    details = error.errors(include_url=False, include_context=True)
    told = (detail for detail in details if detail["type"] != UNREAD)
    return [flaw_of(detail, known_keys) for detail in islice(told, MOST_FLAWS)]


def document_of(office: Office) -> dict[str, object]:
    """The document that describes this office, fit for JSON and TOML; `office_of` reads it back."""
    hotline = {} if office.hotline is None else {"hotline": office.hotline}
    return {
        "id": office.id,
        "name": dict(office.name),
        "time_zone": office.zone,
        "languages": list(office.languages),
        **hotline,
        "discipline": office.discipline.value,
        "booked_weight": office.booked_weight,
        "recall_limit": office.recall_limit,
        "undo_seconds": office.undo_seconds,
        "closes_after_minutes": office.closes_after_minutes,
        "idle_seconds": office.idle_seconds,
        "long_pause_seconds": office.long_pause_seconds,
        "more_time_seconds": office.more_time_seconds,
        "more_time_limit": office.more_time_limit,
        "offline_numbers": office.offline_numbers,
        "no_show_seconds": office.no_show_seconds,
        "late_seconds": office.late_seconds,
        "late_limit": office.late_limit,
        "kiosk_claims": office.kiosk_claims,
        "escalation": [{"role": step.role, "after_seconds": step.after_seconds} for step in office.escalation],
        "hours": _hours(office),
        "groups": [{"id": group.id, "name": dict(group.name)} for group in office.groups],
        "services": [_service(service) for service in office.services],
        "counters": [
            {"id": counter.id, "name": dict(counter.name), "services": list(counter.services)}
            for counter in office.counters
        ],
        "categories": [
            {"id": category.id, "name": dict(category.name), "basis": dict(category.basis)}
            for category in office.categories
        ],
    }


def _hours(office: Office) -> dict[str, list[str]]:
    hours: dict[str, list[str]] = {}
    for opening in office.hours:
        hours.setdefault(WEEKDAYS[opening.weekday], []).append(stretch_of(opening))
    return hours


def _service(service: Service) -> dict[str, object]:
    group = {} if service.group is None else {"group": service.group}
    promised = service.limits
    limits = {"walk_in_seconds": promised.walk_in, "booked_seconds": promised.booked}
    warnings = {"walk_in_warning_seconds": promised.walk_in_warning, "booked_warning_seconds": promised.booked_warning}
    limits |= {name: seconds for name, seconds in warnings.items() if seconds is not None}
    return {"id": service.id, "letter": service.letter, "name": dict(service.name), **group, "limits": limits}


def _not_toml(complaint: str, text: str) -> Flaw:
    """The parser says where as `(at line 3, column 7)` or `(at end of document)`; an editor wants the line first."""
    place = re.fullmatch(r"(?P<reason>.*) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of .*)\)", complaint)
    if not place:
        return Flaw("", f"is not valid TOML: {complaint}")
    if not place["line"]:
        return Flaw(f"line {len(text.splitlines())}", f"is not valid TOML: {place['reason']}, and there the file ends")
    return Flaw(f"line {place['line']}, column {place['column']}", f"is not valid TOML: {place['reason']}")


def _not_utf8(error: UnicodeDecodeError) -> Flaw:
    line = error.object[: error.start].count(b"\n") + 1
    return Flaw(f"line {line}", "is not UTF-8 text; save the file as UTF-8")
