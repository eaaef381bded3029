"""A scrape as Prometheus would read it."""

import gzip
from functools import cached_property

from prometheus_client.parser import text_string_to_metric_families


class Scrape:
    """The headers and the body of an answer, and the series in it."""

    def __init__(self, headers: dict[str, str], body: bytes) -> None:
        self.headers, self.body = headers, body

    @cached_property
    def text(self) -> str:
        """The text, whatever its encoding."""
        zipped = self.headers.get("content-encoding") == "gzip"
        return (gzip.decompress(self.body) if zipped else self.body).decode()

    @property
    def halls(self) -> str:
        """The part that tells of halls, and is the same for everybody who scrapes at the same time."""
        return self.text[: self.text.index("# HELP process_")]

    @cached_property
    def series(self) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
        """Every sample by its name and labels."""
        samples = [sample for family in text_string_to_metric_families(self.text) for sample in family.samples]
        series = {(sample.name, frozenset(sample.labels.items())): sample.value for sample in samples}
        assert len(series) == len(samples), "a series is told twice"
        return series

    def __call__(self, name: str, **labels: str) -> float:
        """The value of a series of the centre, or of the server."""
        whose = {"office": "centre"} if labels else {}
        return self.series[name, frozenset({**whose, **labels}.items())]
