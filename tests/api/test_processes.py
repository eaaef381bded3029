"""Two servers on one PostgreSQL are one office."""

from collections.abc import AsyncIterator

import pytest

from app.clock import SystemClock
from app.settings import Settings
from tests.api.conftest import Centre, running

Both = tuple[Centre, Centre]


@pytest.fixture
async def both(postgres_url: str) -> AsyncIterator[Both]:
    """The centre at two servers."""
    settings = Settings(database=postgres_url)
    async with running(settings, SystemClock()) as one, running(settings, SystemClock()) as other:
        await one.describe()
        await one.post("/open-day")
        yield one, other


async def test_a_ticket_issued_at_one_is_called_at_the_other(both: Both) -> None:
    one, other = both
    issued = await one.issue(key="of-the-kiosk")
    await other.open()

    called = await other.call_next(key="of-the-operator")

    assert (issued.json()["number"], called.json()["id"]) == ("A001", issued.json()["id"])


async def test_a_retry_at_the_other_gets_the_first_reply(both: Both) -> None:
    one, other = both
    first = await one.issue(key="of-the-kiosk")

    again = await other.issue(key="of-the-kiosk")

    assert (again.status_code, again.content) == (201, first.content)


async def test_numbers_go_on_whoever_issues(both: Both) -> None:
    numbers = [(await both[turn % 2].issue(key=f"kiosk-{turn}")).json()["number"] for turn in range(6)]

    assert numbers == ["A001", "A002", "A003", "A004", "A005", "A006"]
