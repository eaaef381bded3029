"""What every clip of a voice says.

A board puts an announcement together from clips and knows them by these names, the same in every language. A number
has a clip for 0 to 99, one for each hundred and one for each thousand; a letter is `letter-a` or, when it is Cyrillic,
`letter-` and its code point.
"""

from collections.abc import Mapping

LATIN = "abcdefghijklmnopqrstuvwxyz"
CYRILLIC = "абвгдежзийклмнопрстуфхцчшщъыьэюяё"

PHRASES = ("ticket", "go-counter", "go-room", "go-desk", "look")
"""`look` is said when a counter's name has no number in it."""


def clips(language: str) -> Mapping[str, str]:
    """The name of each clip with its words, written as the voice must be told them."""
    return {"ru": _russian, "en": _english}[language]()


def letter_clip(letter: str) -> str:
    """The name of a letter's clip."""
    small = letter.lower()
    return f"letter-{small}" if small in LATIN else f"letter-{ord(small):04x}"


def _russian() -> dict[str, str]:
    # A plus stands before the vowel that is stressed; the voice knows most words, but not short ones.
    phrases = (
        "талон",
        "подойдите к окну номер",
        "пройдите в кабинет номер",
        "подойдите к столу номер",
        "место указано на табло",
    )
    latin = (
        "+а б+э ц+э д+э +е +эф ж+э +аш +и й+от к+а +эль +эм +эн +о п+э к+у +эр +эс т+э +у в+э дубль-в+э "
        "+икс +игрек з+ет"
    )
    cyrillic = (
        "+а б+э в+э г+э д+э +е ж+э з+э +и и-кр+аткое к+а +эль +эм +эн +о п+э +эр +эс т+э +у +эф х+а ц+э ч+е ш+а щ+а "
        "твёрдый-зн+ак +ы м+ягкий-зн+ак +э +ю +я +ё"
    )
    units = "н+оль один два три четыре пять шесть семь восемь девять десять одиннадцать двенадцать тринадцать"
    teens = "четырнадцать пятнадцать шестнадцать семнадцать восемнадцать девятнадцать"
    tens = "двадцать тридцать сорок пятьдесят шестьдесят семьдесят восемьдесят девяносто"
    hundreds = "сто двести триста четыреста пятьсот шестьсот семьсот восемьсот девятьсот"
    thousands = [
        *("тысяча", "две тысячи", "три тысячи", "четыре тысячи", "пять тысяч"),
        *("шесть тысяч", "семь тысяч", "восемь тысяч", "девять тысяч"),
    ]
    return {
        **dict(zip(PHRASES, phrases, strict=True)),
        **_letters(latin, cyrillic),
        **_numbers(f"{units} {teens}".split(), tens.split(), hundreds.split(), thousands),
    }


def _english() -> dict[str, str]:
    phrases = (
        "ticket",
        "please go to counter",
        "please go to room",
        "please go to desk",
        "please look at the board",
    )
    latin = "eigh bee see dee ee eff jee h eye jay kay ell emm en oh pea cue are ess tee you vee double-you ex why zee"
    cyrillic = (
        "ah bay vay gay day yeah zhay zay ee short-ee kah ell emm en oh pay air ess tay ooh eff hah tsay chay shah "
        "shah-chah hard-sign ih soft-sign eh you yah yo"
    )
    units = "zero one two three four five six seven eight nine ten eleven twelve thirteen"
    teens = "fourteen fifteen sixteen seventeen eighteen nineteen"
    tens = "twenty thirty forty fifty sixty seventy eighty ninety"
    digits = units.split()[1:10]
    hundreds, thousands = ([f"{digit} {size}" for digit in digits] for size in ("hundred", "thousand"))
    return {
        **dict(zip(PHRASES, phrases, strict=True)),
        **_letters(latin, cyrillic),
        **_numbers(f"{units} {teens}".split(), tens.split(), hundreds, thousands),
    }


def _letters(latin: str, cyrillic: str) -> dict[str, str]:
    spoken = [*zip(LATIN, latin.split(), strict=True), *zip(CYRILLIC, cyrillic.split(), strict=True)]
    return {letter_clip(letter): name.replace("-", " ") for letter, name in spoken}


def _numbers(teens: list[str], tens: list[str], hundreds: list[str], thousands: list[str]) -> dict[str, str]:
    """Clips `0` to `99`, `100` to `900` and `1000` to `9000`, of the words from zero to nineteen and so on."""
    up_to_99 = teens + [ten if unit == 0 else f"{ten} {teens[unit]}" for ten in tens for unit in range(10)]
    return {
        **{str(number): word for number, word in enumerate(up_to_99)},
        **{f"{number}00": word for number, word in enumerate(hundreds, 1)},
        **{f"{number}000": word for number, word in enumerate(thousands, 1)},
    }
