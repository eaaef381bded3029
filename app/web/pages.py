"""Lists in pages: an opaque cursor says where the next one begins."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated

from fastapi import Query

from app.web.refusals import BadCursor

Cursor = Annotated[str | None, Query(max_length=200, description="`next` of the page before; none for the first page")]


def cursor_after(place: str) -> str:
    """The cursor of a page that begins after `place`."""
    return urlsafe_b64encode(place.encode()).decode().rstrip("=")


def place_of(cursor: str) -> str:
    """The place that a cursor stands for, or BadCursor."""
    try:
        place = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except ValueError as error:
        raise BadCursor(cursor=cursor) from error
    if cursor_after(place) != cursor:
        raise BadCursor(cursor=cursor)
    return place
