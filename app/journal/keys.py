"""Keys of requests as they are kept: never as they were sent, but for those of journals from before that."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select

from app.journal.journal import Journal
from app.journal.schema import answers

HIDDEN_KEY = "sha256 "
"""What the hash of a key begins with. No key that can be sent has a space, so none is taken for a hash."""


def clear_keys(journal: Journal) -> Mapping[tuple[str, str], datetime]:
    """When each (office, key) was used that still stands as it was sent."""
    clear = select(answers.c.office_id, answers.c.key, answers.c.at).where(~answers.c.key.startswith(HIDDEN_KEY))
    with journal.transaction(read_only=True) as connection:
        return {(row.office_id, row.key): row.at for row in connection.execute(clear)}
