"""Long questions are asked beside the work: copies and proofs are taken while visitors come."""

import asyncio
from pathlib import Path

import pytest

import app.journal.verification
from app.journal import Journal, Verdict, Verification
from tests.engine.hall import LiveHall
from tests.journal.databases import opened


async def test_a_backup_taken_under_load_holds_all_that_was_answered_before_it(hall: LiveHall, tmp_path: Path) -> None:
    path = tmp_path / "backup.db"
    visitors = asyncio.create_task(come(hall, 150))
    answered = [await hall.issue() for _ in range(20)]

    await hall.engine.ask(lambda journal: journal.backup(path))

    await visitors
    with opened(str(path)) as copy:
        lines = copy.facts_after("hall", 0)
        assert {ticket.id for ticket in answered} <= {line.ticket_id for line in lines}
        assert lines == (await hall.lines())[: len(lines)]
        assert Verification(copy).run().difference is None


async def test_verification_goes_on_in_steps_while_visitors_come(
    hall: LiveHall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.journal.verification, "SLICE", 10)
    await come(hall, 50)
    begun: list[Verification] = []

    def a_step(journal: Journal) -> Verdict | None:
        begun.extend([] if begun else [Verification(journal)])
        return begun[0].step()

    before, steps = (await hall.now()).seq, 0
    while (verdict := await hall.engine.ask(a_step)) is None:
        steps += 1
        await hall.issue()

    assert verdict.difference is None
    assert verdict.facts > before
    assert steps > 5


async def test_a_question_that_fails_harms_nobody(hall: LiveHall) -> None:
    with pytest.raises(ZeroDivisionError):
        await hall.engine.ask(lambda journal: len(journal.heads()) // 0)

    assert (await hall.issue()).number == "A001"


async def come(hall: LiveHall, visitors: int) -> None:
    """That many visitors, ten at a time."""
    for _ in range(visitors // 10):
        await asyncio.gather(*(hall.issue() for _ in range(10)))
