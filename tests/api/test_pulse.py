"""Machines ask how the server does, and the command line what only the server can do."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.clock import DemoClock
from app.door import HEADER
from app.journal import open_journal
from app.settings import Settings
from tests.api.conftest import Centre, SetClock, on_each_database, running


async def test_a_living_process_says_so(centre: Centre) -> None:
    assert (await centre.http.get("/livez")).json() == {"alive": True}


@on_each_database
async def test_a_server_is_ready_when_database_and_watch_are(centre: Centre) -> None:
    ready = await centre.http.get("/readyz")

    told = ready.json()
    assert {"writer", "watch", "patience"} <= told.pop("tasks").keys()
    assert (ready.status_code, told) == (
        200,
        {"database": "writable", "migrations": "at head", "watch": "awake", "past": "whole", "clock": "right"},
    )


async def test_a_server_whose_watch_sleeps_is_not_ready(centre: Centre) -> None:
    await centre.app.state.watch.stop()
    centre.app.state.watch._last_pulse = None

    refused = await centre.http.get("/readyz")

    assert (refused.status_code, refused.json()["watch"]) == (503, "asleep")


async def test_metrics_are_served(centre: Centre) -> None:
    await centre.issue()

    metrics = await centre.http.get("/metrics")

    assert metrics.headers["content-type"].startswith("text/plain")
    assert 'queue_tickets_issued_total{office="centre",service="advice",channel="walk_in"} 1' in metrics.text


@pytest.mark.parametrize("path", ["/admin/verify", "/admin/backup"])
@pytest.mark.parametrize("secret", [None, b"", b"guess", "пароль".encode()])
async def test_the_administrators_door_is_shut_to_others(centre: Centre, path: str, secret: bytes | None) -> None:
    headers = {} if secret is None else {HEADER.encode(): secret}

    refused = await centre.http.post(path, json={"path": "/nowhere/copy.db"}, headers=headers)

    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/admin-door-shut")


async def test_the_administrator_has_the_journal_verified_while_it_is_served(centre: Centre) -> None:
    await centre.issue()

    verdict = await centre.http.post("/admin/verify", headers={HEADER: centre.app.state.secret})

    assert verdict.json() == {"offices": 1, "facts": 3, "tickets": 1, "difference": None}


async def test_the_administrator_has_the_journal_copied_while_it_is_served(centre: Centre, tmp_path: Path) -> None:
    await centre.issue()
    copy = tmp_path / "copy.db"
    door = {HEADER: centre.app.state.secret}

    made = await centre.http.post("/admin/backup", json={"path": str(copy)}, headers=door)
    again = await centre.http.post("/admin/backup", json={"path": str(copy)}, headers=door)
    nowhere = await centre.http.post("/admin/backup", json={"path": str(tmp_path / "no" / "copy.db")}, headers=door)

    assert made.status_code == 200
    journal = open_journal(str(copy))
    assert len(journal.history("centre", "20261123-A001")) == 1
    journal.close()
    assert [answer.json()["type"] for answer in (again, nowhere)] == ["/problems/backup-refused"] * 2


async def test_a_demo_clock_is_marked_on_every_response(tmp_path: Path) -> None:
    clock = DemoClock(60, datetime(2026, 11, 23, 8, tzinfo=UTC))
    settings = Settings(database=str(tmp_path / "demo.db"), demo_speed=60, example=True)

    async with running(settings, clock) as centre:
        state = await centre.get()
        missing = await centre.http.get("/nothing")
        centre.app.state.hub = None
        crashed = await centre.get("/stream")

    assert state.json()["demo"] == "60x"
    assert [answer.headers["fifteen-demo-clock"] for answer in (state, missing, crashed)] == ["60x"] * 3


async def test_the_real_clock_is_not_marked(centre: Centre) -> None:
    assert "fifteen-demo-clock" not in (await centre.get()).headers


async def test_an_empty_journal_can_begin_with_the_example_office(tmp_path: Path) -> None:
    settings = Settings(database=str(tmp_path / "fifteen.db"), example=True)

    async with running(settings, SetClock()) as centre:
        first = await centre.issue("result")
    async with running(settings, SetClock()) as centre:
        second = await centre.issue("result", key="of-the-second-start")

    assert [ticket.json()["number"] for ticket in (first, second)] == ["A001", "A002"]
