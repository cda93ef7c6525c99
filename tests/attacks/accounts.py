"""Small fakes of the APIs and of a store, written from docs/reference, and the settings of taps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.attacks.server import Heard, Reply, head, reply

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TOKEN = "k9/tok+en=&%q7-of-nobody"  # noqa: S105
USER = "robot@tenant.example"
PASSWORD = 'p5/ass+wo"rd=&%z-of-nobody'  # noqa: S105
KEY = "c0/mpa+ny=&%k3-of-nobody"
DAY = "2026-01-05"
_COMMON = {
    "start_date": DAY,
    "end_date": DAY,
    "max_concurrency": 4,
    "request_timeout": 1,
    "requests_per_minute": 1_000_000,
}
_JOBS = {"poll_interval_ms": 20, "poll_timeout": 5}


@dataclass(frozen=True)
class Account:
    """A tap at one API: its command, its settings, its streams and the routes of the fake.

    ``urls`` are the settings that have the address of the fake. Only ``streams`` are selected.
    """

    tap: str
    settings: Mapping[str, Any]
    urls: Mapping[str, str]
    routes: Mapping[str, Reply]
    streams: Iterable[str]
    secrets: Iterable[str] = field(repr=False)

    def config(self, port: int, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Return the settings for a fake at a port."""
        urls = {name: f"http://127.0.0.1:{port}{path}" for name, path in self.urls.items()}
        return {**_COMMON, **self.settings, **urls, **changes}


_ROW = {"visitors": 3, "percentage": 7}
KINDMETRICS = Account(
    "tap-kindmetrics",
    {"api_token": TOKEN, "lookback_days": 0},
    {"api_url": ""},
    {
        "GET /api/me": reply({"email": "a@b.example"}),
        "GET /api/domains": reply([{"id": 1, "address": "shop.example"}]),
        "GET /api/domains/1": reply({"address": "shop.example", "visitors": 4, "pageviews": 9}),
        "GET /api/domains/1/pages": reply([{"address": "/home", **_ROW}]),
    },
    ["pages"],
    [TOKEN],
)


def _found(_: Heard) -> list[bytes]:
    place = "/v2/queries/q1/results"
    body = b'{"data":{"completed":true,"progress":1.0},"links":[]}'
    return [head(201, ("Location", place), ("Content-Length", len(body))), body]


def _started(_: Heard) -> list[bytes]:
    body = b'{"meta":{"status":202},"data":{"message":"success"},"links":[]}'
    place = "/v2/queries/q1/status"
    return [head(202, ("Location", place), ("Content-Length", len(body))), body]


def envelope(records: list[Any], **more: object) -> dict[str, Any]:
    """Return the envelope of a list, with one page and its total."""
    pagination = {"limit": 1000, "offset": 0, "total": len(records)}
    return {"meta": {"status": 200}, "data": records, "pagination": pagination, "links": [], **more}


PRODUCT = {"id": "p1", "account_id": "a1", "name": "Shop", "timezone": "UTC", "links": []}
REPORT = {"id": "r1", "product_id": "p1", "name": "People", "report_type": "people_search_v2"}
RUN = "POST /v2/products/p1/reports/r1/run"
STATUS, RESULTS = "GET /v2/queries/q1/status", "GET /v2/queries/q1/results"
KISSMETRICS = Account(
    "tap-kissmetrics",
    {"api_token": TOKEN, "lookback_days": 0, **_JOBS},
    {"api_url": "", "query_url": ""},
    {
        "GET /core": reply({"data": {"name": "Core", "links": []}, "links": []}),
        "GET /core/accounts": reply(envelope([{"id": "a1", "name": "A"}])),
        "GET /core/products": reply(envelope([PRODUCT])),
        "GET /core/products/p1": reply({"data": PRODUCT, "links": []}),
        "GET /core/reports": reply(envelope([REPORT])),
        "GET /core/reports/r1": reply({"data": REPORT, "links": []}),
        RUN: _started,
        STATUS: _found,
        RESULTS: reply(envelope([[1, "a@b.example", 3]])),
    },
    ["report_results"],
    [TOKEN],
)
KISSMETRICS_V3 = Account(
    "tap-kissmetrics",
    {
        "api_version": "v3",
        "username": USER,
        "password": PASSWORD,
        "lookback_days": 0,
        "queries": [
            {
                "name": "numbers",
                "product_id": 1,
                "query_type": "sql",
                "query_params": {"statement": "select 1"},
            }
        ],
        **_JOBS,
    },
    {"v3_url": "/v3"},
    {
        "GET /v3/products": reply({"data": [{"id": 1, "account_id": 2, "name": "Shop"}]}),
        "GET /v3/products/1/reports": reply({"data": []}),
        "POST /v3/queries": reply({"id": "11111111-1111-4111-8111-111111111111"}),
        "GET /v3/queries/*": reply({"completed": True, "data": [{"n": 1}]}),
        "DELETE /v3/queries/*": reply({"cancelled": True}),
    },
    ["query_results"],
    [USER, PASSWORD],
)
_IDS = {"workflowId": "w1", "runId": "r/1+=="}
JOB = {**_IDS, "downloadUrl": "https://x.example/d", "statusUrl": "https://x.example/s"}
START = "POST /api/public/reports/report/response"
POLL = "GET /api/public/reports/report/w1/r%2F1%2B%3D%3D/status"
DOWNLOAD = "GET /api/public/reports/report/w1/r%2F1%2B%3D%3D/download"
STORED = "GET /stored"


