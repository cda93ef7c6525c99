"""The polls of a job are timed by how long the last one of its partition took."""

from __future__ import annotations

import json
import logging
from itertools import accumulate, islice
from typing import Any

import pytest
from singer_sdk.exceptions import ConfigValidationError
from tap_kit import JobFailed
from tap_kit.flow.tasks import WindowTask
from tap_kit.jobs.protocol import JobState, Poll
from tap_kit.jobs.runner import JobRunner
from tap_kit.jobs.times import JobTime, Pace, estimate, pauses
from tap_kit.run.states import checked_state
from typing_extensions import override

from tests.kit.jobs.test_job_book import FIRST, SECOND, daily

PACE = Pace(first_s=2, longest_s=30, timeout_s=3600)


class TimedJob:
    """A job that takes ``seconds``, and a clock that only pauses advance."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.now = 0.0
        self.polled: list[float] = []

    def start(self) -> dict[str, str]:
        """Start."""
        self.now, self.polled = 0.0, []
        return {}

    def poll(self, _ids: object) -> Poll:
        """Return whether it is done."""
        self.polled.append(self.now)
        return Poll(JobState.DONE if self.now >= self.seconds else JobState.RUNNING)

    def sleep(self, seconds: float) -> None:
        """Advance the clock."""
        self.now += seconds

    def run(self, expected_s: float | None, pace: Pace = PACE) -> float:
        """Run it with an expected time; return that of the next job."""
        expected: list[float] = []
        runner = JobRunner(pace, self.sleep, clock=lambda: self.now)
        time = JobTime(expected_s, expected.append)
        runner.run(self, "job", None, lambda _: None, job_time=time)
        return expected[-1]


def polls(seconds: float, expected_s: float | None, pace: Pace = PACE) -> list[float]:
    """Return when a job is polled."""
    job = TimedJob(seconds)
    job.run(expected_s, pace)
    return job.polled


@pytest.mark.parametrize(
    ("expected", "first"),
    [
        (None, [2, 5, 9.5, 16.25]),
        (0.5, [0.5, 0.625, 2, 5, 9.5]),
        (0.01, [0.01, 0.11, 2, 5, 9.5]),
        (4, [4, 5, 6.5, 8.75]),
        (20, [5, 20, 25, 32.5]),
        (70, [17.5, 47.5, 70, 87.5, 113.75]),
        (200, [30, 60, 90, 120, 150, 180, 200, 230]),
    ],
)
def test_polls_are_at_the_expected_time_and_soon_after_it(
    expected: float | None, first: list[float]
) -> None:
    assert list(accumulate(islice(pauses(PACE, expected), len(first)))) == pytest.approx(first)


@pytest.mark.parametrize("pace", [PACE, Pace(5, 120, 7200, 1.2, 3), Pace(0.001, 30, 3600)])
@pytest.mark.parametrize("expected", [1e-9, 0.1, 1, 1.9, 3, 20, 60, 500, 604_800])
def test_longer_job_gets_at_most_two_polls_more_than_by_the_usual_rule(
    expected: float, pace: Pace
) -> None:
    usual = [0.0, 0.0, *accumulate(islice(pauses(pace, None), 100))]
    timed = list(islice(pauses(pace, expected), 102))
    assert all(0 < pause <= pace.longest_s + 1e-6 for pause in timed)
    assert all(now > least - 1e-6 for now, least in zip(accumulate(timed), usual, strict=True))


@pytest.mark.parametrize("expected", [3, 20, 60, 500, 604_800])
def test_shorter_job_waits_a_quarter_of_the_last_time_and_no_longer_than_the_longest_pause(
    expected: float,
) -> None:
    waited = polls(1, expected)
    assert len(waited) == 1
    assert waited[0] <= min(max(4 * PACE.first_s, expected / 4), PACE.longest_s)


def test_short_job_after_long_ones_is_soon_polled_as_short() -> None:
    job, expected, waits = TimedJob(1), 500.0, []
    for _ in range(15):
        expected = job.run(expected)
        waits.append(job.now)
    assert waits[0] == 30
    assert waits[4] < 8
    assert waits[14] < 1.5


def test_next_job_is_expected_between_two_polls_or_earlier_than_a_first_poll() -> None:
    assert estimate(PACE, 4, 6) == 5
    assert estimate(PACE, 0, 2) == pytest.approx(1.6)
    assert estimate(PACE, 0, 0.11) == 0.1, "no shorter time is kept, or the next poll is late"
    assert estimate(PACE, 0, 0.05) == 0.05
    assert estimate(Pace(0.001, 30, 3600), 0, 0.1) == pytest.approx(0.08)


@pytest.mark.parametrize("seconds", [0.2, 1.0, 3.0, 20.0, 100.0])
def test_jobs_of_one_kind_are_polled_soon_after_their_end_and_not_often(seconds: float) -> None:
    job, expected, late, count = TimedJob(seconds), None, 0.0, 0
    for number in range(60):
        expected = job.run(expected)
        if number >= 30:
            late += job.now - seconds
            count += len(job.polled)
    assert late / 30 < max(0.2 * seconds, 0.1)
    assert count <= 30 * (3 + seconds // PACE.longest_s)


@pytest.mark.parametrize(
    ("running", "done", "expected"),
    [(0, 5, 5), (0, 10, 8), (0, 6, 5), (0, 4, 4), (0, 20, 16), (4, 6, 6), (4, 16, 10)],
)
def test_with_a_rate_limit_a_poll_has_to_save_what_it_costs(
    running: float, done: float, expected: float
) -> None:
    pace = Pace(5, 120, 7200, 1.2, request_s=3)
    assert estimate(pace, running, done) == pytest.approx(expected)


@pytest.mark.parametrize("seconds", [1.0, 4.0, 8.0, 20.0, 100.0, 600.0])
def test_with_a_rate_limit_the_last_time_saves_polls(seconds: float) -> None:
    pace = Pace(5, 120, 7200, 1.2, request_s=3)
    job, expected, counts, late = TimedJob(seconds), None, [], []
    for _ in range(30):
        expected = job.run(expected, pace)
        counts.append(len(job.polled))
        late.append(job.now - seconds)
    assert sum(counts[10:]) / 20 <= max(1, min(counts[0], 3 + seconds / pace.longest_s))
    assert sum(late[10:]) / 20 <= max(4, 0.15 * seconds)


def test_job_that_fails_or_is_resumed_says_nothing_about_the_next_one() -> None:
    class Failing(TimedJob):
        @override
        def poll(self, _ids: object) -> Poll:
            return Poll(JobState.FAILED)

    times: list[float] = []
    with pytest.raises(JobFailed):
        JobRunner(PACE, lambda _: None).run(
            Failing(1), "job", None, lambda _: None, job_time=JobTime(3, times.append)
        )
    job = TimedJob(3)
    runner = JobRunner(PACE, job.sleep, clock=lambda: job.now)
    runner.run(job, "job", {"id": "a"}, lambda _: None, job_time=JobTime(500, times.append))
    assert job.polled == [0, 2, 5], "it may have begun long ago"
    assert times == []


def test_state_keeps_the_time_of_a_partition() -> None:
    tap, stream = daily(sites=True)
    jobs = tap.run.jobs
    first, second = WindowTask(stream, {"site": 1}, FIRST), WindowTask(stream, {"site": 1}, SECOND)
    jobs.time_of(first).remember(12.34)
    assert jobs.time_of(second).expected_s == 12.34
    assert jobs.time_of(WindowTask(stream, {"site": 2}, FIRST)).expected_s is None
    assert not jobs.write_to_state(), "a time alone needs no state message"
    written = json.dumps(partition(tap, 1))
    assert written == '{"context": {"site": 1}, "job_ms": 12300}', "SDK targets cannot write 1.5"
    other, stream = daily(sites=True, state=tap.state)
    task = WindowTask(stream, {"site": 1}, FIRST)
    assert other.run.jobs.time_of(task).expected_s == 12.3
    other.run.jobs.time_of(task).remember(0.05)
    other.run.jobs.write_to_state()
    assert partition(other, 1) == {"context": {"site": 1}}, "too short to be worth it"


@pytest.mark.parametrize(
    "seconds",
    [0, -1, 604_800_001, 2.5, 1e300, 10**400, float("nan"), True, "5", None, [5], {}],
)
def test_time_that_no_job_can_take_is_ignored(seconds: object) -> None:
    tap, stream = daily(state={"bookmarks": {"figures": {"job_ms": seconds}}})
    jobs, task = tap.run.jobs, WindowTask(stream, {}, FIRST)
    assert jobs.time_of(task).expected_s is None
    jobs.time_of(task).remember(2.5)
    jobs.write_to_state()
    assert tap.state["bookmarks"]["figures"] == {"job_ms": 2500}


@pytest.mark.parametrize("seconds", ["5", None, True, [5], {}, 2.5, 1e300])
def test_state_whose_time_is_no_whole_number_is_refused(seconds: object) -> None:
    state = {"bookmarks": {"figures": {"partitions": [{"context": {}, "job_ms": seconds}]}}}
    with pytest.raises(ConfigValidationError, match="job_ms"):
        checked_state(state, logging.getLogger("test"))


@pytest.mark.parametrize("seconds", [5, -1, 10**400])
def test_state_whose_time_is_a_whole_number_is_read(seconds: float) -> None:
    state = {"bookmarks": {"figures": {"job_ms": seconds}}}
    assert checked_state(state, logging.getLogger("test")) == state


def test_state_does_not_grow_with_the_number_of_jobs() -> None:
    tap, stream = daily(sites=True)
    for number in range(1000):
        task = WindowTask(stream, {"site": 1 + number % 2}, FIRST)
        tap.run.jobs.time_of(task).remember(1 + number / 10)
    tap.run.jobs.write_to_state()
    assert tap.state["bookmarks"]["figures"]["partitions"] == [
        {"context": {"site": 1}, "job_ms": 100_800},
        {"context": {"site": 2}, "job_ms": 100_900},
    ]


def partition(tap: Any, site: int) -> dict[str, Any]:
    found: list[dict[str, Any]] = tap.state["bookmarks"]["figures"]["partitions"]
    return next(one for one in found if one["context"] == {"site": site})
