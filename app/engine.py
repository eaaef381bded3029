"""The writer: commands in, facts out, answers only after the commit.

One task per process takes whatever commands are pending, decides them in order against the halls in memory, appends
everything in one transaction and then answers each. While a batch is on its way the halls are ahead of the journal and
nobody may look at them; `hall` and `halls` wait until they are settled.
"""

import asyncio
import logging
import os
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from hashlib import sha256
from time import perf_counter
from typing import TypeVar

import msgspec
import structlog
from prometheus_client import CollectorRegistry, Histogram

from app.clock import Clock, SystemClock
from app.journal import (
    Answered,
    Journal,
    JournalBroken,
    JournalDamaged,
    JournalDown,
    JournalFull,
    LostRace,
    Page,
    PastLost,
    Recorded,
    Unkept,
    recorded,
)
from app.journal.files import Head
from app.journal.following import Follower
from app.journal.recorded import follows
from app.journal.retelling import lost
from app.supervision import Lives
from queue_core.commands import Command, Configure, CounterCommand, Tick
from queue_core.decisions import decide, passed
from queue_core.errors import Refusal, UnknownOffice
from queue_core.facts import Configured, DayOpened, Fact, TicketFact
from queue_core.hall import Hall, Session, evolve
from queue_core.tickets import Ticket, retold
from queue_core.values import value

T = TypeVar("T")
log = structlog.get_logger(__name__)

BATCH = 256
"""Commands decided together at the most, so that one commit stays short."""

QUIET_TURNS = 2
"""Turns of the event loop without a newcomer, after which a batch is closed."""

CHECKPOINTED = (DayOpened, Configured)
"""After these the whole hall is kept, so that a start need not begin at the beginning."""

HIDDEN = "~"
"""What the id of an office begins with that is there for the house itself, and for nobody to see."""

LOOK_BACK_SECONDS = 1.0
"""How often the journal is asked whether it still holds what was committed last."""

TIME_SECONDS = 0.05
"""By how much the hall's time must have moved against the machine's seconds to be kept anew."""

PAUSE_SECONDS = 0.1
"""Between a commit that failed and the next attempt at it."""


class KeyReused(Refusal):
    """This idempotency key was used for another request."""


class Overloaded(Refusal):
    """Too many requests are waiting; nothing was done. Try again in a moment."""


class OutcomeUnknown(Refusal):
    """The database did not answer in time. Repeat the request with the same idempotency key to learn its outcome."""


class JournalSilent(Refusal):
    """The journal does not answer now; try again in a moment."""


class PastGone(Refusal):
    """The journal has lost its past, so nothing is taken until somebody has seen to it."""


class StorageFull(Refusal):
    """The disk is full; nothing was done."""


class CannotBeKept(Refusal):
    """This holds something that the database cannot keep; nothing was done."""


class Stopping(Refusal):
    """The server is stopping; nothing was done."""


@value()
class Answer:
    """What a command came to: the ticket and the counter's session it touched, as they stood at `seq`."""

    seq: int
    ticket: Ticket | None = None
    session: Session | None = None


Listener = Callable[[str, Hall, Sequence[Recorded]], None]
"""Told of an office, its hall and the facts that were committed. Called in the event loop; must not block."""


@dataclass(slots=True, eq=False)
class _Request:
    office_id: str
    command: Command
    actor: str
    key: str | None
    asked_at: float
    reply: asyncio.Future[Answer]

    @property
    def fingerprint(self) -> bytes:
        return sha256(msgspec.json.encode((type(self.command).__name__, self.command))).digest()

    def answer(self, answer: Answer) -> None:
        if not self.reply.done():
            self.reply.set_result(answer)

    def refuse(self, refusal: BaseException) -> None:
        if not self.reply.done():
            self.reply.set_exception(refusal)


