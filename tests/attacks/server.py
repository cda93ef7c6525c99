"""A server on raw sockets, which sends any bytes at any pace.

It shares no code with the sandbox or the taps, so that it can break every rule of HTTP. A
``Reply`` is a function from a request to the pieces of bytes to send. The connection is closed
after the last piece.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Self

CRLF = b"\r\n"
_MAX_HEAD = 1 << 20
_IDLE_S = 30.0


@dataclass(frozen=True)
class Heard:
    """A request as it arrived; ``port`` is the one of the server."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    port: int

    @property
    def authorization(self) -> str:
        """The credentials in the request."""
        return self.headers.get("authorization", "")


Reply = Callable[[Heard], Iterable[bytes]]
"""Returns the pieces of a response, from its status line on."""


def head(status: int | str = 200, *headers: tuple[str, object], reason: str = "OK") -> bytes:
    """Return a status line and headers, with the empty line after them."""
    lines = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode("utf-8", "surrogateescape")


def reply(
    body: bytes | str | list[Any] | dict[str, Any] = b"",
    status: int = 200,
    *headers: tuple[str, object],
) -> Reply:
    """Return a regular response; a list, an object or a text is sent as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    start = head(status, *headers, ("Content-Length", len(content)))
    return lambda _: [start, content]


def raw(*pieces: bytes) -> Reply:
    """Return a response of exactly these bytes."""
    return lambda _: pieces


def endless(start: bytes, piece: bytes, pause_s: float = 0.0) -> Reply:
    """Return a response that repeats a piece until the client closes the connection."""

    def pieces(_: Heard) -> Iterator[bytes]:
        yield start
        while True:
            yield piece
            time.sleep(pause_s)

    return pieces


def drip(content: bytes, pause_s: float = 0.3, start: bytes = b"") -> Reply:
    """Return a response that sends ``start`` as a whole and the rest byte by byte."""

    def pieces(_: Heard) -> Iterator[bytes]:
        yield start
        for byte in content:
            yield bytes([byte])
            time.sleep(pause_s)

    return pieces


def chunked(*chunks: bytes, end: bytes = b"0\r\n\r\n", status: int = 200) -> Reply:
    """Return a response in chunks."""
    start = head(status, ("Transfer-Encoding", "chunked"))
    pieces = [b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks]
    return lambda _: [start, *pieces, end]


@dataclass
class Server:
    """A server at a port of its own on 127.0.0.1.

    ``routes`` has the reply by method and path (``GET /api/me``), by the longest matching prefix
    that ends in ``*``, or for everything else (``*``).
    """

    routes: Mapping[str, Reply]
    heard: list[Heard] = field(default_factory=list)
    _socket: socket.socket = field(init=False)

    def __enter__(self) -> Self:
        """Start the server."""
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the server; replies that are being sent end when the client closes."""
        self._socket.close()

    @property
    def port(self) -> int:
        """The port of the server."""
        number: int = self._socket.getsockname()[1]
        return number

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(_IDLE_S)
        with connection, contextlib.suppress(OSError):
            request = _read_request(connection)
            if request is not None:
                self.heard.append(request)
                for piece in self._reply_to(request)(request):
                    connection.sendall(piece)
                connection.shutdown(socket.SHUT_WR)
                connection.settimeout(1)
                while connection.recv(1 << 16):  # closing with unread data would reset it
                    pass

    def _reply_to(self, request: Heard) -> Reply:
        place = f"{request.method} {request.path.partition('?')[0]}"
        if place in self.routes:
            return self.routes[place]
        prefixes = [key for key in self.routes if key.endswith("*") and place.startswith(key[:-1])]
        if prefixes:
            return self.routes[max(prefixes, key=len)]
        return reply({"message": "not found"}, 404)


def _read_request(connection: socket.socket) -> Heard | None:
    data = b""
    while CRLF * 2 not in data:
        piece = connection.recv(1 << 16)
        data += piece
        if not piece or len(data) > _MAX_HEAD:
            return None
    start, _, body = data.partition(CRLF * 2)
    line, *fields = start.decode("latin-1").split("\r\n")
    method, path, *_ = [*line.split(" "), "", ""]
    pairs = (one.partition(":") for one in fields)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    while len(body) < int(headers.get("content-length", "0")):
        piece = connection.recv(1 << 16)
        if not piece:
            return None
        body += piece
    port: int = connection.getsockname()[1]
    return Heard(method, path, headers, body, port)


class Silent:
    """A port that accepts connections and sends ``pieces`` at a pace, before any request."""

    def __init__(self, *pieces: bytes, pause_s: float = 0.3) -> None:
        self._pieces = pieces
        self._pause_s = pause_s
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._socket.getsockname()[1]
        self.connections = 0

    def __enter__(self) -> Self:
        """Start to accept connections."""
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self._socket.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            for piece in self._pieces:
                connection.sendall(piece)
                time.sleep(self._pause_s)
            connection.settimeout(_IDLE_S)
            while connection.recv(1 << 16):
                pass
