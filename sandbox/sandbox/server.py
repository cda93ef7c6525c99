"""Serve an app on loopback: in a thread for tests, or until Ctrl-C for the command line."""

import asyncio
import contextlib
import signal
import socket
import struct
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from types import FrameType
from typing import Any, NoReturn

import uvicorn
from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

TICK_SECONDS = 1.0  # how often the Date header is renewed
# Iterations of the event loop from an accepted connection to its protocol in uvicorn's list, and
# from an aborted transport to its closed socket.
LOOP_STEPS = 6
# l_onoff = 1, l_linger = 0: closing the socket then sends RST instead of FIN (socket(7)).
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class UnusableAddressError(Exception):
    """The host is not loopback, or the port is not available; the text is for the user."""


@dataclass(frozen=True)
class Running:
    """Where a server listens; ``url`` has no trailing slash."""

    url: str
    host: str
    port: int


@contextmanager
def running(app: App, *, host: str = "127.0.0.1", port: int = 0) -> Iterator[Running]:
    """Serve ``app`` in a thread with its own event loop, and stop when the block ends.

    Port 0 takes any free port. The end of the block cuts off responses in progress.

    Raises:
        UnusableAddressError: the host is not loopback, or the port is taken.
    """
    listener = listen(host, port)
    server = _Server(app)
    thread = threading.Thread(target=server.run, args=([listener],), name="sandbox", daemon=True)
    thread.start()
    server.ready.wait()
    try:
        yield _address(listener)
    finally:
        server.stop()
        thread.join()
        listener.close()


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket, so that the address is known before the server runs.

    Raises:
        UnusableAddressError: the host is not loopback, or the port is taken.
    """
    address = _loopback(host)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    # asyncio turns Nagle's algorithm off only if the protocol is given. With it responses are up to
    # 40 ms late, since head and body are written separately.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(2048)
    except (OSError, OverflowError) as error:
        listener.close()
        reason = getattr(error, "strerror", None) or str(error)
        msg = f"cannot listen on {host} port {port}: {reason}"
        raise UnusableAddressError(msg) from error
    return listener


def serve_until_stopped(
    apps: Mapping[str, App],
    *,
    host: str,
    ports: Mapping[str, int],
    announce: Callable[[Mapping[str, Running]], None],
) -> None:
    """Serve all ``apps`` by name, call ``announce`` once they listen, return on Ctrl-C or SIGTERM.

    Call it in the main thread: it handles both signals, even if a shell made a background process
    ignore Ctrl-C.

    Raises:
        UnusableAddressError: the host is not loopback, or a port is taken.
    """
    with _stopped_by_signals(), ExitStack() as stack:
        servers = {
            name: stack.enter_context(running(app, host=host, port=ports[name]))
            for name, app in apps.items()
        }
        announce(servers)
        while True:
            time.sleep(3600)


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    stops = (signal.SIGINT, signal.SIGTERM)
    previous = [signal.signal(stop, _interrupt) for stop in stops]
    try:
        with contextlib.suppress(KeyboardInterrupt):
            yield
    finally:
        for stop, handler in zip(stops, previous, strict=True):
            signal.signal(stop, handler)


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _loopback(host: str) -> str:
    """Return the address to bind: loopback only, as the sandbox has no real access control."""
    if host == "localhost":
        return "127.0.0.1"
    with contextlib.suppress(ValueError):
        if ip_address(host).is_loopback:
            return host
    msg = f"host must be a loopback address such as 127.0.0.1, got {host}"
    raise UnusableAddressError(msg)


def _address(listener: socket.socket) -> Running:
    host, port = listener.getsockname()[:2]
    name = f"[{host}]" if ":" in host else host
    return Running(url=f"http://{name}:{port}", host=host, port=port)


class _Server(uvicorn.Server):
    """A server that starts and stops in milliseconds; uvicorn's own takes tenths of a second."""

    def __init__(self, app: App) -> None:
        super().__init__(
            uvicorn.Config(
                _without_cancellation(app),
                http=_Protocol,
                ws="none",
                loop="asyncio",
                interface="asgi3",
                lifespan="off",
                log_config=None,
                log_level="error",
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_keep_alive=75,
            )
        )
        self.ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Stop the server; may be called from any thread."""
        self.should_exit = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)

    @override
    def run(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            super().run(sockets)
        finally:
            self.ready.set()  # also after a failed start, or the caller would wait forever

    @override
    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        await self.on_tick(0)
        self.ready.set()
        while not await self.on_tick(0):
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), TICK_SECONDS)

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Accept no more connections: one that has no transport when the Server closes would stay
        # open until garbage collection.
        for listener in sockets or ():
            asyncio.get_running_loop().remove_reader(listener)
        await _drop(self.server_state.connections, self.server_state.tasks)
        for server in self.servers:
            server.close()
            await server.wait_closed()


async def _drop(connections: set[Any], tasks: set[asyncio.Task[None]]) -> None:
    """Close connections first: uvicorn logs an error for an incomplete response on an open one."""
    for _ in range(LOOP_STEPS):
        for connection in list(connections):
            connection.transport.abort()
        await asyncio.sleep(0)
    for task in tuple(tasks):
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _without_cancellation(app: App) -> App:
    """Wrap ``app`` so that uvicorn does not log a stop of the server as an error."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await app(scope, receive, send)

    return wrapped


class _Protocol(HttpToolsProtocol):
    """uvicorn's HTTP with two ways to break off a connection, offered as an ASGI extension."""

    @override
    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {"sandbox": {"close": self._close, "reset": self._reset}}

    def _close(self) -> None:
        """Send what is buffered, then FIN, even if the headers promised more."""
        self.transport.close()

    def _reset(self) -> None:
        """Send RST, so that the client's next read or write fails."""
        connection: socket.socket = self.transport.get_extra_info("socket")
        with contextlib.suppress(OSError):  # the client has closed the connection already
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self.transport.abort()
