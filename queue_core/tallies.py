"""Sums that only grow, for metrics: the same after a restart, because they are folded from the journal with the hall.

A tally is a flat mapping from a tuple of words to a number. Wait and service times are kept as the counts between the
edges of a histogram and the sum in seconds.
"""

from bisect import bisect_left
from datetime import timedelta

from queue_core.facts import Breached, Called, Issued, Left, MovedOn, Served, TicketFact, Unserved
from queue_core.tickets import Ticket

Tallies = dict[tuple[str, ...], float]

EDGES = (30, 60, 120, 180, 240, 300, 420, 600, 720, 780, 840, 900, 960, 1020, 1200, 1500, 1800, 2700, 3600, 7200)
"""Upper edges of the histograms in seconds, close together around the 15 minutes."""

BUCKETS = (*(str(edge) for edge in EDGES), "+Inf")
WAIT_OUTCOMES = ("called", "left", "unserved")
"""How a wait can end."""


def tally(tallies: Tallies, before: Ticket | None, fact: TicketFact, after: Ticket) -> None:
    """Add what `fact` is worth."""
    match fact:
        case Issued():
            _add(tallies, ("issued", after.service, after.channel), 1)
        case Called() if before and not before.wait_told:
            if after.breached_due is None:
                _add(tallies, ("met", after.service, after.channel), 1)
            _observe_wait(tallies, after, "called")
        case Breached():
            _add(tallies, ("breached", after.service, after.channel), 1)
        case Left() if before and not before.wait_told:
            _observe_wait(tallies, after, "left")
        case Unserved() if before and not before.wait_told:
            _observe_wait(tallies, after, "unserved")
        case Served() | MovedOn() if before:
            _observe(tallies, ("service_seconds", fact.outcome), fact.at - before.state_since)
        case _:
            pass


def _observe_wait(tallies: Tallies, ticket: Ticket, outcome: str) -> None:
    _observe(tallies, ("wait_seconds", ticket.channel, outcome), ticket.clock.waited)


def _observe(tallies: Tallies, name: tuple[str, ...], lasted: timedelta) -> None:
    seconds = lasted.total_seconds()
    _add(tallies, (*name, BUCKETS[bisect_left(EDGES, seconds)]), 1)
    _add(tallies, (*name, "sum"), seconds)


def _add(tallies: Tallies, name: tuple[str, ...], amount: float) -> None:
    tallies[name] = tallies.get(name, 0) + amount
