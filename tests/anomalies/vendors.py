"""Small fakes of the vendors, written from ``docs/reference``.

Each is a function from a request to a response. A case puts its own function, the anomaly, in
front of it: where that returns None, the fake responds.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from tap_khoros_analytics.tap import TapKhorosAnalytics
from tap_kindmetrics.tap import TapKindmetrics
from tap_kissmetrics.tap import TapKissmetrics

from tests.anomalies.server import Received, Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tap_kit.tap import KitTap

NOT_FOUND = Reply({"message": "Not found"}, 404)
DAYS = {"start_date": "2024-02-01", "end_date": "2024-02-05"}
EVENTS, PAGE = 45, 20


@dataclass(frozen=True)
class Vendor:
    """A fake: its tap, the settings for it at a URL, and its usual responses."""

    name: str
    tap: type[KitTap]
    settings: Callable[[str], dict[str, Any]]
    respond: Callable[[Received], Reply]
    defaults: Mapping[str, Any] = field(default_factory=dict)


# Kindmetrics


def kindmetrics(request: Received) -> Reply:
    """One domain; each list has two rows a day."""
    day = request.parameters.get("from", "")
    rows: dict[str, Any] = {
        "/api/me": {"email": "demo@kindmetrics.example"},
        "/api/domains": [{"id": 1, "address": "shop.example"}],
        "/api/domains/1": {"address": "shop.example", "visitors": 5, "pageviews": 9, "bounce": 40},
        "/api/domains/1/pages": [
            {"address": f"/{day}", "visitors": 3, "percentage": 60},
            {"address": None, "visitors": 2, "percentage": 40},
        ],
        "/api/domains/1/goals": [
            {"name": "Sign up", "kind": "Path", "conversions": 1},
            {"name": "Sign up", "kind": "Event", "conversions": 2},
        ],
    }
    return Reply(rows[request.path]) if request.path in rows else NOT_FOUND


# Kissmetrics, Core API and version 2 of the query API

PRODUCT = {"id": "p1", "name": "Shop", "timezone": "UTC"}
REPORT = {"id": "r1", "name": "Who", "product_id": "p1", "report_type": "people_search_v2"}


def records(count: int, **fields: Any) -> list[dict[str, Any]]:
    """Return records of a list with ascending ids."""
    return [{"id": f"e{number}", "name": f"event {number}", **fields} for number in range(count)]


def page_of(request: Received, rows: list[Any], **more: Any) -> Reply:
    """Return a page of a list in the documented envelope, with its total."""
    begin = request.offset
    found = rows[begin : begin + min(request.limit, PAGE)]
    pagination = {"limit": request.limit, "offset": begin, "total": len(rows), **more}
    return Reply({"meta": {"status": 200}, "data": found, "pagination": pagination, "links": []})


def core(request: Received) -> Reply:
    """One account, product and report; 45 events in pages of 20; two people a day."""
    last, path = request.last_part, request.path
    lists: dict[str, list[Any]] = {
        "/core/accounts": [{"id": "a1", "updated_at": "2024-01-01T00:00:00Z"}],
        "/core/products": [PRODUCT],
        "/core/reports": [REPORT],
        "/core/events": records(EVENTS),
    }
    if path in lists:
        return page_of(request, lists[path])
    if path.startswith("/core/products/p1"):
        return page_of(request, records(2)) if last != "p1" else Reply({"data": PRODUCT})
    if path == "/core":
        return Reply({"data": {"name": "root", "links": []}})
    return run_of_report(request) or NOT_FOUND


def run_of_report(request: Received) -> Reply | None:
    """Return the response to the run of a report, its status, or its two results."""
    if request.last_part == "run":
        day = json.loads(request.body)["start_date"][:10]
        return Reply({}, 202, {"Location": f"/v2/queries/q-{day}/status"})
    if request.last_part == "status":
        place = request.path.replace("/status", "/results")
        return Reply({"data": {"completed": True}}, 201, {"Location": place})
    if request.last_part == "results":
        return page_of(request, [[1, "a@x.example", 1], [2, "b@x.example", 2]])
    return None


# Kissmetrics, version 3


def v3(request: Received) -> Reply:
    """One product; a query with 130 rows."""
    if request.path == "/v3/products":
        return Reply({"data": [{"id": 1, "name": "Shop", "timezone": "UTC"}][request.offset :]})
    if request.method == "POST":
        return Reply({"id": "3f1c-1"})
    if request.path.startswith("/v3/queries/"):
        return v3_rows(request, [["row", number] for number in range(130)])
    if request.path.endswith(("/events", "/properties", "/reports")):
        return Reply({"data": []})
    return NOT_FOUND


def v3_rows(request: Received, rows: list[Any]) -> Reply:
    """Return a page of the results of a query that is completed."""
    found = rows[request.offset : request.offset + min(request.limit, 50)]
    return Reply({"completed": True, "data": found})


# Khoros


def khoros(request: Received) -> Reply:
    """One team and two zones; an export has two rows a day."""
    last, path = request.last_part, request.path
    if last == "teams":
        return envelope([{"teamId": 7, "name": "Support", "uuid": "u-7", "numberOfMembers": 2}])
    if last == "timezones":
        return envelope([{"id": "UTC", "name": "UTC"}, {"id": "Europe/Berlin", "name": "Berlin"}])
    if last == "status":
        ids = {"workflowId": path.split("/")[-3], "runId": path.split("/")[-2]}
        done = {"runnerState": "CLOSED", "detail": "COMPLETED"}
        info = {**ids, "downloadUrl": "https://elsewhere.example/x", "statusUrl": ""}
        return envelope({"jobInfo": info, "result": done})
    if last == "download":
        day, _, kind = path.split("/")[-2].partition(".")
        if kind == "csv":
            return Reply(
                f"AUTHOR_ID\n{day}-1\n{day}-2\n".encode(), headers={"Content-Type": "text/csv"}
            )
        return Reply([{"AUTHOR_ID": f"{day}-1"}, {"AUTHOR_ID": f"{day}-2"}])
    milliseconds = int(request.parameters["startTime"])
    epoch = datetime(1970, 1, 1, tzinfo=timezone.utc)
    day = str((epoch + timedelta(milliseconds=milliseconds)).date())
    kind = ".csv" if request.parameters.get("reportFormat") == "csv" else ""
    return envelope({"workflowId": last, "runId": day + kind})


def envelope(result: Any) -> Reply:
    """Return a response in the vendor's envelope."""
    return Reply({"status": "PASS", "request": None, "message": None, "result": result})


