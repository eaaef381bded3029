"""The lines of a hall: who waits for what, in order, however many they are.

Nearly everybody joins a line at its end and leaves it from its head, and both cost next to nothing. Somebody who leaves
from the middle stays in it as an entry that nobody stands by any more, until it comes to the head.
"""

from bisect import insort
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from heapq import heappop, heappush

from queue_core.discipline import Place, place
from queue_core.facts import Rank
from queue_core.office import Counter, Discipline
from queue_core.tickets import Ticket

Entry = tuple[Place, str]
"""A place, and the ticket it is taken by."""

Line = deque[Entry]
"""Entries in order. The first is always somebody who stands there."""

Crowd = dict[Rank, Line]
"""The line of each class."""

CLASSES = tuple(Rank)


class Lines:
    """Everybody in line, by service or named counter and class."""

    def __init__(self, tickets: Mapping[str, Ticket], discipline: Discipline) -> None:
        self._tickets = tickets
        self._discipline = discipline
        self._of_service: dict[str, Crowd] = {}
        self._of_counter: dict[str, Crowd] = {}
        self._standing: dict[str, Entry] = {}
        self._lengths: dict[str, int] = {}
        for ticket in tickets.values():
            self.moved(None, ticket)

    def moved(self, before: Ticket | None, after: Ticket | None) -> None:
        """A ticket has become another, which `tickets` already shows."""
        if before and after and after.in_line and _stands_as(after, before):
            return
        if before and before.in_line:
            self._lengths[before.service] -= 1
            self._leave(before)
        if after and after.in_line:
            self._lengths[after.service] = self._lengths.get(after.service, 0) + 1
            self._join(after)

    def length(self, service: str) -> int:
        """How many are in line for a service."""
        return self._lengths.get(service, 0)

    def length_of_all(self) -> int:
        """How many are in line."""
        return sum(self._lengths.values())

    def heads(self, counter: Counter) -> list[Ticket]:
        """The first of each class among those this counter may call."""
        crowds = [self._of_service[service] for service in counter.services if service in self._of_service]
        if counter.id in self._of_counter:
            crowds.append(self._of_counter[counter.id])
        heads = []
        for rank in CLASSES:
            firsts = [crowd[rank][0] for crowd in crowds if crowd[rank]]
            if firsts:
                heads.append(self._tickets[min(firsts)[1]])
        return heads

    def _join(self, ticket: Ticket) -> None:
        line = self._line_of(ticket)
        entry = self._standing[ticket.id] = (place(ticket, self._discipline), ticket.id)
        if line and entry < line[-1]:
            insort(line, entry)
        else:
            line.append(entry)

    def _leave(self, ticket: Ticket) -> None:
        line = self._line_of(ticket)
        del self._standing[ticket.id]
        while line and self._standing.get(line[0][1]) is not line[0]:
            line.popleft()

    def _line_of(self, ticket: Ticket) -> Line:
        if ticket.only_counter:
            crowds, name = self._of_counter, ticket.only_counter
        else:
            crowds, name = self._of_service, ticket.service
        if name not in crowds:
            crowds[name] = {rank: deque() for rank in CLASSES}
        return crowds[name][ticket.rank]


def _stands_as(ticket: Ticket, before: Ticket) -> bool:
    """Whether nothing has changed that a place in line depends on, as when a breach is recorded."""
    return (
        before.in_line
        and ticket.clock is before.clock
        and ticket.service is before.service
        and ticket.only_counter is before.only_counter
        and ticket.category_withdrawn is before.category_withdrawn
        and ticket.claim_verified is before.claim_verified
    )


Still = Callable[[datetime, str], bool]
"""Whether an alarm is still meant."""


class Alarms:
    """Instants at which a ticket or a counter needs attention, the nearest first."""

    def __init__(self) -> None:
        self._heap: list[tuple[datetime, str]] = []

    def set(self, instant: datetime, name: str) -> None:
        """Remember to look at a ticket or counter at `instant`."""
        heappush(self._heap, (instant, name))

    def first(self, still: Still) -> tuple[datetime, str] | None:
        """The next alarm that is still meant."""
        while self._heap and not still(*self._heap[0]):
            heappop(self._heap)
        return self._heap[0] if self._heap else None

    def nearest(self, still: Still) -> datetime | None:
        """The next instant that is still meant."""
        alarm = self.first(still)
        return alarm[0] if alarm else None

    def any_passed(self, now: datetime, still: Still) -> bool:
        """Whether anything still meant has come by `now`."""
        while self._heap and self._heap[0][0] <= now:
            if still(*self._heap[0]):
                return True
            heappop(self._heap)
        return False

    def passed(self, now: datetime, still: Still) -> list[tuple[datetime, str]]:
        """Everything still meant that has come by `now`, in order, each once."""
        return sorted({alarm for alarm in self._up_to(now) if still(*alarm)})

    def _up_to(self, now: datetime) -> Iterator[tuple[datetime, str]]:
        # A heap is a tree in a list: below an entry that is too late there is nothing to find.
        open_ends = [0]
        while open_ends:
            index = open_ends.pop()
            if index < len(self._heap) and self._heap[index][0] <= now:
                yield self._heap[index]
                open_ends += (2 * index + 1, 2 * index + 2)


Goal = tuple[str, str]
"""What somebody in line waits for: a service and any counter, or a counter by name."""


class Nearing:
    """Those in line who have come near their limit or passed it, the earliest due first."""

    def __init__(self, tickets: Mapping[str, Ticket]) -> None:
        self._tickets = tickets
        self._of: dict[Goal, Alarms] = {}

    def joins(self, ticket: Ticket) -> bool:
        """Whether a ticket that is to be near joins where nobody was. Asked before `tickets` shows it so."""
        dues = self._of.setdefault(_goal(ticket), Alarms())
        nobody = dues.first(self._still(_goal(ticket))) is None
        assert ticket.clock.due, "only those who wait are near"
        dues.set(ticket.clock.due, ticket.id)
        return nobody

    def first(self, counter: Counter) -> tuple[datetime, str] | None:
        """The earliest due among those whom this counter may call, and whose it is."""
        if not self._of:
            return None
        goals = [("", counter.id), *((service, "") for service in counter.services)]
        firsts = [self._of[each].first(self._still(each)) for each in goals if each in self._of]
        return min((first for first in firsts if first), default=None)

    def _still(self, goal: Goal) -> Still:
        def is_near(due: datetime, ticket_id: str) -> bool:
            ticket = self._tickets.get(ticket_id)
            return ticket is not None and ticket.is_near and ticket.clock.due == due and _goal(ticket) == goal

        return is_near


def _goal(ticket: Ticket) -> Goal:
    return ("", ticket.only_counter) if ticket.only_counter else (ticket.service, "")
