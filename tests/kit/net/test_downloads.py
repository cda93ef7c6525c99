"""Downloads: redirects, interruptions, and rows that are returned as they arrive."""

from __future__ import annotations

import gzip
import threading
from typing import TYPE_CHECKING

import msgspec
import pytest
from sandbox.faults import Fault
from sandbox.kindmetrics import Kindmetrics
from sandbox.server import running
from sandbox.stranger import Stranger
from tap_kit.errors import Retriable, SyncFailed
from tap_kit.net.http import Request
from tap_kit.rows.json_rows import JsonRows
from tap_kit.rows.streaming import parse_rows, read_with_resume

from tests.kit.apis import (
    TOKEN,
    URL,
    RecordedPauses,
    Reply,
    client,
    listening,
    mock_replies,
    serving,
)
from tests.kit.pipelines import LONG_S

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator
    from pathlib import Path

    from requests_mock import Mocker
    from tap_kit.net.http import Api

FILE = Request("/file", {"part": "secret-segment"})
WHOLE = b'[{"id": 0}, {"id": 1}, {"id": 2}, {"id": 3}]'
ROWS = [{"id": number} for number in range(4)]


def redirect(location: str, status: int = 307) -> Reply:
    """Return a redirect with a cookie for the API."""
    return Reply(status, b"", {"Location": location, "Set-Cookie": "session=s3cret; Path=/"})


def cut_after(text: bytes) -> Reply:
    """Return a reply whose body ends after ``text``."""
    body = WHOLE[: WHOLE.index(text) + len(text)]
    return Reply(body=body, headers={"Content-Length": str(len(WHOLE))})


def failure(url: str, error: type[Exception]) -> str:
    """Return the message with which a download fails."""
    with client(url, timeout_s=5) as api, pytest.raises(error) as caught:
        list(api.open(FILE))
    assert type(caught.value) is error
    assert "secret-segment" not in str(caught.value)
    return str(caught.value)


