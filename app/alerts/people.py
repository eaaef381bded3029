"""People are told through apprise: e-mail, Telegram, SMS gateways and a hundred others, by rules."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from app.alerts.plan import PersonEntry
from app.alerts.texts import language_for, message
from app.alerts.told import Told, Untaken
from app.journal import Recorded
from app.watch import Provisional
from queue_core.facts import CounterIdle, Escalated, Fact, Relieved, Warned
from queue_core.office import Office

if TYPE_CHECKING:
    from apprise import Apprise

WARNED, IDLE, RELIEVED = "warned", "idle", "relieved"
"""The steps that are no role; every other step is the role of an escalation."""

KINDS = frozenset(kind.__name__ for kind in (Warned, Escalated, CounterIdle, Relieved))
"""A breach itself is told by its first escalation, or a person would hear of it twice."""


class Person:
    """One address of a person or a group.

    Each address has a place of its own in the journal: whoever was reached is not told again because another was not.
    """

    kinds = KINDS
    # Nobody wants to be woken by what was over hours ago.
    forgets = True
    needs_history = True
    hears_twice = False

    def __init__(self, entry: PersonEntry) -> None:
        self.name, self.patience = entry.name, timedelta(minutes=entry.give_up_after_minutes)
        self._entry = entry
        self._apprise = _apprise(entry.to, entry.timeout_seconds)

    def wants(self, told: Told) -> bool:
        """Whether the rule covers it. That a breach is over is told to whoever was told of it."""
        if not self._entry.is_about(told.line.office_id):
            return False
        if isinstance(told.line.fact, Relieved):
            # Without a history it is not known yet.
            heard_of = not told.history or any(self._covers(line, told.office) for line in told.history)
            return RELIEVED in self._entry.steps and heard_of
        return self._covers(told.line, told.office)

    async def tell(self, told: Told) -> None:
        """Send the message; Untaken when apprise says that it was not taken."""
        title, body = message(told, language_for(told.office, self._entry.language))
        result = await self._apprise.async_notify(title=title, body=body)
        with result:
            if not result:
                # Its log lines hide passwords and tokens.
                reasons = [entry.message for entry in result.logs()]
                raise Untaken("; ".join(reasons)[:500] or "apprise did not get it delivered")

    async def close(self) -> None:
        """Nothing is kept open between messages."""

    def _covers(self, line: Recorded | Provisional, office: Office) -> bool:
        return step_of(line.fact) in self._entry.steps and self._is_reachable_at(line.at, office)

    def _is_reachable_at(self, instant: datetime, office: Office) -> bool:
        if self._entry.hours is None:
            return True
        there = instant.astimezone(ZoneInfo(office.zone))
        return any(
            opening.weekday == there.weekday()
            and opening.opens <= there.time()
            and (there.time() < opening.closes or (not opening.closes.hour and not opening.closes.minute))
            for opening in self._entry.hours
        )


def step_of(fact: Fact) -> str | None:
    """The step of the rules that a fact is; None for what no person is told."""
    match fact:
        case Warned():
            return WARNED
        case Escalated():
            return fact.role
        case CounterIdle():
            return IDLE
        case _:
            return None


def is_known_address(address: str) -> bool:
    """Whether apprise knows what to do with an address."""
    from apprise import Apprise

    return bool(address) and Apprise.instantiate(address) is not None


def _apprise(address: str, timeout_seconds: float) -> "Apprise":
    # A server without people to tell does not load it.
    from apprise import Apprise, AppriseAsset

    asset = AppriseAsset(
        app_id="Fifteen",
        app_desc="Fifteen",
        app_url="",
        service_timeout=timeout_seconds,
        http_redirects=False,
        async_mode=True,
    )
    told = Apprise(asset=asset)
    assert told.add(address)
    return told
