"""A job: work on the vendor's side that is started, polled and possibly cancelled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol, runtime_checkable

Ids = Mapping[str, str]
"""The ids that identify a job at the vendor, by name; the state keeps them."""
STARTED = frozenset({200, 201, 202})
"""The statuses of a response that says which job was started; its ids are what counts."""


class JobState(Enum):
    """The state of a job that a poll returns."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    GONE = "gone"  # the vendor no longer knows the job


@dataclass(frozen=True)
class Poll:
    """The outcome of a poll: the state of a job; its ``result`` if done, a ``reason`` if failed."""

    state: JobState
    result: Any = None
    reason: str = ""


class Job(Protocol):
    """A job in the vendor's own protocol.

    A job that is also ``Cancellable`` is cancelled when the run is stopped.
    """

    def start(self) -> Ids:
        """Start the job; return the ids that identify it."""

    def poll(self, ids: Ids) -> Poll:
        """Request the state of the job."""


@runtime_checkable
class Cancellable(Protocol):
    """A job that the vendor can cancel."""

    def cancel(self, ids: Ids, timeout_s: float) -> bool:
        """Cancel the job, ignoring the rate limit; return whether the vendor confirms it."""
