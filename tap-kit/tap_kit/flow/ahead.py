"""Reading ahead: one pipeline for the tasks of all streams, in the order the SDK asks for them."""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING

from tap_kit.errors import SyncFailed
from tap_kit.flow.pipeline import Pipeline
from tap_kit.flow.tasks import Outcome, Partition, Result, Task
from tap_kit.streams import KitStream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from singer_sdk.helpers.types import Context

    from tap_kit.tap import KitTap

Work = tuple[KitStream, "Partition | None"]


class ReadAhead:
    """Hands each stream the outcomes of its tasks, while those after them are being read."""

    def __init__(self, tap: KitTap) -> None:
        self._tap = tap
        self._pipeline: Pipeline[Task, Outcome] | None = None
        self._to_come: deque[Work] = deque()

    def outcomes(
        self, stream: KitStream, context: Context | None
    ) -> Iterator[tuple[Task, Outcome, bool]]:
        """The outcomes of the tasks of a stream's partition, in plan order.

        Each with whether it is the last one of its window. While one is being waited for or
        written, those after it are being read, across the borders of partitions and streams. A
        stream with a record limit reads nothing ahead, and completes no window.
        """
        partition = dict(context) if context else None
        if partition not in stream.partition_list:
            return  # of another shard: what is read ahead for the streams after it goes on
        if stream.ABORT_AT_RECORD_COUNT is not None:
            yield from _one_by_one(stream, partition)
            return
        pipeline = self._pipeline_at((stream, partition))
        to_do = len(stream.windows(partition))
        while (task := pipeline.head) and task.stream is stream and task.partition == partition:
            outcome = pipeline.take(self.waiting)
            is_last = not task.is_same_window(pipeline.head)
            yield task, outcome, is_last
            if is_last and to_do:
                to_do -= 1
                self._tap.progress.task_done()
        self._tap.progress.task_done(to_do)  # of a partition that turned out to be unavailable

    def insert(self, tasks: Iterator[Task]) -> None:
        """Do ``tasks`` next: a stream found that it has to read something again."""
        if self._pipeline is not None:  # pragma: no branch  (only what is being read asks for it)
            self._pipeline.insert(tasks)

    def drop(self, task: Task) -> None:
        """Nothing more is done of the partition of ``task``, and no error in it counts."""
        if self._pipeline is not None:
            stream, partition = task.stream, task.partition
            self._pipeline.drop(lambda one: one.stream is stream and one.partition == partition)

    def close(self) -> None:
        """Nothing more is asked of the vendor."""
        if self._pipeline is not None:
            self._pipeline.close()
            self._pipeline = None
        self._tap.progress.close()

    def _pipeline_at(self, here: Work) -> Pipeline[Task, Outcome]:
        """The running pipeline; a new one from here on when this is not what comes next in it.

        Raises:
            SyncFailed: when the stream is not selected; the SDK asks for it where a child is.
        """
        if self._pipeline is None or not self._to_come or self._to_come[0] != here:
            self.close()
            everything = list(self._in_sync_order())
            if here not in everything:
                msg = f"{here[0].name}: select it too, as the streams below it are read with it"
                raise SyncFailed(msg)
            self._to_come = deque(everything[everything.index(here) :])
            self._tap.on_plan(list(self._to_come))
            at_once = self._tap.config["max_concurrency"]
            self._tap.progress.planned(_task_counts(self._to_come), at_once=at_once)
            self._pipeline = Pipeline(
                _plan(list(self._to_come)),
                lambda task: task.stream.perform(task),
                workers=at_once,
                follow_ups=_follow_ups,
            )
        self._to_come.popleft()
        return self._pipeline

    def _in_sync_order(self) -> Iterator[Work]:
        """All that this run reads, in the order in which the SDK asks for it."""
        for stream in self._tap.streams.values():
            if stream.selected and isinstance(stream, KitStream):
                _ = stream.row_check  # made here, as the threads that use it must find it made
                for partition in stream.partition_list:
                    yield stream, partition

    def waiting(self, task: Task) -> None:
        """The main thread waits for ``task``: tell of it, and write the state when it is due.

        Raises:
            Interrupted: when the run was asked to stop.
        """
        self._tap.progress.waiting(task)
        self._tap.write_state_if_due()


def _task_counts(work: Iterable[Work]) -> Counter[str]:
    """How many tasks there are of each stream; further pages are not known yet."""
    counts: Counter[str] = Counter()
    for stream, partition in work:
        counts[stream.name] += len(stream.windows(partition))
    return counts


def _plan(work: Sequence[Work]) -> Iterator[Task]:
    for stream, partition in work:
        yield from stream.tasks(partition)


def _follow_ups(task: Task, outcome: Outcome) -> Iterator[Task]:
    return task.stream.follow_ups(task, outcome) if isinstance(outcome, Result) else iter(())


def _one_by_one(
    stream: KitStream, partition: Partition | None
) -> Iterator[tuple[Task, Outcome, bool]]:
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
