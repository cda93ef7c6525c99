"""Requests as they are built: URL, query, body, headers, credentials, urgency."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from tap_kit.net.http import Request
from tap_kit.net.throttle import Throttle
from typing_extensions import override

from tests.kit.apis import TOKEN, URL, Reply, client, mock_replies

if TYPE_CHECKING:
    from pathlib import Path

    from requests_mock import Mocker


@pytest.mark.parametrize(
    ("request_", "method", "target", "kind", "body"),
    [
        (Request("/a"), "GET", "/a", None, None),
        (
            Request("/a", {"b": "c d", "e": ["1", "2"]}),
            *("GET", "/a?b=c+d&e=1&e=2", None, None),
        ),
        (Request("/a?x=1", {"b": 2}), "GET", "/a?x=1&b=2", None, None),
        (
            Request("/a", method="POST", body={"b": [1]}),
            *("POST", "/a", "application/json", '{"b": [1]}'),
        ),
        (
            Request("/a", method="POST", form={"b": "c&d", "e": ["1", "2"]}),
            *("POST", "/a", "application/x-www-form-urlencoded", "b=c%26d&e=1&e=2"),
        ),
        (Request("/a", method="DELETE"), "DELETE", "/a", None, None),
    ],
    ids=["path", "query", "path with a query", "JSON", "form", "method"],
)
def test_request_is_sent_with_query_and_body(
    request_: Request,
    method: str,
    target: str,
    kind: str | None,
    body: str | None,
    requests_mock: Mocker,
) -> None:
    mock_replies(requests_mock, Reply())
    with client(URL) as api:
        api.send(request_, list)
    (sent,) = requests_mock.request_history
    assert (sent.method, sent.url, sent.text) == (method, URL + target, body)
    assert sent.headers.get("Content-Type") == kind


def test_request_has_user_agent_accept_and_credentials(requests_mock: Mocker) -> None:
    mock_replies(requests_mock, Reply())
    with client(URL + "/", user_agent="tap-x/2") as api:
        api.send(Request("/list"), list)
    (sent,) = requests_mock.request_history
    assert sent.url == f"{URL}/list"
    assert sent.headers["User-Agent"] == "tap-x/2"
    assert sent.headers["Accept"] == "application/json"
    assert sent.headers["Authorization"] == f"Bearer {TOKEN}"


def test_credentials_are_not_replaced_by_netrc(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, requests_mock: Mocker
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine api.example login someone password s3cret\n", encoding="utf-8")
    netrc.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))
    mock_replies(requests_mock, Reply())
    with client(URL) as api:
        api.send(Request("/list"), list)
    (sent,) = requests_mock.request_history
    assert sent.headers["Authorization"] == f"Bearer {TOKEN}"


class RecordedUrgency(Throttle):
    """A throttle that records the urgency of each request."""

    def __init__(self) -> None:
        super().__init__(None, threading.Event())
        self.urgency: list[bool] = []

    @override
    def acquire(self, *, urgent: bool = True) -> None:
        self.urgency.append(urgent)


@pytest.mark.parametrize("urgent", [True, False])
def test_urgency_of_a_request_reaches_the_throttle(
    urgent: bool,  # noqa: FBT001
    requests_mock: Mocker,
) -> None:
    throttle = RecordedUrgency()
    mock_replies(requests_mock, Reply())
    with client(URL, throttle=throttle) as api:
        api.send(Request("/list", urgent=urgent), list)
        list(api.open(Request("/list", urgent=urgent)))
    assert throttle.urgency == [urgent, urgent]


def test_stopped_throttle_sends_no_request(requests_mock: Mocker) -> None:
    stop = threading.Event()
    throttle = Throttle(None, stop)
    throttle.pause_for(100)
    stop.set()
    mock_replies(requests_mock, Reply())
    with client(URL, throttle=throttle) as api, pytest.raises(Exception, match="stop"):
        api.send(Request("/list"), list)
    assert requests_mock.call_count == 0


def test_send_once_ignores_the_rate_limit(requests_mock: Mocker) -> None:
    stop = threading.Event()
    throttle = Throttle(1, stop, concurrency=1)
    throttle.acquire()
    stop.set()
    mock_replies(requests_mock, Reply(body=b'{"state": "stopped"}'))
    with client(URL, throttle=throttle) as api:
        assert api.send_once(Request("/list")) == {"state": "stopped"}
    assert requests_mock.call_count == 1
