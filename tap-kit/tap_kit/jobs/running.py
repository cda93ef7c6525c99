"""The jobs that are running on the vendor's side: count them and cancel them."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_kit.jobs.protocol import Cancellable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_kit.jobs.protocol import Ids, Job

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class RunningJob:
    """A job that was started and is not done. ``forget`` removes its ids from the state."""

    job: Job
    ids: Ids
    forget: Callable[[], None]

    def cancel(self, timeout_s: float) -> bool:
        """Cancel the job; return whether the vendor confirms it."""
        return isinstance(self.job, Cancellable) and self.job.cancel(self.ids, timeout_s)


class RunningJobs:
    """The running jobs, as reported by the workers that wait for them."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._running: set[RunningJob] = set()
        self._starting = 0

    @property
    def count(self) -> int:
        """The number of running jobs."""
        return len(self._running)

    @contextmanager
    def starting(self) -> Iterator[None]:
        """Mark that a job is being started inside; ``cancel_all`` waits for its ids."""
        with self._changed:
            self._starting += 1
        try:
            yield
        finally:
            with self._changed:
                self._starting -= 1
                self._changed.notify_all()

    def add(self, running: RunningJob) -> None:
        """Add a job that has started."""
        with self._changed:
            self._running.add(running)

    def remove(self, running: RunningJob) -> None:
        """Remove a job that has ended."""
        with self._changed:
            self._running.discard(running)

    def cancel_all(self, timeout_s: float) -> None:
        """Cancel all jobs that can be cancelled, in parallel, within ``timeout_s`` seconds.

        A job whose cancellation is not confirmed stays in the state, for the next run.
        """
        deadline = time.monotonic() + timeout_s
        with self._changed:
            self._changed.wait_for(lambda: not self._starting, timeout=timeout_s / 2)
            running = [job for job in self._running if isinstance(job.job, Cancellable)]
        cancelled: list[RunningJob] = []
        threads = [
            threading.Thread(target=_cancel, args=(job, deadline, cancelled)) for job in running
        ]
        started = [thread for thread in threads if _is_started(thread)]
        for thread in started:
            thread.join(max(0.0, deadline - time.monotonic()))
        in_time = cancelled[:]  # later ones count as not cancelled
        for job in in_time:
            job.forget()
        if running:
            text = "Cancelled %d of %d running jobs; the next run resumes the others"
            logger.warning(text, len(in_time), len(running))


def _is_started(thread: threading.Thread) -> bool:
    """Start a thread; without one, do its work here."""
    thread.daemon = True
    try:
        thread.start()
    except RuntimeError:  # no more threads
        thread.run()
        return False
    return True


def _cancel(job: RunningJob, deadline: float, cancelled: list[RunningJob]) -> None:
    if job.cancel(max(0.1, deadline - time.monotonic())):
        cancelled.append(job)
