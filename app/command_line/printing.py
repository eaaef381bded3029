"""Running the print agent beside a kiosk, or printing one sample to see what comes out."""

import asyncio
import re
import signal
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import typer
import uvicorn

from app.command_line.sorry import Sorry
from app.configuration import EXAMPLE, read_office
from app.logs import log_to_stderr
from app.printing.agent import create_agent
from app.printing.desk import Desk
from app.printing.printers import BadAddress, Printer, printer_at
from app.printing.slip import Slip
from app.printing.ticket import Roll
from app.printing.troubles import SENTENCES, NotPrinted

ORIGIN = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:]+\])(?::\d{1,5})?")
ENDS_SECONDS = 10
"""Longer than a ticket that is being printed can take."""


def print_tickets(address: str, listen: str, origins: Sequence[str], roll: Roll) -> None:
    """Serve until a signal says to stop. Sorry when it cannot begin."""
    for origin in origins:
        _check_origin(origin)
    desk = Desk(_printer(address), roll)
    log_to_stderr()
    asyncio.run(_serve(desk, listen, origins))


def print_sample(address: str, roll: Roll) -> None:
    """Print one ticket of the example office."""
    printer = _printer(address)
    try:
        asyncio.run(Desk(printer, roll).print(sample()))
    except NotPrinted as refused:
        raise Sorry(f"Nothing was printed at {printer.name}: {refused}") from refused
    typer.echo(f"A sample was sent to {printer.name}")


def sample() -> Slip:
    """A ticket with something of all that a ticket may have."""
    office = read_office(EXAMPLE)
    language = office.languages[0]
    service, category = office.services[0], office.categories[0]
    return Slip(
        language=language,
        office=office.name[language],
        number=f"{service.letter}015",
        service=service.name[language],
        issued_at="10:15",
        ahead=5,
        limit_minutes=service.limits.walk_in // 60,
        due="10:25",
        hotline=office.hotline,
        url="http://127.0.0.1:8000/",
        category=category.name[language],
    )


async def _serve(desk: Desk, listen: str, origins: Sequence[str]) -> None:
    with _bound(listen) as listening:
        trouble = (await desk.state()).trouble
        config = uvicorn.Config(
            create_agent(desk, origins),
            lifespan="off",
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=ENDS_SECONDS,
        )
        welcome = (
            f"The print agent answers at {_url(listening)}\n\n"
            f"  printer          {desk.printer.name}\n"
            f"  at the moment    {SENTENCES[trouble] if trouble else 'ready'}\n"
            f"  for pages of     {', '.join(origins)}\n\n"
            "Stop with Ctrl-C."
        )
        await _Server(config, welcome).serve(sockets=[listening])


class _Server(uvicorn.Server):
    """uvicorn, with a welcome once it listens, and an end as the command's."""

    def __init__(self, config: uvicorn.Config, welcome: str) -> None:
        super().__init__(config)
        self._welcome = welcome

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        typer.echo(self._welcome)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Have signals ask for an end, and no more."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


def _printer(address: str) -> Printer:
    try:
        return printer_at(address)
    except BadAddress as bad:
        raise Sorry(str(bad)) from bad


def _check_origin(origin: str) -> None:
    if not ORIGIN.fullmatch(origin):
        raise Sorry(f"{origin} is no origin of pages. One looks like http://kiosk-server:8000, without a path.")


def _bound(listen: str) -> socket.socket:
    host, _, port = listen.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise Sorry(f"{listen} is no address to listen at. One looks like 127.0.0.1:9151.")
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host.strip("[]"), int(port)))
    except OSError as error:
        listening.close()
        raise Sorry(f"Cannot listen at {listen}: {error.strerror}. Name another with --listen.") from error
    return listening


def _url(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
