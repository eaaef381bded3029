"""Every link leads somewhere, every page can be found, and every file that is named is there."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, PAGES, ROOT, anchors, codes, links, named, prose

START = ROOT / "README.md"
FILE = re.compile(
    r"(?:app|queue_core|migrations|tests|bench|examples|docs|deploy|\.ci)/[\w./-]*|[\w-]+\.(?:py|lock|md)"
)

each_page = pytest.mark.parametrize("page", PAGES, ids=named)


@each_page
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in links(page):
        if "://" not in link:
            target, _, anchor = link.partition("#")
            path = (page.parent / target).resolve() if target else page
            assert path.exists(), f"{named(page)}: {link}"
            assert not anchor or anchor in anchors(path), f"{named(page)}: {link}"


def test_every_page_can_be_reached_from_the_first() -> None:
    reached, unread = {START}, [START]
    while unread:
        page = unread.pop()
        paths = {(page.parent / link.partition("#")[0]).resolve() for link in links(page) if "://" not in link}
        new = {path for path in paths if path.suffix == ".md"} - reached
        reached |= new
        unread += new

    assert set(PAGES) - reached == set()


@each_page
def test_every_file_that_is_named_is_there(page: Path) -> None:
    words = (word for line in prose(page) for word in codes(line))
    paths = [word for word in words if FILE.fullmatch(word)]

    missing = [path for path in paths if not any((start / path).exists() for start in (ROOT, page.parent, DOCS))]

    assert missing == []
