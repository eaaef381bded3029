"""What is told of a hall, and what is never told."""

import math
from dataclasses import replace
from itertools import product

import pytest
from prometheus_client.parser import text_string_to_metric_families

from queue_core.commands import (
    CallNext,
    Cancel,
    CloseDay,
    Configure,
    Finish,
    Hold,
    Issue,
    OpenCounter,
    PauseCounter,
    Resume,
    ReturnToLine,
    Start,
    Tick,
)
from queue_core.facts import HeldBy
from queue_core.office import Channel
from queue_core.tallies import BUCKETS
from tests.metrics.conftest import CENTRE, ScrapedHalls

SERVICES = ("passport", "land")
CHANNELS = ("walk_in", "booked")
LABELS: dict[str, dict[str, tuple[str, ...]]] = {
    "queue_tickets_issued_total": {"service": SERVICES, "channel": CHANNELS},
    "queue_tickets_waiting": {"service": SERVICES},
    "queue_oldest_ticket_timestamp_seconds": {"service": SERVICES},
    "queue_earliest_due_timestamp_seconds": {"service": SERVICES},
    "queue_tickets_over_limit": {"service": SERVICES},
    "queue_wait_breaches_total": {"service": SERVICES, "channel": CHANNELS},
    "queue_wait_limit_outcomes_total": {"service": SERVICES, "channel": CHANNELS, "result": ("met", "breached")},
    "queue_counters": {"state": ("open", "serving", "paused", "closed")},
    "queue_wait_seconds_bucket": {"channel": CHANNELS, "outcome": ("called", "left", "unserved"), "le": BUCKETS},
    "queue_wait_seconds_sum": {"channel": CHANNELS, "outcome": ("called", "left", "unserved")},
    "queue_wait_seconds_count": {"channel": CHANNELS, "outcome": ("called", "left", "unserved")},
    "queue_service_seconds_bucket": {"outcome": ("done", "incomplete", "refused"), "le": BUCKETS},
    "queue_service_seconds_sum": {"outcome": ("done", "incomplete", "refused")},
    "queue_service_seconds_count": {"outcome": ("done", "incomplete", "refused")},
}
"""The hall's series, with all their labels besides the office."""


async def test_every_series_is_there_from_the_moment_an_office_is_described(halls: ScrapedHalls) -> None:
    scrape = await halls.scrape()

    told = {key: value for key, value in scrape.series.items() if ("office", "centre") in key[1]}
    assert told == {
        (name, frozenset({"office": "centre", **dict(zip(labels, row, strict=True))}.items())): at_first(name, row)
        for name, labels in LABELS.items()
        for row in product(*labels.values())
    }


def at_first(name: str, row: tuple[str, ...]) -> float:
    """What a series begins with."""
    if name.endswith("_timestamp_seconds"):
        return math.inf
    return 2 if row == ("closed",) else 0


async def test_a_new_service_has_its_series_at_once_and_an_old_one_keeps_its_counters(halls: ScrapedHalls) -> None:
    await halls.do(Issue(service="land"))
    await halls.do(Cancel(ticket="20261123-B001"))
    await halls.scrape()
    (passport, land), counters = CENTRE.services, CENTRE.counters
    counters = tuple(replace(counter, services=("passport", "advice")) for counter in counters)

    await halls.do(
        Configure(office=replace(CENTRE, services=(passport, replace(land, id="advice")), counters=counters))
    )
    scrape = await halls.scrape()

    assert scrape("queue_tickets_issued_total", service="advice", channel="walk_in") == 0
    assert scrape("queue_tickets_issued_total", service="land", channel="walk_in") == 1


async def test_who_waits_is_told_with_the_longest_wait_and_the_first_limit(halls: ScrapedHalls) -> None:
    begins = halls.clock.now().timestamp()
    for minutes in (0, 3, 2):
        halls.clock.go_on(minutes=minutes)
        await halls.do(Issue(service="passport"))
    halls.clock.go_on(minutes=1)
    await halls.do(Issue(service="passport", channel=Channel.BOOKED, slot=halls.clock.now()))
    scrape = await halls.scrape()

    assert scrape("queue_tickets_issued_total", service="passport", channel="walk_in") == 3
    assert scrape("queue_tickets_issued_total", service="passport", channel="booked") == 1
    assert scrape("queue_tickets_waiting", service="passport") == 4
    assert scrape("queue_oldest_ticket_timestamp_seconds", service="passport") == pytest.approx(begins, abs=0.001)
    assert scrape("queue_earliest_due_timestamp_seconds", service="passport") == pytest.approx(begins + 660, abs=0.001)
    assert scrape("queue_oldest_ticket_timestamp_seconds", service="land") == math.inf


