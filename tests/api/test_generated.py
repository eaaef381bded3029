"""Any input gets an answer from the documented list."""

import asyncio
import threading
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import httpx2
import pytest
import schemathesis
from hypothesis import HealthCheck, settings

from app.door import HEADER
from app.settings import Settings
from tests.api.conftest import SetClock, running
from tests.api.described import DOCUMENT
from tests.api.served import served

Case = schemathesis.Case[Any]

CONFIG = schemathesis.Config.from_path(Path(__file__).with_name("schemathesis.toml"))

schema = schemathesis.openapi.from_dict(deepcopy(DOCUMENT), config=CONFIG)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator["ServerInThread"]:
    """The example office, served to all these tests in turn."""
    server = ServerInThread(Settings(database=str(tmp_path_factory.mktemp("generated") / "fifteen.db"), example=True))
    server.begin()
    yield server
    server.end()


@pytest.fixture(scope="module")
def address(server: "ServerInThread") -> str:
    """Where it answers."""
    return server.address


class ServerInThread:
    """The application and its server, beside a generator that waits for every answer."""

    def __init__(self, settings: Settings) -> None:
        self.address = ""
        self._settings = settings
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    def begin(self) -> None:
        """Return when it answers."""
        self._thread.start()
        assert self._ready.wait(timeout=30)

    def end(self) -> None:
        """Return when it has stopped."""
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    def verdict(self) -> Any:
        """What a verification of the journal finds."""
        return httpx2.post(f"{self.address}/admin/verify", headers={HEADER: self._secret}, timeout=60).json()

    async def _serve(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        async with running(self._settings, SetClock()) as centre, served(centre.app) as self.address:
            self._secret: str = centre.app.state.secret
            self._ready.set()
            await self._over.wait()


# Schemathesis makes a test for each operation; without a parameter of ours they would all have one name.
@schema.parametrize()
@pytest.mark.parametrize("language", ["ru", "en"])
@settings(max_examples=15, suppress_health_check=list(HealthCheck))
def test_any_request_is_answered_as_documented(case: Case, address: str, language: str) -> None:
    case.call_and_validate(base_url=address, headers={"Accept-Language": language})


def test_any_walk_through_the_hall_is_answered_as_documented(address: str) -> None:
    class Walk(schema.as_state_machine()):  # type: ignore[misc]
        def get_call_kwargs(self, _case: Case) -> dict[str, Any]:
            return {"base_url": address}

    Walk.run(settings=settings(max_examples=10, stateful_step_count=15, suppress_health_check=list(HealthCheck)))


def test_after_all_of_that_the_journal_is_whole(server: "ServerInThread") -> None:
    verdict = server.verdict()

    assert verdict["difference"] is None
    assert verdict["tickets"] > 0
