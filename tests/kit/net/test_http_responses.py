"""How a response is judged: status, ``Retry-After``, JSON type, check, decoding."""

from __future__ import annotations

import time
from dataclasses import replace
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import pytest
from tap_kit.errors import Retriable, SyncFailed
from tap_kit.net.http import ErrorResponse, Request, Response

from tests.kit.apis import URL, RecordedPauses, Reply, client, mock_replies

if TYPE_CHECKING:
    from collections.abc import Mapping

    from requests_mock import Mocker

LIST = Request("/list", {"page": "2", "key": "s3cret"})
GOOD = Reply(body=b"[1]")


@pytest.fixture
def throttle() -> RecordedPauses:
    return RecordedPauses()


def failure(request: Request = LIST, shape: Any = list, **options: Any) -> str:
    """Return the one line with which a request fails."""
    with client(URL, **options) as api, pytest.raises(SyncFailed) as caught:
        api.send(request, shape)
    return str(caught.value)


# Status


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308, 400, 401, 403, 404, 410])
def test_error_response_is_mapped_once_and_its_redirect_not_followed(
    status: int, throttle: RecordedPauses, requests_mock: Mocker
) -> None:
    elsewhere = {"Location": "https://elsewhere.example/stolen"}
    mock_replies(requests_mock, Reply(status, b"", elsewhere))
    assert failure(throttle=throttle) == f"mapped: GET /list: HTTP {status}"
    assert [sent.hostname for sent in requests_mock.request_history] == ["api.example"]
    assert throttle.pauses == []


@pytest.mark.parametrize("status", [300, 305, 399])
def test_status_of_300_or_more_is_an_error_response(status: int, requests_mock: Mocker) -> None:
    mock_replies(requests_mock, Reply(status, b""))
    with client(URL) as api:
        for send in (lambda: api.send(LIST, list), lambda: [*api.open(LIST)]):
            with pytest.raises(SyncFailed, match=f"^mapped: GET /list: HTTP {status}$"):
                send()


def test_redirect_to_an_invalid_url_is_an_error_response(requests_mock: Mocker) -> None:
    """The function of requests that follows redirects fails on it, even if it is to follow none."""
    mock_replies(requests_mock, Reply(302, b"", {"Location": "http://[::1/list"}))
    assert failure() == "mapped: GET /list: HTTP 302"


def test_success_with_a_location_is_a_success(requests_mock: Mocker) -> None:
    mock_replies(requests_mock, Reply(201, b"[1]", {"Location": "https://elsewhere.example/"}))
    request = replace(LIST, statuses=frozenset({201}))
    with client(URL) as api:
        assert b"".join(api.open(request)) == b"[1]"
        assert api.send(request, list).value == [1]
    assert {sent.hostname for sent in requests_mock.request_history} == {"api.example"}


@pytest.mark.parametrize("status", [201, 202, 203, 204, 205, 206, 226, 304])
def test_status_that_is_no_answer_is_retried(
    status: int, throttle: RecordedPauses, requests_mock: Mocker
) -> None:
    """An empty list with 202 would count as all the rows that there are."""
    mock_replies(requests_mock, Reply(status, b"[]"), Reply(status, b"[]"), GOOD)
    with client(URL, throttle=throttle) as api:
        assert api.send(LIST, list).value == [1]
    assert throttle.pauses == [1, 2]


@pytest.mark.parametrize("status", [202, 204, 304])
def test_status_that_stays_no_answer_is_an_error(
    status: int, throttle: RecordedPauses, requests_mock: Mocker
) -> None:
    mock_replies(requests_mock, Reply(status, b"[]"))
    line = failure(throttle=throttle)
    assert line == f"GET /list: HTTP {status}, expected HTTP 200; failed after 5 tries"
    with client(URL) as api, pytest.raises(Retriable, match=f"HTTP {status}, expected HTTP 200$"):
        list(api.open(LIST))


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"no such zone:\n  Europe/Nowhere", "no such zone: Europe/Nowhere"),
        (b"<html>Bad Request</html>", ""),
        (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "AccessDenied"),
        (b"<Error><Code>not a code</Code></Error>", ""),
        (b"x" * 300, "x" * 200),
        (b"\xff", "\ufffd"),
    ],
)
def test_error_response_has_the_reason_of_the_server(
    body: bytes, detail: str, requests_mock: Mocker
) -> None:
    seen: list[ErrorResponse] = []

    def error_for(response: ErrorResponse) -> Exception:
        seen.append(response)
        return SyncFailed("refused")

    mock_replies(requests_mock, Reply(400, body))
    failure(error_for=error_for)
    assert seen == [ErrorResponse(400, "GET /list", detail)]


