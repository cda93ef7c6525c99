"""So many requests in so many seconds, however they are spread."""

import threading
import time
from collections import deque


class Budget:
    """Counts the requests let through in the last seconds; refused ones cost nothing."""

    def __init__(self) -> None:
        self.refused = 0
        self._spent: deque[float] = deque()
        self._lock = threading.Lock()

    def spend(self, limit: int, seconds: float) -> float:
        """Let a request through; if there is no room, give the seconds until there is."""
        now = time.monotonic()
        with self._lock:
            while self._spent and self._spent[0] <= now - seconds:
                self._spent.popleft()
            if len(self._spent) >= limit:
                self.refused += 1
                return self._spent[0] + seconds - now if limit else seconds
            self._spent.append(now)
        return 0.0
