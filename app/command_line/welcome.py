"""What is printed when a server has started: where to look, and lines that work when they are pasted."""

import json
from collections.abc import Sequence
from datetime import datetime

from app.settings import Settings
from queue_core.hall import Hall
from queue_core.office import Counter

RULE = "!" * 80


def banner(speed: float, now: datetime) -> str:
    """The warning of a demo clock, too loud to be missed."""
    return (
        f"{RULE}\n"
        f"!!  DEMO CLOCK: time runs {speed:g}-fold here; it is {now:%A, %d %B %Y, %H:%M} UTC.\n"
        "!!  Nothing in this journal is real. It is marked as a demo for ever: a server with\n"
        "!!  the real clock refuses it, and a demo clock is refused by every real journal.\n"
        f"{RULE}\n"
    )


def welcome(url: str, settings: Settings, halls: Sequence[Hall], now: datetime) -> str:
    """Where to click and what to type."""
    look = "".join(_line(f"{hall.office_id}, live", f"{url}/api/v1/offices/{hall.office_id}") for hall in halls[:3])
    api = _line("the API, to read and try", f"{url}/docs") + look + _line("metrics", f"{url}/metrics")
    rest = _first_steps(url, halls[0], now) if halls else _no_office(settings)
    return f"Fifteen serves at {url}\n\n{screens(url, halls)}{api}{rest}"


def screens(url: str, halls: Sequence[Hall]) -> str:
    """Where to click."""
    everything = _line("all screens", f"{url}/") + _line("all offices", f"{url}/supervisor")
    return everything + "".join(
        _line(f"{hall.office_id}, {screen}", f"{url}/{screen}/{hall.office_id}")
        for hall in halls[:3]
        for screen in ("kiosk", "console", "board", "supervisor")
    )


def _line(what: str, address: str) -> str:
    return f"  {what:<26} {address}\n"


def _no_office(settings: Settings) -> str:
    return f"\nThere is no office yet. Describe one:\n\n  fifteen apply office.toml --database {settings.database}\n"


def _first_steps(url: str, hall: Hall, now: datetime) -> str:
    office, counter = f"{url}/api/v1/offices/{hall.office_id}", _some_counter(hall)
    ticket, operator = json.dumps({"service": counter.services[0]}), json.dumps({"operator": "Anna"})
    return (
        f"{_hours(office, hall, now)}"
        "\nTake a ticket, open a counter, call whoever is next:\n\n"
        f"  curl -w '\\n' -X POST {office}/tickets \\\n       {_key('ticket')} {_body(ticket)}\n"
        f"  curl -w '\\n' -X POST {office}/counters/{counter.id}/open \\\n       {_body(operator)}\n"
        f"  curl -w '\\n' -X POST {office}/counters/{counter.id}/call-next \\\n       {_key('call')}\n"
        "\nStop with Ctrl-C. Everything that was answered is in the journal.\n"
    )


def _key(what: str) -> str:
    """Another key whenever the line is pasted, because the same one would get the first reply again."""
    return f'-H "Idempotency-Key: {what}-$(date +%s)"'


def _body(json_text: str) -> str:
    return f"-H 'Content-Type: application/json' -d '{json_text}'"


def _hours(office: str, hall: Hall, now: datetime) -> str:
    """A word about the hour, where the lines below it would surprise."""
    if hall.receives_at(hall.moment(now)):
        by_hand = f"\nThe day of {hall.office_id} was opened by hand: it receives visitors at any hour.\n"
        return by_hand if hall.day_by_hand else ""
    close = f"  curl -w '\\n' -X POST {office}/close-day\n" if hall.day_is_open else ""
    open_day = f"{close}  curl -w '\\n' -X POST {office}/open-day\n"
    return f"\nBy its hours {hall.office_id} is closed now. Open the day by hand:\n\n{open_day}"


def _some_counter(hall: Hall) -> Counter:
    """A counter nobody works at, where there is one."""
    free = (counter for counter in hall.office.counters if hall.session(counter.id).operator is None)
    return next(free, hall.office.counters[0])
