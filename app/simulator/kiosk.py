"""The kiosks and those who use them: everybody takes a ticket in time, and some lose patience."""

from app.simulator.hall import SimulatedHall
from app.simulator.visits import Day, Visit

ALREADY_CALLED = ("step-forbidden", "unknown-ticket")
"""A visitor may lose patience at the very moment of the call."""

NOT_TODAY = ("not-today",)


async def admit(hall: SimulatedHall, day: Day) -> None:
    """Bring the day's visitors in, each at their time."""
    for visit in day.visits:
        await hall.server.clock.sleep_until(visit.at)
        hall.later(_visit(hall, visit))


async def _visit(hall: SimulatedHall, visit: Visit) -> None:
    ticket = await _take_ticket(hall, visit)
    if ticket is None or visit.patience_seconds is None:
        return
    await hall.server.clock.sleep(visit.patience_seconds)
    progress = hall.in_hall.get(ticket)
    if progress and not progress.was_called:
        left = await hall.server.tell(f"/tickets/{ticket}/cancel", {"reason": "left"}, expected=ALREADY_CALLED)
        if left.body and not left.problem:
            hall.moved(left.body)


async def _take_ticket(hall: SimulatedHall, visit: Visit) -> str | None:
    """The id of the ticket; None when the kiosk refused."""
    wish: dict[str, object] = {"service": visit.service}
    if visit.slot:
        wish |= {"channel": "booked", "slot": visit.slot.isoformat()}
    if visit.category:
        wish["category"] = visit.category
    if visit.further:
        wish["further"] = list(visit.further)
    hall.at_kiosks += 1
    try:
        issued = await hall.server.tell("/tickets", wish, expected=NOT_TODAY)
        if issued.problem in NOT_TODAY:
            # Who comes for a time after the last hour is a visitor all the same.
            del wish["channel"], wish["slot"]
            issued = await hall.server.tell("/tickets", wish)
        if issued.body is None or issued.problem:
            return None
        hall.came(issued.body, visit)
        ticket = str(issued.body["id"])
        if "slot" in wish:
            # The hall's administrator finds every booking.
            await hall.server.tell(f"/tickets/{ticket}/verify-claim", expected=ALREADY_CALLED)
        return ticket
    finally:
        hall.at_kiosks -= 1
        hall.to_come -= 1
