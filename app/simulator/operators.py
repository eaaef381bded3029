"""The operators: call, wait, serve, take breaks, go home."""

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from app.simulator.hall import Progress, SimulatedHall
from app.simulator.places import Place
from app.simulator.server import Reply
from app.simulator.visits import Break, Turn

LOOK_AT_LINE_SECONDS = 30
SHORTEST_LOOK_SECONDS = 0.25
"""The first by the server's clock, the second by the real one: an idle hall must not be a busy server."""

SECONDS_BETWEEN_CALLS = 40
NO_LONGER_THERE = ("step-forbidden", "unknown-ticket")
"""A visitor may leave at the very moment of the call, and a held one before being asked back."""

Ticket = Mapping[str, Any]


def manned(place: Place, operators: int | None, empty: Collection[str] = ()) -> list[str]:
    """The counters that so many operators sit down at: first those that leave no service without anybody."""
    left = [counter for counter in place.counters if counter not in empty]
    chosen, uncovered = list[str](), set(place.services)
    while left and (operators is None or len(chosen) < operators):
        best = max(left, key=lambda counter: len(uncovered & set(place.counters[counter])))
        left.remove(best)
        chosen.append(best)
        uncovered -= set(place.counters[best])
    return chosen


async def work(hall: SimulatedHall, counter: str, breaks: tuple[Break, ...]) -> None:
    """An operator's day at one counter."""
    operator = Operator(hall, counter)
    if not await operator.sit_down():
        return
    pending = list(breaks)
    while not hall.is_over:
        if pending and pending[0].at <= hall.server.clock.now():
            await operator.rest(pending.pop(0))
        await operator.serve_next()
    await operator.go_home()


