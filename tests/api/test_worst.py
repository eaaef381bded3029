"""The worst value of every input that the OpenAPI document names: refused or taken, soon and in few words."""

import json
import re
import socket
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from tests.api.described import DOCUMENT
from tests.command_line.servers import LiveServer, serving
from tests.configuration.documents import smallest
from tests.configuration.worst import WORST

LONGEST_REFUSAL = 32 * 1024
LONGEST_STALL_SECONDS = 0.25

IN_ADDRESS = {
    "huge": "x" * 12_000,
    "beyond any head": "x" * 60_000,
    "deep": quote("{[" * 2_000, safe=""),
    "repeated": ",".join(["a"] * 5_000),
    "control characters": "%00%0a%0d%1b%7f",
    "half a surrogate pair": "%ED%A0%80",
    "no UTF-8": "%FF%FE",
    "a number without end": "9" * 5_000,
    "not a number": "NaN",
    "less than nothing": "-1",
    "nothing": "",
    "broken escapes": "%%%zz%",
}
IN_HEADER = {
    "huge": b"x" * 12_000,
    "beyond any head": b"x" * 60_000,
    "repeated": b"a;q=0.1," * 1_800,
    "commas": b"," * 12_000,
    "control characters": b"a\x01\x1b\x7f",
    "no ASCII": "ж".encode() + b"\xff\xfe",
    "a number without end": b"9" * 5_000,
    "nothing": b"",
}
IN_BODY = {
    "huge": json.dumps("x" * 60_000),
    "deep": "[" * 20_000 + "]" * 20_000,
    "deep tables": '{"a":' * 9_000 + "0" + "}" * 9_000,
    "repeated": json.dumps(["a"] * 12_000),
    "many keys": json.dumps({f"k{number}": 0 for number in range(5_000)}),
    "control characters": '"a\\u0000\\u001b\\u202e"',
    "half a surrogate pair": '"\\ud800"',
    "a number without end": "9" * 50_000,
    "a number beyond floats": "1e999",
    "less than nothing": "-1",
    "nothing": "null",
    "a truth": "true",
    "an instant": '"9999-12-31T23:59:59.999999999-23:59"',
}
EVERYWHERE = ("Accept-Language", "Cookie", "If-None-Match", "Idempotency-Key", "Accept", "Accept-Encoding", "Host")

GOOD = {"office": "centre", "counter": "1", "ticket": "20261123-A001", "service": "passport", "kiosk": "hall"}


@dataclass(frozen=True)
class Sent:
    """A request, and what about it is the worst."""

    name: str
    request: bytes


@dataclass(frozen=True)
class Answered:
    """The same with its answer; of a stream only the head is waited for. 0 is no answer."""

    name: str
    status: int
    size: int


def requests() -> Iterator[Sent]:
    """Every input of every operation, and each value that could be the worst for it."""
    for path, operations in DOCUMENT["paths"].items():
        for method, operation in operations.items():
            yield from _of_operation(path, method.upper(), operation)
    for name, worst in WORST.items():
        body = json.dumps(worst(smallest())).encode()
        yield _sent(f"PUT description: {name}", "PUT", "/api/v1/offices/branch", body=body)
    for name, value in IN_HEADER.items():
        for header in EVERYWHERE:
            for path in ("/livez", "/api/v1/offices/centre", "/api/v1/offices/nowhere", "/board/centre"):
                yield _sent(f"GET {path} {header}: {name}", "GET", path, {header: value})


def _of_operation(path: str, method: str, operation: Any) -> Iterator[Sent]:
    where = f"{method} {path}"
    for parameter in operation.get("parameters", ()):
        name = parameter["name"]
        match parameter["in"]:
            case "path":
                for kind, value in IN_ADDRESS.items():
                    yield _sent(f"{where} {name}: {kind}", method, _filled(path, {name: value}))
            case "query":
                for kind, value in IN_ADDRESS.items():
                    yield _sent(f"{where} {name}: {kind}", method, f"{_filled(path)}?{name}={value}")
                repeated = "&".join([f"{name}=a"] * 1_000)
                yield _sent(f"{where} {name}: a thousand times", method, f"{_filled(path)}?{repeated}")
            case _:
                for kind, said in IN_HEADER.items():
                    yield _sent(f"{where} {name}: {kind}", method, _filled(path), {name: said})
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content:
        for kind, text in IN_BODY.items():
            yield _sent(f"{where} body: {kind}", method, _filled(path), body=text.encode())
            for name in _members(content["schema"]):
                body = f'{{"{name}": {text}}}'.encode()
                yield _sent(f"{where} {name}: {kind}", method, _filled(path), body=body)


