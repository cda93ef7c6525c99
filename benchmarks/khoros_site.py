"""A Khoros tenant in the sandbox, and the settings that a tap or a peer needs to read it."""

from __future__ import annotations

import time
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import requests

from benchmarks.runs import vendor

if TYPE_CHECKING:
    from collections.abc import Iterator

DAY = {"start_date": "2026-01-10", "end_date": "2026-01-10"}
DAY_MS = {
    "startTime": int(datetime(2026, 1, 10, tzinfo=timezone.utc).timestamp() * 1000),
    "endTime": int(datetime(2026, 1, 11, tzinfo=timezone.utc).timestamp() * 1000),
}
TAP = "tap-khoros-analytics"
EXPORT = "incoming_post"  # of 20 columns and, in JSON, the time zone


@contextmanager
def tenant(*options: str) -> Iterator[dict[str, Any]]:
    """Serve a tenant, and yield the tap's settings for it."""
    with vendor("khoros", "--now", "2026-02-01", *options) as address:
        yield {
            "api_url": address,
            "username": "analytics-user",
            "password": "demo-password",
            "company_key": "demo-company",
            "requests_per_minute": 1_000_000,
            "poll_interval_ms": 200,
            **DAY,
        }


def finished_job(settings: dict[str, Any], report_format: str) -> dict[str, Any]:
    """Run a job, and return its download URL and the credentials, for a peer.

    Raises:
        RuntimeError: the job does not end.
    """
    reports = f"{settings['api_url']}/api/public/reports/report"
    access = {name: settings[name] for name in ("username", "password")}
    key = {"companyKey": settings["company_key"]}
    session = requests.Session()
    session.auth = (access["username"], access["password"])
    params = {**DAY_MS, "reportFormat": report_format, "locale": "en", "timezone": "UTC", **key}
    ids = session.post(f"{reports}/{EXPORT}", params=params, timeout=60).json()["result"]
    place = f"{reports}/{quote(ids['workflowId'], safe='')}/{quote(ids['runId'], safe='')}"
    for _ in range(100):
        status = session.get(f"{place}/status", params=key, timeout=60).text
        if "CLOSED" in status:
            url = f"{place}/download?companyKey={quote(key['companyKey'])}"
            return {"url": url, **access, "format": report_format}
        time.sleep(0.1)
    msg = "the sandbox's job does not end"
    raise RuntimeError(msg)
