"""Printers as they are and as they fail: each failure has a name, is told in time, and the next ticket is printed."""

import asyncio
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.printing.escpos import Asked
from app.printing.printers import BadAddress, FilePrinter, NetworkPrinter, PaperLevel, State, printer_at
from app.printing.troubles import NotPrinted, Trouble
from tests.printing.receipt_printer import (
    BROKEN,
    COVER_OPEN,
    FINE,
    KNIFE_STUCK,
    LITTLE_PAPER,
    MUTE,
    NO_PAPER,
    ReceiptPrinter,
)

JOB = "\x1b@Талон A012\n".encode("cp866")
MORE_THAN_BUFFERS_HOLD = b"x" * 64_000_000


@pytest.fixture
def machine() -> Iterator[ReceiptPrinter]:
    """A printer on the network."""
    with ReceiptPrinter() as machine:
        yield machine


async def refused(printer: NetworkPrinter | FilePrinter, job: bytes = JOB) -> Trouble:
    """Why a job is not printed."""
    with pytest.raises(NotPrinted) as refusal:
        await printer.take(job)
    return refusal.value.trouble


def is_there(path: str) -> bool:
    return Path(path).exists()


async def test_a_printer_takes_every_byte(machine: ReceiptPrinter) -> None:
    printer = NetworkPrinter("127.0.0.1", machine.port)

    await printer.take(JOB)
    await printer.take(JOB)

    machine.wait_for(JOB * 2)
    assert await printer.state() == State(None, PaperLevel.ENOUGH)


@pytest.mark.parametrize(
    ("answers", "trouble", "paper"),
    [
        (NO_PAPER, Trouble.PAPER_OUT, PaperLevel.OUT),
        (COVER_OPEN, Trouble.COVER_OPEN, PaperLevel.ENOUGH),
        (KNIFE_STUCK, Trouble.CUTTER_STUCK, PaperLevel.ENOUGH),
        (BROKEN, Trouble.FAULT, PaperLevel.ENOUGH),
    ],
)
async def test_a_printer_that_cannot_print_is_sent_nothing_until_it_can(
    machine: ReceiptPrinter, answers: dict[Asked, int], trouble: Trouble, paper: PaperLevel
) -> None:
    printer = NetworkPrinter("127.0.0.1", machine.port)
    machine.answers = answers

    state = await printer.state()
    reason = await refused(printer)
    untouched = machine.took
    machine.answers = FINE
    await printer.take(JOB)

    assert (state, reason, untouched) == (State(trouble, paper), trouble, b"")
    machine.wait_for(JOB)


async def test_paper_that_runs_low_is_told_and_is_no_trouble(machine: ReceiptPrinter) -> None:
    printer = NetworkPrinter("127.0.0.1", machine.port)
    machine.answers = LITTLE_PAPER

    await printer.take(JOB)

    machine.wait_for(JOB)
    assert await printer.state() == State(None, PaperLevel.LOW)


@pytest.mark.timed
async def test_a_printer_that_never_answers_prints_all_the_same_and_is_soon_not_waited_for(
    machine: ReceiptPrinter,
) -> None:
    printer = NetworkPrinter("127.0.0.1", machine.port)
    machine.answers = MUTE

    state = await printer.state()
    spent = []
    for _ in range(3):
        started = time.monotonic()
        await printer.take(JOB)
        spent.append(time.monotonic() - started)

    machine.wait_for(JOB * 3)
    assert state == State()
    assert min(spent) < 0.9


async def test_what_a_printer_says_unasked_is_no_answer(machine: ReceiptPrinter) -> None:
    printer = NetworkPrinter("127.0.0.1", machine.port)
    machine.says_first = b"\x14\x00\x00\x0f\x11\x13"

    assert await printer.state() == State(None, PaperLevel.ENOUGH)


async def test_a_printer_that_hangs_in_a_ticket_is_found_out(machine: ReceiptPrinter) -> None:
    printer = NetworkPrinter("127.0.0.1", machine.port, write=0.3)
    machine.goes_silent_after = len(JOB)

    in_the_ticket = await refused(printer)
    machine.goes_silent_after = None
    await printer.take(JOB)

    assert in_the_ticket == Trouble.SILENT
    machine.wait_for(JOB * 2)


async def test_a_printer_that_stops_reading_is_not_waited_for(machine: ReceiptPrinter) -> None:
    printer = NetworkPrinter("127.0.0.1", machine.port, write=0.3)
    machine.reads = False

    started = time.monotonic()
    reason = await refused(printer, MORE_THAN_BUFFERS_HOLD)
    spent = time.monotonic() - started
    machine.reads = True
    await printer.take(JOB)

    assert reason == Trouble.STUCK
    assert spent < 10
    machine.wait_for(JOB)


async def test_a_printer_that_was_switched_off_is_out_of_reach(machine: ReceiptPrinter) -> None:
    printer = NetworkPrinter("127.0.0.1", machine.port)
    await printer.take(JOB)
    machine.switch_off()

    assert await refused(printer) == Trouble.OUT_OF_REACH
    assert await printer.state() == State(Trouble.OUT_OF_REACH)


