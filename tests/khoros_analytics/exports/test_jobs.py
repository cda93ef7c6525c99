"""Jobs on the vendor's side: responses, failures, polling, concurrency."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
import tap_kit.net.throttle
from sandbox.faults import Fault
from tap_khoros_analytics.exports.definitions import EXPORTS
from tap_kit.errors import SyncFailed

from tests.khoros_analytics.expected import days, expected_rows, start_of
from tests.khoros_analytics.one_export import serving
from tests.khoros_analytics.site import EVENTS, ONE_DAY, all_jobs, bookmark, catalog_of

if TYPE_CHECKING:
    from tests.khoros_analytics.conftest import Serve
    from tests.khoros_analytics.site import Site


@pytest.mark.parametrize(
    "options",
    [
        {"status_result": "documented"},
        {"status_result": "object"},
        {"status_result": "list"},
        {"creation_result": "list"},
        {"bare_creations": [*EXPORTS]},
        {"bare_creations": [*EXPORTS], "creation_result": "list", "status_result": "list"},
        {"early_download_urls": [*EXPORTS], "running_polls": 3},
        {"empty_url_polls": 3},
        {"running_state": "QUEUED", "running_polls": 3},
        {"running_polls": 0},
        {"attach": "always"},
        {"attach": "never"},
    ],
    ids=str,
)
def test_all_forms_of_responses_lead_to_all_rows(serve: Serve, options: dict[str, Any]) -> None:
    site = serve(**options)
    output = site.sync("author", "user", **ONE_DAY)
    for export in ("author", "user"):
        assert output.rows(export) == expected_rows(site.api, export, days()[:1])
        assert site.starts[start_of(export, days()[0])] == 1


def test_reserved_characters_in_ids_are_quoted(serve: Serve) -> None:
    site = serve()
    site.sync("author", **ONE_DAY)
    (job,) = site.api.jobs
    assert {"+", "/", "="} < {*job.run_id}
    paths = [r.path for r in site.api.log.requests if r.path.endswith(("/status", "/download"))]
    assert len(paths) == 3
    for path in paths:
        assert path.count("/") == 7
        assert all(quoted in path for quoted in ("%2B", "%2F", "%3D"))


def test_a_failed_job_is_started_again(serve: Serve) -> None:
    site = serve(failing_runs={"author": 1})
    output = site.sync("author", **ONE_DAY)
    assert output.rows("author") == expected_rows(site.api, "author", days()[:1])
    assert site.starts[start_of("author", days()[0])] == 2


def test_a_failed_export_does_not_stop_the_others(serve: Serve) -> None:
    site = serve(failing_runs={"author": -1})
    ended = site.execute(catalog=catalog_of())
    assert ended.code == 1
    assert "Traceback" not in ended.stderr
    failed = "author, 2024-02-01; author, 2024-02-02"
    assert ended.errors[-1] == f"All other streams are complete; these failed: {failed}"
    assert "the vendor's job ended as FAILED" in ended.stderr
    for export in EXPORTS:
        if export not in {"author", "raw_brand_posts"}:
            assert ended.output.rows(export) == expected_rows(site.api, export, days()), export
    assert ended.output.rows("author") == []
    assert bookmark(ended.output.state, "author") is None
    assert site.starts[start_of("author", days()[0])] == 2


@pytest.mark.parametrize("detail", ["TERMINATED", "TIMED_OUT", ""])
def test_a_job_that_is_closed_but_not_completed_has_failed(
    serve: Serve, detail: str, caplog: pytest.LogCaptureFixture
) -> None:
    site = serve(failing_runs={"author": 1}, failed_detail=detail)
    output = site.sync("author", **ONE_DAY)
    assert len(output.rows("author")) == 9
    assert f"the vendor's job ended as {detail or 'unknown'}; starting it again" in caplog.text


def test_a_failed_export_is_read_by_the_next_run(serve: Serve) -> None:
    site = serve(failing_runs={"author": -1})
    output, _ = site.failing_sync(SyncFailed, "author")
    site.api.failing_runs = 0
    again = site.sync("author", state=output.state)
    assert again.rows("author") == expected_rows(site.api, "author", days())
    assert bookmark(again.state, "author") == "2024-02-03T00:00:00+00:00"
    assert all_jobs(again.state) == {}


@pytest.mark.parametrize(
    "fault",
    [
        Fault("status", status=400, path="report/author"),
        Fault("status", status=500, path="report/author"),
        Fault("html", path="report/author"),
        Fault("reset", path="report/author"),
    ],
    ids=lambda fault: f"{fault.kind} {fault.status}",
)
def test_a_rejected_start_fails_the_export(serve: Serve, fault: Fault) -> None:
    site = serve()
    site.api.faults.append(fault)
    output, error = site.failing_sync(SyncFailed, "author", "combined", "user")
    assert str(error).endswith("these failed: author, 2024-02-01; author, 2024-02-02")
    for export in ("combined", "user"):
        assert output.rows(export) == expected_rows(site.api, export, days())


def test_an_exception_text_in_place_of_a_result_is_reported(serve: Serve) -> None:
    text = "Unable to hydrate: com.lithium.HydrationException: Company company-k3y-c07d2a is off"
    site = serve(creation_errors={"author": text})
    ended = site.execute(catalog=catalog_of("author"), **ONE_DAY)
    assert ended.code == 1
    assert "the server did not start the export: Company *** is off" in ended.stderr


@pytest.mark.parametrize("options", [{"running_state": "PONDERING"}, {"job_seconds": 60}], ids=str)
def test_a_job_that_does_not_end_fails_at_the_poll_timeout(
    serve: Serve, options: dict[str, Any]
) -> None:
    site = serve(running_polls={"author": 10_000}, **options)
    begun = time.monotonic()
    output, error = site.failing_sync(SyncFailed, "author", poll_timeout=1, poll_interval_ms=100)
    assert time.monotonic() - begun < 30  # the job takes 60
    assert "author, 2024-02-01" in str(error)
    assert bookmark(output.state, "author") is None
    # The next run polls the job before it starts another one.
    site.api.running_polls, site.api.job_seconds = 1, 0
    assert site.sync("author", state=output.state).rows("author") != []
    assert site.starts[start_of("author", days()[0])] == 1


def test_a_job_that_the_server_no_longer_knows_is_started_again(serve: Serve) -> None:
    site = serve()
    site.api.faults.append(Fault("status", status=404, path="/status", only=frozenset({1})))
    output = site.sync("author", **ONE_DAY)
    assert len(output.rows("author")) == 9
    assert sum(site.api.counts.creations.values()) == 2


def test_next_run_polls_a_job_by_the_time_that_the_last_one_took(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, slept = serve(running_polls=0, job_seconds=60), list[float]()

    def sleep(_throttle: object, seconds: float) -> None:
        slept.append(seconds)
        site.api.clock.advance(seconds)

    monkeypatch.setattr(tap_kit.net.throttle.Throttle, "sleep", sleep)
    settings: dict[str, Any] = {"poll_interval_ms": 5000, "max_concurrency": 1}
    output = site.sync("author", **ONE_DAY, **settings)
    assert slept == pytest.approx([5, 6, 7.2, 8.64, 10.368, 12.4416, 14.92992], abs=0.01)
    slept.clear()
    again = site.sync("author", state=output.state, end_date="2024-02-02", **settings)
    assert again.rows("author")
    assert slept == pytest.approx([14.3, 42.8, 14.3], abs=0.1), "early, expected, soon after"


@pytest.mark.parametrize(
    ("max_concurrency", "job_seconds", "streams"),
    [(1, 0.1, ("author", "combined", "user")), (3, 0.2, EVENTS), (14, 2, ())],
)
def test_jobs_run_in_parallel_up_to_max_concurrency(
    serve: Serve, max_concurrency: int, job_seconds: float, streams: tuple[str, ...]
) -> None:
    site = serve(job_seconds=job_seconds)
    poll_interval_ms = int(job_seconds * 200)
    site.sync(
        *streams, max_concurrency=max_concurrency, poll_interval_ms=poll_interval_ms, **ONE_DAY
    )
    assert site.api.counts.most_running == max_concurrency


def test_jobs_start_in_plan_order(serve: Serve) -> None:
    site = serve(job_seconds=0.1)
    site.sync(max_concurrency=1, poll_interval_ms=50, **ONE_DAY)
    order = list(dict.fromkeys(job.export for job in site.api.jobs))
    assert order == sorted(set(EXPORTS) - {"raw_brand_posts"})


def test_the_rate_limit_holds_and_starts_take_precedence_over_polls(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With 12 requests in 2 s, polls would otherwise use the limit before the last start."""
    monkeypatch.setattr(tap_kit.net.throttle, "SPAN_S", 2)
    site = serve(rate_limit=12, rate_window=1.9, job_seconds=1.0)
    streams = ("author", "combined", "incoming_post", "raw_agent_states", "response", "user")
    output = site.sync(
        *streams, requests_per_minute=12, max_concurrency=6, poll_interval_ms=30, **ONE_DAY
    )
    assert site.api.counts.refused_by_rate == 0
    assert all(output.rows(stream) for stream in streams)
    begun = [job.started for job in site.api.jobs]
    assert max(begun) - min(begun) < 1.0  # all in the first window of the limit


