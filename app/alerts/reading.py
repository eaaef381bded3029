"""The file that `FIFTEEN_ALERTS` names, read and judged."""

import base64
import binascii
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal, TypeAlias, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationError
from pydantic_core import PydanticCustomError

from app.alerts.people import is_known_address
from app.alerts.plan import AlertmanagerEntry, PersonEntry, Plan, WebhookEntry
from app.alerts.texts import languages
from app.configuration import BadDescription, Flaw, read_document
from app.configuration.flaws import flaw_of
from app.configuration.shape import HoursTable, Slug, Table, Text

SETTINGS = "FIFTEEN_"
"""What the names of settings begin with; the server refuses every other variable that does."""


def read_plan(path: Path, environment: Mapping[str, str] = os.environ) -> Plan:
    """The plan in a TOML file, with secrets from the environment; BadDescription names every mistake in it."""
    document = read_document(path)
    try:
        table = PlanTable.model_validate(document)
    except ValidationError as error:
        flaws = [flaw_of(detail, _known_keys) for detail in error.errors(include_url=False)]
        raise BadDescription(str(path), flaws) from None
    flaws = [*_disagreements(table, environment)]
    if flaws:
        raise BadDescription(str(path), flaws)
    return table.plan(environment)


# The shape


def _address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise PydanticCustomError("address", "must be an address that begins with http:// or https://")
    return text


def _variable(text: str) -> str:
    if not text.isidentifier() or not text.isascii() or text.startswith(SETTINGS):
        raise PydanticCustomError(
            "variable", f"must be the name of an environment variable, and not begin with {SETTINGS}"
        )
    return text


