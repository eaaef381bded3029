"""What a page tells its reader to type works as it is written.

A block marked `sh runs` is typed into a terminal, one marked `sh serves` is left running in another.
"""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, PAGES, ROOT, blocks, named
from tests.docs.reader import Reader

README, TUTORIAL = ROOT / "README.md", DOCS / "tutorial.md"


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    reader = Reader(tmp_path)
    yield reader
    reader.leave()


def test_the_first_two_minutes(reader: Reader) -> None:
    [served], [typed] = reader.follow(README)

    issued, opened, called = (json.loads(line) for line in typed.splitlines())
    assert (issued["number"], issued["state"]) == ("A001", "waiting")
    assert (opened["counter"], opened["state"]) == ("1", "open")
    assert (called["number"], called["state"], called["counter"]) == ("A001", "called", "1")
    assert curls(served) == curls("\n".join(block.text for block in blocks(README)))


def test_a_first_day(reader: Reader) -> None:
    served, typed = reader.follow(TUTORIAL)

    everything = "\n".join(typed)
    assert set(re.findall(r"/problems/([\w-]+)", everything)) == {"counter-busy"}
    assert everything.count("no difference") == 3
    assert len(set(re.findall(r'{"id":"\d+-B001".*', everything))) == 1
    assert "DEMO CLOCK" in served[1]
    assert "no errors" in everything


@pytest.mark.parametrize("page", [page for page in PAGES if page not in (README, TUTORIAL)], ids=named)
def test_only_pages_that_are_followed_promise_that_their_commands_run(page: Path) -> None:
    assert [block.info for block in blocks(page) if block.info.startswith("sh ")] == []


def curls(text: str) -> list[list[str]]:
    """The calls of curl in a text, word by word."""
    joined = text.replace("\\\n", " ")
    return [shlex.split(line) for line in joined.splitlines() if line.strip().startswith("curl ")]
