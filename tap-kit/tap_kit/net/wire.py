"""Read what arrives on the wire: ``Retry-After``, errors of connections, bodies, JSON types."""

from __future__ import annotations

import email.utils
import errno
import time
import zlib
from typing import TYPE_CHECKING

import msgspec
import requests
import urllib3

from tap_kit.errors import Retriable, SyncFailed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tap_kit.errors import KitError
    from tap_kit.net.exchange import Exchange

PIECE_BYTES = 1 << 17  # of a download, unpacked or parsed at a time: its rows fit the CPU cache
_FOREVER_S = 1e9  # a longer wait is the same: the run ends
_GZIP = 31  # zlib's window bits for a gzip header
_PACKED_BYTES = 1 << 14  # to unpack at a time: zlib copies the rest of them for each member


def retry_after_s(header: str | None) -> float | None:
    """Return the seconds to wait by a ``Retry-After`` header; None if it cannot be read.

    The header is a number of seconds or a date. A date in the past is ignored: the server's clock
    is slow.
    """
    if not header:
        return None
    if header.strip().isdecimal():
        return min(float(header), _FOREVER_S)
    try:
        moment = email.utils.parsedate_to_datetime(header)
        wait = moment.timestamp() - time.time()
    except (ValueError, OverflowError, TypeError, IndexError, OSError):  # by the parts of the text
        return None
    return wait if wait > 0 else None


def connection_error(
    error: Exception, exchange: Exchange, target: str, timeout_s: float
) -> KitError:
    """Return the kit's error for a request to ``target`` that failed on the wire.

    All errors can be retried except a certificate that cannot be verified.
    """
    source = exchange.source
    if exchange.problem:
        return Retriable(f"{source}: {exchange.problem}")
    if isinstance(error, requests.exceptions.SSLError):
        msg = f"{source}: no secure connection to {target}"
        if "CERTIFICATE_VERIFY_FAILED" in repr(error):
            return SyncFailed(f"{msg}: its certificate cannot be verified")
        return Retriable(msg)
    return Retriable(f"{source}: {_reason(error, target, timeout_s)}")


def _reason(error: Exception, target: str, timeout_s: float) -> str:
    """Return what went wrong in our own words: the libraries' texts contain whole URLs."""
    text = repr(error)
    is_timeout = isinstance(error, (requests.Timeout, urllib3.exceptions.TimeoutError))
    proxy = "the proxy that the environment sets (HTTPS_PROXY or HTTP_PROXY)"
    files = "too many files are open; lower max_concurrency, or raise the limit with `ulimit -n`"
    reasons = {
        files: f"[Errno {errno.EMFILE}]" in text,
        f"no connection to {proxy}": isinstance(error, requests.exceptions.ProxyError),
        f"the host of {target} cannot be resolved": "NameResolutionError" in text,
        f"no connection to {target} within {timeout_s:.0f} s": isinstance(
            error, requests.ConnectTimeout
        ),
        f"no response within {timeout_s:.0f} s": is_timeout,
        f"no connection to {target}": "NewConnectionError" in text,
        "the response's compression is invalid": isinstance(error, urllib3.exceptions.DecodeError),
    }
    return next((reason for reason, holds in reasons.items() if holds), "the connection was lost")


def gunzip(packed: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the content of a gzip file, which can have several members.

    urllib3 does not report a file that ends early. A CSV file that ends between two rows would
    lose data silently.

    Raises:
        urllib3.exceptions.DecodeError: if the file is not gzip, or ends early.
    """
    unpacker = zlib.decompressobj(_GZIP)
    for piece in _small(packed):
        rest = piece
        while rest:
            if unpacker.eof:
                rest = rest.lstrip(b"\0")  # padding, as tape drives add it
                if not rest:
                    break
                unpacker = zlib.decompressobj(_GZIP)
            try:
                content = unpacker.decompress(rest, PIECE_BYTES)
            except zlib.error as error:
                raise urllib3.exceptions.DecodeError(str(error)) from None
            if content:
                yield content
            rest = unpacker.unused_data or unpacker.unconsumed_tail
    if not unpacker.eof:
        msg = "the file ends early"
        raise urllib3.exceptions.DecodeError(msg)


def _small(pieces: Iterable[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        for start in range(0, len(piece), _PACKED_BYTES):
            yield piece[start : start + _PACKED_BYTES]


def shape_problem(shape: type | tuple[type, ...], value: object) -> str:
    """Return that a JSON ``value`` has none of the expected types; no value is quoted."""
    kinds = shape if isinstance(shape, tuple) else (shape,)
    expected = " or ".join(_NAMES.get(kind, "object") for kind in kinds)
    return f"expected a JSON {expected}, got {_NAMES[type(value)]}"


def conversion_problem(value: object, wanted: object) -> str | None:
    """Return in what a JSON value differs from a type; None if it does not. No value is quoted."""
    try:
        msgspec.convert(value, wanted)
    except msgspec.ValidationError as error:
        text = str(error)
        return text[:1].lower() + text[1:]
    return None


_NAMES = {
    list: "array",
    dict: "object",
    str: "string",
    int: "number",
    float: "number",
    bool: "boolean",
    type(None): "null",
}
