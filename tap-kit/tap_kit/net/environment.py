"""Check what the environment says about proxies and certificates, before the first request."""

from __future__ import annotations

import functools
import importlib.util
import os
import ssl
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from requests.utils import select_proxy

from tap_kit.errors import setting_error

if TYPE_CHECKING:
    from collections.abc import Hashable, MutableMapping

_CERTIFICATES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_SOCKS = ("socks4", "socks4a", "socks5", "socks5h")


def check_environment(url: str, proxies: MutableMapping[str, str], certificates: object) -> None:
    """Check the proxy for ``url``, and ``certificates`` if it is the path of a file or folder.

    Raises:
        ConfigValidationError: if one cannot be used; it names the variable, not its value, since
            the address of a proxy can contain a password.
    """
    if isinstance(certificates, str) and url.startswith("https:"):
        _check_certificates(certificates, _version_of(certificates))
    proxy = select_proxy(url, proxies)
    if proxy and (problem := _proxy_problem(proxy)):
        raise setting_error(_variable_of(url, proxy), problem)


@functools.lru_cache(maxsize=8)  # a large file takes 40 ms, and each API of a tap needs it
def _check_certificates(path: str, _version: Hashable) -> None:
    folder, file = (path, None) if os.path.isdir(path) else (None, path)  # noqa: PTH112 (a text)
    try:
        ssl.create_default_context(cafile=file, capath=folder)
    except (OSError, ValueError):  # an SSLError is an OSError
        names = [name for name in _CERTIFICATES if os.environ.get(name) == path]
        problem = "must name a file of certificates in PEM format"
        raise setting_error(names[0] if names else _CERTIFICATES[0], problem) from None


def _version_of(path: str) -> Hashable:
    """Return what changes with the content of a file or folder; None if there is none."""
    try:
        status = Path(path).stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


def _proxy_problem(proxy: str) -> str | None:
    address = proxy if "://" in proxy else f"http://{proxy}"  # as requests completes it
    try:
        parts = urlsplit(address)
        host, scheme, _ = parts.hostname, parts.scheme.lower(), parts.port
    except ValueError:
        host = scheme = None
    if not host or scheme not in {"http", "https", *_SOCKS}:
        return "must be the URL of a proxy, such as http://proxy.example:3128"
    if scheme in _SOCKS and importlib.util.find_spec("socks") is None:
        return "names a SOCKS proxy, which needs the package PySocks; install it beside the tap"
    return None


def _variable_of(url: str, proxy: str) -> str:
    """Return the name of the variable that sets the proxy for ``url``."""
    names = (f"{urlsplit(url).scheme}_proxy", "all_proxy")
    variables = [name for known in names for name in (known, known.upper())]
    return next((n for n in variables if os.environ.get(n) == proxy), variables[1])
