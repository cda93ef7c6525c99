"""Attacks on memory: responses that are large, or become large when they are unpacked."""

from __future__ import annotations

import contextlib
import functools
import gzip
import zlib
from typing import TYPE_CHECKING

from tests.attacks.accounts import DOWNLOAD, POLL, RESULTS, START, STORED
from tests.attacks.attack import Attack
from tests.attacks.server import Heard, Reply, endless, head, reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MIB = 1 << 20
PAGES, DOMAINS = "GET /api/domains/1/pages", "GET /api/domains"
GZIP, DEFLATE = ("Content-Encoding", "gzip"), ("Content-Encoding", "deflate")
TOO_LARGE = "max_response_mb"


@functools.cache
def gzip_of_spaces(mib: int) -> bytes:
    """Return a gzip file of spaces, about a thousandth of their size."""
    packer = zlib.compressobj(9, wbits=31)
    piece = b" " * MIB
    return b"".join([*(packer.compress(piece) for _ in range(mib)), packer.flush()])


@functools.cache
def deflated_spaces(mib: int) -> bytes:
    """Return zlib data of spaces."""
    packer = zlib.compressobj(9)
    piece = b" " * MIB
    return b"".join([*(packer.compress(piece) for _ in range(mib)), packer.flush()])


def filled(before: bytes, piece: bytes, after: bytes, size: int) -> bytes:
    """Return ``before``, a piece as often as it fits into ``size``, and ``after``."""
    return before + piece * (size // len(piece)) + after


class Late:
    """A response with a large body, which exists only while an attack runs."""

    def __init__(
        self, make: Callable[[], bytes], headers: tuple[tuple[str, object], ...], status: int
    ) -> None:
        self._make = make
        self._headers = headers
        self._status = status
        self._body = b""

    @contextlib.contextmanager
    def made(self) -> Iterator[None]:
        """Have the body inside."""
        self._body = self._make()
        try:
            yield
        finally:
            self._body = b""

    def __call__(self, request: Heard) -> list[bytes]:
        """Return the response; an empty page after the first one of a result."""
        if "/queries/" in request.path and "offset=0" not in request.path:
            return list(reply({"completed": True, "data": []})(request))
        start = head(self._status, *self._headers, ("Content-Length", len(self._body)))
        return [start, self._body]


def late(make: Callable[[], bytes], *headers: tuple[str, object], status: int = 200) -> Late:
    """Return a response whose body is made for each run, since it is large."""
    return Late(make, headers, status)


def large(before: bytes, piece: bytes, after: bytes, mib: int = 60) -> Reply:
    """Return a response with a repeated piece, a little below the limit."""
    return late(lambda: filled(before, piece, after, mib * MIB))


def nested_gzip() -> bytes:
    """Return spaces that were compressed three times."""
    return gzip.compress(gzip.compress(gzip_of_spaces(1024)))


def _size(tried: str, account: str, route: str, answer: Reply, **more: object) -> Attack:
    return Attack("size", tried, account, {route: answer}, **more)  # type: ignore[arg-type]


PAGE = b'{"address":"/%b","visitors":1,"percentage":1}'
EMOJI = "😀".encode()
TEXT = b'[{"address":"'
END_TEXT = b'","visitors":1,"percentage":1}]'
WORKERS = {"start_date": "2026-01-05", "end_date": "2026-01-12"}

SIZES = [
    _size(
        "1 GiB of spaces in gzip",
        *("kindmetrics", PAGES, late(lambda: gzip_of_spaces(1024), GZIP)),
    ),
    _size(
        "1 GiB of spaces in x-gzip, in the first response",
        *(
            "kindmetrics",
            DOMAINS,
            late(lambda: gzip_of_spaces(1024), ("Content-Encoding", "X-GZip")),
        ),
    ),
    _size(
        "1 GiB of spaces in deflate",
        *("kissmetrics", RESULTS, late(lambda: deflated_spaces(1024), DEFLATE)),
    ),
    _size(
        "gzip in gzip in gzip",
        *("khoros", POLL, late(nested_gzip, ("Content-Encoding", "gzip, gzip, gzip"))),
    ),
    _size(
        "50 codings in one header",
        "kindmetrics",
        PAGES,
        reply(b"[]", 200, ("Content-Encoding", ", ".join(["gzip"] * 50))),
    ),
    _size(
        "a coding that the tap did not offer",
        "kindmetrics",
        PAGES,
        reply(b"\x8b\x03\x80[]\x03", 200, ("Content-Encoding", "br")),
    ),
    _size(
        "gzip members without end, each of 1 MiB",
        "kindmetrics",
        PAGES,
        endless(head(200, GZIP), gzip.compress(b" " * MIB)),
    ),
    _size(
        "gzip members without content, without end",
        "kindmetrics",
        PAGES,
        endless(head(200, GZIP), gzip.compress(b"") * 1000),
    ),
    _size(
        "chunks without end",
        *("kissmetrics v3", "GET /v3/products"),
        endless(head(200, ("Transfer-Encoding", "chunked")), b"10000\r\n" + b" " * 65536 + b"\r\n"),
    ),
    _size(
        "a body without end and without a length",
        *("kissmetrics", "GET /core/products", endless(head(200), b"[" * 65536)),
        streams=("products",),
    ),
    _size(
        "2^62 bytes announced",
        "khoros",
        START,
        endless(head(200, ("Content-Length", 1 << 62)), b" " * 65536),
    ),
    _size(
        "1 GiB of gzip in an error",
        "kindmetrics",
        PAGES,
        late(lambda: gzip_of_spaces(1024), GZIP, status=400),
    ),
    _size("an error without end", "kissmetrics", RESULTS, endless(head(500), b"x" * 65536)),
    _size("60 MiB of empty objects", "kindmetrics", PAGES, large(b"[{}", b",{}", b"]")),
    _size("60 MiB of empty lists", "kissmetrics", RESULTS, large(b'{"data":[[]', b",[]", b"]}")),
    _size(
        "60 MiB of numbers",
        "kissmetrics v3",
        "GET /v3/queries/*",
        large(b'{"completed":true,"data":[0', b",1", b"]}"),
    ),
    _size(
        "60 MiB of numbers in a field that is not read",
        "kissmetrics",
        "GET /core/products",
        large(b'{"data":[{"id":"p1","x":[0', b",1", b"]}]}"),
        streams=("products",),
    ),
    _size("60 MiB of nested lists", "kindmetrics", PAGES, large(b"", b"[", b"")),
    _size(
        "60 MiB of nested lists, closed again",
        "kissmetrics",
        RESULTS,
        late(lambda: b"[" * (30 * MIB) + b"]" * (30 * MIB)),
    ),
    _size(
        "60 MiB of valid rows",
        "kindmetrics",
        PAGES,
        large(b"[" + PAGE % b"", b"," + PAGE % b"a", b"]"),
    ),
    _size(
        "one text of 60 MiB",
        "kindmetrics",
        PAGES,
        large(TEXT, b"a", END_TEXT),
        rows=1,
    ),
    _size(
        "one text of 60 MiB of emoji", "kindmetrics", PAGES, large(TEXT, EMOJI, END_TEXT), rows=1
    ),
    _size(
        "one text of 60 MiB with one emoji",
        "kissmetrics",
        RESULTS,
        large(b'{"data":[[1,"' + EMOJI, b"a", b'"]]}'),
        rows=1,
    ),
    _size(
        "one text of 60 MiB with an emoji and a lone surrogate",
        "kindmetrics",
        PAGES,
        large(TEXT + EMOJI + rb"\ud800", b"a", END_TEXT),
        rows=1,
    ),
    _size(
        "one text of 60 MiB of lone surrogates",
        "kindmetrics",
        PAGES,
        large(TEXT, rb"\ud800", END_TEXT),
        rows=1,
    ),
    _size(
        "one text of 60 MiB of invalid UTF-8",
        "kissmetrics v3",
        "GET /v3/queries/*",
        (large(b'{"completed":true,"data":[{"a":"', b"\xff", b'"}]}')),
    ),
    _size(
        "60 MiB of escapes",
        "kissmetrics",
        RESULTS,
        large(b'{"data":[[1,"', rb"\u0001", b'"]]}'),
        rows=1,
    ),
    _size(
        "one text of 60 MiB for each of four workers",
        "kindmetrics",
        PAGES,
        large(TEXT, b"a", END_TEXT),
        rows=8,
        settings=WORKERS,
        seconds=120,
    ),
    _size(
        "one text of 60 MiB of emoji for each of four workers",
        "kindmetrics",
        PAGES,
        large(TEXT, EMOJI, END_TEXT),
        rows=8,
        settings=WORKERS,
        seconds=120,
    ),
    _size(
        "7 MiB of rows for each of four workers",
        "kindmetrics",
        PAGES,
        large(b"[" + PAGE % b"", b"," + PAGE % b"a", b"]", 7),
        rows=8 * 163_112,
        settings=WORKERS,
        seconds=120,
    ),
    _size(
        "a text in UTF-16 of 60 MiB",
        "kindmetrics",
        PAGES,
        late(
            lambda: (TEXT + b"a" * (30 * MIB) + END_TEXT).decode().encode("utf-16"),
            ("Content-Type", "application/json; charset=utf-16"),
        ),
        rows=1,
    ),
    _size(
        "a text in UTF-7, which is no charset of JSON",
        "kindmetrics",
        PAGES,
        reply(b"[]", 200, ("Content-Type", "application/json; charset=utf-7")),
        rows=0,
    ),
    _size(
        "1 MiB of gzip that unpacks to 1 GiB, in a download",
        "khoros",
        STORED,
        late(lambda: gzip_of_spaces(1024), GZIP),
    ),
    _size(
        "a download of one field of 60 MiB",
        "khoros",
        STORED,
        large(b'[{"STATUS":"', b"a", b'"}]'),
        rows=1,
    ),
    _size(
        "a download of one field of 60 MiB of emoji",
        "khoros",
        STORED,
        large(b'[{"STATUS":"', EMOJI, b'"}]'),
        rows=1,
    ),
    _size(
        "a download of one field of 60 MiB with a lone surrogate",
        "khoros",
        STORED,
        large(b'[{"STATUS":"' + EMOJI + rb"\ud800", b"a", b'"}]'),
        rows=1,
    ),
    _size(
        "a download of one field of 60 MiB in CSV",
        "khoros",
        STORED,
        large(b'STATUS,TEXT\n"', EMOJI, b'",b\n'),
        rows=1,
        settings={"report_format": "csv"},
    ),
    _size(
        "a download of one row without end",
        "khoros",
        STORED,
        endless(head() + b'[{"STATUS":"', b"a" * 65536),
        seconds=200,
    ),
    _size(
        "a download of one CSV row without end",
        "khoros",
        STORED,
        endless(head() + b'STATUS\n"', b"a" * 65536),
        settings={"report_format": "csv"},
        seconds=200,
    ),
    _size(
        "a download of spaces without end",
        "khoros",
        STORED,
        endless(head(), b" " * 65536),
        seconds=60,
    ),
    _size("a download of nested lists", "khoros", STORED, large(b"[", b"[", b"")),
    _size(
        "a download of one row with 60 MiB of empty objects",
        "khoros",
        STORED,
        large(b'[{"STATUS":"a","X":[{}', b",{}", b"]}]"),
        rows=1,
    ),
    _size(
        "a redirect of 1 GiB",
        "khoros",
        DOWNLOAD,
        endless(head(307, ("Location", "http://127.0.0.1:1/")), b"x" * 65536),
    ),
    _size("a list of jobs of 60 MiB", "khoros", START, large(b'{"result":[{}', b",{}", b"]}")),
]
