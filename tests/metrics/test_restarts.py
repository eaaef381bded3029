"""What a real server tells of its halls goes on after a restart where it was, however the server went."""

import sys
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from app.configuration import document_of, office_of
from app.configuration.shape import WEEKDAYS
from tests.command_line.servers import LiveServer, serving
from tests.configuration.documents import smallest
from tests.metrics.reading import Scrape
from tests.prometheus.programs import soon

OFFICES = ("branch", "centre")
SERVICES = ("papers", "photos")
LIMIT_SECONDS = 1

OF_THE_PROCESS = (
    "queue_breach_detection_delay_seconds",
    "queue_canary_",
    "queue_clock_",
    "queue_deliveries_",
    "queue_journal_",
    "queue_oldest_delivery_",
    "queue_watch_",
    "queue_connections",
    "queue_unread_",
    "queue_streams_",
    "queue_loop_",
    "queue_task_",
    "queue_call_to_speech_",
)
"""Figures about a server and not about a hall: they begin anew, as Prometheus expects of a process."""

COUNTING = ("_total", "_count", "_sum", "_bucket")

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.mark.parametrize("end", [LiveServer.stop, LiveServer.kill], ids=["stopped", "killed"])
def test_every_counter_of_the_hall_goes_on(tmp_path: Path, end: Callable[[LiveServer], object]) -> None:
    with serving(tmp_path, "--no-example", canary_seconds="0") as server:
        for office in OFFICES:
            _have_a_day(server, office)
        # Now one of them comes back from a checkpoint, and the other from its facts.
        _post(server, "branch", "open-day")
        before = _series(server)
        end(server)
    with serving(tmp_path, "--no-example", canary_seconds="0") as server:
        after = _series(server)
        _post(server, "branch", "tickets", {"service": "papers"})
        later = _series(server)

    # No request makes a ticket a booked one: who names a time only claims a booking.
    counters = {
        key: value for key, value in before.items() if key[0].endswith(COUNTING) and ("channel", "booked") not in key[1]
    }
    assert all(counters.values()), "what has not been counted cannot show that it goes on"
    assert after == before
    sys.stdout.write(f"{len(counters)} counters went on, and all {len(before)} series of the halls were the same\n")
    assert _issued(later) == _issued(after) + 1


def _have_a_day(server: LiveServer, office: str) -> None:
    """Everything that is counted happens once or more, and then nothing moves by itself."""
    services = [
        {"id": service, "letter": letter, "name": {"ru": service, "en": service}}
        for service, letter in zip(SERVICES, "AB", strict=True)
    ]
    counters = [{"id": "1", "name": {"ru": "1", "en": "1"}, "services": list(SERVICES)}]
    described = smallest(
        hours={day: ["00:00-24:00"] for day in WEEKDAYS},
        limits={"walk_in_seconds": LIMIT_SECONDS, "booked_seconds": LIMIT_SECONDS},
        late_seconds=0,
        services=services,
        counters=counters,
        id=office,
    )
    server.http.put(f"/api/v1/offices/{office}", json=document_of(office_of(described, office))).raise_for_status()
    _post(server, office, "counters/1/open", {"operator": "anna"})
    wishes = [{"service": service} for service in SERVICES for _ in range(2)]
    for wish in wishes:
        for outcome in ("done", "incomplete", "refused"):
            ticket = _post(server, office, "tickets", wish)["id"]
            _post(server, office, "counters/1/call-next")
            _post(server, office, f"tickets/{ticket}/start")
            _post(server, office, f"tickets/{ticket}/finish", {"outcome": outcome})
        ticket = _post(server, office, "tickets", wish)["id"]
        soon(partial(_has_breached, server, office, ticket))
        _post(server, office, "counters/1/call-next")
        _post(server, office, f"tickets/{ticket}/no-show")
        ticket = _post(server, office, "tickets", wish)["id"]
        _post(server, office, f"tickets/{ticket}/cancel")
    for wish in wishes:
        _post(server, office, "tickets", wish)
    _post(server, office, "close-day")


KEYS = count()


def _post(server: LiveServer, office: str, path: str, wish: Any = None) -> dict[str, Any]:
    headers = {"Idempotency-Key": f"key-{next(KEYS)}"}
    reply = server.http.post(f"/api/v1/offices/{office}/{path}", json=wish, headers=headers).raise_for_status()
    said: dict[str, Any] = reply.json()
    return said


def _has_breached(server: LiveServer, office: str, ticket: str) -> bool:
    reply = server.http.get(f"/api/v1/offices/{office}/facts", params={"limit": 1000}).raise_for_status()
    return ("Breached", ticket) in [(fact["kind"], fact.get("ticket")) for fact in reply.json()["facts"]]


def _series(server: LiveServer) -> Series:
    reply = server.http.get("/metrics").raise_for_status()
    told = Scrape(dict(reply.headers), reply.content).series
    return {
        key: value
        for key, value in told.items()
        if key[0].startswith("queue_") and not key[0].startswith(OF_THE_PROCESS)
    }


def _issued(series: Series) -> float:
    return sum(value for (name, _), value in series.items() if name == "queue_tickets_issued_total")
