"""Requests overlap, over the whole tap and never more than allowed; the output does not show it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.faults import Fault

if TYPE_CHECKING:
    from tests.kindmetrics.conftest import Serve
    from tests.kindmetrics.site import Site

JITTER = (
    Fault("stall", wait_ms=40, every=3),
    Fault("slow_body", wait_ms=70, every=7),
    Fault("stall", wait_ms=150, every=20),
)


@pytest.mark.parametrize("workers", [2, 8, 64])
def test_the_output_is_the_same_as_with_one_request_at_a_time(serve: Serve, workers: int) -> None:
    site = serve(domains=3)
    settings: dict[str, Any] = {"segments": [{"name": "all"}, {"name": "se", "country": "SE"}]}
    one_by_one = site.sync(max_concurrency=1, **settings)
    assert site.api.log.max_in_flight == 1
    site.api.log.clear()
    site.api.faults.extend(JITTER)
    site.api.app.latency_ms = 5
    overlapping = site.sync(max_concurrency=workers, **settings)
    assert overlapping.without_clock == one_by_one.without_clock
    assert 2 <= site.api.log.max_in_flight <= workers


def test_fifty_domains_of_three_windows_keep_eight_busy(serve: Serve) -> None:
    """Three windows a partition are not enough for eight: work overlaps across partitions."""
    site = serve(domains=50, latency_ms=40, visitors_per_day=3, pages_per_day=3)
    output = site.sync(
        catalog=site.catalog("countries", "domain_stats"), max_concurrency=8, end_date="2024-02-03"
    )
    assert len(output.rows("domain_stats")) == 50 * 3
    log = site.api.log
    assert 7 <= log.max_in_flight <= 8
    requests = [r for r in log.requests if r.path.startswith("/api/domains/")]
    assert len(requests) == 50 * 3 * 2
    began, ended = requests[0].started, max(r.ended or 0.0 for r in requests)
    busy = sum((r.ended or 0.0) - r.started for r in requests)
    assert busy / (ended - began) > 5.5  # of 8, over the whole run, on a noisy machine too


def test_work_overlaps_across_streams(serve: Serve) -> None:
    """One domain, one day: there is one request a stream, and still they overlap."""
    site = serve(domains=1, latency_ms=60, referrers_route="documented")
    site.sync(max_concurrency=8, end_date="2024-02-01")
    assert 6 <= site.api.log.max_in_flight <= 8


def test_a_request_is_made_once(serve: Serve) -> None:
    site = serve(domains=3, referrers_route="documented")
    site.sync(max_concurrency=8)
    counts = Counter(site.asked())
    assert {target for target, count in counts.items() if count > 1} == set()


def test_connections_are_kept(serve: Serve) -> None:
    site = serve(referrers_route="documented")
    site.sync(max_concurrency=4)
    assert len({request.client for request in site.api.log.requests}) <= 4


def test_not_more_requests_a_minute_than_allowed(site: Site) -> None:
    """The budget of the first minute is spent at once; the run is then stopped while it waits."""
    site.api.app.latency_ms = 0
    ended = site.interrupted(seconds=1.5, requests_per_minute=10, max_concurrency=8)
    assert site.api.log.count == 10
    assert ended.code == 130
