"""What was written is read again, to the byte, by whoever asks."""

import pytest
from sqlalchemy.exc import IntegrityError

from app.journal import Journal, LostRace
from queue_core.facts import TicketFact
from tests.core.live import LiveHall
from tests.journal.databases import opened
from tests.journal.writing import Scribe, small_day, write


def test_every_line_comes_back_as_it_was_written(journal: Journal) -> None:
    scribe = write(journal, small_day().facts)

    assert journal.facts_after("hall", 0) == scribe.lines


def test_what_is_read_outlives_the_journal_that_wrote_it(address: str) -> None:
    with opened(address) as journal:
        scribe = write(journal, small_day().facts)

    with opened(address) as journal:
        assert journal.facts_after("hall", 0) == scribe.lines


@pytest.mark.parametrize("actor", ["", "O'Neil; DROP TABLE facts", "Ёжик 🦔", "שלום", "tab\there", "x" * 5_000])
def test_names_and_keys_come_back_whatever_is_in_them(journal: Journal, actor: str) -> None:
    scribe = Scribe()

    journal.append(scribe.page(LiveHall().facts, actor=actor, key=f"key of {actor}"))

    assert journal.facts_after("hall", 0) == scribe.lines


def test_only_the_lines_after_a_seq_are_told(journal: Journal) -> None:
    scribe = write(journal, small_day().facts)

    assert journal.facts_after("hall", 7) == scribe.lines[7:]
    assert journal.facts_after("hall", 7, 2) == scribe.lines[7:9]
    assert journal.facts_after("hall", len(scribe.lines)) == []


def test_a_ticket_history_is_its_own_lines_and_no_others(journal: Journal) -> None:
    day = small_day()
    scribe = write(journal, day.facts)

    for ticket in day.visits:
        own = [line for line in scribe.lines if isinstance(line.fact, TicketFact) and line.fact.ticket == ticket]
        assert journal.history("hall", ticket) == own
        assert journal.history("hall", ticket, upto=own[0].seq) == own[:1]


def test_nobody_has_no_history_and_no_row(journal: Journal) -> None:
    write(journal, small_day().facts)

    assert journal.history("hall", "20261123-Z999") == []
    assert journal.history("elsewhere", "20261123-A001") == []
    assert journal.ticket_row("hall", "20261123-Z999") is None


def test_a_ticket_row_tells_the_visit_so_far(journal: Journal) -> None:
    day = small_day()
    write(journal, day.facts)
    ticket = day.visit("20261123-A001")

    row = journal.ticket_row("hall", ticket.id)

    assert row
    assert (row["number"], row["state"], row["counter_id"], row["recalls"]) == ("A001", "held", "2", 1)
    assert (row["issued_at"], row["first_called_at"]) == (ticket.issued_at, ticket.first_called_at)
    assert row["wait_to_call_seconds"] == pytest.approx(600, abs=1)
    assert row["seq"] == journal.history("hall", ticket.id)[-1].seq


def test_offices_do_not_mix(journal: Journal) -> None:
    north, south = Scribe("north"), Scribe("south")
    for fact in small_day().facts:
        journal.append(north.page([fact]))
        journal.append(south.page([fact]))

    assert journal.facts_after("north", 0) == north.lines
    assert journal.facts_after("south", 0) == south.lines
    assert journal.heads() == {"north": len(north.lines), "south": len(south.lines)}
    assert journal.facts_since({"south": 3, "north": 2}) == north.lines[2:] + south.lines[3:]
    assert journal.facts_since({"south": len(south.lines), "elsewhere": 0}) == []


def test_two_offices_are_written_in_one_page(journal: Journal) -> None:
    north, south = Scribe("north"), Scribe("south")
    page = north.page(small_day().facts)
    other = south.page(small_day().facts)
    page.facts += other.facts
    page.tickets |= other.tickets
    page.checkpoints += other.checkpoints

    journal.append(page)

    assert journal.facts_after("north", 0) + journal.facts_after("south", 0) == north.lines + south.lines


def test_a_hall_is_folded_again_from_its_journal(journal: Journal) -> None:
    scribe = write(journal, small_day().facts)

    (hall, head), *others = journal.halls()

    assert not others
    assert hall.state() == scribe.hall.state()
    assert head == scribe.lines[-1].hash


def test_a_page_that_comes_too_late_is_a_lost_race_and_leaves_nothing(journal: Journal) -> None:
    day = LiveHall()
    first, second = Scribe(), Scribe()
    journal.append(first.page(day.facts))
    second.page(day.facts)
    day.issue()
    mine, theirs = first.page(day.facts[-1:]), second.page(day.facts[-1:], actor="another process")
    journal.append(theirs)

    # SQLite is one process: there a taken seq is a broken belief, and no race.
    with pytest.raises((LostRace, IntegrityError)):
        journal.append(mine)

    assert journal.facts_after("hall", 0) == second.lines
    assert journal.has(second.lines[-1])
    assert not journal.has(first.lines[-1])


def test_a_page_is_written_whole_or_not_at_all(journal: Journal) -> None:
    day, scribe = LiveHall(), Scribe()
    page = scribe.page(day.facts)
    page.answers.append(scribe.answer("used", day.now))
    journal.append(page)
    day.issue()
    page = scribe.page(day.facts[-1:], key="used")
    page.answers.append(scribe.answer("used", day.now))

    with pytest.raises(LostRace):
        journal.append(page)

    assert journal.heads() == {"hall": len(scribe.lines) - 1}
    assert journal.ticket_row("hall", "20261123-A001") is None


def test_a_key_tells_what_it_was_answered_with(journal: Journal) -> None:
    day, scribe = LiveHall(), Scribe()
    day.issue()
    page = scribe.page(day.facts)
    page.answers.append(scribe.answer("first", day.now, day.visit("20261123-A001")))
    page.answers.append(scribe.answer('odd "key", {ключ}', day.now))
    journal.append(page)

    found = journal.answered([("hall", "first"), ("hall", 'odd "key", {ключ}'), ("hall", "unused"), ("else", "first")])

    assert found.keys() == {("hall", "first"), ("hall", 'odd "key", {ключ}')}
    assert found["hall", "first"].ticket_id == "20261123-A001"
    assert found["hall", "first"].seq == scribe.hall.seq


def test_a_new_journal_is_empty_and_takes_writes(journal: Journal) -> None:
    journal.check_writable()

    assert journal.heads() == {}
    assert list(journal.halls()) == []
    assert journal.facts_after("hall", 0) == []
