"""Attacks on where requests go: ids in paths, links, redirects of downloads."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from tests.attacks.accounts import DOWNLOAD, JOB, PRODUCT, REPORT, RUN, START, STATUS, envelope, to
from tests.attacks.attack import Attack
from tests.attacks.server import reply

if TYPE_CHECKING:
    from collections.abc import Iterator

PRODUCTS, REPORTS = "GET /core/products", "GET /core/reports"
EVIL_IDS = {
    "that climbs": "../../../admin/delete?all=1#",
    "that climbs, percent-encoded": "%2e%2e/%2e%2e/admin",
    "that climbs, percent-encoded twice": "%252e%252e%252fadmin",
    "that climbs with backslashes": "..\\..\\admin",
    "with a semicolon": "..;/admin",
    "with a query": "x?admin=1",
    "with a fragment": "x#/../admin",
    "with a new request": "x HTTP/1.1\r\nHost: y\r\n\r\nDELETE /admin",
    "with NUL": "\0/../admin",
    "of another host": "//127.0.0.1:1/admin",
    "of wide characters": "\uff0e\uff0e/admin",
    "of 1 MB": "a" * 1_000_000,
}
DOTS = {"that is two dots": "..", "that is a dot": ".", "that is empty": ""}


def _safe(tried: str, account: str, route: str, answer: Any, **more: Any) -> Attack:
    return Attack("paths", tried, account, {route: reply(answer)}, **{"never": "/admin", **more})


def _link(tried: str, href: str, **more: Any) -> Attack:
    body = {**envelope([{"id": "x"}]), "links": [{"rel": "next", "href": href}]}
    return _safe(tried, "kissmetrics", PRODUCTS, body, streams=("products",), **more)


def _place(tried: str, location: str, **more: Any) -> Attack:
    routes = {RUN: reply({}, 202, ("Location", location))}
    return Attack("paths", tried, "kissmetrics", routes, never="/admin", **more)


PATHS = [
    *(
        _safe(
            f"the id of a report {what}",
            "kissmetrics",
            REPORTS,
            envelope([{**REPORT, "id": one}]),
        )
        for what, one in {**EVIL_IDS, **DOTS}.items()
    ),
    *(
        _safe(
            f"the id of a workflow {what}",
            "khoros",
            START,
            {"result": {**JOB, "workflowId": one, "statusUrl": ""}},
        )
        for what, one in {**EVIL_IDS, **DOTS}.items()
    ),
    *(
        _safe(f"the id of a query {what}", "kissmetrics v3", "POST /v3/queries", {"id": one})
        for what, one in {**EVIL_IDS, **DOTS}.items()
    ),
    _safe(
        "the id of a report's product that climbs",
        "kissmetrics",
        REPORTS,
        envelope([{**REPORT, "product_id": "../../admin"}]),
    ),
    _safe(
        "a status URL with ids that climb",
        "khoros",
        START,
        {"result": {"statusUrl": "https://x/api/public/reports/report/..%2f..%2fadmin/../status"}},
    ),
    _safe(
        "a directory that leads elsewhere",
        "kissmetrics",
        "GET /core",
        {"links": [{"rel": "product", "templated": True, "href": "/admin/products/{product_id}"}]},
    ),
    _safe(
        "a directory that climbs",
        "kissmetrics",
        "GET /core",
        {
            "links": [
                {
                    "rel": "product",
                    "templated": True,
                    "href": "/core/../admin/products/{product_id}",
                }
            ]
        },
    ),
    Attack(
        "paths",
        "a product with links that lead elsewhere",
        "kissmetrics",
        {
            "GET /core/products/p1": reply(
                {
                    "data": PRODUCT,
                    "links": [{"rel": "events", "href": "https://127.0.0.1:1/admin/events"}],
                }
            )
        },
        settings={"product_ids": ["p1"]},
        streams=("events",),
        never="/admin",
    ),
    _link("a link to another path", "/admin/delete"),
    _link("a link that climbs", "/core/../admin"),
    _link("a link that climbs, percent-encoded", "/core/%2e%2e/admin"),
    _link("a link that climbs with a mixture", "/core/.%2E/%2e./admin"),
    _link("a link that climbs with backslashes", "/core\\..\\admin"),
    _link("a link that climbs, with parameters", "/core/..;/admin"),
    _link("a link with tabs and line feeds", "/core/\t.\n./admin"),
    _link("a link with a user", "https://user@127.0.0.1:1/admin/"),
    _link("a link without a scheme", "//127.0.0.1:1/admin"),
    _link("a link of a script", "javascript:/admin"),
    _link("a link to a file", "file:///etc/passwd/admin"),
    _link(
        "a link with a new request",
        "/core/x HTTP/1.1\r\nX: y\r\n\r\nGET /admin",
        never="GET /admin",
    ),
    _place("a Location to another path", "/admin/queries/q1/status"),
    _place("a Location that climbs", "/v2/queries/../../admin/status"),
    _place("a Location with an id that climbs", "/v2/queries/..%2f..%2fadmin/status"),
    _place("a Location with an id of two dots", "/v2/queries/%2e%2e/status"),
    Attack(
        "paths",
        "the place of results leads elsewhere",
        "kissmetrics",
        {
            STATUS: reply(
                {"data": {"completed": True}},
                201,
                ("Location", "https://127.0.0.1:1/admin/results"),
            )
        },
        never="/admin",
    ),
]


@contextlib.contextmanager
def through_a_proxy() -> Iterator[dict[str, str]]:
    """Set a proxy for https only: nothing listens there."""
    yield {"HTTPS_PROXY": "http://127.0.0.1:9"}


def _storage(tried: str, location: str, **more: Any) -> Attack:
    return Attack("storage", tried, "khoros", {DOWNLOAD: to(location)}, **more)


REFUSED = "refused"
STORAGE = [
    _storage("a private address", "http://10.0.0.1/x", says=REFUSED),
    _storage("a private address with https", "https://192.168.0.1/x", says=REFUSED),
    _storage(
        "the address of a cloud's metadata",
        "https://169.254.169.254/latest/meta-data/",
        says=REFUSED,
    ),
    _storage("the same in IPv6", "https://[::ffff:a9fe:a9fe]/latest", says=REFUSED),
    _storage("the same as a number", "https://2852039166/latest", says=REFUSED),
    _storage("the same in hexadecimal", "https://0xa9.0xfe.0xa9.0xfe/latest", says=REFUSED),
    _storage("the same in octal", "https://0251.0376.0251.0376/latest", says=REFUSED),
    _storage(
        "the same through a proxy, as a number",
        "https://2852039166/latest",
        says=REFUSED,
        around=through_a_proxy,
    ),
    _storage(
        "the same through a proxy, in hexadecimal",
        "https://0xa9fea9fe/",
        says=REFUSED,
        around=through_a_proxy,
    ),
    _storage("the same in IPv6 of 6to4", "https://[2002:a9fe:a9fe::1]/", says=REFUSED),
    _storage("the same in IPv6 of NAT64", "https://[64:ff9b::a9fe:a9fe]/", says=REFUSED),
    _storage("a unique local address", "https://[fd00::1]/x", says=REFUSED),
    _storage("the address 0.0.0.0", "https://0.0.0.0/x", says=REFUSED),
    _storage("http to a public address", "http://93.184.215.14/x", says=REFUSED),
    _storage("a user in the address", "http://user:pass@127.0.0.1:{port}/stored", says=REFUSED),
    _storage("an address without a host", "http:///stored", rows=1),
    _storage("another scheme", "file:///etc/passwd", says=REFUSED),
    _storage("FTP", "ftp://127.0.0.1/x", says=REFUSED),
    _storage("an address that is no URL", "http://[x", says=REFUSED),
    _storage("an invalid port", "http://127.0.0.1:99999/x", says=REFUSED),
    _storage("an address of 1 KB of dots", "https://" + "." * 1000 + "/", says=""),
    _storage("a label of 64 letters", "https://" + "a" * 64 + ".example/", says=""),
    _storage("a relative address", "/stored", rows=1),
    _storage("a relative address without a slash", "?x=1", says=""),
    _storage("letters outside ASCII", "/stored?x=\u00e4\u20ac", rows=1),
    _storage("a fragment", "/stored#x", rows=1),
    _storage("backslashes", "http:\\\\127.0.0.1:{port}\\stored"),
    _storage("a redirect by 303", "/stored", rows=1),
]
