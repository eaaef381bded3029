"""The operator's console, as pages: choosing a counter, and the place of work itself."""

from starlette.responses import RedirectResponse, Response

from app.access import Actor, pages
from app.web.inputs import CounterId, OfficeId
from app.web.screens import language_for, page

router = pages()


@router.get("/console/{office}")
async def choose_counter(office: OfficeId, actor: Actor) -> Response:
    """Where an operator says who they are and which counter they work at."""
    described = (await actor.hall(office)).office
    language = language_for(actor, described.languages)
    return page(actor, "console/choose.html", language, languages_offered=described.languages, office=described)


@router.get("/console/{office}/{counter}")
async def work_at_counter(office: OfficeId, counter: CounterId, actor: Actor) -> Response:
    """The place of work; an address of a counter that the office gave up leads to those it has."""
    described = (await actor.hall(office)).office
    found = described.counter(counter)
    if found is None:
        return RedirectResponse(f"/console/{office}", 303)
    categories = {
        category.id: {"name": dict(category.name), "basis": dict(category.basis)} for category in described.categories
    }
    place = {"office": office, "counter": counter, "categories": categories, "recall_limit": described.recall_limit}
    language = language_for(actor, described.languages)
    return page(
        actor,
        "console/console.html",
        language,
        languages_offered=described.languages,
        office=described,
        counter=found,
        place=place,
    )