def job_state(detail: str = "COMPLETED", state: str = "CLOSED", **more: object) -> dict[str, Any]:
    """Return the response to a poll."""
    result = {"runnerState": state, "detail": detail, **more}
    return {"status": "PASS", "result": {"jobInfo": JOB, "result": result}}


def to(location: str, status: int = 307) -> Reply:
    """Return a redirect; ``{port}`` stands for the port of the fake."""

    def redirect(request: Heard) -> list[bytes]:
        place = location.replace("{port}", str(request.port))
        return [head(status, ("Location", place), ("Content-Length", 0))]

    return redirect


KHOROS = Account(
    "tap-khoros-analytics",
    {
        "username": USER,
        "password": PASSWORD,
        "company_key": KEY,
        "report_format": "json",
        "discover_columns": False,
        "exports": {"response": {"columns": ["STATUS", "TEXT"]}},
        **_JOBS,
    },
    {"api_url": ""},
    {
        "GET /api/public/teams": reply({"status": "PASS", "result": []}),
        "GET /api/public/config/timezones": reply({"status": "PASS", "result": [{"id": "UTC"}]}),
        START: reply({"status": "PASS", "result": {**_IDS, "downloadUrl": "", "statusUrl": ""}}),
        POLL: reply(job_state()),
        DOWNLOAD: to("http://127.0.0.1:{port}/stored"),
        STORED: reply([{"STATUS": "open", "TEXT": "hello"}]),
    },
    ["response"],
    [USER, PASSWORD, KEY],
)
S3_INDEX, S3_LIST = "GET /exports/index.csv", "GET /exports/"
S3_FILE = "GET /exports/revisions/1.json"
S3_EVENT = b'{"_n":"e","_p":"a","_t":1362920827,"x":1}\n'
_S3_OBJECT = (
    f"<Contents><Key>revisions/1.json</Key><Size>{len(S3_EVENT)}</Size><ETag>e1</ETag></Contents>"
)


def s3_list(others: str = "", more: str = "<IsTruncated>false</IsTruncated>") -> bytes:
    """Return a page of the list of files, with other objects after the only file."""
    return f"<ListBucketResult>{more}{_S3_OBJECT}{others}</ListBucketResult>".encode()


KISSMETRICS_S3 = Account(
    "tap-kissmetrics",
    {
        "raw_exports": [{"product": "shop", "url": "s3://exports"}],
        "aws_access_key_id": KEY,
        "aws_secret_access_key": PASSWORD,
    },
    {"aws_endpoint_url": ""},
    {
        S3_INDEX: reply(b"filename,min_timestamp,max_timestamp\nrevisions/1.json,,\n"),
        "GET /exports/status.csv": reply(b"total_revisions,exported_revisions\n1,1\n"),
        S3_LIST: reply(s3_list()),
        S3_FILE: reply(S3_EVENT, 206, ("ETag", '"e1"')),
    },
    ["raw_events"],
    [KEY, PASSWORD],
)
ACCOUNTS = {
    "kindmetrics": KINDMETRICS,
    "kissmetrics": KISSMETRICS,
    "kissmetrics v3": KISSMETRICS_V3,
    "khoros": KHOROS,
    "kissmetrics s3": KISSMETRICS_S3,
}
