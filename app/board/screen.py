"""The board in the hall, as a page."""

from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from app.access import Actor, pages
from app.web.inputs import OfficeId, Slug
from app.web.languages import languages
from app.web.refusals import BadInput
from app.web.screens import APP, language_for, page

router = pages()

LISTED = r"^([a-z0-9][a-z0-9-]{0,39}(,[a-z0-9][a-z0-9-]{0,39}){0,199})?$"
"""Slugs with commas between them, or nothing."""

VOICES = sorted(path.name for path in (APP / "board" / "voices").iterdir() if path.is_dir())
"""The languages that we have clips of."""


@router.get("/board/{office}")
async def show_board(
    office: OfficeId,
    actor: Actor,
    name: Annotated[Slug, Query(description="which board this is")] = "board",
    counters: Annotated[str, Query(pattern=LISTED, description="its zone: only these counters")] = "",
    voice: Annotated[str | None, Query(pattern=LISTED, description="spoken in these, in order; none: silent")] = None,
    pace: Annotated[float, Query(ge=0.5, le=4, description="how fast it speaks")] = 1,
) -> Response:
    """The latest calls, as large as the wall, and their announcements."""
    hall = await actor.hall(office)
    zone = [hall.counter(counter).id for counter in _listed(counters)]
    language = language_for(actor, hall.office.languages)
    spoken_in = [spoken for spoken in VOICES if spoken == language] if voice is None else _listed(voice)
    if not set(spoken_in) <= {*VOICES}:
        raise BadInput(errors=[{"at": "query.voice", "reason": f"must be among {', '.join(VOICES)}"}])
    return page(
        actor,
        "board/board.html",
        language,
        office=hall.office,
        board=name,
        zone=zone,
        voices=spoken_in,
        pace=pace,
        languages_offered=[ours for ours in languages() if ours in hall.office.languages],
    )


def _listed(slugs: str) -> list[str]:
    return [slug for slug in slugs.split(",") if slug]
