"""A printer in miniature: it reads ESC/POS and knows what stands where on the paper, and can draw it.

It knows the commands that Epson describes for its printers of 80 and 58 mm, as far as tickets use them, and refuses any
other: a byte that is not understood would come out as a stray letter.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import segno
from PIL import Image, ImageDraw, ImageFont

LETTER = (12, 24)
SPACING = 30
"""From line to line in dots, unless the letters are larger."""

FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf"
BOLD = "/usr/share/fonts/truetype/dejavu/DejaVuSansMono-Bold.ttf"
MARGIN = 32
QUIET = 4
CUTTER = 6


@dataclass(frozen=True)
class Piece:
    """Letters of one look, and where they begin, in dots."""

    text: str
    left: int
    wide: int
    high: int
    bold: bool

    @property
    def right(self) -> int:
        """Where they end."""
        return self.left + len(self.text) * LETTER[0] * self.wide


@dataclass(frozen=True)
class Line:
    """What stands side by side. `top` is where the line begins on the paper."""

    top: int
    pieces: tuple[Piece, ...]

    @property
    def text(self) -> str:
        """The letters of the line."""
        return "".join(piece.text for piece in self.pieces)

    @property
    def height(self) -> int:
        """Dots to the next line."""
        return max(SPACING, *(LETTER[1] * piece.high for piece in self.pieces), 0)

    @property
    def left(self) -> int:
        """Where the first letter stands."""
        return min((piece.left for piece in self.pieces), default=0)

    @property
    def right(self) -> int:
        """Where the last letter ends."""
        return max((piece.right for piece in self.pieces), default=0)


@dataclass(frozen=True)
class Code:
    """A QR code, drawn by the printer from its data."""

    top: int
    left: int
    dots: int
    level: str
    data: str

    @property
    def rows(self) -> tuple[bytearray, ...]:
        """The modules, without a quiet zone: a printer draws none."""
        return segno.make_qr(self.data, error=self.level, boost_error=False).matrix

    @property
    def side(self) -> int:
        """Its width and height in dots."""
        return len(self.rows) * self.dots

    @property
    def right(self) -> int:
        """Where it ends."""
        return self.left + self.side


@dataclass
class Paper:
    """What came out of the printer, `width` dots wide. `cut_at` are the places of the knife."""

    width: int
    lines: list[Line] = field(default_factory=list)
    codes: list[Code] = field(default_factory=list)
    cut_at: list[int] = field(default_factory=list)
    length: int = 0

    @property
    def text(self) -> str:
        """All letters, line by line."""
        return "\n".join(line.text for line in self.lines)

    def line(self, words: str) -> Line:
        """The one line in which these words stand."""
        (found,) = [line for line in self.lines if words in line.text]
        return found

    def save(self, path: Path) -> None:
        """Draw the paper."""
        path.parent.mkdir(exist_ok=True)
        picture = Image.new("L", (self.width + 2 * MARGIN, self.length + 2 * MARGIN), 250)
        draw = ImageDraw.Draw(picture)
        for line in self.lines:
            for piece in line.pieces:
                _draw_piece(picture, piece, line.top + line.height)
        for code in self.codes:
            _draw_code(draw, code)
        for cut in self.cut_at:
            draw.line((0, cut + MARGIN, self.width + 2 * MARGIN, cut + MARGIN), fill=160, width=2)
        picture.save(path)


def printed(job: bytes, columns: int = 48) -> Paper:
    """The paper on which these bytes were printed."""
    return _Head(job, columns * LETTER[0]).run()


class _Head:
    """The print head: what is set at the moment, and the line that is being filled."""

    def __init__(self, job: bytes, width: int) -> None:
        self._job, self._at = job, 0
        self._paper = Paper(width)
        self._filling: list[tuple[str, int, int, bool]] = []
        self._code = {"model": b"", "dots": b"", "level": b"", "data": b""}
        self._reset()

    def run(self) -> Paper:
        """Read to the end."""
        while self._at < len(self._job):
            byte = self._take(1)
            if byte == b"\x1b":
                self._escape(self._take(1))
            elif byte == b"\x1d":
                self._group(self._take(1))
            elif byte == b"\x1c":
                assert self._take(1) == b"."
                self._kanji = False
            elif byte == b"\n":
                self._feed_line()
            else:
                assert byte >= b" ", f"{byte!r} at {self._at} is no letter"
                self._fill(byte)
        assert not self._filling, "the last line never came out"
        return self._paper

    def _reset(self) -> None:
        self._wide, self._high, self._bold, self._align, self._table, self._kanji = 1, 1, False, 0, 0, True

    def _escape(self, command: bytes) -> None:
        if command == b"@":
            self._reset()
        elif command == b"t":
            self._table = self._number()
        elif command == b"E":
            self._bold = bool(self._number() & 1)
        elif command == b"a":
            # In the middle of a line the command is ignored.
            where = self._number()
            self._align = self._align if self._filling else where
        elif command == b"d":
            for _ in range(self._number()):
                self._feed_line()
        else:
            raise AssertionError(f"ESC {command!r} is not known")

    def _group(self, command: bytes) -> None:
        if command == b"!":
            number = self._number()
            self._wide, self._high = (number >> 4) + 1, (number & 0x0F) + 1
        elif command == b"V":
            assert self._number() == 1, "cut, but for a bridge"
            assert not self._filling, "a cut is only for the beginning of a line"
            # What was just printed has not yet come as far as the knife.
            self._paper.cut_at.append(self._paper.length - (CUTTER - 1) * SPACING)
        elif command == b"(":
            assert self._take(1) == b"k"
            content = self._take(int.from_bytes(self._take(2), "little"))
            assert content[:1] == b"1", "a QR code"
            self._symbol(content[1:2], content[2:])
        else:
            raise AssertionError(f"GS {command!r} is not known")

    def _symbol(self, function: bytes, said: bytes) -> None:
        if function == b"A":
            self._code["model"] = said
        elif function == b"C":
            self._code["dots"] = said
        elif function == b"E":
            self._code["level"] = said
        elif function == b"P":
            assert said[:1] == b"0"
            self._code["data"] = said[1:]
        elif function == b"Q":
            assert said == b"0"
            self._print_code()
        else:
            raise AssertionError(f"function {function!r} of GS ( k is not known")

    def _print_code(self) -> None:
        assert self._code["model"] == b"2\x00"
        assert not self._filling, "a code stands on lines of its own"
        level = "LMQH"[self._code["level"][0] - ord("0")]
        code = Code(self._paper.length, 0, self._code["dots"][0], level, self._code["data"].decode())
        left = (self._paper.width - code.side) // 2 if self._align == 1 else 0
        placed = Code(code.top, left, code.dots, code.level, code.data)
        self._paper.codes.append(placed)
        self._paper.length += placed.side

    def _fill(self, byte: bytes) -> None:
        assert not self._kanji or byte < b"\x80", "half of a Chinese letter"
        assert self._table == 17 or byte < b"\x80", "a letter of another code page"
        self._filling.append((byte.decode("cp866"), self._wide, self._high, self._bold))
        assert self._filled() <= self._paper.width, f"wider than the paper: {''.join(x[0] for x in self._filling)}"

    def _filled(self) -> int:
        return sum(wide * LETTER[0] for _, wide, _, _ in self._filling)

    def _feed_line(self) -> None:
        spare = self._paper.width - self._filled()
        line = Line(self._paper.length, tuple(self._pieces(spare // 2 if self._align == 1 else 0)))
        if self._filling:
            self._paper.lines.append(line)
        self._paper.length += line.height
        self._filling = []

    def _pieces(self, left: int) -> Iterator[Piece]:
        """Neighbours of one look together."""
        looks = [letter[1:] for letter in self._filling]
        starts = [0, *(at + 1 for at, (one, next_) in enumerate(pairwise(looks)) if one != next_), len(looks)]
        for start, end in pairwise(starts):
            if start < end:
                wide, high, bold = looks[start]
                piece = Piece("".join(letter for letter, *_ in self._filling[start:end]), left, wide, high, bold)
                left = piece.right
                yield piece

    def _take(self, count: int) -> bytes:
        taken = self._job[self._at : self._at + count]
        assert len(taken) == count, "the job ends in the middle of a command"
        self._at += count
        return taken

    def _number(self) -> int:
        return self._take(1)[0]


def _draw_piece(picture: Image.Image, piece: Piece, bottom: int) -> None:
    """Letters as a printer makes them: one size of font, each dot so many times as wide and as high."""
    wide, high = LETTER
    largest = max(piece.wide, piece.high)
    font = ImageFont.truetype(BOLD if piece.bold else FONT, 20 * largest)
    for at, letter in enumerate(piece.text):
        cell = Image.new("L", (wide * largest, high * largest), 250)
        ImageDraw.Draw(cell).text((0, high * largest - 5 * largest), letter, font=font, fill=20, anchor="ls")
        size = (wide * piece.wide, high * piece.high)
        left = piece.left + at * wide * piece.wide + MARGIN
        picture.paste(cell.resize(size), (left, bottom - size[1] + MARGIN))


def _draw_code(draw: ImageDraw.ImageDraw, code: Code) -> None:
    for y, row in enumerate(code.rows):
        for x, dark in enumerate(row):
            if dark:
                left, top = code.left + x * code.dots + MARGIN, code.top + y * code.dots + MARGIN
                draw.rectangle((left, top, left + code.dots - 1, top + code.dots - 1), fill=20)
