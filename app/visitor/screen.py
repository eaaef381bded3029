"""The visitor's own page, as a page."""

import re

from starlette.responses import Response

from app.access import Actor, pages
from app.engine import JournalSilent, PastGone
from app.journal.remarks import KEPT
from app.visitor.own import OwnVisit
from app.visitor.routes import own_visit_of
from app.web.languages import languages
from app.web.refusals import UnknownVisit
from app.web.screens import language_for, page

router = pages()

TELEPHONE = re.compile(r"\+?\d[\d ()-]{1,24}\d")
"""What a hotline begins with if it can be called by a touch."""


@router.get("/visit/{token}")
async def show_visit(token: str, actor: Actor) -> Response:
    """The page of a visit, with how it stands; or one that says what to do with a wrong address."""
    try:
        office, ticket = actor.tokens.read(token)
        hall = await actor.hall(office)
        visit = await _visit(token, actor)
    except UnknownVisit:
        return _unknown(actor)
    hotline = hall.office.hotline
    return page(
        actor,
        "visitor/visitor.html",
        language_for(actor, hall.office.languages),
        languages_offered=[language for language in languages() if language in hall.office.languages],
        office=hall.office,
        number=ticket.partition("-")[2],
        visit=visit,
        hotline=hotline,
        telephone=_telephone(hotline or ""),
        kept_days=KEPT.days,
    )


async def _visit(token: str, actor: Actor) -> OwnVisit | None:
    """How the visit stands; None while the journal does not answer, for the page asks again."""
    try:
        return await own_visit_of(token, actor)
    except (JournalSilent, PastGone):
        return None


def _unknown(actor: Actor) -> Response:
    answer = page(actor, "visitor/unknown.html", language_for(actor, ()))
    answer.status_code = 404
    return answer


def _telephone(hotline: str) -> str | None:
    """`8-800-000-15-15 (free)` as what a telephone dials."""
    found = TELEPHONE.match(hotline)
    return re.sub(r"[^\d+]", "", found[0]) if found else None
