"""Pages for people: rendered here, painted by a module of their own, in the office's languages, under a strict policy.

A room keeps its page, module and stylesheet beside its routes. What all screens share is in `app/web/assets` and
`app/web/templates`. Nothing is bundled and nothing comes from elsewhere.
"""

import gzip
import json
import mimetypes
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.web.gate import Gated, produces, refuse_unless_taken
from app.web.languages import catalogues, language_liked, languages, name_of, sentence
from app.web.refusals import NoSuchPage

if TYPE_CHECKING:
    from jinja2 import Environment

APP = Path(__file__).parents[1]
ROOMS = ("board", "console", "kiosk", "supervisor", "visitor", "web")
SHARED = Path(__file__).with_name("templates")
TEXTS = (".js", ".css", ".svg", ".json")
SERVED = (*TEXTS, ".ogg")

SAID = re.compile(r"\b(?:say|mark)\(\s*\"((?:[^\"\\]|\\.)*)\"")
"""A sentence in a module, said there or marked to be said elsewhere."""

KEPT_FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}
POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic'; style-src 'self'; img-src 'self' data:; "
    "media-src 'self'; connect-src {connect}; worker-src 'self'; manifest-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Cache-Control": "no-cache",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Vary": "Accept-Language",
}

router = APIRouter(include_in_schema=False, route_class=Gated)


def make_ready() -> None:
    """Load what only pages need. Until then whoever opens the first waits for it, and everybody else with them."""
    _templates()
    catalogues()
    _digest()


def page(
    request: Request,
    template: str,
    language: str,
    *,
    connect: Sequence[str] = (),
    **values: Any,
) -> Response:
    """A page in one of our languages.

    `template` is `room/name.html`; what the modules of the room say reaches them translated. `connect` are addresses
    besides our own that they may talk to.
    """
    nonce = token_urlsafe(16)
    html = (
        _templates()
        .get_template(template)
        .render(
            **{"languages_offered": languages(), **values},
            language=language,
            nonce=nonce,
            asset=asset,
            words={english: sentence(english, language) for english in said_by(template.partition("/")[0])},
            _=lambda english: sentence(english, language),
            here=request.url,
        )
    )
    policy = POLICY.format(nonce=nonce, connect=" ".join(("'self'", *connect)))
    headers = {**HEADERS, "Content-Security-Policy": policy, "Content-Language": language}
    return Response(html, 200, headers, "text/html")


def language_for(request: Request, offered: Sequence[str]) -> str:
    """The language of a page: the one in its address, else what the browser likes among those offered, else the first.

    Only languages that we speak ourselves count.
    """
    ours = [language for language in offered if language in languages()] or [*languages()]
    asked = request.query_params.get("lang")
    if asked in ours:
        return asked
    liked = language_liked(request.headers.get("accept-language"))
    return liked if liked in ours else ours[0]


def in_words(words: Mapping[str, str], language: str) -> str:
    """A text of the office in this language, or in whatever it has."""
    return words.get(language) or next(iter(words.values()))


@lru_cache(maxsize=16)
def said_by(room: str) -> Sequence[str]:
    """The English sentences in the modules of a room and in those that all rooms share."""
    modules = [
        body.decode()
        for name, (body, _) in _assets().items()
        if name.endswith(".js") and name.startswith((f"{room}/", "web/"))
    ]
    return sorted({json.loads(f'"{found}"') for module in modules for found in SAID.findall(module)})


def asset(path: str) -> str:
    """The address of `room/file`, which changes whenever any of our files does."""
    return f"/assets/{_digest()}/{path}"


@router.get("/assets/{digest}/{room}/{name:path}")
@produces()
async def read_asset(request: Request, room: str, name: str) -> Response:
    """A module, stylesheet, picture or sound of a screen."""
    file = f"{room}/{name}"
    held = _assets().get(file)
    if held is None:
        raise NoSuchPage()
    body, kind = held
    # The gate does not know what the file is.
    refuse_unless_taken(",".join(request.headers.getlist("accept")), [kind])
    headers = {**KEPT_FOR_EVER, "X-Content-Type-Options": "nosniff"}
    if file.endswith(TEXTS):
        headers["Vary"] = "Accept-Encoding"
        if "gzip" in request.headers.get("accept-encoding", ""):
            body, headers["Content-Encoding"] = _zipped(file), "gzip"
    return Response(body, 200, headers, kind)


@lru_cache(maxsize=1)
def _assets() -> Mapping[str, tuple[bytes, str]]:
    """Every file of the screens with its media type, read once: a page never waits for a disk."""
    return {
        path.relative_to(APP).as_posix(): (path.read_bytes(), _media_type(path))
        for room in ROOMS
        for path in sorted((APP / room).rglob("*"))
        if path.suffix in SERVED
    }


@lru_cache(maxsize=256)
def _zipped(file: str) -> bytes:
    """A text for a telephone far from a mast: a third of its bytes."""
    return gzip.compress(_assets()[file][0], mtime=0)


def _media_type(path: Path) -> str:
    return "text/javascript" if path.suffix == ".js" else mimetypes.guess_type(path.name)[0] or "audio/ogg"


@lru_cache(maxsize=1)
def _digest() -> str:
    whole = sha256()
    for name, (body, _) in _assets().items():
        whole.update(f"{name} {len(body)} ".encode() + body)
    return whole.hexdigest()[:12]


@lru_cache(maxsize=1)
def _templates() -> "Environment":
    # Not before: a hall waits for a server that was killed, and not for its pages.
    from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PrefixLoader, StrictUndefined

    rooms = PrefixLoader({room: FileSystemLoader(APP / room) for room in ROOMS})
    environment = Environment(
        loader=ChoiceLoader([rooms, FileSystemLoader(SHARED)]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["in_words"] = in_words
    environment.globals["language_name"] = name_of
    return environment
