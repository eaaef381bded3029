"""What the journal says about a crowd's history, once the servers have ended."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from app.access.keys import Keys, network_of
from app.journal import Recorded, Verdict, Verification, open_journal
from bench import Figures
from bench.harness.callers import Crowd
from tests.proof.checker import Call, check

SHOWN = 20
"""Violations that are printed whole; one seldom comes alone."""


def judge(name: str, address: str, crowd: Crowd, figures: Figures) -> None:
    """Tell what was counted, and which rules were broken how often; the goal is never."""
    lines, verdict, secret = _read(address, crowd.office)
    kinds = Counter(line.kind for line in lines)
    figures.tell(f"{name}_tickets", kinds["Issued"])
    figures.tell(f"{name}_calls", kinds["Called"])
    figures.tell(f"{name}_breaches", kinds["Breached"])
    figures.tell(f"{name}_facts", len(lines))
    _tell_violations(name, lines, as_kept(crowd.history, secret), figures)
    figures.tell(f"{name}_verify", verdict.difference or "clean")
    figures.tell(f"{name}_differences", int(verdict.difference is not None), at_most=0)


def lines_of(address: str, office: str) -> list[Recorded]:
    """An office's journal."""
    return _read(address, office)[0]


def as_kept(history: Iterable[Call], secret: str) -> list[Call]:
    """What clients at this machine's own address saw, under the keys that a journal with this secret keeps of them."""
    keys, whose = Keys(secret, {}), ("address", network_of("127.0.0.1"))
    now = datetime.now(UTC)
    return [
        replace(call, key=keys.kept_as(call.office, whose, call.key, now)) if call.key else call for call in history
    ]


def _read(address: str, office: str) -> tuple[list[Recorded], Verdict, str]:
    journal = open_journal(address)
    try:
        return journal.facts_after(office, 0), Verification(journal).run(), journal.visit_secret()
    finally:
        journal.close()
        journal.database.close()


def _tell_violations(name: str, lines: list[Recorded], history: list[Call], figures: Figures) -> None:
    violations = check(lines, history)
    for violation in violations[:SHOWN]:
        print(violation)
    figures.tell(f"{name}_violations", len(violations), at_most=0)
    for rule, times in Counter(violation.rule for violation in violations).items():
        figures.tell(f"{name}_violations_{rule.name.lower()}", times)
