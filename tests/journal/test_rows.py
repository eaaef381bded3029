"""Rows go into the tables by position: every value stands where its column does."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from app.journal import Answered
from app.journal.checksums import checksum, content
from app.journal.rows import row_of
from app.journal.schema import answers, sortable, tickets
from queue_core.facts import Outcome
from queue_core.tickets import State
from queue_core.waits import WaitClock
from tests.core.live import NINE, LiveHall
from tests.journal.writing import small_day

INSTANTS = (
    "issued_at",
    "clock_start",
    "breached_due",
    "breach_recorded_at",
    "first_called_at",
    "last_called_at",
    "started_at",
    "ended_at",
    "first_absent_at",
    "claim",
)
SPANS = ("wait_to_call", "wait_to_start", "serving", "away")
NUMBERS = ("ahead_at_issue", "calls", "recalls", "absences")


def test_what_a_key_was_answered_with_is_a_row() -> None:
    assert Answered._fields == tuple(column.name for column in content(answers))


def test_every_value_of_a_ticket_stands_in_its_column() -> None:
    different: dict[str, Any] = {
        **{name: NINE + timedelta(minutes=minute) for minute, name in enumerate(INSTANTS)},
        **{name: timedelta(minutes=minute) for minute, name in enumerate(SPANS, start=10)},
        **{name: number for number, name in enumerate(NUMBERS, start=20)},
    }
    ticket = replace(
        small_day().visit("20261123-A001"),
        **different,
        clock=WaitClock(timedelta(minutes=30), waited=timedelta(minutes=31)),
        category="veteran",
        category_verified=True,
        claim_verified=True,
        issued_service="cash",
        outcome=Outcome.DONE,
        state=State.SERVED,
    )

    row = dict(zip(tickets.columns.keys(), row_of("hall", ticket, 77), strict=True))

    alike = {name: getattr(ticket, name) for name in row if hasattr(ticket, name)}
    assert row == alike | {
        "office_id": "hall",
        "ticket_id": ticket.id,
        "counter_id": ticket.counter,
        "limit_seconds": 30 * 60,
        "due_at": ticket.breached_due,
        "breached_at": ticket.breached_due,
        "wait_to_call_seconds": 10 * 60,
        "wait_to_start_seconds": 11 * 60,
        "waited_seconds": 31 * 60,
        "serving_seconds": 12 * 60,
        "seq": 77,
        "first_missed_at": ticket.first_absent_at,
        "misses": ticket.absences,
        "away_seconds": 13 * 60,
        "claimed_slot": ticket.claim,
    }


def test_an_unbroken_promise_is_due_when_the_clock_says() -> None:
    day = LiveHall()
    ticket = day.visit(day.issue())

    row = dict(zip(tickets.columns.keys(), row_of("hall", ticket, 7), strict=True))

    assert row["due_at"] == ticket.clock.due
    assert row["breached_at"] is None


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (datetime(2026, 11, 23, 9, 0, 0, 120, UTC), "2026-11-23T09:00:00.000120+00:00"),
        (datetime(2026, 11, 23, 9, 0, 0, 0, UTC), "2026-11-23T09:00:00.000000+00:00"),
        (datetime(2026, 11, 23, 9, 0, 0, 7, timezone(timedelta(hours=2))), "2026-11-23T07:00:00.000007+00:00"),
    ],
)
def test_instants_are_texts_that_sort_as_time_goes(instant: datetime, text: str) -> None:
    assert sortable(instant) == text


def test_a_checksum_is_of_the_instant_and_not_of_the_zone_that_it_is_told_in() -> None:
    elsewhere = NINE.astimezone(timezone(timedelta(hours=3)))

    assert checksum(("hall", elsewhere)) == checksum(("hall", NINE))
    assert checksum(("hall", NINE + timedelta(microseconds=1))) != checksum(("hall", NINE))
