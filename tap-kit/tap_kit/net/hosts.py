"""Where requests may go: the configured addresses and nowhere else."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import unquote, urlsplit

from tap_kit.errors import SyncFailed


def url_problem(url: str) -> str | None:
    """What is wrong with ``url`` as the address of an API, in words for its user; None if nothing.

    https is required, except for this machine itself, where a sandbox or a tunnel may listen.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "must be a valid URL"
    stray = " " in url or "\\" in url or not url.isprintable()  # urlsplit drops or accepts these
    if parts.scheme not in {"http", "https"} or not host or stray:
        return "must be a URL with https:// and a host"
    if parts.username is not None or parts.password is not None:
        return "must not hold a user name or password"
    if parts.query or parts.fragment:
        return "must not have a query (?) or a fragment (#)"
    if parts.scheme == "http" and not is_loopback(host):
        return "must begin with https://, or the credentials would be sent in clear text"
    return None


def path_on(base_url: str, href: str, prefixes: tuple[str, ...]) -> str:
    """The path and query of ``href`` below ``base_url``, wherever the link claims to lead.

    Vendors write links with hosts of their own (a documentation host, a mistyped one, a proxy's),
    so a link is taken apart and asked for at the configured address, when its path belongs to the
    API. ``&amp;`` in a link is undone: pages and mocks of the vendors have it.

    Raises:
        SyncFailed: when the path begins with none of ``prefixes``, or climbs out of it.
    """
    base = urlsplit(base_url)
    try:
        parts = urlsplit(href.replace("&amp;", "&"))
    except ValueError:
        msg = "a link of the vendor leads elsewhere, to what is not an address; refused"
        raise SyncFailed(msg) from None
    path = parts.path
    if parts.netloc in {"", base.netloc} and base.path and path.startswith(base.path + "/"):
        path = path[len(base.path) :]
    if not path.startswith(prefixes) or ".." in re.split(r"[/\\]", unquote(path)):
        msg = f"a link of the vendor leads elsewhere, to {parts.netloc}{path}; refused"
        raise SyncFailed(msg)
    return f"{path}?{parts.query}" if parts.query else path


def is_loopback(host: str) -> bool:
    """Whether ``host`` is this machine: localhost, 127.0.0.0/8 or ::1."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
