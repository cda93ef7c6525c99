"""The first request of a run: a response of another service blames the setting of the address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.exceptions import ConfigValidationError
from tap_kit.errors import PartitionUnavailable, SyncFailed
from tap_kit.net.first import send_first
from tap_kit.net.http import ErrorResponse, Request

from tests.kit.apis import URL, RecordedPauses, Reply, client, mock_replies

if TYPE_CHECKING:
    from requests_mock import Mocker

SITES = Request("/sites")


def unavailable(response: ErrorResponse) -> Exception:
    """Return the error for a response that the partition does not have."""
    return PartitionUnavailable(f"refused (HTTP {response.status})", status=response.status)


def foreign(value: Any) -> str | None:
    """Return why a value is of another service."""
    return None if isinstance(value, list) else "expected a list of sites"


def first(requests_mock: Mocker, *replies: Reply, problem: str | None = None) -> Any:
    """Return the value of the first response."""
    mock_replies(requests_mock, *replies)
    with client(URL, error_for=unavailable, throttle=RecordedPauses()) as api:
        return send_first(api, SITES, foreign, lambda _: problem, what="an Example API")


def test_value_of_the_api_is_returned(requests_mock: Mocker) -> None:
    assert first(requests_mock, Reply(body=b'[{"id": 1}]')) == [{"id": 1}]


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(body=b'{"hello": 1}'), "GET /sites: expected a list of sites"),
        (
            Reply(body=b"<html>Welcome</html>"),
            "GET /sites: the response is not JSON (20 bytes, HTML)",
        ),
        (Reply(404), "refused (HTTP 404)"),
    ],
)
def test_response_of_another_service_names_the_setting(
    reply: Reply, reason: str, requests_mock: Mocker
) -> None:
    with pytest.raises(ConfigValidationError) as caught:
        first(requests_mock, reply)
    assert caught.value.errors == [f"api_url does not lead to an Example API: {reason}"]


def test_other_errors_stay_what_they_are(requests_mock: Mocker) -> None:
    with pytest.raises(PartitionUnavailable, match=r"^refused \(HTTP 403\)$"):
        first(requests_mock, Reply(403))
    with pytest.raises(SyncFailed, match=r"^GET /sites: too short; failed after 5 tries$"):
        first(requests_mock, Reply(), problem="too short")


def test_bad_response_before_a_good_one_is_retried(requests_mock: Mocker) -> None:
    assert first(requests_mock, Reply(body=b"{}"), Reply(body=b"[2]")) == [2]