@dataclass(slots=True)
class _Draft:
    """A batch decided and not yet committed. `doubtful` are the requests that came to nothing or a refusal."""

    page: Page = field(default_factory=Page)
    marked: dict[str, Hall] = field(default_factory=dict)
    heads: dict[str, bytes] = field(default_factory=dict)
    replies: list[tuple[_Request, Answer | Refusal]] = field(default_factory=list)
    doubtful: list[_Request] = field(default_factory=list)
    checkpoints: set[str] = field(default_factory=set)


_Answers = Mapping[_Request, Answer | Refusal]
"""What repeated requests were answered with the first time."""


class Engine:
    """All halls of a journal, and the only way to move them."""

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        *,
        queue_size: int = 1024,
        patience_seconds: float = 10,
        on_broken: Callable[[], None] = lambda: os._exit(70),
    ) -> None:
        self.clock = clock
        self.registry = CollectorRegistry()
        self._append_seconds = Histogram(
            "queue_journal_append_seconds", "Time to commit one batch of facts", registry=self.registry
        )
        self._batch_size = Histogram(
            "queue_journal_batch_size",
            "Commands written in one transaction",
            buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
            registry=self.registry,
        )
        self.lives = Lives(self.registry)
        self._journal = journal
        self._questions = journal.another() if journal.is_shared else journal
        self._writing_thread = ThreadPoolExecutor(1, "journal")
        # SQLite has one connection, so questions wait their turn with the writer; PostgreSQL has room beside it.
        self._asking_thread = ThreadPoolExecutor(1, "questions") if journal.is_shared else self._writing_thread
        self._follower = Follower(journal, self._heard) if journal.is_shared else None
        self._queue_size, self._patience, self._on_broken = queue_size, patience_seconds, on_broken
        self._halls: dict[str, Hall] = {}
        self._shown: dict[str, Hall] = {}
        self._heads: dict[str, bytes] = {}
        self._pending: deque[_Request] = deque()
        self._in_flight: list[_Request] = []
        self._in_doubt: list[_Draft] = []
        self._on_its_way: _Draft | None = None
        self._news: dict[str, int] = {}
        self._wake = asyncio.Event()
        self._settled = asyncio.Event()
        self._listeners: list[Listener] = []
        self._stopping = False
        self._last: Head | None = None
        self.past_lost: str | None = None
        """What is missing of what was committed; None as long as nothing is. Once lost, it stays so."""
        self._when_lost: list[Callable[[], None]] = []
        self._looking_back: asyncio.Task[None] | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._time_kept: float | None = None
        self._keeping_time: asyncio.Task[None] | None = None
        self._following: asyncio.Task[None] | None = None
        self._is_full = False

    async def start(self) -> None:
        """Rebuild every hall from the journal and begin to take commands; JournalDamaged names what is no journal."""
        self._loop = asyncio.get_running_loop()
        for hall, head in await self._in_thread(lambda: list(self._journal.halls())):
            self._keep_hall(hall)
            self._heads[hall.office_id] = head
        latest = max((hall for hall in self._shown.values() if hall.last_at), key=_last_at, default=None)
        if latest:
            self._last = Head(latest.office_id, latest.seq, self._heads[latest.office_id])
        await self._take_up_time()
        self._settled.set()
        writer = self.lives.begin("writer", 3 * self._patience)
        writer.task = asyncio.create_task(self._write_for_ever())
        writer.task.add_done_callback(self._writer_ended)
        self._tasks = [writer.task, self.lives.keep("patience", self._mind_patience)]
        self._looking_back = self.lives.keep("look back", self._look_back_for_ever)
        if self._follower:
            self._following = self.lives.keep("follower", self._follower.follow)

    async def stop(self) -> None:
        """Finish what is pending, refuse what comes, let go of the journal."""
        self._stopping = True
        if self._keeping_time:
            self._keeping_time.cancel()
        self._wake.set()
        if self._looking_back:
            self._looking_back.cancel()
        if self._tasks:
            writer, patience = self._tasks
            _, waiting = await asyncio.wait([writer], timeout=self._patience)
            writer.cancel()
            if waiting:
                # A commit may wait for somebody else's lock, and we would wait for its thread.
                self._journal.interrupt()
            patience.cancel()
            self._give_up()
        if self._following:
            self._following.cancel()
            await asyncio.wait([self._following])
        await self._in_thread(self._journal.close)
        self._writing_thread.shutdown()
        if self._asking_thread is not self._writing_thread:
            # Waited for first, and not by blocking the loop: a question may still wait for its answer.
            await asyncio.get_running_loop().run_in_executor(self._asking_thread, self._questions.close)
            self._asking_thread.shutdown()
        self._journal.database.close()

    async def do(self, office_id: str, command: Command, *, actor: str, key: str | None = None) -> Answer:
        """The answer to a command, once it is committed; or a Refusal, and nothing has changed.

        A command repeated under the same key gets the first answer again; another command under it is KeyReused.
        """
        if self._stopping:
            raise Stopping(retry_after=5)
        if self.past_lost:
            raise PastGone()
        if len(self._pending) >= self._queue_size:
            raise Overloaded(retry_after=1)
        request = _Request(office_id, command, actor, key, self._loop.time(), self._loop.create_future())
        self._pending.append(request)
        self._wake.set()
        return await request.reply

    async def hall(self, office_id: str) -> Hall:
        """A hall in which every fact is committed. To be read at once, and not across an await.

        JournalSilent while it is not known, for longer than the engine is patient, what was committed.
        """
        await self._settle()
        hall = self._halls.get(office_id)
        if hall is None or not hall.exists:
            raise UnknownOffice(office=office_id)
        return hall

    async def halls(self) -> Mapping[str, Hall]:
        """All halls that are there to be seen, under the same condition."""
        await self._settle()
        return self._shown

    async def every_hall(self) -> Mapping[str, Hall]:
        """The hidden ones too."""
        await self._settle()
        return self._halls

    async def _settle(self) -> None:
        if self.past_lost:
            raise PastGone()
        if not self._settled.is_set():
            try:
                async with asyncio.timeout(self._patience):
                    while not self._settled.is_set():
                        await self._settled.wait()
            except TimeoutError:
                raise JournalSilent(retry_after=5) from None

    def remembered(self, office_id: str) -> Hall:
        """A hall as it is in memory, with what is on its way to the journal: for those who tell of it all the same."""
        return self._halls[office_id]

    def all_remembered(self) -> Iterable[Hall]:
        """All halls, the hidden ones too, as they are in memory: for those who cannot wait for the journal."""
        return self._halls.values()

    def unrecorded(self, office_id: str) -> tuple[Fact, ...]:
        """What has happened in an office by now and may not be in the journal yet: on its way there, or not begun."""
        hall, draft = self._halls[office_id], self._on_its_way
        on_its_way = (line.fact for line in draft.page.facts if line.office_id == office_id) if draft else ()
        return (*on_its_way, *passed(hall, hall.moment(self.clock.now())))

    async def ask(self, question: Callable[[Journal], T]) -> T:
        """The journal's answer to a question, from a thread where it may take its time.

        PastGone when what was committed is not there any more, or cannot be read.
        """
        try:
            return await self._loop.run_in_executor(self._asking_thread, question, self._questions)
        except PastLost as error:
            self._lose(error)
            raise PastGone() from error
        except JournalDamaged as error:
            log.critical("the journal is damaged", error=str(error))
            raise PastGone() from error

    async def look_back(self) -> None:
        """Ask the journal whether it still holds what was committed last; `past_lost` tells."""
        with suppress(PastGone):
            last = self._last
            await self.ask(lambda journal: journal.check_past(last))

    def when_lost(self, tell: Callable[[], None]) -> None:
        """Have somebody told, once, that the journal has lost its past."""
        self._when_lost.append(tell)

    def subscribe(self, listener: Listener) -> None:
        """Have `listener` told of everything that is committed, here or by another process."""
        self._listeners.append(listener)

    # The writer

    async def _write_for_ever(self) -> None:
        try:
            while self._pending or not self._stopping:
                if not self._pending and not self._news:
                    self._wake.clear()
                    await self._wake.wait()
                if self.past_lost:
                    return
                self.lives["writer"].sign()
                await self._read_news()
                await self._let_in()
                batch = self._next_batch()
                if batch:
                    await self._write(batch)
        except (PastLost, JournalDamaged) as error:
            self._lose(error)
            if self._on_its_way:
                self._stand_back(self._on_its_way)
            for request in self._in_flight:
                request.refuse(PastGone())
        except JournalBroken as broken:
            log.critical("the disk failed under the journal; the process ends to read it anew", error=str(broken))
            self._on_broken()
        except Exception:
            # A broken belief of our own. Going on could only make it worse: a new process reads the journal afresh.
            log.critical("the writer failed", exc_info=True)
            self._on_broken()
            raise

    def _writer_ended(self, _writer: asyncio.Task[None]) -> None:
        """Whatever ended it, nobody knows what it left behind: it is not begun again, the process is."""
        if not (self._stopping or self.past_lost):
            log.critical("the writer ended; the process ends to read the journal anew")
            self._on_broken()

    async def _let_in(self) -> None:
        """Wait for whoever is arriving. Clients who were answered together ask again within a few turns of the loop.

        Without it they fall into two halves, each of which waits for the commit of the other.
        """
        quiet_turns = 0
        while quiet_turns < QUIET_TURNS and len(self._pending) < BATCH:
            waiting = len(self._pending)
            await asyncio.sleep(0)
            quiet_turns = 0 if len(self._pending) > waiting else quiet_turns + 1

    def _next_batch(self) -> list[_Request]:
        """What is pending, in order; a key that stands in it already waits for the next batch."""
        batch: list[_Request] = []
        keys: set[tuple[str, str]] = set()
        while self._pending and len(batch) < BATCH:
            request = self._pending[0]
            if request.key is not None:
                if (request.office_id, request.key) in keys:
                    break
                keys.add((request.office_id, request.key))
            batch.append(self._pending.popleft())
        return batch

    async def _write(self, batch: list[_Request]) -> None:
        self._in_flight, self._in_doubt = batch, []
        answered: _Answers = {}
        while True:
            try:
                draft = self._decide(batch, answered)
                if not await self._was_hasty(draft, answered) and await self._commit(draft):
                    break
            except (Unkept, UnicodeEncodeError) as error:
                if not (batch := await self._without_unkept(batch, error)):
                    return
                continue
            if not self._in_doubt:
                batch = self._in_flight = self._half_of(batch)
            answered = await self._cleared_up() or await self._answered(batch)
        self._in_flight, self._on_its_way = [], None
        self._publish(draft.page.facts)
        for request, reply in draft.replies:
            if isinstance(reply, Refusal):
                request.refuse(reply)
            else:
                request.answer(reply)
        self._settled.set()
        # Whoever waited for settled halls looks at them now, before the next batch moves them.
        await asyncio.sleep(0)

    async def _without_unkept(self, batch: list[_Request], error: Exception) -> list[_Request]:
        """Half of a batch in which something cannot be kept; nobody, when it was one request, which is refused."""
        assert self._on_its_way
        await self._go_back(self._on_its_way)
        if len(batch) > 1:
            self._in_flight = self._half_of(batch)
            return self._in_flight
        [request] = batch
        command = type(request.command).__name__
        log.error("a command holds what cannot be kept", office=request.office_id, command=command, error=str(error))
        request.refuse(CannotBeKept())
        self._in_flight = []
        return []

    def _half_of(self, batch: list[_Request]) -> list[_Request]:
        """The first half; the others wait again. A large batch that lost a race would lose it again and again."""
        half = len(batch) // 2 or 1
        self._pending.extendleft(reversed(batch[half:]))
        return batch[:half]

    async def _answered(self, requests: Iterable[_Request]) -> _Answers:
        """What these requests were answered with before, as far as their keys have been used."""
        named = _named(requests)
        if not named:
            return {}
        found = await self._surely(lambda: self._journal.answered(named.keys()))
        return {named[name]: await self._repeated(named[name], before) for name, before in found.items()}

    async def _repeated(self, request: _Request, before: Answered) -> Answer | Refusal:
        """The first answer again: the ticket is retold as it stood then."""
        if before.fingerprint != request.fingerprint:
            return KeyReused(key=request.key)
        ticket, session, ticket_id = None, None, before.ticket_id
        if ticket_id:
            try:
                lines = await self._surely(lambda: self._journal.history(request.office_id, ticket_id, before.seq))
            except JournalDamaged as error:
                log.critical("the journal is damaged", error=str(error))
                return PastGone()
            ticket = retold(line.fact for line in lines if isinstance(line.fact, TicketFact))
        if before.session:
            session = msgspec.json.decode(before.session, type=Session)
        return Answer(before.seq, ticket, session)

    def _decide(self, batch: list[_Request], answered: _Answers) -> _Draft:
        """Every command of the batch in order. From here until `_commit` the halls are ahead of the journal."""
        self._settled.clear()
        draft = self._on_its_way = _Draft()
        for request in batch:
            repeated = answered.get(request)
            draft.replies.append((request, repeated or self._one(draft, request)))
        for office_id in draft.checkpoints:
            hall = self._halls[office_id]
            draft.page.checkpoints.append((office_id, hall.state(), draft.heads[office_id]))
        return draft

    def _one(self, draft: _Draft, request: _Request) -> Answer | Refusal:
        hall = self._hall_for(draft, request)
        if hall is None:
            draft.doubtful.append(request)
            return UnknownOffice(office=request.office_id)
        now = hall.moment(self.clock.now())
        for fact in passed(hall, now):
            self._move(draft, hall, fact, "hall", None)
        try:
            facts = decide(hall, request.command, now)
        except Refusal as refusal:
            draft.doubtful.append(request)
            return refusal
        if not facts and not isinstance(request.command, Tick):
            draft.doubtful.append(request)
        ticket = None
        for fact in facts:
            ticket = self._move(draft, hall, fact, request.actor, request.key) or ticket
        return self._answer(draft, request, hall, ticket)

    def _hall_for(self, draft: _Draft, request: _Request) -> Hall | None:
        """The hall, marked so that it can go back; a new one for an office that is being described."""
        hall = self._halls.get(request.office_id)
        if hall is None:
            if not isinstance(request.command, Configure):
                return None
            hall = self._keep_hall(Hall(request.office_id))
        if request.office_id not in draft.marked:
            hall.mark()
            draft.marked[request.office_id] = hall
        return hall

    def _move(self, draft: _Draft, hall: Hall, fact: Fact, actor: str, key: str | None) -> Ticket | None:
        office_id = hall.office_id
        head = draft.heads.get(office_id) or self._heads.get(office_id, bytes(32))
        draft.page.pasts.setdefault(office_id, head)
        ticket = evolve(hall, fact)
        line = recorded(office_id, hall.seq, head, fact, actor, key)
        draft.page.facts.append(line)
        draft.heads[office_id] = line.hash
        if ticket:
            draft.page.tickets[office_id, ticket.id] = (ticket, hall.seq)
        if isinstance(fact, CHECKPOINTED):
            draft.checkpoints.add(office_id)
        return ticket

    def _answer(self, draft: _Draft, request: _Request, hall: Hall, ticket: Ticket | None) -> Answer:
        session = None
        if ticket is None and isinstance(request.command, CounterCommand):
            session = replace(hall.session(request.command.counter), before_step=None)
        if request.key is not None:
            draft.page.answers.append(
                Answered(
                    request.office_id,
                    request.key,
                    request.fingerprint,
                    hall.seq,
                    ticket.id if ticket else None,
                    msgspec.json.encode(session).decode() if session else None,
                    hall.last_at or self.clock.now(),
                )
            )
        return Answer(hall.seq, ticket, session)

    async def _was_hasty(self, draft: _Draft, answered: _Answers) -> bool:
        """Whether somebody must not be told no, or nobody, after all: then the halls are back and it is decided again.

        It may be a repeated request, whose effect is what stands in its way; or another process has moved the hall on.
        Requests that yield facts need no such look: the database itself refuses a used key and a taken seq.
        """
        if not draft.doubtful:
            return False
        named = {} if answered else _named(draft.doubtful)
        seen = self._seen_by(draft) if self._journal.is_shared else {}
        try:
            hasty = bool(named and await self._in_thread(lambda: self._journal.answered(named.keys())))
            hasty = hasty or bool(seen and await self._in_thread(lambda: self._journal.facts_since(seen)))
        except JournalDown as down:
            log.warning("the journal does not answer", error=str(down))
            hasty = True
        if hasty:
            await self._go_back(draft)
        return hasty

    def _seen_by(self, draft: _Draft) -> dict[str, int]:
        """The last committed seq that doubtful requests were decided upon, by office."""
        marked = draft.marked
        offices = {request.office_id for request in draft.doubtful}
        return {office_id: marked[office_id].seq_at_mark if office_id in marked else 0 for office_id in offices}

    async def _commit(self, draft: _Draft) -> bool:
        """Whether the draft stands in the journal. If not, the halls are back where the journal is."""
        self._find_moved_counters(draft)
        if draft.page.is_empty:
            self._keep(draft)
            return True
        began = perf_counter()
        try:
            await self._in_thread(lambda: self._journal.append(draft.page))
        except LostRace:
            await self._go_back(draft)
            return False
        except JournalFull as full:
            if not self._is_full:
                log.error("nothing can be written, and visitors are refused until there is room", error=str(full))
            self._is_full = True
            return await self._refuse_full(draft)
        except JournalDown as down:
            log.warning("a commit got no answer; asking the journal what it holds", error=str(down))
            return await self._was_committed(draft)
        if self._is_full:
            self._is_full = False
            log.warning("there is room again, and everything is written")
        self._append_seconds.observe(perf_counter() - began)
        self._batch_size.observe(len(draft.replies))
        self._heads |= draft.heads
        self._note_last(draft.page.facts)
        self._keep(draft)
        return True

    async def _was_committed(self, draft: _Draft) -> bool:
        """What a commit without an answer came to, once that can be known. Until then the halls are as before it."""
        self._stand_back(draft)
        committed = await self._committed_after_all(draft)
        await self._catch_up_with(draft)
        if committed:
            # By now it has been read from the journal, and told.
            draft.page = Page()
            return True
        self._in_doubt.append(draft)
        # A database that answers and takes no writes is not asked in a spin.
        await asyncio.sleep(PAUSE_SECONDS)
        return False

    async def _committed_after_all(self, draft: _Draft) -> bool:
        """What a commit without an answer came to. A line's hash names its whole past, so an office's last is enough.

        Nothing less: another process may have written the same line of one office, where time alone brought it.
        """
        for line in {line.office_id: line for line in draft.page.facts}.values():
            if not await self._surely(partial(self._journal.has, line)):
                return False
        keys = [(answer.office_id, answer.key) for answer in draft.page.answers]
        return not keys or len(await self._surely(lambda: self._journal.answered(keys))) == len(keys)

    async def _cleared_up(self) -> _Answers:
        """What a draft was answered with that was still being committed when we asked for it."""
        for draft in self._in_doubt:
            if draft.page.facts and await self._committed_after_all(draft):
                return dict(draft.replies)
        return {}

    async def _refuse_full(self, draft: _Draft) -> bool:
        await self._go_back(draft)
        answered = await self._answered(request for request, _ in draft.replies)
        draft.replies = [
            (request, answered.get(request) or StorageFull(retry_after=30)) for request, _ in draft.replies
        ]
        draft.page = Page()
        return True

    def _find_moved_counters(self, draft: _Draft) -> None:
        """Visitors who change counters within one batch leave the first before anybody arrives at the second."""
        for (office_id, name), (ticket, seq) in draft.page.tickets.items():
            before = draft.marked[office_id].at_mark(name)
            if before and before.at_counter and ticket.at_counter and before.counter != ticket.counter:
                draft.page.moved_counter.append((office_id, replace(before, state=type(before.state).WAITING), seq))

    def _keep(self, draft: _Draft) -> None:
        for hall in draft.marked.values():
            hall.keep()

    async def _go_back(self, draft: _Draft) -> None:
        """Take the halls back to what is committed, and on to what others have committed since."""
        self._stand_back(draft)
        await self._catch_up_with(draft)

    def _stand_back(self, draft: _Draft) -> None:
        """Take the halls back to where they were. Whoever reads sees them so, however long the journal is away."""
        for office_id, hall in draft.marked.items():
            hall.go_back()
            if not hall.exists:
                del self._halls[office_id]
                self._shown.pop(office_id, None)
        self._on_its_way = None
        self._settled.set()

    async def _catch_up_with(self, draft: _Draft) -> None:
        await self._catch_up(draft.marked.keys() | {request.office_id for request in draft.doubtful})

    # Other processes

    def _heard(self, office_id: str, seq: int) -> None:
        """Another process says that an office has come to `seq`."""
        if self._seq_of(office_id) < seq:
            self._news[office_id] = seq
            self._wake.set()

    async def _read_news(self) -> None:
        # Once, and not until there is none: a busy neighbour would keep us from writing.
        news, self._news = self._news, {}
        await self._catch_up(office_id for office_id, seq in news.items() if self._seq_of(office_id) < seq)

    async def _catch_up(self, offices: Iterable[str]) -> None:
        """Move halls by what others have committed, asked for all at once: one by one, others would move on again."""
        seen = {office_id: self._seq_of(office_id) for office_id in offices}
        missed = await self._surely(lambda: self._journal.facts_since(seen)) if seen else []
        self._hear_time(missed)
        for line in missed:
            hall = self._halls.get(line.office_id) or self._keep_hall(Hall(line.office_id))
            head = self._heads.get(line.office_id, bytes(32))
            if not follows(line, hall.seq, head):
                goes_on = f"goes on after it with fact {line.seq}, which does not follow it"
                raise lost(self._journal.database.name, Head(line.office_id, hall.seq, head), goes_on)
            evolve(hall, line.fact)
            self._heads[line.office_id] = line.hash
        self._note_last(missed)
        self._publish(missed)

    def _note_last(self, lines: Sequence[Recorded]) -> None:
        # Not of a hidden office, which need not be kept for ever.
        for line in reversed(lines):
            if not line.office_id.startswith(HIDDEN):
                self._last = Head(line.office_id, line.seq, line.hash)
                return

    def _seq_of(self, office_id: str) -> int:
        hall = self._halls.get(office_id)
        return hall.seq if hall else 0

    def _keep_hall(self, hall: Hall) -> Hall:
        self._halls[hall.office_id] = hall
        if not hall.office_id.startswith(HIDDEN):
            self._shown[hall.office_id] = hall
        return hall

    def _publish(self, lines: Sequence[Recorded]) -> None:
        by_office: dict[str, list[Recorded]] = {}
        for line in lines:
            by_office.setdefault(line.office_id, []).append(line)
        for office_id, committed in by_office.items():
            for listener in self._listeners:
                self._tell(listener, office_id, committed)

    def _tell(self, listener: Listener, office_id: str, committed: Sequence[Recorded]) -> None:
        try:
            listener(office_id, self._halls[office_id], committed)
        except Exception:
            # A screen that cannot be painted is no reason to stop the queue.
            log.exception("a listener failed", office=office_id)

    # Time

    async def _take_up_time(self) -> None:
        """Go on where the journal stopped, by the seconds that have passed since on this machine if it knows them."""
        clock = self.clock
        if not isinstance(clock, SystemClock):
            return
        boot = clock.boot
        self._time_kept = await self._in_thread(lambda: self._journal.time_kept(boot)) if boot else None
        last = max((hall.last_at for hall in self._halls.values() if hall.last_at), default=None)
        clock.begin(last, self._time_kept)
        await self._keep_time(clock)

    def keep_time(self) -> None:
        """Have it kept how the hall's time stands to the machine's seconds, if that has changed: a restart asks."""
        clock, keeping = self.clock, self._keeping_time
        if not isinstance(clock, SystemClock) or self._stopping or (keeping and not keeping.done()):
            return
        if self._is_time_changed(clock):
            self._keeping_time = asyncio.create_task(self._keep_time(clock, pause_seconds=1))

    async def _keep_time(self, clock: SystemClock, pause_seconds: float = 0) -> None:
        boot, offset = clock.boot, clock.offset
        if boot is None or not self._is_time_changed(clock):
            return
        try:
            await self._in_thread(lambda: self._journal.keep_time(boot, offset))
        except (JournalDown, JournalFull, JournalBroken, LostRace) as trouble:
            # The watch asks again, and the writer knows what such a trouble means.
            log.warning("the hall's time was not kept", error=str(trouble))
            await asyncio.sleep(pause_seconds)
        else:
            self._time_kept = offset

    def _is_time_changed(self, clock: SystemClock) -> bool:
        return self._time_kept is None or abs(clock.offset - self._time_kept) >= TIME_SECONDS

    def _hear_time(self, lines: Sequence[Recorded]) -> None:
        if lines and isinstance(self.clock, SystemClock):
            self.clock.heard(max(line.at for line in lines))

    # Trouble

    async def _look_back_for_ever(self, sign: Callable[[], None]) -> None:
        while True:
            await asyncio.sleep(LOOK_BACK_SECONDS)
            sign()
            if self.past_lost:
                continue
            try:
                await self.look_back()
            except (JournalDown, JournalFull, JournalBroken):
                continue  # whoever writes says so
            except Exception:
                log.exception("the look back at the journal stumbled")

    def _lose(self, error: PastLost | JournalDamaged) -> None:
        """Take nothing any more: what memory holds is not what the journal will say tomorrow."""
        if self.past_lost:
            return
        self.past_lost = str(error)
        log.critical("the journal has lost its past; nothing is taken any more", error=str(error))
        # What is on its way to the journal is the writer's, which hears for itself.
        for request in self._pending:
            request.refuse(PastGone())
        self._pending.clear()
        self._wake.set()
        for tell in self._when_lost:
            tell()

    async def _surely(self, question: Callable[[], T]) -> T:
        """The journal's answer, however long its database is away."""
        pause = 0.05
        while True:
            try:
                return await self._in_thread(question)
            except JournalDown as down:
                log.warning("the journal does not answer", error=str(down))
                await asyncio.sleep(pause)
                pause = min(pause * 2, 1.0)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._writing_thread, work)

    def _give_up(self) -> None:
        """Nobody is left without an answer, even when the database is."""
        for request in self._in_flight:
            request.refuse(OutcomeUnknown(retry_after=5))
        for request in self._pending:
            request.refuse(Stopping(retry_after=5))

    async def _mind_patience(self, alive: Callable[[], None]) -> None:
        """Tell those who have waited too long for the database that their outcome is not known yet."""
        writer = self.lives["writer"]
        while True:
            await asyncio.sleep(min(self._patience / 4, 1.0))
            alive()
            if writer.task and not writer.task.done() and not self._in_flight and not self._pending:
                # It sleeps, and would wake.
                writer.sign()
            oldest = self._loop.time() - self._patience
            for request in (*self._in_flight, *self._pending):
                if request.asked_at < oldest:
                    request.refuse(OutcomeUnknown(retry_after=5))
            # Nobody waits for these any more, and they were never decided: they must not take effect later.
            self._pending = deque(request for request in self._pending if not request.reply.done())


def _named(requests: Iterable[_Request]) -> dict[tuple[str, str], _Request]:
    """The requests that have a key, by it."""
    return {(request.office_id, request.key): request for request in requests if request.key is not None}


logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)


def _last_at(hall: Hall) -> datetime:
    assert hall.last_at
    return hall.last_at
