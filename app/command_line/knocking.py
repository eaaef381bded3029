"""Asking the server that holds a SQLite file, where there is one."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx2
import typer

from app.command_line.sorry import Sorry
from app.door import HEADER, find_door

# A verification of years takes as long as it takes; a server that does not even accept is gone.
PATIENCE = httpx2.Timeout(5.0, read=None)

SAID_OTHERWISE = frozenset({"type", "title", "status", "instance", "errors", "reason"})
"""Members of a problem that are no mere particulars."""


@contextmanager
def live_server(database: str) -> Iterator[httpx2.Client | None]:
    """A client of the server that holds this database; None when the command has to work by itself."""
    door = find_door(database)
    if door is None:
        yield None
        return
    with _client(door.url, {HEADER: door.secret}) as client:
        if door.is_inhabited and _answers(client):
            yield client
        else:
            typer.echo(f"The server that had {database} open is gone; working on the file itself.", err=True)
            yield None


def server_at(url: str) -> httpx2.Client:
    """A client of the server at an address."""
    return _client(url, {})


def asked(client: httpx2.Client, method: str, path: str, body: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
    """The server's answer, or its refusal as Sorry."""
    try:
        response = client.request(method, path, json=body)
        answer = response.json()
    except httpx2.TransportError as error:
        raise Sorry(f"The server at {client.base_url} does not answer: {error}") from error
    except ValueError as error:
        raise Sorry(f"{client.base_url} is not a server of ours: it answered {response.status_code}") from error
    if response.is_error:
        raise Sorry(_told(answer))
    return dict(answer)


def _client(url: str, headers: Mapping[str, str]) -> httpx2.Client:
    try:
        # Never through a proxy of this machine: the secret is for one server alone.
        return httpx2.Client(base_url=url, headers=headers, timeout=PATIENCE, trust_env=False)
    except httpx2.InvalidURL as error:
        raise Sorry(f"{url} is not the address of a server: {error}") from error


def _answers(client: httpx2.Client) -> bool:
    try:
        return client.get("/livez", timeout=5.0).is_success
    except httpx2.TransportError:
        return False


def _told(problem: Mapping[str, Any]) -> str:
    """A problem as a sentence, its particulars and its reasons."""
    particulars = [f"{name} {value}" for name, value in problem.items() if name not in SAID_OTHERWISE]
    sentence = str(problem.get("title", problem)) + (f" ({', '.join(particulars)})" if particulars else "")
    reasons = [problem["reason"]] if "reason" in problem else []
    reasons += [f"{mistake['at']}: {mistake['reason']}" for mistake in problem.get("errors", ())]
    return "\n".join([sentence, *reasons])
