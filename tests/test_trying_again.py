"""A test that holds a bound by the machine's clock may try again twice; every other one passes the first time."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

THIRD_TIME_LUCKY = """
import pathlib, pytest
TRIES = pathlib.Path(__file__).with_suffix(".tries")

{marked}
def test_of_a_busy_machine():
    with TRIES.open("a") as tries:
        tries.write("x")
    assert len(TRIES.read_text()) == 3
"""


@pytest.mark.parametrize(("marked", "tries", "status"), [("@pytest.mark.timed", 3, 0), ("", 1, 1)])
def test_only_what_is_timed_tries_again_and_the_log_says_so(
    tmp_path: Path, marked: str, tries: int, status: int
) -> None:
    test = tmp_path / "test_luck.py"
    test.write_text(THIRD_TIME_LUCKY.format(marked=marked))

    ran = pytest_on(test)

    assert ran.returncode == status, ran.stdout
    assert len(test.with_suffix(".tries").read_text()) == tries
    assert ran.stdout.count("RERUN") == tries - 1


def test_nothing_else_is_marked_to_try_again(tmp_path: Path) -> None:
    test = tmp_path / "test_luck.py"
    test.write_text(THIRD_TIME_LUCKY.format(marked="@pytest.mark.flaky(reruns=5)"))

    ran = pytest_on(test)

    assert ran.returncode == pytest.ExitCode.USAGE_ERROR
    assert "Only what is `timed` may try again" in ran.stdout + ran.stderr


def pytest_on(test: Path) -> "subprocess.CompletedProcess[str]":
    words = ("-p", "tests.conftest", "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(test.parent))
    return subprocess.run(
        [sys.executable, "-m", "pytest", *words, "-p", "no:cacheprovider", str(test)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
