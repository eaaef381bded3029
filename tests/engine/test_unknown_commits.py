"""A commit without an answer may have happened or not. The engine finds out, and answers once and right."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from sqlalchemy import Connection, NullPool, create_engine, make_url
from structlog.testing import capture_logs

from app.engine import OutcomeUnknown, Stopping
from queue_core.commands import CallNext, Command, Finish, Issue, PauseCounter, Recall, Start, Tick
from queue_core.tickets import Ticket
from tests.engine.hall import HandClock, LiveHall, live_hall, office_with, outcomes, soon, until_known
from tests.engine.proxy import Cut, Proxy, proxy_before

EITHER = pytest.mark.parametrize("cut", Cut)


@pytest.fixture
async def proxy(empty_database: str) -> AsyncIterator[Proxy]:
    """The network to an empty database."""
    async with proxy_before(empty_database) as proxy:
        yield proxy


@pytest.fixture
async def far_hall(proxy: Proxy, clock: HandClock) -> AsyncIterator[LiveHall]:
    """The office, served by a process whose database is at the other end of that network."""
    async with live_hall(proxy.address, clock, office=office_with(12)) as hall:
        await hall.open()
        yield hall


@EITHER
@pytest.mark.parametrize("key", ["press 1", None])
async def test_a_ticket_is_issued_once_and_its_visitor_gets_it(
    far_hall: LiveHall, proxy: Proxy, cut: Cut, key: str | None
) -> None:
    proxy.cut(cut)

    ticket = await far_hall.issue(key=key)

    assert proxy.has_cut
    assert ticket.number == "A001"
    assert [line.ticket_id for line in await far_hall.lines() if line.kind == "Issued"] == [ticket.id]
    assert await far_hall.is_as_the_journal_says()


@EITHER
async def test_every_step_of_a_visit_is_made_once(far_hall: LiveHall, proxy: Proxy, cut: Cut) -> None:
    steps: list[tuple[Command, str]] = [
        (Issue("passport"), "Issued"),
        (CallNext("1"), "Called"),
        (Recall("20261123-A001"), "Recalled"),
        (Start("20261123-A001"), "Started"),
        (Finish("20261123-A001"), "Served"),
        (PauseCounter("1", reason="tea"), "CounterPaused"),
    ]

    for command, fact in steps:
        proxy.cut(cut)
        await far_hall.wish(command, key=f"press {fact}")
        assert (await far_hall.kinds())[-1] == fact

    assert proxy.has_cut
    assert (await far_hall.kinds())[-len(steps) :] == [fact for _, fact in steps]
    assert await far_hall.is_as_the_journal_says()


@EITHER
async def test_nobody_is_answered_when_nobody_waited(far_hall: LiveHall, proxy: Proxy, cut: Cut) -> None:
    proxy.cut(cut)

    nobody = await far_hall.call(key="press 1")

    assert proxy.has_cut
    assert nobody is None
    await far_hall.issue()
    assert await far_hall.call(key="press 1") is None


@pytest.mark.parametrize(
    "cuts",
    [
        [Cut.BEFORE_THE_COMMIT] * 3,
        [Cut.AFTER_THE_COMMIT],
        [Cut.BEFORE_THE_COMMIT, Cut.AFTER_THE_COMMIT],
    ],
)
async def test_a_whole_batch_is_answered_as_it_was_committed(far_hall: LiveHall, proxy: Proxy, cuts: list[Cut]) -> None:
    proxy.cut(*cuts)

    tickets = await asyncio.gather(
        *(far_hall.issue(key=f"press {press}" if press % 2 else None) for press in range(40))
    )

    assert proxy.has_cut
    assert [ticket.serial for ticket in tickets] == list(range(1, 41))
    assert (await far_hall.kinds()).count("Issued") == 40
    assert await far_hall.is_as_the_journal_says()


@EITHER
async def test_listeners_hear_of_it_once(far_hall: LiveHall, proxy: Proxy, cut: Cut) -> None:
    heard: list[int] = []
    far_hall.engine.subscribe(lambda _office, _hall, facts: heard.extend(line.seq for line in facts))
    already = len(await far_hall.lines())
    proxy.cut(cut)

    await asyncio.gather(*(far_hall.issue() for _ in range(5)))

    assert heard == list(range(already + 1, already + 6))


async def test_two_processes_race_over_a_bad_network(
    empty_database: str, far_hall: LiveHall, proxy: Proxy, clock: HandClock
) -> None:
    async with live_hall(empty_database, clock, office=far_hall.office) as near:
        proxy.cut(*[Cut.BEFORE_THE_COMMIT, Cut.AFTER_THE_COMMIT] * 4)

        tickets = await asyncio.gather(
            *(
                hall.issue(key=f"{name} {press}")
                for press in range(40)
                for name, hall in (("near", near), ("far", far_hall))
            )
        )
        called = await outcomes(
            hall.call(str(counter), key=f"call {counter} at {hall.engine}")
            for counter in range(1, 13)
            for hall in (near, far_hall)
        )

        assert sorted(ticket.serial for ticket in tickets) == list(range(1, 81))
        visitors = [ticket.id for ticket in called if isinstance(ticket, Ticket)]
        assert len(visitors) == len(set(visitors)) == 12
        assert await near.is_as_the_journal_says()
        await soon(lambda: stand_alike(near, far_hall))


async def test_a_line_that_another_process_wrote_as_well_proves_nothing(
    empty_database: str, far_hall: LiveHall, proxy: Proxy, clock: HandClock
) -> None:
    north = LiveHall(far_hall.engine, replace(far_hall.office, id="north"))
    await north.open()
    await far_hall.issue()
    clock.wait(minutes=20)
    async with live_hall(empty_database, clock, office=far_hall.office) as near:
        proxy.cut(Cut.BEFORE_THE_COMMIT, and_go_down=True)
        far = asyncio.gather(north.issue(key="press 1"), far_hall.wish(Tick()))
        await soon(lambda: proxy.has_cut)
        await near.wish(Tick())
        proxy.come_back()
        visitor, _ = await far

    assert [line.ticket_id for line in await north.lines() if line.kind == "Issued"] == [visitor.id]
    assert await north.is_as_the_journal_says()
    assert await far_hall.is_as_the_journal_says()


@pytest.mark.parametrize("key", ["press 1", None])
async def test_a_commit_that_is_only_slow_is_not_made_twice(
    far_hall: LiveHall, proxy: Proxy, empty_database: str, key: str | None
) -> None:
    with slow_commits(empty_database) as watcher:
        visitor = asyncio.create_task(far_hall.issue(key=key))
        await soon(lambda: blocked(watcher) == 1)
        proxy.go_down()
        proxy.come_back()
        # The engine has asked, has not found it, and tries again: now two transactions want the same seq.
        await soon(lambda: blocked(watcher) == 2)

    assert (await visitor).number == "A001"
    assert (await far_hall.kinds()).count("Issued") == 1
    commit_quickly_again(empty_database)
    assert await far_hall.is_as_the_journal_says()


async def test_a_database_that_takes_no_writes_is_asked_now_and_then(
    far_hall: LiveHall, proxy: Proxy, empty_database: str
) -> None:
    began = asyncio.get_running_loop().time()
    with read_only(empty_database), capture_logs() as logs:
        proxy.go_down()
        proxy.come_back()
        visitor = asyncio.create_task(far_hall.issue())
        await soon(lambda: len([line for line in logs if line["event"].startswith("a commit got no answer")]) >= 5)
    tried_for = asyncio.get_running_loop().time() - began

    assert (await visitor).number == "A001"
    assert tried_for > 0.3


async def test_an_outage_is_waited_for(far_hall: LiveHall, proxy: Proxy) -> None:
    proxy.go_down()
    visitors = [asyncio.create_task(far_hall.issue()) for _ in range(10)]
    await asyncio.sleep(0.2)
    assert not any(visitor.done() for visitor in visitors)

    proxy.come_back()

    assert [(await visitor).serial for visitor in visitors] == list(range(1, 11))
    assert await far_hall.is_as_the_journal_says()


async def test_during_an_outage_the_hall_is_seen_as_it_was_committed_last(far_hall: LiveHall, proxy: Proxy) -> None:
    first, before = await far_hall.issue(), await far_hall.now()
    seq = before.seq
    proxy.go_down()
    visitor = asyncio.create_task(far_hall.issue())
    with capture_logs() as logs:
        await soon(lambda: any(line["event"].startswith("a commit got no answer") for line in logs))

    during = await far_hall.now()
    assert (during.seq, list(during.tickets)) == (seq, [first.id])
    assert not visitor.done()

    proxy.come_back()
    assert (await visitor).number == "A002"
    assert await far_hall.is_as_the_journal_says()


@pytest.fixture
async def impatient_hall(proxy: Proxy, clock: HandClock) -> AsyncIterator[LiveHall]:
    """The office at the end of that network, served by a process that does not wait long for it."""
    async with live_hall(proxy.address, clock, patience_seconds=0.3) as hall:
        await until_known(hall.open)
        yield hall


async def test_whoever_waited_too_long_learns_the_outcome_by_the_same_key(
    impatient_hall: LiveHall, proxy: Proxy
) -> None:
    hall = impatient_hall
    proxy.go_down()
    for _ in range(2):
        with pytest.raises(OutcomeUnknown) as unknown:
            await hall.issue(key="press 1")

    proxy.come_back()
    ticket = await until_known(lambda: hall.issue(key="press 1"))

    assert unknown.value.particulars == {"retry_after": 5}
    assert ticket.number == "A001"
    assert await until_known(lambda: hall.issue(key="press 1")) == ticket
    assert (await hall.kinds()).count("Issued") == 1
    assert await hall.is_as_the_journal_says()


@EITHER
async def test_an_outcome_that_became_unknown_is_found_by_its_key(
    impatient_hall: LiveHall, proxy: Proxy, cut: Cut
) -> None:
    proxy.cut(cut)
    visitor = asyncio.create_task(impatient_hall.issue(key="press 1"))
    await soon(lambda: proxy.has_cut)
    proxy.go_down()
    with pytest.raises(OutcomeUnknown):
        await visitor

    proxy.come_back()

    assert (await until_known(lambda: impatient_hall.issue(key="press 1"))).number == "A001"
    assert (await impatient_hall.kinds()).count("Issued") == 1


async def test_what_was_never_decided_does_not_happen_later(impatient_hall: LiveHall, proxy: Proxy) -> None:
    proxy.go_down()
    in_flight = asyncio.create_task(impatient_hall.issue(key="the first"))
    for _ in range(5):
        await asyncio.sleep(0)
    behind = await outcomes(impatient_hall.issue() for _ in range(10))

    proxy.come_back()
    await outcomes([in_flight])
    await until_known(lambda: impatient_hall.issue(key="the first"))

    assert all(isinstance(outcome, OutcomeUnknown) for outcome in behind)
    assert (await impatient_hall.kinds()).count("Issued") == 1


async def test_nobody_is_left_waiting_when_the_end_comes_during_an_outage(proxy: Proxy, clock: HandClock) -> None:
    async with live_hall(proxy.address, clock, patience_seconds=0.3) as hall:
        await until_known(hall.open)
        proxy.go_down()
        visitors = [asyncio.create_task(hall.issue()) for _ in range(3)]
        await asyncio.sleep(0)

    found = await asyncio.wait_for(outcomes(visitors), 30)
    assert {type(refusal) for refusal in found} <= {OutcomeUnknown, Stopping}


async def stand_alike(near: LiveHall, far: LiveHall) -> bool:
    return (await near.now()).state() == (await far.now()).state()


@contextmanager
def slow_commits(address: str) -> Iterator[Connection]:
    """No commit of facts comes to an end as long as the block lasts; somebody who can look on."""
    engine = create_engine(address, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(SLOW_COMMITS)
        connection.exec_driver_sql("SELECT pg_advisory_lock(15)")
        yield connection
        connection.exec_driver_sql("SELECT pg_advisory_unlock(15)")


def commit_quickly_again(address: str) -> None:
    """Take the trigger away, which would be a difference in the schema."""
    engine = create_engine(address, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("DROP FUNCTION wait_a_moment() CASCADE")


SLOW_COMMITS = """
CREATE FUNCTION wait_a_moment() RETURNS trigger LANGUAGE plpgsql
    AS 'BEGIN PERFORM pg_advisory_xact_lock_shared(15); RETURN NULL; END';
CREATE CONSTRAINT TRIGGER slowly AFTER INSERT ON facts DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION wait_a_moment();
"""


@contextmanager
def read_only(address: str) -> Iterator[None]:
    """New connections may not write, as on a server that has become a standby."""
    database = make_url(address).database
    ours = {"options": "-c default_transaction_read_only=off"}
    engine = create_engine(address, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args=ours)
    with engine.connect() as connection:
        connection.exec_driver_sql(f"ALTER DATABASE {database} SET default_transaction_read_only = on")
        try:
            yield
        finally:
            connection.exec_driver_sql(f"ALTER DATABASE {database} RESET default_transaction_read_only")


def blocked(connection: Connection) -> int:
    """How many transactions wait for a lock."""
    waiting: int = connection.exec_driver_sql(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    ).scalar_one()
    return waiting
