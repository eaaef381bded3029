"""Slices of load in turns with slices on the bare routes, and what the pairs of neighbours come to."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median
from time import perf_counter, process_time

from bench import Figures
from bench.harness.load import BareLoad, HallLoad, Slice
from bench.harness.servers import busy_seconds, family_cpu_seconds

THROUGHPUT_OF_BARE = 0.60
CPU_OF_BARE = 1.6

ROUTES = ("issue", "call")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two slices that were neighbours. `others` is how many processors other programs of the machine had meanwhile."""

    bare: Slice
    own: Slice
    commits: int
    postgres_us: float
    others: float


class Turns:
    """Slices in turns, each beside a bare one."""

    def __init__(self, bare: BareLoad, halls: Mapping[str, HallLoad], postmaster: int) -> None:
        self._bare, self._halls = bare, halls
        self._postmaster = postmaster
        self._pairs: dict[tuple[str, str], list[Pair]] = defaultdict(list)

    async def round(self, requests: int, *, bare_first: bool) -> None:
        """One pair of every kind. What drifts meanwhile is on one side in one round, on the other in the next."""
        for database, hall in self._halls.items():
            for route in ROUTES:
                pair = await self._pair(hall, route, requests, bare_first=bare_first)
                self._pairs[database, route].append(pair)
                print(
                    f"{database} {route}: {pair.own.per_second:.0f} of {pair.bare.per_second:.0f} requests/s, "
                    f"{pair.own.cpu_us:.0f} for {pair.bare.cpu_us:.0f} us, others had {pair.others:.2f} processors",
                    flush=True,
                )

    async def _pair(self, hall: HallLoad, route: str, requests: int, *, bare_first: bool) -> Pair:
        commits, began = await hall.server.commits(), perf_counter()
        postgres, own_cpu, busy = family_cpu_seconds(self._postmaster), self._own_seconds(), busy_seconds()
        loads = (self._bare, hall) if bare_first else (hall, self._bare)
        slices = [await getattr(load, route)(requests) for load in loads]
        bare, own = slices if bare_first else reversed(slices)
        others = (busy_seconds() - busy - self._own_seconds() + own_cpu) / (perf_counter() - began)
        postgres_us = (family_cpu_seconds(self._postmaster) - postgres) / requests * 1e6
        return Pair(bare, own, await hall.server.commits() - commits, postgres_us, others)

    def _own_seconds(self) -> float:
        servers = sum(load.server.cpu_seconds() for load in (self._bare, *self._halls.values()))
        return servers + family_cpu_seconds(self._postmaster) + process_time()

    def tell(self, figures: Figures) -> None:
        """The medians of the calmer half: what other programs do must not decide, and is measured apart."""
        bare: dict[str, list[Slice]] = defaultdict(list)
        for (database, route), pairs in self._pairs.items():
            calm = sorted(pairs, key=lambda pair: pair.others)[: ceil(len(pairs) / 2)]
            tell_route(f"{database}_{route}", calm, figures)
            if route == "issue":
                # Beside a call there are unmeasured steps that free the counter, and their commits.
                figures.tell(
                    f"{database}_{route}_per_commit", median(pair.own.requests / pair.commits for pair in calm)
                )
            if database == "postgres":
                figures.tell(f"{database}_{route}_database_processes_us", median(pair.postgres_us for pair in calm))
            bare[route] += (pair.bare for pair in calm)
        for route, slices in bare.items():
            figures.tell(f"bare_{route}_cpu_us", median(slice_.cpu_us for slice_ in slices))
            figures.tell(f"bare_{route}_per_second", median(slice_.per_second for slice_ in slices))


def tell_route(name: str, pairs: Sequence[Pair], figures: Figures) -> None:
    """The ratios that are promised, and what explains them."""
    throughput = median(pair.own.per_second / pair.bare.per_second for pair in pairs)
    cpu = median(pair.own.cpu_us / pair.bare.cpu_us for pair in pairs)
    figures.tell(f"{name}_throughput_of_bare", throughput, at_least=THROUGHPUT_OF_BARE)
    figures.tell(f"{name}_cpu_of_bare", cpu, at_most=CPU_OF_BARE)
    figures.tell(f"{name}_cpu_us", median(pair.own.cpu_us for pair in pairs))
    figures.tell(f"{name}_main_thread_share", median(pair.own.main_thread_share for pair in pairs))
    figures.tell(f"{name}_others_processors", median(pair.others for pair in pairs))
