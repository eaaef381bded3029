"""Nobody comes past the gate: every route has it, and it refuses by name before it reads."""

import gzip
from typing import Any

import httpx2
import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.responses import Response
from starlette.routing import Mount, Route

from app.clock import SystemClock
from app.main import create_app
from app.settings import Settings
from app.web.gate import BODY_BYTES, DESCRIPTION_BYTES, Gated, check_gates
from app.web.hosts import Hosts
from app.web.media import can_take
from tests.api.conftest import CENTRE, Centre, SetClock, running
from tests.api.described import as_described

ISSUE = "/api/v1/offices/centre/tickets"
OPEN = "/api/v1/offices/centre/counters/one/open"
STREAM = "/api/v1/offices/centre/stream"
JSON = {"Content-Type": "application/json"}
ROUTES = [
    (method, route.path)
    for route in create_app(Settings.model_construct(), SystemClock()).routes
    if isinstance(route, APIRoute)
    for method in sorted(route.methods or ())
]
READS = [path for method, path in ROUTES if method == "GET"]
WRITES = [(method, path) for method, path in ROUTES if method != "GET"]


def filled(path: str) -> str:
    """An address of this route, of something that need not exist."""
    values = {
        "{office}": "centre",
        "{counter}": "one",
        "{ticket}": "20261123-A001",
        "{service}": "advice",
        "{kiosk}": "hall",
        "{endpoint}": "city",
        "{seq}": "1",
        "{token}": "x",
        "{digest}": "0",
        "{room}": "web",
        "{name:path}": "assets/icon.svg",
    }
    for name, value in values.items():
        path = path.replace(name, value)
    assert "{" not in path
    return path


def kind_of(response: httpx2.Response) -> tuple[int, str]:
    return response.status_code, response.json()["type"].removeprefix("/problems/")


# No route without it


def test_every_route_of_the_application_has_the_gate() -> None:
    app = create_app(Settings.model_construct(), SystemClock())

    check_gates(app)

    assert len(app.routes) > 60
    assert all(isinstance(route, Gated) for route in app.routes)


async def nothing() -> Response:
    return Response()


def bare() -> Any:
    router = APIRouter()
    router.add_api_route("/bare", nothing)
    return router.routes[0]


def silent() -> Any:
    router = APIRouter(route_class=Gated, include_in_schema=False)
    router.add_api_route("/silent", nothing, response_model=None)
    return router.routes[0]


@pytest.mark.parametrize(
    "route",
    [bare(), Route("/bare", nothing), Mount("/bare", routes=[]), silent()],
    ids=["the framework's", "starlette's", "a mount", "one that does not say what it produces"],
)
async def test_an_application_with_a_route_beside_the_gate_does_not_start(route: Any, database: str) -> None:
    app = create_app(Settings(database=database), SetClock())
    app.router.routes.append(route)

    with pytest.raises(TypeError, match=route.path):
        async with app.router.lifespan_context(app):
            raise AssertionError("it started")


@pytest.mark.parametrize("path", ["/admin/backup", "/admin/verify"])
async def test_whoever_does_not_know_the_secret_is_refused_before_a_byte_is_read(centre: Centre, path: str) -> None:
    receipts = []

    async def receive() -> dict[str, Any]:
        receipts.append(1)
        return {"type": "http.request", "body": b"x" * 1024, "more_body": True}

    status = await raw(centre, "POST", path, {**JSON, "Host": "localhost"}, receive)

    assert status == 403
    assert not receipts


async def raw(
    centre: Centre, method: str, path: str, headers: dict[str, str], receive: Any, version: str = "1.1"
) -> int:
    """The status of an answer to a request whose body may be watched."""
    told: list[Any] = []

    async def send(message: Any) -> None:
        told.append(message)

    scope = {
        "type": "http",
        "http_version": version,
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 1),
    }
    await centre.app(scope, receive, send)
    status: int = told[0]["status"]
    return status


