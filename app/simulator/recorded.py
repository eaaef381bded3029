"""A day from a CSV file: `issued_at,service,service_minutes`, one visitor a line.

`issued_at` is a time of day (`09:31` or `09:31:20`) or a full instant (`2026-11-26T09:31:20`, with or without an
offset; without one it is the office's own time). Its date does not matter: the day is replayed on the server's present
business day, at the same times of day. Further columns are left alone.
"""

import contextlib
import csv
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from pathlib import Path

from app.simulator.places import Place
from app.simulator.visits import Day, Visit

COLUMNS = ("issued_at", "service", "service_minutes")
LONGEST_MINUTES = 24 * 60


class BadRecord(Exception):
    """A CSV file cannot be replayed; the message names it, the line and the reason."""


def recorded_day(path: Path, place: Place, day: date) -> Day:
    """The recorded visits, moved to `day`."""
    visits = tuple(sorted(_visits(path, place, day), key=lambda visit: visit.at))
    if not visits:
        raise BadRecord(f"{path}: there are no visits in it")
    return Day(visits=visits, breaks={})


def _visits(path: Path, place: Place, day: date) -> Iterator[Visit]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, strict=True)
            _refuse_other_columns(path, rows.fieldnames)
            for row in rows:
                yield _visit(row, place, day, where=f"{path}, line {rows.line_num}")
    except OSError as error:
        raise BadRecord(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadRecord(f"{path} is not UTF-8 text") from error
    except csv.Error as error:
        raise BadRecord(f"{path}, line {rows.reader.line_num}: {error}") from error


def _refuse_other_columns(path: Path, columns: Sequence[str] | None) -> None:
    missing = [column for column in COLUMNS if column not in (columns or ())]
    if missing:
        raise BadRecord(f"{path}, line 1: the header lacks {', '.join(missing)}; it begins {','.join(COLUMNS)}")


def _visit(row: dict[str, str | None], place: Place, day: date, where: str) -> Visit:
    issued_at, service, minutes = (row[column] or "" for column in COLUMNS)
    if service not in place.services:
        known = ", ".join(place.services)
        raise BadRecord(f"{where}: office {place.id} has no service {service!r}; it has {known}")
    at = place.instant(day, _time_of_day(issued_at, place, where))
    return Visit(at=at, service=service, service_seconds=_seconds(minutes, where))


def _time_of_day(text: str, place: Place, where: str) -> time:
    with contextlib.suppress(ValueError):
        return time.fromisoformat(text)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadRecord(
            f"{where}: issued_at {text!r} is neither a time such as 09:31 nor an instant such as 2026-11-26T09:31"
        ) from error
    return instant.astimezone(place.zone).time() if instant.tzinfo else instant.time()


def _seconds(text: str, where: str) -> float:
    try:
        minutes = float(text)
    except ValueError as error:
        raise BadRecord(f"{where}: service_minutes {text!r} is not a number") from error
    if not 0 < minutes <= LONGEST_MINUTES:
        raise BadRecord(f"{where}: service_minutes {text!r} is not between 0 and {LONGEST_MINUTES}")
    return minutes * 60
