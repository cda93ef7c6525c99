"""The rate limit: a budget of requests per minute, and pauses that the server asks for."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from tap_kit.errors import Interrupted

if TYPE_CHECKING:
    from collections.abc import Iterator

# One second more than a minute, because the network may delay one request more than the next.
SPAN_S = 61
DEFAULT_CONCURRENCY = 4  # of connections, where the number of requests is not limited
_YIELD_S = 0.1  # between two attempts of a request that lets others go first


@contextlib.contextmanager
def stop_on_error(stop: threading.Event) -> Iterator[None]:
    """Set ``stop`` if an error occurs inside, so that the waits of all other threads end."""
    try:
        yield
    except Exception:
        stop.set()
        raise


class Throttle:
    """Limits requests to ``per_minute`` in any minute, and to none during a pause.

    At most ``concurrency`` requests run at the same time. All threads of a run share one throttle.
    ``stop`` ends every wait immediately.
    """

    def __init__(
        self, per_minute: int | None, stop: threading.Event, *, concurrency: int | None = None
    ) -> None:
        self.concurrency = concurrency or DEFAULT_CONCURRENCY
        self._slots = _Slots(concurrency) if concurrency else None
        self._budget = _Budget(per_minute) if per_minute else None
        self.seconds_per_request = SPAN_S / per_minute if per_minute else 0.0
        self._stop = stop
        self._lock = threading.Lock()
        self._resume_at = 0.0
        self._urgent_waiting = 0  # the number of urgent requests that wait
        self.requests = 0  # the number of requests so far

    @contextlib.contextmanager
    def request(self, *, urgent: bool = True) -> Iterator[None]:
        """Wait until one more request may be sent; send it and read its response inside.

        Raises:
            Interrupted: if the run is stopped, before or during the wait.
        """
        self.acquire(urgent=urgent)
        if self._slots is None:
            yield
            return
        with self._slots.place() as is_free:
            while not is_free.wait(_YIELD_S):
                self.sleep(0)
            self._sleep_through_pause()  # one that began during the wait for the slot
            yield

    def acquire(self, *, urgent: bool = True) -> None:
        """Wait until the budget allows one more request; urgent requests go first.

        Raises:
            Interrupted: if the run is stopped, before or during the wait.
        """
        if self._stop.is_set():
            self.sleep(0)
        if urgent:
            with self._lock:
                self._urgent_waiting += 1
        try:
            while (pause := self._pause_s(urgent=urgent)) > 0:
                self.sleep(pause)
        finally:
            if urgent:
                with self._lock:
                    self._urgent_waiting -= 1
        with self._lock:
            self.requests += 1

    def pause_for(self, seconds: float) -> None:
        """Send no request for ``seconds``, as the server asks."""
        with self._lock:
            self._resume_at = max(self._resume_at, time.monotonic() + seconds)

    def sleep(self, seconds: float) -> None:
        """Wait, unless the run is stopped.

        Raises:
            Interrupted: if the run is stopped, before or during the wait.
        """
        if self._stop.wait(seconds):
            msg = "the run is being stopped"
            raise Interrupted(msg)

    def _sleep_through_pause(self) -> None:
        if self._stop.is_set():
            self.sleep(0)
        while (pause_s := self._resume_at - time.monotonic()) > 0:
            self.sleep(pause_s)

    def _pause_s(self, *, urgent: bool) -> float:
        with self._lock:
            if self._urgent_waiting and not urgent and self._budget is not None:
                return _YIELD_S
            pause_s = self._resume_at - time.monotonic()
            return pause_s if pause_s > 0 or self._budget is None else self._budget.pause_s()


class _Slots:
    """Slots that are given in the order in which threads ask for them.

    A semaphore may give one to the thread that has just released it. Then a task at the head of the
    plan waits for those after it, until all of them have results, which it keeps from being
    written.
    """

    def __init__(self, count: int) -> None:
        self._free = count
        self._lock = threading.Lock()
        self._waiting: deque[threading.Event] = deque()

    @contextlib.contextmanager
    def place(self) -> Iterator[threading.Event]:
        """Wait in line inside of this context; the event is set when the slot is one's own."""
        has_slot = threading.Event()
        with self._lock:
            self._waiting.append(has_slot)
            self._give()
        try:
            yield has_slot
        finally:
            with self._lock:
                if has_slot.is_set():
                    self._free += 1
                    self._give()
                else:
                    self._waiting.remove(has_slot)

    def _give(self) -> None:
        while self._free and self._waiting:
            self._free -= 1
            self._waiting.popleft().set()


class _Budget:
    """At most ``per_minute`` requests in any 60 seconds."""

    def __init__(self, per_minute: int) -> None:
        # Imported here: most runs have no budget, and the import takes as long as a request.
        from limits import RateLimitItemPerSecond  # noqa: PLC0415
        from limits.storage import MemoryStorage  # noqa: PLC0415
        from limits.strategies import MovingWindowRateLimiter  # noqa: PLC0415

        self._item = RateLimitItemPerSecond(per_minute, SPAN_S)
        self._window = MovingWindowRateLimiter(MemoryStorage())

    def pause_s(self) -> float:
        """Return 0 and count a request if the budget allows it; otherwise the seconds to wait."""
        if self._window.hit(self._item):
            return 0
        free_at = self._window.get_window_stats(self._item).reset_time
        return max(free_at - time.time(), 0.05)
