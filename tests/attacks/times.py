"""Attacks on time: servers that are slow, or send pages without end."""

from __future__ import annotations

import contextlib
import itertools
from typing import TYPE_CHECKING, Any

from tests.attacks.accounts import (
    DOWNLOAD,
    POLL,
    RESULTS,
    RUN,
    START,
    STATUS,
    STORED,
    envelope,
    job_state,
)
from tests.attacks.attack import Attack
from tests.attacks.server import Heard, Reply, Silent, drip, endless, head, reply
from tests.attacks.sizes import PAGES

if TYPE_CHECKING:
    from collections.abc import Iterator

SLOW_S = 90.0  # five tries of five timeouts, the pauses between them, and the start of the process
_BODY = b'[{"address":"/a","visitors":1,"percentage":1}]' + b" " * 5000
PRODUCTS, REPORTS = "GET /core/products", "GET /core/reports"


def _time(tried: str, account: str, route: str, answer: Reply, **more: Any) -> Attack:
    return Attack("time", tried, account, {route: answer}, **{"seconds": SLOW_S, **more})


def _pages(tried: str, account: str, route: str, answer: Reply, **more: Any) -> Attack:
    return Attack("progress", tried, account, {route: answer}, **more)


@contextlib.contextmanager
def slow_proxy() -> Iterator[dict[str, str]]:
    """Run a proxy that answers a CONNECT byte by byte."""
    with Silent(*(bytes([one]) for one in b"HTTP/1.1 200 OK\r\nX: " + b"x" * 3000)) as proxy:
        yield {"HTTPS_PROXY": f"http://127.0.0.1:{proxy.port}"}


@contextlib.contextmanager
def headers_proxy() -> Iterator[dict[str, str]]:
    """Run a proxy that answers a CONNECT with headers without end."""
    pieces = itertools.repeat(b"X: y\r\n" * 5000, 100_000)
    with Silent(b"HTTP/1.1 200 OK\r\n", *pieces, pause_s=0) as proxy:
        yield {"HTTPS_PROXY": f"http://127.0.0.1:{proxy.port}"}


@contextlib.contextmanager
def rude_proxy() -> Iterator[dict[str, str]]:
    """Run a proxy that answers a CONNECT with control characters."""
    with Silent(b"HTTP/1.1 403 \x1b[2J\x07\xe2\x80\xae forged\r\n\r\n") as proxy:
        yield {"HTTPS_PROXY": f"http://user:hunter2-of-nobody@127.0.0.1:{proxy.port}"}


@contextlib.contextmanager
def slow_tls() -> Iterator[dict[str, str]]:
    """Run a server that begins a TLS handshake and sends it byte by byte."""
    hello = b"\x16\x03\x03\x40\x00" + b"\x02\x00\x3f\xfc\x03\x03" + b"\0" * 3000
    with Silent(*(bytes([one]) for one in hello)) as server:
        url = f"https://127.0.0.1:{server.port}"
        yield {"api_url": url}


def next_over(records: list[Any], *, step: int = 1, host: str = "") -> Reply:
    """Return a page with a ``next`` link to another offset, without end."""

    def page(request: Heard) -> list[bytes]:
        path, _, query = request.path.partition("?")
        offset = int(dict(one.partition("=")[::2] for one in query.split("&"))["offset"])
        link = f"{host}{path}?limit=1000&offset={offset + step}"
        rows = [
            {**row, "id": f"i{offset}-{n}"} if "id" in row else row for n, row in enumerate(records)
        ]
        return list(reply({"data": rows, "links": [{"rel": "next", "href": link}]})(request))

    return page


def cycle_over(records: list[Any]) -> Reply:
    """Return a page with a ``next`` link to one of three places."""

    def page(request: Heard) -> list[bytes]:
        path, _, query = request.path.partition("?")
        number = len(query) % 3
        links = [{"rel": "next", "href": f"{path}?offset=0&x={'x' * number}"}]
        return list(reply({"data": records, "links": links})(request))

    return page


def full_pages(request: Heard) -> list[bytes]:
    """Return 1,000 new records for any offset, without a total."""
    query = dict(one.partition("=")[::2] for one in request.path.partition("?")[2].split("&"))
    offset = int(query["offset"])
    rows = [{"id": offset + n, "name": "x" * 500, "account_id": 1} for n in range(1000)]
    return list(reply({"data": rows})(request))


def same_page(records: list[Any], total: int) -> Reply:
    """Return the same page, with a total."""
    return reply({**envelope(records), "pagination": {"total": total}})


