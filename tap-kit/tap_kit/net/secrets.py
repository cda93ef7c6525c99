"""The secrets of this process, and their removal from text, however they are spelled there."""

from __future__ import annotations

import base64
import html
import re
import threading
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MASK = "***"
_SHORTEST = 4  # a shorter secret occurs in ordinary words
_UNMISTAKABLE = 8  # a shorter secret is removed only as a word of its own
_USER_INFO = re.compile(r"(?<=://)[^\s/@]*:[^\s/@]*(?=@)")  # of a URL, such as a proxy's


class Secrets:
    """Values that must not appear in any output; safe to use from several threads.

    A server can quote them as they are, percent-encoded once or twice, as HTML, with JSON or
    Python escapes, or in Base64. One regular expression per secret finds all mixtures of these.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._patterns: dict[str, re.Pattern[str]] = {}

    def add(self, *values: str) -> None:
        """Add secrets; values that are too short to be told from ordinary text are ignored."""
        for value in values:
            encoded = base64.b64encode(value.encode(errors="replace")).decode().rstrip("=")
            for text in (value, encoded, encoded.replace("+", "-").replace("/", "_")):
                if len(value) >= _SHORTEST and text not in self._patterns:
                    with self._lock:
                        self._patterns = {**self._patterns, text: _pattern(text)}

    def redact(self, text: str) -> str:
        """Return ``text`` with ``***`` in the place of each secret."""
        for pattern in self._patterns.values():
            text = pattern.sub(MASK, text)
        return _USER_INFO.sub(MASK, text)


def _pattern(secret: str) -> re.Pattern[str]:
    spelled = "".join(map(_spellings, secret))
    if len(secret) < _UNMISTAKABLE:
        spelled = rf"(?<!\w){spelled}(?!\w)"
    return re.compile(spelled)


@cache
def _spellings(character: str) -> str:
    """Return a regular expression for all spellings of one character."""
    octets = character.encode(errors="replace")
    units = character.encode("utf-16-be", errors="replace")
    code_units = [units[place : place + 2].hex() for place in range(0, len(units), 2)]
    spellings = [
        rf"\\*{re.escape(character)}",
        rf"\\+(?:x0*|u0*|U0*)(?i:{ord(character):x})",
        "".join(f"%(?:25)*(?i:{octet:02x})" for octet in octets),
        "".join(rf"\\+u(?i:{unit})" for unit in code_units),
        "".join(rf"\\+x(?i:{octet:02x})" for octet in octets),
        f"&#(?i:0*{ord(character)}|x0*{ord(character):x});",
    ]
    if (entity := html.escape(character)) != character:
        spellings.append(re.escape(entity))
    if character == " ":
        spellings.append(r"\+")
    return f"(?:{'|'.join(spellings)})"


def secret_values(config: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
    """Return the values of the settings that ``schema`` marks as secret."""
    for name, definition in schema["properties"].items():
        value = config.get(name)
        if definition.get("secret") and isinstance(value, str):
            yield value


SECRETS = Secrets()  # of the process, as its log is the process's too
