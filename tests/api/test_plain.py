"""Instants as every reply has them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from app.web.plain import instant

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (NOON, "2026-11-23T12:00:00.000Z"),
        (NOON + timedelta(microseconds=999), "2026-11-23T12:00:00.000Z"),
        (NOON + timedelta(microseconds=120_000), "2026-11-23T12:00:00.120Z"),
        (NOON + timedelta(microseconds=123_999), "2026-11-23T12:00:00.123Z"),
        (NOON.astimezone(timezone(timedelta(hours=3))), "2026-11-23T12:00:00.000Z"),
    ],
)
def test_instants_are_told_in_utc_to_the_millisecond(at: datetime, said: str) -> None:
    assert instant(at) == said
