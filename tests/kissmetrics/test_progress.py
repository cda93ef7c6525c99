"""The tasks that count as planned and as done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.kissmetrics import RunRules
from tap_kissmetrics.tap import TapKissmetrics

from tests.processes import collected

if TYPE_CHECKING:
    import pytest

    from tests.kissmetrics.conftest import Serve


def test_further_pages_do_not_count_as_tasks(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    """Otherwise more tasks would be done than were planned."""
    site = serve(run_rules=RunRules(polls=1), sizes={"events": 30, "properties": 30})
    tap = TapKissmetrics(config=site.settings(page_size=3))
    with collected(), caplog.at_level("INFO"):
        tap.execute()
    (plan,) = (text for text in caplog.messages if text.startswith("Plan: "))
    assert plan.startswith(
        f"Plan: {tap.run.progress.tasks} tasks, at most 4 at a time (accounts 1, "
    )
    assert tap.run.progress.done == tap.run.progress.tasks
    assert len(site.api.log.requests) > 2 * tap.run.progress.tasks
    (end,) = (text for text in caplog.messages if text.startswith("Done after "))
    assert f", {len(site.api.log.requests)} requests, " in end


def test_tasks_of_a_missing_report_count_as_done(serve: Serve) -> None:
    site = serve(run_rules=RunRules(polls=1))
    reports = site.api.data.runnable_reports()
    settings = site.settings(reports=[{"id": report} for report in reports])
    site.api.delete_report(reports[0])
    tap = TapKissmetrics(config=settings)
    with collected():
        tap.execute()
    assert tap.run.progress.done == tap.run.progress.tasks > len(reports)
    assert tap.run.progress.warnings.count >= 1
