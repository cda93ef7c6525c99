"""Running jobs are counted, and cancelled when the run is stopped."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest
from tap_kit.errors import Interrupted, JobFailed
from tap_kit.jobs.protocol import Ids, JobState, Poll
from tap_kit.jobs.runner import JobRunner
from tap_kit.jobs.running import RunningJob, RunningJobs
from tap_kit.jobs.times import Pace
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable

IDS = {"id": "1"}


class Work:
    """A job that never ends; ``stops`` says whether it can be cancelled, after ``takes_s``."""

    def __init__(self, *, stops: bool = True, takes_s: float = 0.0) -> None:
        self.stops, self.takes_s = stops, takes_s
        self.cancelled: list[Ids] = []

    def start(self) -> Ids:
        """Start."""
        return IDS

    def poll(self, ids: Ids) -> Poll:
        """Return that it is running."""
        assert ids == IDS
        return Poll(JobState.RUNNING)

    def cancel(self, ids: Ids, timeout_s: float) -> bool:
        """Cancel it, if that is possible in time."""
        time.sleep(min(self.takes_s, timeout_s))
        self.cancelled.append(ids)
        return self.stops and self.takes_s < timeout_s


class Plain:
    """A job that is not ``Cancellable``."""

    def start(self) -> Ids:
        """Start."""
        return IDS

    def poll(self, _ids: Ids) -> Poll:
        """Return that it is running."""
        return Poll(JobState.RUNNING)


def interrupted(_seconds: float) -> None:
    """Raise as a pause does in which the run is stopped."""
    msg = "the run is being stopped"
    raise Interrupted(msg)


def runner(
    running_jobs: RunningJobs, sleep: Callable[[float], None], limit_s: float = 9
) -> JobRunner:
    """Return a runner that reports its running jobs."""
    return JobRunner(Pace(1, 1, limit_s), sleep, running_jobs=running_jobs)


@pytest.mark.parametrize("known", [None, IDS], ids=["of this run", "of an earlier one"])
def test_interrupted_job_is_cancelled_and_forgotten(known: Ids | None) -> None:
    running_jobs, work, forgotten = RunningJobs(), Work(), [False]
    with pytest.raises(Interrupted):
        runner(running_jobs, interrupted).run(
            work, "x", known, lambda _: None, lambda: forgotten.append(True)
        )
    assert running_jobs.count == 1
    running_jobs.cancel_all(1)
    assert work.cancelled == [IDS]
    assert forgotten[-1] is True


def test_job_that_was_started_a_second_time_is_cancelled() -> None:
    class FailsOnce(Work):
        polls = 0

        @override
        def poll(self, ids: Ids) -> Poll:
            self.polls += 1
            return Poll(JobState.FAILED if self.polls == 1 else JobState.RUNNING)

    def sleep(_seconds: float) -> None:
        if work.polls > 1:
            interrupted(0)

    running_jobs, work, forgotten = RunningJobs(), FailsOnce(), [False]
    with pytest.raises(Interrupted):
        runner(running_jobs, sleep).run(
            work, "x", None, lambda _: None, lambda: forgotten.append(True)
        )
    assert running_jobs.count == 1
    running_jobs.cancel_all(1)
    assert (work.cancelled, forgotten[-1]) == ([IDS], True)


@pytest.mark.parametrize(("known", "polls"), [(None, 1), (IDS, 2)])
def test_finished_job_is_not_counted_as_running(known: Ids | None, polls: int) -> None:
    class Done(Work):
        @override
        def poll(self, ids: Ids) -> Poll:
            nonlocal polls
            polls -= 1
            return Poll(JobState.RUNNING if polls else JobState.DONE, running_jobs.count)

    running_jobs = RunningJobs()
    seen = runner(running_jobs, lambda _: None).run(Done(), "x", known, lambda _: None)
    assert (seen, running_jobs.count) == (1, 0), "counted only while it runs"


@pytest.mark.parametrize(
    ("stops", "message"),
    [
        ([True, False], "Cancelled 1 of 2 running jobs; the next run resumes the others"),
        ([True], "Cancelled 1 of 1 running jobs; the next run resumes the others"),
    ],
)
def test_number_of_cancelled_jobs_is_logged(
    stops: list[bool], message: str, caplog: pytest.LogCaptureFixture
) -> None:
    running_jobs = RunningJobs()
    running_jobs.add(RunningJob(Plain(), IDS, lambda: None))
    for stop in stops:
        running_jobs.add(RunningJob(Work(stops=stop), IDS, lambda: None))
    running_jobs.cancel_all(1)
    assert caplog.messages == [message]


def test_nothing_is_logged_when_no_job_can_be_cancelled(caplog: pytest.LogCaptureFixture) -> None:
    running_jobs = RunningJobs()
    running_jobs.add(RunningJob(Plain(), IDS, lambda: None))
    running_jobs.cancel_all(1)
    assert caplog.messages == []


def test_cancel_all_does_not_wait_for_a_failed_start() -> None:
    running_jobs = RunningJobs()
    for _ in range(2):
        with pytest.raises(ValueError, match="no"), running_jobs.starting():
            raise ValueError("no")  # noqa: EM101
    began = time.monotonic()
    running_jobs.cancel_all(60)
    assert time.monotonic() - began < 20


def test_cancel_all_waits_for_concurrent_starts() -> None:
    running_jobs, first, second = RunningJobs(), Work(), Work()
    both, go = threading.Barrier(3), threading.Event()

    def start(work: Work, event: threading.Event | None) -> None:
        with running_jobs.starting():
            both.wait(20)
            if event is not None:
                event.wait(0.2)
            running_jobs.add(RunningJob(work, IDS, lambda: None))

    threads = [
        threading.Thread(target=start, args=arguments)
        for arguments in ((first, None), (second, go))
    ]
    for thread in threads:
        thread.start()
    both.wait(20)
    running_jobs.cancel_all(5)
    for thread in threads:
        thread.join(20)
    assert (first.cancelled, second.cancelled) == ([IDS], [IDS])


def test_cancellation_gets_the_remaining_time() -> None:
    class Timed(Work):
        given_s = 0.0

        @override
        def cancel(self, ids: Ids, timeout_s: float) -> bool:
            self.given_s = timeout_s
            return True

    running_jobs, work = RunningJobs(), Timed()
    running_jobs.add(RunningJob(work, IDS, lambda: None))
    running_jobs.cancel_all(60)
    assert 30 < work.given_s <= 60


@pytest.mark.parametrize("job", [Work(stops=False), Work(takes_s=20), Plain()])
def test_job_that_cannot_be_cancelled_in_time_is_not_forgotten(
    job: Work | Plain,
) -> None:
    running_jobs, forgotten = RunningJobs(), [False]
    running_jobs.add(RunningJob(job, IDS, lambda: forgotten.append(True)))
    began = time.monotonic()
    running_jobs.cancel_all(0.3)
    assert time.monotonic() - began < 10
    assert forgotten == [False]


def test_finished_job_is_not_cancelled() -> None:
    class Done(Work):
        @override
        def poll(self, ids: Ids) -> Poll:
            return Poll(JobState.DONE, "rows")

    running_jobs, job = RunningJobs(), Done()
    assert runner(running_jobs, lambda _: None).run(job, "x", None, lambda _: None) == "rows"
    running_jobs.cancel_all(1)
    assert (running_jobs.count, job.cancelled) == (0, [])


def test_job_that_timed_out_is_not_counted_as_running() -> None:
    running_jobs = RunningJobs()
    with pytest.raises(JobFailed):
        runner(running_jobs, lambda _: None, limit_s=0).run(Work(), "x", None, lambda _: None)
    assert running_jobs.count == 0


def test_cancel_all_waits_for_a_job_that_is_being_started() -> None:
    running_jobs, work = RunningJobs(), Work()
    started = threading.Event()

    def start() -> None:
        with running_jobs.starting():
            started.set()
            time.sleep(0.2)
            running_jobs.add(RunningJob(work, IDS, lambda: None))

    thread = threading.Thread(target=start)
    thread.start()
    assert started.wait(20)
    running_jobs.cancel_all(5)
    thread.join(20)
    assert work.cancelled == [IDS]


def test_jobs_are_cancelled_in_parallel() -> None:
    running_jobs = RunningJobs()
    jobs = [Work(takes_s=1) for _ in range(20)]
    for job in jobs:
        running_jobs.add(RunningJob(job, IDS, lambda: None))
    running_jobs.cancel_all(15)
    assert all(job.cancelled for job in jobs)


def test_minimum_pause_is_computed_again_during_the_pause() -> None:
    """The number of running jobs, and with it the minimum, changes during a pause."""
    now, slept, min_s = [0.0], [0.0], [3.0]

    def sleep(seconds: float) -> None:
        slept[0] += seconds
        now[0] += seconds
        min_s[0] = 10.0 if now[0] < 8 else 5.0

    class Once(Work):
        @override
        def poll(self, ids: Ids) -> Poll:
            return Poll(JobState.DONE, slept[0])

    waiting = JobRunner(Pace(1, 1, 100), sleep, clock=lambda: now[0], min_pause_s=lambda: min_s[0])
    assert waiting.run(Once(), "x", None, lambda _: None) == 8.0
