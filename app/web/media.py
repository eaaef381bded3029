"""What a client can take, by its `Accept`."""

from collections.abc import Iterable, Iterator

LONGEST_ACCEPT = 2_000


def can_take(accept: str, produced: Iterable[str]) -> bool:
    """Whether an `Accept` leaves room for one of these media types. One that names none takes everything."""
    ranges = list(_ranges(accept))
    return not ranges or any(_weight(kind, ranges) > 0 for kind in produced)


def _weight(kind: str, ranges: list[tuple[str, float]]) -> float:
    """What the most specific range says of a media type; nothing said is no."""
    whole = f"{kind.partition('/')[0]}/*"
    for wanted in (kind, whole, "*/*"):
        weights = [weight for named, weight in ranges if named == wanted]
        if weights:
            return max(weights)
    return 0


def _ranges(accept: str) -> Iterator[tuple[str, float]]:
    for item in accept.lower().split(","):
        named, *parameters = (part.strip() for part in item.split(";"))
        if named == "*":
            named = "*/*"
        if named.count("/") == 1:
            yield named, _quality(parameters)


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0
    return 1
