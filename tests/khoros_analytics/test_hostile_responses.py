"""Any response leads to a list, a job, a state or an error of one line."""

from __future__ import annotations

import json
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from requests_mock import ANY, Mocker
from tap_khoros_analytics.client import MAX_HIDDEN_TOKENS, job_path
from tap_kit import SECRETS, JobState, KitError, Poll, SyncFailed

from tests.khoros_analytics.mocked import BODIES, export_job, mocked

MAX_MESSAGE = 1_000  # characters
IDS = {"workflow_id": "w", "run_id": "r"}


def assert_one_line(error: KitError, word: str = "") -> None:
    assert str(error).splitlines() == [str(error)]
    assert len(str(error)) < MAX_MESSAGE
    assert word in str(error)


@given(body=BODIES)
def test_a_look_up_returns_objects_or_fails_in_one_line(body: bytes) -> None:
    with mocked(body) as tenant:
        try:
            rows = tenant.client.look_up("/teams", {})
        except KitError as error:
            assert_one_line(error, "expected ")
        else:
            assert all(isinstance(row, dict) for row in rows)


@given(body=BODIES)
def test_a_start_returns_ids_for_a_path_or_fails_in_one_line(body: bytes) -> None:
    with mocked(body) as tenant:
        try:
            ids = export_job(tenant).start()
        except KitError as error:
            assert_one_line(error)
        else:
            assert sorted(ids) == ["run_id", "started_at", "workflow_id"]
            assert job_path(ids, "status").count("/") == 7


@given(body=BODIES)
def test_a_poll_returns_a_state_or_fails_in_one_line(body: bytes) -> None:
    with mocked(body) as tenant:
        try:
            poll = export_job(tenant).poll(IDS)
        except KitError as error:
            assert_one_line(error, "expected ")
        else:
            assert isinstance(poll, Poll)
            assert len(poll.reason) < MAX_MESSAGE


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (7, "got `int` - at `$.result`"),
        ([[{}]], "got `array` - at `$.result[0]`"),
        ({"jobInfo": []}, "got `array` - at `$.result.jobInfo`"),
        ({"workflowId": True, "runId": "r"}, "got `bool` - at `$.result.workflowId`"),
        ({"workflowId": "w" * 2_000_000, "runId": "r"}, "of length <= 1000"),
        ({"workflowId": 10**300, "runId": 1}, "at `$.result.workflowId`"),
        ({"statusUrl": "http://[x"}, "expected the ids of the started job, got none"),
        ({"statusUrl": {"http": "x"}}, "got `object` - at `$.result.statusUrl`"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_start_of_another_form_is_retried_and_then_an_error(result: Any, words: str) -> None:
    with mocked(json.dumps({"result": result}).encode()) as tenant:
        with pytest.raises(KitError) as caught:
            export_job(tenant).start()
        assert "expected " in str(caught.value)
        assert words in str(caught.value)
        assert str(caught.value).endswith("; failed after 5 tries")


@pytest.mark.parametrize("name", ["detail", "details", "runnerState"])
@pytest.mark.parametrize("value", [5, [], {}, True, [["COMPLETED"]]], ids=str)
def test_a_state_of_another_type_is_an_error(name: str, value: Any) -> None:
    body = json.dumps({"result": {"jobInfo": {}, "result": {name: value}}}).encode()
    with mocked(body) as tenant, pytest.raises(KitError) as caught:
        export_job(tenant).poll(IDS)
    assert "expected `str | null`" in str(caught.value)


@pytest.mark.parametrize(
    "result",
    [
        {"workflowId": "..", "runId": "r"},
        {"workflowId": "w", "runId": "."},
        {"statusUrl": "https://elsewhere.example/report/%2e%2e/r/status"},
    ],
    ids=str,
)
def test_ids_that_cannot_be_a_part_of_a_path_are_refused_at_the_start(result: Any) -> None:
    """Otherwise the state would keep them, and each run would fail at the poll."""
    with mocked(json.dumps({"result": result}).encode()) as tenant, pytest.raises(SyncFailed):
        export_job(tenant).start()


def test_an_access_token_in_a_url_is_a_secret() -> None:
    url = "https://elsewhere.example/d?analyticsAccessToken=t0ken-of-job-4711"
    body = json.dumps({"result": {"jobInfo": {"downloadUrl": url}, "result": {}}}).encode()
    with mocked(body) as tenant:
        job = export_job(tenant)
        assert job.poll(IDS).state is JobState.RUNNING
        assert job.token == "t0ken-of-job-4711"  # noqa: S105
    assert SECRETS.redact("for t0ken-of-job-4711 only") == "for *** only"


def test_of_many_tokens_those_are_secrets_that_a_message_can_quote() -> None:
    def response(detail: str) -> bytes:
        url = f"https://elsewhere.example/d?analyticsAccessToken=t0ken-{detail}"
        job = {"downloadUrl": url, "runnerState": "CLOSED", "detail": detail}
        return json.dumps({"result": job}).encode()

    with patch.object(SECRETS, "_patterns", {}), mocked(b"{}") as tenant, Mocker() as mock:
        for number in range(MAX_HIDDEN_TOKENS):
            tenant.client.hide(f"t0ken-number-{number}", is_quoted=False)
        job = export_job(tenant)
        mock.register_uri(ANY, ANY, content=response("COMPLETED"))
        assert job.poll(IDS).state is JobState.DONE
        assert SECRETS.redact("t0ken-COMPLETED") == "t0ken-COMPLETED"
        mock.register_uri(ANY, ANY, status_code=400)
        with pytest.raises(KitError):
            list(tenant.client.download(IDS, "t0ken-of-download"))
        with pytest.raises(KitError):
            job.poll(IDS)
        mock.register_uri(ANY, ANY, content=response("FAILED"))
        assert job.poll(IDS).state is JobState.FAILED
        for token in ("t0ken-of-download", "t0ken-COMPLETED", "t0ken-FAILED"):
            assert SECRETS.redact(token) == "***"


@pytest.mark.parametrize("status", [200, 201, 202])
def test_a_start_may_have_any_status_of_a_start(status: int) -> None:
    """Its ids count: a start that is repeated would run the export once more at the vendor."""
    body = b'{"result": {"workflowId": "w", "runId": "r"}}'
    with mocked(body, status) as tenant:
        assert export_job(tenant).start()["workflow_id"] == "w"


@pytest.mark.parametrize("status", [201, 202, 204, 206])
def test_a_look_up_with_another_status_is_not_taken_for_the_list(status: int) -> None:
    with mocked(b'{"result": []}', status) as tenant, pytest.raises(SyncFailed) as caught:
        tenant.client.look_up("/teams", {})
    assert_one_line(caught.value, f"HTTP {status}, expected HTTP 200")
