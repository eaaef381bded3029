"""Alertmanagers are told what is the case, not what happened: who waits past the limit now, again and again.

So there is nothing to remember and nothing to give up: a report that was missed is made up for by the next, and when
nobody reports any more, Alertmanager itself resolves what it was told.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime

import msgspec
import structlog

from app.alerts.courier import Counted, Sleep, pause_seconds
from app.alerts.plan import AlertmanagerEntry
from app.alerts.told import Untaken, rfc3339
from app.alerts.webhooks import client, post
from app.engine import Engine
from app.journal import Recorded
from app.watch import Provisional
from queue_core.facts import Breached, TicketFact
from queue_core.hall import Hall
from queue_core.tickets import Ticket
from queue_core.values import value

log = structlog.get_logger(__name__)

ALERT = "VisitorOverLimit"
"""Named like the rule of Prometheus, so that whoever has both is told once."""

AT_ONCE = 500
"""Alerts in one request."""

Key = tuple[str, str, str]
"""Office, service and channel: the labels. Never a ticket, for each would be an alert for ever."""

Over = tuple[Key, datetime]
"""Where a visitor waits past the limit, and since when."""


@value(kw_only=True)
class Alert:
    """What Alertmanager is told of one key; `until` None while it lasts."""

    since: datetime
    until: datetime | None = None
    people: int = 0


class AlertmanagerReports:
    """Who waits past the limit, and the telling of it."""

    def __init__(self, entry: AlertmanagerEntry, engine: Engine, counted: Counted, sleep: Sleep) -> None:
        self.name = entry.name
        self.is_on_duty = False
        self._entry, self._engine, self._counted, self._sleep = entry, engine, counted, sleep
        self._client = client(1)
        self._over: dict[tuple[str, str], Over] = {}
        self._alerts: dict[Key, Alert] = {}
        self._unsaid: set[Key] = set()
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def take_over(self) -> None:
        """Look at every hall, and report from now on."""
        halls = await self._engine.halls()
        self._over, self._alerts, self._unsaid = {}, {}, set()
        self.is_on_duty = True
        for hall in halls.values():
            self._look(hall, hall.tickets)
        self._task = self._engine.lives.keep(
            f"reports to {self.name}", self._report_for_ever, 3 * self._entry.resend_seconds + 60
        )

    async def stand_down(self) -> None:
        """Report nothing more. Another process does, or Alertmanager notices the silence."""
        self.is_on_duty = False
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.aclose()

    def moved(self, hall: Hall, lines: Sequence[Recorded]) -> None:
        """Something was committed. A call that is taken back lets a breach go on without a word of its own."""
        if self.is_on_duty:
            self._look(hall, (line.fact.ticket for line in lines if isinstance(line.fact, TicketFact)))

    def tell_provisional(self, provisional: Provisional, hall: Hall) -> None:
        """A breach that cannot be recorded yet is one all the same; one that does not stand is over."""
        match provisional:
            case Provisional(fact=Breached(ticket=ticket_id, due=due), stands=stands) if self.is_on_duty:
                ticket = hall.tickets.get(ticket_id)
                self._put(hall.office_id, ticket_id, _over(hall, ticket, due) if ticket and stands else None)

    def _look(self, hall: Hall, ticket_ids: Iterable[str]) -> None:
        for ticket_id in ticket_ids:
            ticket = hall.tickets.get(ticket_id)
            due = ticket.breached_due if ticket and ticket.in_breach else None
            self._put(hall.office_id, ticket_id, _over(hall, ticket, due) if ticket and due else None)

    def _put(self, office_id: str, ticket_id: str, now: Over | None) -> None:
        if not self._entry.is_about(office_id):
            return
        before = self._over.pop((office_id, ticket_id), None)
        if now:
            self._over[office_id, ticket_id] = now
        if before != now:
            for over, more in ((before, -1), (now, 1)):
                if over:
                    self._count(*over, more)

    def _count(self, key: Key, due: datetime, more: int) -> None:
        alert = self._alerts.get(key)
        if alert is None or alert.until:
            alert = Alert(since=due)
        people = alert.people + more
        # The beginning stays where it was while anybody waits: Alertmanager would not move it either.
        since = min(alert.since, due)
        self._alerts[key] = Alert(since=since, people=people, until=None if people else self._engine.clock.now())
        self._unsaid.add(key)
        self._news.set()

    async def _report_for_ever(self, alive: Callable[[], None]) -> None:
        attempts = 0
        while True:
            alive()
            try:
                await self._report()
                attempts = 0
                await self._news_or_time_to_repeat()
            except Untaken as untaken:
                attempts += 1
                self._counted("failed")
                log.warning("an Alertmanager was not told", endpoint=self.name, attempts=attempts, error=str(untaken))
                # Never longer than it remembers what it was told.
                await self._sleep(min(pause_seconds(attempts), self._entry.resend_seconds))
            except Exception:
                log.exception("a report to an Alertmanager stumbled", endpoint=self.name)
                await self._sleep(self._entry.resend_seconds)

    async def _report(self) -> None:
        """Say what has not been said; what was said and is over is forgotten."""
        unsaid = [key for key in self._alerts if key in self._unsaid]
        for start in range(0, len(unsaid), AT_ONCE):
            some = {key: self._alerts[key] for key in unsaid[start : start + AT_ONCE]}
            body = msgspec.json.encode([_as_json(key, alert) for key, alert in some.items()])
            headers = {"content-type": "application/json"}
            await post(
                self._client, f"{self._entry.url.rstrip('/')}/api/v2/alerts", body, headers, self._entry.timeout_seconds
            )
            self._counted("delivered")
            for key, alert in some.items():
                if self._alerts[key] is alert:
                    self._unsaid.discard(key)
                    if alert.until:
                        del self._alerts[key]

    async def _news_or_time_to_repeat(self) -> None:
        if not self._unsaid:
            self._news.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._entry.resend_seconds):
                    await self._news.wait()
                    return
            self._unsaid |= self._alerts.keys()


def _over(hall: Hall, ticket: Ticket, due: datetime) -> Over:
    return (hall.office_id, ticket.service, str(ticket.channel)), due


def _as_json(key: Key, alert: Alert) -> dict[str, object]:
    office, service, channel = key
    ends = {"endsAt": rfc3339(alert.until)} if alert.until else {}
    return {
        "labels": {
            "alertname": ALERT,
            "severity": "critical",
            "office": office,
            "service": service,
            "channel": channel,
        },
        "annotations": {"summary": f"{office}, {service}: {alert.people} past the limit"},
        "startsAt": rfc3339(alert.since),
        **ends,
    }