def test_error_response_has_the_headers_of_the_server(requests_mock: Mocker) -> None:
    def error_for(response: ErrorResponse) -> Exception:
        return SyncFailed(f"region {response.headers['x-region']}")

    mock_replies(requests_mock, Reply(400, b"", {"X-Region": "north"}))
    assert failure(error_for=error_for) == "region north"


# Bytes


def test_bytes_are_returned_as_they_are(requests_mock: Mocker) -> None:
    body = "caf\u00e9".encode("latin-1")
    kinds = {"Content-Type": "text/plain; charset=utf-16", "Content-Encoding": "gzip"}
    mock_replies(requests_mock, Reply(206, body, kinds))
    request = Request("/file", headers={"Range": "bytes=0-3"}, statuses=frozenset({206}))
    with client(URL) as api:
        assert api.fetch_bytes(request, len(body)) == body
    assert requests_mock.request_history[0].headers["Range"] == "bytes=0-3"


def test_bytes_are_retried_and_bounded(throttle: RecordedPauses, requests_mock: Mocker) -> None:
    mock_replies(requests_mock, Reply(503, b""), Reply(200, b"12345"))
    with client(URL, throttle=throttle) as api:
        assert api.fetch_bytes(LIST, 5) == b"12345"
        assert throttle.pauses == [1]
        with pytest.raises(SyncFailed, match=r"^GET /list: the response is longer than 4 bytes$"):
            api.fetch_bytes(LIST, 4)


def test_bytes_are_retried_if_something_is_wrong_with_them(requests_mock: Mocker) -> None:
    mock_replies(requests_mock, Reply(200, b"1", {"X-Number": "5"}), Reply(200, b"12345"))
    found: list[tuple[str | None, bytes]] = []

    def check(headers: Mapping[str, str], body: bytes) -> str | None:
        found.append((headers.get("x-number"), body))
        return "the file is too short" if len(body) < 5 else None

    with client(URL) as api:
        assert api.fetch_bytes(LIST, 5, check) == b"12345"
    assert found == [("5", b"1"), (None, b"12345")]


# Retry-After


def test_retry_after_is_a_lower_bound_of_the_pause(
    throttle: RecordedPauses, requests_mock: Mocker
) -> None:
    replies = [Reply(429, b"", {"Retry-After": header}) for header in ("30", "0", " 11 ", "3")]
    mock_replies(requests_mock, *replies, GOOD)
    with client(URL, throttle=throttle) as api:
        assert api.send(LIST, list).value == [1]
    assert throttle.pauses == [30, 2, 11, 8]


@pytest.mark.parametrize("offset_s", [40, 250])
def test_retry_after_can_be_a_date(
    offset_s: int, throttle: RecordedPauses, requests_mock: Mocker
) -> None:
    date = formatdate(time.time() + offset_s, usegmt=True)
    mock_replies(requests_mock, Reply(503, b"", {"Retry-After": date}), GOOD)
    with client(URL, throttle=throttle) as api:
        api.send(LIST, list)
    assert offset_s - 10 < throttle.pauses[0] <= offset_s


@pytest.mark.parametrize(
    "header", ["", "soon", "1.5", "-3", "Wed, 99 Nov 2026 99:99:99 GMT", "0x10", "²"]
)
def test_invalid_retry_after_is_ignored(
    header: str, throttle: RecordedPauses, requests_mock: Mocker
) -> None:
    mock_replies(requests_mock, Reply(429, b"", {"Retry-After": header}), GOOD)
    with client(URL, throttle=throttle) as api:
        api.send(LIST, list)
    assert throttle.pauses == [1]


def test_retry_after_in_the_past_is_ignored(
    throttle: RecordedPauses, requests_mock: Mocker
) -> None:
    """The clock of the server is slow; five tries without a pause would end the run."""
    past = {"Retry-After": formatdate(time.time() - 100, usegmt=True)}
    mock_replies(requests_mock, Reply(503, b"", past))
    failure(throttle=throttle)
    assert throttle.pauses == [1, 2, 4, 8]


@pytest.mark.parametrize("seconds", [301, 3600, 10**9])
def test_retry_after_of_more_than_five_minutes_ends_the_request(
    seconds: int, throttle: RecordedPauses, requests_mock: Mocker
) -> None:
    mock_replies(requests_mock, Reply(429, b"", {"Retry-After": str(seconds)}))
    line = failure(throttle=throttle)
    problem = f"HTTP 429, the server asks to wait {seconds} s; failed after 1 try"
    assert line == f"GET /list: {problem}"
    assert requests_mock.call_count == 1
    assert throttle.pauses == []


