"""The figures at the end of a day."""

from collections import Counter
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from app.simulator.operators import manned
from app.simulator.summary import percentile, show, summary_of
from tests.simulator.test_synthetic_days import CENTRE


def ticket(state: str, channel: str = "walk_in", wait: int | None = None, *, late: bool = False) -> dict[str, Any]:
    instant = "2026-11-26T08:00:00.000Z"
    return {
        "state": state,
        "channel": channel,
        "first_called_at": None if wait is None else instant,
        "wait_to_call_seconds": wait,
        "breached_due": instant if late else None,
    }


def test_walk_in_and_booked_visitors_are_never_added_up() -> None:
    tickets = [ticket("served", wait=wait) for wait in range(60, 660, 60)]
    tickets += [ticket("served", "booked", 30), ticket("missed", "booked", 400, late=True)]
    tickets += [ticket("left", late=True), ticket("unserved", late=True), ticket("waiting")]

    summary = summary_of(tickets, requests=40, repeated=0, errors=Counter())

    walk_in, booked = summary.waits["walk_in"], summary.waits["booked"]
    assert (summary.issued, summary.called, summary.breaches) == (15, 12, 3)
    assert (walk_in.p50, walk_in.p90, walk_in.longest) == (300, 540, 600)
    assert (walk_in.issued, walk_in.called, walk_in.breaches) == (13, 10, 2)
    assert (booked.p50, booked.longest, booked.within_limit) == (30, 400, 0.5)


def test_who_left_after_the_limit_counts_against_it() -> None:
    summary = summary_of(
        [ticket("served", wait=1), ticket("left", late=True)], requests=2, repeated=0, errors=Counter()
    )

    assert summary.waits["walk_in"].within_limit == 0.5


def test_an_empty_day_has_figures_too() -> None:
    summary = summary_of([], requests=1, repeated=0, errors=Counter())

    assert summary.waits["walk_in"].within_limit == 1
    assert "no errors" in printed(summary)


def test_errors_are_told_by_kind() -> None:
    errors = Counter({"start: step-forbidden": 2, "tickets: office-closed": 1})

    text = printed(summary_of([ticket("served", wait=0)], requests=9, repeated=1, errors=errors))

    assert "error start: step-forbidden: 2" in text
    assert "3 errors" in text


@pytest.mark.parametrize(("share", "value"), [(0.0, 1), (0.1, 1), (0.5, 5), (0.9, 9), (0.91, 10), (1.0, 10)])
def test_a_percentile_is_a_value_that_somebody_waited(share: float, value: int) -> None:
    assert percentile(list(range(10, 0, -1)), share) == value


def test_few_operators_sit_where_every_service_is_served() -> None:
    counters = {"1": ("result",), "2": ("result", "advice"), "3": ("passport",), "4": ("result", "passport")}
    place = type(CENTRE)(
        id="centre",
        zone=CENTRE.zone,
        services=("result", "advice", "passport"),
        counters=counters,
        categories=(),
        hours=(),
    )

    assert manned(place, 2) == ["2", "3"]
    assert sorted(manned(place, None)) == ["1", "2", "3", "4"]


def printed(summary: Any) -> str:
    console = Console(file=StringIO(), width=120)
    show(summary, console)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()
