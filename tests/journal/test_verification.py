"""History cannot be edited unnoticed: `verify` names the first line or row that is not as it was written."""

import json

import pytest
from sqlalchemy import delete, text

import app.journal.verification
from app.journal import Journal, Verdict, Verification
from app.journal.checksums import content
from app.journal.schema import halls
from queue_core.facts import CounterPaused
from tests.core.live import NINE
from tests.journal.writing import Scribe, changed, put, small_day, write


@pytest.fixture
def scribe(journal: Journal) -> Scribe:
    """A small day, written."""
    return write(journal, small_day().facts)


def test_an_untouched_journal_is_as_it_was_written(journal: Journal, scribe: Scribe) -> None:
    assert Verification(journal).run() == Verdict(offices=1, facts=len(scribe.lines), tickets=5, difference=None)


def test_an_empty_journal_is_as_it_was_written(journal: Journal) -> None:
    assert Verification(journal).run() == Verdict(offices=0, facts=0, tickets=0, difference=None)


def test_an_edited_body_is_named(journal: Journal, scribe: Scribe) -> None:
    seq = line_of(scribe, "Transferred")
    changed(journal, "UPDATE facts SET body = replace(body, '\"land\"', '\"cash\"') WHERE seq = :seq", seq=seq)

    assert difference(journal) == f"office hall, fact {seq}: the line was changed, or one before it was removed"


@pytest.mark.parametrize("body", ["", "{}", "[", "null", '{"at": "yesterday"}'])
def test_a_body_that_is_no_fact_any_more_is_named(journal: Journal, scribe: Scribe, body: str) -> None:
    changed(journal, "UPDATE facts SET body = :body WHERE seq = 9", body=body)

    assert difference(journal).startswith("office hall, fact 9:")


@pytest.mark.parametrize("column", ["actor", "key", "kind"])
def test_another_author_key_or_kind_is_named(journal: Journal, scribe: Scribe, column: str) -> None:
    changed(journal, f"UPDATE facts SET {column} = 'Recalled' WHERE seq = 11")

    assert difference(journal).startswith("office hall, fact 11:")


def test_an_edited_time_is_named(journal: Journal, scribe: Scribe) -> None:
    earlier = changed(
        journal, "UPDATE facts SET at = (SELECT at FROM facts WHERE seq = 10) WHERE seq = :seq", seq=len(scribe.lines)
    )

    assert earlier == 1
    assert difference(journal) == f"office hall, fact {len(scribe.lines)}: time or ticket differ from the fact"


def test_a_line_given_to_another_ticket_is_named(journal: Journal, scribe: Scribe) -> None:
    changed(journal, "UPDATE facts SET ticket_id = '20261123-A003' WHERE seq = 12")

    assert difference(journal) == "office hall, fact 12: time or ticket differ from the fact"


def test_a_removed_line_is_named(journal: Journal, scribe: Scribe) -> None:
    changed(journal, "DELETE FROM facts WHERE seq = 8")

    assert difference(journal) == "office hall, fact 9, stands where fact 8 should be"


def test_removed_lines_whose_gap_was_closed_are_named(journal: Journal, scribe: Scribe) -> None:
    changed(journal, "DELETE FROM facts WHERE seq = 8")
    for seq in range(9, len(scribe.lines) + 1):
        changed(journal, "UPDATE facts SET seq = seq - 1 WHERE seq = :seq", seq=seq)

    assert difference(journal).startswith("office hall, fact 8:")


def test_a_first_line_that_is_gone_is_named(journal: Journal, scribe: Scribe) -> None:
    changed(journal, "DELETE FROM facts WHERE seq = 1")

    assert difference(journal) == "office hall, fact 2, stands where fact 1 should be"


def test_the_last_lines_cut_off_are_noticed_by_the_rows_they_left(journal: Journal, scribe: Scribe) -> None:
    changed(journal, "DELETE FROM facts WHERE seq > 24")

    assert difference(journal).startswith("office hall, ticket ")


def test_lines_cut_off_back_to_before_the_checkpoint_are_noticed(journal: Journal, scribe: Scribe) -> None:
    changed(journal, "DELETE FROM facts WHERE seq > 2")

    assert "checkpoint" in difference(journal)


