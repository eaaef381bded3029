"""What a person is told: where, what for, which number, how long, how many more, and what would help.

English stands here; every other language is a file in `locales/`.
"""

import gettext
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache, lru_cache
from io import BytesIO
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from app.alerts.told import Told
from app.watch import Provisional
from queue_core.facts import Breached, CounterIdle, Escalated, Idleness, Relief, Relieved, Scene, Warned
from queue_core.office import Channel, Office, Words

LOCALES = Path(__file__).with_name("locales")
ENGLISH = "en"

NEAR = "{office}: {number} is near the limit"
OVER = "{office}: {number} waits past the limit"
STILL_OVER = "{office}: {number} still waits past the limit"
FREE = "{office}: {counter} is free while {number} waits"
PAUSED = "{office}: {counter} is paused while {number} waits"
CALLED = "{office}: {number} was called"
LEFT = "{office}: {number} has left"
UNSERVED = "{office}: {number} was not served today"
WITHDRAWN = "{office}: what was said of {number} does not hold"

WALK_IN = "{service}, without a booking."
BOOKED = "{service}, booked."
WAITS = "Waiting for {waited}; the limit of {limit} passes at {due}."
HAS_WAITED = "Waiting for {waited}; the limit of {limit} passed at {due}."
WAITED = "Waited for {waited}; the limit was {limit}."
IDLE_SINCE = "So since {since}."
FROM_MEMORY = "The database does not answer. This is told from memory; it will be recorded later."
OTHERWISE = "The database answers again, and there it was otherwise: the visitor had been called in time, or had left."
COUNTERS = "Counters open: {open}, paused: {paused}. This service can be had at {able}, of which free: {idle}."

CALL_NEXT = "A counter that serves it is free: call the next visitor there."
OPEN_ONE = "No open counter serves it: open one that does."
COME_BACK = "A counter is paused: have it come back."
ONE_MORE = "Every counter that serves it is busy: one more would help."

MINUTES = "{count} min"
SECONDS = "{count} s"

SENTENCES = (
    *(NEAR, OVER, STILL_OVER, FREE, PAUSED, CALLED, LEFT, UNSERVED, WITHDRAWN),
    *(WALK_IN, BOOKED, WAITS, HAS_WAITED, WAITED, IDLE_SINCE, FROM_MEMORY, OTHERWISE, COUNTERS),
    *(CALL_NEXT, OPEN_ONE, COME_BACK, ONE_MORE, MINUTES, SECONDS),
)
"""Everything that has to be there in every language."""

MORE = ("{count} more person waits for this service.", "{count} more people wait for this service.")
IN_OFFICE = ("{count} person waits in the whole office.", "{count} people wait in the whole office.")
COUNTED = (MORE, IN_OFFICE)
"""The same for sentences that depend on a number."""


RELIEVED = {Relief.CALLED: CALLED, Relief.LEFT: LEFT, Relief.UNSERVED: UNSERVED}


class Message(NamedTuple):
    """What is sent to a person."""

    title: str
    body: str


def message(told: Told, language: str) -> Message:
    """A fact in a person's language; the history of its ticket must be there."""
    return _Writer(told, language).message()


def language_for(office: Office, wanted: str | None) -> str:
    """The language a person asked for, else the first of the office's that is ours."""
    ours = languages()
    return wanted or next((language for language in office.languages if language in ours), ENGLISH)


@lru_cache(maxsize=1)
def languages() -> tuple[str, ...]:
    """The languages of messages."""
    return ENGLISH, *sorted(path.stem for path in LOCALES.glob("*.po"))


