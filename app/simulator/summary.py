"""What became of a simulated day, as the server tells it afterwards."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

Ticket = Mapping[str, Any]

CHANNELS = {"walk_in": "walk-in", "booked": "booked"}
OUTCOMES = {"served": "served", "missed": "no-show", "left": "left", "unserved": "unserved"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """The visitors of one channel: how long those who were called waited, and how many waited past their limit.

    The two channels are never added up: bookings make a common figure prettier than any walk-in's day was.
    """

    issued: int
    called: int
    breaches: int
    p50: float
    p90: float
    longest: float

    @property
    def within_limit(self) -> float:
        """The share of all who took a ticket and were not kept past the limit."""
        return 1 - self.breaches / self.issued if self.issued else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A day in figures."""

    states: Counter[str]
    called: int
    waits: Mapping[str, Waits]
    requests: int
    repeated: int
    errors: Counter[str]

    @property
    def issued(self) -> int:
        """All tickets."""
        return self.states.total()

    @property
    def breaches(self) -> int:
        """All visitors who waited past their limit."""
        return sum(waits.breaches for waits in self.waits.values())


def summary_of(tickets: Sequence[Ticket], *, requests: int, repeated: int, errors: Counter[str]) -> Summary:
    """The figures of these tickets."""
    return Summary(
        states=Counter(ticket["state"] for ticket in tickets),
        called=sum(ticket["first_called_at"] is not None for ticket in tickets),
        waits={channel: _waits(ticket for ticket in tickets if ticket["channel"] == channel) for channel in CHANNELS},
        requests=requests,
        repeated=repeated,
        errors=errors,
    )


def show(summary: Summary, console: Console) -> None:
    """Print the figures."""
    console.print(_visits(summary), _waiting(summary), sep="\n")
    console.print(f"{summary.requests} requests, {summary.repeated} of them repeated after no answer")
    for error, times in summary.errors.most_common():
        console.print(f"[red]error[/red] {error}: {times}")
    console.print("no errors" if not summary.errors else f"[red]{summary.errors.total()} errors[/red]")


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed; 0 of none."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0


def _waits(tickets: Iterable[Ticket]) -> Waits:
    everybody = list(tickets)
    waits = [float(ticket["wait_to_call_seconds"]) for ticket in everybody if ticket["first_called_at"]]
    return Waits(
        issued=len(everybody),
        called=len(waits),
        breaches=sum(ticket["breached_due"] is not None for ticket in everybody),
        p50=percentile(waits, 0.5),
        p90=percentile(waits, 0.9),
        longest=max(waits, default=0.0),
    )


def _visits(summary: Summary) -> Table:
    table = Table(title="visits")
    still_there = summary.issued - sum(summary.states[state] for state in OUTCOMES)
    for heading in ("issued", "called", *OUTCOMES.values(), "still there", "breaches"):
        table.add_column(heading, justify="right")
    outcomes = (str(summary.states[state]) for state in OUTCOMES)
    table.add_row(str(summary.issued), str(summary.called), *outcomes, str(still_there), str(summary.breaches))
    return table


def _waiting(summary: Summary) -> Table:
    table = Table(title="minutes from the start of the clock to the first call")
    table.add_column("channel")
    for heading in ("issued", "called", "p50", "p90", "longest", "breaches", "in limit"):
        table.add_column(heading, justify="right")
    for channel, waits in summary.waits.items():
        minutes = (f"{seconds / 60:.1f}" for seconds in (waits.p50, waits.p90, waits.longest))
        counts = (str(waits.issued), str(waits.called))
        table.add_row(CHANNELS[channel], *counts, *minutes, str(waits.breaches), f"{waits.within_limit:.1%}")
    return table