def test_an_inserted_line_is_named(journal: Journal, scribe: Scribe) -> None:
    paused = CounterPaused(at=NINE, counter="2", reason="never happened")
    for seq in range(len(scribe.lines), 19, -1):
        changed(journal, "UPDATE facts SET seq = seq + 1 WHERE seq = :seq", seq=seq)
    insert_copy(journal, of=19, seq=20)
    forged = Scribe()
    forged.page([line.fact for line in scribe.lines[:19]])
    forged.page([paused])
    changed(
        journal,
        "UPDATE facts SET kind = :kind, body = :body, hash = :hash WHERE seq = 20",
        kind="CounterPaused",
        body=forged.lines[-1].body,
        hash=forged.lines[-1].hash,
    )

    assert difference(journal).startswith("office hall, fact 20:")


def test_a_forged_line_with_a_right_hash_breaks_the_chain_after_it(journal: Journal, scribe: Scribe) -> None:
    forged = Scribe()
    forged.page([line.fact for line in scribe.lines[:19]])
    forged.page([CounterPaused(at=scribe.lines[19].at, counter="2", reason="never happened")])
    forgery = forged.lines[-1]
    changed(
        journal,
        "UPDATE facts SET kind = :kind, ticket_id = NULL, body = :body, hash = :hash WHERE seq = 20",
        kind=forgery.kind,
        body=forgery.body,
        hash=forgery.hash,
    )

    assert difference(journal).startswith("office hall, fact 2")


def test_a_line_added_at_the_end_is_named(journal: Journal, scribe: Scribe) -> None:
    insert_copy(journal, of=len(scribe.lines), seq=len(scribe.lines) + 1)

    assert difference(journal).startswith(f"office hall, fact {len(scribe.lines) + 1}:")


@pytest.mark.parametrize("seq", [0, -3])
def test_a_line_before_the_first_is_named(journal: Journal, scribe: Scribe, seq: int) -> None:
    insert_copy(journal, of=6, seq=seq)

    assert f"fact {seq}" in difference(journal)


def test_swapped_lines_are_named(journal: Journal, scribe: Scribe) -> None:
    for before, after in ((12, -1), (13, 12), (-1, 13)):
        changed(journal, "UPDATE facts SET seq = :after WHERE seq = :before", before=before, after=after)

    assert difference(journal).startswith("office hall, fact 12:")


def test_the_first_of_many_changes_is_named(journal: Journal, scribe: Scribe) -> None:
    changed(journal, "UPDATE facts SET actor = 'nobody' WHERE seq IN (21, 14, 17)")
    changed(journal, "UPDATE tickets SET calls = 9")

    assert difference(journal).startswith("office hall, fact 14:")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("wait_to_call_seconds", "0"),
        ("waited_seconds", "1.5"),
        ("breached_at", "NULL"),
        ("first_called_at", "issued_at"),
        ("outcome", "'done'"),
        ("channel", "'booked'"),
        ("operator", "'somebody else'"),
        ("ticket_id", "'20261123-A777'"),
        ("seq", "seq + 1"),
    ],
)
def test_a_changed_ticket_row_is_named(journal: Journal, scribe: Scribe, column: str, value: str) -> None:
    changed(journal, f"UPDATE tickets SET {column} = {value} WHERE ticket_id = '20261123-A002'")

    assert difference(journal).startswith("office hall, ticket 20261123-A002:")


def test_a_missing_ticket_row_is_named(journal: Journal, scribe: Scribe) -> None:
    changed(journal, "DELETE FROM tickets WHERE ticket_id = '20261123-B001'")

    assert difference(journal) == "office hall, ticket 20261123-B001: its row is missing"


@pytest.mark.parametrize("office", ["hall", "nowhere"])
def test_a_ticket_row_too_many_is_noticed(journal: Journal, scribe: Scribe, office: str) -> None:
    columns = "day, ticket_id, issued_service, service, channel, category_verified, category_withdrawn, state, "
    columns += "ahead_at_issue, calls, recalls, issued_at, clock_start, limit_seconds, waited_seconds, serving_seconds"
    changed(
        journal,
        f"INSERT INTO tickets (office_id, number, seq, {columns}) "
        f"SELECT :office, 'A999', 3, {columns} FROM tickets WHERE ticket_id = '20261123-A001'",
        office=office,
    )

    assert office in difference(journal)


