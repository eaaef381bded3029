"""Refusals: why nothing happened. Each is a sentence for the person who asked; the particulars ride along."""


class Refusal(Exception):
    """The request was refused."""

    def __init__(self, **particulars: object) -> None:
        super().__init__(type(self).__doc__)
        self.particulars = particulars

    def __str__(self) -> str:
        listed = ", ".join(f"{name} {value}" for name, value in self.particulars.items())
        return f"{type(self).__doc__} ({listed})" if listed else str(type(self).__doc__)


class UnknownOffice(Refusal):
    """There is no such office."""


class UnknownService(Refusal):
    """The office has no such service."""


class UnknownCounter(Refusal):
    """The office has no such counter."""


class UnknownTicket(Refusal):
    """The hall has no such ticket."""


class UnknownCategory(Refusal):
    """The office has no such out-of-turn category."""


class OfficeClosed(Refusal):
    """The office does not receive visitors now."""


class ServiceIsClosed(Refusal):
    """No tickets are issued for this service now."""


class NobodyServes(Refusal):
    """No counter of the office serves this."""


class BookingMismatch(Refusal):
    """A booked ticket has a slot, and a walk-in ticket has none."""


class NotToday(Refusal):
    """The booked time is not within this day's opening hours."""


class NothingToLease(Refusal):
    """The office leases no numbers to its kiosks."""


class NoMoreMarks(Refusal):
    """More kiosks have asked for numbers today than there are marks to tell them apart."""


class UnknownLease(Refusal):
    """There is no such lease of numbers, or it was given back."""


class NumberTaken(Refusal):
    """This number is not left in the lease; it was issued already, or never part of it."""


class CounterIsClosed(Refusal):
    """The counter is closed; open it first."""


class CounterIsPaused(Refusal):
    """The counter is paused; open it first."""


class CounterBusy(Refusal):
    """The counter still has a visitor; finish that visit first."""


class CounterTaken(Refusal):
    """Another operator works at this counter."""


class OperatorBusy(Refusal):
    """This operator is at work at another counter; close it there or take it over."""


class StepForbidden(Refusal):
    """The ticket is not in a state for this step."""


class NotInLine(Refusal):
    """The ticket does not wait for this counter."""


class RecallLimitReached(Refusal):
    """The number was called often enough; record a no-show or return it to the line."""


class CallTooFresh(Refusal):
    """The visitor was called only a moment ago; give them time to come."""


class HoldInThePast(Refusal):
    """The hold would end before it begins."""


class NoMoreTime(Refusal):
    """The visitor has stepped aside as often as the office allows."""


class RatedOften(Refusal):
    """The visit has been rated often enough."""


class NoCategory(Refusal):
    """The ticket claims no out-of-turn right."""


class NoClaim(Refusal):
    """The ticket claims no booking, or it was found already."""


class NoBreach(Refusal):
    """The ticket has not passed its limit, so there is nothing to acknowledge."""


class NothingToUndo(Refusal):
    """There is no step of this counter to take back, or it was too long ago."""


class DayNotOpen(Refusal):
    """No business day is open."""


class ServiceInUse(Refusal):
    """People in the hall still need this service; it can be removed when they have been served."""


class CounterInUse(Refusal):
    """This counter is open or somebody waits for it by name; close it before it is removed."""


class CategoryInUse(Refusal):
    """People in the hall hold this category; it can be removed when they have been served."""
