"""A client for the tests, which can also look at the bare bytes."""

import socket
from types import TracebackType
from typing import Any

import requests
from sandbox.server import Running
from typing_extensions import Self

BEARER = {"Authorization": "Bearer demo-token"}


class Client:
    """Asks one sandbox, with the token unless told otherwise."""

    def __init__(self, server: Running) -> None:
        self.server = server
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

    def get(self, target: str, headers: dict[str, str] | None = None) -> requests.Response:
        """Ask by GET; ``headers`` replace the token."""
        return self.ask("GET", target, headers=BEARER if headers is None else headers)

    def ask(self, method: str, target: str, **options: Any) -> requests.Response:
        """Ask on a connection that is kept, and follow no redirect."""
        options = {"headers": BEARER, "allow_redirects": False, "timeout": 10, **options}
        return self.session.request(method, self.server.url + target, **options)

    def raw(self, target: str, *lines: str) -> bytes:
        """Send a bare request on a connection of its own; give all bytes until it closes."""
        head = [f"GET {target} HTTP/1.1", "Host: localhost", "Authorization: demo-token", *lines]
        with socket.create_connection((self.server.host, self.server.port), timeout=10) as wire:
            wire.sendall("\r\n".join([*head, "Connection: close", "", ""]).encode())
            return b"".join(iter(lambda: wire.recv(65536), b""))
