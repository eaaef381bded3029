"""The API as a page to read, and as a document for programs."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from html import escape
from typing import Any

import msgspec
from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from app.web.document import document
from app.web.gate import Gated, produces

router = APIRouter(include_in_schema=False, route_class=Gated)

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}: the API</title>
<h1>{title}</h1>
<p>{summary} This page as a document for programs: <a href="/openapi.json">openapi.json</a>.</p>
{operations}
</html>
"""

# The page holds no script and no style of its own, and nothing may bring one in.
HEADERS = {"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff"}


@router.get("/openapi.json")
@produces("application/json")
async def read_document(request: Request) -> Response:
    """The OpenAPI document."""
    return Response(_encoded(request.app), media_type="application/json")


@router.get("/docs")
@produces("text/html")
async def read_page(request: Request) -> Response:
    """The same, to be read."""
    return HTMLResponse(_page(request.app), headers=HEADERS)


@lru_cache(maxsize=1)
def _encoded(app: FastAPI) -> bytes:
    return msgspec.json.encode(document(app))


@lru_cache(maxsize=1)
def _page(app: FastAPI) -> str:
    described = document(app)
    info = described["info"]
    operations = "\n".join(_operations(described["paths"]))
    return PAGE.format(title=escape(info["title"]), summary=escape(info["summary"]), operations=operations)


def _operations(paths: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for path, operations in paths.items():
        for method, operation in operations.items():
            yield f'<h2 id="{operation["operationId"]}"><code>{method.upper()} {escape(path)}</code></h2>'
            yield f"<p>{escape(operation['description'])}</p>"
            yield "<dl>"
            for status, response in operation["responses"].items():
                yield f"<dt>{status}</dt><dd>{escape(response['description'])}</dd>"
            yield "</dl>"
