"""Work that a vendor does for us: start it, poll it, pick it up again after a crash."""

from __future__ import annotations

import logging
import queue
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

from singer_sdk import typing as th

from tap_kit.errors import Interrupted, JobFailed
from tap_kit.jobs.running import Running, RunningJobs

if TYPE_CHECKING:
    from tap_kit.flow.tasks import Task
    from tap_kit.streams import KitStream

logger = logging.getLogger(__name__)

_STEP_S = 1.0

Ids = Mapping[str, str]
Note = Callable[[Ids], None]
Forget = Callable[[], None]


def polling_settings(
    what: str, *, first_ms: int, longest_ms: int, timeout_s: int
) -> tuple[th.Property[int], ...]:
    """The settings of a tap whose vendor has jobs, as ``KitTap.job_runner_with`` reads them.

    ``what`` is what the vendor calls a job.
    """
    return (
        th.Property(
            "poll_interval_ms",
            th.IntegerType(minimum=1, maximum=longest_ms),
            default=first_ms,
            title="Poll interval",
            description="Milliseconds before the first look at a running "
            f"{what}; growing to {longest_ms}",
        ),
        th.Property(
            "poll_timeout",
            th.IntegerType(minimum=1, maximum=604_800),
            default=timeout_s,
            title="Poll time-out",
            description=f"Seconds after which a {what} that is still running is given up",
        ),
    )


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
    """One piece of work on the vendor's side, in the vendor's own protocol.

    One that is ``Cancellable`` too is called off when the run is stopped.
    """

    def start(self) -> Ids:
        """Begin; the ids by which the job is found again."""

    def poll(self, ids: Ids) -> Poll:
        """Ask how far it is."""


@dataclass(frozen=True)
class Pace:
    """Pauses between polls: from ``first_s``, growing to ``longest_s``; patience ``timeout_s``.

    Each pause is ``growth`` times as long as the one before.
    """

    first_s: float
    longest_s: float
    timeout_s: float
    growth: float = 1.5


@dataclass(frozen=True)
class JobRunner:
    """Brings jobs to their end. ``sleep`` waits, unless the run is being stopped.

    ``least_pause_s`` is a lower bound of the pauses at this moment, where a budget asks for one.
    """

    pace: Pace
    sleep: Callable[[float], None]
    clock: Callable[[], float] = time.monotonic
    running_jobs: RunningJobs = field(default_factory=RunningJobs)
    least_pause_s: Callable[[], float] = lambda: 0.0

    def run(
        self,
        job: Job,
        what: object,
        known: Ids | None,
        note: Note,
        forget: Forget = lambda: None,
    ) -> Any:
        """The result of ``job``; ``known`` are its ids when an earlier run started it.

        ``note`` is told the ids as soon as there are some, so that they can be kept in the state;
        ``forget`` is called when the job was called off. A job that failed, or that the vendor has
        forgotten, is started again once.

        Raises:
            JobFailed: when it fails again, or is not done in time.
        """
        if known:
            logger.info("%s: picked up again, it was started by an earlier run", what)
            note(known)
            poll = job.poll(known)
            if poll.state is JobState.RUNNING:
                running = Running(job, known, forget)
                self.running_jobs.add(running)
                poll = self._wait(running, what)
        else:
            poll = self._afresh(job, what, note, forget)
        if poll.state in {JobState.FAILED, JobState.GONE}:
            logger.warning("%s: %s; started again", what, poll.reason or poll.state.value)
            poll = self._afresh(job, what, note, forget)
        if poll.state is not JobState.DONE:
            reason = poll.reason or poll.state.value
            msg = f"{what}: the vendor's job ended without a result: {reason}"
            raise JobFailed(msg)
        return poll.result

    def _afresh(self, job: Job, what: object, note: Note, forget: Forget) -> Poll:
        with self.running_jobs.starting():
            ids = job.start()
            note(ids)
            running = Running(job, ids, forget)
            self.running_jobs.add(running)
        return self._wait(running, what)

    def _wait(self, running: Running, what: object) -> Poll:
        try:
            poll = self._poll_until_done(running.job, running.ids, what)
        except Interrupted:
            raise  # it still runs: whoever ends the run calls it off
        except BaseException:
            self.running_jobs.remove(running)
            raise
        self.running_jobs.remove(running)
        return poll

    def _poll_until_done(self, job: Job, ids: Ids, what: object) -> Poll:
        deadline = self.clock() + self.pace.timeout_s
        pause = self.pace.first_s
        while True:
            self._pause(pause, deadline)
            poll = job.poll(ids)
            if poll.state is not JobState.RUNNING:
                return poll
            if self.clock() >= deadline:
                msg = f"{what}: the vendor is not done after {self.pace.timeout_s:.0f} s"
                raise JobFailed(msg)
            pause = min(pause * self.pace.growth, self.pace.longest_s)

    def _pause(self, pause_s: float, deadline: float) -> None:
        """Wait before the next poll; in steps, as the least pause changes with what runs."""
        began = self.clock()
        while True:
            least_s = self.least_pause_s()
            rest_s = min(began + max(pause_s, least_s), deadline) - self.clock()
            is_last = not least_s or rest_s <= _STEP_S
            self.sleep(max(0.0, rest_s if is_last else _STEP_S))
            if is_last:
                return


