"""A restarted engine stands where the old one stood, and need not read the years before."""

from queue_core.commands import CallChosen, Cancel, Hold, Start, Tick, Undo
from queue_core.facts import HeldBy
from queue_core.hall import HallState
from tests.core.live import NINE
from tests.engine.hall import HandClock, live_hall
from tests.journal.databases import opened
from tests.journal.writing import changed


async def test_a_restarted_hall_is_the_hall_that_was(address: str, clock: HandClock) -> None:
    state = await two_days(address, clock)

    async with live_hall(address, clock) as hall:
        assert (await hall.now()).state() == state
        assert await hall.is_as_the_journal_says()


async def test_only_what_follows_the_checkpoint_is_read_at_start(address: str, clock: HandClock) -> None:
    state = await two_days(address, clock)
    with opened(address) as journal:
        opening = max(line.seq for line in journal.facts_after("hall", 0) if line.kind == "DayOpened")
        spoiled = changed(journal, "UPDATE facts SET body = 'unreadable' WHERE seq <= :seq", seq=opening)

    async with live_hall(address, clock) as hall:
        assert spoiled > 10
        assert (await hall.now()).state() == state


async def test_numbers_and_the_chain_go_on_after_a_restart(address: str, clock: HandClock) -> None:
    await two_days(address, clock)

    async with live_hall(address, clock) as hall:
        assert (await hall.issue()).id == "20261124-A003"
        assert await hall.is_as_the_journal_says()


async def test_an_operator_may_undo_across_a_restart(address: str, clock: HandClock) -> None:
    async with live_hall(address, clock) as hall:
        await hall.open()
        await hall.issue()
        await hall.call()

    async with live_hall(address, clock) as hall:
        assert (await hall.wish(Undo("1"))).ticket
        assert await hall.call()


async def test_what_happened_while_nobody_served_is_recorded_at_the_next_look(address: str, clock: HandClock) -> None:
    async with live_hall(address, clock) as hall:
        await hall.open()
        issued = await hall.issue()

    clock.wait(hours=2)
    async with live_hall(address, clock) as hall:
        await hall.wish(Tick())
        ticket = (await hall.now()).ticket(issued.id)

    assert ticket.breached_due == issued.due
    assert ticket.breach_recorded_at
    assert ticket.breach_recorded_at >= clock.now()


async def two_days(address: str, clock: HandClock) -> HallState:
    """A Monday and a Tuesday morning; the hall in the end."""
    async with live_hall(address, clock) as hall:
        await hall.open()
        for _ in range(3):
            await hall.issue()
        await hall.call()
        clock.instant = NINE.replace(day=24)
        await hall.wish(Tick())
        held, left = await hall.issue(), await hall.issue("land")
        await hall.wish(Hold(held.id, by=HeldBy.VISITOR))
        await hall.wish(Cancel(left.id))
        clock.wait(minutes=2)
        chosen = await hall.issue()
        await hall.wish(CallChosen(chosen.id, counter="2", reason="has a train to catch"))
        await hall.wish(Start(chosen.id))
        return (await hall.now()).state()
