"""Attacks on the parsers: content that takes quadratic work, and names without end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.attacks.accounts import PASSWORD, RESULTS, STORED
from tests.attacks.attack import Attack
from tests.attacks.server import Heard, Reply, head, reply
from tests.attacks.sizes import MIB, PAGES, large, late

if TYPE_CHECKING:
    from collections.abc import Iterator

CSV = {"report_format": "csv"}
_SECONDS = 60.0


def _json(tried: str, answer: Reply, **more: Any) -> Attack:
    return Attack("parsers", tried, "khoros", {STORED: answer}, **{"seconds": _SECONDS, **more})


def _csv(tried: str, answer: Reply, **more: Any) -> Attack:
    return _json(f"{tried}, in CSV", answer, settings=CSV, **more)


def _names(tried: str, account: str, route: str, answer: Reply, **more: Any) -> Attack:
    return Attack("names", tried, account, {route: answer}, **more)


def one_byte_chunks(_: Heard) -> Iterator[bytes]:
    """Return a download of 200 KB in chunks of one byte."""
    yield head(200, ("Transfer-Encoding", "chunked"))
    body = b"[" + b",".join([b'{"STATUS":"a"}'] * 13_000) + b"]"
    for start in range(0, len(body), 1000):
        yield b"".join(b"1\r\n%c\r\n" % one for one in body[start : start + 1000])
    yield b"0\r\n\r\n"


def text_of(piece: bytes, mib: int = 32) -> Reply:
    """Return a download of one text."""
    return large(b'[{"STATUS":"', piece, b'"}]', mib)


def field_of(piece: bytes, mib: int = 32) -> Reply:
    """Return a download of one quoted field."""
    return large(b'STATUS,TEXT\n"', piece, b'",b\n', mib)


def new_names(_: Heard) -> Iterator[bytes]:
    """Return 2,000 rows with 300 new names each."""
    yield head() + b"["
    for row in range(2000):
        names = ",".join(f'"n{row}-{n}":"x"' for n in range(300))
        yield (f'{"," if row else ""}{{"STATUS":"a",{names}}}').encode()
    yield b"]"


PARSERS = [
    _json("a text of }", text_of(b"}"), rows=1),
    _json("a text of },{", text_of(b"},{"), rows=1),
    _json("a text of brackets", text_of(b"[{]}"), rows=1),
    _json("a text of escaped quotes", text_of(rb"\""), rows=1),
    _json("a text of backslashes", text_of(rb"\\"), rows=1),
    _json("a text of escaped quotes and brackets", text_of(rb"\"}],["), rows=1),
    _json(
        "a row with a list of objects",
        late(lambda: b'[{"STATUS":"a","X":[{"a":1}' + b',{"a":1}' * (2 * MIB) + b"]}]"),
        rows=1,
    ),
    _json(
        "a row with objects in objects",
        late(lambda: b'[{"STATUS":"a","X":[' + b'{"a":{"b":[]}},' * MIB + b"1]}]"),
        rows=1,
    ),
    _json(
        "spaces between two rows", large(b'[{"STATUS":"a"}', b" ", b',{"STATUS":"b"}]', 32), rows=2
    ),
    _json(
        "two million rows of empty objects",
        large(b'[{"STATUS":"a"}', b",{}", b"]", 8),
        rows=2_796_203,
        seconds=120,
    ),
    _json("commas only", large(b"[", b",", b"]", 8)),
    _json("chunks of one byte", one_byte_chunks, rows=13_000),
    _json("brackets that never match", large(b'[{"STATUS":"a"},', b"}{", b"", 32)),
    _json("a number of 32 MiB", large(b'[{"STATUS":', b"9", b"}]", 32)),
    _csv("a field of line feeds", field_of(b"\n"), rows=1),
    _csv("a field of quotes", field_of(b'""'), rows=1),
    _csv("a field of commas and line feeds", field_of(b",\n"), rows=1),
    _csv("a field of carriage returns", field_of(b"\r"), rows=1),
    _csv("empty lines", large(b"STATUS,TEXT\n", b"\n", b"a,b\n", 32), rows=1),
    _csv("a row of commas", large(b"STATUS,TEXT\n", b",", b"\n", 32), rows=1),
    _csv("a quote that is never closed", large(b'STATUS,TEXT\n"', b"a\n", b"", 60)),
    _csv("NUL", reply(b"STATUS,TEXT\na\0b,\0\n"), rows=1),
    _csv(
        "quotes inside a field",
        large(b"STATUS,TEXT\n", b'a"b"c,d\n', b"", 8),
        rows=1_048_576,
        seconds=120,
    ),
    Attack(
        "parsers",
        "a text of backslashes in a list",
        "kindmetrics",
        {PAGES: large(b'[{"address":"', rb"\\", b'","visitors":1,"percentage":1}]', 32)},
        rows=1,
    ),
    Attack(
        "parsers",
        "an error of backslashes and percent signs",
        "kindmetrics",
        {PAGES: reply(b"\\%25" * 16_000, 400)},
    ),
    Attack(
        "parsers",
        "an error that nearly has the password, 16,000 times",
        "khoros",
        {
            "POST /api/public/reports/report/response": reply(
                {"message": PASSWORD[:-1] * 16_000}, 400
            )
        },
    ),
    _names("2,000 rows with 300 new names each", "khoros", STORED, new_names),
    _names(
        "100,000 names in one row",
        "khoros",
        STORED,
        reply([{"STATUS": "a", **{f"n{n}": "x" for n in range(100_000)}}]),
    ),
    _names(
        "names of 60 MiB in one row",
        "khoros",
        STORED,
        late(
            lambda: (
                b'[{"STATUS":"a"'
                + b"".join(b',"n%d%b":1' % (n, b"x" * 1000) for n in range(60_000))
                + b"}]"
            )
        ),
    ),
    _names("one name of 60 MiB", "khoros", STORED, large(b'[{"STATUS":"a","', b"x", b'":1}]', 60)),
    _names(
        "100,000 columns in a CSV header",
        "khoros",
        STORED,
        reply(("STATUS," + ",".join(f"n{n}" for n in range(100_000)) + "\na\n").encode()),
        settings=CSV,
    ),
    _names(
        "one column 100,000 times in a CSV header",
        "khoros",
        STORED,
        reply(b"STATUS" + b",STATUS" * 100_000 + b"\na\n"),
        settings=CSV,
    ),
    _names(
        "100,000 labels of columns",
        "kissmetrics",
        RESULTS,
        reply({"total": 1, "data": [[1, "i"]], "columns": [f"c{n}" for n in range(100_000)]}),
        rows=1,
    ),
    _names(
        "rows of 100,000 values without labels",
        "kissmetrics",
        RESULTS,
        reply({"total": 1, "data": [[1, "i", *range(100_000)]]}),
        rows=1,
    ),
    _names(
        "200 new names in each of 10,000 rows of a result",
        "kissmetrics v3",
        "GET /v3/queries/*",
        late(
            lambda: (
                b'{"completed":true,"data":['
                + b",".join(
                    b"{" + b",".join(b'"n%d-%d":1' % (row, n) for n in range(200)) + b"}"
                    for row in range(10_000)
                )
                + b"]}"
            )
        ),
    ),
]
