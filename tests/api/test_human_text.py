"""Whatever a person writes into any field of a request follows the one rule."""

from typing import Any

import pytest

from app.configuration.human import LINE, LINES
from tests.api.conftest import Centre
from tests.api.described import DOCUMENT

TICKET = "/tickets/20261123-A001"
FIELDS: dict[tuple[str, str], tuple[str, dict[str, Any]]] = {
    ("OpenWish", "operator"): ("/counters/one/open", {}),
    ("PauseWish", "reason"): ("/counters/one/pause", {}),
    ("CallWish", "reason"): (f"{TICKET}/call", {"counter": "one"}),
    ("ReasonWish", "reason"): (f"{TICKET}/cancel", {}),
    ("WithdrawWish", "reason"): (f"{TICKET}/withdraw-category", {}),
    ("WithdrawWish", "keep"): (f"{TICKET}/withdraw-category", {"reason": "it is another's"}),
    ("CloseServiceWish", "reason"): ("/services/advice/close", {}),
    ("AcknowledgeWish", "by"): (f"{TICKET}/acknowledge", {"cause": "other"}),
    ("AcknowledgeWish", "remark"): (f"{TICKET}/acknowledge", {"cause": "other", "by": "Anna"}),
    ("RateWish", "remark"): ("", {"stars": 5}),
}
BAD = ["An\u202ena", "An\u200bna", "An\x07na", "\u2028", " ", "", "\u3164"]


def written_by_people() -> set[tuple[str, str]]:
    """Every member of a body that holds a person's words."""
    return {
        (name, member)
        for name, schema in DOCUMENT["components"]["schemas"].items()
        for member, described in schema.get("properties", {}).items()
        for each in (described, *described.get("anyOf", ()))
        if each.get("pattern") in (LINE, LINES)
    }


def test_every_field_is_tried() -> None:
    assert written_by_people() == FIELDS.keys()


@pytest.mark.parametrize(("wish", "member"), FIELDS)
async def test_what_nobody_could_read_is_refused_by_the_name_of_its_field(
    centre: Centre, wish: str, member: str
) -> None:
    path, body = FIELDS[wish, member]
    visit = (await centre.issue()).json()["visit"]
    address = f"/api/v1/offices/centre{path}" if path else f"/api/v1/visits/{visit}/rate"
    before = await centre.seq()

    for text in (*BAD, "x" * 1_001):
        refused = await centre.http.post(address, json={**body, member: text})
        assert (refused.status_code, refused.json()["errors"][0]["at"]) == (422, member), ascii(text)

    assert await centre.seq() == before


async def test_a_name_is_kept_in_normal_form(centre: Centre) -> None:
    opened = await centre.open(operator=" Андреи\u0306 ")

    assert opened.json()["operator"] == "Андрей"