async def test_no_body_is_read_further_than_its_route_allows(centre: Centre) -> None:
    secret = {"Fifteen-Door": centre.app.state.secret}
    endless = {path: (method, BODY_BYTES) for method, path in WRITES}
    endless["/api/v1/offices/{office}"] = ("PUT", DESCRIPTION_BYTES)
    read: dict[str, int] = {}

    for path, (method, _) in endless.items():
        read[path] = 0

        async def receive(path: str = path) -> dict[str, Any]:
            read[path] += 16_384
            return {"type": "http.request", "body": b" " * 16_384, "more_body": True}

        await raw(
            centre, method, filled(path), {**JSON, **secret, "Host": "localhost", "Idempotency-Key": "k"}, receive
        )

    assert all(read[path] <= bound + 16_384 for path, (_, bound) in endless.items())
    assert read[ISSUE.replace("centre", "{office}")] > BODY_BYTES
    assert read["/api/v1/offices/{office}"] > DESCRIPTION_BYTES


# Addressed to us


async def test_no_route_answers_to_a_name_that_is_not_ours() -> None:
    app = create_app(Settings.model_construct(), SystemClock())
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)

    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
        for method, path in [*ROUTES, ("GET", "/nowhere"), ("PATCH", ISSUE)]:
            refused = await http.request(method, filled(path), headers={"Host": "evil.example"})
            assert kind_of(refused) == (421, "wrong-host"), path


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "LocalHost:8000", "localhost.", "127.0.0.1", "127.0.0.7:80", "[::1]:8000", "10.0.0.3:8000"),
        *("queue.example.org", "QUEUE.example.org:443", "a.hall.example", "192.168.7.7", "[fd00::7]", "fifteen"),
    ],
)
def test_names_of_ours(host: str) -> None:
    hosts = Hosts(["queue.example.org", "*.hall.example", "192.168.7.0/24", "fd00::/8"], "fifteen")

    assert hosts.answers_to(host, "10.0.0.3")
    assert hosts.answers_to(host, "10.0.0.3")


@pytest.mark.parametrize(
    "host",
    [
        *("", "evil.example", "localhost.evil.example", "evil.example:8000", "10.0.0.4", "hall.example"),
        *("xhall.example", "queue.example.org.evil.example", "192.168.8.1", "local host", "localhost:8000:1"),
        *("user@localhost", "[::2]"),
    ],
)
def test_names_that_are_not_ours(host: str) -> None:
    hosts = Hosts(["queue.example.org", "*.hall.example", "192.168.7.0/24"], "127.0.0.1")

    assert not hosts.answers_to(host, "10.0.0.3")


def test_an_address_that_ipv6_wraps_is_the_same_address() -> None:
    assert Hosts().answers_to("10.0.0.3:8000", "::ffff:10.0.0.3")


async def test_a_probe_of_an_old_kind_says_no_host(centre: Centre) -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    assert await raw(centre, "GET", "/livez", {}, receive) == 421
    assert await raw(centre, "GET", "/livez", {}, receive, version="1.0") == 200
    assert await raw(centre, "GET", "/livez", {"Host": "evil.example"}, receive, version="1.0") == 421


@pytest.mark.parametrize("listed", ["http://queue.example.org", "queue.example.org:443", "*", "a b/c", "10.0.0.1/8"])
def test_a_setting_that_is_no_name_is_refused(listed: str) -> None:
    with pytest.raises(ValueError, match="write names"):
        Settings(hosts=listed)


def test_the_setting_takes_names_addresses_and_networks() -> None:
    listed = Settings(hosts="queue.example.org, *.hall.example,10.0.0.0/8 [::1]").listed_hosts

    assert listed == ("queue.example.org", "*.hall.example", "10.0.0.0/8", "[::1]")


# Asked by our own pages, or by programs

FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "unheard-of"},
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Origin": "https://fifteen.evil.example"},
    {"Origin": "http://fifteen:3000"},
    {"Sec-Fetch-Site": "same-origin", "Origin": "http://evil.example"},
]


