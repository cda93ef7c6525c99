"""Read the pages of a list of objects in S3."""

from __future__ import annotations

import html
import re
from typing import NamedTuple
from urllib.parse import unquote_plus

from tap_kit import SyncFailed

from tap_kissmetrics.raw_exports.store import Stored

# The elements are flat and have no attributes; the texts have no markup.
_ELEMENT = re.compile(r"<(Key|Size|ETag)>([^<]{0,8000})</\1>")
_TRUNCATED = re.compile(r"<IsTruncated>\s*(true|false)\s*</IsTruncated>")
_TOKEN = re.compile(r"<NextContinuationToken>([^<]{0,8000})</NextContinuationToken>")
_REFERENCE = re.compile(r"&(?:#[0-9]{1,7}|#x[0-9a-fA-F]{1,6}|[a-z]{2,4});")
_ETAG = re.compile(r"[!#-~]{0,100}")  # it becomes part of a header
_END = "</ListBucketResult>"


class Page(NamedTuple):
    """Objects by key, and the token of the next page; None for the last one."""

    files: list[tuple[str, Stored]]
    next_token: str | None


def parse_listing(body: bytes, source: str) -> Page:
    """Return a page of a list with ``encoding-type=url``.

    Raises:
        SyncFailed: if it is none, or does not say whether it is the last one.
    """
    text = body.decode("utf-8", "replace")
    truncated, token = _TRUNCATED.search(text), _TOKEN.search(text)
    is_cut = not text.rstrip().endswith(_END)
    if truncated is None or is_cut or (truncated[1] == "true") > bool(token and token[1]):
        msg = f"{source}: the response is not a list of objects in S3"
        raise SyncFailed(msg)
    objects = (one.partition("</Contents>") for one in text.split("<Contents>")[1:])
    files = [_file(contents, source) for contents, end, _ in objects if end]
    is_last = truncated[1] == "false" or token is None
    return Page(files, None if is_last else _unescaped(token[1]))  # type: ignore[index]


def _file(contents: str, source: str) -> tuple[str, Stored]:
    found = dict(_ELEMENT.findall(contents))
    size = found.get("Size", "").strip()
    etag = _unescaped(found.get("ETag", "")).strip().removeprefix("W/").strip('"')
    if "Key" not in found or not re.fullmatch("[0-9]{1,15}", size) or not _ETAG.fullmatch(etag):
        msg = f"{source}: an object in the list of S3 has no valid key, size or ETag"
        raise SyncFailed(msg)
    return unquote_plus(_unescaped(found["Key"])), Stored(int(size), etag)


def _unescaped(text: str) -> str:
    """Return a text without its references; ``html.unescape`` fails at one with many digits."""
    return _REFERENCE.sub(lambda found: html.unescape(found[0]), text)
