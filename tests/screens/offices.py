"""Offices of a test's own, on a server that several tests share."""

from itertools import count
from typing import Any

from tests.api.conftest import CENTRE
from tests.command_line.servers import LiveServer


class Office:
    """An office of a test's own, so that nobody else stands in its line."""

    _names = count(1)

    def __init__(self, server: LiveServer, **described: Any) -> None:
        self.server, self.id = server, f"office-{next(self._names)}"
        self._keys = count(1)
        described = {**CENTRE, "languages": ["en", "ru"], **described, "id": self.id}
        server.http.put(f"/api/v1/offices/{self.id}", json=described).raise_for_status()
        self.post("/open-day")

    def post(self, path: str, body: Any = None) -> Any:
        """Something done over the API."""
        key = f"{self.id}-{next(self._keys)}"
        reply = self.server.http.post(f"/api/v1/offices/{self.id}{path}", json=body, headers={"Idempotency-Key": key})
        reply.raise_for_status()
        return reply.json() if reply.content else None

    def issue(self, service: str = "advice", **wish: Any) -> str:
        """A visitor takes a ticket; its id."""
        return str(self.post("/tickets", {"service": service, **wish})["id"])

    def visit(self, ticket: str) -> Any:
        """A visit with its history."""
        return self.server.http.get(f"/api/v1/offices/{self.id}/tickets/{ticket}").json()

    def steps(self, ticket: str) -> list[str]:
        """What has happened to a ticket."""
        return [fact["kind"] for fact in self.visit(ticket)["history"]]

    def counter(self, name: str = "one") -> Any:
        """What a counter does."""
        state = self.server.http.get(f"/api/v1/offices/{self.id}").json()
        return next(counter for counter in state["counters"] if counter["id"] == name)
