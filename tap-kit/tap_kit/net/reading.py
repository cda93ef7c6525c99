"""Read the body of a response: this module alone does, so that every body is bounded."""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import urllib3
from typing_extensions import Self

from tap_kit.errors import Retriable, SyncFailed
from tap_kit.net.charsets import as_utf8, declared_charset
from tap_kit.net.exchange import count_memory, has_turn
from tap_kit.net.secrets import short_text
from tap_kit.net.wire import gunzip

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

    from tap_kit.net.exchange import Exchange

READ_BYTES = 1 << 20  # at a time at most; larger means fewer thread switches
MAX_RATIO = 200  # of the size of a body to its compressed size; JSON and CSV reach about 50
_FREE_BYTES = 1 << 24  # of a body that may have any ratio
_LARGE_BYTES = 1 << 23  # larger bodies are read one at a time, in the order of the plan
_MAX_WAIT_S = 300.0  # for that; longer only if what is in front waits for this one
_MEMORY_FACTOR = 4  # the memory that a body's values may take, in multiples of its limit
_VALUE_BYTES, _OBJECT_BYTES = 64, 256  # the memory of a value and of an object, at most
_COUNTED_BYTES = 1 << 20  # of a body from which on its values are counted
_WORST_FACTOR = 64  # of the memory of a row without values to the two bytes that it has
_NAME_BYTES = 128  # the memory of a name that no other object has
_NAMED_BYTES = 1 << 25  # of the memory of values, from which on their names are counted too
_SAMPLES, _SAMPLE_BYTES = 16, 1 << 16  # of a large body, in which the different names are counted
_SMALL_SAMPLE_BYTES = 1 << 12  # of another one: to decode it takes a few milliseconds
_NAME = re.compile(rb'"([^"\\]{0,200}(?:\\.[^"\\]{0,200}){0,8})"\s{0,8}:', re.DOTALL)
_LARGE_FACTOR = 8  # a body whose values take this many times `_LARGE_BYTES` is a large one too
_CODE = re.compile(r"<Code>(\w{1,64})</Code>")
_WIDE = 4  # bytes that a character of a text takes if the text has an emoji
_DRAIN_BYTES = 1 << 16  # of the body of an error response
_DRAIN_S = 2.0
_TICK_S = 0.1
_DETAIL_LENGTH = 200  # characters

_large = threading.Semaphore()


def read_pieces(
    response: requests.Response, exchange: Exchange, *, as_it_arrives: bool = True
) -> Iterator[bytes]:
    """Yield the body, decompressed and in UTF-8, in pieces of about 1 MiB at most.

    A piece is what has arrived, or otherwise as large as possible, which costs less time.

    Raises:
        urllib3.exceptions.HTTPError: if the connection is lost or the compression is invalid.
        SyncFailed: if the body is compressed more than once, or unpacks to far more than it was.
    """
    coding = response.headers.get("Content-Encoding", "").strip().lower()
    if "," in coding:
        msg = f"{exchange.source}: the response is compressed more than once; refused"
        raise SyncFailed(msg)
    is_gzip = coding in {"gzip", "x-gzip"}
    read = response.raw.read1 if as_it_arrives else response.raw.read
    arriving = iter(lambda: read(READ_BYTES, decode_content=not is_gzip), b"")
    pieces = _checked(gunzip(arriving) if is_gzip else arriving, exchange)
    return as_utf8(pieces, declared_charset(response.headers))


def _checked(pieces: Iterator[bytes], exchange: Exchange) -> Iterator[bytes]:
    size = 0
    for piece in pieces:
        exchange.content_arrived()
        size += len(piece)
        if size > _FREE_BYTES and 0 < exchange.received * MAX_RATIO < size:
            msg = f"{exchange.source}: the response is compressed over {MAX_RATIO} times; refused"
            raise SyncFailed(msg)
        yield piece


