"""Hundreds of edits of every table, of every kind: `verify` finds each, but for those that say nothing false."""

import asyncio
import random
from collections import Counter as Tally
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from sqlalchemy import Table, delete, select
from sqlalchemy.exc import DBAPIError

from app.journal import Journal, JournalDown, LostRace, Verification
from app.journal.deliveries import DeadLetter, Place, keep, places
from app.journal.difference import Difference
from app.journal.inspection import compare_schema
from app.journal.remarks import Remark, RemarkKind, keep_remark
from app.journal.schema import metadata
from queue_core.commands import Finish, Hold, Issue, NoShow, PauseCounter, Rate, Start, Transfer
from queue_core.facts import HeldBy
from tests.engine.hall import HandClock, LiveHall, live_hall
from tests.journal.databases import opened
from tests.journal.editing import Edit, cells, letters, rows, rules

SEED = 20261123
EDITS = 230
"""How many edits of each database are found at least; which of the many is left to the seed."""

LAWFUL = {
    "remarks": "what people wrote is forgotten after a while",
    "dead_letters": "a letter that was taken after all is forgotten",
    "deliveries": "an endpoint without a mark is told once more",
}
"""Tables from which a row may go: that leaves a database which the product could have written."""

Day = Mapping[Table, Sequence[Mapping[str, Any]]]
"""The rows of every table."""


def test_every_edit_of_any_row_is_found(address: str) -> None:
    asyncio.run(write_everything(address))
    found, unseen = Tally[str](), []
    with opened(address) as journal:
        day = rows_of(journal)
        for edit in some_of(all_edits(journal)):
            if not made(edit, journal):
                continue
            if Verification(journal, alone=True).run().difference:
                found[edit.kind] += 1
            elif not (edit.what in LAWFUL and "removed" in edit.kind):
                unseen.append(f"{edit.kind} in {edit.what}")
            put_back(day, metadata.tables[edit.what.split(".")[0]], journal)
            if found.total() >= EDITS:
                break
        assert Verification(journal, alone=True).run().difference is None
    tell(found)

    assert unseen == []
    assert found.total() == EDITS


def test_every_edit_of_the_schema_is_found(address: str) -> None:
    found, unseen = Tally[str](), []
    with opened(address) as journal:
        for edit in rules(journal.database.engine.dialect.name):
            with suppress(Undone), journal.transaction() as connection:
                edit.make(connection)
                try:
                    compare_schema(connection)
                    unseen.append(f"{edit.kind}: {edit.what}")
                except Difference:
                    found[edit.kind] += 1
                raise Undone
        assert Verification(journal).run().difference is None
    tell(found)

    assert unseen == []
    assert found.total() > len(metadata.tables)


def test_one_more_index_is_nobodys_harm(journal: Journal) -> None:
    with suppress(Undone), journal.transaction() as connection:
        connection.exec_driver_sql("CREATE INDEX for_reports ON tickets (service)")
        compare_schema(connection)
        raise Undone


class Undone(Exception):
    """Rolls a transaction back."""


async def write_everything(address: str) -> None:
    """Two offices' mornings, with keys, remarks, marks and dead letters."""
    clock = HandClock()
    async with live_hall(address, clock) as hall:
        for office in ("centre", "annex"):
            await write_a_morning(hall, office, clock)


async def write_a_morning(hall: LiveHall, office: str, clock: HandClock) -> None:
    """One office's."""
    hall = LiveHall(hall.engine, replace(hall.office, id=office))
    await hall.open()
    visitors = [await hall.issue(key=f"{office} press {number}") for number in range(4)]
    clock.wait(minutes=3)
    await hall.call(key=f"{office} next")
    await hall.wish(Start(visitors[0].id), key=f"{office} start")
    clock.wait(minutes=2)
    await hall.wish(Finish(visitors[0].id), key=f"{office} finish")
    rated = await hall.wish(Rate(visitors[0].id, 2, 20), key=f"{office} stars")
    await hall.call()
    await hall.wish(NoShow(visitors[1].id))
    await hall.call()
    await hall.wish(Start(visitors[2].id))
    await hall.wish(Transfer(visitors[2].id, service="cash"))
    clock.wait(minutes=14)
    await hall.call()
    await hall.wish(Start(visitors[3].id))
    await hall.wish(Hold(visitors[3].id, by=HeldBy.VISITOR), key=f"{office} hold")
    assert await hall.call(key=f"{office} nobody") is None
    await hall.wish(PauseCounter("1", reason="tea"), key=f"{office} pause")
    await hall.wish(Issue("cash"))
    letter = DeadLetter(
        endpoint="webhook", office_id=office, seq=rated.seq, failed_at=clock.now(), attempts=9, error="503"
    )
    remark = Remark(
        office_id=office,
        seq=rated.seq,
        ticket_id=visitors[0].id,
        at=clock.now(),
        kind=RemarkKind.COMPLAINT,
        text="Nobody came.",
    )
    await hall.engine.ask(lambda journal: keep_remark(journal, remark))
    for endpoint in ("webhook", "another"):
        place = Place(endpoint=endpoint, office_id=office, seq=rated.seq, attempts=2, failing_since=clock.now())
        await hall.engine.ask(partial(places, endpoint=endpoint))
        await hall.engine.ask(partial(keep, moved=[place], given_up=[letter]))


def all_edits(journal: Journal) -> list[Edit]:
    """Every edit of every table's rows that the database would take."""
    ways = [rows, cells] if journal.is_shared else [rows, cells, letters]
    return [edit for way in ways for table in metadata.sorted_tables for edit in way(table)]


def some_of(edits: list[Edit]) -> list[Edit]:
    """Whole rows first, and then values in an order of their own; more than are needed, for some change nothing."""
    whole, values = edits[: 4 * len(metadata.tables)], edits[4 * len(metadata.tables) :]
    random.Random(SEED).shuffle(values)
    return whole + values


def made(edit: Edit, journal: Journal) -> bool:
    """Make an edit; False when it would change nothing, or when the database itself refuses it."""
    try:
        with journal.transaction() as connection:
            return edit.make(connection)
    except (DBAPIError, JournalDown, LostRace):
        return False


def rows_of(journal: Journal) -> Day:
    """All that is kept."""
    with journal.transaction(read_only=True) as connection:
        return {table: [row._asdict() for row in connection.execute(select(table))] for table in metadata.sorted_tables}


def put_back(day: Day, table: Table, journal: Journal) -> None:
    """A table as it was."""
    with journal.transaction() as connection:
        connection.execute(delete(table))
        connection.execute(table.insert(), day[table])


def tell(found: Tally[str]) -> None:
    """The table of kinds, for whoever reads it with `pytest -s`."""
    table = [f"{kind}: {count} found" for kind, count in sorted(found.items())]
    print("", *table, f"in all {found.total()}", sep="\n")  # noqa: T201
