"""Servers that send a little now and then, or much that is no content: every request ends."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

import pytest
from tap_kit.errors import Retriable, SyncFailed
from tap_kit.net import exchange as exchanges
from tap_kit.net.exchange import Exchange
from tap_kit.net.http import Request

from tests.kit.apis import RecordedPauses, Reply, client, listening, serving

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

LIST = Request("/list")
TIMEOUT_S = 0.1
HEAD = b"HTTP/1.1 200 OK\r\n"
LONG = b"Content-Length: 1000000\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"


def drip(first: bytes, repeated: bytes, pause_s: float = 0.02) -> Callable[[socket.socket], None]:
    """Return a server that sends ``first``, and then the bytes of ``repeated`` again and again."""

    def talk(connection: socket.socket) -> None:
        connection.recv(10_000)
        with contextlib.suppress(OSError):
            connection.sendall(first)
            while True:
                for place in range(len(repeated)):
                    connection.sendall(repeated[place : place + 1])
                    time.sleep(pause_s)

    return talk


def flood(first: bytes, repeated: bytes) -> Callable[[socket.socket], None]:
    """Return a server that sends ``first``, and then ``repeated`` as fast as it can."""

    def talk(connection: socket.socket) -> None:
        connection.recv(10_000)
        with contextlib.suppress(OSError):
            connection.sendall(first)
            while True:
                connection.sendall(repeated * 1000)

    return talk


@contextlib.contextmanager
def ends_in_time() -> Iterator[None]:
    """Check that what is inside takes seconds at most; without a limit, it would never end."""
    began = time.monotonic()
    yield
    assert time.monotonic() - began < 20


@pytest.mark.parametrize(
    "talk",
    [
        drip(b"", HEAD * 1000),
        drip(HEAD, b"X-A: b\r\n"),
        drip(HEAD + LONG, b" "),
        drip(HEAD + CHUNKED, b"1\r\n \r\n"),
        drip(HEAD + CHUNKED + b"2\r\n[]\r\n0\r\n", b"X-A: b\r\n"),
        drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["status", "headers", "body", "chunks", "trailers", "interim"],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_response_that_arrives_byte_by_byte_ends_after_five_timeouts(
    talk: Callable[[socket.socket], None], method: str
) -> None:
    with listening(talk) as (port, _), ends_in_time():
        url = f"http://127.0.0.1:{port}"
        with (
            client(url, timeout_s=TIMEOUT_S) as api,
            pytest.raises(Retriable, match=r"^\w+ /list: the response took longer than 0 s$"),
        ):
            api.send_once(Request("/list", method=method, body={}))


@pytest.mark.parametrize(
    ("talk", "reason"),
    [
        (flood(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), "8 MiB of headers arrived"),
        (flood(HEAD + CHUNKED + b"2\r\n[]\r\n0\r\n", b"X-A: b\r\n"), "8 MiB of headers arrived"),
        (flood(HEAD, b"X-A: b\r\n"), "the connection was lost"),
    ],
    ids=["interim", "trailers", "headers"],
)
def test_flood_without_content_ends(talk: Callable[[socket.socket], None], reason: str) -> None:
    with listening(talk) as (port, _), ends_in_time():
        url = f"http://127.0.0.1:{port}"
        with client(url) as api, pytest.raises(Retriable, match=f"^GET /list: {reason}"):
            api.send_once(LIST)


@pytest.mark.parametrize(
    ("status", "error"), [(404, SyncFailed), (429, Retriable), (500, Retriable)]
)
def test_body_of_an_error_response_is_waited_for_two_seconds(
    status: int, error: type[Exception]
) -> None:
    head = f"HTTP/1.1 {status} X\r\n".encode()
    with listening(drip(head + LONG, b" ")) as (port, _), ends_in_time():
        url = f"http://127.0.0.1:{port}"
        with client(url) as api, pytest.raises(error, match=f"HTTP {status}$"):
            api.send_once(LIST)


def test_slow_download_is_broken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchanges, "MIN_BYTES_PER_S", 1000)
    with listening(drip(HEAD + LONG, b" ")) as (port, _), ends_in_time():
        url = f"http://127.0.0.1:{port}"
        with client(url, timeout_s=TIMEOUT_S) as api, pytest.raises(Retriable) as caught:
            list(api.open(LIST))
    problem = "the download is too slow (fewer than 500 bytes within 0 s)"
    assert str(caught.value) == f"GET /list: {problem}"


def test_steady_download_may_take_as_long_as_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its rate is above the minimum, so it may take longer than the limit of a response.

    The minimum is far below the rate of this server, which is slower on a busy machine.
    """
    monkeypatch.setattr(exchanges, "MIN_BYTES_PER_S", 50)
    body = b" " * 1200
    with (
        serving(Reply(body=body, drip_s=0.0005)) as server,
        client(server.url, timeout_s=0.1) as api,
    ):
        assert b"".join(api.open(LIST)) == body


def test_time_of_the_consumer_does_not_count() -> None:
    reader = Exchange("GET /list", 10)
    reader.require_rate()
    reader.count(9, 9_999)
    assert reader.limit_problem() is None
    assert reader.seconds_left == 1
    reader.count(0.5, 1)
    assert reader.seconds_left == 10, "enough bytes arrived"
    reader.count(10, 0)
    assert reader.limit_problem() == (
        "the download is too slow (fewer than 10,000 bytes within 10 s)"
    )


def test_slow_storage_is_broken_off() -> None:
    with (
        listening(drip(b"", HEAD * 1000)) as (port, _),
        serving(Reply(307, b"", {"Location": f"http://127.0.0.1:{port}/stored"})) as server,
        ends_in_time(),
        client(server.url, timeout_s=TIMEOUT_S) as api,
        pytest.raises(Retriable) as caught,
    ):
        list(api.open(LIST))
    assert str(caught.value) == "GET /list: the response took longer than 0 s"


def test_slow_server_is_named_with_the_number_of_tries() -> None:
    throttle = RecordedPauses()
    with listening(drip(HEAD + LONG, b" ")) as (port, _), ends_in_time():
        options = {"timeout_s": TIMEOUT_S, "throttle": throttle}
        with (
            client(f"http://127.0.0.1:{port}", **options) as api,
            pytest.raises(SyncFailed) as caught,
        ):
            api.send(LIST, list)
    problem = "the response took longer than 0 s; failed after 5 tries"
    assert str(caught.value) == f"GET /list: {problem}"


@pytest.mark.parametrize("header", [b"X-\0A: b", b"no colon", b" folded", b": no name"])
def test_headers_that_cannot_be_parsed_are_an_error(
    header: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """The length would be lost, and the rest of the headers would be the body."""
    response = HEAD + header + b"\r\nContent-Length: 2\r\n\r\n[]"

    def talk(connection: socket.socket) -> None:
        connection.recv(10_000)
        connection.sendall(response)

    with (
        listening(talk) as (port, _),
        client(f"http://127.0.0.1:{port}") as api,
        pytest.raises(Retriable, match=r"^GET /list: the response has invalid headers$"),
    ):
        api.send_once(LIST)
    assert not any(record.exc_info for record in caplog.records)
