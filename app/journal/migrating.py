"""Bringing a database to the schema this version knows."""

import logging
from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from app.journal.errors import JournalRefused


def migrate(connection: Connection, name: str, target: str = "head") -> None:
    """Run the migrations that are missing; JournalRefused when the database comes from a newer version."""
    config = _config()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    present = MigrationContext.configure(connection).get_current_revision()
    if present is not None and present not in known:
        raise JournalRefused(
            f"{name} was written by a newer version of Fifteen (schema {present}). Install that version or a later one."
        )
    config.attributes["connection"] = connection
    command.upgrade(config, target)


# Alembic tells at every start what kind of database it has found; only its warnings are news.
logging.getLogger("alembic.runtime.migration").setLevel(logging.WARNING)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("migrations")))
    config.set_main_option("path_separator", "os")
    return config