class JobBook:
    """The ids of unfinished jobs, kept in the state of their partition.

    Workers note; the main thread, which alone may touch the state, writes down and crosses out.
    """

    KEY = "jobs"

    def __init__(self) -> None:
        self._notes: queue.SimpleQueue[tuple[Task, Ids | None, str]] = queue.SimpleQueue()
        self._is_news = False
        self._placed: set[str] = set()

    def note(self, task: Task, ids: Ids, part: str = "") -> None:
        """Remember that the job of ``task`` has these ids (from any thread).

        ``part`` tells the jobs apart of a window that needs several.
        """
        self._notes.put((task, ids, part))

    def write_to_state(self) -> bool:
        """Put what was noted into the state; whether there was anything since the last time."""
        self._take_notes()
        news, self._is_news = self._is_news, False
        return news

    def _take_notes(self) -> None:
        while not self._notes.empty():
            task, ids, part = self._notes.get()
            self._place(task.stream)
            state = task.stream.get_context_state(_context(task))
            jobs = state.setdefault(self.KEY, {})
            if ids is not None:
                jobs[_name(task, part)] = dict(ids)
            else:
                jobs.pop(_name(task, part), None)
                _drop_if_empty(state)
            task.stream.state_manager.is_flushed = False
            self._is_news = True

    def _place(self, stream: KitStream) -> None:
        """Give a stream's partitions their places in the state, in plan order.

        Else they would stand there in the order in which the vendor took their jobs.
        """
        if stream.name not in self._placed:
            self._placed.add(stream.name)
            for partition in stream.partition_list:
                stream.get_context_state(dict(partition) if partition else None)

    def forget(self, task: Task, part: str = "") -> None:
        """The job of ``task`` is no more (from any thread)."""
        self._notes.put((task, None, part))

    def known(self, task: Task, part: str = "") -> Ids | None:
        """The ids that an earlier run left for the job of ``task``."""
        for entry in _entries(task.stream):
            if entry.get("context") == task.partition:
                ids = entry.get(self.KEY, {}).get(_name(task, part))
                return ids if isinstance(ids, dict) else None
        return None

    def forget_up_to(self, task: Task) -> None:
        """The results of all jobs of the window of ``task`` are written out.

        Those of earlier windows go too: with other settings nobody would come for them again.
        """
        self._take_notes()  # a job can be done before anybody has looked
        state = task.stream.get_context_state(_context(task))
        jobs = state.get(self.KEY, {})
        for name in [name for name in jobs if name.partition(" ")[0] <= _name(task)]:
            del jobs[name]
        _drop_if_empty(state)


def _drop_if_empty(state: dict[str, Any]) -> None:
    if not state.get(JobBook.KEY):
        state.pop(JobBook.KEY, None)


def _name(task: Task, part: str = "") -> str:
    window = task.window.first.isoformat() if task.window else "all"
    return f"{window} {part}" if part else window


def _context(task: Task) -> dict[str, Any] | None:
    return dict(task.partition) if task.partition else None


def _entries(stream: KitStream) -> list[dict[str, Any]]:
    entry = stream.tap_state.get("bookmarks", {}).get(stream.name, {})
    return [*entry.get("partitions", []), entry]
