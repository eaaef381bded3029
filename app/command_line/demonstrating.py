"""A demonstration: a server on a fast clock, an office at its busiest hour, and the people who come to it."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import typer
from rich.console import Console

from app.command_line.serving import serve
from app.command_line.welcome import screens
from app.configuration import EXAMPLE, read_office
from app.settings import Settings
from app.simulator.places import Place
from app.simulator.running import CannotSimulate, Simulation, run
from app.simulator.server import ServerGone
from app.simulator.summary import show
from app.web.plain import plain
from queue_core.hall import Hall
from queue_core.office import Office

THURSDAY = 3
BUSY_HOUR = time(10)
"""The hour from which on most people come, on the weekday with the longest hours."""

VISITS = 320
"""In a whole day: at the peak a few more than can be served in time. Whoever watches waits has something to see."""


def demonstrate(settings: Settings, database: str | None, speed: float, seed: int) -> None:
    """Show everything until a signal says to stop."""
    # The server's own visitors are not worth a line each.
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    office = read_office(EXAMPLE)
    with TemporaryDirectory(prefix="fifteen-demo-") as directory:
        shown = settings.model_copy(
            update={
                "database": database or str(Path(directory) / "demo.db"),
                "example": True,
                "demo_speed": speed,
                "demo_start": busy_hour(office),
            }
        )

        def greeting(url: str, settings: Settings, halls: Sequence[Hall], _now: datetime) -> str:
            kept = f"The demo is kept in {settings.database}." if database else "Nothing of it is kept."
            return _greeting(url, halls, office, kept)

        async def visitors(url: str) -> None:
            simulation = Simulation(
                url=url, office=office.id, seed=seed, visits=VISITS, empty=frozenset({free_counter(office)})
            )
            await _visitors(simulation)

        serve(shown, greeting, visitors)


def busy_hour(office: Office, now: datetime | None = None) -> datetime:
    """The beginning of the busiest hour of the nearest Thursday, today's included."""
    place = _place(office)
    today = place.date_at(now or datetime.now(UTC))
    return place.instant(today + timedelta(days=(THURSDAY - today.weekday()) % 7), BUSY_HOUR)


def free_counter(office: Office) -> str:
    """The counter that is left for whoever looks at the demonstration."""
    return office.counters[0].id


def _place(office: Office) -> Place:
    return Place.of(plain(office))


def _greeting(url: str, halls: Sequence[Hall], office: Office, kept: str) -> str:
    free = free_counter(office)
    return (
        f"Fifteen serves at {url}\n\n{screens(url, halls)}"
        "\nFrom here to a called ticket, in three steps:\n\n"
        f"  1. Open {url}/kiosk/{office.id} and take a ticket.\n"
        f"  2. Open {url}/console/{office.id}/{free}, the counter at which nobody works yet, and sit down.\n"
        "  3. Press Next: whoever waits is called, or else whoever comes. The board shows and speaks the number.\n"
        f"\nOther visitors come by themselves, and are served. {kept}\n"
        "Stop with Ctrl-C.\n"
    )


async def _visitors(simulation: Simulation) -> None:
    """Bring the visitors of what is left of the day, and say how it went."""
    console = Console()
    try:
        summary = await run(simulation, console)
    except (CannotSimulate, ServerGone) as trouble:
        typer.echo(f"{trouble}", err=True)
        return
    show(summary, console)
    typer.echo("The day is over, and nobody comes any more. The screens stay until Ctrl-C.")
