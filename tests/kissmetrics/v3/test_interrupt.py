"""Stopped by a signal: what runs is called off on the vendor's side; what cannot be, is kept."""

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
    """What a run writes and logs that gets a signal when so many queries run."""
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
def test_running_queries_are_cancelled_and_not_in_the_state(serve_v3: ServeV3, number: int) -> None:
    site = serve_v3(run_rules=NEVER)
    output, log = stopped(site, number, 3, poll_interval_ms=20)
    assert len(site.api.cancelled) == len(set(site.api.cancelled)) == len(site.api.runs) == 3
    assert jobs(output.state) == {}
    assert "3 of 3 running jobs were called off" in log
    site.api.run_rules = QUICK
    again = site.sync("report_results", state=output.state)
    assert comparable(again.rows("report_results")) == expected_rows(site.api, days())


def test_the_budget_does_not_keep_it_from_calling_off(serve_v3: ServeV3) -> None:
    """It is spent by then: whoever waited for it would wait for a minute."""
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
def test_what_cannot_be_cancelled_is_picked_up_by_the_next_run(
    serve_v3: ServeV3, fault: dict[str, Any]
) -> None:
    site = serve_v3(run_rules=NEVER)
    site.api.faults.append(Fault(**fault, method="DELETE"))
    output, log = stopped(site, signal.SIGTERM, 3, poll_interval_ms=20)
    noted = jobs(output.state)
    assert len(noted) == 3
    assert "0 of 3 running jobs were called off" in log
    started = dict(site.api.runs)
    site.api.faults.clear()
    site.api.run_rules = QUICK
    again = site.sync("report_results", state=output.state)
    assert comparable(again.rows("report_results")) == expected_rows(site.api, days())
    assert {run: site.api.runs[run] for run in started} == started, "paid for once"
    assert jobs(again.state) == {}


def test_a_server_that_does_not_answer_is_not_waited_for(serve_v3: ServeV3) -> None:
    site = serve_v3(run_rules=NEVER)
    site.api.faults.append(Fault("stall", wait_ms=30_000, method="DELETE"))
    output, log = stopped(site, signal.SIGTERM, 3, poll_interval_ms=20)
    assert len(jobs(output.state)) == 3
    assert "0 of 3 running jobs were called off" in log
    site.api.run_rules = QUICK
    again = site.sync("report_results", state=output.state)
    assert comparable(again.rows("report_results")) == expected_rows(site.api, days())


def test_some_are_cancelled_and_the_others_kept(serve_v3: ServeV3) -> None:
    site = serve_v3(run_rules=NEVER)
    site.api.faults.append(Fault("status", status=500, method="DELETE", only=frozenset({2})))
    output, log = stopped(site, signal.SIGTERM, 3, poll_interval_ms=20)
    assert len(site.api.cancelled) == 2
    (kept,) = [ids["query_id"] for ids in jobs(output.state).values()]
    assert kept not in site.api.cancelled
    assert "2 of 3 running jobs were called off" in log


def test_a_query_that_the_server_has_forgotten_is_not_kept(serve_v3: ServeV3) -> None:
    site = serve_v3(run_rules=NEVER)
    site.api.faults.append(Fault("status", status=404, method="DELETE"))
    output, _ = stopped(site, signal.SIGTERM, 2, poll_interval_ms=20)
    assert jobs(output.state) == {}


def test_a_query_whose_start_is_on_its_way_is_waited_for_and_cancelled(
    serve_v3: ServeV3,
) -> None:
    """Its id comes after the signal: nobody else would ever know of it."""
    site = serve_v3(run_rules=NEVER)
    site.api.faults.append(Fault("stall", wait_ms=700, method="POST"))
    output, _ = stopped(site, signal.SIGINT, 2, poll_interval_ms=20)
    assert len(site.api.cancelled) == len(site.api.runs)
    assert jobs(output.state) == {}


def test_finished_queries_are_kept_for_the_next_run(serve_v3: ServeV3) -> None:
    """What is paid for and only waits for its turn is no use to nobody."""
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
