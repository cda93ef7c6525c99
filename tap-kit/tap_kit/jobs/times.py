"""How long jobs take: the polls of a job are timed by the last job of its partition."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import accumulate, chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MIN_S, MAX_S = 0.1, 604_800.0  # no shorter time is kept; the tap waits no longer
_SHORTER = 0.8  # of the time of a job that its first poll finds done: it may have taken less
_EARLY = 0.25  # of the expected time: when a job that takes much less time is noticed
_STEP = 0.25  # of the expected time: the pause after the poll at that time


@dataclass(frozen=True)
class Pace:
    """The pauses between polls: from ``first_s`` to ``longest_s``, for at most ``timeout_s``.

    Each pause is ``growth`` times as long as the one before. With a rate limit, a request uses
    ``request_s`` of the time of all others: a poll has to save that much.
    """

    first_s: float
    longest_s: float
    timeout_s: float
    growth: float = 1.5
    request_s: float = 0.0


def _ignore(_seconds: float) -> None:
    """Remember nothing."""


@dataclass(frozen=True)
class JobTime:
    """The time that a job is expected to take; ``remember`` receives that of the next job."""

    expected_s: float | None = None
    remember: Callable[[float], None] = field(default=_ignore)


def pauses(pace: Pace, expected_s: float | None) -> Iterator[float]:
    """Return the pauses before the polls of a job, without end.

    Polls are at the expected time and soon after it, and one is early, for a job that takes much
    less. A job gets at most two polls more than without an expected time, since none of its polls
    is before the last but one of ``pace``. So a job that takes longer is not polled often.
    """
    return _usual(pace) if expected_s is None else _timed(pace, expected_s)


def _timed(pace: Pace, expected_s: float) -> Iterator[float]:
    targets, now = _targets(pace, expected_s), 0.0
    target = next(targets)
    earliest = chain((0.0, 0.0), accumulate(_usual(pace)))
    while True:
        due = min(max(target, next(earliest)), now + pace.longest_s)
        yield due - now
        now = due
        while target <= now:
            target = next(targets)


def _usual(pace: Pace) -> Iterator[float]:
    pause = pace.first_s
    while True:
        yield pause
        pause = min(pause * pace.growth, pace.longest_s)


def _targets(pace: Pace, expected_s: float) -> Iterator[float]:
    early = _EARLY * expected_s
    if pace.first_s <= early < pace.longest_s:
        yield early
    least = max(pace.request_s, min(MIN_S, pace.first_s))
    step, target = max(_STEP * expected_s, least), expected_s
    while True:
        yield target
        target += step
        step *= pace.growth


def estimate(pace: Pace, running_s: float, done_s: float) -> float:
    """Return the expected time of the next job.

    The last one was still running at ``running_s``, 0 if no poll has seen it running, and done at
    ``done_s``. An earlier poll is only worth a try if it can save the time that it uses.
    """
    if running_s:
        gap = done_s - running_s
        return done_s if gap < 2 * pace.request_s else done_s - gap / 2
    saved = done_s * (1 - _SHORTER)
    least = pace.first_s if saved < pace.request_s else min(MIN_S, pace.first_s)
    return max(done_s - saved, min(done_s, least))
