"""A task or thread that ends is begun again, whatever ended it, and the hall goes on."""

import asyncio
import ctypes
from functools import partial

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import make_url

from app.supervision import Life, Lives
from app.watch import Watch
from tests.engine.hall import HandClock, LiveHall, live_hall, soon
from tests.engine.test_two_processes import knows
from tests.journal.databases import address, empty_database, opened, reused_database
from tests.journal.writing import changed, small_day, write_silently
from tests.postgres import Postgres

__all__ = ["address", "empty_database", "reused_database"]

RUBBISH = ["rubbish", "", "hall", "hall x", "hall -1", "hall ٣", " 7", f"hall {'9' * 4000}", "nobody 5", "hall 999999"]


async def test_what_ends_by_itself_is_begun_again_and_counted() -> None:
    lives, beginnings = Lives(CollectorRegistry()), 0

    async def work(alive: object) -> None:
        nonlocal beginnings
        beginnings += 1
        if beginnings == 1:
            raise SystemError("the first")
        if beginnings == 2:
            return
        await asyncio.Event().wait()

    task = lives.keep("work", work)
    await soon(lambda: beginnings == 3)

    assert lives["work"].restarts == 2
    task.cancel()
    await asyncio.wait([task])
    assert lives.all() == []


async def test_every_task_comes_back_and_the_hall_works(address: str) -> None:
    async with live_hall(address) as hall:
        await hall.open()
        watch = Watch(hall.engine)
        await watch.start()
        lives = [life for life in hall.engine.lives.all() if life.name != "writer"]
        assert {life.name for life in lives} >= {"patience", "watch"}
        for life in lives:
            ended = life.task
            assert ended
            ended.cancel()
            await soon(partial(has_come_back, life, ended))

        visitor = await hall.issue()
        assert isinstance(hall.engine.clock, HandClock)
        hall.engine.clock.wait(minutes=15, seconds=1)
        await soon(lambda: has_breached(hall, visitor.id))
        await watch.stop()


async def test_a_writer_that_ends_ends_the_process(address: str) -> None:
    broken = asyncio.Event()
    async with live_hall(address, on_broken=broken.set) as hall:
        writer = hall.engine.lives["writer"].task
        assert writer
        writer.cancel()

        await soon(broken.is_set)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_a_thread_that_ends_comes_back_and_hears_of_others(empty_database: str) -> None:
    async with live_hall(empty_database) as hall:
        follower = hall.engine._follower
        assert follower
        await soon(lambda: follower.thread is not None and follower.thread.is_alive())
        thread = follower.thread
        assert thread
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(SystemExit))
        await soon(lambda: follower.thread is not thread)

        with opened(empty_database) as journal:
            write_silently(journal, small_day().facts, office_id="silent")
        await soon(lambda: knows(hall, "silent"))


async def test_notifications_that_mean_nothing_are_ignored(empty_database: str) -> None:
    async with live_hall(empty_database) as hall:
        follower = hall.engine._follower
        assert follower
        await soon(lambda: follower.thread is not None)
        thread = follower.thread
        with opened(empty_database) as journal:
            for payload in RUBBISH:
                changed(journal, f"SELECT pg_notify('fifteen', '{payload}')")
            write_silently(journal, small_day().facts, office_id="silent")
        await soon(lambda: knows(hall, "silent"))

        assert follower.thread is thread
        assert not hall.engine.lives["follower"].restarts


@pytest.mark.parametrize("password", ["two words", "100%", "a@b", 'it\'s "so"', "back\\slash", "при/вет?x=1"])
async def test_a_password_of_any_letters_is_handed_on_as_it_is(empty_database: str, password: str) -> None:
    url = make_url(empty_database).set(password=password).render_as_string(hide_password=False)
    async with live_hall(url) as hall:
        follower = hall.engine._follower
        assert follower
        assert follower._keywords["password"] == password
        with opened(empty_database) as journal:
            write_silently(journal, small_day().facts, office_id="silent")

        await soon(lambda: knows(hall, "silent"))


async def test_a_database_that_lets_few_in_is_said_and_asked_again(
    postgres: Postgres, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    address = postgres.fresh_database()
    name = make_url(address).database
    role = f"few_{name}"
    postgres._execute(f"CREATE ROLE {role} LOGIN PASSWORD 'few' CONNECTION LIMIT 2")
    postgres._execute(f"ALTER DATABASE {name} OWNER TO {role}")
    try:
        few = make_url(address).set(username=role).render_as_string(hide_password=False)
        async with live_hall(few) as hall:
            await hall.open()
            await soon(lambda: "too many connections" in capsys.readouterr().out + caplog.text)
            postgres._execute(f"ALTER ROLE {role} CONNECTION LIMIT 20")
            with opened(few) as journal:
                write_silently(journal, small_day().facts, office_id="silent")
            await soon(lambda: knows(hall, "silent"))
    finally:
        postgres._databases.remove(str(name))
        postgres._execute(f"DROP DATABASE {name} WITH (FORCE)")
        postgres._execute(f"DROP ROLE {role}")


async def has_breached(hall: LiveHall, ticket_id: str) -> bool:
    return (await hall.now()).tickets[ticket_id].breached_due is not None


def has_come_back(life: Life, ended: asyncio.Task[None]) -> bool:
    return life.task is not None and life.task is not ended and not life.task.done()
