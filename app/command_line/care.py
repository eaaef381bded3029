"""Verifying and backing up: through the server where it holds the file, else on the database itself."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory
from typing import Any

import typer

from app.command_line.knocking import asked, live_server
from app.command_line.sorry import Sorry
from app.journal import Journal, JournalUnwritable, Verification, open_journal
from app.settings import Settings


def verify(settings: Settings) -> None:
    """Print what was compared; Sorry with the first difference."""
    with live_server(settings.database) as server:
        verdict = asked(server, "POST", "/admin/verify") if server else _verdict(settings.database)
    counted = f"offices: {verdict['offices']}, facts: {verdict['facts']}, tickets: {verdict['tickets']}"
    if verdict["difference"]:
        raise Sorry(f"{counted} compared, then a difference: {verdict['difference']}")
    typer.echo(f"{counted} compared, no difference")


def back_up(settings: Settings, path: Path) -> None:
    """Write the copy."""
    with live_server(settings.database) as server:
        if server:
            asked(server, "POST", "/admin/backup", {"path": str(path.absolute())})
        else:
            _copy(settings.database, path)
    typer.echo(f"{settings.database} is copied into {path}")


def _verdict(database: str) -> Mapping[str, Any]:
    try:
        with _existing(database) as journal:
            return asdict(Verification(journal, alone=True).run())
    except JournalUnwritable:
        return _verdict_on_a_copy(Path(database))


def _verdict_on_a_copy(path: Path) -> Mapping[str, Any]:
    """On media that cannot be written: opening a journal would finish what its log holds, and bring its schema up."""
    with TemporaryDirectory(prefix="fifteen-verify-") as directory:
        copy = Path(directory) / path.name
        for suffix in ("", "-wal"):
            if (written := path.with_name(path.name + suffix)).exists():
                copyfile(written, copy.with_name(copy.name + suffix))
        typer.echo(f"{path} cannot be written; a copy of it in {directory} is verified", err=True)
        return _verdict(str(copy))


def _copy(database: str, path: Path) -> None:
    with _existing(database) as journal:
        try:
            journal.backup(path)
        except OSError as error:
            raise Sorry(f"{path} cannot be written: {error.strerror}") from error


@contextmanager
def _existing(database: str) -> Iterator[Journal]:
    """A journal that is there already, real or demo."""
    if "://" not in database and not Path(database).exists():
        raise Sorry(f"{database} does not exist. Name the journal with --database.")
    journal = open_journal(database, demo=None)
    try:
        yield journal
    finally:
        journal.close()
        journal.database.close()
