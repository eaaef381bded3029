"""The documentation as its tests read it: pages, tables, links, blocks."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])

CODE = re.compile(r"`([^`]+)`")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"#+ +(.*)")
FENCE = re.compile(r" *(```+)(.*)")

Row = dict[str, str]
"""A line of a table by the headings of its columns."""


@dataclass(frozen=True)
class Block:
    """A fenced block: what stands after the fence, and the lines within."""

    info: str
    text: str


def named(path: Path) -> str:
    """A page as a failing test calls it."""
    return str(path.relative_to(ROOT))


def codes(cell: str) -> list[str]:
    """Whatever stands in backticks."""
    return CODE.findall(cell)


def rows(page: Path, *columns: str, under: str | None = None) -> list[Row]:
    """The lines of all tables with these first columns, in the section `under` if one is named."""
    return [row for heading, row in _rows(page) if tuple(row)[: len(columns)] == columns and under in (None, heading)]


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    found, info, lines = [], None, list[str]()
    for line in page.read_text(encoding="utf-8").splitlines():
        fence = FENCE.fullmatch(line)
        if fence and info is None:
            info, lines = fence[2].strip(), []
        elif fence and info is not None:
            found.append(Block(info, "\n".join(lines)))
            info = None
        else:
            lines.append(line)
    assert info is None, f"{named(page)}: a block has no end"
    return found


def prose(page: Path) -> Iterator[str]:
    """The lines outside of fenced blocks."""
    fenced = False
    for line in page.read_text(encoding="utf-8").splitlines():
        if FENCE.fullmatch(line):
            fenced = not fenced
        elif not fenced:
            yield line


def links(page: Path) -> list[str]:
    """Where the links and pictures of a page lead."""
    return LINK.findall("\n".join(prose(page)))


def anchors(page: Path) -> set[str]:
    """The headings of a page as a link names them."""
    headings = (HEADING.fullmatch(line) for line in prose(page))
    return {re.sub(r"[^\w\- ]", "", heading[1].lower()).strip().replace(" ", "-") for heading in headings if heading}


def _rows(page: Path) -> Iterator[tuple[str, Row]]:
    heading, header = "", None
    for line in prose(page):
        if title := HEADING.fullmatch(line):
            heading = title[1].strip("`")
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|"):
            header = None
        elif header is None:
            header = cells
        elif not re.fullmatch(r"[|\-: ]+", line):
            cells += [""] * (len(header) - len(cells))
            yield heading, dict(zip(header, cells, strict=True))
