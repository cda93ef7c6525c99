"""Canned responses, from a server on loopback or mocked, and the kit's client for them."""

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event
from typing import Any

import requests
from requests.auth import AuthBase
from requests_mock import ANY, Mocker
from tap_kit.errors import SyncFailed
from tap_kit.net.http import Api, ErrorResponse
from tap_kit.net.throttle import Throttle
from typing_extensions import override

TOKEN = "t0ken-of-nobody"  # noqa: S105  (not a real token)


@dataclass(frozen=True)
class Reply:
    """A canned response. It is sent unchanged, so its length or encoding can be wrong."""

    status: int = 200
    body: bytes = b"[]"
    headers: dict[str, str] = field(default_factory=dict)
    drip_s: float = 0.0  # pause before each byte of the body


class Scripted:
    """The replies of a server, of which the last one repeats, and the requests it received."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.seen: list[tuple[str, dict[str, str]]] = []
        self.stopping = Event()
        self.url = ""

    def next_reply(self) -> Reply:
        """Return the next reply."""
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


@contextmanager
def serving(*replies: Reply) -> Iterator[Scripted]:
    """Run a server in a thread while inside."""
    script = Scripted(*replies)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            script.seen.append((self.path, dict(self.headers)))
            reply = script.next_reply()
            self.send_response(reply.status)
            default = {"Content-Length": str(len(reply.body)), "Connection": "close"}
            for name, value in {**default, **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            step = 1 if reply.drip_s else len(reply.body) or 1
            for start in range(0, len(reply.body), step):
                if reply.drip_s and script.stopping.wait(reply.drip_s):
                    break
                self.wfile.write(reply.body[start : start + step])

        @override
        def log_message(self, format: str, *args: Any) -> None:
            """Do not log."""

    class Server(ThreadingHTTPServer):
        @override
        def handle_error(self, request: Any, client_address: Any) -> None:
            """Ignore that clients close their connections, which some tests provoke."""

    server = Server(("127.0.0.1", 0), Handler)
    script.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield script
    finally:
        script.stopping.set()
        server.shutdown()
        thread.join()
        server.server_close()


class Bearer(AuthBase):
    """The credentials of the tests."""

    @override
    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {TOKEN}"
        return request


def error_for(response: ErrorResponse) -> Exception:
    """Return the error for an error response."""
    return SyncFailed(f"mapped: {response.source}: HTTP {response.status}")


@contextmanager
def client(url: str, **different: Any) -> Iterator[Api]:
    """Open the kit's client of one API; ``different`` replaces its default options."""
    options: dict[str, Any] = {
        "auth": Bearer(),
        "error_for": error_for,
        "throttle": Throttle(None, Event()),
        "timeout_s": 10,
        "user_agent": "tap-canned/1",
    }
    api = Api(url, **{**options, **different})
    try:
        yield api
    finally:
        api.close()


URL = "https://api.example"


def mock_replies(mock: Mocker, *replies: Reply, url: str = URL) -> None:
    """Mock the responses to all requests below ``url``; the last reply repeats."""
    responses = [
        {"status_code": one.status, "content": one.body, "headers": one.headers} for one in replies
    ]
    mock.register_uri(ANY, re.compile(re.escape(url)), responses)


class RecordedPauses(Throttle):
    """A throttle that records the pauses of a request and of all requests, and takes none."""

    def __init__(self) -> None:
        super().__init__(None, Event())
        self.pauses: list[float] = []
        self.pauses_of_all: list[float] = []

    @override
    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)

    @override
    def pause_for(self, seconds: float) -> None:
        self.pauses_of_all.append(seconds)


@contextmanager
def listening(talk: Callable[[socket.socket], object]) -> Iterator[tuple[int, list[int]]]:
    """Run ``talk`` on each connection to a port; yield the port and a list of connections."""
    connections: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                connections.append(1)
                with connection:
                    talk(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1], connections
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)
