"""What servers and connections say, in numbers and words of ours."""

from __future__ import annotations

import email.utils
import time

import requests
import urllib3


def retry_after_s(header: str | None) -> float | None:
    """Seconds to wait by a ``Retry-After``, given in seconds or as a date; None if unreadable.

    A date gone by (the server's clock is behind) says nothing either.
    """
    if not header:
        return None
    if header.strip().isdecimal():
        return float(header)
    try:
        moment = email.utils.parsedate_to_datetime(header)
    except ValueError:
        return None
    wait = moment.timestamp() - time.time()
    return wait if wait > 0 else None


def reason(error: Exception, url: str, timeout_s: float) -> str:
    """What went wrong on the wire, in words; the libraries' own texts hold whole URLs."""
    text = repr(error)
    if "NameResolutionError" in text:
        return f"the host of {url} is not known"
    if isinstance(error, requests.ConnectTimeout):
        return f"no connection to {url} within {timeout_s:.0f} s"
    if isinstance(error, (requests.Timeout, urllib3.exceptions.TimeoutError)):
        return f"no answer within {timeout_s:.0f} s"
    if "NewConnectionError" in text:
        return f"no connection to {url}"
    if isinstance(error, urllib3.exceptions.DecodeError):
        return "the answer's compression is broken"
    return "the connection broke off"


def expected(shape: type | tuple[type, ...], value: object) -> str:
    """That a JSON ``value`` is of none of the wanted shapes; kinds only, no values."""
    kinds = shape if isinstance(shape, tuple) else (shape,)
    wanted = " or ".join(_NAMES.get(kind, "object") for kind in kinds)
    return f"expected a JSON {wanted}, got {_NAMES[type(value)]}"


_NAMES = {
    list: "array",
    dict: "object",
    str: "text",
    int: "number",
    float: "number",
    bool: "boolean",
    type(None): "null",
}
