"""The addresses that requests may go to: the configured ones only."""

from __future__ import annotations

import ipaddress
import re
import socket
from typing import Any
from urllib.parse import quote, unquote, urljoin, urlsplit

from requests.utils import requote_uri

from tap_kit.errors import SyncFailed
from tap_kit.net.secrets import short_text

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_DECODINGS = 3
_ABSOLUTE = re.compile(r"[a-z][a-z0-9+.-]*:|/", re.IGNORECASE)
MAX_ID_LENGTH = 1000  # characters; longer ones are no ids


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
    if not path.startswith(prefixes) or _climbs(path):
        place = short_text(f"{parts.netloc}{path}", 200)
        msg = f"a link in a response leads outside the API, to {place}; refused"
        raise SyncFailed(msg)
    return f"{path}?{parts.query}" if parts.query else path


def resolved_link(path: str, href: str) -> str:
    """Return a link in the response to a request for ``path``, resolved if it is relative to it.

    Links such as ``?offset=20`` are; those with a host, or that begin with a slash, are not.
    """
    return href if _ABSOLUTE.match(href) else urljoin(path, href)


def _climbs(path: str) -> bool:
    """Return whether a path has a segment ``..``, as any server may read it.

    Some decode a path twice, and some ignore what follows a ``;`` in a segment.
    """
    for _ in range(_DECODINGS):
        path = unquote(path)
        if any(re.sub(r"[;\0\s].*", "", one) == ".." for one in re.split(r"[/\\]", path)):
            return True
    return False


def quoted_path(template: str, *ids: object) -> str:
    """Return the path of ``template``, with one quoted segment for each id in place of ``{}``.

    An id comes from a response, a link or a setting. Whatever it contains, the path has the
    segments of the template and no others.

    Raises:
        SyncFailed: if an id is empty, ``.`` or ``..``, longer than ``MAX_ID_LENGTH``, or not valid
            Unicode.
    """
    return template.format(*map(_segment, ids))


def _segment(value: object) -> str:
    text = str(value)
    try:
        segment = quote(text, safe="")
    except UnicodeEncodeError:  # a lone surrogate
        segment = ""
    if segment in {"", ".", ".."} or len(text) > MAX_ID_LENGTH:
        msg = f"an id cannot be part of a path: {short_text(text, 40)!r}; refused"
        raise SyncFailed(msg)
    return segment


def redirect_target(url: str, location: str) -> str | None:
    """Return the address that a redirect from ``url`` leads to; None if no request may go there.

    ``location`` is the header as http.client returns it: its bytes as Latin-1.
    """
    try:
        text = location.encode("latin-1", "replace").decode("utf-8", "replace")
        target = requote_uri(urljoin(url, text).partition("#")[0])
    except ValueError:
        return None
    return None if url_problem(target.partition("?")[0]) else target


def address_kind(address: str) -> str:
    """Return where an IP address is: ``loopback``, ``link-local``, ``private`` or ``public``."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    ip = _inner_address(ip) or ip
    if ip.is_loopback:
        return "loopback"
    if ip.is_link_local:
        return "link-local"
    return "public" if ip.is_global else "private"


def _inner_address(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> Any:
    """Return the IPv4 address inside an IPv6 address (mapped, 6to4, NAT64); None without one."""
    if isinstance(ip, ipaddress.IPv4Address):
        return None
    is_nat64 = ip in _NAT64
    return (
        ip.ipv4_mapped
        or ip.sixtofour
        or (ipaddress.IPv4Address(ip.packed[-4:]) if is_nat64 else None)
    )


def host_kind(url: str) -> str | None:
    """Return the kind of the address that a URL has instead of a name; None for a name."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    if is_loopback(host) or host.endswith(".localhost"):
        return "loopback"
    try:
        return address_kind(host)
    except ValueError:
        pass
    try:  # a number, octal or hexadecimal, which a resolver takes for an address too
        return address_kind(socket.inet_ntoa(socket.inet_aton(host)))
    except (OSError, UnicodeError):
        return None


def is_loopback(host: str) -> bool:
    """Return whether ``host`` is localhost, in 127.0.0.0/8, or ::1."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
