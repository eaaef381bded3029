"""What can be set from outside, by environment variables that begin with `FIFTEEN_`."""

import os
import re
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

from pydantic import AwareDatetime, Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.clock import STEADY_SECONDS, Clock, DemoClock, SystemClock

PREFIX = "FIFTEEN_"
TEST_POSTGRES = "FIFTEEN_TEST_POSTGRES"
"""Not a setting: it tells the tests of a PostgreSQL that runs already."""


Network = IPv4Network | IPv6Network


def networks(listed: str | None) -> tuple[Network, ...]:
    """`10.0.0.0/8, ::1` as networks. ValueError when one is none."""
    return tuple(ip_network(each.strip()) for each in (listed or "").split(",") if each.strip())


HOST = re.compile(r"(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*", re.ASCII | re.IGNORECASE)


class Settings(BaseSettings):
    """The settings of one server process."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid")

    database: str = Field(default="fifteen.db", description="a SQLite file, or a postgresql+psycopg:// address")
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    hosts: str | None = Field(
        default=None, description="further names by which browsers and devices reach the server, with commas between"
    )
    example: bool = Field(default=False, description="start an empty journal with the example office")
    queue_size: int = Field(default=1024, ge=1, description="commands that may wait for the writer")
    patience_seconds: float = Field(default=10, gt=0, description="how long a command waits for the database")
    connections: int = Field(default=10_000, ge=1, description="most connections, as far as descriptors reach")
    connections_per_address: int = Field(default=1_000, ge=1, description="most connections of one address")
    proxies: str = Field(default="127.0.0.1, ::1", description="addresses through which many come")
    known_addresses: str | None = Field(default=None, description="addresses of those who always have a place")
    canary_seconds: float = Field(
        default=60, ge=0, description="how often a visitor nobody sees tries out the watch; 0 is never"
    )
    clock_steady_seconds: float = Field(
        default=STEADY_SECONDS,
        ge=0,
        description="how long a clock that nobody vouches for must not have been set before it is believed",
    )
    alerts: Path | None = Field(default=None, description="a TOML file that says who is told of what")
    grafana: str | None = Field(
        default=None, pattern=r"^https?://\S+$", description="where Grafana shows our dashboards, for links"
    )
    demo_speed: float | None = Field(
        default=None, gt=0, le=10_000, description="run the clock N-fold, in a demo journal"
    )
    demo_start: AwareDatetime | None = Field(default=None, description="the demo clock's first instant")

    @field_validator("proxies", "known_addresses")
    @classmethod
    def _refuse_what_is_no_address(cls, listed: str | None) -> str | None:
        networks(listed)
        return listed

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_variables(cls, given: object) -> object:
        """A name that nobody reads is a slip of the pen: a `FIFTEEN_DATABSE` would begin a new file without a word."""
        known = {f"{PREFIX}{name}".upper() for name in cls.model_fields}
        unknown = [name for name in os.environ if name.startswith(PREFIX) and name not in known | {TEST_POSTGRES}]
        if unknown:
            raise ValueError(f"{', '.join(unknown)} is no setting; there are {', '.join(sorted(known))}")
        return given

    @field_validator("hosts")
    @classmethod
    def _refuse_what_is_no_name(cls, given: str | None) -> str | None:
        if wrong := [entry for entry in _entries(given) if not _is_host(entry)]:
            raise ValueError(
                f"{', '.join(wrong)}: write names, addresses or networks without scheme and port, such as "
                "queue.example.org, *.example.org, 192.168.1.5, 10.0.0.0/8"
            )
        return given

    @property
    def listed_hosts(self) -> tuple[str, ...]:
        """The entries of `hosts`."""
        return _entries(self.hosts)

    def clock(self) -> Clock:
        """The clock that these settings ask for."""
        if self.demo_speed is None:
            return SystemClock(steady_seconds=self.clock_steady_seconds)
        start: datetime | None = self.demo_start
        return DemoClock(self.demo_speed, start)


def _entries(listed: str | None) -> tuple[str, ...]:
    return tuple((listed or "").replace(",", " ").split())


def _is_host(entry: str) -> bool:
    try:
        ip_network(entry.strip("[]"))
    except ValueError:
        return HOST.fullmatch(entry) is not None
    return True
