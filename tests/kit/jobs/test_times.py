"""The first poll of a job is timed by how long the last one of its kind took."""

from __future__ import annotations

from itertools import islice
from typing import Any

import pytest
from tap_kit.flow.tasks import WindowTask
from tap_kit.jobs.protocol import JobState, Poll
from tap_kit.jobs.runner import JobRunner, Pace
from tap_kit.jobs.times import JobTime, estimate, pauses

from tests.kit.jobs.test_job_book import FIRST, SECOND, daily

PACE = Pace(first_s=2, longest_s=30, timeout_s=3600)


class TimedJob:
    """A job that takes ``seconds``, and a clock that only pauses advance."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.now = self.began = 0.0
        self.polls = 0

    def start(self) -> dict[str, str]:
        """Start."""
        self.began = self.now
        return {}

    def poll(self, _ids: object) -> Poll:
        """Return whether it is done."""
        self.polls += 1
        is_done = self.now - self.began >= self.seconds
        return Poll(JobState.DONE if is_done else JobState.RUNNING)

    def sleep(self, seconds: float) -> None:
        """Advance the clock."""
        self.now += seconds

    def run(self, expected: list[float]) -> float:
        """Run it with the last expected time; append that of the next one; return its seconds."""
        runner = JobRunner(PACE, self.sleep, clock=lambda: self.now)
        time = JobTime(expected[-1] if expected else None, expected.append)
        began = self.now
        runner.run(self, "job", None, lambda _: None, job_time=time)
        return self.now - began


@pytest.mark.parametrize(
    ("expected", "first"),
    [
        (None, [2, 3, 4.5, 6.75]),
        (0.5, [0.5, 0.125, 0.1875, 0.28125]),
        (0.01, [0.01, 0.1, 0.15, 0.225]),
        (20, [20, 5, 7.5, 11.25]),
        (70, [30, 30, 10, 17.5]),
    ],
)
def test_first_pause_is_the_expected_time(expected: float | None, first: list[float]) -> None:
    assert list(islice(pauses(PACE, expected), 4)) == pytest.approx(first)


def test_next_job_is_expected_in_the_middle_of_two_polls_or_a_little_earlier() -> None:
    assert estimate(4, 6) == 5
    assert estimate(0, 2) == pytest.approx(1.8)


@pytest.mark.parametrize("seconds", [0.2, 1.0, 3.0, 20.0, 100.0])
def test_jobs_of_one_kind_are_polled_soon_after_their_end_and_not_often(seconds: float) -> None:
    job, expected = TimedJob(seconds), list[float]()
    for _ in range(30):
        job.run(expected)
    polls, job.polls = job.polls, 0
    late = [job.run(expected) - seconds for _ in range(30)]
    assert sum(late) / 30 < max(0.2 * seconds, 0.1)
    assert job.polls <= 30 * (2 + seconds // PACE.longest_s)
    assert polls > 0


def test_state_keeps_the_time_of_a_partition() -> None:
    tap, stream = daily(sites=True)
    jobs = tap.run.jobs
    first, second = WindowTask(stream, {"site": 1}, FIRST), WindowTask(stream, {"site": 1}, SECOND)
    jobs.time_of(first).remember(12.34)
    assert jobs.time_of(second).expected_s == 12.34
    assert jobs.time_of(WindowTask(stream, {"site": 2}, FIRST)).expected_s is None
    assert not jobs.write_to_state(), "a time alone needs no state message"
    assert partition(tap, 1) == {"context": {"site": 1}, "job_seconds": 12.3}
    other, stream = daily(sites=True, state=tap.state)
    task = WindowTask(stream, {"site": 1}, FIRST)
    assert other.run.jobs.time_of(task).expected_s == 12.3
    other.run.jobs.time_of(task).remember(0.05)
    other.run.jobs.write_to_state()
    assert partition(other, 1) == {"context": {"site": 1}}, "too short to be worth it"


def partition(tap: Any, site: int) -> dict[str, Any]:
    found: list[dict[str, Any]] = tap.state["bookmarks"]["figures"]["partitions"]
    return next(one for one in found if one["context"] == {"site": site})
