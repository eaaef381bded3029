"""Bringing a database to the schema this version knows."""

import logging
from importlib.resources import files
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from app.journal.errors import JournalRefused

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0006"
"""The newest migration."""

# Alembic tells at every start what kind of database it has found; only its warnings are news.
logging.getLogger("alembic.runtime.migration").setLevel(logging.WARNING)


def migrate(connection: Connection, name: str, target: str = HEAD) -> bool:
    """Run the migrations that are missing; whether there were any.

    JournalRefused when the database comes from a newer version.
    """
    present = _revision(connection)
    if present == target:
        return False
    # Only now, because a server that was killed is waited for, and Alembic takes a while to load.
    from alembic import command
    from alembic.script import ScriptDirectory

    config = _config()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if present is not None and present not in known:
        raise JournalRefused(
            f"{name} was written by a newer version of Fifteen (schema {present}). Install that version or a later one."
        )
    config.attributes["connection"] = connection
    command.upgrade(config, target)
    return True


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _config() -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(files("migrations")))
    config.set_main_option("path_separator", "os")
    return config
