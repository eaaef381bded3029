"""What the journal says about a crowd's history, once the servers have ended."""

from collections import Counter

from app.journal import Recorded, Verdict, Verification, open_journal
from bench import Figures
from bench.harness.callers import Crowd
from tests.proof.checker import check

SHOWN = 20
"""Violations that are printed whole; one seldom comes alone."""


def judge(name: str, address: str, crowd: Crowd, figures: Figures) -> None:
    """Tell what was counted, and which rules were broken how often; the goal is never."""
    lines, verdict = _read(address, crowd.office)
    kinds = Counter(line.kind for line in lines)
    figures.tell(f"{name}_tickets", kinds["Issued"])
    figures.tell(f"{name}_calls", kinds["Called"])
    figures.tell(f"{name}_breaches", kinds["Breached"])
    figures.tell(f"{name}_facts", len(lines))
    _tell_violations(name, lines, crowd, figures)
    figures.tell(f"{name}_verify", verdict.difference or "clean")
    figures.tell(f"{name}_differences", int(verdict.difference is not None), at_most=0)


def lines_of(address: str, office: str) -> list[Recorded]:
    """An office's journal."""
    return _read(address, office)[0]


def _read(address: str, office: str) -> tuple[list[Recorded], Verdict]:
    journal = open_journal(address)
    try:
        return journal.facts_after(office, 0), Verification(journal).run()
    finally:
        journal.close()
        journal.database.close()


def _tell_violations(name: str, lines: list[Recorded], crowd: Crowd, figures: Figures) -> None:
    violations = check(lines, crowd.history)
    for violation in violations[:SHOWN]:
        print(violation)
    figures.tell(f"{name}_violations", len(violations), at_most=0)
    for rule, times in Counter(violation.rule for violation in violations).items():
        figures.tell(f"{name}_violations_{rule.name.lower()}", times)
