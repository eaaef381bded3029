"""What the examples begin with."""

import pytest

from tests.core.live import LiveHall


@pytest.fixture
def hall() -> LiveHall:
    """An office on a Monday at nine, every counter manned, nobody in the hall yet."""
    return LiveHall()