Address = Annotated[Text, AfterValidator(_address)]
Variable = Annotated[str, AfterValidator(_variable)]
Kind: TypeAlias = Literal["Warned", "Breached", "Escalated", "Acknowledged", "Relieved", "CounterIdle"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Minutes = Annotated[int, Field(ge=1, le=10_080)]
Timeout = Annotated[int, Field(ge=1, le=60)]


class EntryTable(Table):
    """Somebody who is told."""

    name: Slug
    offices: list[Slug] = Field(default=[], max_length=10_000)
    timeout_seconds: Timeout = 10


class WebhookTable(EntryTable):
    """A program."""

    url: Address
    secrets: list[Text] = Field(default=[], max_length=4)
    secret_env: list[Variable] = Field(default=[], max_length=4)
    facts: list[Kind] = Field(default=list(KINDS), min_length=1)
    give_up_after_minutes: Minutes = 1_440

    def entry(self, environment: Mapping[str, str]) -> WebhookEntry:
        return WebhookEntry(
            name=self.name,
            offices=frozenset(self.offices),
            timeout_seconds=self.timeout_seconds,
            url=self.url,
            secrets=(*self.secrets, *(environment[name] for name in self.secret_env)),
            facts=frozenset(self.facts),
            give_up_after_minutes=self.give_up_after_minutes,
        )


class PersonTable(EntryTable):
    """A person or a group."""

    to: Text | None = None
    to_env: Variable | None = None
    steps: list[Slug] = Field(min_length=1, max_length=40)
    hours: HoursTable | None = None
    language: str | None = None
    give_up_after_minutes: Minutes = 60

    def address(self, environment: Mapping[str, str]) -> str:
        return self.to or environment.get(self.to_env or "", "")

    def entry(self, environment: Mapping[str, str]) -> PersonEntry:
        return PersonEntry(
            name=self.name,
            offices=frozenset(self.offices),
            timeout_seconds=self.timeout_seconds,
            to=self.address(environment),
            steps=frozenset(self.steps),
            hours=self.hours.openings() if self.hours else None,
            language=self.language,
            give_up_after_minutes=self.give_up_after_minutes,
        )


class AlertmanagerTable(EntryTable):
    """An Alertmanager."""

    url: Address
    # Alertmanager takes an alert for resolved when it has not been told of it for resolve_timeout, five minutes.
    resend_seconds: int = Field(default=60, ge=5, le=240)

    def entry(self) -> AlertmanagerEntry:
        return AlertmanagerEntry(
            name=self.name,
            offices=frozenset(self.offices),
            timeout_seconds=self.timeout_seconds,
            url=self.url,
            resend_seconds=self.resend_seconds,
        )


class PlanTable(Table):
    """The whole file."""

    webhooks: list[WebhookTable] = Field(default=[], max_length=100)
    people: list[PersonTable] = Field(default=[], max_length=1_000)
    alertmanagers: list[AlertmanagerTable] = Field(default=[], max_length=10)

    def plan(self, environment: Mapping[str, str]) -> Plan:
        """The plan described."""
        return Plan(
            webhooks=tuple(table.entry(environment) for table in self.webhooks),
            people=tuple(table.entry(environment) for table in self.people),
            alertmanagers=tuple(table.entry() for table in self.alertmanagers),
        )


TABLES: Mapping[tuple[str, ...], type[Table]] = {
    (): PlanTable,
    ("webhooks",): WebhookTable,
    ("people",): PersonTable,
    ("people", "hours"): HoursTable,
    ("alertmanagers",): AlertmanagerTable,
}


def _known_keys(path: tuple[str | int, ...]) -> list[str]:
    return list(TABLES[tuple(step for step in path if isinstance(step, str))].model_fields)


# Whether it fits together


def _disagreements(table: PlanTable, environment: Mapping[str, str]) -> Iterator[Flaw]:
    yield from _repeated_names(table)
    for index, webhook in enumerate(table.webhooks):
        yield from _bad_secrets(f"webhooks[{index}]", webhook, environment)
    for index, person in enumerate(table.people):
        yield from _bad_person(f"people[{index}]", person, environment)


def _repeated_names(table: PlanTable) -> Iterator[Flaw]:
    first_at: dict[str, str] = {}
    lists: Mapping[str, Sequence[EntryTable]] = {
        "webhooks": table.webhooks,
        "people": table.people,
        "alertmanagers": table.alertmanagers,
    }
    for list_name, entries in lists.items():
        for index, entry in enumerate(entries):
            path = f"{list_name}[{index}]"
            if first_at.setdefault(entry.name, path) != path:
                yield Flaw(f"{path}.name", f"{entry.name!r} is the name of {first_at[entry.name]} already")


def _bad_secrets(path: str, webhook: WebhookTable, environment: Mapping[str, str]) -> Iterator[Flaw]:
    given = [(f"{path}.secrets[{index}]", secret) for index, secret in enumerate(webhook.secrets)]
    for index, name in enumerate(webhook.secret_env):
        at = f"{path}.secret_env[{index}]"
        if name in environment:
            given.append((at, environment[name]))
        else:
            yield Flaw(at, f"the environment has no {name}")
    if not webhook.secrets and not webhook.secret_env:
        yield Flaw(f"{path}.secret_env", "is missing, and so is secrets: every message is signed")
    for at, secret in given:
        if not _is_secret(secret):
            yield Flaw(at, "must be whsec_ and 24 to 64 random bytes in base64")


def _is_secret(text: str) -> bool:
    try:
        key = base64.b64decode(text.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        return False
    return text.startswith("whsec_") and 24 <= len(key) <= 64


def _bad_person(path: str, person: PersonTable, environment: Mapping[str, str]) -> Iterator[Flaw]:
    if (person.to is None) == (person.to_env is None):
        yield Flaw(f"{path}.to", "must be given, or to_env, and not both")
    elif person.to_env is not None and person.to_env not in environment:
        yield Flaw(f"{path}.to_env", f"the environment has no {person.to_env}")
    elif not is_known_address(person.address(environment)):
        # Without the address: it holds passwords, and this is printed and logged.
        yield Flaw(f"{path}.{'to' if person.to else 'to_env'}", "is not an address that apprise knows")
    if person.language is not None and person.language not in languages():
        yield Flaw(f"{path}.language", f"must be one of {', '.join(languages())}")
