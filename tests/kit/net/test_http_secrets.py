"""Credentials go where they should and into nothing else; connections that cannot be made."""

import logging
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import pytest
import tap_kit.net.retries
from sandbox.server import running
from sandbox.stranger import Stranger
from tap_kit.errors import Interrupted, Retriable, SyncFailed
from tap_kit.net.http import Request
from tap_kit.net.throttle import Throttle

from tests.kit.apis import TOKEN, Reply, client, serving

SEGMENT = "secret-segment"
LIST = Request("/list", {"source": SEGMENT})
Talk = Callable[[socket.socket], object]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tap_kit.net.retries, "FIRST_PAUSE_S", 0.001)


def failure(url: str) -> str:
    """The one line with which a request ends."""
    with client(url, timeout_s=5) as api, pytest.raises(SyncFailed) as caught:
        api.send(LIST, list)
    return str(caught.value)


@contextmanager
def listening(talk: Talk) -> Iterator[tuple[int, list[int]]]:
    """A port where ``talk`` has the connections, one after the other; and how many there were."""
    count: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                count.append(1)
                with connection:
                    talk(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1], count
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def test_credentials_are_sent_and_not_replaced_by_netrc(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login someone password s3cret\n", encoding="utf-8")
    netrc.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))
    with serving(Reply()) as server, client(server.url) as api:
        api.send(LIST, list)
    path, headers = server.seen[0]
    assert path == f"/list?source={SEGMENT}"
    assert headers["Authorization"] == f"Bearer {TOKEN}"
    assert headers["User-Agent"] == "tap-canned/1"
    assert headers["Accept"] == "application/json"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_sends_nothing_to_another_host(status: int) -> None:
    stranger = Stranger([])
    with running(stranger.app) as elsewhere:
        away = {"Location": f"{elsewhere.url}/list"}
        with serving(Reply(status, b"", away)) as server:
            assert failure(server.url) == f"mapped: GET /list: HTTP {status}"
    assert stranger.log.count == 0


