"""No credential, no query and no content of a response is in a message or a log line."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
import tap_kit.net.retries
from sandbox.server import running
from sandbox.stranger import Stranger
from tap_kit.errors import SyncFailed
from tap_kit.net.http import Request

from tests.kit.apis import TOKEN, URL, Reply, client, mock_replies, serving

if TYPE_CHECKING:
    from requests_mock import Mocker

SEGMENT = "secret-segment"
LIST = Request("/list", {"source": SEGMENT})


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tap_kit.net.retries, "FIRST_PAUSE_S", 0.001)


def failure(url: str) -> str:
    """Return the one line with which a request fails."""
    with client(url) as api, pytest.raises(SyncFailed) as caught:
        api.send(LIST, list)
    return str(caught.value)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(500, f"token={TOKEN} {SEGMENT}".encode()),
        Reply(403, f"token={TOKEN} {SEGMENT}".encode()),
        Reply(200, f"<p>{TOKEN} {SEGMENT}".encode()),
        Reply(200, f'"{TOKEN} {SEGMENT}"'.encode()),
        Reply(302, b"", {"Location": f"http://127.0.0.1:1/?token={TOKEN}&s={SEGMENT}"}),
        Reply(429, b"", {"Retry-After": TOKEN}),
        Reply(200, TOKEN.encode(), {"Content-Encoding": "gzip"}),
    ],
    ids=lambda reply: f"{reply.status} {reply.body[:5]!r}",
)
def test_no_message_and_no_log_line_contains_a_secret(
    reply: Reply, caplog: pytest.LogCaptureFixture, requests_mock: Mocker
) -> None:
    """Neither the token, nor a filter in the query, nor the content of the response."""
    caplog.set_level(logging.DEBUG, "tap_kit")
    mock_replies(requests_mock, reply)
    line = failure(URL)
    logged = [r.getMessage() for r in caplog.records if r.name.startswith("tap_kit")]
    text = "\n".join([line, *logged])
    assert TOKEN not in text
    assert SEGMENT not in text
    assert "/list" in line


def test_no_library_logs_a_query(caplog: pytest.LogCaptureFixture) -> None:
    """At level DEBUG urllib3 logs the whole address of each request."""
    caplog.set_level(logging.DEBUG)
    with serving(Reply(body=b"[]")) as server, client(server.url) as api:
        api.send(LIST, list)
    assert "urllib3.connectionpool" in {record.name for record in caplog.records}
    assert "/list" in caplog.text
    assert SEGMENT not in caplog.text


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_sends_nothing_to_another_host(status: int) -> None:
    stranger = Stranger([])
    with running(stranger.app) as elsewhere:
        reply = Reply(status, b"", {"Location": f"{elsewhere.url}/list"})
        with serving(reply) as server:
            assert failure(server.url) == f"mapped: GET /list: HTTP {status}"
    assert stranger.log.count == 0
