"""Running a day: from an office's description and a seed or a recording to the figures at its end."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from app.simulator.hall import SimulatedHall
from app.simulator.kiosk import admit
from app.simulator.operators import manned, work
from app.simulator.places import Place
from app.simulator.recorded import recorded_day
from app.simulator.server import Server, ServerGone
from app.simulator.summary import Summary, summary_of
from app.simulator.synthetic import synthetic_day
from app.simulator.visits import Day

OVERTIME = timedelta(minutes=60)
"""How long after the last hour operators still serve those who are in the hall."""


class CannotSimulate(Exception):
    """The day cannot be run like this; the message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """What to simulate. `speed` None follows the server's clock; only `real` puts visitors into a real journal.

    `empty` counters are left for somebody else.
    """

    url: str
    office: str | None = None
    seed: int = 15
    speed: float | None = None
    recording: Path | None = None
    visits: int | None = None
    operators: int | None = None
    empty: frozenset[str] = frozenset()
    real: bool = False


async def run(simulation: Simulation, console: Console) -> Summary:
    """Run the day to its end. CannotSimulate, BadRecord or ServerGone say why it came to nothing."""
    async with _client(simulation.url) as http:
        server = Server(http, _chosen(simulation, await _offices(http)))
        _refuse_other_clock(simulation, await server.snapshot())
        place = Place.of(await server.description())
        day = _day(simulation, place, server, console)
        try:
            hall = await _live_through(day, place, server, simulation, console)
        except* ServerGone as gone:
            raise _first(gone) from None
        return await _summary(hall)


def _client(url: str) -> httpx2.AsyncClient:
    timeout, limits = httpx2.Timeout(15.0), httpx2.Limits(max_connections=200)
    try:
        # Kiosks and operators' desks talk to their own server, never through a proxy of this machine.
        return httpx2.AsyncClient(base_url=url, timeout=timeout, limits=limits, trust_env=False)
    except httpx2.InvalidURL as error:
        raise CannotSimulate(f"No server answers at {url}: {error}") from error


async def _live_through(
    day: Day, place: Place, server: Server, simulation: Simulation, console: Console
) -> SimulatedHall:
    home_at = _everybody_home_at(day, place)
    async with asyncio.TaskGroup() as people:
        hall = SimulatedHall(server, place, simulation.seed, home_at, people, to_come=len(day.visits))
        with _progress_bar(hall, console) as show:
            hall.later(_keep_time(server, show))
            async with asyncio.TaskGroup() as staff:
                staff.create_task(admit(hall, day))
                for counter in manned(place, simulation.operators, simulation.empty):
                    staff.create_task(work(hall, counter, day.breaks.get(counter, ())))
            hall.everybody_goes_home()
    return hall


def _day(simulation: Simulation, place: Place, server: Server, console: Console) -> Day:
    """What is left of today, by the server's clock."""
    now = server.clock.now()
    today = place.date_at(now)
    if simulation.recording:
        day = recorded_day(simulation.recording, place, today)
    else:
        day = synthetic_day(place, place.stretches(today), seed=simulation.seed, visits=simulation.visits)
    to_come = tuple(visit for visit in day.visits if visit.at >= now)
    clock = now.astimezone(place.zone).strftime("%A %H:%M")
    if not to_come:
        raise CannotSimulate(
            f"Nobody comes to {place.id} any more today: by the server's clock it is {clock} there. "
            "Start a server whose day is about to begin: fifteen serve --database demo.db --demo-speed 60"
        )
    if len(to_come) < len(day.visits):
        past = len(day.visits) - len(to_come)
        console.print(f"It is {clock} at {place.id}: {past} visits before that are left out, {len(to_come)} to come.")
    # Else everybody who sits down in the middle of a day would first take all the breaks of the morning.
    breaks = {counter: tuple(each for each in breaks if each.at >= now) for counter, breaks in day.breaks.items()}
    return Day(visits=to_come, breaks=breaks)


def _everybody_home_at(day: Day, place: Place) -> datetime:
    last = day.visits[-1].at
    return max([last, *(closes for _, closes in place.stretches(place.date_at(last)))]) + OVERTIME


async def _offices(http: httpx2.AsyncClient) -> list[str]:
    """The first knock at the server's door: which offices it keeps."""
    try:
        response = await http.get("/api/v1/offices")
        return [office["office"] for office in response.raise_for_status().json()["offices"]]
    except (httpx2.TransportError, httpx2.HTTPStatusError, ValueError, LookupError, TypeError) as error:
        raise CannotSimulate(f"No server answers at {http.base_url} ({error}). Start one: fifteen serve") from error


def _chosen(simulation: Simulation, offices: list[str]) -> str:
    """The office that was named, or the only one there is."""
    if simulation.office:
        return simulation.office
    if len(offices) != 1:
        raise CannotSimulate(f"Say which office with --office: {', '.join(offices) or 'the server has none yet'}")
    return offices[0]


def _refuse_other_clock(simulation: Simulation, snapshot: Mapping[str, Any]) -> None:
    runs, wished = snapshot["demo"], f"{simulation.speed or 60:g}"
    start = f"Start a server for it: fifteen serve --database demo.db --demo-speed {wished}"
    if simulation.speed and (runs or "1x") != f"{wished}x":
        raise CannotSimulate(f"The server's clock runs at {runs or 'real speed'}, not at {wished}x. {start}")
    if runs is None and not simulation.real:
        raise CannotSimulate(
            "This server keeps a real journal, and simulated visitors would stay in it for ever. "
            f"{start} - or say --real if that is what you want."
        )


Show = Callable[[Mapping[str, Any]], None]


async def _keep_time(server: Server, show: Show) -> None:
    """Set the clock once a second, also after a server's crash, and show the hall."""
    while True:
        show(await server.snapshot())
        await asyncio.sleep(1)


@contextmanager
def _progress_bar(hall: SimulatedHall, console: Console) -> Iterator[Show]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("visits over"))
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("", total=hall.to_come)

        def show(snapshot: Mapping[str, Any]) -> None:
            clock = hall.server.clock.now().astimezone(hall.place.zone)
            waiting = f"{clock:%H:%M:%S}  {snapshot['waiting']:3} waiting"
            progress.update(bar, description=waiting, completed=len(hall.ended))

        yield show
        progress.update(bar, completed=len(hall.ended))


async def _summary(hall: SimulatedHall) -> Summary:
    """The figures, from what the server says of every ticket."""
    tickets = [await _ticket(hall.server, ticket) for ticket in hall.issued]
    server = hall.server
    return summary_of(tickets, requests=server.requests, repeated=server.repeated, errors=server.errors)


async def _ticket(server: Server, ticket: str) -> Mapping[str, Any]:
    told = await server.ask(f"/tickets/{ticket}")
    if told.body is None or told.problem:
        raise ServerGone(f"The server lost ticket {ticket}: {told.problem}")
    found: Mapping[str, Any] = told.body["ticket"]
    return found


def _first(group: BaseExceptionGroup[ServerGone]) -> ServerGone:
    """The first of several operators to say it speaks for all."""
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
