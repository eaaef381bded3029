"""Machines whose clocks are turned by hand, and halls that are watched on them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from app.clock import Machine, SystemClock
from app.watch import Watch
from queue_core.office import Office
from tests.core.live import NINE
from tests.engine.hall import LiveHall, live_hall

STEADY = 60.0


class HandMachine(Machine):
    """A machine with two clocks: one that people set, and one that only goes on."""

    def __init__(self, wall: datetime = NINE, boot: str | None = "first") -> None:
        self.wall_seconds, self.boot_seconds, self.name = wall.timestamp(), 1000.0, boot
        self.synchronised: bool | None = None

    def wall(self) -> float:
        """What people have set."""
        return self.wall_seconds

    def since_boot(self) -> float:
        """What nobody sets."""
        return self.boot_seconds

    def boot(self) -> str | None:
        """The name of this run."""
        return self.name

    def is_synchronised(self) -> bool | None:
        """What the kernel is made to say."""
        return self.synchronised

    def clock(self) -> SystemClock:
        """The product's clock on this machine, as one process has it."""
        return SystemClock(self, STEADY)

    def passes(self, seconds: float) -> None:
        """Time goes by, for people and for both clocks."""
        self.wall_seconds += seconds
        self.boot_seconds += seconds

    def is_set(self, by: float) -> None:
        """Somebody sets the clock."""
        self.wall_seconds += by

    def starts_again(self, off_for: float = 0) -> None:
        """The machine is switched off for a while, and its kernel knows nothing of before."""
        self.wall_seconds += off_for
        self.boot_seconds, self.name, self.synchronised = 5.0, f"{self.name} again", None


@asynccontextmanager
async def watched(address: str, machine: HandMachine, office: Office) -> AsyncIterator[LiveHall]:
    """An office on this machine, and its watch."""
    async with live_hall(address, machine.clock(), office=office) as hall:
        watch = Watch(hall.engine)
        await watch.start()
        try:
            yield hall
        finally:
            await watch.stop()
