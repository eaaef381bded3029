"""Every command that we write is, byte for byte, what python-escpos writes for it."""

from collections.abc import Callable

import pytest
from escpos.printer import Dummy  # type: ignore[import-untyped]

from app.printing import escpos
from app.printing.escpos import Align


def theirs(write: Callable[[Dummy], object]) -> bytes:
    """What python-escpos sends."""
    printer = Dummy()
    write(printer)
    output: bytes = printer.output
    return output


@pytest.mark.parametrize("width", range(1, 9))
@pytest.mark.parametrize("height", range(1, 9))
def test_sizes(width: int, height: int) -> None:
    assert escpos.size(width, height) == theirs(lambda their: their.set(custom_size=True, width=width, height=height))


@pytest.mark.parametrize("on", [True, False])
def test_bold(on: bool) -> None:
    assert escpos.bold(on) == theirs(lambda their: their.set(bold=on))


@pytest.mark.parametrize(("where", "called"), [(Align.LEFT, "left"), (Align.CENTRE, "center")])
def test_where_a_line_stands(where: Align, called: str) -> None:
    assert escpos.align(where) == theirs(lambda their: their.set(align=called))


def test_the_beginning_of_a_job_and_russian_text() -> None:
    text = "Съешь ещё этих мягких французских булок, да выпей чаю. № 15 · ─"

    def write(their: Dummy) -> None:
        their.hw("INIT")
        their._raw(b"\x1c.")  # for which they have no word
        their.charcode("CP866")
        their.textln(text)

    assert escpos.initialise() + escpos.line(text) == theirs(write)


def test_a_code_page_of_another_table() -> None:
    assert escpos.initialise(7).endswith(b"\x1bt\x07")


@pytest.mark.parametrize("data", ["https://queue.example/v/1", "https://queue.example/v/" + "x" * 276])
@pytest.mark.parametrize("dots", [3, 6, 16])
def test_qr_codes(data: str, dots: int) -> None:
    their_level_m = 1

    assert escpos.qr(data, dots) == theirs(lambda their: their.qr(data, ec=their_level_m, size=dots, native=True))


def test_the_cut() -> None:
    assert escpos.cut() == theirs(lambda their: their.cut("PART"))
