"""The kiosk, as a page."""

import re
from base64 import b64encode
from pathlib import Path
from typing import Annotated

from fastapi import Query
from pydantic import Field
from starlette.responses import Response
from typing_extensions import TypedDict

from app.access import Actor, pages
from app.kiosk.routes import menu
from app.web.aside import Aside
from app.web.gate import produces
from app.web.headers import demo_mark
from app.web.inputs import OfficeId, Slug, Wish
from app.web.languages import languages, name_of, sentence
from app.web.models import reply
from app.web.refusals import BadInput
from app.web.screens import language_for, page, said_by

router = pages()

ADDRESS = re.compile(r"https?://[a-z0-9.\-\[\]:]{1,200}(/[A-Za-z0-9._~/-]{0,200})?", re.ASCII)
ORIGIN = re.compile(r"https?://(?:[a-z0-9.-]{1,200}|\[[0-9a-f:]{2,45}\])(?::[0-9]{1,5})?", re.ASCII)
IDLE_SECONDS = 40
CODES_AT_ONCE = 50

WORKER = Path(__file__).with_name("worker.js").read_bytes()
# Its scope is the folder that it is served from, so it cannot be among the other files.
WORKER_HEADERS = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}


class CodesWish(Wish):
    """Texts to be shown as QR codes."""

    texts: list[Annotated[str, Field(pattern=r"^[!-~]+$", max_length=300)]] = Field(max_length=CODES_AT_ONCE)


class CodeOut(TypedDict):
    """A QR code: `size` modules on each side, and one bit for each, row by row, in base64."""

    size: int
    bits: str


@router.get("/kiosk/worker.js")
@produces("text/javascript")
async def read_worker(_actor: Actor) -> Response:
    """What keeps the page alive while the server is away."""
    return Response(WORKER, 200, WORKER_HEADERS, "text/javascript")


@router.get("/kiosk/{office}")
async def show_kiosk(
    office: OfficeId,
    actor: Actor,
    kiosk: Annotated[Slug, Query(description="which kiosk this is")] = "kiosk",
    printer: Annotated[str, Query(description="the print agent's address")] = "",
    visits: Annotated[str, Query(description="how a visitor's phone reaches the server")] = "",
    idle: Annotated[
        int, Query(ge=2, le=600, description="seconds without a touch until it begins anew")
    ] = IDLE_SECONDS,
) -> Response:
    """Two touches to a ticket, in the language of whoever stands before it."""
    hall, now = await actor.hall(office), actor.engine.clock.now()
    if printer and not ORIGIN.fullmatch(printer):
        raise BadInput(errors=[{"at": "query.printer", "reason": "must be an origin such as http://127.0.0.1:9151"}])
    if visits and not ADDRESS.fullmatch(visits):
        raise BadInput(
            errors=[{"at": "query.visits", "reason": "must be an address such as https://queue.example.org"}]
        )
    described = hall.office
    offered = [ours for ours in languages() if ours in described.languages] or [*languages()]
    setup = {
        "office": office,
        "kiosk": kiosk,
        "printer": printer or None,
        "visits": (visits or str(actor.base_url)).rstrip("/"),
        "idle": idle,
        "zone": described.zone,
        "demo": demo_mark(actor.engine.clock),
        # Whoever stands before it chooses the language, also while the server is away.
        "languages": {ours: name_of(ours) for ours in offered},
        "words": {ours: {english: sentence(english, ours) for english in said_by("kiosk")} for ours in offered},
        "menu": menu(hall, now),
    }
    language = language_for(actor, described.languages)
    return page(
        actor,
        "kiosk/kiosk.html",
        language,
        connect=[printer] if printer else (),
        office=described,
        setup=setup,
    )


@router.post("/kiosk/{office}/codes")
@produces("application/json")
async def draw_codes(office: OfficeId, wish: CodesWish, actor: Actor) -> Response:
    """QR codes of some texts, small enough that a kiosk can keep hundreds for when the server is away."""
    await actor.hall(office)
    # Two milliseconds each, which is too long for a loop that has limits to watch.
    aside: Aside = actor.app.state.aside
    codes = await aside.do(lambda: [code_of(text) for text in wish.texts])
    return reply({"codes": codes})


def code_of(text: str) -> CodeOut:
    """A text as a QR code."""
    # Not before: a hall waits for a server that was killed, and not for this.
    import segno

    # Whichever mask is fine; trying all of them takes five times as long.
    rows = segno.make_qr(text, error="m", mask=3).matrix
    modules = [bool(module) for row in rows for module in row]
    modules += [False] * (-len(modules) % 8)
    packed = bytes(sum(modules[start + bit] << (7 - bit) for bit in range(8)) for start in range(0, len(modules), 8))
    return {"size": len(rows), "bits": b64encode(packed).decode()}
