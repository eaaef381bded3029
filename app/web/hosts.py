"""The names under which this server may be addressed. A stranger's page can point a name of its own at our address."""

import re
import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

AUTHORITY = re.compile(r"(\[[0-9a-f:.]{2,45}\]|[a-z0-9_.-]{1,253})(?::[0-9]{0,5})?", re.ASCII)
ORIGIN = re.compile(r"(https?)://([^/\s]{1,262})", re.ASCII)
USUAL_PORTS = {"http": ":80", "https": ":443"}
REMEMBERED = 64
"""Hosts that were found good and need not be looked at again."""

Address = IPv4Address | IPv6Address


class Hosts:
    """What a `Host` may say: the names listed, this machine's own, loopback, and where the connection came in."""

    def __init__(self, listed: Iterable[str] = (), bound: str = "") -> None:
        own = socket.gethostname().lower().rstrip(".")
        entries = {entry.lower().rstrip(".") for entry in listed}
        self._listed = {entry for entry in entries if not entry.startswith("*.") and _network(entry) is None}
        self._under = tuple(entry[1:] for entry in entries if entry.startswith("*."))
        self._networks = [network for entry in entries if (network := _network(entry))]
        self._ours = {"localhost", own, own.partition(".")[0], f"{own.partition('.')[0]}.local", bound.lower()} - {""}
        self._good: set[tuple[str, str]] = set()

    def answers_to(self, host: str, here: str) -> bool:
        """Whether a `Host` is one of ours on a connection that came in at the address `here`."""
        if (host, here) in self._good:
            return True
        name = _name(host)
        if name is None or not (name in self._ours or self.lists(name) or _is_here(name, here)):
            return False
        if len(self._good) < REMEMBERED:
            self._good.add((host, here))
        return True

    def is_origin(self, origin: str, host: str) -> bool:
        """Whether a page of this origin is our own: of the very `Host` asked, or of a name that was listed."""
        found = ORIGIN.fullmatch(origin.lower())
        if found is None:
            return False
        scheme, authority = found.groups()
        host, name = host.lower(), _name(authority)
        usual = USUAL_PORTS[scheme]
        same = authority.removesuffix(usual) == host.removesuffix(usual)
        return name is not None and (same or self.lists(name))

    def lists(self, name: str) -> bool:
        """Whether a name or an address is among those of the setting."""
        if name in self._listed or name.endswith(self._under):
            return True
        address = _address(name)
        return address is not None and any(address in network for network in self._networks)


def _name(authority: str) -> str | None:
    """The name or address of `name:port`, as it is compared; None for what is neither."""
    found = AUTHORITY.fullmatch(authority.lower())
    return found[1].strip("[]").removesuffix(".") if found else None


def _is_here(name: str, here: str) -> bool:
    address = _address(name)
    return name == here.lower() or (address is not None and (address.is_loopback or address == _address(here)))


def _address(text: str) -> Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _network(entry: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(entry.strip("[]"))
    except ValueError:
        return None