def test_a_server_that_limits_the_rate_is_obeyed(serve: Serve) -> None:
    site = serve(rate_limit=5, rate_window=1.0)
    output = site.sync("author", "user", **ONE_DAY)
    assert site.api.counts.refused_by_rate > 0
    assert len(output.rows("author")) == 9


@pytest.mark.parametrize(
    "start",
    [
        {"jobInfo": {"workflowId": "w", "runId": "r"}},
        {"statusUrl": "https://qa.example/api/public/reports/report/w/r%2B%3D/status?companyKey=x"},
        {
            "downloadUrl": "https://qa.example/d?analyticsAccessToken=t",
            "workflowId": "w",
            "runId": 7,
        },
    ],
    ids=str,
)
def test_ids_are_found_in_all_forms_of_the_start_response(site: Site, start: Any) -> None:
    with serving(b'[{"AUTHOR_ID":"1"}]', start=start) as url:
        output = site.sync("author", api_url=url, **ONE_DAY)
    assert [row["author_id"] for row in output.rows("author")] == ["1"]


@pytest.mark.parametrize("start", [None, [], {}, {"statusUrl": "https://qa.example/x"}], ids=str)
def test_a_start_without_ids_fails_the_export(
    site: Site, start: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(b"[]", start=start) as url:
        site.failing_sync(SyncFailed, "author", api_url=url, **ONE_DAY)
    assert "expected the ids of the started job, got none (status PASS)" in caplog.text


@pytest.mark.parametrize("status", [None, [], "busy", {"result": {}}, {"runnerState": "RUNNING"}])
def test_a_status_without_information_counts_as_running(site: Site, status: Any) -> None:
    with serving(b"[]", status=status) as url:
        settings: dict[str, Any] = {"poll_timeout": 1, "poll_interval_ms": 100, **ONE_DAY}
        _, error = site.failing_sync(SyncFailed, "author", api_url=url, **settings)
    assert "author, 2024-02-01" in str(error)


def test_a_status_in_the_form_of_the_legacy_job_list_is_understood(site: Site) -> None:
    """It has ``details`` instead of ``detail``, null, and a download URL."""
    done = {"runnerState": "CLOSED", "details": None, "downloadUrl": "https://qa.example/d"}
    with serving(b'[{"AUTHOR_ID":"1"}]', status=done) as url:
        assert len(site.sync("author", api_url=url, **ONE_DAY).rows("author")) == 1
