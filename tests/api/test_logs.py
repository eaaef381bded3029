"""What the log says, and what it keeps to itself."""

import json
import subprocess
import sys

import structlog

from tests.api.conftest import Centre

PROGRAM = """
import logging, structlog
from app.logs import log_to_stderr

log_to_stderr()
structlog.get_logger("ours").info("serving", offices=3)
logging.getLogger("uvicorn.error").warning("theirs %s", "too")
try:
    raise ValueError("broken")
except ValueError:
    structlog.get_logger("ours").error("crashed", exc_info=True)
"""


def test_every_line_is_json_when_nobody_sits_in_front_of_it() -> None:
    ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)

    ours, theirs, crash = (json.loads(line) for line in ran.stderr.splitlines())
    assert (ours["event"], ours["level"], ours["offices"]) == ("serving", "info", 3)
    assert (theirs["event"], theirs["level"]) == ("theirs too", "warning")
    assert "ValueError: broken" in crash["exception"]
    assert all(line["timestamp"].endswith("Z") for line in (ours, theirs, crash))


async def test_a_failure_of_ours_is_logged_under_the_id_that_was_answered(centre: Centre) -> None:
    centre.app.state.hub = None

    with structlog.testing.capture_logs() as logged:
        crashed = await centre.get("/stream")

    refused = next(entry for entry in logged if entry["event"] == "refused")
    assert refused["request_id"] == crashed.json()["instance"]
    assert (refused["status"], refused["problem"]) == (500, "/problems/internal-error")


async def test_what_others_ask_wrongly_is_not_logged(centre: Centre) -> None:
    with structlog.testing.capture_logs() as logged:
        await centre.issue("weddings")
        await centre.post("/tickets", {"service": 7}, key="k")

    assert logged == []
