"""From the bytes of an answer to Python: strict first, lenient where vendors are sloppy."""

from __future__ import annotations

import json
import logging
import math
from typing import Any, NoReturn

import msgspec

from tap_kit.errors import Retriable

logger = logging.getLogger(__name__)


def parse_json(body: bytes, source: str) -> Any:
    """The JSON value in ``body``; ``source`` names the request in messages.

    A lone surrogate escape, invalid UTF-8 or a byte-order mark is no reason to stop a sync: such
    text is read with U+FFFD in place of what cannot be written out, and told in the log.

    Raises:
        Retriable: when it is not JSON, such as a proxy's page or half of an answer.
    """
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _parse_sloppy(body, source)


def _parse_sloppy(body: bytes, source: str) -> Any:
    try:
        text = body.decode("utf-8-sig", errors="replace")
        value = _scrub(json.loads(text, parse_constant=_refuse, parse_float=_finite))
    except (ValueError, RecursionError):
        msg = f"{source}: the answer is not JSON ({len(body)} bytes{_looks_like(body)})"
        raise Retriable(msg) from None
    logger.warning("%s: text that is not valid Unicode was read with U+FFFD in its place", source)
    return value


def _refuse(constant: str) -> NoReturn:
    msg = f"{constant} is not JSON"
    raise ValueError(msg)


def _finite(number: str) -> float:
    value = float(number)
    return value if math.isfinite(value) else _refuse(number)


def _looks_like(body: bytes) -> str:
    return ", HTML" if body.lstrip()[:1] == b"<" else ""


def _scrub(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_scrub(item) for item in value]
    if isinstance(value, dict):
        return {_scrub(key): _scrub(item) for key, item in value.items()}
    return value
