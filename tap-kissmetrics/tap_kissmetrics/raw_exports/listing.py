"""Read the pages of a list of objects in S3."""

from __future__ import annotations

import html
import re
from typing import NamedTuple
from urllib.parse import unquote_plus

from tap_kit import SyncFailed

from tap_kissmetrics.raw_exports.store import Stored

# The elements are flat and have no attributes; the texts have no markup.
_CONTENTS = re.compile(r"<Contents>(.*?)</Contents>", re.DOTALL)
_ELEMENT = re.compile(r"<(Key|Size|ETag)>([^<]*)</\1>")
_TRUNCATED = re.compile(r"<IsTruncated>\s*(true|false)\s*</IsTruncated>")
_TOKEN = re.compile(r"<NextContinuationToken>([^<]*)</NextContinuationToken>")
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
    files = [_file(found[1], source) for found in _CONTENTS.finditer(text)]
    is_last = truncated[1] == "false" or token is None
    return Page(files, None if is_last else html.unescape(token[1]))  # type: ignore[index]


def _file(contents: str, source: str) -> tuple[str, Stored]:
    found = dict(_ELEMENT.findall(contents))
    size = found.get("Size", "").strip()
    if "Key" not in found or not re.fullmatch("[0-9]{1,15}", size):
        msg = f"{source}: an object in the list of S3 has no key or no size"
        raise SyncFailed(msg)
    etag = html.unescape(found.get("ETag", "")).strip().strip('"')
    return unquote_plus(html.unescape(found["Key"])), Stored(int(size), etag)
