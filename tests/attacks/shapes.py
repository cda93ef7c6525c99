"""Attacks with JSON of another shape than the API promises."""

from __future__ import annotations

from typing import Any

from tests.attacks.accounts import (
    DOWNLOAD,
    JOB,
    POLL,
    PRODUCT,
    REPORT,
    RESULTS,
    RUN,
    START,
    STATUS,
    STORED,
    envelope,
    job_state,
)
from tests.attacks.attack import Attack
from tests.attacks.server import Reply, reply
from tests.attacks.sizes import DOMAINS, PAGES

PRODUCTS, REPORTS = "GET /core/products", "GET /core/reports"
DEEP = b"[" * 100_000 + b"]" * 100_000


def _shape(tried: str, account: str, route: str, answer: Any, **more: Any) -> Attack:
    sent: Reply = reply(answer) if isinstance(answer, (bytes, str, list, dict)) else answer
    return Attack("shape", tried, account, {route: sent}, **more)


def _number(tried: str, body: bytes, **more: Any) -> Attack:
    return _shape(tried, "kindmetrics", PAGES, body, **more)


def _row(value: bytes) -> bytes:
    return b'[{"address":"/a","visitors":%b,"percentage":1}]' % value


def _links(tried: str, links: Any, **more: Any) -> Attack:
    body = {**envelope([{"id": "a1"}]), "links": links}
    return _shape(tried, "kissmetrics", PRODUCTS, body, streams=("products",), **more)


def _total(tried: str, total: bytes, **more: Any) -> Attack:
    body = b'{"data":[[1,"i"]],"pagination":{"total":%b}}' % total
    return _shape(tried, "kissmetrics", RESULTS, body, **more)


def _zone(zone: object, **more: Any) -> Attack:
    answer = reply(envelope([{**PRODUCT, "timezone": zone}]))
    return _shape(f"time zone {zone!r:.40}", "kissmetrics", PRODUCTS, answer, **more)


def _job(tried: str, **ids: Any) -> Attack:
    result = {"status": "PASS", "result": {**JOB, **ids}}
    return _shape(tried, "khoros", START, result)


