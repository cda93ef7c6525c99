"""Decode the body of a response: strictly first, leniently where vendors break the rules."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any

import msgspec

from tap_kit.errors import Retriable
from tap_kit.net.charsets import Charset, as_utf8

if TYPE_CHECKING:
    from collections.abc import Iterator

logger = logging.getLogger(__name__)

_PIECE_BYTES = 1 << 20  # of a body, repaired at a time
_LARGE_BYTES = 1 << 20
_GROWTH = 1.5  # of a large body: U+FFFD has three bytes, so a third of it is invalid then
_BOM = b"\xef\xbb\xbf"
_REPLACEMENT = "\ufffd".encode()  # not escaped: the decoder would copy the whole text
# A pair of surrogates, a lone one, or another escape, so that `\\ud800` is not taken for one.
_ESCAPE = re.compile(
    rb"(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    rb"|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
    rb"|\\(?:[^u]|$)",
    re.DOTALL,
)
_LONGEST_ESCAPE = 12


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
        value = msgspec.json.decode(valid_unicode(body))
    except (msgspec.DecodeError, RecursionError):
        msg = f"{source}: the response is not JSON ({len(body)} bytes{_content_hint(body)})"
        raise Retriable(msg) from None
    report_invalid_unicode(source)
    return value


def report_invalid_unicode(source: str) -> None:
    """Log that a response was repaired; ``source`` names its request."""
    logger.warning("%s: replaced invalid Unicode in the response with U+FFFD", source)


def valid_unicode(body: bytes) -> bytes:
    """Return JSON with U+FFFD in place of invalid UTF-8 and of each lone surrogate escape.

    It works on bytes: as texts of Python, a body can take four times its size. A large body of
    mostly invalid bytes becomes an empty one, which is no JSON.
    """
    start = len(_BOM) if body.startswith(_BOM) else 0
    pieces = (body[place : place + _PIECE_BYTES] for place in range(start, len(body), _PIECE_BYTES))
    parts, size = [], 0
    for part in as_utf8(pieces, Charset("utf-8")):
        parts.append(part)
        size += len(part)
        if size > max(_GROWTH * len(body), _LARGE_BYTES):  # it is no text at all
            return b""
    text = b"".join(parts)
    del parts
    return b"".join(_without_lone_surrogates(text)) if b"\\u" in text else text


def _without_lone_surrogates(text: bytes) -> Iterator[bytes]:
    """Yield a text in pieces that end after a whole escape."""
    place, length = 0, len(text)
    while place < length:
        end = min(place + _PIECE_BYTES, length)
        parts = []
        for escape in _ESCAPE.finditer(text, place, end + _LONGEST_ESCAPE):
            if escape.start() >= end:
                break
            if escape[2]:
                parts += [text[place : escape.start()], _REPLACEMENT]
                place = escape.end()
            end = max(end, escape.end())
        yield b"".join([*parts, text[place:end]])
        place = end


def _content_hint(body: bytes) -> str:
    """Return what the body seems to be instead of JSON; its content may be secret."""
    return ", HTML" if body.lstrip()[:1] == b"<" else ""
