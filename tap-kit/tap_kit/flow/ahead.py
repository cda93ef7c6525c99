"""Read ahead: one pipeline for the tasks of all streams, in the order of their sync."""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING, Protocol

from tap_kit.errors import SyncFailed
from tap_kit.flow.pipeline import Pipeline
from tap_kit.flow.tasks import Outcome, Partition, Result, Task, TaskStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from singer_sdk.helpers.types import Context

    from tap_kit.errors import PartitionUnavailable

Work = tuple[TaskStream, Partition]
"""A stream and one of its partitions, to be read."""


class PlanProgress(Protocol):
    """The display of a plan's progress."""

    def set_plan(self, tasks: Mapping[str, int], /, *, concurrency: int) -> None:
        """Show the number of tasks of each stream."""

    def task_done(self, count: int = 1, /) -> None:
        """Count tasks as done."""

    def close(self) -> None:
        """Remove the display."""


class ReadAhead:
    """Gives each stream the outcomes of its tasks, while workers read the tasks after them.

    ``streams`` returns the streams of this run, in the order in which the SDK syncs them.
    ``on_plan`` receives the streams and partitions to read. ``heartbeat`` is called twice a second
    while the main thread waits for a task.
    """

    def __init__(
        self,
        streams: Callable[[], Iterable[TaskStream]],
        *,
        concurrency: int,
        progress: PlanProgress,
        on_plan: Callable[[Sequence[Work]], None],
        heartbeat: Callable[[Task], None],
    ) -> None:
        self._streams = streams
        self._concurrency = concurrency
        self._progress = progress
        self._on_plan = on_plan
        self.heartbeat = heartbeat
        self._pipeline: Pipeline[Task, Outcome] | None = None
        self._refusals: set[str] = set()
        self._remaining: deque[Work] = deque()

    def outcomes(
        self, stream: TaskStream, context: Context | None
    ) -> Iterator[tuple[Task, Outcome, bool]]:
        """Yield the outcomes of the tasks of a stream's partition, in plan order.

        Each has a flag that says whether it is the last one of its window. While the main thread
        waits for an outcome or writes it, workers read the tasks after it, also those of the next
        partitions and streams. A stream with a record limit is not read ahead, and none of its
        windows is complete.
        """
        partition = dict(context or {})
        if partition not in stream.partition_list:
            return  # it belongs to another shard; the pipeline continues with the next streams
        if stream.ABORT_AT_RECORD_COUNT is not None:
            yield from _one_by_one(stream, partition)
            return
        pipeline = self._pipeline_at((stream, partition))
        unfinished = len(stream.windows(partition))
        while (task := pipeline.head) and task.stream is stream and task.partition == partition:
            outcome = pipeline.take(self.heartbeat)
            is_last = not task.is_same_window(pipeline.head)
            yield task, outcome, is_last
            del outcome  # its memory, before the next one is made
            if is_last and unfinished:
                unfinished -= 1
                self._progress.task_done()
        self._progress.task_done(unfinished)  # left over if the partition is unavailable

    def insert(self, task: Task) -> None:
        """Do ``task`` next, because a stream must read something again.

        Nothing is inserted without a pipeline, as in a run with a record limit.
        """
        if self._pipeline is not None:
            self._pipeline.insert(iter([task]))

    def drop(self, task: Task, *, except_window: str | None = None) -> None:
        """Read nothing more of the partition of ``task`` except one window; ignore its errors."""
        if self._pipeline is not None:
            stream, partition = task.stream, task.partition
            self._pipeline.drop(
                lambda other: (
                    other.stream is stream
                    and other.partition == partition
                    and other.window_name != except_window
                )
            )

    def drop_window(self, task: Task) -> None:
        """Read nothing more of the window of ``task``, and ignore its errors."""
        if self._pipeline is not None:
            self._pipeline.drop(task.is_same_window)

    def is_first_refusal(self, owner: Partition, error: PartitionUnavailable) -> bool:
        """Return whether no stream reported before that ``owner`` is refused for this reason."""
        refusal = f"{owner}: {error}"
        is_first = refusal not in self._refusals
        self._refusals.add(refusal)
        return is_first

    def close(self) -> None:
        """Send no further requests to the vendor."""
        if self._pipeline is not None:
            self._pipeline.close()
            self._pipeline = None
        self._progress.close()

    def _pipeline_at(self, work: Work) -> Pipeline[Task, Outcome]:
        """Return the running pipeline, or a new one if ``work`` is not next in it.

        Raises:
            SyncFailed: if the stream is not selected; the SDK syncs it if a child stream is.
        """
        if self._pipeline is None or not self._remaining or self._remaining[0] != work:
            self.close()
            plan = [(stream, part) for stream in self._streams() for part in stream.partition_list]
            if work not in plan:
                msg = f"{work[0].name}: select this stream too, as its child streams need it"
                raise SyncFailed(msg)
            self._remaining = deque(plan[plan.index(work) :])
            self._on_plan(list(self._remaining))
            self._progress.set_plan(_task_counts(self._remaining), concurrency=self._concurrency)
            self._pipeline = Pipeline(
                _tasks(list(self._remaining)),
                lambda task: task.stream.perform(task),
                workers=self._workers(plan),
                follow_ups=_follow_ups,
            )
        self._remaining.popleft()
        return self._pipeline

    def _workers(self, plan: Iterable[Work]) -> int:
        """Return the number of threads; never more than ``concurrency`` of their requests run.

        A thread that checks rows would leave its request's place empty, so a quarter more of them
        keeps all places in use. A task with a job or a download has its place all the time.
        """
        if all(stream.one_request_per_task for stream, _ in plan):
            return self._concurrency + self._concurrency // 4
        return self._concurrency


def _task_counts(work: Iterable[Work]) -> Counter[str]:
    """Return the number of tasks of each stream, without follow-ups, which are not known yet."""
    counts: Counter[str] = Counter()
    for stream, partition in work:
        counts[stream.name] += len(stream.windows(partition))
    return counts


def _tasks(work: Sequence[Work]) -> Iterator[Task]:
    for stream, partition in work:
        yield from stream.tasks(partition)


def _follow_ups(task: Task, outcome: Outcome) -> Iterator[Task]:
    return task.stream.follow_ups(task, outcome) if isinstance(outcome, Result) else iter(())


def _one_by_one(stream: TaskStream, partition: Partition) -> Iterator[tuple[Task, Outcome, bool]]:
    sources = [stream.tasks(partition)]
    while sources:
        task = next(sources[-1], None)
        if task is None:
            sources.pop()
            continue
        outcome = stream.perform(task)
        if isinstance(outcome, Result):
            sources.append(stream.follow_ups(task, outcome))
        yield task, outcome, False
