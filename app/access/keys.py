"""Idempotency keys: each belongs to whoever used it, and is kept as a hash alone."""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime
from ipaddress import IPv6Address, ip_address

import msgspec

from app.journal.journal import KEYS_LIVE
from app.journal.keys import HIDDEN_KEY

NETWORK_BITS = 64
"""What stays of an IPv6 address when a device changes the rest of it, as most do every day."""


class Keys:
    """How keys are kept. `clear` are those of a journal from before they were hidden, honoured for as long as any."""

    def __init__(self, secret: str, clear: Mapping[tuple[str, str], datetime]) -> None:
        self._secret = f"key of {secret}".encode()
        self._clear = clear

    def kept_as(self, office: str, whose: tuple[str, ...], key: str, now: datetime) -> str:
        """What stands in the journal for a key that somebody used in an office."""
        used_at = self._clear.get((office, key)) if self._clear else None
        if used_at and now - used_at < KEYS_LIVE:
            return key
        digest = hmac.digest(self._secret, msgspec.json.encode((whose, key)), "sha256")
        return HIDDEN_KEY + urlsafe_b64encode(digest).decode().rstrip("=")


def network_of(client: str) -> str:
    """The address of a device, as far as it stays the same."""
    try:
        address = ip_address(client)
    except ValueError:
        return client
    if isinstance(address, IPv6Address) and not address.ipv4_mapped:
        return f"{int(address) >> (128 - NETWORK_BITS):x}::"
    return client
