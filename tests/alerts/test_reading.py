"""The file of alerts: what it means, and what is wrong with it, named by file, key and reason."""

from datetime import time
from pathlib import Path

import pytest

from app.alerts import Plan, read_plan
from app.alerts.plan import AlertmanagerEntry, PersonEntry, WebhookEntry
from app.alerts.reading import KINDS, TABLES
from app.alerts.told import TOLD
from app.configuration import BadDescription
from queue_core.office import Opening
from tests.alerts.telling import OLD_SECRET, SECRET
from tests.docs.pages import REFERENCE, codes, rows

WHOLE = """
[[webhooks]]
name = "monitor"
url = "https://monitor.example/queue"
secret_env = ["MONITOR_SECRET", "MONITOR_OLD_SECRET"]
offices = ["centre"]
facts = ["Breached", "Relieved"]
timeout_seconds = 5
give_up_after_minutes = 60

[[people]]
name = "director"
to_env = "DIRECTOR"
steps = ["director", "relieved"]
language = "ru"
hours = { mon = ["09:00-18:00"] }

[[alertmanagers]]
name = "alertmanager"
url = "http://alertmanager:9093"
resend_seconds = 30
"""

ENVIRONMENT = {
    "MONITOR_SECRET": SECRET,
    "MONITOR_OLD_SECRET": OLD_SECRET,
    "DIRECTOR": "mailto://user:password@mail.example",
    "BAD": "not a secret",
}


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    assert read(tmp_path, WHOLE) == Plan(
        webhooks=(
            WebhookEntry(
                name="monitor",
                offices=frozenset({"centre"}),
                timeout_seconds=5,
                url="https://monitor.example/queue",
                secrets=(SECRET, OLD_SECRET),
                facts=frozenset({"Breached", "Relieved"}),
                give_up_after_minutes=60,
            ),
        ),
        people=(
            PersonEntry(
                name="director",
                offices=frozenset(),
                timeout_seconds=10,
                to="mailto://user:password@mail.example",
                steps=frozenset({"director", "relieved"}),
                hours=(Opening(weekday=0, opens=time(9), closes=time(18)),),
                language="ru",
                give_up_after_minutes=60,
            ),
        ),
        alertmanagers=(
            AlertmanagerEntry(
                name="alertmanager",
                offices=frozenset(),
                timeout_seconds=10,
                url="http://alertmanager:9093",
                resend_seconds=30,
            ),
        ),
    )


