"""A run that is stopped by a signal cancels its queries; it keeps those that it cannot cancel."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.faults import Fault
from sandbox.kissmetrics import RunRules, V3Rules

from tests.kissmetrics.rows import comparable
from tests.kissmetrics.site import days
from tests.kissmetrics.test_resume import jobs
from tests.kissmetrics.v3.rows import expected_rows
from tests.singer import Output

if TYPE_CHECKING:
    from tests.kissmetrics.v3.conftest import ServeV3
    from tests.kissmetrics.v3.site import V3Site

NEVER, QUICK = RunRules(run_seconds=3600), RunRules(polls=0)
IN_TIME_S = 5


def stopped(site: V3Site, number: int, running: int, **changes: Any) -> tuple[Output, str]:
    """Stop a run when ``running`` queries run; return its output and its log."""
    with site.started(max_concurrency=running, **changes) as tap:
        deadline = time.monotonic() + 20
        while len(site.api.runs) < running:
            assert time.monotonic() < deadline
            assert tap.poll() is None
            time.sleep(0.01)
        time.sleep(0.3)
        began = time.monotonic()
        tap.send_signal(number)
        stdout, stderr = tap.communicate(timeout=20)
    assert time.monotonic() - began < IN_TIME_S
    assert tap.returncode == 128 + number
    assert b"Traceback" not in stderr
    return Output(stdout.decode()), stderr.decode()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_running_queries_are_cancelled_and_removed_from_the_state(
    serve_v3: ServeV3, number: int
) -> None:
    site = serve_v3(run_rules=NEVER)
    output, log = stopped(site, number, 3, poll_interval_ms=20)
    assert len(site.api.cancelled) == len(set(site.api.cancelled)) == len(site.api.runs) == 3
    assert jobs(output.state) == {}
    assert "Cancelled 3 of 3 running jobs" in log
    site.api.run_rules = QUICK
    again = site.sync("report_results", state=output.state)
    assert comparable(again.rows("report_results")) == expected_rows(site.api, days())


def test_cancelling_does_not_wait_for_the_rate_limit(serve_v3: ServeV3) -> None:
    """It is used up by then: a request that waited for it would wait for a minute."""
    site = serve_v3(run_rules=NEVER, sizes={"products": 1})
    catalog = site.catalog("report_results")
    # Two pages each of products and of reports, and two starts.
    output, _ = stopped(site, signal.SIGINT, 2, requests_per_minute=6, catalog=catalog)
    assert len(site.api.log.requests) == 6 + 2
    assert len(site.api.cancelled) == 2
    assert jobs(output.state) == {}


@pytest.mark.parametrize(
    "fault", [{"kind": "reset"}, {"status": 500}, {"status": 429}, {"kind": "html"}], ids=str
)
def test_query_that_cannot_be_cancelled_is_resumed_by_the_next_run(
    serve_v3: ServeV3, fault: dict[str, Any]
) -> None:
    site = serve_v3(run_rules=NEVER)
    site.api.faults.append(Fault(**fault, method="DELETE"))
    output, log = stopped(site, signal.SIGTERM, 3, poll_interval_ms=20)
    assert len(jobs(output.state)) == 3
    assert "Cancelled 0 of 3 running jobs" in log
    started = dict(site.api.runs)
    site.api.faults.clear()
    site.api.run_rules = QUICK
    again = site.sync("report_results", state=output.state)
    assert comparable(again.rows("report_results")) == expected_rows(site.api, days())
    assert {run: site.api.runs[run] for run in started} == started, "each was run once"
    assert jobs(again.state) == {}


def test_server_that_does_not_respond_is_not_waited_for(serve_v3: ServeV3) -> None:
    site = serve_v3(run_rules=NEVER)
    site.api.faults.append(Fault("stall", wait_ms=30_000, method="DELETE"))
    output, log = stopped(site, signal.SIGTERM, 3, poll_interval_ms=20)
    assert len(jobs(output.state)) == 3
    assert "Cancelled 0 of 3 running jobs" in log
    site.api.run_rules = QUICK
    again = site.sync("report_results", state=output.state)
    assert comparable(again.rows("report_results")) == expected_rows(site.api, days())


def test_running_queries_are_cancelled_and_finished_ones_are_kept(serve_v3: ServeV3) -> None:
    site = serve_v3(run_rules=NEVER)
    site.api.faults.append(Fault("status", status=500, method="DELETE", only=frozenset({2})))
    output, log = stopped(site, signal.SIGTERM, 3, poll_interval_ms=20)
    assert len(site.api.cancelled) == 2
    (kept,) = [ids["query_id"] for ids in jobs(output.state).values()]
    assert kept not in site.api.cancelled
    assert "Cancelled 2 of 3 running jobs" in log


def test_query_that_the_server_no_longer_knows_is_not_kept(serve_v3: ServeV3) -> None:
    site = serve_v3(run_rules=NEVER)
    site.api.faults.append(Fault("status", status=404, method="DELETE"))
    output, _ = stopped(site, signal.SIGTERM, 2, poll_interval_ms=20)
    assert jobs(output.state) == {}


def test_query_that_is_being_started_is_waited_for_and_cancelled(
    serve_v3: ServeV3,
) -> None:
    """Its id arrives after the signal: without it, nothing could cancel or resume the query."""
    site = serve_v3(run_rules=NEVER)
    site.api.faults.append(Fault("stall", wait_ms=700, method="POST"))
    output, _ = stopped(site, signal.SIGINT, 2, poll_interval_ms=20)
    assert len(site.api.cancelled) == len(site.api.runs)
    assert jobs(output.state) == {}


def test_finished_queries_are_kept_for_the_next_run(serve_v3: ServeV3) -> None:
    """A finished query whose rows are not written yet would be run again otherwise."""
    site = serve_v3(run_rules=QUICK, v3=V3Rules())
    slow = site.ids("reports")[0]
    site.api.run_rules_of[str(slow)] = NEVER
    with site.started(max_concurrency=3, poll_interval_ms=20) as tap:
        deadline = time.monotonic() + 20
        while len(site.requests("GET", "/queries/")) < 6:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        time.sleep(0.5)
        tap.send_signal(signal.SIGTERM)
        stdout, _ = tap.communicate(timeout=20)
    output = Output(stdout.decode())
    assert {run.report_id for run in site.api.runs if run.report_id == str(slow)}
    assert len(site.api.cancelled) <= 2, "the two windows of the slow report"
    kept = jobs(output.state)
    assert kept
    assert all(str(report_id) != str(slow) for _, report_id, _ in kept)
