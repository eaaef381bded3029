"""Running the simulator for somebody who watches."""

import asyncio

import typer
from rich.console import Console

from app.command_line.sorry import Sorry
from app.simulator.recorded import BadRecord
from app.simulator.running import CannotSimulate, Simulation, run
from app.simulator.server import ServerGone
from app.simulator.summary import show


def simulate(simulation: Simulation) -> None:
    """Run a day and print its figures; end with 1 when the server refused or failed anything it should not have."""
    console = Console()
    try:
        summary = asyncio.run(run(simulation, console))
    except (CannotSimulate, BadRecord, ServerGone) as trouble:
        raise Sorry(str(trouble)) from trouble
    show(summary, console)
    if summary.errors:
        raise typer.Exit(1)
