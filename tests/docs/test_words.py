"""What is written anywhere is for everybody: no file tells of the machine that it was written on."""

import re
import subprocess
from pathlib import Path

from tests.docs.pages import PAGES, ROOT, named

SOMEBODYS_HOME = r"(?:/home|/Users)/\w+|/root/\w+|[A-Z]:\\Users"
CHECKOUT = rf"(?<![\w./-]){re.escape(str(ROOT))}(?![\w-])"
BINARY = {".png", ".gz", ".ico", ".woff2"}


def files() -> list[Path]:
    """Everything that belongs to the repository, or would with the next commit."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        # A copy without its history: whatever lies where files of ours lie.
        return [path for folder in ("app", "queue_core", "migrations", "docs") for path in (ROOT / folder).rglob("*.*")]
    return [ROOT / name for name in listed.stdout.split("\0") if name]


def test_no_file_names_a_machines_paths() -> None:
    # A checkout right below the root, such as /app in a container, is a word like any other.
    path = re.compile(f"{SOMEBODYS_HOME}|{CHECKOUT}" if len(ROOT.parts) > 2 else SOMEBODYS_HOME)

    telling = {
        f"{named(file)}: {found[0]}"
        for file in files()
        if file.is_file() and file.suffix not in BINARY and file != Path(__file__)
        if (found := path.search(file.read_text(encoding="utf-8", errors="replace")))
    }

    assert telling == set()


def test_pages_are_finished() -> None:
    unfinished = [
        f"{named(page)}: {word[0]}" for page in PAGES if (word := re.search(r"TODO|FIXME|TBD|XXX", page.read_text()))
    ]

    assert unfinished == []
