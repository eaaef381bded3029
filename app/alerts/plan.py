"""Who is told, of what, and when."""

from queue_core.office import Opening
from queue_core.values import value


@value(kw_only=True)
class Entry:
    """Somebody who is told. `offices` are those it is told of; none named: all."""

    name: str
    offices: frozenset[str]
    timeout_seconds: float

    def is_about(self, office_id: str) -> bool:
        """Whether it is told of this office."""
        return not self.offices or office_id in self.offices


@value(kw_only=True)
class WebhookEntry(Entry):
    """A program that is told by HTTP. `facts` are the kinds it wants."""

    url: str
    secrets: tuple[str, ...]
    facts: frozenset[str]
    give_up_after_minutes: int


@value(kw_only=True)
class PersonEntry(Entry):
    """A person or a group, at an apprise address. `hours` None: at any hour; `language` None: the office's first."""

    to: str
    steps: frozenset[str]
    hours: tuple[Opening, ...] | None
    language: str | None
    give_up_after_minutes: int


@value(kw_only=True)
class AlertmanagerEntry(Entry):
    """A Prometheus Alertmanager."""

    url: str
    resend_seconds: float


@value(kw_only=True)
class Plan:
    """Everybody who is told."""

    webhooks: tuple[WebhookEntry, ...] = ()
    people: tuple[PersonEntry, ...] = ()
    alertmanagers: tuple[AlertmanagerEntry, ...] = ()
