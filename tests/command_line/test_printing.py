"""The print agent as it is started beside a kiosk."""

import signal
import socket
from pathlib import Path

import pytest

from tests.command_line.conftest import Fifteen
from tests.command_line.servers import PATIENCE_SECONDS
from tests.printing.agents import agent
from tests.printing.paper import printed
from tests.printing.receipt_printer import NO_PAPER, ReceiptPrinter
from tests.printing.slips import RUSSIAN


def test_an_agent_prints_over_the_network_until_it_is_told_to_stop(directory: Path) -> None:
    with (
        ReceiptPrinter() as machine,
        agent(directory, "--to", machine.address, "--origin", "http://kiosk-server:8000", "--columns", "32") as running,
    ):
        answer = running.http.post("/print", json=RUSSIAN, headers={"Origin": "http://kiosk-server:8000"})
        refused = running.http.post("/print", json=RUSSIAN, headers={"Origin": "http://127.0.0.1:8000"})
        running.process.send_signal(signal.SIGTERM)
        exit_code = running.process.wait(PATIENCE_SECONDS)

        assert (answer.json(), refused.status_code) == ({"printed": True, "number": "A012"}, 403)
        assert printed(machine.took, columns=32).line("A012")
    assert running.welcome.splitlines()[2:5] == [
        f"  printer          {machine.address}",
        "  at the moment    ready",
        "  for pages of     http://kiosk-server:8000",
    ]
    assert exit_code == 0


def test_an_agent_begins_also_while_its_printer_is_away(directory: Path) -> None:
    with agent(directory, "--to", "/dev/no-such-printer-9151") as running:
        state = running.http.get("/state").json()

    assert "  at the moment    No printer is connected.\n" in running.welcome
    assert "  for pages of     http://127.0.0.1:8000\n" in running.welcome
    assert (state["ready"], state["problem"]) == (False, "not connected")


def test_a_sample_shows_all_that_a_ticket_may_have(directory: Path, fifteen: Fifteen) -> None:
    done = fifteen("printer", "--to", "sample.bin", "--sample")

    paper = printed((directory / "sample.bin").read_bytes())
    assert done.output == "A sample was sent to sample.bin\n"
    assert paper.line("A015")
    assert paper.line("Вне очереди:")
    assert len(paper.codes) == len(paper.cut_at) == 1


def test_a_sample_that_is_not_printed_is_told(directory: Path, fifteen: Fifteen) -> None:
    with ReceiptPrinter() as machine:
        machine.answers = NO_PAPER

        done = fifteen("printer", "--to", machine.address, "--sample")

    assert done.exit_code == 1
    assert done.stderr == f"Nothing was printed at {machine.address}: There is no paper in the printer.\n"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ("--to", "http://192.0.2.7"),
            "http://192.0.2.7 is no address of a printer. One looks like tcp://192.0.2.7:9100.",
        ),
        (
            ("--to", "nowhere/tickets.bin"),
            "nowhere is not a directory, so no printer can be at nowhere/tickets.bin.",
        ),
        (
            ("--to", "."),
            ". is a directory. Name a file in it, a device, or tcp://host:9100.",
        ),
        (
            ("--to", "tickets.bin", "--listen", "9151"),
            "9151 is no address to listen at. One looks like 127.0.0.1:9151.",
        ),
        (
            ("--to", "tickets.bin", "--listen", "127.0.0.1:99999"),
            "127.0.0.1:99999 is no address to listen at. One looks like 127.0.0.1:9151.",
        ),
        (
            ("--to", "tickets.bin", "--origin", "http://kiosk-server:8000/kiosk"),
            (
                "http://kiosk-server:8000/kiosk is no origin of pages."
                " One looks like http://kiosk-server:8000, without a path."
            ),
        ),
        (
            ("--to", "tickets.bin", "--origin", "*"),
            "* is no origin of pages. One looks like http://kiosk-server:8000, without a path.",
        ),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, tuple) else "",
)
def test_what_cannot_be_is_refused_in_a_sentence(
    directory: Path, fifteen: Fifteen, words: tuple[str, ...], sentence: str
) -> None:
    done = fifteen("printer", *words)

    assert (done.exit_code, done.stderr) == (1, f"{sentence}\n")
    assert list(directory.iterdir()) == []


def test_a_port_that_is_taken_is_named(fifteen: Fifteen) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = "{}:{}".format(*taken.getsockname())

        done = fifteen("printer", "--to", "tickets.bin", "--listen", listen)

    assert (done.exit_code, done.stderr) == (
        1,
        f"Cannot listen at {listen}: Address already in use. Name another with --listen.\n",
    )
