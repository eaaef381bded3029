"""The desk in front of a printer: one ticket at a time, and the last one kept, so that it can be printed again."""

import asyncio

from app.printing.printers import Printer, State
from app.printing.slip import Slip
from app.printing.ticket import Roll, ticket
from app.printing.troubles import NotPrinted, Trouble

PATIENCE_SECONDS = 15.0
"""How long a ticket waits for its turn: a visitor would rather read the number from the screen."""


class NothingYet(Exception):
    """Nothing was printed here before that could be printed again."""


class Desk:
    """Prints tickets on one printer. `last` is the ticket that was asked for last, whatever became of it."""

    def __init__(self, printer: Printer, roll: Roll, *, patience: float = PATIENCE_SECONDS) -> None:
        self.printer = printer
        self.printed = 0
        self.last: Slip | None = None
        self._roll, self._patience = roll, patience
        self._turn = asyncio.Lock()
        self._known = State()

    async def print(self, slip: Slip) -> None:
        """Print a ticket, or NotPrinted."""
        self.last = slip
        job = ticket(slip, self._roll)
        await self._have_turn()
        try:
            await self.printer.take(job)
        except NotPrinted as refused:
            self._known = State(refused.trouble)
            raise
        else:
            self.printed += 1
            self._known = State(None, self._known.paper)
        finally:
            self._turn.release()

    async def print_again(self) -> Slip:
        """Print the last ticket once more, also one that was not printed the first time; NothingYet without one."""
        if self.last is None:
            raise NothingYet()
        slip = self.last
        await self.print(slip)
        return slip

    async def state(self) -> State:
        """How the printer is; while it prints, how it last was."""
        if not self._turn.locked():
            async with self._turn:
                self._known = await self.printer.state()
        return self._known

    async def _have_turn(self) -> None:
        try:
            async with asyncio.timeout(self._patience):
                await self._turn.acquire()
        except TimeoutError as error:
            raise NotPrinted(Trouble.BUSY) from error