def rows(api: Api, pauses: list[float]) -> Iterator[list[object]]:
    """Yield the batches of rows of a download that is resumed; record the pauses."""

    def open_batches() -> Iterator[list[object]]:
        return parse_rows(api.open(FILE), JsonRows(msgspec.json.Decoder(list).decode, str(FILE)))

    for batch in read_with_resume(open_batches, pauses.append):
        yield list(batch)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_followed_without_credentials(
    status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login someone password s3cret\n", encoding="utf-8")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    stranger = Stranger(ROWS)
    with (
        running(stranger.app) as storage,
        serving(redirect(f"{storage.url}/stored?signature=x", status)) as server,
        client(server.url) as api,
    ):
        for _ in range(2):  # a cookie is not kept
            assert msgspec.json.decode(b"".join(api.open(FILE))) == ROWS
    assert [headers["Authorization"] for _, headers in server.seen] == [f"Bearer {TOKEN}"] * 2
    assert "Cookie" not in server.seen[1][1]
    assert [request.target for request in stranger.log.requests] == ["/stored?signature=x"] * 2
    for request in stranger.log.requests:
        assert not {"authorization", "cookie", "proxy-authorization"} & {*request.headers}
        assert "s3cret" not in str(request.headers)
        assert request.headers["user-agent"] == "tap-canned/1"


@pytest.mark.parametrize(
    "location",
    [
        "http://storage.example/x",
        "http://127.0.0.1.example/x",
        "ftp://127.0.0.1/x",
        "file:///etc/passwd",
        "https://user:pass@storage.example/x",
    ],
)
def test_redirect_to_an_invalid_https_url_is_refused(location: str, requests_mock: Mocker) -> None:
    mock_replies(requests_mock, redirect(location))
    line = failure(URL, SyncFailed)
    assert requests_mock.call_count == 1
    assert line == "GET /file: the redirect's target is not a valid https URL; refused"


@pytest.mark.parametrize("status", [400, 403, 404, 410, 500, 503])
def test_error_of_the_redirect_target_is_retriable(status: int, requests_mock: Mocker) -> None:
    """It is not mapped as an error response of the API."""
    storage = "https://storage.example"
    mock_replies(requests_mock, redirect(f"{storage}/stored"))
    mock_replies(requests_mock, Reply(status, b"expired"), url=storage)
    line = failure(URL, Retriable)
    hosts = [sent.hostname for sent in requests_mock.request_history]
    assert hosts == ["api.example", "storage.example"]
    assert line == f"GET /file: the redirect's target: HTTP {status}"


@pytest.mark.parametrize("status", [302, 400, 401, 403, 404])
def test_error_response_to_a_download_is_mapped(status: int, requests_mock: Mocker) -> None:
    mock_replies(requests_mock, Reply(status, b"no"))
    assert failure(URL, SyncFailed) == f"mapped: GET /file: HTTP {status}"
    assert requests_mock.call_count == 1


@pytest.mark.parametrize("status", [429, 500, 503])
def test_busy_server_is_retriable(status: int, requests_mock: Mocker) -> None:
    mock_replies(requests_mock, Reply(status, b"later"))
    assert failure(URL, Retriable) == f"GET /file: HTTP {status}"
    assert requests_mock.call_count == 1, "one attempt; the caller retries"


def test_retry_after_of_a_storage_pauses_all_requests(requests_mock: Mocker) -> None:
    storage = "https://storage.example"
    throttle = RecordedPauses()
    mock_replies(requests_mock, redirect(f"{storage}/stored"))
    mock_replies(requests_mock, Reply(503, b"", {"Retry-After": "40"}), url=storage)
    with (
        client(URL, throttle=throttle) as api,
        pytest.raises(Retriable, match="asks to wait 40 s") as caught,
    ):
        list(api.open(FILE))
    assert caught.value.retry_after == 40
    assert throttle.pauses_of_all == [40]


@pytest.mark.parametrize("kind", ["cut_body", "reset_body", "reset", "slow_body", "stall"])
def test_truncated_body_is_retriable(kind: str) -> None:
    vendor = Kindmetrics(token=TOKEN)
    vendor.faults.append(Fault(kind, wait_ms=20_000))  # type: ignore[arg-type]
    with (
        running(vendor.app) as server,
        client(server.url, timeout_s=0.3) as api,
        pytest.raises(Retriable, match=r"^GET /api/domains: "),
    ):
        list(api.open(Request("/api/domains")))
    assert vendor.log.count == 1


def test_truncated_chunked_body_is_retriable() -> None:
    def talk(connection: socket.socket) -> None:
        connection.recv(10_000)
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[{},{\r\n")

    with listening(talk) as (port, _):
        failure(f"http://127.0.0.1:{port}", Retriable)


def test_compressed_body_is_decompressed() -> None:
    packed = Reply(body=gzip.compress(WHOLE), headers={"Content-Encoding": "gzip"})
    with serving(packed) as server, client(server.url) as api:
        assert b"".join(api.open(FILE)) == WHOLE


def test_storage_that_sends_nothing_times_out() -> None:
    is_over = threading.Event()

    def talk(connection: socket.socket) -> None:
        connection.recv(10_000)
        is_over.wait(LONG_S)

    with (
        listening(talk) as (port, _),
        serving(redirect(f"http://127.0.0.1:{port}/stored")) as server,
        client(server.url, timeout_s=0.3) as api,
    ):
        with pytest.raises(Retriable, match=r"^GET /file: no response within 0 s$"):
            list(api.open(FILE))
        is_over.set()


def test_rows_are_returned_while_the_server_is_still_sending() -> None:
    seen = threading.Event()

    def talk(connection: socket.socket) -> None:
        connection.recv(10_000)
        length = str(len(WHOLE)).encode()
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: " + length + b"\r\n\r\n")
        connection.sendall(WHOLE[:14])
        if seen.wait(LONG_S):
            connection.sendall(WHOLE[14:])

    with listening(talk) as (port, _), client(f"http://127.0.0.1:{port}") as api:
        pauses: list[float] = []
        batches = rows(api, pauses)
        assert next(batches) == ROWS[:1]
        seen.set()
        assert [row for batch in batches for row in batch] == ROWS[1:]
    assert pauses == []


def test_interrupted_download_resumes_after_the_rows_it_returned() -> None:
    replies = [cut_after(b"0}"), cut_after(b"0"), cut_after(b"2},"), Reply(body=WHOLE)]
    pauses: list[float] = []
    with serving(*replies) as server, client(server.url) as api:
        assert [row for batch in rows(api, pauses) for row in batch] == ROWS
        assert len(server.seen) == 4
    assert pauses == [1, 2, 1], "the pauses start again after a new row"


def test_five_interruptions_without_a_new_row_are_an_error() -> None:
    pauses: list[float] = []
    given: list[object] = []
    with serving(cut_after(b"1}")) as server, client(server.url) as api:
        with pytest.raises(SyncFailed) as caught:
            given.extend(row for batch in rows(api, pauses) for row in batch)
        assert len(server.seen) == 5
    assert str(caught.value) == "GET /file: the connection was lost; failed after 5 tries"
    assert pauses == [1, 2, 4, 8]


def test_download_can_be_interrupted_any_number_of_times_between_new_rows() -> None:
    count = 40
    whole = msgspec.json.encode([{"id": number} for number in range(count)])
    ends = [place + 1 for place, byte in enumerate(whole) if byte == ord("}")]
    length = {"Content-Length": str(len(whole))}
    replies = [Reply(body=whole[:end], headers=length) for end in ends]
    pauses: list[float] = []
    with serving(*replies, Reply(body=whole)) as server, client(server.url) as api:
        given = [row for batch in rows(api, pauses) for row in batch]
    assert given == [{"id": number} for number in range(count)]
    assert pauses == [1] * count