@pytest.mark.parametrize(("seconds", "pause"), [(40, 40), (1000, 300)])
def test_retry_after_pauses_all_requests(
    seconds: int, pause: int, throttle: RecordedPauses, requests_mock: Mocker
) -> None:
    mock_replies(requests_mock, Reply(429, b"", {"Retry-After": str(seconds)}))
    with client(URL, throttle=throttle) as api, pytest.raises(Retriable) as caught:
        list(api.open(LIST))
    assert caught.value.retry_after == seconds
    assert throttle.pauses_of_all == [pause]


# Body


@pytest.mark.parametrize(
    ("body", "shape", "problem"),
    [
        (b"{}", list, "expected a JSON array, got object"),
        (b"[]", dict, "expected a JSON object, got array"),
        (b"null", list, "expected a JSON array, got null"),
        (b'"secret"', dict, "expected a JSON object, got string"),
        (b"17", dict, "expected a JSON object, got number"),
        (b"1.5", list, "expected a JSON array, got number"),
        (b"true", list, "expected a JSON array, got boolean"),
        (b"{}", (list, str), "expected a JSON array or string, got object"),
    ],
)
def test_json_of_another_type_is_retried(
    body: bytes,
    shape: type | tuple[type, ...],
    problem: str,
    throttle: RecordedPauses,
    requests_mock: Mocker,
) -> None:
    mock_replies(requests_mock, Reply(body=body))
    line = failure(shape=shape, throttle=throttle)
    assert line == f"GET /list: {problem}; failed after 5 tries"
    assert requests_mock.call_count == 5


def check_page(response: Response) -> str | None:
    """Return that a page is not the requested one."""
    return None if response.value == [2] else f"expected page 2, got page {response.value[0]}"


def test_response_that_fails_the_check_is_retried(
    throttle: RecordedPauses, caplog: pytest.LogCaptureFixture, requests_mock: Mocker
) -> None:
    mock_replies(requests_mock, Reply(body=b"[1]"), Reply(201, b"[2]", {"X-Total": "7"}))
    with client(URL, throttle=throttle) as api:
        request = replace(LIST, statuses=frozenset({200, 201}))
        response = api.send(request, list, check_page)
    assert (response.status, response.value, response.headers["x-total"]) == (201, [2], "7")
    assert throttle.pauses == [1]
    assert caplog.messages == ["GET /list: expected page 2, got page 1; try 2 of 5 in 1.0 s"]


def test_response_that_always_fails_the_check_is_an_error(
    throttle: RecordedPauses, requests_mock: Mocker
) -> None:
    mock_replies(requests_mock, Reply(body=b"[1]"))
    with client(URL, throttle=throttle) as api, pytest.raises(SyncFailed) as caught:
        api.send(LIST, list, check_page)
    assert str(caught.value) == "GET /list: expected page 2, got page 1; failed after 5 tries"
    assert requests_mock.call_count == 5


def test_body_is_decoded_by_the_given_function(requests_mock: Mocker) -> None:
    calls: list[tuple[bytes, str]] = []

    def decode(body: bytes, source: str) -> list[bytes]:
        calls.append((body, source))
        return body.split(b",")

    mock_replies(requests_mock, Reply(body=b"a,b"))
    with client(URL) as api:
        assert api.send(LIST, list, decode=decode).value == [b"a", b"b"]
    assert calls == [(b"a,b", "GET /list")]


@pytest.mark.parametrize(
    ("reply", "error", "message"),
    [
        (Reply(503), Retriable, "GET /list: HTTP 503"),
        (Reply(body=b"<html>"), Retriable, "GET /list: the response is not JSON (6 bytes, HTML)"),
        (Reply(404), SyncFailed, "mapped: GET /list: HTTP 404"),
    ],
)
def test_send_once_does_not_retry(
    reply: Reply,
    error: type[Exception],
    message: str,
    throttle: RecordedPauses,
    requests_mock: Mocker,
) -> None:
    mock_replies(requests_mock, reply)
    with client(URL, throttle=throttle) as api, pytest.raises(error) as caught:
        api.send_once(LIST)
    assert requests_mock.call_count == 1
    assert type(caught.value) is error
    assert str(caught.value) == message
    assert throttle.pauses == []
