"""The visitor's own key: a token that names one visit, and that nobody can guess."""

import hmac
import re
from base64 import urlsafe_b64encode

from app.web.refusals import UnknownVisit

SEAL_BYTES = 12
TOKEN = re.compile(r"([a-z0-9-]{1,40})~([^~/]{12,24})~([A-Za-z0-9_-]{16})")


class VisitTokens:
    """Tokens sealed with the journal's own secret, so none is stored and each outlives a restart."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def of(self, office: str, ticket: str) -> str:
        """The token of a visit: `centre~20261123-A012~` and its seal."""
        return f"{office}~{ticket}~{self._seal(office, ticket)}"

    def read(self, token: str) -> tuple[str, str]:
        """Office and ticket of a token, or UnknownVisit."""
        found = TOKEN.fullmatch(token)
        if found is None or not hmac.compare_digest(self._seal(found[1], found[2]), found[3]):
            raise UnknownVisit()
        return found[1], found[2]

    def _seal(self, office: str, ticket: str) -> str:
        seal = hmac.digest(self._secret, f"{office}~{ticket}".encode(), "sha256")[:SEAL_BYTES]
        return urlsafe_b64encode(seal).decode()
