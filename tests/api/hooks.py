"""How generated requests are made to reach the hall, instead of asking for offices that are not there."""

import re
from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import uuid4
from zlib import crc32

import schemathesis
from hypothesis import strategies

Case = schemathesis.Case[Any]

HEADER = "Idempotency-Key"
RUN = uuid4().hex
NUMBERS = count()

OF_THE_EXAMPLE: Mapping[str, tuple[str, ...]] = {
    "office": ("centre", "centre", "centre"),
    "service": ("result", "advice", "passport"),
    "counter": ("1", "2", "3"),
    "category": ("disability", "veteran"),
}
"""Names that the example office knows."""

THIS_CENTURY = strategies.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 30))  # noqa: DTZ001 - the zone comes below

schemathesis.openapi.format("date-time", THIS_CENTURY.map(lambda at: at.replace(tzinfo=UTC).isoformat()))


@schemathesis.hook
def before_call(_context: schemathesis.HookContext, case: Case, _kwargs: dict[str, Any]) -> None:
    """Give a valid request a new key, and names that mean something most of the time."""
    key = case.headers.get(HEADER) if case.headers else None
    if isinstance(key, str) and re.fullmatch(r"[!-~]{1,200}", key):
        # Generators are fond of the key `0`, and would hear of little else than its reuse.
        case.headers[HEADER] = f"{RUN}-{next(NUMBERS)}"
    # Of a ticket's route, a 404 for another thing would be taken for the loss of the ticket.
    about_a_ticket = "{ticket}" in case.path
    for named, always in ((case.path_parameters, False), (case.body, about_a_ticket)):
        if isinstance(named, MutableMapping):
            _name_what_is_there(named, always=always)


def _name_what_is_there(named: MutableMapping[str, Any], *, always: bool) -> None:
    for what, known in OF_THE_EXAMPLE.items():
        name = named.get(what)
        if isinstance(name, str) and re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", name):
            choice = crc32(name.encode()) % (len(known) if always else len(known) + 1)
            named[what] = known[choice] if choice < len(known) else name
