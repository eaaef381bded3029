"""What the command line asks of a server that holds a SQLite file: the file is the server's alone."""

import hmac
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from app.door import HEADER
from app.engine import Engine
from app.journal import Journal, JournalBroken, JournalRefused, Verification
from app.web.gate import BoundedRequest, Gated
from app.web.inputs import Wish
from app.web.models import reply
from app.web.plain import plain
from app.web.refusals import AdminDoorShut, BackupRefused


class _Door(Gated):
    """A route for whoever knows the server's secret."""

    usually_produces = ("application/json",)

    async def authorise(self, request: BoundedRequest) -> None:
        """AdminDoorShut, if the secret is not shown."""
        secret: str = request.app.state.secret
        shown = request.headers.get(HEADER, "")
        if not hmac.compare_digest(shown.encode(), secret.encode()):
            raise AdminDoorShut()


router = APIRouter(prefix="/admin", include_in_schema=False, route_class=_Door)


class BackupWish(Wish):
    """Where the copy goes: a path on this machine."""

    path: Annotated[str, Field(min_length=1, max_length=4096, pattern=r"^/[^\u0000]*$")]


@router.post("/verify")
async def verify(request: Request) -> Response:
    """Recompute everything from the journal, in steps between which others are served."""
    engine: Engine = request.app.state.engine
    verification = await engine.ask(Verification)
    while (verdict := await engine.ask(lambda _: verification.step())) is None:
        pass
    return reply(plain(verdict))


@router.post("/backup")
async def back_up(request: Request, wish: BackupWish) -> Response:
    """Copy the journal into a new file."""
    engine: Engine = request.app.state.engine
    if refused := await engine.ask(lambda journal: _refused_backup(journal, Path(wish.path))):
        raise BackupRefused(reason=str(refused)) from refused
    return reply({"path": wish.path})


def _refused_backup(journal: Journal, path: Path) -> Exception | None:
    """Make a backup; why it was not made, a damaged journal included."""
    try:
        journal.backup(path)
    except (JournalRefused, JournalBroken, OSError) as refused:
        return refused
    return None
