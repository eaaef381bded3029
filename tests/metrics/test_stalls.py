"""A loop that stands still is seen, and so is what it did meanwhile."""

import asyncio
import time

import pytest

from app.stalls import Stalls


async def stalled(by: object) -> Stalls:
    """What is seen of a loop that something holds up for 0.3 seconds."""
    stalls = Stalls()
    stalls.start()
    await asyncio.sleep(0.05)
    ends = time.monotonic() + 0.3
    if by == "sleep":
        time.sleep(0.3)  # noqa: ASYNC251 - it is what is to be seen
    else:
        worked_until = time.thread_time() + 0.25
        while time.monotonic() < ends or time.thread_time() < worked_until:
            pass
    await asyncio.sleep(0.05)
    stalls.stop()
    return stalls


@pytest.mark.timed
@pytest.mark.parametrize(("by", "kind"), [("sleep", "waiting"), ("work", "working")])
async def test_a_stall_is_measured_and_its_kind_is_told(by: str, kind: str) -> None:
    stalls = await stalled(by)

    longest = stalls.registry.get_sample_value("queue_loop_stall_longest_seconds")
    lasted = stalls.registry.get_sample_value("queue_loop_stall_seconds_sum", {"kind": kind})
    assert longest is not None
    assert longest >= 0.25
    assert lasted is not None
    assert lasted >= 0.25


async def test_every_stall_exists_at_zero() -> None:
    stalls = Stalls()

    for kind in ("waiting", "working"):
        assert stalls.registry.get_sample_value("queue_loop_stall_seconds_count", {"kind": kind}) == 0
    assert stalls.registry.get_sample_value("queue_loop_stall_longest_seconds") == 0


async def test_the_longest_is_forgotten_after_two_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    stalls = await stalled("sleep")
    now = time.monotonic()
    told = []
    for later in (0, 61, 122):
        monkeypatch.setattr("app.stalls.monotonic", lambda later=later: now + later)
        told.append(stalls.registry.get_sample_value("queue_loop_stall_longest_seconds"))

    assert [value is not None and value >= 0.25 for value in told] == [True, True, False]
