"""Connections that cannot be made, are lost, or go through TLS or a proxy."""

from __future__ import annotations

import importlib
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from threading import Event
from typing import TYPE_CHECKING
from unittest.mock import Mock, patch

import pytest
import requests.adapters
import tap_kit.net.retries
from tap_kit.errors import Retriable, SyncFailed
from tap_kit.net.connections import LimitedAdapter
from tap_kit.net.http import Request
from tap_kit.net.sessions import open_session

from tests.kit.apis import TOKEN, RecordedPauses, Reply, client, listening, serving

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from typing_extensions import Never

    Talk = Callable[[socket.socket], object]

LIST = Request("/list", {"source": "secret-segment"})


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tap_kit.net.retries, "FIRST_PAUSE_S", 0.001)


def close_early(connection: socket.socket) -> None:
    """Read a request and close the connection."""
    connection.recv(10_000)


def failure(url: str) -> str:
    """Return the one line with which a request fails."""
    with client(url, timeout_s=5) as api, pytest.raises(SyncFailed) as caught:
        api.send(LIST, list)
    return str(caught.value)


def download_failure(url: str) -> str:
    """Return the message with which a download fails."""
    with client(url) as api, pytest.raises(Retriable) as caught:
        list(api.open(Request("/file")))
    return str(caught.value)


def test_unknown_host_is_named() -> None:
    url = "https://nowhere.invalid"
    assert failure(url) == f"GET /list: the host of {url} cannot be resolved; failed after 5 tries"


def test_host_that_cannot_be_resolved_is_retried(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object, **_more: object) -> Never:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    monkeypatch.setattr(tap_kit.net.retries, "FIRST_PAUSE_S", 1)
    throttle = RecordedPauses()
    url = "https://api.example"
    with client(url, throttle=throttle) as api, pytest.raises(SyncFailed) as caught:
        api.send(LIST, list)
    assert str(caught.value) == (
        f"GET /list: the host of {url} cannot be resolved; failed after 5 tries"
    )
    assert throttle.pauses == [1, 2, 4, 8]


def test_refused_connection_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
    assert failure(url) == f"GET /list: no connection to {url}; failed after 5 tries"
    assert download_failure(url) == f"GET /file: no connection to {url}"


def test_unreachable_storage_is_reported_without_its_url() -> None:
    """The URL of a storage contains a signature that gives access to the file."""
    away = Reply(302, b"", {"Location": "http://127.0.0.1:1/stored?signature=s3cret"})
    with serving(away) as server:
        line = download_failure(server.url)
    assert line == "GET /file: no connection to the redirect's target"


def test_server_that_sends_nothing_times_out() -> None:
    is_over = Event()
    with listening(lambda _: is_over.wait(5)) as (port, _):
        url = f"http://127.0.0.1:{port}"
        with client(url, timeout_s=0.05) as api, pytest.raises(SyncFailed, match="no response wit"):
            api.send(LIST, list)
        is_over.set()


def test_request_can_have_its_own_timeout() -> None:
    with (
        serving(Reply(body=b"[]", drip_s=20)) as server,
        client(server.url, timeout_s=10) as api,
        pytest.raises(Retriable, match=r"^GET /list: the response took longer than 1 s$"),
    ):
        api.send_once(Request("/list", timeout_s=0.6))


def test_closed_connection_is_retried_and_named() -> None:
    with listening(close_early) as (port, connections):
        url = f"http://127.0.0.1:{port}"
        assert failure(url) == "GET /list: the connection was lost; failed after 5 tries"
        assert len(connections) == 5
        assert download_failure(url) == "GET /file: the connection was lost"


@pytest.mark.parametrize("size", [b"-1", b"-5", b"-FFFFFFFFFFFFFFFFFF"])
def test_negative_size_of_a_chunk_is_a_lost_connection(size: bytes) -> None:
    def talk(connection: socket.socket) -> None:
        connection.recv(10_000)
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head + size + b"\r\n[]\r\n0\r\n\r\n")

    with listening(talk) as (port, _):
        url = f"http://127.0.0.1:{port}"
        assert failure(url) == "GET /list: the connection was lost; failed after 5 tries"
        assert download_failure(url) == "GET /file: the connection was lost"


def test_interrupted_tls_handshake_is_retried() -> None:
    """For example by a proxy that restarts: the certificate is not the problem."""
    with listening(close_early) as (port, connections):
        line = failure(f"https://127.0.0.1:{port}")
    assert len(connections) == 5
    assert "certificate" not in line


def test_https_to_an_http_port_is_not_a_certificate_error() -> None:
    with serving(Reply()) as server:
        line = failure(server.url.replace("http:", "https:"))
    assert line.startswith("GET /list: no secure connection to https://127.0.0.1:")
    assert "certificate" not in line


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes a certificate with openssl")
def test_untrusted_certificate_is_not_retried(tmp_path: Path) -> None:
    received: list[bytes] = []
    with listening(talk_tls(tmp_path, received)) as (port, connections):
        url = f"https://127.0.0.1:{port}"
        problem = f"no secure connection to {url}: its certificate cannot be verified"
        assert failure(url) == f"GET /list: {problem}"
    assert len(connections) == 1
    assert received == [], "nothing is sent to a server that cannot be verified"


def talk_tls(folder: Path, received: list[bytes]) -> Talk:
    """Return a server with a certificate that it signed itself."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    make += ["-nodes", "-subj", "/CN=127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(make, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    def talk(connection: socket.socket) -> None:
        try:
            with context.wrap_socket(connection, server_side=True) as secure:
                received.append(secure.recv(1000))
        except OSError:
            return

    return talk


def test_proxy_of_the_environment_gets_no_credentials_in_clear_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """For https the proxy receives a CONNECT only."""
    received: list[bytes] = []
    with listening(lambda connection: received.append(connection.recv(1000))) as (port, _):
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        failure("https://nowhere.invalid")
    assert {line.split()[0] for line in received} == {b"CONNECT"}
    assert TOKEN.encode() not in b"".join(received)


def test_socks_proxy_keeps_its_own_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours would connect to the API directly, past the proxy."""
    with patch.dict(sys.modules, {"socks": Mock()}):  # PySocks is no dependency
        socks = importlib.import_module("urllib3.contrib.socks")
    monkeypatch.setattr(requests.adapters, "SOCKSProxyManager", socks.SOCKSProxyManager)
    manager = LimitedAdapter().proxy_manager_for("SOCKS5h://a.test:1080")
    assert manager.pool_classes_by_scheme == socks.SOCKSProxyManager.pool_classes_by_scheme


def test_session_outside_of_an_exchange_opens_no_connection() -> None:
    with (
        listening(close_early) as (port, connections),
        open_session(f"http://127.0.0.1:{port}", user_agent="x", connections=1) as session,
        pytest.raises(LookupError, match="a connection needs an exchange"),
    ):
        session.get(f"http://127.0.0.1:{port}")
    assert connections == []


def test_several_threads_share_one_client() -> None:
    values: list[object] = []
    with serving(Reply(body=b"[1]")) as server, client(server.url) as api:
        together = threading.Barrier(8)

        def send() -> None:
            together.wait(5)
            values.append(api.send(LIST, list).value)

        threads = [threading.Thread(target=send) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
    assert values == [[1]] * 8
