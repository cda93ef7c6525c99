"""A small HTTP server in a thread, whose responses one function makes."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


@dataclass(frozen=True)
class Received:
    """A request: its path without the query, and its parameters from query and body."""

    method: str
    path: str
    parameters: Mapping[str, str]
    body: bytes = b""

    @property
    def last_part(self) -> str:
        """The last segment of the path."""
        return self.path.rpartition("/")[2]

    @property
    def offset(self) -> int:
        """The requested offset."""
        return int(self.parameters.get("offset", "0"))

    @property
    def limit(self) -> int:
        """The requested page size."""
        return int(self.parameters.get("limit", "20"))


@dataclass(frozen=True)
class Reply:
    """A response; a body that is no bytes becomes JSON."""

    body: Any = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        """The body in bytes."""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    respond: Callable[[Received], Reply]

    def serve(self) -> None:
        """Send the response to one request."""
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        form = body.decode() if "form" in self.headers.get("Content-Type", "") else ""
        query = "&".join(filter(None, (parts.query, form)))
        parameters = dict(parse_qsl(query, keep_blank_values=True))
        reply = type(self).respond(Received(self.command, parts.path, parameters, body))
        content = b"" if reply.status in {204, 304} else reply.content
        self.send_response(reply.status)
        for name, value in {"Content-Type": "application/json", **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""


@contextmanager
def serving(respond: Callable[[Received], Reply]) -> Iterator[str]:
    """Return the URL of a server on this machine."""
    methods = dict.fromkeys(("do_GET", "do_POST", "do_DELETE"), _Handler.serve)
    handler = type("Handler", (_Handler,), {"respond": staticmethod(respond), **methods})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
