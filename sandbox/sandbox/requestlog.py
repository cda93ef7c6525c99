"""The log of requests in order of arrival, which tests read from another thread."""

import itertools
import threading
import time
from dataclasses import dataclass, replace

from sandbox.exchange import Request


@dataclass(frozen=True, kw_only=True)
class LoggedRequest(Request):
    """A request with its times; ``ended`` and ``status`` are None while it is in progress.

    ``ordinal`` counts from 1; times are monotonic seconds; ``status`` stays None when the
    connection broke before a response began.
    """

    ordinal: int
    started: float
    ended: float | None = None
    status: int | None = None


class RequestLog:
    """Requests in order of arrival; safe to read while the server runs."""

    def __init__(self, keep: int = 100_000) -> None:
        """Keep only the last ``keep`` requests, so that a long-running sandbox does not grow."""
        self.keep = keep
        self._lock = threading.Lock()
        self._keys = itertools.count()
        self._open: set[int] = set()
        self._records: dict[int, LoggedRequest] = {}
        self._count = self._max_in_flight = 0

    @property
    def requests(self) -> list[LoggedRequest]:
        """A copy of the requests kept, oldest first."""
        with self._lock:
            return list(self._records.values())

    @property
    def count(self) -> int:
        """How many requests have arrived since the start or the last clear."""
        return self._count

    @property
    def in_flight(self) -> int:
        """How many requests have no response yet."""
        return len(self._open)

    @property
    def max_in_flight(self) -> int:
        """The highest number of requests in progress at one time."""
        return self._max_in_flight

    def clear(self) -> None:
        """Remove all requests; those in progress still count as in flight."""
        with self._lock:
            self._records.clear()
            self._count = 0
            self._max_in_flight = len(self._open)

    def begin(self, request: Request) -> int:
        """Log a request that has arrived, and return its key for ``end``."""
        with self._lock:
            key = next(self._keys)
            self._open.add(key)
            self._count += 1
            self._max_in_flight = max(self._max_in_flight, len(self._open))
            self._records[key] = LoggedRequest(
                **vars(request), ordinal=self._count, started=time.monotonic()
            )
            if len(self._records) > self.keep:
                del self._records[next(iter(self._records))]
        return key

    def end(self, key: int, status: int | None) -> None:
        """Log the end of a request; only the first call for a key counts."""
        with self._lock:
            if key not in self._open:
                return
            self._open.remove(key)
            if record := self._records.get(key):
                self._records[key] = replace(record, ended=time.monotonic(), status=status)
