"""Retry failed attempts: exponential backoff, ``Retry-After``, a limit."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from typing import TYPE_CHECKING, Any, TypeVar

import backoff

from tap_kit.errors import Retriable, SyncFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

logger = logging.getLogger(__name__)

TRIES = 5
FIRST_PAUSE_S = 1.0
MAX_PAUSE_S = 60.0
MAX_REQUEST_S = 300.0  # for all attempts of one request and the pauses between them

T = TypeVar("T")


class _Work(threading.local):
    what: object = None


_work = _Work()


@contextlib.contextmanager
def working_on(what: object) -> Iterator[None]:
    """Name ``what`` in the messages about requests that this thread sends inside."""
    _work.what, before = what, _work.what
    try:
        yield
    finally:
        _work.what = before


def _with_work(error: object) -> str:
    """Return the text of an error, with the task that the request was for."""
    return str(error) if _work.what is None else f"{error} ({_work.what})"


class FailingRequests:
    """The failures that are reported now, so that each is one line and not one per worker."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reported: dict[str, tuple[object, int]] = {}

    def is_first(self, failure: str, tries: int, reporter: object) -> bool:
        """Return whether no other request that still fails has reported this try."""
        with self._lock:
            by, reached = self._reported.get(failure, (reporter, 0))
            if by is not reporter and reached >= tries:
                return False
            self._reported[failure] = (reporter, tries)
            return True

    def forget(self, reporter: object) -> None:
        """Forget what ``reporter`` has reported: its request has ended."""
        with self._lock:
            self._reported = {k: v for k, v in self._reported.items() if v[0] is not reporter}


def pause_after(tries: int, error: Retriable) -> float:
    """Return the pause after ``tries`` failed tries: 1, 2, 4, 8 s, or longer if the server asks."""
    backoff_s: float = min(FIRST_PAUSE_S * 2 ** (tries - 1), MAX_PAUSE_S)
    return max(backoff_s, error.retry_after or 0.0)


def no_retries_left(error: Retriable, tries: int) -> SyncFailed:
    """Return the error for a request that failed ``tries`` times."""
    return SyncFailed(
        f"{_with_work(error)}; failed after {tries} {'try' if tries == 1 else 'tries'}"
    )


def with_retries(
    attempt: Callable[[], T], sleep: Callable[[float], None], failing: FailingRequests
) -> T:
    """Return what ``attempt`` returns; repeat it when it raises ``Retriable``.

    ``sleep`` waits; it raises when the run is stopped, which ends the pause immediately.
    ``failing`` has the failures of other threads; what they have reported is logged at DEBUG.

    Raises:
        SyncFailed: if no try is left, or the next pause would exceed ``MAX_REQUEST_S``.
    """
    pauses = _Pauses(sleep, failing)
    retrying = backoff.on_exception(
        pauses.generate,
        Retriable,
        max_tries=TRIES,
        jitter=None,
        on_backoff=pauses.wait,
        logger=None,
    )
    try:
        return retrying(attempt)()
    except Retriable as error:
        raise no_retries_left(error, pauses.tries) from error
    finally:
        failing.forget(pauses)


class _Pauses:
    """The pauses between the tries of one request, for ``backoff``.

    Nothing can interrupt the sleep of ``backoff``. So each of its pauses is 0 s, and ``wait``,
    which it calls before the pause, does the waiting.
    """

    def __init__(self, sleep: Callable[[float], None], failing: FailingRequests) -> None:
        self._sleep = sleep
        self._failing = failing
        self._deadline = time.monotonic() + MAX_REQUEST_S
        self._next_s = 0.0
        self.tries = 1

    def generate(self) -> Generator[float, Retriable, None]:
        """Receive each error and yield a pause of 0 s; end if the next pause takes too long."""
        error = yield 0.0
        while True:
            self._next_s = pause_after(self.tries, error)
            if time.monotonic() + self._next_s > self._deadline:
                return
            error = yield 0.0

    def wait(self, details: Any) -> None:
        """Log the error and wait before the next try."""
        self.tries += 1
        error = details["exception"]
        is_first = self._failing.is_first(str(error), self.tries, self)
        level = logging.WARNING if is_first else logging.DEBUG
        text = "%s; try %d of %d in %.1f s"
        logger.log(level, text, _with_work(error), self.tries, TRIES, self._next_s)
        self._sleep(self._next_s)
