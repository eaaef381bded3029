"""Offices to load: as many services and counters as a bench wants, open at all hours."""

from typing import Any

from bench.harness.client import Clients, post

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LETTERS = "ABCDEFGHJK"
MADE = frozenset({200, 201})

Document = dict[str, Any]


def description(office: str, *, services: int = 5, counters: int = 8, limit_seconds: int = 900) -> Document:
    """An office's description. Every counter serves every service."""
    names = [service_id(number) for number in range(services)]
    return {
        "id": office,
        "name": {"ru": "Офис", "en": "Office"},
        "time_zone": "Europe/Moscow",
        "limits": {"walk_in_seconds": limit_seconds},
        "hours": {day: ["00:00-24:00"] for day in WEEK},
        "late_seconds": 0,
        "services": [
            {"id": name, "letter": LETTERS[number], "name": {"ru": "Услуга", "en": "Service"}}
            for number, name in enumerate(names)
        ],
        "counters": [
            {"id": counter_id(number), "name": {"ru": "Окно", "en": "Counter"}, "services": names}
            for number in range(counters)
        ],
    }


def service_id(number: int) -> str:
    """The id of an office's service, from 0 on."""
    return f"service-{number}"


def counter_id(number: int) -> str:
    """The id of an office's counter, from 0 on."""
    return f"{number + 1}"


def path(office: str, rest: str = "") -> str:
    """A path of the API."""
    return f"/api/v1/offices/{office}{rest}"


def issue(office: str, key: str, service: int = 0) -> bytes:
    """The request of a kiosk."""
    return post(path(office, "/tickets"), {"service": service_id(service)}, key)


def call_next(office: str, counter: int, key: str) -> bytes:
    """The request of an operator who is free."""
    return post(path(office, f"/counters/{counter_id(counter)}/call-next"), None, key)


def step(office: str, ticket: str, name: str) -> bytes:
    """The request of an operator who has somebody at the counter."""
    return post(path(office, f"/tickets/{ticket}/{name}"))


async def describe(clients: Clients, document: Document) -> None:
    """Have an office."""
    await clients.ask([post(path(document["id"]), document, method="PUT")], expected=MADE)


async def set_up(clients: Clients, document: Document) -> None:
    """Have an office, and an operator at every counter."""
    await describe(clients, document)
    openings = (
        post(path(document["id"], f"/counters/{counter['id']}/open"), {"operator": f"operator-{counter['id']}"})
        for counter in document["counters"]
    )
    await clients.ask(openings, expected=MADE)
