"""TLS on loopback: a self-signed certificate, and a TLS proxy in front of an http server."""

from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
import subprocess
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HAS_OPENSSL = shutil.which("openssl") is not None
needs_openssl = pytest.mark.skipif(not HAS_OPENSSL, reason="makes a certificate with openssl")


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate for 127.0.0.1."""

    key: Path
    certificate: Path

    @classmethod
    def made_in(cls, folder: Path) -> Certificate:
        """Make a certificate in a folder."""
        made = cls(folder / "key.pem", folder / "certificate.pem")
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt"]
        command += ["ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=127.0.0.1"]
        command += ["-addext", "subjectAltName=IP:127.0.0.1", "-addext"]
        command += ["keyUsage=digitalSignature,keyCertSign"]
        command += ["-keyout", str(made.key), "-out", str(made.certificate)]
        subprocess.run(command, check=True, capture_output=True)
        return made

    def context(self) -> ssl.SSLContext:
        """Return the TLS context of a server with this certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context


@dataclass
class TlsProxy:
    """The address of the proxy; counts connections, and refuses the next ``refusals`` of them."""

    url: str
    refusals: int = 0
    connections: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def refuses(self) -> bool:
        """Count a connection; return whether its handshake is refused."""
        with self._lock:
            self.connections += 1
            self.refusals -= 1
            return self.refusals >= 0


@contextmanager
def serving_tls(url: str, certificate: Certificate) -> Iterator[TlsProxy]:
    """Serve an http server under an https address until the block ends."""
    context = certificate.context()
    behind = urlsplit(url)
    place = (behind.hostname or "127.0.0.1", behind.port or 80)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = TlsProxy(f"https://127.0.0.1:{listener.getsockname()[1]}")

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                talk = threading.Thread(
                    target=_talk, args=(connection, proxy, context, place), daemon=True
                )
                talk.start()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def _talk(
    connection: socket.socket, proxy: TlsProxy, context: ssl.SSLContext, place: tuple[str, int]
) -> None:
    with connection, contextlib.suppress(OSError):
        if proxy.refuses():
            connection.recv(1)
            return
        with (
            context.wrap_socket(connection, server_side=True) as secure,
            socket.create_connection(place) as plain,
        ):
            back = threading.Thread(target=_copy, args=(plain, secure), daemon=True)
            back.start()
            _copy(secure, plain)
            back.join(5)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(1 << 16):
            target.sendall(piece)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)
