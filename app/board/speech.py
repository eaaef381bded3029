"""How long after a call the hall hears it, as its boards report."""

from datetime import datetime

from prometheus_client import CollectorRegistry, Histogram

from queue_core.tickets import Ticket

SPEECH_SECONDS = (0.5, 1, 2, 3, 5, 8, 12, 20, 30, 60)


class SpeechDelay:
    """The histogram of one process. `registry` holds it."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._delays = Histogram(
            "queue_call_to_speech_seconds",
            "From a call to the first word a board spoke of it, as the first board to speak reported",
            buckets=SPEECH_SECONDS,
            registry=self.registry,
        )

    def spoken(self, ticket: Ticket, seconds: float, now: datetime) -> None:
        """Count what a board reports of a ticket's latest call: no more than has passed since then."""
        if ticket.last_called_at:
            self._delays.observe(min(seconds, max(0.0, (now - ticket.last_called_at).total_seconds())))
