"""A client for the tests, which can also read the raw bytes."""

import socket
from types import TracebackType
from typing import Any

import requests
from sandbox.server import Running
from typing_extensions import Self

BEARER = {"Authorization": "Bearer demo-token"}


class WithSession:
    """Something that closes its session at the end of a ``with`` block."""

    def __init__(self) -> None:
        self.session = requests.Session()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.session.close()


class Client(WithSession):
    """A client of one server that sends the token by default."""

    def __init__(self, server: Running) -> None:
        super().__init__()
        self.server = server

    def get(self, target: str, headers: dict[str, str] | None = None) -> requests.Response:
        """Send a GET request; ``headers`` replace the token."""
        return self.request("GET", target, headers=BEARER if headers is None else headers)

    def request(self, method: str, target: str, **options: Any) -> requests.Response:
        """Send a request on a connection that stays open, and do not follow redirects."""
        options = {"headers": BEARER, "allow_redirects": False, "timeout": 10, **options}
        return self.session.request(method, self.server.url + target, **options)

    def raw(self, target: str, *lines: str) -> bytes:
        """Send a request on a new connection, and return all bytes until it closes."""
        head = [f"GET {target} HTTP/1.1", "Host: localhost", "Authorization: demo-token", *lines]
        with socket.create_connection((self.server.host, self.server.port), timeout=10) as wire:
            wire.sendall("\r\n".join([*head, "Connection: close", "", ""]).encode())
            return b"".join(iter(lambda: wire.recv(65536), b""))
