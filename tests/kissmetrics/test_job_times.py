"""The polls of a query are timed by how long the last one took, in both versions of the API."""

from __future__ import annotations

import time
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.kissmetrics import RunRules
from tap_kit.net.throttle import Throttle
from tap_kit.run.run import Run

from tests.kissmetrics.rows import comparable
from tests.kissmetrics.v3.site import PASSWORD, USERNAME, V3Site

if TYPE_CHECKING:
    from tap_kit import JobRunner

    from tests.kissmetrics.conftest import Serve
    from tests.kissmetrics.site import Site
    from tests.singer import State

SETTINGS: dict[str, Any] = {
    "end_date": "2024-02-01",  # one window: lookback_days reads it again
    "poll_interval_ms": 2000,
    "max_concurrency": 1,
}


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the pauses, which pass no time but on the clocks of the tap and of the queries."""
    pauses: list[float] = []
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + sum(pauses))
    job_runner = Run.job_runner

    def with_clock(run: Run, **settings: Any) -> JobRunner:
        return replace(job_runner(run, **settings), clock=clock.monotonic)

    monkeypatch.setattr("sandbox.kissmetrics.queries.time", clock)
    monkeypatch.setattr(Run, "job_runner", with_clock)
    monkeypatch.setattr(Throttle, "sleep", lambda _throttle, seconds: pauses.append(seconds))
    return pauses


@pytest.fixture(params=["core", "v3"])
def one_report(request: pytest.FixtureRequest, serve: Serve) -> Site:
    """Return an account whose queries take a time, in each version of the API."""
    if request.param == "core":
        return serve()
    site = serve(email=USERNAME, password=PASSWORD)
    return V3Site(site.api, site.at, site.folder)


def report(site: Site) -> Any:
    """Return the id of a report."""
    return site.ids("reports")[0] if isinstance(site, V3Site) else site.runnable()[0]


@pytest.mark.parametrize(
    ("seconds", "first", "second", "saved"), [(0.5, 2, 1.6, 0), (20, 25.8, 22.8, 5)]
)
def test_next_run_polls_a_query_by_the_time_that_the_last_one_took(
    one_report: Site, slept: list[float], seconds: float, first: float, second: float, saved: int
) -> None:
    """A short query waits less, a long one gets two polls instead of seven."""
    one_report.api.run_rules = RunRules(run_seconds=seconds)
    settings = {**SETTINGS, "reports": [{"id": report(one_report)}]}
    state: State = {}
    sent, waited, rows = [], [], []
    for _ in range(2):
        before = len(one_report.requested())
        output = one_report.sync("report_results", state=state, **settings)
        sent.append(len(one_report.requested()) - before)
        waited.append(sum(slept))
        rows.append(comparable(output.rows("report_results")))
        state = output.state
        slept.clear()
    assert waited == pytest.approx([first, second], abs=0.1)
    assert sent[0] - sent[1] == saved
    assert rows[0] == rows[1] != []


def test_time_is_kept_for_each_report(one_report: Site, slept: list[float]) -> None:
    one_report.api.run_rules = RunRules(run_seconds=0.5)
    state = one_report.sync("report_results", **SETTINGS).state
    times = [part["job_ms"] for part in state["bookmarks"]["report_results"]["partitions"]]
    assert times == [1600] * len(times)
    assert sum(slept) == pytest.approx(2 * len(times), abs=0.1)