class Operator:
    """One operator at one counter."""

    def __init__(self, hall: SimulatedHall, counter: str) -> None:
        self.hall = hall
        self.server = hall.server
        self.counter = counter
        self.name = f"operator-{counter}"

    async def sit_down(self) -> bool:
        """Open the counter; False when that is not to be."""
        opened = await self._at_counter("open", {"operator": self.name})
        return not opened.problem

    async def rest(self, pause: Break) -> None:
        """Be away for a while."""
        await self._at_counter("pause", {"reason": pause.reason})
        await self.server.clock.sleep(pause.seconds)
        await self.sit_down()

    async def go_home(self) -> None:
        """Close the counter."""
        await self._at_counter("close")

    async def serve_next(self) -> None:
        """Call whoever is next and see them through; wait a little when nobody is there."""
        called = await self._at_counter("call-next", expected=("counter-busy",))
        if called.body and called.problem == "counter-busy":
            # An earlier simulator was stopped in the middle of this visit.
            called = await self._left_behind(called.body["ticket"])
        if called.body and not called.problem:
            await self._see_through(called.body)
        elif not self.hall.is_over:
            until_next_look = LOOK_AT_LINE_SECONDS / self.server.clock.speed
            await self.hall.idle(self.counter, max(until_next_look, SHORTEST_LOOK_SECONDS))

    async def _left_behind(self, ticket: str) -> Reply:
        visit = await self.server.ask(f"/tickets/{ticket}")
        return visit if visit.problem or not visit.body else Reply(visit.body["ticket"])

    async def _see_through(self, ticket: Ticket) -> None:
        progress = await self.hall.progress_of(ticket)
        progress.was_called = True
        if progress.turn is Turn.NO_SHOW:
            await self._give_up(ticket, progress)
        elif progress.turn is Turn.RETURN:
            progress.turn = Turn.NONE
            await self._move(ticket, "return", {"reason": "asked to come a little later"})
        else:
            await self._serve(ticket, progress)

    async def _give_up(self, ticket: Ticket, progress: Progress) -> None:
        """Call twice more, then record that nobody came."""
        for _ in range(2):
            await self.server.clock.sleep(SECONDS_BETWEEN_CALLS)
            await self._move(ticket, "recall", expected=("recall-limit-reached",))
        await self.server.clock.sleep(SECONDS_BETWEEN_CALLS)
        await self._move(ticket, "no-show")
        if self.hall.in_hall.get(ticket["id"]) is progress:
            self.hall.later(self._come_late(ticket, progress))

    async def _come_late(self, ticket: Ticket, progress: Progress) -> None:
        """Half of those who missed their call come late; the others are waited for, and the staff gives them up."""
        await self.server.clock.sleep(progress.random.uniform(60, 400))
        progress.turn = Turn.NONE
        step = "readmit" if progress.random.random() < 0.5 else "no-show"
        await self._move(ticket, step, expected=NO_LONGER_THERE)

    async def _serve(self, ticket: Ticket, progress: Progress) -> None:
        await self.server.clock.sleep(progress.random.uniform(10, 40))
        if ticket["state"] == "called" and not await self._move(ticket, "start", expected=NO_LONGER_THERE):
            return
        if not await self._see_papers(ticket, progress):
            return
        match progress.turn:
            case Turn.TRANSFER:
                await self._part_of(progress, 0.4)
                come_back = progress.random.random() < 0.3
                to = {"service": progress.visit.transfer_to, "come_back": come_back}
                await self._move(ticket, "transfer", to)
            case Turn.HOLD_BY_VISITOR:
                await self._part_of(progress, 0.3)
                until = self.server.clock.now() + timedelta(minutes=progress.random.uniform(8, 15))
                await self._move(ticket, "hold", {"by": "visitor", "until": until.isoformat()})
            case Turn.HOLD_BY_OFFICE:
                await self._part_of(progress, 0.3)
                await self._move(ticket, "hold", {"by": "office"})
                self.hall.later(self._resume(ticket, progress.random.uniform(5, 10) * 60))
            case _:
                await self._finish(ticket, progress)

    async def _see_papers(self, ticket: Ticket, progress: Progress) -> bool:
        """Whether the visitor stays at the counter: who goes first without a right is sent back to the line."""
        if not ticket["category"] or ticket["category_verified"] or ticket["category_withdrawn"]:
            return True
        if progress.visit.entitled:
            await self._move(ticket, "verify-category")
            return True
        await self._move(ticket, "withdraw-category", {"reason": "the paper has expired"})
        return False

    async def _part_of(self, progress: Progress, share: float) -> None:
        """Serve a first part; what is left is for later, and nothing special happens then."""
        progress.turn = Turn.NONE
        await self.server.clock.sleep(progress.seconds_left * share)
        progress.seconds_left *= 1 - share

    async def _finish(self, ticket: Ticket, progress: Progress) -> None:
        await self.server.clock.sleep(progress.seconds_left)
        outcome = progress.random.choices(["done", "incomplete", "refused"], [94, 5, 1])[0]
        # Before the step, because another operator may call the next stop of the visit at once.
        progress.seconds_left = self._next_stop_seconds(ticket, progress)
        await self._move(ticket, "finish", {"outcome": outcome})

    def _next_stop_seconds(self, ticket: Ticket, progress: Progress) -> float:
        stops = ticket["stops"]
        return self.hall.service_seconds(stops[0]["service"], progress.random) if stops else 0.0

    async def _resume(self, ticket: Ticket, seconds: float) -> None:
        await self.server.clock.sleep(seconds)
        await self._move(ticket, "resume", expected=NO_LONGER_THERE)

    async def _move(
        self, ticket: Ticket, step: str, body: Mapping[str, Any] | None = None, *, expected: tuple[str, ...] = ()
    ) -> bool:
        """One step of a ticket; False when it was refused."""
        moved = await self.server.tell(f"/tickets/{ticket['id']}/{step}", body, expected=expected)
        if moved.problem or moved.body is None:
            return False
        self.hall.moved(moved.body)
        return True

    async def _at_counter(
        self, step: str, body: Mapping[str, Any] | None = None, *, expected: tuple[str, ...] = ()
    ) -> Reply:
        return await self.server.tell(f"/counters/{self.counter}/{step}", body, expected=expected)
