"""Benches: claims of Fifteen about itself, tried on the real thing.

Each module here is one bench, run as `python3 dev.py bench NAME [--quick]`. It starts servers as an administrator
would, loads them over HTTP, and ends with one line `name value` per figure. A figure with a goal that was missed makes
the exit status 1. Speeds are ratios between slices that alternate within one run, because seconds on a machine that
others share mean nothing. What benches have in common is in `harness/`.
"""

import signal
import tempfile
from argparse import ArgumentParser, Namespace
from dataclasses import dataclass, field
from random import SystemRandom


def words(description: str | None) -> Namespace:
    """What the command line says; the seed is printed, so that a run can be had again."""
    parser = ArgumentParser(description=(description or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="less of everything, within 50 seconds")
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(10**6), help="for everything random")
    # A bench that is told to end takes its servers with it, as it does at Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # On many machines /tmp is in memory, where every commit would be free.
    tempfile.tempdir = "/var/tmp"  # noqa: S108 - what is made in it gets names of its own
    return parser.parse_args()


@dataclass(slots=True)
class Figures:
    """What a bench found, in the order in which it will be read."""

    lines: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

    def tell(
        self, name: str, value: float | str, *, at_least: float | None = None, at_most: float | None = None
    ) -> None:
        """A figure, with the goal it has to meet, if any."""
        shown = value if isinstance(value, str) else f"{value:.4g}" if isinstance(value, float) else str(value)
        self.lines.append(f"{name} {shown}")
        if isinstance(value, str):
            return
        if at_least is not None and not value >= at_least:
            self.missed.append(f"{name} is {shown}, and should be at least {at_least:g}")
        if at_most is not None and not value <= at_most:
            self.missed.append(f"{name} is {shown}, and should be at most {at_most:g}")

    def end(self, hint: str = "") -> int:
        """Print everything, and the hint if a goal was missed; the exit status."""
        print("", *self.lines, sep="\n")
        for missed in self.missed:
            print("MISSED:", missed)
        if self.missed and hint:
            print(hint)
        return 1 if self.missed else 0
