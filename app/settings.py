"""What can be set from outside, by environment variables that begin with `FIFTEEN_`."""

from datetime import datetime

from pydantic import AwareDatetime, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.clock import Clock, DemoClock, SystemClock


class Settings(BaseSettings):
    """The settings of one server process."""

    model_config = SettingsConfigDict(env_prefix="FIFTEEN_", extra="forbid")

    database: str = Field(default="fifteen.db", description="a SQLite file, or a postgresql+psycopg:// address")
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    example: bool = Field(default=False, description="start an empty journal with the example office")
    queue_size: int = Field(default=1024, ge=1, description="commands that may wait for the writer")
    patience_seconds: float = Field(default=10, gt=0, description="how long a command waits for the database")
    demo_speed: float | None = Field(
        default=None, gt=0, le=10_000, description="run the clock N-fold, in a demo journal"
    )
    demo_start: AwareDatetime | None = Field(default=None, description="the demo clock's first instant")

    @property
    def is_demo(self) -> bool:
        """Whether this server runs on a demo clock, which only a demo journal allows."""
        return self.demo_speed is not None

    def clock(self) -> Clock:
        """The clock that these settings ask for."""
        if self.demo_speed is None:
            return SystemClock()
        start: datetime | None = self.demo_start
        return DemoClock(self.demo_speed, start)
