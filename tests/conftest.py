"""What every test may count on."""

import os
import shutil
from collections import Counter
from collections.abc import Generator

import pytest
from hypothesis import settings

pytest_plugins = ("tests.postgres",)

# A failure prints the line that replays it. Deadlines say more about the machine than about the hall.
settings.register_profile("everyday", deadline=None, print_blob=True)
settings.register_profile("thorough", settings.get_profile("everyday"), max_examples=2_000)
settings.load_profile("everyday")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


def pytest_addoption(parser: pytest.Parser) -> None:
    everything = bool(os.environ.get("CI"))
    parser.addoption(
        "--require-all",
        action="store_true",
        default=everything,
        help="a test that is left out counts as failed; so it is whenever CI is set",
    )


TRIES_AGAIN = 2
"""How often a test that holds a bound by the machine's clock may try again. No other test may."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if trying := [item.nodeid for item in items if item.get_closest_marker("flaky")]:
        raise pytest.UsageError(f"Only what is `timed` may try again, by itself: {', '.join(trying)}")
    for item in items:
        if item.get_closest_marker("timed"):
            item.add_marker(pytest.mark.flaky(reruns=TRIES_AGAIN))
    # Of tests with one name only the first would run where several run at a time, and nobody would be told.
    doubled = [name for name, count in Counter(item.nodeid for item in items).items() if count > 1]
    if doubled:
        raise pytest.UsageError(f"Tests share a name: {', '.join(doubled)}")


def pytest_runtest_setup(item: pytest.Item) -> None:
    for program in (program for marker in item.iter_markers("needs") for program in marker.args):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and call.excinfo and item.config.getoption("require_all"):
        report.outcome = "failed"
        report.longrepr = f"Left out, though everything is required: {call.excinfo.value}"
    return report
