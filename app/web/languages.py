"""The languages of sentences for people. English stands in the code; every other one is a file in `locales/`."""

import gettext
from collections.abc import Iterator, Mapping
from functools import lru_cache
from io import BytesIO
from pathlib import Path

LOCALES = Path(__file__).with_name("locales")
ENGLISH = "en"

MOST_ACCEPTED = 500
"""Characters of an Accept-Language header that are read. Browsers send a tenth of that."""


def sentence(english: str, language: str) -> str:
    """A sentence of ours in one of our languages."""
    return english if language == ENGLISH else catalogues()[language].gettext(english)


def mark(english: str) -> str:
    """A sentence that is said elsewhere."""
    return english


def language_of(accepted: str | None) -> str:
    """The one of our languages that an Accept-Language header likes best; English when it likes none."""
    return language_liked(accepted) or ENGLISH


def language_liked(accepted: str | None) -> str | None:
    """The same, where there may be none."""
    return _liked((accepted or "")[:MOST_ACCEPTED])


@lru_cache(maxsize=256)
def _liked(accepted: str) -> str | None:
    return next((language for language in _wanted(accepted) if language in languages()), None)


@lru_cache(maxsize=1)
def languages() -> tuple[str, ...]:
    """Every language that we speak, English last: the others are why there is a choice."""
    return (*catalogues(), ENGLISH)


@lru_cache(maxsize=1)
def catalogues() -> Mapping[str, gettext.GNUTranslations]:
    """The translations by language, compiled from the files as they are read."""
    return {path.stem: _compiled(path) for path in sorted(LOCALES.glob("*.po"))}


def name_of(language: str) -> str:
    """A language in itself."""
    from babel import Locale

    return Locale.parse(language).get_display_name() or language


def _compiled(path: Path) -> gettext.GNUTranslations:
    # Not before: a hall waits for a server that was killed, and not for this.
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    compiled = BytesIO()
    with path.open("rb") as lines:
        write_mo(compiled, read_po(lines, locale=path.stem))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def _wanted(accepted: str) -> Iterator[str]:
    """The languages of a header, the dearest first, regions left out."""
    listed = [_weighed(item) for item in accepted.split(",")]
    for weight, language in sorted(listed, key=lambda item: -item[0]):
        if weight > 0:
            yield language


def _weighed(item: str) -> tuple[float, str]:
    tag, *parameters = (part.strip().lower() for part in item.split(";"))
    weights = (parameter.removeprefix("q=") for parameter in parameters if parameter.startswith("q="))
    try:
        weight = float(next(weights, "1"))
    except ValueError:
        weight = 0.0
    return weight, tag.partition("-")[0]
