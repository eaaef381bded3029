"""Whatever is written comes out in letters that a printer has, and as near as they come."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.printing.escpos import line
from app.printing.letters import HAS, printable


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ("Съешь ещё этих мягких французских булок, да выпей чаю", None),
        ("СЪЕШЬ ЕЩЁ ЭТИХ МЯГКИХ ФРАНЦУЗСКИХ БУЛОК, ДА ВЫПЕЙ ЧАЮ", None),
        ("№ 15, 8-800-000-15-15 (доб. 7)", None),
        ("Центр «Заречный» — “лучший”", 'Центр "Заречный" ─ "лучший"'),
        ("08:00–18:00…", "08:00-18:00..."),
        ("350 ₽", "350 руб."),
        ("и\u0306 е\u0308", "й ё"),
        ("ударе\u0301ние", "ударение"),
        ("Қызмет көрсету, ұзақтығы", "Кызмет корсету, узактыгы"),
        ("Хөрмәтле ҖӘМӘГАТЬ", "Хормэтле ЖЭМЭГАТЬ"),
        ("Ґрунт, їжа, Єва, ў", "Грунт, їжа, Єва, ў"),
        ("Čeština, Łódź, Straße, ŒUVRE", "Cestina, Lodz, Strasse, OEUVRE"),
        ("1½ кг, ⅓, 5 ㎡, ﬁ", "1 1/2 кг, 1/3, 5 m2, fi"),
        ("дом\u00ad\u200bик", "домик"),
        ("日本 🙂", "?? ?"),
        ("\x1b@\x1dV\x00\x10\x04\x01\x7f", "@V"),
    ],
)
def test_letters_come_out_as_near_as_they_can(written: str, printed: str | None) -> None:
    assert printable(written) == (written if printed is None else printed)


@given(st.text())
def test_nothing_that_is_written_becomes_a_command(written: str) -> None:
    printed = printable(written)

    assert set(printed) <= HAS
    assert min(line(printed)[:-1], default=0x20) >= 0x20


@given(st.text(alphabet=sorted(HAS)))
def test_what_the_printer_has_stays(written: str) -> None:
    assert printable(written) == written
