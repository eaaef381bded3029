"""The command line, `fifteen`."""

from app.command_line.commands import main

__all__ = ["main"]
