"""A journal that no longer holds what this process knows to be committed is said so, and nothing is acknowledged."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from app.engine import PastGone
from app.journal import JournalDamaged, PastLost
from app.journal.files import Head
from queue_core.errors import Refusal
from tests.core.live import OFFICE
from tests.engine.hall import HandClock, LiveHall, live_hall, outcomes, soon
from tests.journal.databases import opened
from tests.journal.writing import Scribe, changed, small_day, write
from tests.postgres import PostgresServer, postgres_server
from tests.standby import address_of, dump, hold_back, restore, standby_of

VISITORS = 8

LAST = "(SELECT max(seq) FROM facts)"


async def behind_its_back(hall: LiveHall, statement: str) -> None:
    """Change the database by another hand."""
    await hall.engine.ask(lambda journal: changed(journal, statement))


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        (f"DELETE FROM facts WHERE seq = {LAST}", "ends at fact"),
        ("DELETE FROM facts WHERE seq > 2", "ends at fact 2"),
        ("DELETE FROM facts", "ends at fact 0"),
        (f"UPDATE facts SET hash = (SELECT hash FROM facts WHERE seq = 1) WHERE seq = {LAST}", "has another"),
    ],
)
async def test_nothing_is_appended_to_what_is_not_there(hall: LiveHall, statement: str, found: str) -> None:
    await hall.issue()
    await behind_its_back(hall, statement)
    left = await counted(hall)

    refused = await outcomes(hall.issue() for _ in range(VISITORS))

    assert {type(refusal) for refusal in refused} == {PastGone}
    assert await counted(hall) == left
    assert hall.engine.past_lost
    assert "has lost its past: office hall, fact" in hall.engine.past_lost
    assert found in hall.engine.past_lost


async def test_a_batch_of_many_offices_is_refused_whole_when_one_has_lost_its_past(
    address: str, clock: HandClock
) -> None:
    async with live_hall(address, clock) as first:
        halls = [first, *(LiveHall(first.engine, replace(OFFICE, id=f"office-{number}")) for number in range(5))]
        for hall in halls:
            await hall.open()
        await behind_its_back(first, "DELETE FROM facts WHERE office_id = 'office-3' AND seq > 2")
        left = await counted(first)

        refused = await outcomes(hall.issue() for hall in halls for _ in range(3))

        assert {type(refusal) for refusal in refused} == {PastGone}
        assert await counted(first) == left
        assert first.engine.past_lost
        assert "office office-3, fact" in first.engine.past_lost


async def test_who_has_lost_the_past_shows_no_hall_and_tells_once(hall: LiveHall) -> None:
    told: list[str] = []
    hall.engine.when_lost(lambda: told.append("lost"))
    await behind_its_back(hall, "DELETE FROM facts WHERE seq > 2")
    await outcomes([hall.issue(), hall.issue()])

    with pytest.raises(PastGone):
        await hall.now()
    with pytest.raises(PastGone):
        await hall.engine.halls()
    with pytest.raises(PastGone):
        await hall.issue()
    assert told == ["lost"]


async def test_a_past_that_is_lost_in_a_quiet_minute_is_noticed_without_a_request(
    empty_database: str, clock: HandClock
) -> None:
    async with live_hall(empty_database, clock) as here, live_hall(empty_database, clock) as there:
        await here.open()
        await soon(lambda: knows(there))

        with opened(empty_database) as journal:
            changed(journal, "DELETE FROM facts WHERE seq > 2")

        await soon(lambda: bool(here.engine.past_lost and there.engine.past_lost))


async def test_what_another_process_appends_after_a_gap_is_not_believed(empty_database: str, clock: HandClock) -> None:
    async with live_hall(empty_database, clock) as hall:
        await hall.open()
        seq = (await hall.now()).seq
        with opened(empty_database) as journal:
            columns = "office_id, {seq}, at, actor, key, kind, ticket_id, body, hash"
            copy = f"SELECT {columns.format(seq='seq + 2')} FROM facts WHERE seq = {LAST}"
            changed(journal, f"INSERT INTO facts ({columns.format(seq='seq')}) {copy}")

        await soon(lambda: bool(hall.engine.past_lost))

        assert f"goes on after it with fact {seq + 2}, which does not follow" in str(hall.engine.past_lost)


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("DELETE FROM facts WHERE seq = 9", "fact 10, which stands where fact 9 should be"),
        ("UPDATE facts SET actor = 'nobody' WHERE seq = 9", "fact 9, which was changed"),
        ("UPDATE facts SET body = '{' WHERE seq = 9", "fact 9, which cannot be read"),
        ("UPDATE facts SET kind = 'Sued' WHERE seq = 9", "fact 9, which cannot be read"),
        ("DELETE FROM facts WHERE seq = 5", "fact 5, which is not the one that its checkpoint was made of"),
        ("UPDATE halls SET state = '{'", "the checkpoint at fact 5 cannot be read"),
    ],
)
def test_a_start_refuses_a_damaged_journal_by_office_and_seq(address: str, statement: str, found: str) -> None:
    with opened(address) as journal:
        write(journal, small_day().facts)
        assert changed(journal, statement)

    with opened(address) as journal, pytest.raises(JournalDamaged) as refused:
        list(journal.halls())

    assert found in str(refused.value)
    assert "office hall" in str(refused.value)
    assert "put the last backup in its place" in str(refused.value)


def test_a_line_is_not_appended_to_another_past_than_its_own(address: str) -> None:
    with opened(address) as journal:
        scribe, stranger = Scribe(), Scribe()
        day = small_day()
        journal.append(scribe.page(day.facts[:5]))
        stranger.page(day.facts[:5], actor="somebody else")

        with pytest.raises(PastLost, match=r"office hall, fact 5 was committed, and the journal has another"):
            journal.append(stranger.page(day.facts[5:8]))

        journal.append(scribe.page(day.facts[5:8]))
        journal.check_past(Head("hall", 8, scribe.lines[-1].hash))


async def test_a_lagging_standby_that_is_promoted_loses_nothing_silently(clock: HandClock) -> None:
    with postgres_server() as primary, address_of(primary.fresh_database()) as address, standby_of(primary) as standby:
        async with live_hall(address.url, clock) as here, live_hall(address.url, clock) as there:
            await here.open()
            await here.issue()
            await asyncio.to_thread(standby.wait_until_level)
            hold_back(primary)
            lost = [await here.issue() for _ in range(VISITORS)]
            await soon(lambda: knows(there, len(lost) + 1))

            primary.kill()
            address.point_at(standby)
            await asyncio.to_thread(standby.promote)

            await nothing_is_taken(here, there)
            async with live_hall(address.url, clock) as new:
                assert (await new.issue()).serial == 2


async def test_a_level_standby_that_is_promoted_goes_on(clock: HandClock) -> None:
    """With `synchronous_standby_names` every acknowledged ticket is on the standby."""
    with postgres_server() as primary, address_of(primary.fresh_database()) as address, standby_of(primary) as standby:
        make_synchronous(primary)
        async with live_hall(address.url, clock) as here, live_hall(address.url, clock) as there:
            await here.open()
            issued = [await hall.issue() for _ in range(VISITORS) for hall in (here, there)]

            primary.kill()
            address.point_at(standby)
            await asyncio.to_thread(standby.promote)

            later = [await hall.issue(key=f"later {number}") for number, hall in enumerate((here, there))]
            assert [ticket.serial for ticket in later] == [len(issued) + 1, len(issued) + 2]
            await soon(lambda: knows(here, len(issued) + 2))
            assert here.engine.past_lost is None
            assert await here.is_as_the_journal_says()


def make_synchronous(primary: PostgresServer) -> None:
    """What the how-to on standbys says, on the primary."""
    for statement in ("ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (*)'", "SELECT pg_reload_conf()"):
        primary._execute(statement)


async def test_a_dump_that_is_restored_under_running_servers_loses_nothing_silently(
    clock: HandClock, tmp_path: Path
) -> None:
    with postgres_server() as server:
        url = server.fresh_database()
        async with live_hall(url, clock) as here, live_hall(url, clock) as there:
            await here.open()
            await here.issue()
            await asyncio.to_thread(dump, server, url, tmp_path / "older.dump")
            lost = [await here.issue() for _ in range(VISITORS)]
            await soon(lambda: knows(there, len(lost) + 1))

            await asyncio.to_thread(restore, server, url, tmp_path / "older.dump")

            await nothing_is_taken(here, there)


async def nothing_is_taken(*halls: LiveHall) -> None:
    """Whatever is asked for is refused, and every server says why."""
    refused = await outcomes(hall.issue() for _ in range(VISITORS) for hall in halls)
    assert all(isinstance(outcome, Refusal) for outcome in refused)
    await soon(lambda: all(hall.engine.past_lost for hall in halls))
    again = await outcomes(hall.issue() for hall in halls)
    assert {type(refusal) for refusal in again} == {PastGone}
    assert all("office hall, fact" in str(hall.engine.past_lost) for hall in halls)


async def counted(hall: LiveHall) -> int:
    """How many facts there are."""
    journal_heads = await hall.engine.ask(lambda journal: journal.heads())
    return sum(journal_heads.values())


async def knows(hall: LiveHall, issued: int = 0) -> bool:
    """Whether the office, and so many visitors, are known there."""
    halls = await hall.engine.halls()
    return hall.office.id in halls and len(halls[hall.office.id].tickets) >= issued
