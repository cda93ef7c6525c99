"""Single requests: what is checked of an answer, and what is asked without any patience."""

from __future__ import annotations

import logging
from threading import Event
from typing import Any

import pytest
import requests
from tap_kit.errors import Retriable, SyncFailed
from tap_kit.net.http import Request, Response
from tap_kit.net.sessions import remove_queries
from tap_kit.net.throttle import Throttle
from tap_kit.net.wire import connection_error

from tests.kit.apis import Reply, client, serving
from tests.kit.net.test_http_retries import Pauses

LIST = Request("/list", {"page": "2", "key": "s3cret"})


def of_page(answer: Response) -> str | None:
    """What is wrong with a page: it is not the one that was asked for."""
    return None if answer.value == [2] else f"page {answer.value[0]} came instead of page 2"


def test_response_that_fails_the_check_is_retried(
    caplog: pytest.LogCaptureFixture,
) -> None:
    pauses = Pauses()
    replies = Reply(body=b"[1]"), Reply(201, b"[2]", {"X-Total": "7"})
    with serving(*replies) as server, client(server.url, throttle=pauses) as api:
        answer = api.send(LIST, list, of_page)
    assert (answer.status, answer.value, answer.headers["x-total"]) == (201, [2], "7")
    assert pauses.taken == [1]
    assert caplog.messages == ["GET /list: page 1 came instead of page 2; try 2 of 5 in 1.0 s"]


def test_response_that_always_fails_the_check_is_an_error() -> None:
    with (
        serving(Reply(body=b"[1]")) as server,
        client(server.url, throttle=Pauses()) as api,
        pytest.raises(SyncFailed) as caught,
    ):
        api.send(LIST, list, of_page)
    assert str(caught.value) == ("GET /list: page 1 came instead of page 2; failed after 5 tries")
    assert len(server.seen) == 5


def test_body_is_decoded_by_the_given_function() -> None:
    told: list[tuple[bytes, str]] = []

    def decode(body: bytes, source: str) -> list[bytes]:
        told.append((body, source))
        return body.split(b",")

    with serving(Reply(body=b"a,b")) as server, client(server.url) as api:
        assert api.send(LIST, list, decode=decode).value == [b"a", b"b"]
    assert told == [(b"a,b", "GET /list")]


# At once


def test_send_once_ignores_the_rate_limit() -> None:
    stop = Event()
    throttle = Throttle(1, stop, concurrency=1)
    throttle.acquire()
    stop.set()
    with serving(Reply(body=b'{"state": "stopped"}')) as server:
        with client(server.url, throttle=throttle) as api:
            assert api.send_once(LIST) == {"state": "stopped"}
        assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("reply", "error", "words"),
    [
        (Reply(503), Retriable, "GET /list: HTTP 503"),
        (Reply(body=b"<html>"), Retriable, "GET /list: the response is not JSON (6 bytes, HTML)"),
        (Reply(404), SyncFailed, "mapped: GET /list: HTTP 404"),
    ],
)
def test_send_once_does_not_retry(reply: Reply, error: type[Exception], words: str) -> None:
    pauses = Pauses()
    with serving(reply) as server:
        with client(server.url, throttle=pauses) as api, pytest.raises(error) as caught:
            api.send_once(LIST)
        assert len(server.seen) == 1
    assert type(caught.value) is error
    assert str(caught.value) == words
    assert pauses.taken == []


def test_request_can_have_its_own_timeout() -> None:
    hurried = Request("/list", timeout_s=0.6)
    slow = Reply(body=b"[]", drip_s=20)
    with (
        serving(slow) as server,
        client(server.url, timeout_s=10) as api,
        pytest.raises(Retriable, match=r"^GET /list: no response within 1 s$"),
    ):
        api.send_once(hurried)


# Words


def line(arguments: Any) -> logging.LogRecord:
    """A line of a library's log, with what goes into its gaps."""
    return logging.LogRecord("urllib3", logging.DEBUG, "", 0, "a line", arguments, None)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (requests.ConnectTimeout("…"), "no connection to https://a.test within 30 s"),
        (requests.ReadTimeout("…"), "no response within 30 s"),
        (requests.ConnectionError("NewConnectionError(…)"), "no connection to https://a.test"),
        (
            requests.ConnectionError("NameResolutionError"),
            "the host of https://a.test cannot be resolved",
        ),
        (requests.ConnectionError("reset"), "the connection was lost"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_connection_error_is_described(error: Exception, words: str) -> None:
    told = connection_error(error, "GET /list", "https://a.test", 30)
    assert type(told) is Retriable
    assert str(told) == f"GET /list: {words}"
    assert told.retry_after is None


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("EOF occurred in violation of protocol", Retriable, ""),
        ("CERTIFICATE_VERIFY_FAILED", SyncFailed, ": its certificate cannot be verified"),
    ],
)
def test_tls_error_is_described(text: str, error: type[Exception], words: str) -> None:
    told = connection_error(requests.exceptions.SSLError(text), "GET /list", "https://a.test", 30)
    assert type(told) is error
    assert str(told) == f"GET /list: no secure connection to https://a.test{words}"


@pytest.mark.parametrize(
    ("arguments", "kept"),
    [
        (("GET", "/list?key=s3cret", 200, b"?"), ("GET", "/list", 200, b"?")),
        (("/a?b?c", None), ("/a", None)),
        ((), ()),
    ],
)
def test_log_record_loses_its_queries_only(
    arguments: tuple[Any, ...], kept: tuple[Any, ...]
) -> None:
    record = line(arguments)
    assert remove_queries(record) is True
    assert record.args == kept


def test_log_record_with_named_values_is_unchanged() -> None:
    record = line(({"url": "/list?key=x"},))
    assert remove_queries(record) is True
    assert record.args == {"url": "/list?key=x"}
