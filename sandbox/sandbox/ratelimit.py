"""A limit on the number of requests in any window of some seconds."""

import threading
from collections import deque


class RateLimit:
    """The times of the requests in the last window; refused requests do not count."""

    def __init__(self) -> None:
        self._times: deque[float] = deque()
        self._lock = threading.Lock()

    def wait(self, limit: int, seconds: float, now: float) -> float:
        """Count a request and return 0, or return the seconds until the limit allows one."""
        with self._lock:
            while self._times and self._times[0] <= now - seconds:
                self._times.popleft()
            if len(self._times) >= limit:
                return self._times[0] + seconds - now if limit else seconds
            self._times.append(now)
        return 0.0