async def test_somebody_held_by_the_office_waits_and_somebody_away_by_own_wish_does_not(halls: ScrapedHalls) -> None:
    for by in HeldBy:
        ticket = (await halls.do(Issue(service="passport"))).ticket
        assert ticket
        await halls.do(Hold(ticket=ticket.id, by=by))

    assert (await halls.scrape())("queue_tickets_waiting", service="passport") == 1


async def test_somebody_back_from_an_absence_has_waited_only_while_here(halls: ScrapedHalls) -> None:
    begins = halls.clock.now().timestamp()
    await halls.do(Issue(service="passport"))
    halls.clock.go_on(minutes=10)
    await halls.do(Hold(ticket="20261123-A001", by=HeldBy.VISITOR))
    halls.clock.go_on(minutes=30)
    await halls.do(Resume(ticket="20261123-A001"))
    scrape = await halls.scrape()

    assert scrape("queue_oldest_ticket_timestamp_seconds", service="passport") == pytest.approx(begins + 1800, abs=1)
    assert scrape("queue_earliest_due_timestamp_seconds", service="passport") == pytest.approx(begins + 2700, abs=1)


async def test_a_limit_that_passes_shows_without_anything_happening(halls: ScrapedHalls) -> None:
    await halls.do(Issue(service="passport"))
    halls.clock.go_on(seconds=899)
    before = await halls.scrape()
    halls.clock.go_on(seconds=1.1)
    after = await halls.scrape()
    await halls.do(Tick())
    recorded = await halls.scrape()

    over = [scrape("queue_tickets_over_limit", service="passport") for scrape in (before, after, recorded)]
    assert over == [0, 1, 1]
    breaches = [
        scrape("queue_wait_breaches_total", service="passport", channel="walk_in") for scrape in (after, recorded)
    ]
    assert breaches == [0, 1]
    assert recorded("queue_wait_limit_outcomes_total", service="passport", channel="walk_in", result="breached") == 1


async def test_a_clock_that_is_set_back_takes_a_limit_back(halls: ScrapedHalls) -> None:
    await halls.do(Issue(service="passport"))
    halls.clock.go_on(seconds=1000)
    assert (await halls.scrape())("queue_tickets_over_limit", service="passport") == 1

    halls.clock.go_on(seconds=-500)

    assert (await halls.scrape())("queue_tickets_over_limit", service="passport") == 0


async def test_a_wait_goes_into_the_histogram_when_it_ends(halls: ScrapedHalls) -> None:
    await halls.do(OpenCounter(counter="1", operator="Anna"))
    for _ in range(3):
        await halls.do(Issue(service="passport"))
    halls.clock.go_on(seconds=100)
    await halls.do(CallNext(counter="1"))
    await halls.do(Cancel(ticket="20261123-A002"))
    halls.clock.go_on(seconds=8000)
    await halls.do(CloseDay())
    scrape = await halls.scrape()

    counts = [
        scrape("queue_wait_seconds_count", channel="walk_in", outcome=how) for how in ("called", "left", "unserved")
    ]
    assert counts == [1, 1, 1]
    called = [scrape("queue_wait_seconds_bucket", channel="walk_in", outcome="called", le=le) for le in BUCKETS]
    assert called == [0, 0] + [1] * 19
    unserved = [scrape("queue_wait_seconds_bucket", channel="walk_in", outcome="unserved", le=le) for le in BUCKETS]
    assert unserved == [0] * 20 + [1]
    assert scrape("queue_wait_seconds_sum", channel="walk_in", outcome="unserved") == pytest.approx(8100, abs=0.001)


async def test_a_wait_of_no_time_at_all_is_counted_too(halls: ScrapedHalls) -> None:
    slot = halls.clock.now().replace(hour=12)
    await halls.do(OpenCounter(counter="1", operator="Anna"))
    await halls.scrape()
    await halls.do(Issue(service="passport", channel=Channel.BOOKED, slot=slot))
    await halls.do(CallNext(counter="1"))
    scrape = await halls.scrape()

    assert scrape("queue_wait_seconds_count", channel="booked", outcome="called") == 1
    assert scrape("queue_wait_seconds_sum", channel="booked", outcome="called") == 0


