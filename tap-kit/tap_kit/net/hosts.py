"""The addresses that requests may go to: the configured ones only."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import unquote, urlsplit

from tap_kit.errors import SyncFailed


def url_problem(url: str) -> str | None:
    """Return why ``url`` is not a valid address of an API, as a predicate; None if it is valid.

    https is required, except for the loopback host, where a sandbox or a tunnel may listen.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "must be a valid URL"
    # urlsplit drops or accepts these characters.
    has_stray = " " in url or "\\" in url or not url.isprintable()
    if parts.scheme not in {"http", "https"} or not host or has_stray:
        return "must be a URL with https:// and a host"
    if parts.username is not None or parts.password is not None:
        return "must not contain a user name or password"
    if parts.query or parts.fragment:
        return "must not contain a query (?) or a fragment (#)"
    if parts.scheme == "http" and not is_loopback(host):
        return "must begin with https://, or the credentials would be sent in clear text"
    return None


def api_path(base_url: str, href: str, prefixes: tuple[str, ...]) -> str:
    """Return the path and query of the link ``href`` below ``base_url``, whatever its host is.

    Vendors send links to other hosts (a documentation host, a mistyped one, a proxy). The tap
    sends the request to the configured address instead, if the path belongs to the API. ``&amp;``
    is unescaped, because links in the vendors' pages contain it.

    Raises:
        SyncFailed: if the path begins with none of ``prefixes``, or has ``..`` in it.
    """
    base = urlsplit(base_url)
    try:
        parts = urlsplit(href.replace("&amp;", "&"))
    except ValueError:
        msg = "a link in a response is not a valid URL; refused"
        raise SyncFailed(msg) from None
    path = parts.path
    if parts.netloc in {"", base.netloc} and base.path and path.startswith(base.path + "/"):
        path = path[len(base.path) :]
    if not path.startswith(prefixes) or ".." in re.split(r"[/\\]", unquote(path)):
        msg = f"a link in a response leads outside the API, to {parts.netloc}{path}; refused"
        raise SyncFailed(msg)
    return f"{path}?{parts.query}" if parts.query else path


def is_loopback(host: str) -> bool:
    """Return whether ``host`` is localhost, in 127.0.0.0/8, or ::1."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
