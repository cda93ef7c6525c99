"""What servers and connections say, in numbers and words of ours."""

from __future__ import annotations

import email.utils
import time
import zlib
from typing import TYPE_CHECKING

import requests
import urllib3

from tap_kit.errors import Retriable, SyncFailed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tap_kit.errors import KitError

READ = 1 << 20  # bytes of a download at most that are taken at a time: threads change less often
PIECE = 1 << 17  # bytes of it that are unpacked or parsed at a time: the rows fit the cache
_GZIP = 31  # zlib's window bits for a gzip header


def retry_after_s(header: str | None) -> float | None:
    """Seconds to wait by a ``Retry-After``, given in seconds or as a date; None if unreadable.

    A date gone by (the server's clock is behind) says nothing either.
    """
    if not header:
        return None
    if header.strip().isdecimal():
        return float(header)
    try:
        moment = email.utils.parsedate_to_datetime(header)
    except ValueError:
        return None
    wait = moment.timestamp() - time.time()
    return wait if wait > 0 else None


def failure(error: Exception, source: str, where: str, timeout_s: float) -> KitError:
    """What a request ends with that failed on the wire; ``where`` is whom it asked.

    A certificate that does not verify is the only thing that no other try cures.
    """
    if isinstance(error, requests.exceptions.SSLError):
        msg = f"{source}: no secure connection to {where}"
        if "CERTIFICATE_VERIFY_FAILED" in repr(error):
            return SyncFailed(f"{msg}: its certificate does not verify")
        return Retriable(msg)
    return Retriable(f"{source}: {_reason(error, where, timeout_s)}")


def _reason(error: Exception, url: str, timeout_s: float) -> str:
    """What went wrong, in words; the libraries' own texts hold whole URLs."""
    text = repr(error)
    if "NameResolutionError" in text:
        return f"the host of {url} is not known"
    if isinstance(error, requests.ConnectTimeout):
        return f"no connection to {url} within {timeout_s:.0f} s"
    if isinstance(error, (requests.Timeout, urllib3.exceptions.TimeoutError)):
        return f"no answer within {timeout_s:.0f} s"
    if "NewConnectionError" in text:
        return f"no connection to {url}"
    if isinstance(error, urllib3.exceptions.DecodeError):
        return "the answer's compression is broken"
    return "the connection broke off"


def pieces(response: requests.Response) -> Iterator[bytes]:
    """What arrives, when it arrives, unpacked, in pieces of at most 1 MiB.

    Raises:
        urllib3.exceptions.HTTPError: when it breaks off, or its compression is broken.
    """
    is_gzip = response.headers.get("Content-Encoding", "").strip().lower() in {"gzip", "x-gzip"}
    arriving = iter(lambda: response.raw.read1(READ, decode_content=not is_gzip), b"")
    return gunzipped(arriving) if is_gzip else arriving


def gunzipped(packed: Iterable[bytes]) -> Iterator[bytes]:
    """The content of a gzip file, which can have several members.

    urllib3 says nothing when such a file ends early. What is cut off between two rows of CSV
    would then be missed by nobody.

    Raises:
        urllib3.exceptions.DecodeError: when it is none, or ends in the middle.
    """
    unpacker = zlib.decompressobj(_GZIP)
    for piece in packed:
        rest = piece
        while rest:
            if unpacker.eof:
                rest = rest.lstrip(b"\0")  # what a tape's last block was filled up with
                if not rest:
                    break
                unpacker = zlib.decompressobj(_GZIP)
            try:
                content = unpacker.decompress(rest, PIECE)
            except zlib.error as error:
                raise urllib3.exceptions.DecodeError(str(error)) from None
            if content:
                yield content
            rest = unpacker.unused_data or unpacker.unconsumed_tail
    if not unpacker.eof:
        msg = "the file ends in the middle"
        raise urllib3.exceptions.DecodeError(msg)


def expected(shape: type | tuple[type, ...], value: object) -> str:
    """That a JSON ``value`` is of none of the wanted shapes; kinds only, no values."""
    kinds = shape if isinstance(shape, tuple) else (shape,)
    wanted = " or ".join(_NAMES.get(kind, "object") for kind in kinds)
    return f"expected a JSON {wanted}, got {_NAMES[type(value)]}"


_NAMES = {
    list: "array",
    dict: "object",
    str: "text",
    int: "number",
    float: "number",
    bool: "boolean",
    type(None): "null",
}