async def test_counters_are_told_by_what_they_do(halls: ScrapedHalls) -> None:
    async def states() -> list[float]:
        scrape = await halls.scrape()
        return [scrape("queue_counters", state=state) for state in ("open", "serving", "paused", "closed")]

    await halls.do(OpenCounter(counter="1", operator="Anna"))
    await halls.do(OpenCounter(counter="2", operator="Boris"))
    await halls.do(PauseCounter(counter="2", reason="tea"))
    assert await states() == [1, 0, 1, 0]

    await halls.do(Issue(service="passport"))
    await halls.do(CallNext(counter="1"))
    assert await states() == [0, 1, 1, 0]

    await halls.do(Start(ticket="20261123-A001"))
    halls.clock.go_on(minutes=4)
    await halls.do(Finish(ticket="20261123-A001"))
    assert await states() == [1, 0, 1, 0]
    assert (await halls.scrape())("queue_service_seconds_sum", outcome="done") == pytest.approx(240, abs=0.001)


async def test_a_visitor_sent_back_to_the_line_is_over_the_limit_again(halls: ScrapedHalls) -> None:
    await halls.do(OpenCounter(counter="1", operator="Anna"))
    await halls.do(Issue(service="passport"))
    halls.clock.go_on(minutes=16)
    await halls.do(CallNext(counter="1"))
    called = await halls.scrape()
    await halls.do(ReturnToLine(ticket="20261123-A001"))
    back = await halls.scrape()

    assert [scrape("queue_tickets_over_limit", service="passport") for scrape in (called, back)] == [0, 1]
    assert [scrape("queue_tickets_waiting", service="passport") for scrape in (called, back)] == [0, 1]
    assert back("queue_earliest_due_timestamp_seconds", service="passport") < halls.clock.now().timestamp()
    assert back("queue_wait_breaches_total", service="passport", channel="walk_in") == 1


async def test_the_delay_of_a_breachs_record_is_told(halls: ScrapedHalls) -> None:
    await halls.do(Issue(service="passport"))
    halls.clock.go_on(seconds=900.2)
    await halls.do(Tick())
    scrape = await halls.scrape()

    assert scrape("queue_breach_detection_delay_seconds_count") == 1
    assert scrape("queue_breach_detection_delay_seconds_sum") == pytest.approx(0.2, abs=0.001)


async def test_the_pulse_of_the_watch_is_told(halls: ScrapedHalls) -> None:
    before = await halls.scrape()
    await halls.watch.start()
    while not halls.watch.last_success.timestamp():
        await halls.engine.halls()
        await halls.do(Tick())
    after = await halls.scrape()
    await halls.watch.stop()

    pulse = "queue_watch_last_success_timestamp_seconds"
    assert (before(pulse), after(pulse)) == (0, halls.clock.now().timestamp())


async def test_the_journal_and_the_process_are_told(halls: ScrapedHalls) -> None:
    scrape = await halls.scrape()

    assert scrape("queue_journal_append_seconds_count") > 0
    assert scrape("queue_journal_batch_size_count") > 0
    assert scrape("process_cpu_seconds_total") > 0


async def test_names_with_any_character_are_told_as_they_are(halls: ScrapedHalls) -> None:
    strange = 'a "b" \\ c\n100% {d} \u0434'
    service = replace(CENTRE.services[0], id=strange)
    counter = replace(CENTRE.counters[0], services=(strange,))
    await halls.describe(replace(CENTRE, id=strange, services=(service,), counters=(counter,)))
    await halls.do(Issue(service=strange), strange)

    series = (await halls.scrape()).series

    labels = {"office": strange, "service": strange}
    assert series["queue_tickets_waiting", frozenset(labels.items())] == 1
    assert series["queue_tickets_issued_total", frozenset({**labels, "channel": "walk_in"}.items())] == 1


async def test_the_text_is_well_formed(halls: ScrapedHalls) -> None:
    await halls.describe(replace(CENTRE, id="another"))
    await halls.do(Issue(service="passport"))
    text = (await halls.scrape()).text

    families = list(text_string_to_metric_families(text))
    helps = [line.split()[2] for line in text.splitlines() if line.startswith("# HELP")]
    types = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    assert len({family.name for family in families}) == len(families)
    assert helps == types == sorted(set(helps), key=helps.index)
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("# TYPE"):
            family = line.split()[2]
        elif not line.startswith("#"):
            assert line.startswith(family)


async def test_nobody_is_named(halls: ScrapedHalls) -> None:
    await halls.do(OpenCounter(counter="1", operator="Anna"))
    await halls.do(Issue(service="passport"))
    await halls.do(CallNext(counter="1"))

    labels = {
        label for name, labels in (await halls.scrape()).series if name.startswith("queue_") for label, _ in labels
    }

    assert labels == {"office", "service", "channel", "outcome", "result", "state", "le", "task"}
