"""What arrived, in order, for tests to look at from another thread."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sandbox.exchange import Request


@dataclass(frozen=True)
class LoggedRequest:
    """One request; ``ended`` and ``status`` are None while it is under way.

    ``ordinal`` counts from 1; times are monotonic seconds; ``status`` stays None when the
    connection was dropped before an answer began.
    """

    ordinal: int
    method: str
    path: str
    target: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes
    client: str
    started: float
    ended: float | None = None
    status: int | None = None


class RequestLog:
    """Requests in the order of arrival; safe to read while the server runs."""

    def __init__(self, keep: int = 100_000) -> None:
        """Keep the last ``keep`` requests only, so that a long-lived sandbox does not grow."""
        self.keep = keep
        self._lock = threading.Lock()
        self._records: dict[int, LoggedRequest] = {}
        self._count = self._in_flight = self._max_in_flight = 0

    @property
    def requests(self) -> list[LoggedRequest]:
        """The requests kept, oldest first: a copy."""
        with self._lock:
            return list(self._records.values())

    @property
    def count(self) -> int:
        """How many requests have arrived since the start or the last clear."""
        return self._count

    @property
    def in_flight(self) -> int:
        """How many requests have arrived and are not answered yet."""
        return self._in_flight

    @property
    def max_in_flight(self) -> int:
        """The most requests that were under way at one time."""
        return self._max_in_flight

    def clear(self) -> None:
        """Forget what was seen; requests under way stay counted as such."""
        with self._lock:
            self._records.clear()
            self._count = 0
            self._max_in_flight = self._in_flight

    def begin(self, request: Request) -> "Entry":
        """Log a request that has arrived."""
        with self._lock:
            self._count += 1
            self._in_flight += 1
            self._max_in_flight = max(self._max_in_flight, self._in_flight)
            record = LoggedRequest(
                self._count,
                request.method,
                request.path,
                request.target,
                request.query,
                request.headers,
                request.body,
                request.client,
                time.monotonic(),
            )
            self._records[record.ordinal] = record
            if len(self._records) > self.keep:
                del self._records[next(iter(self._records))]
        return Entry(self, record)

    def end(self, record: LoggedRequest, status: int | None) -> None:
        """Note that a request is over; to be called once: see ``Entry``."""
        ended = replace(record, ended=time.monotonic(), status=status)
        with self._lock:
            self._in_flight -= 1
            if self._records.get(record.ordinal) is record:
                self._records[record.ordinal] = ended


class Entry:
    """A request under way."""

    def __init__(self, log: RequestLog, record: LoggedRequest) -> None:
        """Belong to this log."""
        self._log = log
        self._record: LoggedRequest | None = record

    def end(self, status: int | None) -> None:
        """Note the end of it; only the first call counts."""
        if self._record is not None:
            self._log.end(self._record, status)
            self._record = None