async def test_a_foreign_page_writes_nowhere(centre: Centre) -> None:
    before = await centre.seq()

    for method, path in WRITES:
        for headers in FOREIGN:
            refused = await centre.http.request(method, filled(path), headers={**headers, "Idempotency-Key": "k"})
            assert kind_of(refused) == (403, "foreign-page"), (path, headers)

    assert await centre.seq() == before


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "same-origin", "Origin": "http://fifteen"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://fifteen:80"},
        {"Origin": "https://fifteen"},
    ],
)
async def test_our_pages_and_programs_write(centre: Centre, headers: dict[str, str]) -> None:
    opened = await centre.http.post(OPEN, json={"operator": "Anna"}, headers=headers)

    assert opened.status_code == 200


def test_a_page_of_a_listed_name_is_our_own_behind_a_proxy_that_says_another_host() -> None:
    hosts = Hosts(["queue.example.org"])

    assert hosts.is_origin("https://queue.example.org", "127.0.0.1:8000")
    assert not hosts.is_origin("https://localhost:3000", "localhost:8000")


async def test_anybody_may_read_from_a_foreign_page_what_no_script_of_theirs_sees(centre: Centre) -> None:
    read = await centre.get(headers={"Sec-Fetch-Site": "cross-site", "Origin": "http://evil.example"})

    assert read.status_code == 200
    assert "access-control-allow-origin" not in read.headers


# The address


async def test_no_route_takes_a_name_it_does_not_know(centre: Centre) -> None:
    headers = {"Fifteen-Door": centre.app.state.secret, "Idempotency-Key": "k"}

    for method, path in ROUTES:
        refused = await centre.http.request(method, f"{filled(path)}?unheard=1&%FF=", headers=headers)
        assert kind_of(refused) == (422, "bad-input"), path
        assert refused.json()["errors"][0] == {"at": "query.unheard", "reason": "is not known here"}


async def test_a_name_is_given_once(centre: Centre) -> None:
    refused = await centre.http.get("/api/v1/offices?limit=1&limit=2")

    assert as_described(refused).json()["errors"] == [{"at": "query.limit", "reason": "must be given once"}]


async def test_hundreds_of_unknown_names_are_told_in_fifty_short_lines(centre: Centre) -> None:
    refused = await centre.http.get("/livez", params={f"{number}{'x' * 200}": "1" for number in range(300)})

    assert len(refused.json()["errors"]) == 50
    assert len(refused.content) < 10_000


# What comes back


@pytest.mark.parametrize(
    ("accept", "taken"),
    [
        ("*/*", True),
        ("*", True),
        ("", True),
        (",;=", True),
        ("application/json", True),
        ("APPLICATION/JSON; charset=utf-8", True),
        ("application/*;q=0.1", True),
        ("text/html, application/xhtml+xml, */*;q=0.8", True),
        ("text/html", False),
        ("application/json;q=0", False),
        ("application/json;q=0.0, */*", False),
        ("application/*;q=0, */*;q=1", False),
        ("application/json;q=nonsense", False),
        ("*/*;q=0", False),
        ("*/*;q=0, application/json", True),
        ("application/json-seq", False),
    ],
)
def test_what_an_accept_takes(accept: str, taken: bool) -> None:
    assert can_take(accept, ["application/json"]) is taken


async def test_no_read_is_answered_in_a_format_that_nobody_asked_for(centre: Centre) -> None:
    for path in READS:
        refused = await centre.http.get(filled(path), headers={"Accept": "application/pdf"})
        assert kind_of(refused) == (406, "not-acceptable"), path
        assert refused.json()["available"]


async def test_nothing_is_done_for_whoever_cannot_take_the_answer(centre: Centre) -> None:
    before = await centre.seq()

    headers = {"Idempotency-Key": "k", "Accept": "text/csv"}
    refused = await centre.http.post(ISSUE, json={"service": "advice"}, headers=headers)

    assert kind_of(refused) == (406, "not-acceptable")
    assert await centre.seq() == before


async def test_an_endless_accept_is_not_weighed(centre: Centre) -> None:
    refused = await centre.get(headers={"Accept": "a/b," * 1_000})

    assert refused.json()["errors"][0]["at"] == "header.Accept"


async def test_head_is_get_without_its_body(centre: Centre) -> None:
    for path in (path for path in READS if "stream" not in path):
        whole, head = await centre.http.get(filled(path)), await centre.http.head(filled(path))
        assert head.status_code == whole.status_code, path
        assert not head.content
        assert head.headers.keys() == whole.headers.keys()
        # A nonce, the occasion of a refusal and the seconds of a process are new each time.
        assert _without(head, NEW_EACH_TIME) == _without(whole, NEW_EACH_TIME)


