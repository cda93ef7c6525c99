"""Anomalies of settings and addresses."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from tests.anomalies.anomaly import Anomaly
from tests.anomalies.lists import COMPLETE, always, at
from tests.anomalies.server import Received, Reply
from tests.anomalies.vendors import CORE, KHOROS, KINDMETRICS, NOT_FOUND, V3

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.anomalies.vendors import Vendor

SETTINGS, ADDRESSES = "Settings", "Addresses and servers"


ERROR = "an error that names the setting"


def _wrong(
    vendor: Vendor,
    what: str,
    settings: Mapping[str, Any],
    *says: str,
    streams: Sequence[str] = (),
    make: Any = None,
) -> Anomaly:
    return Anomaly(
        SETTINGS,
        vendor,
        what,
        ERROR,
        make or (lambda: lambda _: None),
        streams,
        settings,
        code=1,
        says=says,
    )


def moved(request: Received) -> Reply | None:
    """Another service."""
    return NOT_FOUND if request.path else None


TOMORROW = (datetime.now(timezone.utc).date() + timedelta(days=2)).isoformat()


SETTINGS_AND_ADDRESSES = (
    _wrong(
        KINDMETRICS,
        "a `start_date` in the future",
        {"start_date": TOMORROW, "end_date": ...},
        "start_date",
        "future",
    ),
    _wrong(
        KHOROS,
        "a `start_date` in the future",
        {"start_date": TOMORROW, "end_date": ...},
        "start_date",
        "future",
    ),
    _wrong(KINDMETRICS, "`domain_ids` of which none exists", {"domain_ids": [5, 6]}, "domain_ids"),
    Anomaly(
        SETTINGS,
        KINDMETRICS,
        "`domain_ids` of which one exists",
        "the rows, and a warning",
        streams=["pages"],
        settings={"domain_ids": [1, 6]},
        rows={"pages": 10},
        says=["domain_ids", "6"],
    ),
    _wrong(
        CORE,
        "`product_ids` of which none exists",
        {"product_ids": ["x"]},
        "product_ids",
        streams=["events"],
    ),
    _wrong(
        CORE,
        "the same, for reports",
        {"product_ids": ["x"]},
        "product_ids",
        streams=["report_results"],
    ),
    _wrong(
        V3,
        "`product_ids` of which none exists",
        {"product_ids": [9]},
        "product_ids",
        streams=["events"],
    ),
    _wrong(
        CORE,
        "`reports` of which none exists",
        {"reports": [{"id": "x"}]},
        "reports",
        streams=["report_results"],
    ),
    _wrong(
        V3,
        "`metric_ids` of which none exists",
        {"metric_ids": [9]},
        "metric_ids",
        streams=["metric_results"],
        make=always("/v3/queries/metric", NOT_FOUND),
    ),
    Anomaly(
        SETTINGS,
        KINDMETRICS,
        "a shard without a partition",
        "no rows; exit code 0",
        streams=["pages"],
        settings={"shard": "0/3"},
        rows={"pages": 0},
    ),
    _wrong(
        KINDMETRICS, "`domain_ids` is empty", {"domain_ids": []}, "domain_ids must not be empty"
    ),
    _wrong(KINDMETRICS, "`segments` is empty", {"segments": []}, "segments must not be empty"),
    _wrong(CORE, "`product_ids` is empty", {"product_ids": []}, "product_ids must not be empty"),
    _wrong(CORE, "`reports` is empty", {"reports": []}, "reports must not be empty"),
    _wrong(V3, "a product id of 5,000 digits", {"product_ids": ["9" * 5000]}, "product_ids[0]"),
    _wrong(
        KHOROS,
        "an unknown `timezone`",
        {"timezone": "Europe/Nowhere"},
        "timezone",
        streams=["author"],
    ),
    _wrong(
        KHOROS,
        "a `timezone` in another case",
        {"timezone": "europe/berlin"},
        "did you mean Europe/Berlin",
        streams=["author"],
    ),
    _wrong(
        KHOROS,
        "a filter by a team that does not exist",
        {"exports": {"raw_agent_states": {"filters": {"teamIds": [99]}}}},
        "teamIds",
        streams=["raw_agent_states"],
    ),
    Anomaly(
        SETTINGS,
        KHOROS,
        "several wrong settings",
        "a line for each, in one pass",
        code=1,
        settings={
            "start_date": "x",
            "password": "",
            "exports": {"author": {"filters": {"colour": "red"}}},
        },
        says=["start_date"],
        check=lambda ended: all(
            any(word in line for line in ended.errors)
            for word in ("start_date", "password", "colour")
        ),
    ),
    Anomaly(
        ADDRESSES,
        CORE,
        "404 for everything",
        "an error that names `api_url`",
        lambda: moved,
        ["events"],
        code=1,
        says=["api_url"],
    ),
    Anomaly(
        ADDRESSES,
        KINDMETRICS,
        "404 for everything",
        "an error that names `api_url`",
        lambda: moved,
        ["pages"],
        code=1,
        says=["api_url"],
    ),
    Anomaly(
        ADDRESSES,
        KHOROS,
        "404 for everything",
        "an error that names `api_url`",
        lambda: moved,
        ["author"],
        code=1,
        says=["api_url"],
    ),
    Anomaly(
        ADDRESSES,
        V3,
        "404 for everything",
        "an error that names `v3_url`",
        lambda: moved,
        ["products"],
        code=1,
        says=["v3_url"],
    ),
    Anomaly(
        ADDRESSES,
        KINDMETRICS,
        "503 with `Retry-After: 0`, four times",
        COMPLETE,
        at("/pages", *[Reply({}, 503, {"Retry-After": "0"})] * 4),
        ["pages"],
        {"max_concurrency": 1},
        rows={"pages": 10},
    ),
)
