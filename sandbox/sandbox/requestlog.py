"""What arrived, in order, for tests to look at from another thread."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
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


class Outcome:
    """A place for the status that the one who answers fills in."""

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

    @contextmanager
    def entry(self, request: Request) -> Iterator[Outcome]:
        """Log a request while it is being answered."""
        outcome = Outcome()
        record = self._begin(request)
        try:
            yield outcome
        finally:
            self._end(record, outcome)

    def _begin(self, request: Request) -> LoggedRequest:
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
        return record

    def _end(self, record: LoggedRequest, outcome: Outcome) -> None:
        ended = replace(record, ended=time.monotonic(), status=outcome.status)
        with self._lock:
            self._in_flight -= 1
            if self._records.get(record.ordinal) is record:
                self._records[record.ordinal] = ended