NEW_EACH_TIME = ("content-security-policy", "content-length")


def _without(response: httpx2.Response, names: tuple[str, ...]) -> dict[str, str]:
    return {name: value for name, value in response.headers.items() if name not in names}


async def test_the_head_of_a_stream_comes_to_an_end(centre: Centre) -> None:
    head = await centre.http.head(STREAM)

    assert head.status_code == 200
    assert head.headers["content-type"].startswith("text/event-stream")
    assert not head.content


async def test_a_method_that_is_not_known_is_told_those_that_are(centre: Centre) -> None:
    for method, path in ROUTES:
        refused = await centre.http.request("PATCH", filled(path))
        assert kind_of(refused) == (405, "method-not-allowed"), path
        allowed = refused.headers["allow"].split(", ")
        assert method in allowed
        assert ("HEAD" in allowed) == ("GET" in allowed)


# The body

WISH = '{"operator": "Anna"}'


async def sent(centre: Centre, body: bytes, *headers: tuple[str, str]) -> httpx2.Response:
    return as_described(await centre.http.post(OPEN, content=body, headers=list(headers)))


async def test_a_byte_order_mark_is_taken(centre: Centre) -> None:
    for kind in ("application/json", "application/json; charset=utf-8", 'application/json;charset="UTF-8"'):
        assert (await sent(centre, WISH.encode("utf-8-sig"), ("Content-Type", kind))).status_code == 200


@pytest.mark.parametrize(
    ("body", "headers", "encoding"),
    [
        (WISH.encode("utf-16"), JSON, "utf-16"),
        (WISH.encode("utf-16-le"), JSON, "utf-16"),
        (WISH.encode("utf-16-be"), JSON, "utf-16"),
        (WISH.encode("utf-32"), JSON, "utf-32"),
        (WISH.encode("utf-32-be"), JSON, "utf-32"),
        (WISH.encode(), {"Content-Type": "application/json; charset=windows-1251"}, "windows-1251"),
        (WISH.encode(), {"Content-Type": "application/json; charset=utf-16"}, "utf-16"),
        (gzip.compress(WISH.encode(), mtime=0), {**JSON, "Content-Encoding": "gzip"}, "gzip"),
    ],
)
async def test_another_encoding_is_named(centre: Centre, body: bytes, headers: dict[str, str], encoding: str) -> None:
    refused = await sent(centre, body, *headers.items())

    assert kind_of(refused) == (415, "encoding-unknown")
    assert refused.json()["encoding"] == encoding


async def test_a_body_of_another_kind_is_refused_on_every_route_that_reads_one(centre: Centre) -> None:
    door = {"Fifteen-Door": centre.app.state.secret, "Idempotency-Key": "k"}
    reading = [route for route in centre.app.routes if route._reads]

    for route in reading:
        for kind in ("", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
            headers = {**door, "Content-Type": kind} if kind else door
            refused = await centre.http.request(min(route.methods), filled(route.path), content=b"{}", headers=headers)
            assert kind_of(refused) == (415, "not-json"), route.path

    assert len(reading) > 15


@pytest.mark.parametrize("name", ["Idempotency-Key", "Content-Type", "Content-Encoding"])
async def test_a_header_that_means_one_thing_is_said_once(centre: Centre, name: str) -> None:
    before = await centre.seq()

    refused = await sent(centre, WISH.encode(), *JSON.items(), (name, "identity"), (name, "identity"))

    assert refused.json()["errors"] == [{"at": f"header.{name}", "reason": "must be given once"}]
    assert await centre.seq() == before


async def test_everything_is_as_before_for_a_program_that_says_little(database: str) -> None:
    async with running(Settings(database=database), SetClock()) as centre:
        assert (await centre.http.put("/api/v1/offices/centre", json=CENTRE)).status_code == 200
        assert (await centre.post("/open-day")).status_code == 200
        assert (await centre.issue()).status_code == 201
