"""The log: one JSON object a line, or plain lines for somebody who sits in front of it."""

import logging
import sys

import structlog
from structlog.typing import Processor


def log_to_stderr() -> None:
    """Have everything logged, by ourselves and by the libraries, go to stderr in one form."""
    told_of_all: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*told_of_all, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter(told_of_all, for_people=sys.stderr.isatty()))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


def _formatter(told_of_all: list[Processor], *, for_people: bool) -> logging.Formatter:
    renderer: Processor = structlog.dev.ConsoleRenderer() if for_people else structlog.processors.JSONRenderer()
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    return structlog.stdlib.ProcessorFormatter(processors=[remove, renderer], foreign_pre_chain=told_of_all)