def test_what_is_left_out_is_as_the_reference_says(tmp_path: Path) -> None:
    [entry] = read(tmp_path, webhook(f'url = "http://a"\nsecrets = ["{SECRET}"]')).webhooks

    assert entry.facts == set(KINDS) == {kind.__name__ for kind in TOLD}
    assert (entry.timeout_seconds, entry.give_up_after_minutes) == (10, 1440)
    assert entry.is_about("any")
    assert read(tmp_path, "") == Plan()


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        ("[[webhook]]\n", "webhook: is not a known key; did you mean 'webhooks'?"),
        ("[[webhooks]]\nname =\n", "line 2, column 7: is not valid TOML: Invalid value"),
        (
            '[[webhooks]]\nname = "a"\nurl = "http://a"\nsecret_env = ["MONITOR_SECRET"]\nurls = 1',
            "webhooks[0].urls: is not a known key; did you mean 'url'?",
        ),
        (
            '[[webhooks]]\nname = "a"\nurl = "ftp://a"\nsecret_env = ["MONITOR_SECRET"]',
            "webhooks[0].url: must be an address that begins with http:// or https://",
        ),
        (
            '[[webhooks]]\nname = "a"\nurl = "http://a"',
            "webhooks[0].secret_env: is missing, and so is secrets: every message is signed",
        ),
        (
            '[[webhooks]]\nname = "a"\nurl = "http://a"\nsecret_env = ["NOBODY"]',
            "webhooks[0].secret_env[0]: the environment has no NOBODY",
        ),
        (
            '[[webhooks]]\nname = "a"\nurl = "http://a"\nsecret_env = ["FIFTEEN_SECRET"]',
            "webhooks[0].secret_env[0]: must be the name of an environment variable, and not begin with FIFTEEN_",
        ),
        (
            '[[webhooks]]\nname = "a"\nurl = "http://a"\nsecret_env = ["BAD"]',
            "webhooks[0].secret_env[0]: must be whsec_ and 24 to 64 random bytes in base64",
        ),
        ('[[people]]\nname = "a"\nsteps = ["warned"]', "people[0].to: must be given, or to_env, and not both"),
        (
            '[[people]]\nname = "a"\nsteps = ["warned"]\nto_env = "NOBODY"',
            "people[0].to_env: the environment has no NOBODY",
        ),
        (
            '[[people]]\nname = "a"\nsteps = ["warned"]\nto = "pigeon://roof:secret@house"',
            "people[0].to: is not an address that apprise knows",
        ),
        ('[[people]]\nname = "a"\nsteps = []\nto_env = "DIRECTOR"', "people[0].steps: must not be empty"),
        (
            '[[people]]\nname = "a"\nsteps = ["warned"]\nto_env = "DIRECTOR"\nlanguage = "de"',
            "people[0].language: must be one of en, ru",
        ),
        (
            '[[people]]\nname = "a"\nsteps = ["warned"]\nto_env = "DIRECTOR"\nhours = { mon = ["9-18"] }',
            "people[0].hours.mon[0]: must be written like 08:00-20:00, at most until 24:00",
        ),
        (
            '[[alertmanagers]]\nname = "a"\nurl = "http://a"\nresend_seconds = 600',
            "alertmanagers[0].resend_seconds: must be at most 240, not 600",
        ),
        (
            '[[alertmanagers]]\nname = "a"\nurl = "http://a"\n[[alertmanagers]]\nname = "a"\nurl = "http://b"',
            "alertmanagers[1].name: 'a' is the name of alertmanagers[0] already",
        ),
    ],
)
def test_a_mistake_is_named_by_file_key_and_reason(tmp_path: Path, text: str, flaw: str) -> None:
    with pytest.raises(BadDescription) as refused:
        read(tmp_path, text)

    assert str(refused.value) == f"{tmp_path / 'alerts.toml'}: {flaw}"


def test_all_mistakes_are_told_at_once_and_no_secret_among_them(tmp_path: Path) -> None:
    text = webhook('url = "http://a"\nsecrets = ["whsec_hush"]') + '[[people]]\nname = "b"\nsteps = ["a"]\nto = "hush"'

    with pytest.raises(BadDescription) as refused:
        read(tmp_path, text)

    assert [flaw.at for flaw in refused.value.flaws] == ["webhooks[0].secrets[0]", "people[0].to"]
    assert "hush" not in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadDescription, match=r"nowhere\.toml: cannot be read: No such file or directory"):
        read_plan(tmp_path / "nowhere.toml", {})


def test_every_key_is_in_the_reference_with_its_default() -> None:
    documented = {
        key: codes(row["default"]) for row in rows(REFERENCE / "alerts.md", "key") for key in codes(row["key"])
    }

    fields = [field for path, table in TABLES.items() if len(path) == 1 for field in table.model_fields.items()]
    assert documented.keys() == {name for name, _ in fields}
    numbers = [(name, field.default) for name, field in fields if isinstance(field.default, int)]
    for name, default in numbers:
        if name != "give_up_after_minutes":
            assert documented[name] == [str(default)]


def webhook(lines: str) -> str:
    return f'[[webhooks]]\nname = "a"\n{lines}\n'


def read(folder: Path, text: str) -> Plan:
    path = folder / "alerts.toml"
    path.write_text(text, encoding="utf-8")
    return read_plan(path, ENVIRONMENT)
