"""Requests overlap up to max_concurrency over the whole tap; the output does not depend on it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.faults import Fault
from sandbox.kissmetrics import PageRules, RunRules

from tests.kissmetrics.test_faults import content

if TYPE_CHECKING:
    from tests.kissmetrics.conftest import Serve
    from tests.kissmetrics.site import Site

JITTER = (Fault("stall", wait_ms=40, every=3), Fault("slow_body", wait_ms=70, every=7))


@pytest.mark.parametrize(
    ("workers", "form"), [(2, "envelope"), (8, "bare"), (64, "next_in_body_only")]
)
def test_output_does_not_depend_on_max_concurrency(serve: Serve, workers: int, form: str) -> None:
    rules = PageRules(form=form)  # type: ignore[arg-type]
    sizes = {"events": 20, "properties": 21}
    site = serve(pages=rules, run_rules=RunRules(polls=1, pages=rules), sizes=sizes)
    settings: dict[str, Any] = {"page_size": 7, "end_date": "2024-02-01"}
    one_by_one = site.sync(max_concurrency=1, **settings)
    assert site.api.log.max_in_flight == 1
    site.api.log.clear()
    site.api.faults.extend(JITTER)
    overlapping = site.sync(max_concurrency=workers, **settings)
    assert content(overlapping) == content(one_by_one)
    assert 2 <= site.api.log.max_in_flight <= workers


def test_reports_run_in_parallel_up_to_max_concurrency(serve: Serve) -> None:
    site = serve(run_rules=RunRules(run_seconds=0.4))
    site.sync("report_results", max_concurrency=3, end_date="2024-02-01", poll_interval_ms=20)
    requests = site.api.log.requests
    starts = [r.started for r in requests if r.path.endswith("/run")]
    ends = [r.ended or 0.0 for r in requests if r.status == 201]
    assert len(starts) == len(ends) == len(site.runnable()) == 4
    running = [
        sum(start < moment for start in starts) - sum(e < moment for e in ends) for moment in ends
    ]
    assert max(running) == 3
    assert site.api.log.max_in_flight <= 3


def test_every_request_is_sent_once(site: Site) -> None:
    """Only the lists that both a stream and the plan need are requested twice."""
    site.sync(max_concurrency=8)
    counts = Counter(
        target for target in site.requested() if not target.endswith(("/run", "/status"))
    )
    twice = {target for target, count in counts.items() if count > 1}
    first = "?limit=1000&offset=0"
    assert twice == {f"/core/reports{first}", f"/core/products{first}"}
