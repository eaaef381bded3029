"""What a client has already, by its ETag."""

MOST_TAGS = 1_000
"""The longest list of tags that is looked through, in characters."""


def knows(if_none_match: str | None, etag: str) -> bool:
    """Whether a header such as `"7", W/"8"` names this state."""
    if if_none_match is None or len(if_none_match) > MOST_TAGS:
        return False
    known = (tag.strip().removeprefix("W/") for tag in if_none_match.split(","))
    return any(tag in ("*", etag) for tag in known)
