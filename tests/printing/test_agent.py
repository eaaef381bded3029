"""The print agent over HTTP: what it prints, what it says when it cannot, and that a failed print loses nothing."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from app.printing.agent import create_agent
from app.printing.desk import Desk
from app.printing.printers import FilePrinter, NetworkPrinter, Printer
from app.printing.ticket import Roll, ticket
from tests.printing.paper import printed
from tests.printing.receipt_printer import LITTLE_PAPER, NO_PAPER, ReceiptPrinter
from tests.printing.slips import ENGLISH, RUSSIAN, slip

KIOSK = "http://kiosk-server:8000"
A012 = ticket(slip(RUSSIAN), Roll())
H107 = ticket(slip(ENGLISH), Roll())


@pytest.fixture
def machine() -> Iterator[ReceiptPrinter]:
    """A printer on the network."""
    with ReceiptPrinter() as machine:
        yield machine


def agent_of(printer: Printer, patience: float = 15) -> httpx2.AsyncClient:
    """A client of an agent in front of this printer."""
    agent = create_agent(Desk(printer, Roll(), patience=patience), [KIOSK])
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=agent), base_url="http://127.0.0.1:9151")


@pytest.fixture
async def agent(machine: ReceiptPrinter) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the agent in front of the printer."""
    async with agent_of(NetworkPrinter("127.0.0.1", machine.port, write=0.5)) as client:
        yield client


async def test_a_ticket_is_printed(agent: httpx2.AsyncClient, machine: ReceiptPrinter) -> None:
    answer = await agent.post("/print", json=RUSSIAN)

    assert (answer.status_code, answer.json()) == (200, {"printed": True, "number": "A012"})
    machine.wait_for(A012)
    assert printed(machine.took).line("A012")
    assert (await agent.get("/state")).json() == {
        "ready": True,
        "printer": machine.address,
        "paper": "enough",
        "printed": 1,
        "problem": None,
        "reason": None,
        "last": "A012",
    }


async def test_the_last_ticket_is_printed_again(agent: httpx2.AsyncClient, machine: ReceiptPrinter) -> None:
    await agent.post("/print", json=RUSSIAN)
    await agent.post("/print", json=ENGLISH)

    answer = await agent.post("/reprint")

    assert (answer.status_code, answer.json()) == (200, {"printed": True, "number": "H107"})
    machine.wait_for(A012 + H107 + H107)
    assert (await agent.get("/state")).json()["printed"] == 3


async def test_without_paper_a_ticket_waits_for_somebody_to_put_some_in(
    agent: httpx2.AsyncClient, machine: ReceiptPrinter
) -> None:
    machine.answers = NO_PAPER
    refused = await agent.post("/print", json=RUSSIAN, headers={"Accept-Language": "ru"})
    state = (await agent.get("/state")).json()
    machine.answers = LITTLE_PAPER

    again = await agent.post("/reprint")
    next_one = await agent.post("/print", json=ENGLISH)

    assert (refused.status_code, refused.headers["content-type"]) == (503, "application/problem+json")
    assert refused.headers["content-language"] == "ru"
    assert refused.json() == {
        "type": "/problems/not-printed",
        "title": "Талон не напечатан.",
        "status": 503,
        "problem": "paper out",
        "reason": "В принтере нет бумаги.",
    }
    told = {name: state[name] for name in ("ready", "problem", "reason", "paper", "printed", "last")}
    assert told == {
        "ready": False,
        "problem": "paper out",
        "reason": "There is no paper in the printer.",
        "paper": "out",
        "printed": 0,
        "last": "A012",
    }
    assert (again.json(), next_one.status_code) == ({"printed": True, "number": "A012"}, 200)
    machine.wait_for(A012 + H107)
    assert (await agent.get("/state")).json()["paper"] == "low"


async def test_a_printer_that_hangs_and_comes_back_prints_the_next_ticket(
    agent: httpx2.AsyncClient, machine: ReceiptPrinter
) -> None:
    machine.goes_silent_after = len(A012)
    in_the_ticket = await agent.post("/print", json=RUSSIAN)
    after_it = await agent.post("/reprint")
    machine.goes_silent_after = None
    came_back = machine.took

    answers = [await agent.post("/reprint"), await agent.post("/print", json=ENGLISH)]

    assert [in_the_ticket.json()["problem"], after_it.json()["problem"]] == ["does not answer"] * 2
    assert [answer.status_code for answer in answers] == [200, 200]
    machine.wait_for(came_back + A012 + H107)


async def test_a_printer_that_is_away_is_told_at_once(agent: httpx2.AsyncClient, machine: ReceiptPrinter) -> None:
    machine.switch_off()

    refused = await agent.post("/print", json=RUSSIAN)
    state = await agent.get("/state")

    assert (refused.status_code, refused.json()["problem"]) == (503, "out of reach")
    assert (state.status_code, state.json()["problem"]) == (200, "out of reach")


