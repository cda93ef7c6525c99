"""The ids of unfinished jobs in the state, so that the next run resumes them."""

from __future__ import annotations

import queue
from typing import TYPE_CHECKING, Any

from tap_kit.errors import JobFailed
from tap_kit.jobs.times import MAX_S, MIN_S, JobTime

if TYPE_CHECKING:
    from collections.abc import Hashable

    from tap_kit.flow.tasks import Task, TaskStream
    from tap_kit.jobs.protocol import Ids


class JobBook:
    """The ids of unfinished jobs, which are kept in the state of their partition.

    Workers record ids from any thread; only the main thread accesses the state. ``part`` tells the
    jobs of a window apart if it needs several.
    """

    KEY, TIME_KEY = "jobs", "job_ms"

    def __init__(self) -> None:
        self._records: queue.SimpleQueue[tuple[Task, Ids | None, str]] = queue.SimpleQueue()
        self._times: queue.SimpleQueue[tuple[Task, float]] = queue.SimpleQueue()
        self._expected: dict[str, float] = {}
        self._is_changed = False
        self._prepared: set[str] = set()
        self._requests: dict[Hashable, Hashable] = {}  # by the id of the job that each got

    def claim(self, job_id: Hashable, request: Hashable) -> None:
        """Remember which request a job belongs to (from any thread).

        The server may return a running job for an equal request. The job of another request has
        other rows.

        Raises:
            JobFailed: if another request of this run has the same job.
        """
        if self._requests.setdefault(job_id, request) != request:
            msg = "the server returned the job of another request"
            raise JobFailed(msg)

    def record(self, task: Task, ids: Ids, part: str = "") -> None:
        """Remember that the job of ``task`` has these ids (from any thread)."""
        self._records.put((task, ids, part))

    def forget(self, task: Task, part: str = "") -> None:
        """Forget the job of ``task``: it no longer exists (from any thread)."""
        self._records.put((task, None, part))

    def time_of(self, task: Task) -> JobTime:
        """Return the expected time of the job of ``task``: that of the last one of its partition.

        It is from this run, else from the state. Any thread can call this. A time that no job can
        take, as a state that was edited may have it, is ignored.
        """
        key = f"{task.stream.name} {task.context}"
        found = self._expected.get(key)
        if found is None:
            found = _seconds((_entry(task) or {}).get(self.TIME_KEY))

        def remember(seconds: float) -> None:
            self._expected[key] = seconds
            self._times.put((task, seconds))

        return JobTime(found, remember)

    def write_to_state(self) -> bool:
        """Write new records to the state; return whether there are any since the last call.

        The times of jobs do not count: they are written with the next state.
        """
        self._take_times()
        self._take_records()
        is_changed, self._is_changed = self._is_changed, False
        return is_changed

    def _take_records(self) -> None:
        while not self._records.empty():
            task, ids, part = self._records.get()
            self._prepare(task.stream)
            state = task.stream.get_context_state(task.context)
            jobs = state.setdefault(self.KEY, {})
            if ids is not None:
                jobs[_name(task, part)] = dict(ids)
            else:
                jobs.pop(_name(task, part), None)
                _drop_if_empty(state)
            task.stream.state_manager.is_flushed = False
            self._is_changed = True

    def _take_times(self) -> None:
        while not self._times.empty():
            task, seconds = self._times.get()
            self._prepare(task.stream)
            state = task.stream.get_context_state(task.context)
            state.pop(self.TIME_KEY, None)
            if seconds >= MIN_S:
                # A whole number: SDK targets read others as Decimal, which they cannot write.
                state[self.TIME_KEY] = round(seconds * 10) * 100

    def _prepare(self, stream: TaskStream) -> None:
        """Create the entries of a stream's partitions in the state, in plan order.

        Otherwise they would be in the order in which the vendor accepted the jobs.
        """
        if stream.name not in self._prepared:
            self._prepared.add(stream.name)
            for partition in stream.partition_list:
                stream.get_context_state(dict(partition) or None)

    def known(self, task: Task, part: str = "") -> Ids | None:
        """Return the ids of the job of ``task`` from an earlier run; None if there are none."""
        ids = (_entry(task) or {}).get(self.KEY, {}).get(_name(task, part))
        return ids if isinstance(ids, dict) else None

    def forget_up_to(self, task: Task) -> None:
        """Forget all jobs of the window of ``task``, which is written, and of earlier windows.

        If the settings have changed, nothing else would remove the jobs of earlier windows.
        """
        self._take_records()  # a job can be done before its ids are in the state
        state = task.stream.get_context_state(task.context)
        jobs = state.get(self.KEY, {})
        for name in [name for name in jobs if name.partition(" ")[0] <= task.window_name]:
            del jobs[name]
        _drop_if_empty(state)


def _drop_if_empty(state: dict[str, Any]) -> None:
    if not state.get(JobBook.KEY):
        state.pop(JobBook.KEY, None)


def _name(task: Task, part: str) -> str:
    return f"{task.window_name} {part}" if part else task.window_name


def _seconds(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value / 1000 if 0 < value <= MAX_S * 1000 else None


def _entry(task: Task) -> dict[str, Any] | None:
    """Return the entry of a task's partition in the state."""
    entry = task.stream.tap_state.get("bookmarks", {}).get(task.stream.name, {})
    entries: list[dict[str, Any]] = [*entry.get("partitions", []), entry]
    return next((one for one in entries if one.get("context") == task.context), None)