SHAPES = [
    _links("links that are an object", {"next": "/core/products?offset=1"}),
    _links("links that are texts", ["next", "/x"]),
    _links("links that are numbers", [1, 2.5, None]),
    _links("a link whose address is a list", [{"rel": "next", "href": ["/core/products"]}]),
    _links("a link that is no URL", [{"rel": "next", "href": "http://[x"}]),
    _links("a link with an invalid port", [{"rel": "next", "href": "http://a:b/core/x"}]),
    _shape(
        "pagination that is a list",
        "kissmetrics",
        RESULTS,
        {"data": [[1, "i"]], "pagination": [1]},
    ),
    _total("a total of 5,000 digits", b"9" * 5000),
    _total("a total of 5,000 digits in a text", b'"' + b"9" * 5000 + b'"'),
    _total("a negative total", b"-1"),
    _total("a total of 1.5", b"1.5"),
    _total("a total that is true", b"true"),
    _total("a total in Arabic digits", '"٣"'.encode()),
    _zone(5),
    _zone("../../../etc/passwd", rows=1),
    _zone("/etc/passwd", rows=1),
    _zone("UTC\0", rows=1),
    _zone("x" * 100_000, rows=1),
    _zone(["UTC"]),
    _job("a status URL that is no URL", workflowId=None, statusUrl="http://[x"),
    _job("a status URL of 1 MB", workflowId=None, statusUrl="https://x/" + "a" * 1_000_000),
    _job("ids of 1 MB", workflowId="w" * 1_000_000),
    _job("ids that are objects", workflowId={}, runId=[]),
    _job("ids that are true", workflowId=True, runId=True),
    _job("an id of 5,000 digits", workflowId=10**4000),
    _job("a lone surrogate in an id", workflowId="w\ud800"),
    _shape("a job that is a number", "khoros", START, {"result": 5}),
    _shape("a job in lists in lists", "khoros", START, {"result": [[[JOB]]]}),
    _shape(
        "a state that is a list",
        "khoros",
        POLL,
        {"result": {"jobInfo": [JOB], "result": ["CLOSED"]}},
    ),
    _shape("a count of rows of 10^30", "khoros", POLL, job_state(totalCount=10**30), rows=1),
    _shape("a count of rows that is a text", "khoros", POLL, job_state(totalCount="x"), rows=1),
    _shape(
        "teams that are texts",
        "khoros",
        "GET /api/public/teams",
        {"result": ["a", "b"]},
        streams=("teams",),
    ),
    _shape(
        "teams that are one object",
        "khoros",
        "GET /api/public/teams",
        {"result": {}},
        streams=("teams",),
    ),
    _shape("a domain whose id is 1.5", "kindmetrics", DOMAINS, [{"id": 1.5, "address": "a"}]),
    _shape("a domain whose id is true", "kindmetrics", DOMAINS, [{"id": True, "address": "a"}]),
    _shape("a domain whose id is 10^30", "kindmetrics", DOMAINS, [{"id": 10**30, "address": "a"}]),
    _shape("domains in an object", "kindmetrics", DOMAINS, {"data": []}),
    _shape("null", "kindmetrics", PAGES, b"null"),
    _shape("an empty body", "kindmetrics", PAGES, b""),
    _shape(
        "keys that are names in Python and JavaScript",
        "kindmetrics",
        PAGES,
        b'[{"__class__":1,"__proto__":{"a":1},"__dict__":[],"constructor":1,"address":"/a",'
        b'"visitors":1,"percentage":1}]',
        rows=1,
        says="__class__",
    ),
    _shape(
        "a key twice",
        "kindmetrics",
        PAGES,
        b'[{"address":"/a","address":"/b","visitors":1,"visitors":2,"percentage":1}]',
        rows=1,
    ),
    _shape(
        "products without ids",
        "kissmetrics",
        PRODUCTS,
        envelope([{"name": "x"}]),
        streams=("products",),
    ),
    _shape(
        "a product whose id is an object",
        "kissmetrics",
        PRODUCTS,
        envelope([{"id": {}}]),
        streams=("products",),
    ),
    _shape(
        "a report whose product is a list",
        "kissmetrics",
        REPORTS,
        envelope([{**REPORT, "product_id": ["p1"]}]),
    ),
    _shape(
        "a report whose name is an object",
        "kissmetrics",
        REPORTS,
        envelope([{**REPORT, "name": {}}]),
    ),
    _shape("a directory of numbers", "kissmetrics", "GET /core", {"data": 5, "links": 7}, rows=1),
    _shape(
        "a query that is completed and has an error",
        "kissmetrics",
        STATUS,
        {"data": {"completed": True, "error": "x"}},
    ),
    _shape("a started query without a place", "kissmetrics", RUN, {"data": {}}),
    _shape("results of numbers", "kissmetrics", RESULTS, {"data": [1, 2]}),
    _shape("results of empty rows", "kissmetrics", RESULTS, {"data": [[], []]}),
    _shape(
        "columns of objects in objects",
        "kissmetrics",
        RESULTS,
        {"data": [[1, "i"]], "columns": [{"display_name": {"a": [1]}}]},
    ),
    _shape("a query whose id is a list", "kissmetrics v3", "POST /v3/queries", {"id": ["a"]}),
    _shape(
        "a query whose id is 1 MB", "kissmetrics v3", "POST /v3/queries", {"id": "a" * 1_000_000}
    ),
    _shape(
        "a result that is completed by a text",
        "kissmetrics v3",
        "GET /v3/queries/*",
        {"completed": "true", "data": [{"n": 1}]},
    ),
    _shape("a download that is one object", "khoros", STORED, {"STATUS": "a"}),
    _shape("a download of numbers", "khoros", STORED, b"[1,2,3]"),
    _shape("a download of HTML", "khoros", STORED, b"<html><body>sign in</body></html>"),
    _shape("a download with an object in a field", "khoros", STORED, b'[{"STATUS":{"a":1}}]'),
    _shape("a download without a redirect", "khoros", DOWNLOAD, [{"STATUS": "a"}], rows=1),
    _number("a number of 1e400", _row(b"1e400")),
    _number("a number of 400 digits", _row(b"9" * 400), says="", rows=1),
    _number("a number of 10,000 digits", _row(b"9" * 10_000)),
    _number("NaN", _row(b"NaN")),
    _number("-Infinity", _row(b"-Infinity")),
    _number("a number of 1e308", _row(b"1e308")),
    _number("a number beyond 64 bits", _row(b"9223372036854775808"), rows=1),
    _number("a text in place of a number", _row(b'"1"')),
    Attack("depth", "100,000 lists in a response", "kindmetrics", {PAGES: reply(DEEP)}),
    Attack(
        "depth",
        "100,000 lists in a field that is not read",
        "kindmetrics",
        {PAGES: reply(b'[{"x":' + DEEP + b"}]")},
    ),
    Attack(
        "depth",
        "100,000 lists in the response to a start",
        "khoros",
        {START: reply(b'{"result":' + DEEP + b"}")},
    ),
    Attack(
        "depth",
        "100,000 lists in an error",
        "khoros",
        {START: reply(b'{"message":' + DEEP + b"}", 400)},
    ),
    Attack(
        "depth",
        "100,000 lists in a download",
        "khoros",
        {STORED: reply(b'[{"STATUS":' + DEEP + b"}]")},
    ),
    Attack(
        "depth",
        "900 lists in a row of a download",
        "khoros",
        {STORED: reply(b'[{"STATUS":"a","X":' + b"[" * 900 + b"]" * 900 + b"}]")},
        rows=1,
    ),
    Attack(
        "depth",
        "100,000 objects in a result",
        "kissmetrics v3",
        {
            "GET /v3/queries/*": reply(
                b'{"completed":true,"data":[' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"]}"
            )
        },
    ),
]
