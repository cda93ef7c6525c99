"""One exchange with a server: how long it may take, how much it may send, whom it may reach.

The timeout of a socket is for each single read, so a server that sends one byte now and then keeps
a request waiting for ever. An ``Exchange`` has a limit for all waiting together. It belongs to the
thread that sends the request: ``connections`` finds it there when a connection is opened or read.
"""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from tap_kit.errors import SyncFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RESPONSE_TIMEOUTS = 5  # a whole response may keep a request waiting for this many timeouts
MIN_BYTES_PER_S = 1000  # of a download, on average over the limit of its exchange
MAX_OVERHEAD_BYTES = 1 << 23  # of headers, interim responses or chunk sizes, without content


class Exchange:
    """A request and the response to it; ``source`` names the request in messages.

    ``seconds_left`` is the time that it may still wait for the server. ``problem`` says why the
    exchange was broken off, if it was. ``peers`` collects the kinds of addresses that were reached
    (see ``hosts.address_kind``).
    """

    def __init__(
        self,
        source: str,
        seconds: float,
        *,
        peers: set[str] | None = None,
    ) -> None:
        self.source = source
        self.seconds_left = seconds
        self.problem: str | None = None
        self.received = 0  # bytes from the wire
        self._peers = set() if peers is None else peers
        self._allowed: frozenset[str] | None = None  # all kinds
        self._seconds = seconds
        self._overhead = 0  # bytes since the last content
        self._bytes_needed = 0  # until the limit of time starts again; 0 for a fixed limit
        self._bytes_in_span = 0

    def require_rate(self) -> None:
        """Limit the rate from now on, instead of the time: for a download, which takes long."""
        self.seconds_left = self._seconds
        self._bytes_needed = max(1, int(self._seconds * MIN_BYTES_PER_S))
        self._bytes_in_span = 0
        self._overhead = 0

    def restrict(self, allowed: frozenset[str]) -> None:
        """Connect only to these kinds of addresses from now on, and collect no kinds."""
        self._allowed = allowed
        self.seconds_left = self._seconds  # for the target of a redirect

    def shorten(self, seconds: float) -> None:
        """Wait at most ``seconds`` more."""
        self.seconds_left = min(self.seconds_left, seconds)

    def content_arrived(self) -> None:
        """Note that what was received contained content."""
        self._overhead = 0

    def count(self, seconds: float, received: int) -> None:
        """Count a read: the time that it waited, and the bytes that it brought."""
        self.seconds_left -= seconds
        self.received += received
        self._overhead += received
        if self._bytes_needed:
            self._bytes_in_span += received
            if self._bytes_in_span >= self._bytes_needed:
                self._bytes_in_span, self.seconds_left = 0, self._seconds

    def limit_problem(self) -> str | None:
        """Return which limit is exceeded; None if none is."""
        if self._overhead > MAX_OVERHEAD_BYTES:
            self.problem = f"{MAX_OVERHEAD_BYTES >> 20} MiB of headers arrived without content"
        elif self.seconds_left <= 0 and self._bytes_needed:
            rate = f"fewer than {self._bytes_needed:,} bytes within {self._seconds:.0f} s"
            self.problem = f"the download is too slow ({rate})"
        elif self.seconds_left <= 0:
            self.problem = f"the response took longer than {self._seconds:.0f} s"
        return self.problem

    def check_peer(self, kind: str) -> None:
        """Note the kind of an address that was connected to.

        Raises:
            SyncFailed: if it is not allowed.
        """
        if self._allowed is None:
            self._peers.add(kind)
        elif kind not in self._allowed:
            raise SyncFailed(refusal(self.source, kind))


def refusal(source: str, kind: str) -> str:
    """Return that a redirect leads to a kind of address where the API itself is not."""
    return f"{source}: the redirect leads to a {kind} address, where the API is not; refused"


class _Current(threading.local):
    exchange: Exchange | None = None
    last_source: str | None = None
    memory = 0
    has_turn: Callable[[], bool] | None = None


_current = _Current()


@contextlib.contextmanager
def exchanging(exchange: Exchange) -> Iterator[None]:
    """Make ``exchange`` the one of this thread while inside."""
    _current.exchange, before = exchange, _current.exchange
    _current.last_source = exchange.source
    try:
        yield
    finally:
        _current.exchange = before


def current_exchange() -> Exchange:
    """Return the exchange of this thread.

    Raises:
        LookupError: outside of any, so that no connection is without limits.
    """
    if _current.exchange is None:
        msg = "a connection needs an exchange, which has its limits"
        raise LookupError(msg)
    return _current.exchange


def last_source() -> str | None:
    """Return the last request of this thread, for messages; None before the first one."""
    return _current.last_source


def count_memory(size: int) -> None:
    """Count the memory, in bytes, that a response of this thread takes."""
    _current.memory += size


def set_turn(has_turn: Callable[[], bool] | None) -> None:
    """Set what says whether this thread may read a response of any size now."""
    _current.has_turn = has_turn


def has_turn() -> bool:
    """Return whether this thread may read a response of any size now, while others wait."""
    return _current.has_turn is None or _current.has_turn()


def take_memory() -> int:
    """Return the memory that was counted in this thread since the last call."""
    memory, _current.memory = _current.memory, 0
    return memory
