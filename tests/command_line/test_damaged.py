"""A journal in which a bit has changed is refused with a sentence, or serves: it never ends in a traceback."""

import asyncio
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random

import httpx2
import pytest

from app.clock import SystemClock
from app.command_line.commands import TROUBLES
from app.main import create_app
from app.settings import Settings
from tests.command_line.conftest import Fifteen
from tests.command_line.servers import LiveServer, refused, serving
from tests.journal.databases import opened
from tests.journal.writing import Scribe, small_day

SEED = 20261123
TRIES = 40
BRANCH = Path(__file__).parents[2] / "examples" / "branch.toml"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal of a small day, at rest, with a bit of everything in it."""
    path = tmp_path_factory.mktemp("whole") / "fifteen.db"
    day, scribe = small_day(), Scribe()
    page = scribe.page(day.facts)
    page.answers += [scribe.answer(f"key {number}", day.now) for number in range(20)]
    with opened(str(path)) as journal:
        journal.append(page)
    return path


def with_a_bit_changed(whole: Path, directory: Path, number: int) -> Path:
    """A copy in which one bit is not what it was, somewhere where something is written."""
    random, path = Random(f"{SEED} {number}"), directory / f"fifteen-{number}.db"
    content = bytearray(whole.read_bytes())
    written = [place for place, byte in enumerate(content) if byte]
    content[random.choice(written)] ^= 1 << random.randrange(8)
    path.write_bytes(content)
    return path


def test_a_changed_bit_never_ends_a_start_in_a_traceback(whole: Path, tmp_path: Path) -> None:
    sentences = []
    for number in range(TRIES):
        path = with_a_bit_changed(whole, tmp_path, number)
        try:
            asyncio.run(start_and_stop(path))
        except TROUBLES as trouble:
            sentences.append(str(trouble))

    assert len(sentences) > TRIES / 4
    assert all("fifteen-" in sentence for sentence in sentences)


async def start_and_stop(path: Path) -> None:
    """What `fifteen serve` does before it answers, and at its end."""
    app = create_app(Settings(database=str(path), canary_seconds=0), SystemClock())
    async with app.router.lifespan_context(app):
        pass


def test_a_changed_bit_never_ends_a_backup_in_a_traceback(whole: Path, tmp_path: Path, fifteen: Fifteen) -> None:
    refusals = []
    for number in range(TRIES):
        path = with_a_bit_changed(whole, tmp_path, number)
        done = fifteen("backup", tmp_path / f"copy-{number}.db", "--database", path)
        assert done.exception is None or isinstance(done.exception, SystemExit), (number, done.exception)
        if done.exit_code:
            refusals.append(done.stderr)
            assert not (tmp_path / f"copy-{number}.db").exists()

    assert len(refusals) > TRIES / 3
    assert all("fifteen-" in refusal for refusal in refusals)


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE facts SET body = replace(body, 'Zo', 'Jo'), actor = 'nobody' WHERE seq = 7", "office hall, fact 7,"),
        ("UPDATE facts SET body = CAST(x'7bff7d' AS TEXT) WHERE seq = 7", "office hall, fact 7, which cannot be read"),
        ("UPDATE facts SET at = 'yesterday' WHERE seq = 7", "office hall, fact 7, which cannot be read"),
        ("DELETE FROM facts WHERE seq = 7", "office hall, fact 8,"),
        ("UPDATE tickets SET issued_at = 'yesterday'", "its table tickets cannot be read"),
    ],
)
def test_a_damaged_fact_is_named_by_every_command(
    whole: Path, directory: Path, fifteen: Fifteen, statement: str, found: str
) -> None:
    shutil.copy(whole, "fifteen.db")
    with closing(sqlite3.connect("fifteen.db", isolation_level=None)) as connection:
        connection.execute(statement)

    copied = fifteen("backup", "copy.db")

    assert copied.exit_code == 1
    assert f"fifteen.db is damaged: {found}" in copied.stderr
    assert not Path("copy.db").exists()
    if "fact" in found:
        assert f"fifteen.db is damaged: {found}" in refused(directory)
        applied = fifteen("apply", BRANCH)
        assert applied.exit_code == 1
        assert f"fifteen.db is damaged: {found}" in applied.stderr


def moved(path: Path) -> None:
    path.rename("elsewhere.db")


def replaced(path: Path) -> None:
    shutil.copy(path, "older.db")
    Path("older.db").rename(path)


@pytest.mark.parametrize("harm", [moved, replaced])
def test_a_server_whose_file_is_gone_takes_nothing_and_says_so(
    directory: Path, fifteen: Fifteen, harm: Callable[[Path], None]
) -> None:
    with serving(directory) as server:
        first = server.issue("centre", "advice", "first")
        harm(directory / "fifteen.db")

        answers = [ask_for_a_ticket(server, number) for number in range(10)]
        ready = server.http.get("/readyz")
        rescued = fifteen("backup", "rescued.db")
        stopped = server.stop()

    assert {(answer.status_code, answer.json()["type"]) for answer in answers} == {(503, "/problems/past-gone")}
    assert (ready.status_code, ready.json()["past"]) == (503, "lost")
    assert "fifteen.db was" in ready.json()["reason"]
    assert "the journal has lost its past" in (directory / "server.log").read_text()
    assert (rescued.exit_code, stopped) == (0, 0)
    with opened("rescued.db") as journal:
        assert [line.ticket_id for line in journal.facts_after("centre", 0) if line.kind == "Issued"] == [first]
    if harm is not replaced:
        assert "is not there, but fifteen.db-wal" in refused(directory)


def ask_for_a_ticket(server: LiveServer, number: int) -> httpx2.Response:
    """A press at the kiosk."""
    headers = {"Idempotency-Key": f"press-{number}"}
    return server.http.post("/api/v1/offices/centre/tickets", json={"service": "advice"}, headers=headers)
