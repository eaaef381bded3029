"""A SQLite journal's files while they are open, what lies beside them, and the head that is kept outside.

Nothing here opens the database's own file: to close it again would give up every lock this process holds on it.
"""

import json
import os
from hashlib import sha256
from pathlib import Path
from time import monotonic

import structlog

from app.journal.errors import JournalRefused, PastLost
from queue_core.values import value

log = structlog.get_logger(__name__)

REMAINS = ("-wal", "-journal", "-shm", ".door", ".head")
"""What a file that once was a journal may leave beside it."""

HEAD_BYTES = 512
"""A head is padded to one sector, so that it is written whole or not at all."""

SYNC_SECONDS = 1.0
"""How far a head may be behind after a power cut. One that is behind vouches for less, and is never wrong."""

_Seen = tuple[tuple[int, int, int] | None, tuple[int, int, int] | None]
"""Device, inode and size of a file and of its log; None: it is not there."""


@value()
class Head:
    """A line that was committed."""

    office_id: str
    seq: int
    hash: bytes


def head_file(path: Path) -> Path:
    """Where the head of a journal is kept."""
    return path.with_name(f"{path.name}.head")


def remains_of(path: Path) -> list[Path]:
    """What lies beside a journal's file, or where one was."""
    return [beside for end in REMAINS if (beside := path.with_name(f"{path.name}{end}")).exists()]


def refuse_remains(path: Path) -> None:
    """Nothing, or JournalRefused: a journal was here, and a new one would begin without its tickets."""
    if remains := remains_of(path):
        names = ", ".join(beside.name for beside in remains)
        raise JournalRefused(
            f"{path} is not there, but {names} is: a journal was here. Put its file back, or the last backup; "
            f"to begin a new journal all the same, put {names} aside first."
        )


class LiveFile:
    """The file of an open journal and its log: this process alone changes them, so they are as it left them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._paths = (str(path), f"{path}-wal")
        self._seen: _Seen | None = None

    def check(self) -> None:
        """Nothing, or PastLost: file or log are gone, are others, or somebody cut or filled them."""
        found = self._look()
        if self._seen is not None and found != self._seen:
            raise self._lost(found)
        if found[0] is not None:
            self._seen = found

    def note(self) -> None:
        """After a commit: file and log may have grown, but PastLost when they are not the same any more."""
        before, found = self._seen, self._look()
        if before is not None and not _is_same(before, found):
            raise self._lost(found)
        self._seen = found

    def _look(self) -> _Seen:
        file, log_file = map(_identity, self._paths)
        return file, log_file

    def _lost(self, found: _Seen) -> PastLost:
        return PastLost(
            f"{self._path} {_what_happened(self._seen, found)} while this server had it open. Nothing is taken any "
            "more; this server still knows what it acknowledged: `fifteen backup` writes it into a new file. Then stop "
            f"the server, put {self._path.name} and all beside it whose name begins so aside, put the copy in its "
            "place, and start again."
        )


def _identity(path: str) -> tuple[int, int, int] | None:
    try:
        # Looked at four times with every commit, and a Path takes twice as long.
        found = os.stat(path)  # noqa: PTH116
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size


def _is_same(before: _Seen, found: _Seen) -> bool:
    """Whether these are the same files, whatever their sizes; one that was not there may have been begun."""
    return all(was is None or (now is not None and was[:2] == now[:2]) for was, now in zip(before, found, strict=True))


def _what_happened(before: _Seen | None, found: _Seen) -> str:
    file, log_file = found
    if file is None:
        return "was removed or moved"
    if before and before[0] and file[:2] != before[0][:2]:
        return "was replaced by another file"
    if before and file == before[0]:
        return "lost its -wal" if log_file is None else "had its -wal changed by somebody else"
    return "was changed by somebody else"


class HeadFile:
    """Which line was committed last, in a small file beside the journal, so that a log cut short is noticed.

    It is written after the commit and read at the start. A crash may leave it behind the journal, and then it vouches
    for less; it is never ahead of what the disk has acknowledged.
    """

    def __init__(self, path: Path) -> None:
        self._path = head_file(path)
        self._descriptor: int | None = None
        self._synced_at = 0.0

    def keep(self, head: Head) -> None:
        """Note a line that is committed. A head that cannot be written is no reason to refuse what is."""
        text = json.dumps([head.office_id, head.seq, head.hash.hex()], ensure_ascii=False)
        line = f"{_checksum(text)} {text}\n".encode()
        try:
            if self._descriptor is None:
                self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            os.pwrite(self._descriptor, line.ljust(HEAD_BYTES), 0)
            if monotonic() - self._synced_at > SYNC_SECONDS:
                self._sync()
        except OSError as error:
            log.warning("the head of the journal could not be kept", file=str(self._path), error=error.strerror)

    def read(self) -> Head | None:
        """The line that was noted last; None when nothing readable is there."""
        try:
            line = self._path.read_bytes().split(b"\n", 1)[0].decode()
            checksum, _, text = line.partition(" ")
            office_id, seq, hashed = json.loads(text)
            if checksum == _checksum(text):
                return Head(office_id, seq, bytes.fromhex(hashed))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError):
            pass
        log.warning("the head of the journal cannot be read and vouches for nothing", file=str(self._path))
        return None

    def close(self) -> None:
        """Let go of the file."""
        if self._descriptor is not None:
            self._sync()
            os.close(self._descriptor)
            self._descriptor = None

    def _sync(self) -> None:
        if self._descriptor is not None:
            os.fdatasync(self._descriptor)
            self._synced_at = monotonic()


def _checksum(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:16]
