"""How often the vendor may be asked: a budget of requests, and pauses that it orders."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING

from tap_kit.errors import Interrupted

if TYPE_CHECKING:
    from collections.abc import Iterator

# A minute, and a second more: one request may be on its way for longer than the next.
SPAN_S = 61
_LET_PASS_S = 0.1


@contextlib.contextmanager
def stop_on_error(stop: threading.Event) -> Iterator[None]:
    """An error inside also sets ``stop``: what other threads still wait for is given up."""
    try:
        yield
    except Exception:
        stop.set()
        raise


class Throttle:
    """Lets requests pass: at most ``per_minute`` in any minute, none while a pause lasts.

    At most ``concurrency`` are being served at a time. All threads of a run share one throttle;
    ``stop`` ends every wait immediately.
    """

    def __init__(
        self, per_minute: int | None, stop: threading.Event, *, concurrency: int | None = None
    ) -> None:
        self._slots = threading.Semaphore(concurrency) if concurrency else None
        self._budget = _Budget(per_minute) if per_minute else None
        self.seconds_per_request = SPAN_S / per_minute if per_minute else 0.0
        self._stop = stop
        self._lock = threading.Lock()
        self._resume_at = 0.0
        self._urgent = 0  # how many are waiting that must not be held up
        self.requests = 0  # how many were let pass

    @contextlib.contextmanager
    def request(self, *, urgent: bool = True) -> Iterator[None]:
        """Inside, one request may be sent and its answer be read.

        Raises:
            Interrupted: when the run is stopped while it waits for its turn.
        """
        self.acquire(urgent=urgent)
        if self._slots is None:
            yield
            return
        while not self._slots.acquire(timeout=_LET_PASS_S):
            self.sleep(0)
        try:
            yield
        finally:
            self._slots.release()

    def acquire(self, *, urgent: bool = True) -> None:
        """Wait until one more request may be sent; those that are not urgent let others pass.

        Raises:
            Interrupted: when the run is stopped, before or meanwhile.
        """
        if self._stop.is_set():
            self.sleep(0)
        if urgent:
            with self._lock:
                self._urgent += 1
        try:
            while (pause := self._pause_s(urgent=urgent)) > 0:
                self.sleep(pause)
        finally:
            if urgent:
                with self._lock:
                    self._urgent -= 1
        with self._lock:
            self.requests += 1

    def pause_for(self, seconds: float) -> None:
        """Let no request pass for ``seconds``: the server said when to come back."""
        with self._lock:
            self._resume_at = max(self._resume_at, time.monotonic() + seconds)

    def sleep(self, seconds: float) -> None:
        """Wait, unless the run is stopped.

        Raises:
            Interrupted: when it is.
        """
        if self._stop.wait(seconds):
            msg = "the run is being stopped"
            raise Interrupted(msg)

    def _pause_s(self, *, urgent: bool) -> float:
        with self._lock:
            if self._urgent and not urgent and self._budget is not None:
                return _LET_PASS_S
            held = self._resume_at - time.monotonic()
            return held if held > 0 or self._budget is None else self._budget.pause_s()


class _Budget:
    """At most so many requests in any 60 seconds."""

    def __init__(self, per_minute: int) -> None:
        # Here, since most runs have no budget and the import takes as long as a request.
        from limits import RateLimitItemPerSecond  # noqa: PLC0415
        from limits.storage import MemoryStorage  # noqa: PLC0415
        from limits.strategies import MovingWindowRateLimiter  # noqa: PLC0415

        self._item = RateLimitItemPerSecond(per_minute, SPAN_S)
        self._window = MovingWindowRateLimiter(MemoryStorage())

    def pause_s(self) -> float:
        """0 when one more request fits (and is counted), else the seconds until one will."""
        if self._window.hit(self._item):
            return 0
        free_at = self._window.get_window_stats(self._item).reset_time
        return max(free_at - time.time(), 0.05)
