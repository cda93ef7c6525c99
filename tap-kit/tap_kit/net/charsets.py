"""Turn a body into UTF-8 if its server declares another charset."""

from __future__ import annotations

import codecs
import re
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

# Python has other codecs too; some of them unpack, or never end.
_FAMILIES = ("iso8859", "cp", "koi8", "mac", "utf-16", "utf-32", "gb", "big5", "shift_jis", "euc")
_MARKS = (  # that of UTF-32 begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LONGEST_MARK = 4  # bytes
_PARAMETER = re.compile(r';\s*charset\s*=\s*"?([^\s";]+)', re.IGNORECASE)
_HEADER_LENGTH = 200  # characters of a header that are looked at
_OF_JSON = ("utf-16", "utf-32")  # JSON is Unicode; other charsets are often declared wrongly


class Charset(NamedTuple):
    """A charset that a server declares: Python's ``name`` of it.

    ``is_fallback``: the body is UTF-8, and only what is not valid UTF-8 is in this charset.
    """

    name: str
    is_fallback: bool = False


def declared_charset(headers: Mapping[str, str]) -> Charset | None:
    """Return the charset to decode a body with; None for UTF-8 or an unknown one."""
    header = headers.get("Content-Type", "")[:_HEADER_LENGTH]
    declared = _PARAMETER.search(header)
    try:
        name = codecs.lookup(declared[1] if declared else "utf-8").name
    except (LookupError, ValueError):
        return None
    if not name.startswith(_FAMILIES):
        return None
    is_json = header.partition(";")[0].strip().lower().endswith("json")
    return Charset(name, is_fallback=is_json and not name.startswith(_OF_JSON))


def as_utf8(pieces: Iterable[bytes], charset: Charset | None) -> Iterator[bytes]:
    """Yield a body in UTF-8; U+FFFD replaces what is not valid in its charset.

    A body without a charset that begins with the byte-order mark of UTF-16 or UTF-32 is in it.
    """
    if charset is None:
        pieces = iter(pieces)
        first = next(pieces, b"")
        while first and len(first) < _LONGEST_MARK and (more := next(pieces, b"")):
            first += more
        charset = _marked_charset(first)
        pieces = chain([first] if first else [], pieces)
    if charset is None:
        yield from pieces
        return
    decoder = _decoder_of(charset)
    for piece in pieces:
        try:
            text = decoder.decode(piece)
        except UnicodeError:  # UTF-16 or UTF-32 without a byte-order mark
            start = decoder.getstate()[0] + piece
            order = "be" if start.startswith(b"\0") else "le"
            decoder = _decoder_of(Charset(f"{charset.name}-{order}"))
            text = decoder.decode(start)
        if content := text.encode():
            yield content
    if rest := decoder.decode(b"", final=True).encode():
        yield rest


def _marked_charset(body: bytes) -> Charset | None:
    return next((Charset(name) for mark, name in _MARKS if body.startswith(mark)), None)


def _decoder_of(charset: Charset) -> codecs.IncrementalDecoder:
    if not charset.is_fallback:
        return codecs.getincrementaldecoder(charset.name)(errors="replace")
    handler = f"tap_kit.{charset.name}"
    codecs.register_error(handler, partial(_decode_invalid, charset.name))
    return codecs.getincrementaldecoder("utf-8")(errors=handler)


def _decode_invalid(charset: str, error: UnicodeError) -> tuple[str, int]:
    """Return the text of the bytes that are not UTF-8, and where to go on."""
    at = cast("UnicodeDecodeError", error)  # only a decoder has this handler
    return at.object[at.start : at.end].decode(charset, "replace"), at.end
