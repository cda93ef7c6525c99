"""Retry failed attempts: exponential backoff, ``Retry-After``, a limit."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any, TypeVar

import backoff

from tap_kit.errors import Retriable, SyncFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

logger = logging.getLogger(__name__)

TRIES = 5
FIRST_PAUSE_S = 1.0
MAX_PAUSE_S = 60.0
MAX_REQUEST_S = 300.0  # for all attempts of one request and the pauses between them

T = TypeVar("T")


def pause_after(tries: int, error: Retriable) -> float:
    """Return the pause after ``tries`` failed tries: 1, 2, 4, 8 s, or longer if the server asks."""
    backoff_s: float = min(FIRST_PAUSE_S * 2 ** (tries - 1), MAX_PAUSE_S)
    return max(backoff_s, error.retry_after or 0.0)


def no_retries_left(error: Retriable, tries: int) -> SyncFailed:
    """Return the error for a request that failed ``tries`` times."""
    return SyncFailed(f"{error}; failed after {tries} {'try' if tries == 1 else 'tries'}")


def with_retries(attempt: Callable[[], T], sleep: Callable[[float], None]) -> T:
    """Return what ``attempt`` returns; repeat it when it raises ``Retriable``.

    ``sleep`` waits; it raises when the run is stopped, which ends the pause immediately.

    Raises:
        SyncFailed: if no try is left, or the next pause would exceed ``MAX_REQUEST_S``.
    """
    pauses = _Pauses(sleep)
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


class _Pauses:
    """The pauses between the tries of one request, for ``backoff``.

    Nothing can interrupt the sleep of ``backoff``. So each of its pauses is 0 s, and ``wait``,
    which it calls before the pause, does the waiting.
    """

    def __init__(self, sleep: Callable[[float], None]) -> None:
        self._sleep = sleep
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
        logger.warning(
            "%s; try %d of %d in %.1f s", details["exception"], self.tries, TRIES, self._next_s
        )
        self._sleep(self._next_s)
