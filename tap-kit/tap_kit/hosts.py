"""Where requests may go: the configured addresses and nowhere else."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


def address_problem(url: str) -> str | None:
    """What is wrong with ``url`` as the address of an API, in words for its user; None if nothing.

    https is required, except for this machine itself, where a sandbox or a tunnel may listen.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is not an address"
    if parts.scheme not in {"http", "https"} or not host:
        return "is not an address: it has to begin with https:// and a host"
    if parts.username is not None or parts.password is not None:
        return "must not hold a user name or password"
    if parts.query or parts.fragment:
        return "must not have a query (?) or a fragment (#)"
    if parts.scheme == "http" and not is_loopback(host):
        return "has to begin with https://, so that the credentials are not sent in clear text"
    return None


def is_loopback(host: str) -> bool:
    """Whether ``host`` is this machine: localhost, 127.0.0.0/8 or ::1."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
