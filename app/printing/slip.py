"""What a page asks to have printed: a ticket in words, as its visitor is to read it."""

from typing import Annotated

from pydantic import Field

from app.web.inputs import Language, Line, Wish
from app.web.languages import ENGLISH, languages

NUMBER_LETTERS = 12
ADDRESS_LETTERS = 300
MOST_PROMISES = 12
MOST_SERVICES = 10

Count = Annotated[int, Field(ge=0, le=99_999)]


class Slip(Wish):
    """A ticket to be printed. Times are texts, printed as they are given; what is None is left out.

    `due` is the time by which the visitor is called, `promise` are the lines of the office's code, `url` is the
    visitor's page.
    """

    language: Language
    office: Line
    number: Annotated[Line, Field(max_length=NUMBER_LETTERS)]
    service: Line
    issued_at: Line
    ahead: Count | None = None
    limit_minutes: Count
    due: Line | None = None
    hotline: Line | None = None
    promise: list[Line] = Field(default=[], max_length=MOST_PROMISES)
    url: Annotated[str, Field(pattern=r"^https?://[!-~]+$", max_length=ADDRESS_LETTERS)] | None = None
    issued_offline: bool = False
    category: Line | None = None
    further: list[Line] = Field(default=[], max_length=MOST_SERVICES)

    @property
    def spoken(self) -> str:
        """The language of what is printed around the office's own words."""
        return self.language if self.language in languages() else ENGLISH
