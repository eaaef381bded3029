"""What can be typed. Each command reads its words here and is carried out in a module of its own.

Which is loaded only then: a hall waits for a server that was killed, and not for a simulator.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from app.command_line.sorry import Sorry
from app.configuration import BadDescription
from app.journal import JournalBroken, JournalDown, JournalFull, JournalRefused, PastLost
from app.settings import Settings

fifteen = typer.Typer(
    name="fifteen",
    help="An electronic queue for public offices: nobody waits past the limit without somebody being told.",
    epilog="Every setting can also be given by the environment, as FIFTEEN_DATABASE, FIFTEEN_PORT and so on.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Database = Annotated[
    str | None, typer.Option(help="A SQLite file, or a postgresql+psycopg:// address. [default: fifteen.db]")
]


def main() -> None:
    """Do what the command line says."""
    fifteen()


@fifteen.command()
def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen at. [default: 127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option(help="The port; 0 takes any free one. [default: 8000]")] = None,
    database: Database = None,
    example: Annotated[
        bool | None,
        typer.Option(
            "--example/--no-example", help="Begin an empty journal with the example office. [default: example]"
        ),
    ] = None,
    demo_speed: Annotated[
        float | None, typer.Option(help="Run the clock so many times as fast, in a journal that is a demo for ever.")
    ] = None,
    demo_start: Annotated[
        str | None, typer.Option(help="The demo clock's first instant, such as 2026-11-26T07:55+03:00.")
    ] = None,
) -> None:
    """Run the server."""
    from app.command_line import serving

    with _plainly():
        settings = _settings(
            host=host, port=port, database=database, example=example, demo_speed=demo_speed, demo_start=demo_start
        )
        # Whoever says nothing is trying it out.
        serving.serve(
            settings if "example" in settings.model_fields_set else settings.model_copy(update={"example": True})
        )


@fifteen.command()
def demo(
    port: Annotated[int | None, typer.Option(help="The port; 0 takes any free one. [default: 8000]")] = None,
    database: Annotated[
        str | None, typer.Option(help="Keep the demo in this journal. [default: a new one, forgotten at the end]")
    ] = None,
    speed: Annotated[float, typer.Option(min=1, max=600, help="How many times as fast the clock runs.")] = 30,
    seed: Annotated[int, typer.Option(help="The same seed brings the same visitors.")] = 15,
) -> None:
    """Show everything at work: a server, an office at its busiest hour, and people who come and are served."""
    from app.command_line import demonstrating

    with _plainly():
        demonstrating.demonstrate(_settings(port=port), database, speed, seed)


@fifteen.command()
def apply(
    files: Annotated[list[Path], typer.Argument(help="Descriptions of offices, in TOML.")],
    database: Database = None,
    server: Annotated[str | None, typer.Option(help="Ask this server, such as http://127.0.0.1:8000.")] = None,
) -> None:
    """Describe offices, for the first time or anew. A file with a mistake changes nothing."""
    from app.command_line import describing

    with _plainly():
        describing.apply(files, _settings(database=database), server)


@fifteen.command()
def verify(database: Database = None) -> None:
    """Recompute everything from the journal and tell the first difference, if there is one."""
    from app.command_line import care

    with _plainly():
        care.verify(_settings(database=database))


@fifteen.command()
def backup(
    path: Annotated[Path, typer.Argument(help="A new file, a journal in SQLite whatever the database is.")],
    database: Database = None,
) -> None:
    """Copy the journal as it stands at one instant, while the server goes on."""
    from app.command_line import care

    with _plainly():
        care.back_up(_settings(database=database), path)


@fifteen.command()
def openapi() -> None:
    """Print the OpenAPI document."""
    from app.main import openapi_document

    typer.echo(json.dumps(openapi_document(), indent=2, ensure_ascii=False))


@fifteen.command()
def simulate(
    server: Annotated[str, typer.Option(help="The server to visit.")] = "http://127.0.0.1:8000",
    office: Annotated[str | None, typer.Option(help="The office; needed where there are several.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed brings the same visitors.")] = 15,
    speed: Annotated[
        float | None, typer.Option(help="Insist that the server's clock runs so many times as fast.")
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(help="Replay these visits: issued_at,service,service_minutes.", dir_okay=False)
    ] = None,
    visits: Annotated[int | None, typer.Option(min=1, help="How many visitors to expect in a whole day.")] = None,
    operators: Annotated[int | None, typer.Option(min=1, help="How many counters are manned. [default: all]")] = None,
    real: Annotated[bool, typer.Option("--real", help="Bring them into a real journal, where they stay.")] = False,
) -> None:
    """Bring a day's visitors and operators to a server, over HTTP, and tell how it went."""
    from app.command_line import simulating
    from app.simulator.running import Simulation

    simulation = Simulation(
        url=server,
        office=office,
        seed=seed,
        speed=speed,
        recording=csv,
        visits=visits,
        operators=operators,
        real=real,
    )
    with _plainly():
        simulating.simulate(simulation)


@fifteen.command()
def printer(
    to: Annotated[str, typer.Option(help="The printer: tcp://192.0.2.7:9100, a device, or a file to append to.")],
    listen: Annotated[str, typer.Option(help="Where to listen; port 0 takes any free one.")] = "127.0.0.1:9151",
    origin: Annotated[
        list[str] | None,
        typer.Option(help="Whose pages may print: the server as the browser has it. [default: http://127.0.0.1:8000]"),
    ] = None,
    columns: Annotated[
        int, typer.Option(min=24, max=72, help="Letters in a line: 48 or 42 on 80 mm, 32 on 58 mm.")
    ] = 48,
    code_page: Annotated[int, typer.Option(min=0, max=255, help="Where the printer keeps code page 866.")] = 17,
    sample: Annotated[bool, typer.Option("--sample", help="Print one ticket and end.")] = False,
) -> None:
    """Print tickets where a kiosk stands, for the pages of one server."""
    from app.command_line import printing
    from app.printing.ticket import Roll

    roll = Roll(columns, code_page)
    with _plainly():
        if sample:
            printing.print_sample(to, roll)
        else:
            printing.print_tickets(to, listen, origin or ["http://127.0.0.1:8000"], roll)


TROUBLES = (JournalRefused, JournalDown, JournalFull, JournalBroken, PastLost)
"""What a journal may come to, whose message says what to do."""


@contextmanager
def _plainly() -> Iterator[None]:
    """Say in a sentence what went wrong, and end with 1."""
    try:
        yield
    except (Sorry, BadDescription, *TROUBLES) as trouble:
        typer.echo(str(trouble), err=True)
        raise typer.Exit(1) from trouble


def _settings(**given: object) -> Settings:
    """The settings of the environment, and over them those that were typed."""
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        raise Sorry(
            "\n".join(
                f"{'.'.join(map(str, detail['loc'])) or 'environment'}: {detail['msg'].removeprefix('Value error, ')}"
                for detail in error.errors()
            )
        ) from error
