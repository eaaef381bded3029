"""A loop that stands still is seen, and so is what it did meanwhile."""

import asyncio
import time
from dataclasses import dataclass

import pytest

from app.stalls import Stalls


@dataclass
class Clocks:
    """The wall's clock, and the loop thread's."""

    wall: float = 100.0
    thread: float = 1.0


def told(stalls: Stalls, kind: str) -> tuple[float | None, float | None]:
    """How often the loop stood still, and for how long in all."""
    count = stalls.registry.get_sample_value("queue_loop_stall_seconds_count", {"kind": kind})
    return count, stalls.registry.get_sample_value("queue_loop_stall_seconds_sum", {"kind": kind})


@pytest.mark.parametrize(("worked", "kind", "other"), [(0.1, "waiting", "working"), (0.9, "working", "waiting")])
async def test_a_stall_is_measured_and_its_kind_is_told(worked: float, kind: str, other: str) -> None:
    clocks = Clocks()
    stalls = Stalls(lambda: clocks.wall, lambda: clocks.thread)
    stalls.start()
    clocks.wall, clocks.thread = clocks.wall + 1.02, clocks.thread + worked
    while told(stalls, kind)[0] == 0:
        await asyncio.sleep(0.01)
    stalls.stop()

    assert told(stalls, kind)[0] == 1
    assert told(stalls, kind)[1] == pytest.approx(1.0)
    assert told(stalls, other) == (0, 0)
    longest = []
    for _ in range(3):
        longest.append(stalls.registry.get_sample_value("queue_loop_stall_longest_seconds"))
        clocks.wall += 61
    assert longest == [pytest.approx(1.0), pytest.approx(1.0), 0]


async def test_a_loop_that_is_held_up_by_the_clock_of_this_machine_is_seen() -> None:
    stalls = Stalls()
    stalls.start()
    await asyncio.sleep(0.05)
    time.sleep(0.3)  # noqa: ASYNC251 - it is what is to be seen
    await asyncio.sleep(0.05)
    stalls.stop()

    longest = stalls.registry.get_sample_value("queue_loop_stall_longest_seconds")
    assert longest is not None
    assert longest >= 0.25


async def test_every_stall_exists_at_zero() -> None:
    stalls = Stalls()

    assert told(stalls, "waiting") == told(stalls, "working") == (0, 0)
    assert stalls.registry.get_sample_value("queue_loop_stall_longest_seconds") == 0
