r"""Mend lines that are not JSON: escapes that JSON does not know, bytes that are not UTF-8.

The vendor writes some characters as octal escapes of their bytes (``\302\243`` for a pound sign),
and leaves other backslashes as they are. Each run of octal escapes is decoded as UTF-8, or as
Windows-1252 if it is not UTF-8. Any other backslash that JSON does not know stands for itself.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import msgspec

# Always matches to the end of a string or of the line, so that the work is linear.
_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
# It begins with a character, so that compiled code skips to the next one.
_ESCAPE = re.compile(
    r"\\(?:"
    r"(?P<octal>[0-3][0-7]{2}(?:\\[0-3][0-7]{2})*)"
    r"|(?P<pair>u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    r"|(?P<surrogate>u[dD][89a-fA-F][0-9a-fA-F]{2})"
    r'|(?P<valid>["\\/bfnrt]|u[0-9a-fA-F]{4})'
    r"|(?P<escape>))"
)
_CONTROL = re.compile(r"[\x00-\x1f]")
_NOT_UTF_8 = re.compile("[\udc80-\udcff]+")


class Mended(NamedTuple):
    """A mended line, and what was mended in it, such as ``escape, octal_utf_8``."""

    line: bytes
    kinds: str


def mend(line: bytes) -> Mended:
    """Return a line with everything mended that this module knows; it need not be JSON."""
    kinds: set[str] = set()

    def text_of_bytes(found: re.Match[str]) -> str:
        kinds.add("windows_1252")
        return windows_1252(found[0].encode("utf-8", "surrogateescape"))

    def mend_escape(found: re.Match[str]) -> str:
        kind = found.lastgroup
        if kind in {"pair", "valid"}:
            return found[0]
        if kind == "octal":
            text, charset = octal_text(found[0])
            kinds.add(f"octal_{charset}")
            return _escaped(text)
        kinds.add(str(kind))
        return "\ufffd" if kind == "surrogate" else rf"\{found[0]}"

    def mend_control(found: re.Match[str]) -> str:
        kinds.add("control")
        return _escaped(found[0])

    def mend_string(found: re.Match[str]) -> str:
        return _CONTROL.sub(mend_control, _ESCAPE.sub(mend_escape, found[0]))

    text = _NOT_UTF_8.sub(text_of_bytes, line.decode("utf-8", "surrogateescape"))
    # Outside of strings, some control characters are valid.
    has_control = _CONTROL.search(text) is not None
    text = _STRING.sub(mend_string, text) if has_control else _ESCAPE.sub(mend_escape, text)
    return Mended(text.encode(), ", ".join(sorted(kinds)))


def octal_text(run: str) -> tuple[str, str]:
    """Return the text of a run of octal escapes, and the charset that it is in."""
    octets = bytes(int(part, 8) for part in run.split("\\")[1:])
    try:
        return octets.decode(), "utf_8"
    except UnicodeDecodeError:
        return windows_1252(octets), "windows_1252"


def windows_1252(octets: bytes) -> str:
    """Return a text in Windows-1252; its five bytes without a character are control characters."""
    return "".join(_CHARACTERS[octet] for octet in octets)


def _character(octet: int) -> str:
    try:
        return bytes([octet]).decode("cp1252")
    except UnicodeDecodeError:
        return chr(octet)


_CHARACTERS = [_character(octet) for octet in range(256)]


def _escaped(text: str) -> str:
    return msgspec.json.encode(text)[1:-1].decode()