@cache
def catalogue(language: str) -> gettext.NullTranslations:
    """The translations into a language, compiled from the file as it is read."""
    if language == ENGLISH:
        return gettext.NullTranslations()
    # Not before: a hall waits for a server that was killed, and not for this.
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    compiled = BytesIO()
    with (LOCALES / f"{language}.po").open("rb") as lines:
        write_mo(compiled, read_po(lines, locale=language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


class _Writer:
    """One message in the making."""

    def __init__(self, told: Told, language: str) -> None:
        assert told.visitor, "nobody is told of a ticket that is not there"
        self._told, self._office, self._visitor = told, told.office, told.visitor
        self._language, self._words = language, catalogue(language)

    def message(self) -> Message:
        match self._told.line:
            case Provisional(stands=False):
                return self._written(WITHDRAWN, self._say(OTHERWISE), None)
            case Provisional():
                title, body = self._of_fact()
                return Message(title, f"{body}\n{self._say(FROM_MEMORY)}")
            case _:
                return self._of_fact()

    def _of_fact(self) -> Message:
        match self._told.line.fact:
            case Warned() as fact:
                return self._written(NEAR, self._waiting(WAITS, fact.at, fact.due), fact.scene)
            case Escalated() as fact:
                title = STILL_OVER if fact.step else OVER
                return self._written(title, self._waiting(HAS_WAITED, fact.at, fact.due), self._scene_of_breach())
            case Relieved() as fact:
                title = RELIEVED[fact.how]
                return self._written(title, self._waiting(WAITED, fact.at, fact.due), None)
            case CounterIdle() as fact:
                title = PAUSED if fact.state is Idleness.PAUSED else FREE
                since = self._say(IDLE_SINCE, since=self._clock(fact.since))
                return self._written(title, since, None, counter=self._counter(fact.counter))
            case _:
                raise AssertionError(f"people are not told of {self._told.line.kind}")

    def _written(self, title: str, waiting: str, scene: Scene | None, **more: str) -> Message:
        office = self._named(self._office.name, self._office.id)
        lines = [self._service(), waiting, *(self._seen(scene) if scene else ())]
        return Message(self._say(title, office=office, number=self._visitor.number, **more), "\n".join(lines))

    def _service(self) -> str:
        service = self._office.service(self._visitor.service)
        name = self._named(service.name, service.id) if service else self._visitor.service
        return self._say(BOOKED if self._visitor.channel is Channel.BOOKED else WALK_IN, service=name)

    def _waiting(self, sentence: str, at: datetime, due: datetime) -> str:
        limit = timedelta(seconds=self._visitor.limit_seconds)
        return self._say(
            sentence, waited=self._lasting(limit + (at - due)), limit=self._lasting(limit), due=self._clock(due)
        )

    def _seen(self, scene: Scene) -> Iterator[str]:
        yield self._count(MORE, scene.waiting - 1)
        yield self._count(IN_OFFICE, scene.waiting_in_office)
        yield self._say(
            COUNTERS,
            open=scene.counters_open,
            paused=scene.counters_paused,
            able=scene.counters_able,
            idle=scene.counters_idle,
        )
        yield self._say(what_would_help(scene))

    def _scene_of_breach(self) -> Scene | None:
        return next((line.fact.scene for line in self._told.history if isinstance(line.fact, Breached)), None)

    def _counter(self, counter_id: str) -> str:
        counter = self._office.counter(counter_id)
        return self._named(counter.name, counter_id) if counter else counter_id

    def _say(self, sentence: str, **parts: object) -> str:
        return self._words.gettext(sentence).format(**parts)

    def _count(self, sentences: tuple[str, str], count: int) -> str:
        return self._words.ngettext(*sentences, count).format(count=count)

    def _lasting(self, length: timedelta) -> str:
        seconds = int(length.total_seconds())
        return self._say(SECONDS, count=seconds) if seconds < 60 else self._say(MINUTES, count=seconds // 60)

    def _clock(self, instant: datetime) -> str:
        """As the clock on the office's wall shows it."""
        return f"{instant.astimezone(ZoneInfo(self._office.zone)):%H:%M}"

    def _named(self, words: Words, otherwise: str) -> str:
        return words.get(self._language) or next(iter(words.values()), otherwise)


def what_would_help(scene: Scene) -> str:
    """The nearest thing that would shorten the wait, by what was seen."""
    if scene.counters_idle:
        return CALL_NEXT
    if not scene.counters_able:
        return OPEN_ONE
    return COME_BACK if scene.counters_paused else ONE_MORE