@pytest.mark.parametrize(
    "reply",
    [
        Reply(500, f"token={TOKEN} {SEGMENT}".encode()),
        Reply(403, f"token={TOKEN} {SEGMENT}".encode()),
        Reply(200, f"<p>{TOKEN} {SEGMENT}".encode()),
        Reply(200, f'"{TOKEN} {SEGMENT}"'.encode()),
        Reply(302, b"", {"Location": f"http://127.0.0.1:1/?token={TOKEN}&s={SEGMENT}"}),
        Reply(429, b"", {"Retry-After": TOKEN}),
        Reply(200, b"", {"Content-Encoding": "gzip", "Content-Length": "10"}),
    ],
    ids=lambda reply: f"{reply.status} {reply.body[:5]!r}",
)
def test_no_message_and_no_log_line_contains_a_secret(
    reply: Reply, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither the token, nor a filter from the query, nor what the server said."""
    caplog.set_level(logging.DEBUG, "tap_kit")
    with serving(reply) as server:
        line = failure(server.url)
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("tap_kit")]
    said = "\n".join([line, *ours])
    assert TOKEN not in said
    assert SEGMENT not in said
    assert "/list" in line


def test_unknown_host_is_named() -> None:
    url = "https://nowhere.invalid"
    assert failure(url) == f"GET /list: the host of {url} cannot be resolved; failed after 5 tries"


def test_refused_connection_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
    assert failure(url) == f"GET /list: no connection to {url}; failed after 5 tries"


def test_server_that_sends_nothing_times_out() -> None:
    silent = Event()
    with listening(lambda _: silent.wait(5)) as (port, _):
        url = f"http://127.0.0.1:{port}"
        with (
            client(url, timeout_s=0.05) as api,
            pytest.raises(SyncFailed, match="no response with"),
        ):
            api.send(LIST, list)
        silent.set()


def test_closed_connection_is_retried_and_named() -> None:
    with listening(lambda connection: connection.recv(1000)) as (port, count):
        line = failure(f"http://127.0.0.1:{port}")
    assert line == "GET /list: the connection was lost; failed after 5 tries"
    assert len(count) == 5


def test_interrupted_tls_handshake_is_retried() -> None:
    """Such as a proxy that is being restarted: nothing is wrong with its certificate."""
    with listening(lambda connection: connection.recv(1000)) as (port, count):
        line = failure(f"https://127.0.0.1:{port}")
    assert len(count) == 5
    assert "certificate" not in line


def test_https_to_an_http_port_is_not_a_certificate_error() -> None:
    with serving(Reply()) as server:
        line = failure(server.url.replace("http:", "https:"))
    assert line.startswith("GET /list: no secure connection to https://127.0.0.1:")
    assert "certificate" not in line


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes a certificate with openssl")
def test_untrusted_certificate_is_not_retried(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    make += ["-nodes", "-subj", "/CN=127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(make, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    received: list[bytes] = []

    def talk(connection: socket.socket) -> None:
        try:
            with context.wrap_socket(connection, server_side=True) as secure:
                received.append(secure.recv(1000))
        except OSError:
            return

    with listening(talk) as (port, count):
        url = f"https://127.0.0.1:{port}"
        expected = f"no secure connection to {url}: its certificate cannot be verified"
        assert failure(url) == f"GET /list: {expected}"
    assert len(count) == 1
    assert received == [], "nothing was sent to somebody who cannot prove who he is"


def test_proxy_of_the_environment_gets_no_credentials_in_clear_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """For https the proxy sees a CONNECT only."""
    heard: list[bytes] = []

    def talk(connection: socket.socket) -> None:
        heard.append(connection.recv(1000))

    with listening(talk) as (port, _):
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        failure("https://nowhere.invalid")
    assert {line.split()[0] for line in heard} == {b"CONNECT"}
    assert TOKEN.encode() not in b"".join(heard)


def test_several_threads_share_one_client() -> None:
    answers: list[object] = []
    with serving(Reply(body=b"[1]")) as server, client(server.url) as api:
        send = threading.Barrier(8)

        def work() -> None:
            send.wait(5)
            answers.append(api.send(LIST, list).value)

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
    assert answers == [[1]] * 8


def test_stopped_throttle_sends_no_request() -> None:
    stop = Event()
    throttle = Throttle(None, stop)
    throttle.pause_for(100)
    stop.set()
    with serving(Reply()) as server:
        with client(server.url, throttle=throttle) as api, pytest.raises(Exception, match="stop"):
            api.send(LIST, list)
        assert server.seen == []


def test_no_library_logs_a_query(caplog: pytest.LogCaptureFixture) -> None:
    """At level DEBUG urllib3 logs the whole address of each request."""
    caplog.set_level(logging.DEBUG)
    with serving(Reply(body=b"[]")) as server, client(server.url) as api:
        api.send(LIST, list)
    assert "urllib3.connectionpool" in {record.name for record in caplog.records}
    assert "/list" in caplog.text
    assert SEGMENT not in caplog.text


def test_redirect_to_an_invalid_url_is_an_error_response() -> None:
    """The library that follows redirects stumbles over it, even when it is to follow none."""
    with serving(Reply(302, b"", {"Location": "http://[::1/list"})) as server:
        assert failure(server.url) == "mapped: GET /list: HTTP 302"


def test_retry_after_of_a_storage_pauses_all_requests() -> None:
    stop = Event()
    throttle = Throttle(None, stop)
    with serving(Reply(503, headers={"Retry-After": "40"})) as storage:
        away = Reply(302, b"", {"Location": storage.url})
        with (
            serving(away) as server,
            client(server.url, throttle=throttle) as api,
            pytest.raises(Retriable, match="asks to wait 40 s") as caught,
        ):
            list(api.open(LIST))
    assert caught.value.retry_after == 40
    stop.set()
    with pytest.raises(Interrupted):
        throttle.acquire()
