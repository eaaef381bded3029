"""How a ticket looks: the number largest, then what for, when, how long at most, and where to look and whom to call."""

from dataclasses import dataclass
from textwrap import wrap

from app.printing import escpos
from app.printing.escpos import Align
from app.printing.letters import HARD_SPACE, printable
from app.printing.slip import Slip
from app.web.languages import sentence

CENTRE, LEFT = Align.CENTRE, Align.LEFT

LETTER_DOTS = 12
LONG_SERVICE_LINES = 4
"""A name that takes more lines than this in wide letters is printed in narrow ones."""


@dataclass(frozen=True, slots=True)
class Roll:
    """The paper: how many letters stand in a line, and where the printer keeps code page 866."""

    columns: int = 48
    code_page: int = escpos.CYRILLIC

    @property
    def module_dots(self) -> int:
        """The size of a QR code's modules: the longest address, 69 of them and a margin, fits in."""
        return max(3, min(6, self.columns * LETTER_DOTS // 77))


def ticket(slip: Slip, roll: Roll) -> bytes:
    """What to send to a printer."""
    return b"".join(
        [
            escpos.initialise(roll.code_page),
            _head(slip, roll),
            _promise(slip, roll),
            _visitors_page(slip, roll),
            _code(slip, roll),
            escpos.cut(),
        ]
    )


def _head(slip: Slip, roll: Roll) -> bytes:
    largest = min(escpos.LARGEST, roll.columns // max(1, len(printable(slip.number))))
    return b"".join(
        [
            _text(slip.office, roll, bold=True),
            _gap(),
            _text(sentence("Your number", slip.spoken), roll),
            _text(slip.number, roll, largest, largest),
            _gap(),
            _service(slip, roll),
            _remarks(slip, roll),
        ]
    )


def _service(slip: Slip, roll: Roll) -> bytes:
    is_long = len(_lines(slip.service, roll.columns // 2)) > LONG_SERVICE_LINES
    service = _text(slip.service, roll, 1 if is_long else 2, 2, bold=not is_long)
    if not slip.further:
        return service
    then = _text(sentence("Then, with the same ticket:", slip.spoken), roll)
    return service + _gap() + then + b"".join(_text(name, roll, bold=True) for name in slip.further)


def _remarks(slip: Slip, roll: Roll) -> bytes:
    said = []
    if slip.category:
        out_of_turn = sentence("Out of turn: {category}. Have the document ready.", slip.spoken)
        said.append(out_of_turn.format(category=slip.category))
    if slip.issued_offline:
        said.append(sentence("Issued while the server was away. Your wait counts from the time below.", slip.spoken))
    return b"".join(_gap() + _text(remark, roll) for remark in said)


def _promise(slip: Slip, roll: Roll) -> bytes:
    """When the ticket was taken, and by when it is called."""
    minutes = sentence("{minutes} min", slip.spoken).format(minutes=slip.limit_minutes).replace(" ", HARD_SPACE)
    facts = [(sentence("Taken", slip.spoken), slip.issued_at)]
    if slip.ahead is not None:
        facts.append((sentence("People ahead of you", slip.spoken), str(slip.ahead)))
    facts.append((sentence("Wait limit", slip.spoken), minutes))
    said = [_pair(label, value, roll) for label, value in facts]
    if slip.due:
        said += [_gap(), _text(sentence("You will be called by", slip.spoken), roll), _text(slip.due, roll, 3, 3)]
    if slip.hotline:
        said += [_gap(), _text(sentence("Not called by then? Call:", slip.spoken), roll)]
        said += [_text(slip.hotline, roll, bold=True)]
    return _rule(roll) + b"".join(said)


def _visitors_page(slip: Slip, roll: Roll) -> bytes:
    if not slip.url:
        return b""
    caption = sentence("Point your phone here: your place in line, and why another number went first.", slip.spoken)
    code = _style(CENTRE) + escpos.qr(slip.url, roll.module_dots)
    # A code needs white around it to be found, and printers draw none.
    return b"".join([_rule(roll), _gap(), code, _gap(), _text(caption, roll)])


def _code(slip: Slip, roll: Roll) -> bytes:
    """The office's code, a promise a line."""
    if not slip.promise:
        return b""
    heading = _text(sentence("We promise", slip.spoken), roll, bold=True)
    promises = [escpos.line(line) for text in slip.promise for line in _lines(text, roll.columns, "· ", "  ")]
    return b"".join([_rule(roll), heading, _style(LEFT), *promises])


def _text(
    text: str, roll: Roll, width: int = 1, height: int = 1, *, where: Align = CENTRE, bold: bool = False
) -> bytes:
    """A paragraph in one style."""
    lines = _lines(text, roll.columns // width)
    return _style(where, width, height, bold=bold) + b"".join(map(escpos.line, lines))


def _pair(label: str, value: str, roll: Roll) -> bytes:
    """A label at the left and its value at the right; below each other where they do not fit."""
    left, right = printable(label), printable(value)
    room = roll.columns - len(left) - len(right)
    if room < 1:
        return _text(label, roll, where=LEFT) + _text(value, roll, where=LEFT, bold=True)
    return _style(LEFT) + escpos.letters(left + " " * room) + escpos.bold(True) + escpos.line(right)


def _rule(roll: Roll) -> bytes:
    return _style(LEFT) + escpos.line("─" * roll.columns)


def _gap() -> bytes:
    return _style(LEFT) + escpos.line("")


def _style(where: Align, width: int = 1, height: int = 1, *, bold: bool = False) -> bytes:
    return escpos.align(where) + escpos.size(width, height) + escpos.bold(bold)


def _lines(text: str, columns: int, first: str = "", further: str = "") -> list[str]:
    """The text by words in lines that fit; a word that is too long is broken."""
    return wrap(printable(text), columns, break_on_hyphens=False, initial_indent=first, subsequent_indent=further)
