"""Requests overlap across the whole tap, up to max_concurrency; the output does not change."""

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


@pytest.mark.parametrize("workers", [2, 64])
def test_the_output_does_not_depend_on_max_concurrency(serve: Serve, workers: int) -> None:
    site = serve(domains=2)
    settings: dict[str, Any] = {"segments": [{"name": "all"}, {"name": "se", "country": "SE"}]}
    one_by_one = site.sync(max_concurrency=1, **settings)
    assert site.api.log.max_in_flight == 1
    site.api.log.clear()
    site.api.faults.extend(JITTER)
    site.api.app.latency_ms = 5
    overlapping = site.sync(max_concurrency=workers, **settings)
    assert overlapping.without_clock == one_by_one.without_clock
    assert 2 <= site.api.log.max_in_flight <= workers


def test_eight_workers_read_small_partitions_at_the_same_time(serve: Serve) -> None:
    """Three windows are fewer than eight workers, so work overlaps across partitions."""
    site = serve(domains=50, latency_ms=40, visitors_per_day=3, pages_per_day=3)
    output = site.sync("countries", "domain_stats", max_concurrency=8, end_date="2024-02-03")
    assert len(output.rows("domain_stats")) == 50 * 3
    log = site.api.log
    assert 7 <= log.max_in_flight <= 8
    requests = [r for r in log.requests if r.path.startswith("/api/domains/")]
    assert len(requests) == 50 * 3 * 2


def test_requests_of_different_streams_overlap(serve: Serve) -> None:
    """For one domain and one day, each stream sends one request."""
    site = serve(domains=1, latency_ms=60, referrers_route="documented")
    site.sync(max_concurrency=8, end_date="2024-02-01")
    assert 6 <= site.api.log.max_in_flight <= 8


def test_no_request_is_sent_twice(serve: Serve) -> None:
    site = serve(domains=3, referrers_route="documented")
    site.sync(max_concurrency=8)
    counts = Counter(site.requested())
    assert {target for target, count in counts.items() if count > 1} == set()


def test_connections_are_reused(serve: Serve) -> None:
    site = serve(referrers_route="documented")
    site.sync(max_concurrency=4)
    assert len({request.client for request in site.api.log.requests}) <= 4


def test_the_rate_limit_holds(site: Site) -> None:
    """The run sends the requests of the first minute, then waits until it is stopped."""
    site.api.app.latency_ms = 0
    ended = site.interrupted(seconds=1.5, requests_per_minute=10, max_concurrency=8)
    assert site.api.log.count == 10
    assert ended.code == 130
