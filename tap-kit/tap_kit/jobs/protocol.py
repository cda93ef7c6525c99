"""A job: work that a vendor does on its own side, which is started, polled and may be cancelled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol, runtime_checkable

Ids = Mapping[str, str]


class JobState(Enum):
    """What a poll can find."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    GONE = "gone"  # the vendor no longer knows the job


@dataclass(frozen=True)
class Poll:
    """The state of a job; ``result`` when it is done, ``reason`` when it failed."""

    state: JobState
    result: Any = None
    reason: str = ""


class Job(Protocol):
    """A job in the vendor's own protocol.

    A job that is ``Cancellable`` too is cancelled when the run is stopped.
    """

    def start(self) -> Ids:
        """Start the job; return the ids by which it is found again."""

    def poll(self, ids: Ids) -> Poll:
        """Ask for the job's state."""


@runtime_checkable
class Cancellable(Protocol):
    """A job that the vendor can cancel."""

    def cancel(self, ids: Ids, timeout_s: float) -> bool:
        """Cancel the job, whatever the rate limit; return whether the vendor confirms it."""
