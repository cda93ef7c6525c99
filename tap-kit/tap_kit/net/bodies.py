"""Decode the body of a response: strictly first, leniently where vendors break the rules."""

from __future__ import annotations

import json
import logging
import math
from typing import Any, NoReturn

import msgspec

from tap_kit.errors import Retriable

logger = logging.getLogger(__name__)


def parse_json(body: bytes, source: str) -> Any:
    """Return the JSON value in ``body``; ``source`` names the request in messages.

    A lone surrogate escape, invalid UTF-8 or a byte-order mark does not stop a sync: U+FFFD
    replaces what is not valid Unicode, and a warning is logged.

    Raises:
        Retriable: if ``body`` is not JSON, such as a proxy's page or half of a response.
    """
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _parse_leniently(body, source)


def _parse_leniently(body: bytes, source: str) -> Any:
    try:
        text = body.decode("utf-8-sig", errors="replace")
        value = _replace_surrogates(
            json.loads(text, parse_constant=_reject_constant, parse_float=_finite_float)
        )
    except (ValueError, RecursionError):
        msg = f"{source}: the response is not JSON ({len(body)} bytes{_content_hint(body)})"
        raise Retriable(msg) from None
    logger.warning("%s: replaced invalid Unicode in the response with U+FFFD", source)
    return value


def _reject_constant(constant: str) -> NoReturn:
    msg = f"{constant} is not JSON"
    raise ValueError(msg)


def _finite_float(number: str) -> float:
    value = float(number)
    return value if math.isfinite(value) else _reject_constant(number)


def _content_hint(body: bytes) -> str:
    """Return what the body seems to be instead of JSON; its content may be secret."""
    return ", HTML" if body.lstrip()[:1] == b"<" else ""


def _replace_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_replace_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_replace_surrogates(key): _replace_surrogates(item) for key, item in value.items()}
    return value