@dataclass
class BodyReader:
    """Reads whole bodies of at most ``max_mb`` MiB; large ones one at a time in this process.

    A large one is read when the results in front of it are written: several texts of tens of MiB,
    of which Python takes four bytes for each character, would fill the memory.

    Use it as a context manager around the reading and decoding of one body. ``wait`` is called
    while another large body is read; it raises when the run is stopped.
    """

    max_mb: int
    wait: Callable[[], None]
    _is_large: bool = False

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let the next large body be read."""
        if self._is_large:
            self._is_large = False
            _large.release()

    def read(self, response: requests.Response, exchange: Exchange) -> bytes:
        """Return the whole body, in UTF-8.

        Raises:
            urllib3.exceptions.HTTPError: if the connection is lost or the compression is invalid.
            SyncFailed: if it is larger than the limit, or its values would take too much memory.
        """
        limit, size, pieces = self.max_mb << 20, 0, []
        for piece in read_pieces(response, exchange, as_it_arrives=False):
            pieces.append(piece)
            size += len(piece)
            self._wait_if_large(size)
            if size > limit:
                raise self._refusal(exchange, "is larger than")
        body = b"".join(pieces)
        memory = memory_of(body)
        if size > _COUNTED_BYTES and memory > _MEMORY_FACTOR * limit:
            raise self._refusal(exchange, "has too many values for")
        if size > _COUNTED_BYTES:
            self._wait_if_large(memory // _LARGE_FACTOR)
        may_be_wide = self._is_large and (not body.isascii() or b"\\u" in body)
        count_memory(memory + (_WIDE - 1) * len(body) * may_be_wide)
        return body

    def _refusal(self, exchange: Exchange, problem: str) -> SyncFailed:
        return SyncFailed(
            f"{exchange.source}: the response {problem} max_response_mb ({self.max_mb})"
        )

    def _wait_if_large(self, size: int) -> None:
        if size > _LARGE_BYTES and not self._is_large:
            until = time.monotonic() + _MAX_WAIT_S
            while not has_turn() and time.monotonic() < until:
                time.sleep(_TICK_S)
                self.wait()
            while not _large.acquire(timeout=_TICK_S):
                self.wait()
            self._is_large = True


BytesCheck = Callable[[Mapping[str, str], bytes], "str | None"]
"""Returns what is wrong with the headers and the body of a response; None if nothing is."""


@dataclass(frozen=True)
class BytesReader:
    """Reads bodies of at most ``limit`` bytes as they are: parts of files, in any charset."""

    limit: int
    check: BytesCheck | None = None

    def read(self, response: requests.Response, exchange: Exchange) -> bytes:
        """Return the whole body.

        Raises:
            urllib3.exceptions.HTTPError: if the connection is lost.
            Retriable: if something is wrong with it.
            SyncFailed: if it is longer than the limit.
        """
        size, pieces = 0, []
        # Until nothing is left: only then does urllib3 compare the length with that of the headers.
        while piece := response.raw.read(READ_BYTES, decode_content=False):
            exchange.content_arrived()
            pieces.append(piece)
            size += len(piece)
            if size > self.limit:
                msg = f"{exchange.source}: the response is longer than {self.limit:,} bytes"
                raise SyncFailed(msg)
        body = b"".join(pieces)
        if self.check and (problem := self.check(response.headers, body)):
            msg = f"{exchange.source}: {problem}"
            raise Retriable(msg)
        count_memory(size)
        return body


def memory_of(body: bytes) -> int:
    """Return an estimate of the memory that a body and its values take, in bytes, from above.

    Small bodies are not searched: that would take as long as decoding them does.
    """
    if len(body) <= _COUNTED_BYTES:
        return _WORST_FACTOR * len(body)
    objects = body.count(b"{") + body.count(b"[")
    memory = len(body) + _VALUE_BYTES * body.count(b",") + _OBJECT_BYTES * objects
    is_little = memory <= _NAMED_BYTES
    return memory if is_little else memory + _NAME_BYTES * _different_names(body)


def _different_names(body: bytes) -> int:
    """Return an estimate of the number of different names in a body, from samples."""
    size = _SAMPLE_BYTES if len(body) > _LARGE_BYTES else _SMALL_SAMPLE_BYTES
    places = random.choices(range(max(1, len(body) - size)), k=_SAMPLES)  # noqa: S311 (sampling)
    found = {name for at in places for name in _NAME.findall(body, at, at + size)}
    return len(found) * len(body) // (_SAMPLES * size)


def error_detail(response: requests.Response, exchange: Exchange) -> str:
    """Read the body of an error response, or the next request starts while it still arrives.

    Return its text as one line of at most 200 characters; of an error in XML, its code. Nothing
    for a page in HTML, or if it does not arrive within two seconds.
    """
    exchange.shorten(_DRAIN_S)
    try:
        body = response.raw.read(_DRAIN_BYTES, decode_content=True)
    except (urllib3.exceptions.HTTPError, OSError):
        return ""
    text = short_text(body.decode("utf-8", "replace"), _DETAIL_LENGTH)
    if not text.startswith("<"):
        return text
    code = _CODE.search(text)
    return code[1] if code else ""