KINDMETRICS = Vendor(
    "Kindmetrics",
    TapKindmetrics,
    lambda url: {"api_url": url, "api_token": "t0ken", **DAYS},
    kindmetrics,
)
CORE = Vendor(
    "Kissmetrics",
    TapKissmetrics,
    lambda url: {
        "api_url": url,
        "query_url": url,
        "api_token": "t0ken",
        "page_size": PAGE,
        "poll_interval_ms": 1,
        **DAYS,
    },
    core,
)
V3 = Vendor(
    "Kissmetrics v3",
    TapKissmetrics,
    lambda url: {
        "api_version": "v3",
        "v3_url": f"{url}/v3",
        "username": "key",
        "page_size": 50,
        "poll_interval_ms": 1,
        "requests_per_minute": 1_000_000,
        **DAYS,
        "queries": [{"name": "all", "query_type": "sql", "query_params": {"sql": "SELECT 1"}}],
    },
    v3,
)
KHOROS = Vendor(
    "Khoros",
    TapKhorosAnalytics,
    lambda url: {
        "username": "analyst-7f3a",
        "password": "s3cret-word",
        "company_key": "c0mpany-key",
        "api_url": url,
        "poll_interval_ms": 1,
        "requests_per_minute": 1_000_000,
        **DAYS,
        "discover_columns": False,
        "exports": {"author": {"columns": ["AUTHOR_ID"], "primary_key": ["AUTHOR_ID"]}},
    },
    khoros,
)
