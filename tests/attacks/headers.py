"""Attacks with headers, and with responses that are not HTTP."""

from __future__ import annotations

from tests.attacks.accounts import DOWNLOAD, POLL, RESULTS, RUN, START, STORED
from tests.attacks.attack import Attack
from tests.attacks.server import Heard, Reply, chunked, endless, head, raw, reply
from tests.attacks.sizes import DOMAINS, PAGES

LENGTH, CHUNKED = "Content-Length", ("Transfer-Encoding", "chunked")


def _http(tried: str, account: str, route: str, answer: Reply, **more: object) -> Attack:
    return Attack("HTTP", tried, account, {route: answer}, **more)  # type: ignore[arg-type]


def _wait(header: str, **more: object) -> Attack:
    answer = reply(b"", 503, ("Retry-After", header))
    text = f"Retry-After: {header[:40]}"
    return Attack("Retry-After", text, "kindmetrics", {DOMAINS: answer}, **more)  # type: ignore[arg-type]


def _status(status: int, account: str, route: str, **more: object) -> Attack:
    return Attack("status", f"HTTP {status}", account, {route: reply(b"[]", status)}, **more)  # type: ignore[arg-type]


def _echo_host(request: Heard) -> list[bytes]:
    return [head(302, ("Location", f"http://127.0.0.1:{request.port}{request.path}"))]


