"""How the text reaches whoever scrapes: whole, the same for all, and without being written anew each time."""

import asyncio
import gzip
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest

import app.metrics
from app.metrics import AHEAD_SECONDS, HallsText
from queue_core.commands import CallNext, Issue, OpenCounter, Tick
from tests.live.soon import soon
from tests.metrics.conftest import CENTRE, PROMETHEUS, ScrapedHalls, scraped_halls


async def test_prometheus_is_sent_the_same_text_zipped(halls: ScrapedHalls) -> None:
    await halls.do(Issue(service="passport"))
    plain, zipped = await halls.scrape(), await halls.scrape(PROMETHEUS)

    assert zipped.headers["content-encoding"] == "gzip"
    assert len(zipped.body) < len(plain.body) / 4
    assert zipped.halls == plain.halls
    assert plain.series.keys() == zipped.series.keys()


async def test_whoever_might_stop_at_the_first_gzip_member_is_sent_plain_text(halls: ScrapedHalls) -> None:
    scrape = await halls.scrape({"accept-encoding": "gzip, deflate, br"})

    assert "content-encoding" not in scrape.headers
    assert scrape.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert scrape.headers["content-length"] == str(len(scrape.body))
    assert scrape.headers["cache-control"] == "no-store"


def test_a_client_of_the_common_kind_stops_at_the_first_gzip_member() -> None:
    members = gzip.compress(b"one") + gzip.compress(b"two")

    assert httpx2.Response(200, headers={"content-encoding": "gzip"}, content=members).content == b"one"
    assert gzip.decompress(members) == b"onetwo"


async def test_many_offices_are_told_family_by_family(halls: ScrapedHalls) -> None:
    for number in range(40):
        await halls.describe(replace(CENTRE, id=f"office-{number:02}"))
    for headers in ({}, PROMETHEUS):
        scrape = await halls.scrape(headers)

        waiting = [line for line in scrape.text.splitlines() if line.startswith("queue_tickets_waiting{")]
        assert len(waiting) == 2 * 41
        assert scrape.text.count("# TYPE queue_tickets_waiting gauge") == 1
        begin = scrape.text.index(waiting[0])
        assert scrape.text[begin:].splitlines()[: len(waiting)] == waiting


async def test_only_what_changed_is_written_again(halls: ScrapedHalls, written: list[str]) -> None:
    await halls.describe(replace(CENTRE, id="another"))
    text = HallsText(halls.engine, noting(written))
    await text.blocks()

    written.clear()
    await text.blocks()
    assert written == []

    await halls.do(Issue(service="passport"))
    await text.blocks()
    assert written == WRITTEN_AT_AN_ISSUE


async def test_between_scrapes_what_changed_is_written_ahead(halls: ScrapedHalls, written: list[str]) -> None:
    text = HallsText(halls.engine, noting(written))
    await text.blocks()
    written.clear()

    await halls.do(Issue(service="passport"))
    assert written == []
    await soon(lambda: written == WRITTEN_AT_AN_ISSUE)

    blocks = await text.blocks()
    assert written == WRITTEN_AT_AN_ISSUE
    assert b'queue_tickets_waiting{office="centre",service="passport"} 1\n' in b"".join(blocks)


async def test_nothing_is_written_while_nobody_scrapes(halls: ScrapedHalls, written: list[str]) -> None:
    HallsText(halls.engine, noting(written))
    written.clear()

    await halls.do(Issue(service="passport"))
    await asyncio.sleep(3 * AHEAD_SECONDS)

    assert written == []


@pytest.fixture
def written() -> list[str]:
    """The families that were written, in order."""
    return []


def noting(written: list[str]) -> Callable[[bytes], bytes]:
    """An encoding that changes nothing and tells what was written."""

    def note(text: bytes) -> bytes:
        written.append(text.decode().partition("{")[0])
        return text

    return note


WRITTEN_AT_AN_ISSUE = [
    "queue_tickets_issued_total",
    "queue_tickets_waiting",
    "queue_oldest_ticket_timestamp_seconds",
    "queue_earliest_due_timestamp_seconds",
]


async def test_others_have_their_turn_while_thousands_of_offices_are_written(
    halls: ScrapedHalls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.metrics, "SLICE_SECONDS", 0)
    for number in range(12):
        await halls.describe(replace(CENTRE, id=f"office-{number:02}"))

    scraping = asyncio.create_task(halls.scrape())
    turns = 0
    while not scraping.done():
        turns += 1
        await halls.do(Issue(service="passport"), f"office-{turns % 12:02}")
    scrape = await scraping

    assert turns > 3
    for office in (f"office-{number:02}" for number in range(12)):
        issued = scrape("queue_tickets_issued_total", office=office, service="passport", channel="walk_in")
        assert issued == scrape("queue_tickets_waiting", office=office, service="passport")


async def test_counters_go_on_after_a_restart(tmp_path: Path) -> None:
    async with scraped_halls(str(tmp_path / "journal.db")) as halls:
        await a_morning(halls)
        before = await halls.scrape()
        clock = halls.clock
    async with scraped_halls(str(tmp_path / "journal.db"), clock) as halls:
        after = await halls.scrape()
        await halls.do(Issue(service="passport"))
        later = await halls.scrape()

    assert after.halls == before.halls
    assert before("queue_wait_breaches_total", service="passport", channel="walk_in") == 3
    assert later("queue_tickets_issued_total", service="passport", channel="walk_in") == 6


async def test_two_processes_tell_the_same_of_every_hall(postgres_url: str) -> None:
    async with scraped_halls(postgres_url) as here, scraped_halls(postgres_url, here.clock) as there:
        await a_morning(here)
        seq = (await here.engine.hall("centre")).seq
        halls = await there.engine.halls()
        await soon(lambda: "centre" in halls and halls["centre"].seq == seq)

        assert (await there.scrape()).halls == (await here.scrape()).halls


async def a_morning(halls: ScrapedHalls) -> None:
    """Five come, two are called in time, and three wait too long."""
    await halls.describe()
    await halls.do(OpenCounter(counter="1", operator="Anna"))
    await halls.do(OpenCounter(counter="2", operator="Boris"))
    for _ in range(5):
        await halls.do(Issue(service="passport"))
    for counter in ("1", "2"):
        await halls.do(CallNext(counter=counter))
    halls.clock.go_on(minutes=20)
    await halls.do(Tick())
