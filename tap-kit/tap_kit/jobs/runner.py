"""Run jobs to their end: start them, poll them, resume those of an earlier run."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tap_kit.errors import Interrupted, JobFailed
from tap_kit.jobs.protocol import Ids, JobState, Poll
from tap_kit.jobs.running import RunningJob, RunningJobs
from tap_kit.jobs.times import JobTime, Pace, estimate, pauses

if TYPE_CHECKING:
    from tap_kit.jobs.protocol import Job

logger = logging.getLogger(__name__)

_STEP_S = 1.0

OnStarted = Callable[[Ids], None]
OnCancelled = Callable[[], None]


@dataclass(frozen=True)
class JobRunner:
    """Runs jobs to their end. ``sleep`` waits, unless the run is being stopped.

    ``min_pause_s`` returns the current lower bound of the pauses, for a rate limit.
    """

    pace: Pace
    sleep: Callable[[float], None]
    clock: Callable[[], float] = time.monotonic
    running_jobs: RunningJobs = field(default_factory=RunningJobs)
    min_pause_s: Callable[[], float] = lambda: 0.0

    def run(
        self,
        job: Job,
        what: object,
        known: Ids | None,
        on_started: OnStarted,
        on_cancelled: OnCancelled = lambda: None,
        job_time: JobTime | None = None,
    ) -> Any:
        """Return the result of ``job``; ``known`` are its ids if an earlier run started it.

        ``on_started`` receives the ids as soon as they are known, so that the state can keep them;
        ``on_cancelled`` is called after the job was cancelled. A job that failed, or that the
        vendor no longer knows, is started a second time. ``what`` names the job in messages.
        ``job_time`` times its polls.

        Raises:
            JobFailed: if the job fails again, or is not done in time.
        """
        if known:
            logger.info("%s: resuming the job that an earlier run started", what)
            on_started(known)
            poll = job.poll(known)
            if poll.state is JobState.RUNNING:
                running = RunningJob(job, known, on_cancelled)
                self.running_jobs.add(running)
                poll = self._wait(running, what, JobTime())
        else:
            poll = self._start_and_wait(job, what, on_started, on_cancelled, job_time)
        if poll.state in {JobState.FAILED, JobState.GONE}:
            logger.warning("%s: %s; starting it again", what, poll.reason or poll.state.value)
            poll = self._start_and_wait(job, what, on_started, on_cancelled, job_time)
        if poll.state is not JobState.DONE:
            reason = poll.reason or poll.state.value
            msg = f"{what}: the vendor's job ended without a result: {reason}"
            raise JobFailed(msg)
        return poll.result

    def _start_and_wait(
        self,
        job: Job,
        what: object,
        on_started: OnStarted,
        on_cancelled: OnCancelled,
        job_time: JobTime | None,
    ) -> Poll:
        with self.running_jobs.starting():
            ids = job.start()
            on_started(ids)
            running = RunningJob(job, ids, on_cancelled)
            self.running_jobs.add(running)
        return self._wait(running, what, job_time or JobTime())

    def _wait(self, running: RunningJob, what: object, job_time: JobTime) -> Poll:
        try:
            poll = self._poll_until_done(running.job, running.ids, what, job_time)
        except Interrupted:
            raise  # the job is still running; it is cancelled when the run ends
        except BaseException:
            self.running_jobs.remove(running)
            raise
        self.running_jobs.remove(running)
        return poll

    def _poll_until_done(self, job: Job, ids: Ids, what: object, job_time: JobTime) -> Poll:
        deadline = self.clock() + self.pace.timeout_s
        running_s = waited_s = 0.0
        next_pauses = pauses(self.pace, job_time.expected_s)
        while True:
            pause = next(next_pauses)
            waited_s += max(pause, self.min_pause_s())
            self._pause(pause, deadline)
            poll = job.poll(ids)
            if poll.state is not JobState.RUNNING:
                break
            running_s = waited_s
            if self.clock() >= deadline:
                msg = f"{what}: the vendor's job is still running after {self.pace.timeout_s:.0f} s"
                raise JobFailed(msg)
        if poll.state is JobState.DONE:
            job_time.remember(estimate(self.pace, running_s, waited_s))
        return poll

    def _pause(self, pause_s: float, deadline: float) -> None:
        """Wait before the next poll; in steps, because the minimum depends on the running jobs."""
        began = self.clock()
        while True:
            min_s = self.min_pause_s()
            rest_s = min(began + max(pause_s, min_s), deadline) - self.clock()
            is_last = not min_s or rest_s <= _STEP_S
            self.sleep(max(0.0, rest_s if is_last else _STEP_S))
            if is_last:
                return