def _filled(path: str, values: Any = ()) -> str:
    return re.sub(r"\{(\w+)\}", lambda place: (GOOD | dict(values)).get(place[1], "1"), path)


def _members(schema: Any) -> Iterable[str]:
    if "$ref" in schema:
        schema = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    alternatives = [_members(each) for each in schema.get("anyOf", ())]
    return [*schema.get("properties", {}), *(name for names in alternatives for name in names)]


def _sent(name: str, method: str, path: str, headers: Any = (), body: bytes = b"") -> Sent:
    usual = {"Host": b"127.0.0.1", "Content-Type": b"application/json", "Idempotency-Key": b"worst"}
    lines = b"".join(b"%b: %b\r\n" % (name.encode(), value) for name, value in (usual | dict(headers)).items())
    head = f"{method} {path} HTTP/1.1\r\n".encode() + lines + b"Content-Length: %d\r\n\r\n" % len(body)
    return Sent(name, head + body)


@dataclass(frozen=True)
class Sending:
    """Where it is sent to, one after the other as far as the connection is kept."""

    host: str
    port: int

    def answers(self, all_sent: Iterable[Sent]) -> Iterator[Answered]:
        """What each is answered with."""
        for sent in all_sent:
            with socket.create_connection((self.host, self.port), timeout=60) as connection:
                with suppress(ConnectionError):
                    connection.sendall(sent.request)
                yield Answered(sent.name, *self._answer(connection))

    def _answer(self, connection: socket.socket) -> tuple[int, int]:
        heard = b""
        try:
            while b"\r\n\r\n" not in heard:
                piece = connection.recv(65536)
                if not piece:
                    return 0, len(heard)
                heard += piece
            head, _, body = heard.partition(b"\r\n\r\n")
            length = re.search(rb"\r\ncontent-length: (\d+)", head, re.IGNORECASE)
            return int(head[9:12]), int(length[1]) if length else len(body)
        except ConnectionError:
            return 0, len(heard)


@dataclass(frozen=True)
class Told:
    """All answers, and what the server says of itself afterwards."""

    answered: list[Answered]
    log: str
    metrics: str
    is_ready: bool


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    directory: Path = tmp_path_factory.mktemp("worst")
    with serving(directory, canary_seconds="0") as server:
        yield _told(server, requests())


@pytest.fixture(scope="module")
def told_of_the_hardest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    hardest = (sent for sent in requests() if sent.name.startswith(("PUT", "GET /board")))
    with serving(tmp_path_factory.mktemp("hardest"), canary_seconds="0") as server:
        yield _told(server, hardest)


def _told(server: LiveServer, sent: Iterable[Sent]) -> Told:
    address = urlsplit(server.url)
    assert address.hostname
    assert address.port
    answered = [*Sending(address.hostname, address.port).answers(sent)]
    metrics = server.http.get("/metrics").text
    log = (server.directory / "server.log").read_text(errors="replace")
    return Told(answered, log, metrics, server.http.get("/readyz").status_code == 200)


def _long_stalls(metrics: str) -> float:
    """How often something was computed in one piece for longer than the bound."""
    figures = dict(
        re.findall(r'^queue_loop_stall_seconds_bucket\{kind="working",le="([^"]+)"\} (\S+)$', metrics, re.MULTILINE)
    )
    return float(figures["+Inf"]) - float(figures[str(LONGEST_STALL_SECONDS)])


def test_nothing_breaks_and_every_answer_is_short(told: Told) -> None:
    broken = [each for each in told.answered if each.status >= 500]
    long = [each for each in told.answered if each.status >= 400 and each.size > LONGEST_REFUSAL]

    assert len(told.answered) > 1_000
    assert broken == []
    assert long == []
    assert told.is_ready


def test_whoever_sends_the_worst_is_answered_unless_it_was_sent_too_far(told: Told) -> None:
    unanswered = [each.name for each in told.answered if each.status == 0]

    assert [name for name in unanswered if "beyond any head" not in name] == []


def test_the_log_stays_short_and_without_a_traceback(told: Told) -> None:
    assert "Traceback" not in told.log
    assert len(told.log) < 64 * 1024


@pytest.mark.timed
def test_the_loop_does_not_stand_still_for_any_of_it(told_of_the_hardest: Told) -> None:
    assert _long_stalls(told_of_the_hardest.metrics) == 0
