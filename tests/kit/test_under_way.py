"""Jobs that run are known, left alone the longer the more there are, and called off at the end."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest
from tap_kit.errors import Interrupted, JobFailed
from tap_kit.jobs import Ids, JobRunner, JobState, Pace, Poll
from tap_kit.under_way import Running, UnderWay
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable

IDS = {"id": "1"}


class Work:
    """A job that can be called off, or not, and takes its time to say so."""

    def __init__(self, *, stops: bool = True, takes_s: float = 0.0) -> None:
        self.stops, self.takes_s = stops, takes_s
        self.cancelled: list[Ids] = []

    def start(self) -> Ids:
        """Begin."""
        return IDS

    def poll(self, ids: Ids) -> Poll:
        """It never ends by itself."""
        assert ids == IDS
        return Poll(JobState.RUNNING)

    def cancel(self, ids: Ids, timeout_s: float) -> bool:
        """Stop it, if that is possible in time."""
        time.sleep(min(self.takes_s, timeout_s))
        self.cancelled.append(ids)
        return self.stops and self.takes_s < timeout_s


class Plain:
    """A job that cannot be called off."""

    def start(self) -> Ids:
        """Begin."""
        return IDS

    def poll(self, _ids: Ids) -> Poll:
        """It never ends by itself."""
        return Poll(JobState.RUNNING)


def interrupted(_seconds: float) -> None:
    """A pause in which the run is stopped."""
    msg = "the run is being stopped"
    raise Interrupted(msg)


def runner(under_way: UnderWay, sleep: Callable[[float], None], patience_s: float = 9) -> JobRunner:
    """A runner that tells what runs."""
    return JobRunner(Pace(1, 1, patience_s), sleep, under_way=under_way)


def test_a_job_that_is_interrupted_is_called_off_and_forgotten() -> None:
    under_way, work, forgotten = UnderWay(), Work(), [False]
    with pytest.raises(Interrupted):
        runner(under_way, interrupted).run(
            work, "x", None, lambda _: None, lambda: forgotten.append(True)
        )
    assert under_way.count == 1
    under_way.call_off(1)
    assert work.cancelled == [IDS]
    assert forgotten[-1] is True


@pytest.mark.parametrize("job", [Work(stops=False), Work(takes_s=5), Plain()])
def test_a_job_that_cannot_be_called_off_is_kept_and_nobody_waits_for_it(
    job: Work | Plain,
) -> None:
    under_way, forgotten = UnderWay(), [False]
    under_way.add(Running(job, IDS, lambda: forgotten.append(True)))
    began = time.monotonic()
    under_way.call_off(0.3)
    assert time.monotonic() - began < 3
    assert forgotten == [False]


def test_a_job_that_ended_is_not_called_off() -> None:
    class Done(Work):
        @override
        def poll(self, ids: Ids) -> Poll:
            return Poll(JobState.DONE, "rows")

    under_way, job = UnderWay(), Done()
    assert runner(under_way, lambda _: None).run(job, "x", None, lambda _: None) == "rows"
    under_way.call_off(1)
    assert (under_way.count, job.cancelled) == (0, [])


def test_a_job_that_was_given_up_is_not_counted_any_more() -> None:
    under_way = UnderWay()
    with pytest.raises(JobFailed):
        runner(under_way, lambda _: None, patience_s=0).run(Work(), "x", None, lambda _: None)
    assert under_way.count == 0


def test_a_job_that_is_being_started_is_waited_for() -> None:
    under_way, work = UnderWay(), Work()
    begun = threading.Event()

    def start() -> None:
        with under_way.starting():
            begun.set()
            time.sleep(0.2)
            under_way.add(Running(work, IDS, lambda: None))

    thread = threading.Thread(target=start)
    thread.start()
    assert begun.wait(20)
    under_way.call_off(5)
    thread.join(20)
    assert work.cancelled == [IDS]


def test_many_jobs_are_called_off_side_by_side() -> None:
    under_way = UnderWay()
    jobs = [Work(takes_s=0.3) for _ in range(10)]
    for job in jobs:
        under_way.add(Running(job, IDS, lambda: None))
    began = time.monotonic()
    under_way.call_off(2.5)
    assert time.monotonic() - began < 2.5
    assert all(job.cancelled for job in jobs)


def test_the_least_pause_is_looked_at_again_while_it_lasts() -> None:
    """Of jobs that are started one after the other, the first one knows of no others yet."""
    now, slept, least_s = [0.0], [0.0], [3.0]

    def sleep(seconds: float) -> None:
        slept[0] += seconds
        now[0] += seconds
        least_s[0] = 10.0 if now[0] < 8 else 5.0

    class Once(Work):
        @override
        def poll(self, ids: Ids) -> Poll:
            return Poll(JobState.DONE, slept[0])

    waiting = JobRunner(
        Pace(1, 1, 100), sleep, clock=lambda: now[0], least_pause_s=lambda: least_s[0]
    )
    assert waiting.run(Once(), "x", None, lambda _: None) == 8.0