OK_BODY = b"[]"
HEADERS = [
    _http("HTTP/0.9", "kindmetrics", PAGES, raw(b"[]")),
    _http("a status line without HTTP", "kindmetrics", PAGES, raw(b"ICY 200 OK\r\n\r\n[]")),
    _http("HTTP/9.9", "kindmetrics", PAGES, raw(b"HTTP/9.9 200 OK\r\n\r\n[]")),
    _http("status 0", "kindmetrics", PAGES, raw(b"HTTP/1.1 000 X\r\n\r\n[]")),
    _http("status 9999", "kindmetrics", PAGES, raw(b"HTTP/1.1 9999 X\r\n\r\n[]")),
    _http("status abc", "kissmetrics", RUN, raw(b"HTTP/1.1 abc X\r\n\r\n[]")),
    _http(
        "a reason with ESC and BEL",
        "kindmetrics",
        DOMAINS,
        raw(b"HTTP/1.1 500 \x1b[31m\x07X\r\nContent-Length: 0\r\n\r\n"),
    ),
    _http("no response: the connection is closed", "khoros", POLL, raw()),
    _http("NUL in a header", "kindmetrics", PAGES, reply(OK_BODY, 200, ("X-\0A", "a\0b"))),
    _http(
        "a header without a colon",
        "kindmetrics",
        PAGES,
        raw(b"HTTP/1.1 200 OK\r\nnonsense\r\nContent-Length: 2\r\n\r\n[]"),
    ),
    _http("a negative length", "kindmetrics", PAGES, raw(head(200, (LENGTH, -1)), OK_BODY), rows=0),
    _http(
        "a length that is no number",
        "kindmetrics",
        PAGES,
        raw(head(200, (LENGTH, "0x2")), OK_BODY),
        rows=0,
    ),
    _http(
        "two different lengths",
        "kindmetrics",
        PAGES,
        raw(head(200, (LENGTH, 2), (LENGTH, 5)), OK_BODY),
    ),
    _http(
        "a length and chunks",
        "kindmetrics",
        PAGES,
        raw(head(200, (LENGTH, 5), CHUNKED), b"2\r\n[]\r\n0\r\n\r\n"),
        rows=0,
    ),
    _http(
        "a body that is shorter than its length",
        "khoros",
        START,
        raw(head(200, (LENGTH, 500)), OK_BODY),
    ),
    _http("a negative chunk size", "kindmetrics", PAGES, raw(head(200, CHUNKED), b"-2\r\n[]\r\n")),
    _http(
        "a chunk size that is no number",
        "kissmetrics",
        RESULTS,
        raw(head(200, CHUNKED), b"zz\r\n[]\r\n"),
    ),
    _http(
        "a chunk size of 2^80",
        "kindmetrics",
        PAGES,
        raw(head(200, CHUNKED), b"1" + b"0" * 20 + b"\r\n[]\r\n"),
    ),
    _http(
        "chunk extensions without end",
        "kindmetrics",
        PAGES,
        endless(head(200, CHUNKED), b"2;" + b"x" * 65536),
    ),
    _http(
        "chunk extensions of 60 KB",
        "kindmetrics",
        PAGES,
        raw(head(200, CHUNKED), b"2;" + b"x" * 60_000 + b"\r\n[]\r\n0\r\n\r\n"),
        rows=0,
    ),
    _http(
        "trailers without end",
        "kindmetrics",
        PAGES,
        endless(head(200, CHUNKED) + b"2\r\n[]\r\n0\r\n", b"X: y\r\n" * 1000),
    ),
    _http(
        "trailers with secrets of other headers",
        "kindmetrics",
        PAGES,
        chunked(b"[]", end=b"0\r\nAuthorization: x\r\n\r\n"),
        rows=0,
    ),
    _http(
        "a header of 60 KB",
        "kindmetrics",
        PAGES,
        reply(OK_BODY, 200, ("X-A", "a" * 60_000)),
        rows=0,
    ),
    _http("a header of 1 MB", "kindmetrics", PAGES, reply(OK_BODY, 200, ("X-A", "a" * 1_000_000))),
    _http(
        "10,000 headers",
        "kissmetrics v3",
        "GET /v3/products",
        reply(OK_BODY, 200, *((f"X-{n}", n) for n in range(10_000))),
    ),
    _http(
        "90 cookies in each response",
        "kindmetrics",
        DOMAINS,
        reply(
            [{"id": 1, "address": "a.example"}],
            200,
            *(("Set-Cookie", f"c{n}={'x' * 4000}; Domain=127.0.0.1") for n in range(90)),
        ),
        rows=1,
    ),
    _http(
        "headers without end",
        "kindmetrics",
        PAGES,
        endless(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 1000),
    ),
    _http(
        "informational responses without end",
        "kindmetrics",
        PAGES,
        endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
    ),
    _http(
        "early hints without end",
        "khoros",
        POLL,
        endless(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 100),
    ),
    _http("a protocol upgrade", "kindmetrics", PAGES, reply(b"", 101, ("Upgrade", "h2c"))),
    _http("a redirect to itself", "kindmetrics", DOMAINS, _echo_host),
    _http(
        "redirects without end, in a download",
        "khoros",
        DOWNLOAD,
        _echo_host,
        says="more than 5 redirects",
    ),
    _http("a stored file that redirects to itself", "khoros", STORED, _echo_host),
    _http(
        "a charset that is a codec of Python",
        "kindmetrics",
        PAGES,
        reply(OK_BODY, 200, ("Content-Type", "application/json; charset=zlib_codec")),
        rows=0,
    ),
    _http(
        "a charset of 60 KB",
        "kindmetrics",
        PAGES,
        reply(OK_BODY, 200, ("Content-Type", "text/json; charset=" + "x" * 60_000)),
        rows=0,
    ),
    _wait("Mon, 01 Jan 2024 00:00:00 +99999999999999999999"),
    _wait("9" * 5000),
    _wait("1e400"),
    _wait("-5"),
    _wait("Infinity"),
    _wait("٣"),
    _wait("Mon, 31 Feb 99999 99:99:99 GMT"),
    _wait("Mon, 01 Jan 0000 00:00:00 GMT"),
    _wait("Fri, 31 Dec 9999 23:59:59 -2359"),
    _status(304, "kindmetrics", PAGES, says="HTTP 304"),
    _status(202, "kissmetrics", RESULTS, says="HTTP 202"),
    _status(204, "kindmetrics", PAGES),
    _status(206, "kissmetrics", "GET /core/reports", streams=("reports",)),
    _status(226, "khoros", POLL),
    _status(300, "kindmetrics", PAGES),
    _status(451, "kindmetrics", DOMAINS),
    _status(599, "kissmetrics", RUN),
    _status(799, "kindmetrics", PAGES),
]
