"""Everybody outside is told of what the hall tells: endpoints, their turns, and what became of the messages."""

import asyncio
import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

from app.alerts.alertmanagers import AlertmanagerReports
from app.alerts.courier import Courier, Ledger, Sleep
from app.alerts.people import Person
from app.alerts.plan import Plan
from app.alerts.told import TOLD, Receiver, Untaken, told_at, told_from_memory, told_in, with_history
from app.alerts.webhooks import Webhook
from app.clock import SystemClock
from app.engine import HIDDEN, Engine
from app.journal import JournalDown, JournalFull, Recorded
from app.journal.deliveries import Turns, forget_letter, letter_at
from app.watch import Provisional
from queue_core.errors import Refusal
from queue_core.facts import DayOpened
from queue_core.hall import Hall

log = structlog.get_logger(__name__)

RESULTS = ("delivered", "failed", "dead")

TURN_SECONDS = 1.0
"""How often is asked whose turn it is: the longest silence after a process has died."""


class NoSuchLetter(LookupError):
    """There is no such dead letter."""


class NoSuchEndpoint(LookupError):
    """The file names no such endpoint any more."""


class Alerts:
    """The telling. `registry` holds what became of it.

    `clock` is the machine's, by which messages are signed; `sleep` is what passes between two attempts.
    """

    def __init__(
        self,
        engine: Engine,
        plan: Plan,
        *,
        clock: SystemClock | None = None,
        sleep: Sleep = asyncio.sleep,
        turn_seconds: float = TURN_SECONDS,
    ) -> None:
        self._engine = engine
        self._turn_seconds = turn_seconds
        self.registry = CollectorRegistry()
        self._results = Counter(
            "queue_deliveries",
            "Attempts to tell somebody outside, by what became of them",
            ["result"],
            registry=self.registry,
        )
        for result in RESULTS:
            self._results.labels(result)
        self._watch_over_pending()
        receivers: list[Receiver] = [Webhook(entry, clock or SystemClock()) for entry in plan.webhooks]
        receivers += [Person(entry) for entry in plan.people]
        self._ledger = Ledger(engine)
        self._couriers = {
            receiver.name: Courier(receiver, engine, self._ledger, self._counted, sleep) for receiver in receivers
        }
        self._reports = {
            entry.name: AlertmanagerReports(entry, engine, self._counted, sleep) for entry in plan.alertmanagers
        }
        self._turns: Turns | None = None
        # Of its own, because to ask a database that is away takes long.
        self._turns_thread = ThreadPoolExecutor(1, "turns")
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Go on where the journal says that everybody was left, as soon as it is this process's turn."""
        if not self._couriers and not self._reports:
            return
        self._turns = await self._engine.ask(Turns)
        self._engine.subscribe(self._committed)
        lives = self._engine.lives
        self._tasks = [
            lives.keep("turns", self._mind_turns, 60 + self._turn_seconds),
            lives.keep("ledger", self._ledger.keep_for_ever, 60),
        ]

    async def stop(self) -> None:
        """Tell nobody anything more, and leave everybody's place in the journal."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        for endpoint in self._endpoints():
            await endpoint.stand_down()
        try:
            await self._ledger.keep()
        except (JournalDown, JournalFull) as error:
            log.warning("the last deliveries could not be noted, and will be told again", error=str(error))
        if self._turns:
            await asyncio.get_running_loop().run_in_executor(self._turns_thread, self._turns.release)
        self._turns_thread.shutdown()
        for courier in self._couriers.values():
            await courier.receiver.close()
        for report in self._reports.values():
            await report.close()

    @property
    def is_telling(self) -> bool:
        """Whether it is this process's turn with every endpoint."""
        return all(endpoint.is_on_duty for endpoint in self._endpoints())

    async def redeliver(self, endpoint: str, office_id: str, seq: int) -> str | None:
        """Try a dead letter once more, out of its order. None when it was taken and is forgotten, else why not.

        NoSuchLetter, NoSuchEndpoint: it cannot be tried.
        """
        if await self._engine.ask(lambda journal: letter_at(journal, endpoint, office_id, seq)) is None:
            raise NoSuchLetter(f"{endpoint} has no dead letter {office_id}/{seq}")
        if endpoint not in self._couriers:
            raise NoSuchEndpoint(f"nobody is told by the name {endpoint}")
        receiver = self._couriers[endpoint].receiver
        told = await with_history(self._engine, await told_at(self._engine, office_id, seq), seq)
        try:
            await receiver.tell(told)
        except Untaken as untaken:
            self._counted("failed")
            return str(untaken)
        self._counted("delivered")
        await self._engine.ask(lambda journal: forget_letter(journal, endpoint, office_id, seq))
        return None

    def tell_provisional(self, provisional: Provisional, hall: Hall) -> None:
        """Send on what the watch tells from memory, and what of it does not stand."""
        if provisional.office_id.startswith(HIDDEN):
            return
        told = told_from_memory(hall, provisional)
        for courier in self._couriers.values():
            courier.tell_provisional(told)
        for report in self._reports.values():
            report.tell_provisional(provisional, hall)

    def _committed(self, office_id: str, hall: Hall, lines: Sequence[Recorded]) -> None:
        if office_id.startswith(HIDDEN):
            return
        for line in lines:
            if isinstance(line.fact, TOLD):
                told = told_in(hall, line)
                for courier in self._couriers.values():
                    courier.heard(told)
            elif isinstance(line.fact, DayOpened):
                for courier in self._couriers.values():
                    courier.day_opened(line)
        for report in self._reports.values():
            report.moved(hall, lines)

    async def _mind_turns(self, alive: Callable[[], None]) -> None:
        assert self._turns
        names = [endpoint.name for endpoint in self._endpoints()]
        loop, was_lost = asyncio.get_running_loop(), False
        while True:
            try:
                mine = await loop.run_in_executor(self._turns_thread, self._turns.take, names)
                for endpoint in self._endpoints():
                    await self._give_turn(endpoint, endpoint.name in mine, anew=was_lost)
                was_lost = False
            except (JournalDown, Refusal) as error:
                # Whoever was on duty stays: another may be by now, but twice is better than never.
                if not was_lost:
                    log.warning("whose turn it is to tell cannot be asked", error=str(error))
                was_lost = True
            except Exception:
                was_lost = True
                log.exception("the asking for turns stumbled and goes on")
            alive()
            await asyncio.sleep(self._turn_seconds)

    async def _give_turn(self, endpoint: Courier | AlertmanagerReports, is_mine: bool, *, anew: bool) -> None:
        if endpoint.is_on_duty and (anew or not is_mine):
            await endpoint.stand_down()
            if not is_mine:
                self._ledger.forget(endpoint.name)
        if is_mine and not endpoint.is_on_duty:
            await self._ledger.keep()
            await endpoint.take_over()
            log.info("this process tells", endpoint=endpoint.name)

    def _endpoints(self) -> list[Courier | AlertmanagerReports]:
        return [*self._couriers.values(), *self._reports.values()]

    def _counted(self, result: str) -> None:
        self._results.labels(result).inc()

    def _watch_over_pending(self) -> None:
        pending = Gauge("queue_deliveries_pending", "Messages that were not taken yet", registry=self.registry)
        pending.set_function(lambda: sum(courier.pending for courier in self._couriers.values()))
        oldest = Gauge(
            "queue_oldest_delivery_timestamp_seconds",
            "Since when the oldest message waits that was not taken yet; +Inf when there is none",
            registry=self.registry,
        )
        oldest.set_function(self._oldest)

    def _oldest(self) -> float:
        waiting = (courier.oldest for courier in self._couriers.values())
        return min((since.timestamp() for since in waiting if since), default=math.inf)
