"""A forward proxy that records the hosts that its clients contact."""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import socketserver
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK = 1 << 16
# Whether this machine reaches PyPI only through a proxy of its own.
HAS_PROXY = any(os.environ.get(name) for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"))


@dataclass
class Proxy:
    """The address of the proxy, and the hosts that were contacted so far."""

    url: str
    hosts: list[str] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """The variables that make pip, uv and requests use the proxy, except for loopback."""
        names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
        here = "127.0.0.1,localhost"
        return {**dict.fromkeys(names, self.url), "NO_PROXY": here, "no_proxy": here}


@contextlib.contextmanager
def proxying() -> Iterator[Proxy]:
    """Run the proxy in a thread until the block ends."""
    with _Server(("127.0.0.1", 0), _Tunnel) as server:
        proxy = server.proxy = Proxy(f"http://127.0.0.1:{server.server_address[1]}")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield proxy
        server.shutdown()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    proxy: Proxy


class _Tunnel(socketserver.StreamRequestHandler):
    """One connection: CONNECT is tunnelled, a request in clear text is refused."""

    server: _Server

    @override
    def handle(self) -> None:
        method, target, _ = self.rfile.readline().decode("latin-1").split(" ", 2)
        while self.rfile.readline().strip():
            pass
        host, _, port = target.rpartition(":")
        self.server.proxy.hosts.append(host or target)
        if method != "CONNECT":
            self.wfile.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            return
        try:
            there = socket.create_connection((host, int(port)), timeout=30)
        except OSError:
            self.wfile.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            return
        with there, contextlib.suppress(ConnectionError):  # either end may close the connection
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            _tunnel(self.connection, there)


def _tunnel(one: socket.socket, other: socket.socket) -> None:
    with selectors.DefaultSelector() as selector:  # select() takes no descriptor above 1,023
        for side, opposite in ((one, other), (other, one)):
            selector.register(side, selectors.EVENT_READ, opposite)
        while ready := selector.select(60):
            for key, _ in ready:
                data = cast("socket.socket", key.fileobj).recv(CHUNK)
                if not data:
                    return
                key.data.sendall(data)
