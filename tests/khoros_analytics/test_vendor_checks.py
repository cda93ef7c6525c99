"""Settings that only the vendor can check, and an address of another service."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.faults import Fault
from singer_sdk.exceptions import ConfigValidationError
from tap_khoros_analytics.client import RequestRejected
from tap_khoros_analytics.envelopes import failure_in
from tap_khoros_analytics.exports.tenant import TIME_ZONES
from tap_khoros_analytics.vendor_checks import team_problems, zone_problems
from tap_kit import JobFailed, JobState, SyncFailed

from tests.khoros_analytics.mocked import export_job, mocked
from tests.khoros_analytics.one_export import DONE, serving
from tests.khoros_analytics.site import ONE_DAY

if TYPE_CHECKING:
    from tests.khoros_analytics.site import Site


def test_an_unknown_time_zone_is_an_error_before_any_export(site: Site) -> None:
    output, error = site.failing_sync(ConfigValidationError, "author", timezone="America/Chicgo")
    assert error.errors == [
        "timezone must be an id from the stream timezones (did you mean America/Chicago?)"
    ]
    assert output.text == ""
    assert site.starts == {}


def test_a_known_time_zone_costs_one_request_which_its_stream_reuses(site: Site) -> None:
    zone = site.api.data.timezones[3]["id"]
    output = site.sync("author", "timezones", timezone=zone, **ONE_DAY)
    assert len(site.requested("timezones")) == 1
    assert len(output.rows("timezones")) == len(site.api.data.timezones)
    assert len(output.rows("author")) > 0


def test_the_default_time_zone_costs_no_request(site: Site) -> None:
    site.sync("author", **ONE_DAY)
    assert site.requested("timezones") == []


@pytest.mark.parametrize("status", [403, 404, 400])
def test_a_time_zone_is_not_checked_if_the_look_up_is_refused(
    site: Site, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "tap_khoros_analytics")
    site.api.faults.append(Fault("status", status=status, path="/config/timezones"))
    site.sync("teams", timezone="Europe/Nowhere")
    (logged,) = [text for text in caplog.messages if text.startswith("The setting timezone")]
    assert f"HTTP {status}" in logged


@pytest.mark.parametrize("zones", [[], [{}], [{"id": None}], [{"name": "Europe/Berlin"}]], ids=str)
def test_a_time_zone_is_not_checked_against_a_list_without_ids(zones: Any) -> None:
    body = json.dumps({"result": zones}).encode()
    with mocked(body, timezone="Europe/Nowhere") as tenant:
        assert tenant.look_up("/config/timezones") == zones


@pytest.mark.parametrize(
    ("zone", "hint"),
    [
        ("europe/berlin", " (did you mean Europe/Berlin?)"),
        ("Europe/Berln", " (did you mean Europe/Berlin?)"),
        ("Mars", ""),
        ("x" * 1_000_000, ""),
    ],
    ids=lambda value: value[:20],
)
def test_a_similar_time_zone_is_a_hint(zone: str, hint: str) -> None:
    zones = ["Europe/Berlin", "Europe/Vienna", "y" * 1_000_000, *map(str, range(10_000))]
    assert list(zone_problems(zone, zones)) == [
        f"timezone must be an id from the stream timezones{hint}"
    ]


def test_filters_by_team_are_checked_against_the_teams_that_the_run_reads_anyway(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    known = site.api.data.teams[0]["teamId"]
    exports = {
        "team_performance": {"filters": {"teamIds": f"{known},4711"}},
        "raw_agent_states": {"filters": {"teamIds": [4711, "4712"]}},
        "user": {"filters": {"teamId": 4713}},
    }
    _, error = site.failing_sync(ConfigValidationError, "user", exports=exports, timezone="Mars")
    expected = "must have team ids from the stream teams, it has none of them"
    assert error.errors == [
        f"exports.raw_agent_states.filters.teamIds {expected}",
        f"exports.user.filters.teamId {expected}",
        "timezone must be an id from the stream timezones",
    ]
    where = "exports.team_performance.filters.teamIds"
    assert f"{where}: the stream teams has no team 4711" in caplog.messages
    assert len(site.requested()) == 2  # the teams, which is the check of access, and the zones


def test_filters_by_team_are_not_checked_without_teams() -> None:
    config = {"exports": {"user": {"filters": {"teamId": 7}}}}
    assert list(team_problems(config, set())) == []
    assert list(team_problems(config, {"7"})) == []


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"{}", 404, "not available (HTTP 404)"),
        (b"", 405, "not available (HTTP 405)"),
        (b"<html>Welcome</html>", 200, "not JSON (20 bytes, HTML)"),
        (b'{"message": "hello"}', 200, "expected an object with 'result'"),
        (b"[]", 200, "expected an object with 'result'"),
    ],
    ids=str,
)
def test_an_address_of_another_service_is_reported_as_a_wrong_api_url(
    body: bytes, status: int, words: str
) -> None:
    with mocked(body, status) as tenant, pytest.raises(ConfigValidationError) as caught:
        tenant.client.teams()
    (line,) = caught.value.errors
    assert line.startswith("api_url does not lead to a Khoros Analytics Reports API: ")
    assert words in line


def test_a_job_of_another_request_fails_the_export(site: Site) -> None:
    """Its rows are those of another window."""
    with serving(b'[{"AUTHOR_ID":"1"}]') as url:
        output, error = site.failing_sync(SyncFailed, "author", api_url=url, max_concurrency=1)
    assert str(error).endswith("these failed: author, 2024-02-02")
    assert [row["window_start"][:10] for row in output.rows("author")] == ["2024-02-01"]
    ids = {"workflow_id": "w", "run_id": "r"}
    with mocked(b"{}") as tenant:
        job = export_job(tenant)
        tenant.claim(ids, job.export, job.params)
        tenant.claim(ids, job.export, {**job.params, "endTime": "2"})
        with pytest.raises(JobFailed, match="the job of another request"):
            tenant.claim(ids, job.export, {**job.params, "startTime": "2"})


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", ""),
        (b"{}", ""),
        (b"<html>no</html>", ""),
        (b'{"status":"FAIL","message":"Unknown time zone","result":null}', ": Unknown time zone"),
        (b'{"message":null,"result":"a.b.FilterException: No such view"}', ": No such view"),
        (b'{"message":5}', ""),
        (b"Bad\r\nzone", ": Bad zone"),
        (b"[" * 5_000, f": {'[' * 200}"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_rejected_start_names_the_reason_and_the_settings(body: bytes, reason: str) -> None:
    params = {"startTime": "1", "locale": "en", "timezone": "UTC", "smartViewId": "7"}
    with mocked(body, 400) as tenant:
        job = replace(export_job(tenant), params={**params, "reportMetrics": ["A"]})
        with pytest.raises(RequestRejected) as caught:
            job.start()
        with pytest.raises(RequestRejected) as again:
            replace(job, params=params).start()
        with pytest.raises(RequestRejected) as bare:
            export_job(tenant).start()
    path = "POST /api/public/reports/report/author: HTTP 400"
    settings = "locale, timezone, exports.author.filters.smartViewId"
    assert str(caught.value) == f"{path}{reason}; check {settings}"
    assert str(again.value) == str(caught.value)
    assert str(bare.value) == f"{path}{reason}"


@pytest.mark.parametrize(
    ("announced", "is_short"),
    [(3, True), (2, False), (1, False), (None, False), ("3", False), (True, False), ([9], False)],
)
def test_a_download_with_fewer_rows_than_announced_is_a_warning(
    site: Site, announced: Any, *, is_short: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """A warning only: the vendor does not document what it counts."""
    status = {**DONE, "result": {**DONE["result"], "totalCount": announced}}
    with serving(b'[{"AUTHOR_ID":"1"},{"AUTHOR_ID":"2"}]', status=status) as url:
        output = site.sync("author", api_url=url, **ONE_DAY)
    assert len(output.rows("author")) == 2
    text = "author, 2024-02-01: the vendor's job counts 3 rows, its download has 2; rows may be"
    assert (f"{text} missing" in caplog.messages) is is_short


@pytest.mark.parametrize("status", ["FAIL", "failed", "ERROR"])
def test_a_status_of_failure_is_not_an_empty_result(status: str) -> None:
    """The result beside it can be empty, or that of a job that is done."""
    envelope = {"status": status, "message": "m", "result": []}
    problem = f"the server reports the status {status}"
    for look_up in ("teams", "timezones"):
        with mocked(json.dumps(envelope).encode()) as tenant:
            zones = partial(tenant.look_up, TIME_ZONES)
            read = tenant.client.teams if look_up == "teams" else zones
            with pytest.raises((SyncFailed, ConfigValidationError), match=problem):
                read()
    done = {"runnerState": "CLOSED", "detail": "COMPLETED"}
    info = {"workflowId": "w", "runId": "r", "downloadUrl": "https://x.example/y"}
    job = {"status": status, "result": {"jobInfo": info, "result": done}}
    with mocked(json.dumps(job).encode()) as tenant:
        poll = export_job(tenant).poll({"workflow_id": "w", "run_id": "r"})
        with pytest.raises(SyncFailed, match=problem):
            export_job(tenant).start()
    assert (poll.state, poll.reason) == (JobState.FAILED, problem)


@pytest.mark.parametrize("status", ["PASS", "OK", None, 5, ["FAIL"]])
def test_other_statuses_are_not_failures(status: Any) -> None:
    assert failure_in(status) is None
