"""The jobs that a vendor is working on for us: how many, and how they are called off."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tap_kit.jobs.runner import Job

logger = logging.getLogger(__name__)


@runtime_checkable
class Cancellable(Protocol):
    """A job that its vendor can be told to stop."""

    def cancel(self, ids: Mapping[str, str], timeout_s: float) -> bool:
        """Call it off, without waiting for a budget; whether the vendor says that it stopped."""


@dataclass(frozen=True, eq=False)
class Running:
    """A job that was started and is not done; ``forget`` takes its ids out of the state."""

    job: Job
    ids: Mapping[str, str]
    forget: Callable[[], None]

    def cancel_all(self, timeout_s: float) -> bool:
        """Tell the vendor; whether it stopped the job."""
        return isinstance(self.job, Cancellable) and self.job.cancel(self.ids, timeout_s)


class RunningJobs:
    """The jobs that run, told of by the workers that wait for them."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._running: set[Running] = set()
        self._starting = 0

    @property
    def count(self) -> int:
        """How many jobs run."""
        return len(self._running)

    @contextmanager
    def starting(self) -> Iterator[None]:
        """Inside, a job is being started: who calls all jobs off waits for its ids."""
        with self._changed:
            self._starting += 1
        try:
            yield
        finally:
            with self._changed:
                self._starting -= 1
                self._changed.notify_all()

    def add(self, running: Running) -> None:
        """A job runs from now on."""
        with self._changed:
            self._running.add(running)

    def remove(self, running: Running) -> None:
        """It runs no more."""
        with self._changed:
            self._running.discard(running)

    def cancel_all(self, patience_s: float) -> None:
        """Call off all jobs that can be, side by side, in ``patience_s`` seconds at most.

        Those that could not be called off stay in the state, for the next run.
        """
        deadline = time.monotonic() + patience_s
        with self._changed:
            self._changed.wait_for(lambda: not self._starting, timeout=patience_s / 2)
            running = [one for one in self._running if isinstance(one.job, Cancellable)]
        stopped: list[Running] = []
        threads = [
            threading.Thread(target=_call_off, args=(one, deadline, stopped)) for one in running
        ]
        for thread in threads:
            thread.daemon = True
            thread.start()
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        done = stopped[:]  # one that is late counts as not called off
        for one in done:
            one.forget()
        if running:
            text = "%d of %d running jobs were called off; the others are left to the next run"
            logger.warning(text, len(done), len(running))


def _call_off(one: Running, deadline: float, stopped: list[Running]) -> None:
    if one.cancel_all(max(0.1, deadline - time.monotonic())):
        stopped.append(one)
