"""Read ahead: one pipeline for the tasks of all streams, in the order the SDK asks for them."""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING, Protocol

from tap_kit.errors import SyncFailed
from tap_kit.flow.pipeline import Pipeline
from tap_kit.flow.tasks import Outcome, Partition, Result, Task, TaskStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from singer_sdk.helpers.types import Context

Work = tuple[TaskStream, Partition]


class PlanProgress(Protocol):
    """Who is told how far the plan is."""

    def planned(self, tasks: Mapping[str, int], /, *, concurrency: int) -> None:
        """Announce the number of tasks of each stream."""

    def task_done(self, count: int = 1, /) -> None:
        """Count tasks as done."""

    def close(self) -> None:
        """End the display."""


class ReadAhead:
    """Hands each stream the outcomes of its tasks, while the tasks after them are being read.

    ``streams`` returns the streams of this run, in the order in which the SDK syncs them.
    ``on_plan`` receives the streams and partitions that are about to be read. ``heartbeat`` is
    called twice a second while the main thread waits for a task.
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
        self._to_come: deque[Work] = deque()

    def outcomes(
        self, stream: TaskStream, context: Context | None
    ) -> Iterator[tuple[Task, Outcome, bool]]:
        """Return the outcomes of the tasks of a stream's partition, in plan order.

        Each comes with whether it is the last one of its window. While one is being waited for or
        written, those after it are being read, across the borders of partitions and streams. A
        stream with a record limit reads nothing ahead, and completes no window.
        """
        partition = dict(context or {})
        if partition not in stream.partition_list:
            return  # of another shard: what is read ahead for the streams after it goes on
        if stream.ABORT_AT_RECORD_COUNT is not None:
            yield from _one_by_one(stream, partition)
            return
        pipeline = self._pipeline_at((stream, partition))
        to_do = len(stream.windows(partition))
        while (task := pipeline.head) and task.stream is stream and task.partition == partition:
            outcome = pipeline.take(self.heartbeat)
            is_last = not task.is_same_window(pipeline.head)
            yield task, outcome, is_last
            if is_last and to_do:
                to_do -= 1
                self._progress.task_done()
        self._progress.task_done(to_do)  # of a partition that turned out to be unavailable

    def insert(self, task: Task) -> None:
        """Do ``task`` next: a stream has to read something again."""
        if self._pipeline is not None:  # pragma: no branch  (only what is being read asks for it)
            self._pipeline.insert(iter([task]))

    def drop(self, task: Task) -> None:
        """Read nothing more of the partition of ``task``; errors in it no longer count."""
        if self._pipeline is not None:
            stream, partition = task.stream, task.partition
            self._pipeline.drop(lambda one: one.stream is stream and one.partition == partition)

    def close(self) -> None:
        """Send no further requests to the vendor."""
        if self._pipeline is not None:
            self._pipeline.close()
            self._pipeline = None
        self._progress.close()

    def _pipeline_at(self, here: Work) -> Pipeline[Task, Outcome]:
        """Return the running pipeline; a new one when ``here`` is not what comes next in it.

        Raises:
            SyncFailed: when the stream is not selected; the SDK syncs it where a child is.
        """
        if self._pipeline is None or not self._to_come or self._to_come[0] != here:
            self.close()
            everything = [(one, part) for one in self._streams() for part in one.partition_list]
            if here not in everything:
                msg = f"{here[0].name}: select this stream too, its child streams are read with it"
                raise SyncFailed(msg)
            self._to_come = deque(everything[everything.index(here) :])
            self._on_plan(list(self._to_come))
            self._progress.planned(_task_counts(self._to_come), concurrency=self._concurrency)
            self._pipeline = Pipeline(
                _plan(list(self._to_come)),
                lambda task: task.stream.perform(task),
                workers=self._concurrency,
                follow_ups=_follow_ups,
            )
        self._to_come.popleft()
        return self._pipeline


def _task_counts(work: Iterable[Work]) -> Counter[str]:
    """Return the number of tasks of each stream; further pages are not known yet."""
    counts: Counter[str] = Counter()
    for stream, partition in work:
        counts[stream.name] += len(stream.windows(partition))
    return counts


def _plan(work: Sequence[Work]) -> Iterator[Task]:
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