HUGE = 10**15
ONE = {"id": "x", "name": "x", "account_id": "a1", "product_id": "p1"}
TIMES = [
    _time(
        "the body byte by byte",
        "kindmetrics",
        PAGES,
        drip(_BODY, start=head(200, ("Content-Length", len(_BODY)))),
    ),
    _time("the headers byte by byte", "kissmetrics", RESULTS, drip(head(200) + _BODY)),
    _time(
        "chunk sizes byte by byte",
        "kindmetrics",
        PAGES,
        drip(b"0" * 5000, start=head(200, ("Transfer-Encoding", "chunked"))),
    ),
    _time("a body of 404 byte by byte", "kindmetrics", PAGES, drip(_BODY, start=head(404)), rows=0),
    _time(
        "a body of 429 byte by byte",
        "kissmetrics",
        PRODUCTS,
        drip(_BODY, start=head(429)),
        streams=("products",),
    ),
    _time("a body of 500 byte by byte", "khoros", POLL, drip(_BODY, start=head(500))),
    _time(
        "informational responses, one a second",
        "kindmetrics",
        PAGES,
        endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.5),
    ),
    _time(
        "gzip members without content, two a second",
        "kindmetrics",
        PAGES,
        endless(
            head(200, ("Content-Encoding", "gzip")),
            b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x03\0\0\0\0\0\0\0\0\0",
            0.5,
        ),
    ),
    _time("the response to a POST byte by byte", "kissmetrics", RUN, drip(head(202) + _BODY)),
    _time("no response to a poll", "khoros", POLL, endless(b"", b"", 1)),
    _time("a download byte by byte", "khoros", STORED, drip(_BODY, start=head())),
    _time("the headers of a stored file byte by byte", "khoros", STORED, drip(head() + _BODY)),
    _time("the headers of a redirect byte by byte", "khoros", DOWNLOAD, drip(head(307) + _BODY)),
    _time(
        "a row a second, without end",
        "khoros",
        STORED,
        endless(head() + b'[{"STATUS":"a"}', b',{"STATUS":"a"}', 0.4),
        seconds=150,
    ),
    _time("a job that never ends", "khoros", POLL, reply(job_state("", "RUNNING"))),
    _time("a job of an unknown state", "khoros", POLL, reply(job_state("x", "HALTING"))),
    _time(
        "a query that never ends",
        "kissmetrics",
        STATUS,
        reply({"data": {"completed": False, "progress": 0.99}}),
    ),
    _time(
        "a query whose progress is 1e300",
        "kissmetrics v3",
        "GET /v3/queries/*",
        reply({"completed": False, "progress": 1e300, "data": []}),
    ),
    _time("an export that starts without ids", "khoros", START, reply({"result": {}})),
    _time(
        "a cancellation byte by byte",
        "kissmetrics v3",
        "GET /v3/queries/*",
        reply({"completed": False}),
    ),
    Attack("time", "a TLS handshake byte by byte", "kindmetrics", around=slow_tls, seconds=SLOW_S),
    Attack(
        "time",
        "a proxy that is slow to connect",
        "kindmetrics",
        around=slow_proxy,
        settings={"api_url": "https://api.example"},
        seconds=SLOW_S,
    ),
    Attack(
        "time",
        "a proxy with headers without end",
        "kindmetrics",
        around=headers_proxy,
        settings={"api_url": "https://api.example"},
        seconds=SLOW_S,
    ),
    Attack(
        "log",
        "a proxy that refuses with control characters",
        "kindmetrics",
        around=rude_proxy,
        settings={"api_url": "https://api.example"},
        seconds=SLOW_S,
    ),
    _pages(
        "next links over empty pages",
        "kissmetrics",
        PRODUCTS,
        next_over([]),
        streams=("products",),
    ),
    _pages("next links over empty results", "kissmetrics", RESULTS, next_over([])),
    _pages(
        "a cycle of next links over empty pages",
        "kissmetrics",
        PRODUCTS,
        cycle_over([]),
        streams=("products",),
    ),
    _pages("a cycle of next links over results", "kissmetrics", RESULTS, cycle_over([[1, "i"]])),
    _pages(
        "next links over the same page",
        "kissmetrics",
        PRODUCTS,
        reply({"data": [ONE], "links": [{"rel": "next", "href": "/core/products?offset=7"}]}),
        streams=("products",),
    ),
    _pages(
        "a total of 10^15 over empty pages",
        "kissmetrics",
        PRODUCTS,
        same_page([], HUGE),
        streams=("products",),
    ),
    _pages(
        "a total of 10^15 over one page",
        "kissmetrics",
        PRODUCTS,
        same_page([ONE], HUGE),
        streams=("products",),
    ),
    _pages("a total of 10^15 over empty results", "kissmetrics", RESULTS, same_page([], HUGE)),
    _pages(
        "reports without end, which the plan needs",
        "kissmetrics",
        REPORTS,
        next_over(
            [{**ONE, "report_type": "people_search_v2", "name": "x" * 500}] * 1000, step=1000
        ),
        seconds=300,
    ),
    _pages(
        "products without end, which the plan needs",
        "kissmetrics v3",
        "GET /v3/products",
        full_pages,
        streams=("products", "reports"),
        seconds=300,
    ),
    _pages(
        "the same page for every offset",
        "kissmetrics v3",
        "GET /v3/products",
        reply({"data": [{"id": n, "name": "x"} for n in range(1000)]}),
        streams=("products",),
    ),
    _pages(
        "next links in a header without end",
        "kissmetrics",
        PRODUCTS,
        reply(
            {"data": []}, 200, ("Link", '</core/products?offset=5>; rel="next"; templated="false"')
        ),
        streams=("products",),
    ),
]
