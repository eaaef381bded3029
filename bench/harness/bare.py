"""The yardstick: the two hot routes with their request and response models, and nothing behind them.

This is what FastAPI costs by itself when routes are written as its manual says: path and body are validated, and an
instance of the response model, here always the same, is encoded as the reply.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel, create_model

from app.command_line.serving import KEEP_ALIVE_SECONDS
from app.kiosk.routes import IssueWish
from app.settings import Settings
from app.web.inputs import CounterId, OfficeId
from app.web.models import TicketOut, ticket_out
from queue_core.facts import Because, Called, Candidate, Issued, Rank
from queue_core.office import Channel
from queue_core.tickets import born, moved

# The members of the typed dictionary as a model class, which FastAPI encodes faster than the dictionary: the harder
# yardstick of the two.
MEMBERS: dict[str, Any] = {name: (kind, ...) for name, kind in TicketOut.__annotations__.items()}
TicketModel: type[BaseModel] = create_model("TicketModel", **MEMBERS)

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
ISSUED = born(
    Issued(
        at=NOON,
        ticket="20261123-A012",
        letter="A",
        serial=12,
        day=NOON.date(),
        service="result",
        channel=Channel.WALK_IN,
        category=None,
        clock_start=NOON,
        limit_seconds=900,
        stops=(),
        ahead=11,
    )
)
CHOSEN = Candidate(ticket=ISSUED.id, number=ISSUED.number, rank=Rank.WALK_IN, waited_seconds=60.0, points=60.0)
CALLED = moved(
    ISSUED,
    Called(
        at=NOON + timedelta(minutes=1),
        ticket=ISSUED.id,
        counter="7",
        operator="operator-7",
        because=Because(rule="arrival", chosen=CHOSEN),
    ),
)

ISSUED_REPLY = TicketModel.model_validate(ticket_out(ISSUED, 100))
CALLED_REPLY = TicketModel.model_validate(ticket_out(CALLED, 101))

app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)


@app.post("/api/v1/offices/{office}/tickets", status_code=201, response_model=TicketModel)
async def issue_ticket(office: OfficeId, wish: IssueWish) -> BaseModel:
    """The same ticket for everybody."""
    return ISSUED_REPLY


@app.post("/api/v1/offices/{office}/counters/{counter}/call-next", response_model=TicketModel)
async def call_next(office: OfficeId, counter: CounterId) -> BaseModel:
    """The same visitor for every counter."""
    return CALLED_REPLY


@app.get("/readyz", status_code=204)
async def ready() -> None:
    """Whoever waits for the server waits for this."""


def serve(settings: Settings) -> None:
    """Serve with the same settings of uvicorn as `fifteen serve` does."""
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        lifespan="off",
        loop="uvloop",
        http="httptools",
        ws="none",
        log_config=None,
        access_log=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )


if __name__ == "__main__":
    serve(Settings())
