"""What a client has already, by its ETag."""


def knows(if_none_match: str | None, etag: str) -> bool:
    """Whether a header such as `"7", W/"8"` names this state."""
    known = (tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(","))
    return any(tag in ("*", etag) for tag in known)
