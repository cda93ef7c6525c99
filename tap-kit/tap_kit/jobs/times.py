"""How long jobs take: the first poll of a job is timed by that of the last one of its kind."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_kit.jobs.runner import Pace

MIN_S = 0.1  # a shorter time is not worth a pause of its own
_SHORTER = 0.9  # if the first poll finds a job done, the next job is polled a little earlier
_STEP = 0.25  # of the expected time: the pause after a first poll that was too early


def _ignore(_seconds: float) -> None:
    """Remember nothing."""


@dataclass(frozen=True)
class JobTime:
    """The time that a job is expected to take; ``remember`` receives the time that it took."""

    expected_s: float | None = None
    remember: Callable[[float], None] = field(default=_ignore)


def pauses(pace: Pace, expected_s: float | None) -> Iterator[float]:
    """Yield the pauses before the polls of a job.

    The first poll is at the expected time. A pause is never longer than ``longest_s``, so that a
    job that takes less time than the last one is noticed.
    """
    pause, rest = pace.first_s, expected_s or 0.0
    if expected_s is not None:
        while rest > pace.longest_s:
            yield pace.longest_s
            rest -= pace.longest_s
        yield rest
        pause = min(max(_STEP * expected_s, min(MIN_S, pace.first_s)), pace.longest_s)
    while True:
        yield pause
        pause = min(pause * pace.growth, pace.longest_s)


def estimate(running_s: float, done_s: float) -> float:
    """Return the expected time of the next job.

    The last one was still running at ``running_s``, 0 if no poll has seen it running, and done at
    ``done_s``.
    """
    return (running_s + done_s) / 2 if running_s else done_s * _SHORTER
