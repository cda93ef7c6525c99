"""The secrets of this process, and their removal from texts, in any encoding."""

from __future__ import annotations

import base64
import re
import threading
from functools import cache, cached_property
from html.entities import html5
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MASK = "***"
_MIN_LENGTH = 4  # characters; a shorter secret occurs in ordinary words
_WORD_LENGTH = 8  # a shorter secret is removed only if it is a separate word
_ESCAPES = "\\%&"  # each encoding of a single character begins with one of them
_ENCODED_SPACE = "+"
_USER_INFO = re.compile(r"(?<=://)[^\s/@:]*:[^\s/]*(?=@)")  # in a URL, such as that of a proxy
_NAMES: dict[str, list[str]] = {}  # of characters in HTML, with their semicolons
for _name, _character in html5.items():
    if _name.endswith(";"):
        _NAMES.setdefault(_character, []).append(_name)
_LONGEST_ENCODING = 44  # characters, of one character: four octets, percent-encoded several times
_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff"))
_BREAK = rf"(?:[\s{''.join(map(chr, _INVISIBLE))}]|\\{{1,2}}[nr]){{0,10}}"  # in a wrapped value
_SEARCHED = 4_000  # characters of a server's text that a short text is made of


class Secrets:
    """Values that must not appear in any output; safe to use from several threads.

    A server can quote them unchanged, percent-encoded once or twice, as HTML, with JSON or Python
    escapes, in Base64 (also as a part of something longer), in hexadecimal, or wrapped over several
    lines. One regular expression per secret finds any mixture of these.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._patterns: dict[str, _Secret] = {}
        self._longest = 0

    def add(self, *values: str) -> None:
        """Add secrets; ignore values that are so short that ordinary text contains them."""
        for value in values:
            for text in _spellings(value):
                if len(value) >= _MIN_LENGTH and text not in self._patterns:
                    with self._lock:
                        self._longest = max(self._longest, len(text))
                        self._patterns = {**self._patterns, text: _Secret(text)}

    def redact(self, text: str) -> str:
        """Return ``text`` with ``***`` in place of each secret."""
        secrets = self._patterns.values()
        escapes = _escapes_in(text)
        for secret in secrets:
            if secret.may_be_in(text, escapes):
                text = secret.pattern.sub(MASK, text)
                escapes = _escapes_in(text)
        joined = _joined(text)
        for secret in secrets:
            if secret.may_be_wrapped_in(joined):
                text = secret.remove_wrapped_from(text)
        return _USER_INFO.sub(MASK, text)

    def redact_beginning(self, text: str, length: int) -> str:
        """Return the beginning of ``text`` without secrets, at most ``length`` characters.

        Only a part of a long text is searched, since a server can send megabytes. The end of that
        part is dropped: nothing would recognize the half of a secret there.
        """
        margin = _LONGEST_ENCODING * self._longest
        part = text[: length + margin]
        redacted = self.redact(part)
        if len(part) < len(text):
            redacted = redacted[: max(0, len(redacted) - margin)]
        return redacted[:length]


def _spellings(value: str) -> Iterator[str]:
    """Yield a value, and how it looks in Base64 and in hexadecimal."""
    octets = value.encode(errors="replace")
    yield value
    yield from (octets.hex(), octets.hex().upper())
    encoded = [base64.b64encode(octets).decode().rstrip("=")]
    for before in range(3):  # as a part of something longer, only whole characters are the same
        whole = base64.b64encode(bytes(before) + octets).decode()
        part = whole[-(-before * 4 // 3) : (before + len(octets)) * 8 // 6]
        encoded += [part] * (len(part) >= _WORD_LENGTH)
    for text in encoded:
        yield from (text, text.replace("+", "-").replace("/", "_"))


class _Escapes(NamedTuple):
    """How many encoded characters a text can contain."""

    escapes: int
    spaces: int


def _escapes_in(text: str) -> _Escapes:
    return _Escapes(sum(map(text.count, _ESCAPES)), text.count(_ENCODED_SPACE))


def _joined(text: str) -> str:
    """Return a text without white space, invisible characters and the escapes of line breaks."""
    joined = "".join(text.split()).replace("\\n", "").replace("\\r", "")
    return joined if joined.isascii() else joined.translate(_INVISIBLE)


class _Secret:
    """A secret, and the regular expression that finds it in any encoding.

    To make the expression takes 10 ms or more, so it is made for a text that may need it.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._has_space = " " in text
        self._joined = _joined(text)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The regular expression."""
        return _pattern(self._text)

    @cached_property
    def _wrapped(self) -> re.Pattern[str]:
        return re.compile(_BREAK.join(map(re.escape, self._joined)))

    def may_be_wrapped_in(self, joined: str) -> bool:
        """Return whether a text without its line breaks contains the secret."""
        return len(self._joined) >= _WORD_LENGTH and self._joined in joined

    def remove_wrapped_from(self, text: str) -> str:
        """Return ``text`` with ``***`` in place of the secret, even if it has line breaks."""
        return self._wrapped.sub(MASK, text)

    def may_be_in(self, text: str, escapes: _Escapes) -> bool:
        """Return False only if ``text`` does not contain the secret in any encoding.

        Each character that is encoded takes an escape of the text. The characters between them are
        unchanged, so the longest of these runs has at least a certain length. Among the parts into
        which the secret is divided, of half that length, one is then in the run, and in the text.
        """
        number = escapes.escapes + escapes.spaces * self._has_space
        if not number:
            return self._text in text
        longest_run = -((number - len(self._text)) // (number + 1))  # rounded up
        size = (longest_run + 1) // 2
        starts = range(0, len(self._text) - size + 1, max(size, 1))
        return size < 1 or any(self._text[at : at + size] in text for at in starts)


def _pattern(secret: str) -> re.Pattern[str]:
    pattern = "".join(map(_encodings, secret))
    if len(secret) < _WORD_LENGTH:
        pattern = rf"(?<!\w){pattern}(?!\w)"
    return re.compile(pattern)


@cache
def _encodings(character: str) -> str:
    """Return a regular expression for all encodings of one character.

    Its repetitions are bounded, so that a text of backslashes takes linear time.
    """
    octets = character.encode(errors="replace")
    units = character.encode("utf-16-be", errors="replace")
    code_units = [units[place : place + 2].hex() for place in range(0, len(units), 2)]
    encodings = [
        rf"\\{{0,8}}{re.escape(character)}",
        rf"\\{{1,8}}(?:x|u|U)\{{?0{{0,6}}(?i:{ord(character):x})\}}?",
        "".join(rf"\\{{1,8}}{octet:03o}" for octet in octets),
        "".join(f"%(?:25){{0,4}}(?i:{octet:02x})" for octet in octets),
        f"&#(?i:0{{0,6}}{ord(character)}|x0{{0,6}}{ord(character):x});?",
        *(f"&{name}" for name in _NAMES.get(character, ())),
    ]
    if not character.isascii():  # of these, several make one character
        encodings.append("".join(rf"\\{{1,8}}u(?i:{unit})" for unit in code_units))
        encodings.append("".join(rf"\\{{1,8}}x(?i:{octet:02x})" for octet in octets))
    if character == " ":
        encodings.append(r"\+")
    return f"(?:{'|'.join(encodings)})"


def secret_values(config: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
    """Return the values of the settings that ``schema`` marks as secret."""
    for name, definition in schema["properties"].items():
        value = config.get(name)
        if definition.get("secret") and isinstance(value, str):
            yield value


SECRETS = Secrets()
"""The secrets of this process, which no log record contains; a tap adds those that it receives."""


def short_text(text: str, length: int) -> str:
    """Return a text of a server as one line of at most ``length`` characters, without secrets."""
    return " ".join(SECRETS.redact_beginning(text, max(length, _SEARCHED)).split())[:length]
