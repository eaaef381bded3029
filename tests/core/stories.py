"""Random days in random offices, for Hypothesis: what somebody wishes, and how long after the wish before."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import note
from hypothesis import strategies as st

from queue_core.commands import (
    Acknowledge,
    Announce,
    AskForTime,
    CallChosen,
    CallNext,
    Cancel,
    CloseCounter,
    CloseDay,
    CloseService,
    ComeBack,
    Command,
    Configure,
    Finish,
    Hold,
    Issue,
    IssueOffline,
    LeaseNumbers,
    NoShow,
    OpenCounter,
    OpenDay,
    OpenService,
    PauseCounter,
    Rate,
    Readmit,
    Recall,
    Resume,
    ReturnToLine,
    Start,
    Tick,
    Transfer,
    Undo,
    VerifyCategory,
    VerifyClaim,
    WithdrawCategory,
)
from queue_core.decisions import decide, passed
from queue_core.errors import Refusal
from queue_core.facts import Cause, Fact, HeldBy, Outcome, Readmission, Told
from queue_core.hall import CounterState, Hall, evolve
from queue_core.office import Channel, Discipline, Escalation, Limits, Office, Opening
from queue_core.tickets import State
from tests.core.live import AROUND_THE_CLOCK, EVERY_DAY, OFFICE, WORKDAYS


def _hours(*stretches: tuple[time, time], on: range = WORKDAYS) -> tuple[Opening, ...]:
    return tuple(Opening(weekday=day, opens=opens, closes=closes) for day in on for opens, closes in stretches)


HOURS = (
    _hours((time(9), time(18))),
    _hours((time(9), time(13)), (time(14), time(18)), on=EVERY_DAY),
    _hours((time(10), time()), on=EVERY_DAY),
    AROUND_THE_CLOCK,
)

# When a story begins, by the clock on the office's wall: in the morning, shortly before a closing, a break or a
# midnight, and on both nights on which clocks are changed.
BEGINNINGS = (
    (HOURS[0], datetime(2026, 11, 23, 9, 30, tzinfo=UTC)),
    (HOURS[0], datetime(2026, 11, 23, 17, 20, tzinfo=UTC)),
    (HOURS[1], datetime(2026, 11, 23, 12, 40, tzinfo=UTC)),
    (HOURS[2], datetime(2026, 11, 22, 23, 10, tzinfo=UTC)),
    (HOURS[3], datetime(2026, 10, 24, 23, 50, tzinfo=UTC)),
    (HOURS[3], datetime(2026, 3, 7, 23, 50, tzinfo=UTC)),
)

_LIMITS = st.builds(
    Limits,
    walk_in=st.sampled_from([900, 60, 600]),
    booked=st.sampled_from([300, 0, 60]),
    walk_in_warning=st.sampled_from([None, None, 30]),
)

ESCALATIONS = (
    OFFICE.escalation,
    OFFICE.escalation[:1],
    tuple(Escalation(role=f"role-{step}", after_seconds=20 * step) for step in range(4)),
)


# What may be wished

KINDS = (
    *("look", "look"),
    *("issue",) * 8,
    *("book",) * 6,
    *("claim", "claim", "several", "several", "several"),
    *("work",) * 24,
    *("call", "call", "choose", "choose", "recall", "start", "finish", "no_show", "no_show"),
    *("no_show", "no_show", "readmit", "readmit", "readmit", "readmit"),
    *("claim_slot", "claim_slot", "claim_slot", "verify_claim", "verify_claim"),
    *("send_back",) * 6,
    *("transfer",) * 5,
    *("hold", "hold", "hold", "leave_for_a_while", "leave_for_a_while", "leave_for_a_while"),
    *("resume", "resume", "cancel"),
    *("undo",) * 10,
    *("verify", "withdraw", "acknowledge", "acknowledge"),
    *("announce", "announce", "announce", "ask_for_time", "ask_for_time", "rate", "rate"),
    *("lease",) * 3,
    *("issue_offline",) * 6,
    *("open_counter", "take_over", "pause", "close_counter"),
    *("open_day", "close_day", "close_service", "open_service", "describe"),
)
"""By name, the commoner ones several times."""

_SHORT = (0, 0, 0.000001, 1, 2, 3, 5, 8, 10, 15, 20, 30, 40, 59, 60, 61, 90, 120, 180, 240, 300, 420, 540, 600, 900)
_LONG = (780, 1200, 1800, 3600, 14 * 3600, 80 * 3600)
_BACK = (-60, -3600, -26 * 3600)
GAPS = tuple(timedelta(seconds=seconds) for seconds in (*_SHORT * 5, *_LONG, *_BACK))
"""How long after the wish before: often at once, often to the second of a limit, sometimes days; clocks step back."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Something wished `after` the wish before. `who`, `where` and `how` choose among what there is at that moment."""

    kind: str
    who: int
    where: int
    how: int
    after: timedelta


