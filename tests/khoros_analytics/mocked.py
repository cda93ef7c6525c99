"""The tap's client with mocked responses, for tests of many responses in this process."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from hypothesis import strategies as st
from requests_mock import ANY, Mocker
from tap_khoros_analytics.exports.definitions import EXPORTS
from tap_khoros_analytics.exports.jobs import ExportJob
from tap_khoros_analytics.tap import TapKhorosAnalytics

from tests.khoros_analytics.site import ACCESS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_khoros_analytics.exports.tenant import Tenant

HOSTILE_TEXTS = st.sampled_from(
    [
        "",
        ".",
        "..",
        "../../admin?x=1#",
        "http://[x",
        "https://h/report/%2e%2e/%ED%A0%80/status",
        "https://h/a/report/w/r/status?analyticsAccessToken=t0ken-of-a-job",
        "\ud800",
        "\x1b[2J\r\nERROR forged",
        "CLOSED",
        "COMPLETED",
        "x" * 100_000,
    ]
)
NAMES = st.sampled_from(
    [
        *("status", "result", "jobInfo", "workflowId", "runId", "statusUrl", "downloadUrl"),
        *("runnerState", "detail", "details", "totalCount", "id", "teamId"),
    ]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([2**63, -(2**70), 10**400])
    | st.text(max_size=20)
    | HOSTILE_TEXTS
)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(NAMES, inner, max_size=8)
        | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=20,
)
JOBS = st.dictionaries(NAMES, JSON | st.dictionaries(NAMES, SCALARS, max_size=6), max_size=6)
BODIES = (JSON | st.fixed_dictionaries({"result": JOBS | st.lists(JOBS, max_size=3)})).map(
    lambda value: json.dumps(value).encode()
)
"""The bodies of responses: any JSON, often with the names of the API."""


@contextmanager
def mocked(body: bytes, status: int = 200, **settings: Any) -> Iterator[Tenant]:
    """Return a tenant whose server sends one response to all requests; retries do not wait."""
    config = {**ACCESS, "discover_columns": False, "poll_interval_ms": 1, **settings}
    tap = TapKhorosAnalytics(config=config, setup_mapper=False)  # it takes long, and runs no stream
    no_sleep = patch.object(tap.run.throttle, "sleep", lambda _seconds: None)
    with no_sleep, Mocker() as mock, tap.run.connections:
        mock.register_uri(ANY, ANY, content=body, status_code=status)
        yield tap.tenant


def export_job(tenant: Tenant, export: str = "author") -> ExportJob:
    """Return a job that is not started."""
    return ExportJob(tenant.client, EXPORTS[export], {"startTime": "1"}, tenant.start_rules)