async def test_tickets_asked_for_at_once_come_out_whole_one_after_the_other(
    agent: httpx2.AsyncClient, machine: ReceiptPrinter
) -> None:
    numbers = [f"A{number:03}" for number in range(1, 9)]

    answers = await asyncio.gather(*(agent.post("/print", json=RUSSIAN | {"number": number}) for number in numbers))

    assert [answer.json()["number"] for answer in answers] == numbers
    machine.wait_for(b"".join(ticket(slip(number=number), Roll()) for number in numbers))


async def test_a_ticket_does_not_wait_for_ever_for_its_turn(machine: ReceiptPrinter) -> None:
    machine.reads = False
    async with agent_of(NetworkPrinter("127.0.0.1", machine.port), patience=0.05) as agent:
        first = asyncio.create_task(agent.post("/print", json=RUSSIAN))
        while not machine.is_connected:
            await asyncio.sleep(0.01)

        second = await agent.post("/print", json=ENGLISH)

        machine.reads = True
        await first
        again = await agent.post("/reprint")

    assert (second.status_code, second.json()["problem"]) == (503, "busy")
    assert (again.status_code, again.json()["number"]) == (200, "H107")
    machine.wait_for(H107)


async def test_nothing_can_be_printed_again_before_the_first_ticket(agent: httpx2.AsyncClient) -> None:
    refused = await agent.post("/reprint")

    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/nothing-yet")
    assert (await agent.get("/state")).json()["last"] is None


async def test_a_file_takes_tickets_and_nothing_is_known_of_its_paper(tmp_path: Path) -> None:
    async with agent_of(FilePrinter(tmp_path / "tickets.bin")) as agent:
        await agent.post("/print", json=RUSSIAN)
        state = (await agent.get("/state")).json()

    assert (tmp_path / "tickets.bin").read_bytes() == A012
    assert (state["ready"], state["paper"], state["printed"]) == (True, None, 1)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{}", "application/json"),
        (b"not JSON", "application/json"),
        (b'{"number": "A012\\u001b@"}', "application/json"),
        (b"{}", "text/plain"),
    ],
)
async def test_what_is_no_ticket_is_refused_and_nothing_printed(
    agent: httpx2.AsyncClient, machine: ReceiptPrinter, body: bytes, kind: str
) -> None:
    refused = await agent.post("/print", content=body, headers={"Content-Type": kind})

    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/bad-slip")
    assert refused.headers["content-type"] == "application/problem+json"
    assert (machine.took, (await agent.get("/state")).json()["last"]) == (b"", None)


async def test_a_body_that_no_ticket_needs_is_not_read(agent: httpx2.AsyncClient) -> None:
    refused = await agent.post("/print", json=RUSSIAN | {"office": "x" * 70_000})

    assert refused.status_code == 413


async def test_a_mistake_is_named_with_its_place(agent: httpx2.AsyncClient) -> None:
    refused = await agent.post("/print", json=RUSSIAN | {"ahead": "five", "promise": ["ok", 7]})

    assert [mistake["at"] for mistake in refused.json()["errors"]] == ["ahead", "promise.1"]


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/", 404), ("GET", "/print", 405), ("PUT", "/x", 404)])
async def test_what_is_not_there_is_a_problem_too(
    agent: httpx2.AsyncClient, method: str, path: str, status: int
) -> None:
    refused = await agent.request(method, path)

    assert (refused.status_code, refused.json()["status"]) == (status, status)
    assert refused.headers["content-type"] == "application/problem+json"


def preflight(origin: str) -> dict[str, str]:
    """What a browser asks before it lets a page of this origin print."""
    return {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
        "Access-Control-Request-Private-Network": "true",
    }


async def test_the_kiosks_pages_may_print(agent: httpx2.AsyncClient) -> None:
    asked = await agent.options("/print", headers=preflight(KIOSK))
    answer = await agent.post("/print", json=RUSSIAN, headers={"Origin": KIOSK})

    assert asked.status_code == 200
    assert asked.headers["access-control-allow-origin"] == KIOSK
    assert asked.headers["access-control-allow-private-network"] == "true"
    assert "content-type" in asked.headers["access-control-allow-headers"].lower()
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, KIOSK)


@pytest.mark.parametrize(
    "origin", ["http://elsewhere.example", "http://kiosk-server", "https://kiosk-server:8000", "null"]
)
async def test_no_other_page_may_print_or_look(agent: httpx2.AsyncClient, machine: ReceiptPrinter, origin: str) -> None:
    # A request without a body of JSON goes out before a browser asks whether it may.
    answers: list[Any] = [
        await agent.options("/print", headers=preflight(origin)),
        await agent.post("/print", json=RUSSIAN, headers={"Origin": origin}),
        await agent.post("/reprint", headers={"Origin": origin}),
        await agent.get("/state", headers={"Origin": origin}),
    ]

    assert {answer.status_code for answer in answers} == {403}
    assert {answer.json()["type"] for answer in answers} == {"/problems/foreign-page"}
    assert all("access-control-allow-origin" not in answer.headers for answer in answers)
    assert machine.took == b""


async def test_a_failure_can_be_read_by_the_kiosks_page(agent: httpx2.AsyncClient, machine: ReceiptPrinter) -> None:
    machine.answers = NO_PAPER

    refused = await agent.post("/print", json=RUSSIAN, headers={"Origin": KIOSK})

    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (503, KIOSK)
