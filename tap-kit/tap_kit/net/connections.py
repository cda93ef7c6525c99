"""Connections that keep to the limits of the exchange of their thread.

urllib3 has the hooks: the connection class of a pool, the response class of a connection.
"""

from __future__ import annotations

import http.client
import io
import time
from typing import TYPE_CHECKING, Any

from requests.adapters import HTTPAdapter
from typing_extensions import override
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HeaderParsingError
from urllib3.util.response import assert_header_parsing

from tap_kit.net.exchange import current_exchange
from tap_kit.net.hosts import address_kind

if TYPE_CHECKING:
    import socket

    from urllib3.poolmanager import PoolManager

    from tap_kit.net.exchange import Exchange


class _TimedFile(io.RawIOBase):
    """The stream of bytes of a response; reading it counts towards the limits of ``exchange``."""

    def __init__(self, sock: socket.socket, exchange: Exchange) -> None:
        super().__init__()
        self._socket = sock
        self._file: Any = sock.makefile("rb", buffering=0)
        self._timeout = sock.gettimeout()
        self._exchange = exchange

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: Any) -> int | None:
        exchange, received = self._exchange, 0
        if problem := exchange.limit_problem():
            raise TimeoutError(problem)
        left = exchange.seconds_left
        if self._timeout is None or left < self._timeout:  # each call is a system call
            self._socket.settimeout(left)
        began = time.monotonic()
        try:
            received = self._file.readinto(buffer) or 0
        finally:
            exchange.count(time.monotonic() - began, received)
            exchange.limit_problem()
        return received

    @override
    def close(self) -> None:
        self._file.close()
        super().close()


class _Buffered(io.BufferedReader):
    """A buffer for ``_TimedFile``; it refuses the negative sizes that a chunk can state."""

    @override
    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(_checked_size(size))

    @override
    def read1(self, size: int = -1, /) -> bytes:
        return super().read1(_checked_size(size))


def _checked_size(size: Any) -> Any:
    if size is not None and size < 0:
        msg = "a size is negative"
        raise http.client.HTTPException(msg)
    return size


class _TimedResponse(http.client.HTTPResponse):
    """A response that is read within the limits of its exchange, from its first byte on."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self._exchange = current_exchange()
        self.fp.close()
        self.fp = _Buffered(_TimedFile(sock, self._exchange))

    @override
    def begin(self) -> None:
        """Read the headers; refuse those that cannot be parsed.

        urllib3 only logs them, and what follows a broken one counts as the body, without its
        length.
        """
        super().begin()
        try:
            assert_header_parsing(self.msg)
        except HeaderParsingError as error:
            self._exchange.problem = "the response has invalid headers"
            raise http.client.HTTPException from error


class _Limited:
    """The part that connections with and without TLS share."""

    response_class: Any = _TimedResponse
    proxy: Any

    def _new_conn(self) -> socket.socket:
        exchange = current_exchange()
        sock: socket.socket = super()._new_conn()  # type: ignore[misc]
        if not self.proxy:  # a proxy has an address of its own
            try:
                exchange.check_peer(address_kind(sock.getpeername()[0]))
            except BaseException:
                sock.close()
                raise
        return sock


class _LimitedConnection(_Limited, HTTPConnection):
    pass


class _LimitedTlsConnection(_Limited, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _LimitedConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _LimitedTlsConnection


class LimitedAdapter(HTTPAdapter):
    """The adapter of all sessions."""

    @override
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        _limit(self.poolmanager)

    @override
    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> PoolManager:
        manager: PoolManager = super().proxy_manager_for(proxy, **proxy_kwargs)
        if not proxy.lower().startswith("socks"):  # it has connections of its own
            _limit(manager)
        return manager


def _limit(manager: PoolManager) -> None:
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