@pytest.mark.parametrize(
    "change",
    [
        "state = replace(state, 'operator 1', 'operator 7')",
        "state = '{}'",
        "state = 'no hall'",
        "state = NULL",
        "hash = (SELECT hash FROM facts WHERE seq = 2)",
        "seq = 999",
        "seq = 0",
        "seq = 4",
    ],
)
def test_a_changed_checkpoint_is_noticed(journal: Journal, change: str) -> None:
    scribe, day = Scribe(), small_day()
    journal.append(scribe.page(day.facts))
    changed(journal, f"UPDATE halls SET {change}")

    assert "checkpoint" in difference(journal)


def test_a_checkpoint_from_before_there_were_warnings_is_no_difference(journal: Journal) -> None:
    journal.append(Scribe().page(small_day().facts))
    with journal.transaction(read_only=True) as connection:
        state = json.loads(connection.execute(text("SELECT state FROM halls")).scalar_one())
    del state["issued_lately"]
    began = [session.pop("idle_since") for session in state["sessions"]]

    with journal.transaction() as connection:
        row = connection.execute(delete(halls).returning(*content(halls))).one()
        put(connection, "halls", [row._asdict() | {"state": json.dumps(state)}])

    assert any(began)
    assert Verification(journal).run().difference is None


@pytest.mark.parametrize("table", ["facts", "halls"])
def test_an_office_that_lost_its_facts_or_its_checkpoint_is_named(journal: Journal, scribe: Scribe, table: str) -> None:
    changed(journal, f"DELETE FROM {table}")

    assert "hall" in difference(journal)


def test_the_first_office_with_a_difference_is_named(journal: Journal) -> None:
    for office in ("east", "north", "south"):
        write(journal, small_day().facts, office_id=office)
    changed(journal, "UPDATE facts SET actor = 'nobody' WHERE office_id > 'east' AND seq = 3")

    verdict = Verification(journal).run()

    assert verdict.difference
    assert verdict.difference.startswith("office north, fact 3:")
    assert verdict.offices == 1


@pytest.fixture
def short_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Verification of a small day takes several steps."""
    monkeypatch.setattr(app.journal.verification, "SLICE", 5)


@pytest.mark.usefixtures("short_steps")
def test_a_journal_is_verified_in_steps_while_it_grows(journal: Journal) -> None:
    day = small_day()
    scribe, before = write(journal, day.facts), len(day.facts)
    verification = Verification(journal)

    verdicts = [verification.step()]
    while verdicts[-1] is None:
        day.wait(seconds=1)
        day.issue()
        journal.append(scribe.page(day.facts[-1:]))
        verdicts.append(verification.step())

    assert len(verdicts) > 5
    assert verdicts[-1].difference is None
    assert verdicts[-1].facts > before


@pytest.mark.usefixtures("short_steps")
def test_a_checkpoint_that_moves_during_verification_is_no_difference(journal: Journal) -> None:
    day = small_day()
    scribe, before = write(journal, day.facts), len(day.facts)
    verification = Verification(journal)
    verification.step()

    day.wait(days=1)
    day.look()
    journal.append(scribe.page(day.facts[before:]))

    assert "DayOpened" in [line.kind for line in scribe.lines[before:]]
    assert verification.run().difference is None


@pytest.mark.usefixtures("short_steps")
def test_a_change_far_along_is_found_in_its_step(journal: Journal, scribe: Scribe) -> None:
    changed(journal, "UPDATE facts SET actor = 'nobody' WHERE seq = 23")

    assert difference(journal).startswith("office hall, fact 23:")


def difference(journal: Journal) -> str:
    """The first difference, of which there must be one."""
    found = Verification(journal).run().difference
    assert found
    return found


def line_of(scribe: Scribe, kind: str) -> int:
    """The seq of the first fact of a kind."""
    return next(line.seq for line in scribe.lines if line.kind == kind)


def insert_copy(journal: Journal, *, of: int, seq: int) -> None:
    """One line more, like another."""
    columns = "office_id, at, actor, key, kind, ticket_id, body, hash"
    changed(
        journal,
        f"INSERT INTO facts (seq, {columns}) SELECT :seq, {columns} FROM facts WHERE seq = :of",
        seq=seq,
        of=of,
    )