def _wish(number: int) -> Wish:
    number, kind = divmod(number, len(KINDS))
    number, after = divmod(number, len(GAPS))
    number, who = divmod(number, 16)
    where, how = divmod(number, 8)
    return Wish(KINDS[kind], who, where, how, GAPS[after])


WISHES = st.integers(0, len(KINDS) * len(GAPS) * 16 * 8 * 3 - 1).map(_wish)
"""Each drawn as one number, which is several times as fast as drawing its parts."""


@dataclass(frozen=True, slots=True)
class Story:
    """An office, an instant, and what was wished from then on."""

    office: Office
    begins: datetime
    wishes: list[Wish]


def _story(
    *,
    zone: str,
    beginning: tuple[tuple[Opening, ...], datetime],
    limits: tuple[Limits, Limits],
    rules: dict[str, object],
    wishes: list[Wish],
) -> Story:
    hours, begins = beginning
    services = tuple(
        replace(service, limits=limit) for service, limit in zip(OFFICE.services, (*limits, limits[0]), strict=True)
    )
    office = replace(OFFICE, zone=zone, hours=hours, services=services, **rules)  # type: ignore[arg-type]
    return Story(office, begins.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC), wishes)


def stories(longest: int = 60) -> st.SearchStrategy[Story]:
    """The office of the examples under other rules, and a day or more in it."""
    return st.builds(
        _story,
        zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Vladivostok"]),
        beginning=st.sampled_from(BEGINNINGS),
        limits=st.tuples(_LIMITS, _LIMITS),
        rules=st.fixed_dictionaries(
            {
                "discipline": st.sampled_from(Discipline),
                "booked_weight": st.integers(1, 8),
                "recall_limit": st.integers(0, 3),
                "undo_seconds": st.sampled_from([60, 3600, 3600, 0]),
                "closes_after_minutes": st.sampled_from([180, 0, 30, 1200]),
                "escalation": st.sampled_from(ESCALATIONS),
                "idle_seconds": st.sampled_from([60, 5, 300]),
                "long_pause_seconds": st.sampled_from([600, 60]),
                "offline_numbers": st.sampled_from([25, 2, 2, 0]),
                "no_show_seconds": st.sampled_from([0, 0, 60]),
                "late_seconds": st.sampled_from([600, 600, 60, 0]),
                "late_limit": st.sampled_from([1, 2, 0]),
            }
        ),
        wishes=st.lists(WISHES, min_size=longest // 2, max_size=longest),
    )


STORIES = stories()


# How a story goes


@dataclass(frozen=True, slots=True)
class Entry:
    """One wish as it came out: what time had brought, and then what followed or why nothing did."""

    now: datetime
    command: Command
    passed: tuple[Fact, ...]
    facts: tuple[Fact, ...] = ()
    refusal: Refusal | None = None


@dataclass(slots=True)
class Life:
    """A hall being lived in. Its clock may be set back; the hall's own time never is."""

    hall: Hall
    clock: datetime
    diary: list[Entry] = field(default_factory=list)

    def wish(self, command: Command) -> Entry:
        """Have a command decided, as the engine does."""
        now = self.hall.moment(self.clock)
        before = passed(self.hall, now)
        for fact in before:
            evolve(self.hall, fact)
        try:
            entry = Entry(now, command, before, decide(self.hall, command, now))
        except Refusal as refusal:
            entry = Entry(now, command, before, refusal=refusal)
        for fact in entry.facts:
            evolve(self.hall, fact)
        self.diary.append(entry)
        return entry

    def go_on(self, wishes: list[Wish]) -> None:
        """Live through some more wishes."""
        for wish in wishes:
            self.clock += wish.after
            self.wish(command_of(wish, self.hall, self.clock))

    def facts(self) -> Iterator[Fact]:
        """Everything that happened, in order."""
        for entry in self.diary:
            yield from entry.passed
            yield from entry.facts


def begun(story: Story) -> Life:
    """The office described and its counters manned, at the beginning of the story."""
    note(story)
    life = Life(Hall(story.office.id), story.begins)
    life.wish(Configure(story.office))
    for counter in story.office.counters:
        life.wish(OpenCounter(counter.id, f"operator {counter.id}"))
    return life


def lived(story: Story) -> Life:
    """The whole story, with a last look at the end of it."""
    life = begun(story)
    life.go_on(story.wishes)
    life.clock += timedelta(seconds=1)
    life.wish(Tick())
    return life


def command_of(wish: Wish, hall: Hall, clock: datetime) -> Command:
    """The command that a wish comes to in this hall at this moment."""
    return _COMMANDS[wish.kind](wish, hall, clock)


def _ticket(wish: Wish, hall: Hall, *states: State) -> str:
    """Somebody in one of the states; at times, or when there is nobody, anybody; or nobody known."""
    those = [ticket.id for ticket in hall.people() if ticket.state in states and wish.how]
    names = sorted(those or hall.tickets or ["20260101-A001"])
    return names[wish.who % len(names)]


def _ended(wish: Wish, hall: Hall) -> str:
    """Somebody whose visit is over, if there is anybody."""
    names = sorted(hall.ended)
    return names[wish.who % len(names)] if names else _ticket(wish, hall)


def _work(wish: Wish, hall: Hall, _clock: datetime) -> Command:
    """What an operator would do next at the counter."""
    session = hall.session(_counter(wish))
    if session.ticket:
        called = hall.ticket(session.ticket).state is State.CALLED
        return Start(session.ticket) if called else Finish(session.ticket, list(Outcome)[wish.who % 3])
    if session.state is CounterState.OPEN:
        return CallNext(session.counter)
    return OpenCounter(session.counter, f"operator {session.counter}")


def _counter(wish: Wish) -> str:
    return OFFICE.counters[wish.where].id


def _service(wish: Wish) -> str:
    return OFFICE.services[wish.where].id


def _undo(wish: Wish, hall: Hall, _clock: datetime) -> Command:
    """Taking back the last step, at a counter that has made one if there is any."""
    made = sorted(name for name, session in hall.sessions.items() if session.before_step and wish.how)
    return Undo(made[wish.who % len(made)] if made else _counter(wish))


def _hold(wish: Wish, hall: Hall, clock: datetime) -> Command:
    by = HeldBy.VISITOR if wish.kind == "leave_for_a_while" else HeldBy.OFFICE
    until = clock + timedelta(minutes=3 * wish.how) if wish.how % 2 else None
    return Hold(_ticket(wish, hall, State.WAITING, State.CALLED, State.SERVING), by, until)


def _transfer(wish: Wish, hall: Hall, _clock: datetime) -> Command:
    ticket = _ticket(wish, hall, State.SERVING, State.CALLED, State.WAITING)
    counter = _counter(wish) if wish.how in (2, 3) else None
    return Transfer(ticket, None if wish.how == 2 else _service(wish), counter, come_back=wish.how > 4)


KIOSKS = ("hall", "door")


def _lease(wish: Wish, hall: Hall, _clock: datetime) -> Command:
    """A kiosk asks for numbers, mostly the last lease being done with."""
    kiosk = KIOSKS[wish.who % 2]
    mine = [lease.id for lease in hall.leases.values() if lease.kiosk == kiosk or wish.how == 7]
    return LeaseNumbers(kiosk, mine[-1] if mine and wish.how > 2 else None)


def _issue_offline(wish: Wish, hall: Hall, clock: datetime) -> Command:
    """A number of some lease, mostly one that is left, taken some time ago or by a clock that is fast."""
    leases = [lease for lease in hall.leases.values() if lease.left or not wish.how]
    lease = leases[-1 - wish.who % len(leases)] if leases else None
    block = (lease.left or lease.blocks)[wish.who % len(lease.left or lease.blocks)] if lease else None
    letter, serial = (block.letter, (block.last if wish.where else block.first)) if block else ("AK", 1)
    ago = timedelta(minutes=(-1, 0, 2, 11, 17, 45, 15 * 60, 40 * 60)[(wish.how + wish.where) % 8])
    booked = wish.how == 3
    return IssueOffline(
        lease.kiosk if lease and wish.who else "hall",
        lease.id if lease else "20260101-K-1",
        letter,
        serial,
        _service(wish),
        clock - ago,
        channel=Channel.BOOKED if booked else Channel.WALK_IN,
        category="veteran" if wish.how == 5 else None,
        slot=clock if booked else None,
        further=("land",) if wish.how == 6 else (),
    )


def _verify_claim(wish: Wish, hall: Hall, _clock: datetime) -> Command:
    claims = sorted(ticket.id for ticket in hall.people() if ticket.claim and wish.how)
    return VerifyClaim(claims[wish.who % len(claims)] if claims else _ticket(wish, hall))


def _described(wish: Wish, hall: Hall, _clock: datetime) -> Command:
    office = hall.office
    without_third = replace(
        office,
        services=office.services[:2],
        counters=tuple(replace(counter, services=counter.services[:1]) for counter in office.counters),
    )
    others = (
        OFFICE,
        replace(office, discipline=list(Discipline)[wish.where]),
        replace(office, hours=HOURS[wish.who % len(HOURS)]),
        replace(office, zone=["UTC", "Asia/Vladivostok", "America/New_York"][wish.where]),
        replace(
            office, closes_after_minutes=60 * wish.where, escalation=ESCALATIONS[wish.where], idle_seconds=90 * wish.who
        ),
        replace(office, counters=OFFICE.counters[: 1 + wish.where]),
        without_third,
        replace(office, categories=() if office.categories else OFFICE.categories),
    )
    return Configure(others[wish.how])


_COMMANDS: dict[str, Callable[[Wish, Hall, datetime], Command]] = {
    "work": _work,
    "look": lambda _wish, _hall, _clock: Tick(),
    "issue": lambda wish, _hall, _clock: Issue(_service(wish)),
    "book": lambda wish, _hall, clock: Issue(
        _service(wish), Channel.BOOKED, slot=clock + timedelta(minutes=6 * (wish.how - 2))
    ),
    "claim": lambda wish, _hall, _clock: Issue(_service(wish), category="veteran"),
    "several": lambda wish, _hall, _clock: Issue(
        _service(wish), further=tuple(service.id for service in OFFICE.services[: 1 + wish.how % 2])
    ),
    "lease": _lease,
    "issue_offline": _issue_offline,
    "call": lambda wish, _hall, _clock: CallNext(_counter(wish)),
    "choose": lambda wish, hall, _clock: CallChosen(_ticket(wish, hall, State.WAITING), _counter(wish), "chosen"),
    "recall": lambda wish, hall, _clock: Recall(_ticket(wish, hall, State.CALLED)),
    "announce": lambda wish, hall, _clock: Announce(
        _ticket(wish, hall, State.CALLED, State.SERVING), "board", list(Told)[wish.how % 2]
    ),
    "ask_for_time": lambda wish, hall, _clock: AskForTime(_ticket(wish, hall, State.WAITING, State.CALLED)),
    "rate": lambda wish, hall, _clock: Rate(_ended(wish, hall), 1 + wish.where),
    "start": lambda wish, hall, _clock: Start(_ticket(wish, hall, State.CALLED)),
    "finish": lambda wish, hall, _clock: Finish(_ticket(wish, hall, State.SERVING), list(Outcome)[wish.where]),
    "no_show": lambda wish, hall, _clock: NoShow(_ticket(wish, hall, State.CALLED)),
    "send_back": lambda wish, hall, _clock: ReturnToLine(_ticket(wish, hall, State.CALLED, State.SERVING)),
    "hold": _hold,
    "leave_for_a_while": _hold,
    "resume": lambda wish, hall, _clock: Resume(_ticket(wish, hall, State.HELD)),
    "readmit": lambda wish, hall, _clock: Readmit(_ticket(wish, hall, State.LATE), list(Readmission)[wish.where]),
    "claim_slot": lambda wish, _hall, clock: Issue(
        _service(wish), Channel.BOOKED, slot=clock + timedelta(minutes=6 * (wish.how - 2)), claim=True
    ),
    "verify_claim": _verify_claim,
    "take_over": lambda wish, hall, _clock: OpenCounter(
        _counter(wish), f"operator {1 + wish.how % 3}", take_over=wish.who > 3
    ),
    "come_back": lambda wish, hall, _clock: ComeBack(_ticket(wish, hall, State.HELD)),
    "transfer": _transfer,
    "cancel": lambda wish, hall, _clock: Cancel(_ticket(wish, hall, State.WAITING, State.HELD, State.CALLED)),
    "undo": _undo,
    "verify": lambda wish, hall, _clock: VerifyCategory(_ticket(wish, hall, State.CALLED, State.WAITING)),
    "acknowledge": lambda wish, hall, _clock: Acknowledge(
        _ticket(wish, hall, State.WAITING, State.HELD, State.CALLED, State.SERVING),
        f"operator {_counter(wish)}",
        list(Cause)[wish.how % len(Cause)],
    ),
    "withdraw": lambda wish, hall, _clock: WithdrawCategory(
        _ticket(wish, hall, State.CALLED, State.WAITING), "none", "was next anyway" if wish.where else None
    ),
    "open_counter": lambda wish, _hall, _clock: OpenCounter(_counter(wish), f"operator {_counter(wish)}"),
    "pause": lambda wish, _hall, _clock: PauseCounter(_counter(wish), "tea"),
    "close_counter": lambda wish, _hall, _clock: CloseCounter(_counter(wish)),
    "open_day": lambda _wish, _hall, _clock: OpenDay(),
    "close_day": lambda wish, _hall, _clock: CloseDay() if wish.how == 1 else Tick(),
    "close_service": lambda wish, _hall, _clock: (
        CloseService(_service(wish), f"reason {wish.how % 2}") if wish.how < 4 else Tick()
    ),
    "open_service": lambda wish, _hall, _clock: OpenService(_service(wish)),
    "describe": _described,
}
