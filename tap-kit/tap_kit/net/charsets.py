"""Turn a body into UTF-8 if its server declares another charset."""

from __future__ import annotations

import codecs
from email.message import Message
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

# Python has other codecs too; some of them unpack, or never end.
_FAMILIES = ("iso8859", "cp", "koi8", "mac", "utf-16", "utf-32", "gb", "big5", "shift_jis", "euc")
_OF_JSON = ("utf-16", "utf-32")  # JSON is Unicode, whatever else a server declares


def declared_charset(headers: Mapping[str, str]) -> str | None:
    """Return Python's name of the charset to decode a body with; None for UTF-8 or unknown."""
    message = Message()
    message["Content-Type"] = headers.get("Content-Type", "")
    try:
        name = codecs.lookup(message.get_content_charset("utf-8")).name
    except (LookupError, ValueError, UnicodeError):
        return None
    families = _OF_JSON if message.get_content_subtype().endswith("json") else _FAMILIES
    return name if name.startswith(families) else None


def as_utf8(pieces: Iterable[bytes], charset: str | None) -> Iterator[bytes]:
    """Yield a body in UTF-8; U+FFFD replaces what is not valid in its charset."""
    if charset is None:
        yield from pieces
        return
    decoder = codecs.getincrementaldecoder(charset)(errors="replace")
    for piece in pieces:
        try:
            text = decoder.decode(piece)
        except UnicodeError:  # UTF-16 or UTF-32 without a byte-order mark
            start = decoder.getstate()[0] + piece
            order = "be" if start.startswith(b"\0") else "le"
            decoder = codecs.getincrementaldecoder(f"{charset}-{order}")(errors="replace")
            text = decoder.decode(start)
        if content := text.encode():
            yield content
    if rest := decoder.decode(b"", final=True).encode():
        yield rest
