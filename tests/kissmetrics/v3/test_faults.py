"""Temporary faults of a server do not change the output of version 3."""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.faults import Fault
from sandbox.kissmetrics import RunRules
from tap_kit import SyncFailed

from tests.kissmetrics.test_faults import FAST, PASSING, content
from tests.kissmetrics.v3.site import SQL
from tests.spread import in_turn, retried, retries, spread

if TYPE_CHECKING:
    from tests.kissmetrics.v3.conftest import ServeV3
    from tests.kissmetrics.v3.site import V3Site

SETTINGS: dict[str, Any] = {
    "end_date": "2024-02-01",
    "page_size": 10,
    "request_timeout": 1,
    "queries": [SQL],
}


@pytest.fixture
def site(serve_v3: ServeV3) -> V3Site:
    """Return a small account: its first, middle and last request differ in kind."""
    sizes = {"products": 1, "reports": 2, "events": 25, "properties": 5, "rows_per_day": 12}
    return serve_v3(sizes=sizes, run_rules=RunRules(polls=1))


def test_temporary_fault_of_every_kind_does_not_change_the_output(
    serve_v3: ServeV3, caplog: pytest.LogCaptureFixture
) -> None:
    site = serve_v3(run_rules=RunRules(polls=2))
    undisturbed = site.sync(max_concurrency=1, **SETTINGS)
    requests = site.api.log.count
    site.api.log.clear()
    site.api.faults[:] = spread(PASSING, requests)
    assert content(site.sync(max_concurrency=1, **SETTINGS)) == content(undisturbed)
    assert len(retried(caplog)) == retries(PASSING)


def test_faults_in_all_first_attempts_do_not_change_the_output(
    site: V3Site, caplog: pytest.LogCaptureFixture
) -> None:
    undisturbed = site.sync(max_concurrency=8, **SETTINGS)
    site.api.log.clear()
    site.api.faults[:] = in_turn(FAST)
    assert content(site.sync(max_concurrency=1, **SETTINGS)) == content(undisturbed)
    assert len(retried(caplog)) == site.api.log.count / 2


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        *zip(
            ["html", "bad_json", "wrong_shape", "cut_body", "reset"],
            cycle(["/events", "/queries/report$", "/queries/[0-9a-f]"]),
        )
    ],
)
def test_permanent_fault_fails_the_run_after_five_tries(site: V3Site, kind: str, path: str) -> None:
    site.api.faults.append(Fault(**PASSING[kind], path=path))
    _, error = site.failing_sync(SyncFailed, max_concurrency=1, **SETTINGS)
    assert str(error).startswith("POST " if "report" in path else "GET ")
    assert str(error).endswith("; failed after 5 tries")
    assert "\n" not in str(error)


@pytest.mark.parametrize("workers", [2, 8])
def test_output_does_not_depend_on_max_concurrency(serve_v3: ServeV3, workers: int) -> None:
    sizes = {"events": 24, "properties": 24}  # two pages of each product
    site = serve_v3(run_rules=RunRules(polls=1), sizes=sizes)
    settings: dict[str, Any] = {
        "queries": [SQL],
        "metric_ids": site.metric_ids[:3],
        "page_size": 7,
        "end_date": "2024-02-01",
    }
    one_by_one = site.sync(max_concurrency=1, **settings)
    assert site.api.log.max_in_flight == 1
    site.api.log.clear()
    site.api.faults.append(Fault("stall", wait_ms=30, every=3))
    overlapping = site.sync(max_concurrency=workers, **settings)
    assert content(overlapping) == content(one_by_one)
    assert 2 <= site.api.log.max_in_flight <= workers


@pytest.mark.parametrize("shards", [3])
def test_all_shards_together_load_the_same_as_one_run(site: V3Site, shards: int) -> None:
    streams = ("products", "events", "report_results", "metric_results", "query_results")
    settings: dict[str, Any] = {
        "queries": [SQL],
        "metric_ids": site.metric_ids,
        "end_date": "2024-02-01",
    }
    whole = site.sync(*streams, **settings)
    outputs = [site.sync(*streams, shard=f"{n}/{shards}", **settings) for n in range(shards)]
    key = {"products": "id", "events": "id"}
    for name in streams:
        rows = [row[key.get(name, "row_id")] for output in outputs for row in output.rows(name)]
        assert sorted(rows) == sorted(row[key.get(name, "row_id")] for row in whole.rows(name))
