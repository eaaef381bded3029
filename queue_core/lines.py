"""The lines of a hall: who waits for what, in order, however many they are.

Heaps whose entries are dropped late: an entry counts only while the ticket it names still stands where it says. The
head of a line is found in O(log n), and somebody leaving from the middle costs nothing.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from heapq import heappop, heappush

from queue_core.discipline import Place, place
from queue_core.facts import Rank
from queue_core.office import Counter, Discipline
from queue_core.tickets import Ticket

Line = tuple[str, Rank]
"""What a line is for: a service (`service:`) or one counter by name (`counter:`), and a class."""


class Lines:
    """Everybody in line, by service or named counter and class."""

    def __init__(self, tickets: Mapping[str, Ticket], discipline: Discipline) -> None:
        self._tickets = tickets
        self._discipline = discipline
        self._heaps: dict[Line, list[tuple[Place, str]]] = {}
        self._lengths: dict[str, int] = {}
        self._lines_of: dict[str, list[list[Line]]] = {}
        for ticket in tickets.values():
            self.moved(None, ticket)

    def moved(self, before: Ticket | None, after: Ticket | None) -> None:
        """A ticket has become another, which `tickets` already shows."""
        if before and before.in_line:
            self._lengths[before.service] -= 1
        if after and after.in_line:
            self._lengths[after.service] = self._lengths.get(after.service, 0) + 1
            if not (before and before.in_line and self._stand(before) == self._stand(after)):
                line, position = self._stand(after)
                heappush(self._heaps.setdefault(line, []), (position, after.id))

    def length(self, service: str) -> int:
        """How many are in line for a service."""
        return self._lengths.get(service, 0)

    def heads(self, counter: Counter) -> list[Ticket]:
        """The first of each class among those this counter may call."""
        lines_of = self._lines_of.get(counter.id)
        if lines_of is None:
            lines_of = self._lines_of[counter.id] = _lines_of(counter)
        return [head for lines in lines_of if (head := self._head(lines))]

    def _head(self, lines: list[Line]) -> Ticket | None:
        firsts = [first for line in lines if line in self._heaps and (first := self._first(line))]
        return self._tickets[min(firsts)[1]] if firsts else None

    def _first(self, line: Line) -> tuple[Place, str] | None:
        heap = self._heaps.get(line)
        while heap:
            position, ticket_id = heap[0]
            ticket = self._tickets.get(ticket_id)
            if ticket and ticket.in_line and self._stand(ticket) == (line, position):
                return heap[0]
            heappop(heap)
        return None

    def _stand(self, ticket: Ticket) -> tuple[Line, Place]:
        name = f"counter:{ticket.only_counter}" if ticket.only_counter else f"service:{ticket.service}"
        return (name, ticket.rank), place(ticket, self._discipline)


def _lines_of(counter: Counter) -> list[list[Line]]:
    """The lines that a counter calls from, by class."""
    names = [f"counter:{counter.id}", *(f"service:{service}" for service in counter.services)]
    return [[(name, rank) for name in names] for rank in Rank]


Still = Callable[[datetime, str], bool]
"""Whether an alarm is still meant."""


class Alarms:
    """Instants at which tickets need attention, the nearest first."""

    def __init__(self) -> None:
        self._heap: list[tuple[datetime, str]] = []

    def set(self, instant: datetime, ticket_id: str) -> None:
        """Remember to look at a ticket at `instant`."""
        heappush(self._heap, (instant, ticket_id))

    def nearest(self, still: Still) -> datetime | None:
        """The next instant that is still meant."""
        while self._heap and not still(*self._heap[0]):
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None

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