async def test_a_printer_that_nobody_can_connect_to_is_out_of_reach_within_the_time() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        # The only place in the line is taken, and what comes after it gets no answer.
        waiting = [socket.socket() for _ in range(2)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        printer = NetworkPrinter("127.0.0.1", port, connect=0.3)

        started = time.monotonic()
        reason = await refused(printer)
        spent = time.monotonic() - started
        state = await printer.state()
        for one in waiting:
            one.close()

    assert reason == Trouble.OUT_OF_REACH
    assert spent < 10
    assert state == State(Trouble.OUT_OF_REACH)


async def test_a_printer_with_a_name_that_nobody_knows_is_out_of_reach() -> None:
    assert await refused(NetworkPrinter("no-such-printer.invalid", connect=10)) == Trouble.OUT_OF_REACH


async def test_a_printer_that_hangs_up_is_out_of_reach(machine: ReceiptPrinter) -> None:
    with socket.create_server(("127.0.0.1", 0)) as rude:
        printer = NetworkPrinter("127.0.0.1", rude.getsockname()[1])

        def hang_up() -> None:
            link, _ = rude.accept()
            link.close()

        reason, _ = await asyncio.gather(refused(printer), asyncio.to_thread(hang_up))

    assert reason == Trouble.OUT_OF_REACH


async def test_a_file_collects_tickets_that_only_its_owner_may_read(tmp_path: Path) -> None:
    file = tmp_path / "tickets.bin"
    printer = FilePrinter(file)

    before = await printer.state()
    await printer.take(JOB)
    await printer.take(JOB)

    assert file.read_bytes() == JOB * 2
    assert file.stat().st_mode & 0o777 == 0o600
    assert before == await printer.state() == State()


async def test_a_device_that_is_not_there_is_not_made() -> None:
    printer = FilePrinter(Path("/dev/no-such-printer-9151"))

    assert await refused(printer) == Trouble.NOT_CONNECTED
    assert await printer.state() == State(Trouble.NOT_CONNECTED)
    assert not is_there("/dev/no-such-printer-9151")


async def test_a_device_without_paper_says_so() -> None:
    assert await refused(FilePrinter(Path("/dev/full"))) == Trouble.PAPER_OUT


async def test_a_device_that_takes_nothing_more_is_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "printer"
    os.mkfifo(pipe)
    printer = FilePrinter(pipe, write=0.2)
    nobody_reads = await refused(printer)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)

    started = time.monotonic()
    full = await refused(printer, b"x" * 1_000_000)
    spent = time.monotonic() - started
    while len(os.read(reading, 65_536)) == 65_536:
        pass
    await printer.take(JOB)
    printed = os.read(reading, 65_536)
    os.close(reading)

    assert nobody_reads == Trouble.NOT_CONNECTED
    assert full == Trouble.STUCK
    assert spent < 10
    assert printed.endswith(JOB)


async def test_a_directory_that_went_away_is_told(tmp_path: Path) -> None:
    (tmp_path / "spool").mkdir()
    printer = FilePrinter(tmp_path / "spool" / "tickets.bin")
    (tmp_path / "spool").rmdir()

    assert await refused(printer) == Trouble.NOT_CONNECTED
    assert await printer.state() == State(Trouble.NOT_CONNECTED)


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("tcp://192.0.2.7:9100", "tcp://192.0.2.7:9100"),
        ("tcp://192.0.2.7", "tcp://192.0.2.7:9100"),
        ("tcp://printer.example:6001", "tcp://printer.example:6001"),
        ("tcp://[2001:db8::7]:9100", "tcp://[2001:db8::7]:9100"),
        ("/dev/usb/lp0", "/dev/usb/lp0"),
        ("/dev/no-such-directory/lp0", "/dev/no-such-directory/lp0"),
        ("tickets.bin", "tickets.bin"),
    ],
)
def test_a_printer_is_named_by_its_address(address: str, name: str) -> None:
    assert printer_at(address).name == name


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("http://192.0.2.7", "One looks like tcp://192.0.2.7:9100."),
        ("tcp://", "One looks like"),
        ("tcp://:9100", "One looks like"),
        ("tcp://192.0.2.7:0", "One looks like"),
        ("tcp://192.0.2.7:9100/queue", "One looks like"),
        ("tcp://192.0.2.7:99999", "Port out of range"),
        ("tcp://192.0.2.7:raw", "Port could not be cast"),
        ("tcp://[192.0.2.7", "Invalid IPv6"),
        ("/no/such/directory/tickets.bin", "/no/such/directory is not a directory"),
        ("/", "is a directory"),
    ],
)
def test_an_address_where_no_printer_can_be_is_refused(address: str, why: str) -> None:
    with pytest.raises(BadAddress, match=why):
        printer_at(address)
