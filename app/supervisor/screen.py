"""Where everything is, all offices at a glance, and one office live, as pages."""

from starlette.responses import Response

from app.access import Actor, pages
from app.web.headers import demo_mark
from app.web.inputs import OfficeId
from app.web.languages import languages
from app.web.screens import language_for, page

router = pages()

OFFICES_LINKED = 50
"""On the first page. Whoever keeps more finds them in the overview."""


@router.get("/")
async def show_all_screens(actor: Actor) -> Response:
    """Where to click: every screen of every office."""
    halls = sorted((office, hall) for office, hall in (await actor.engine.halls()).items() if hall.exists)
    return page(
        actor,
        "supervisor/home.html",
        language_for(actor, languages()),
        offices=[hall.office for _, hall in halls[:OFFICES_LINKED]],
        more=len(halls) > OFFICES_LINKED,
        demo=demo_mark(actor.engine.clock),
        grafana=_grafana(actor, "fifteen-network"),
    )


@router.get("/supervisor")
async def show_overview(actor: Actor) -> Response:
    """All offices, those in trouble first."""
    language = language_for(actor, languages())
    return page(actor, "supervisor/overview.html", language, grafana=_grafana(actor, "fifteen-network"))


@router.get("/supervisor/{office}")
async def supervise(office: OfficeId, actor: Actor) -> Response:
    """One office live, and what a supervisor can do about it."""
    described = (await actor.hall(office)).office
    return page(
        actor,
        "supervisor/supervisor.html",
        language_for(actor, described.languages),
        languages_offered=described.languages,
        office=described,
        grafana=_grafana(actor, "fifteen-office", f"?var-office={office}"),
    )


def _grafana(actor: Actor, dashboard: str, about: str = "") -> str | None:
    """The address of one of our dashboards, where there is a Grafana."""
    address: str | None = actor.app.state.settings.grafana
    return f"{address.rstrip('/')}/d/{dashboard}{about}" if address else None
