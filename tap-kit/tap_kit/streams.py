"""The base classes of all streams: plan, fetch, shape, emit, bookmark."""

from __future__ import annotations

import abc
import contextlib
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import Stream
from singer_sdk.metrics import DEFAULT_LOG_INTERVAL, Metric, Tag
from singer_sdk.singerlib.catalog import REPLICATION_INCREMENTAL
from typing_extensions import override

from tap_kit.errors import JobFailed, PartitionUnavailable, SyncFailed
from tap_kit.flow.bookmarks import WindowBookmarks, read_bookmark
from tap_kit.flow.tasks import Result, Task
from tap_kit.rows import chunks as records
from tap_kit.rows.check import ResponseFields, RowCheck
from tap_kit.rows.keys import shard_of

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from singer_sdk.helpers.types import Context, Record

    from tap_kit.flow.tasks import Outcome, Partition
    from tap_kit.flow.windows import DayRange, Window, Windows
    from tap_kit.rows.check import Row
    from tap_kit.tap import KitTap


def _not_sdk_sync_error(record: logging.LogRecord) -> bool:
    """Keep back the SDK's line that an error has come: the command line tells which."""
    return not str(record.msg).startswith("An unhandled error occurred while syncing")


class KitStream(Stream, abc.ABC):
    """A stream whose tasks are read ahead, together with those of all other streams of the tap."""

    tap: KitTap
    response_fields: ClassVar[ResponseFields] = ResponseFields()

    def __init__(self, tap: KitTap) -> None:
        self.tap = tap
        super().__init__(tap)
        self.logger.addFilter(_not_sdk_sync_error)
        self._counter: records.ChunkCounter | None = None
        self._unavailable: set[str] = set()

    # Plan

    def windows(self, partition: Partition | None) -> Sequence[Window | None]:  # noqa: ARG002
        """The windows to read of a partition; one without dates for what is read whole."""
        return (None,)

    def all_partitions(self) -> Iterable[Partition] | None:
        """The partitions of the account, in a stable order; None for a stream without any."""
        return None

    @cached_property
    def partition_list(self) -> list[Partition | None]:
        """The partitions that this run reads: those of its shard."""
        shard = self.tap.shard
        partitions = self.all_partitions()
        if partitions is None:
            return [None] if shard.index == 0 else []
        return [p for p in partitions if shard_of(list(p.values()), shard.count) == shard.index]

    @property
    @override
    def partitions(self) -> list[dict[str, Any]] | None:
        return [dict(p) for p in self.partition_list if p is not None]

    def tasks(self, partition: Partition | None) -> Iterator[Task]:
        """The tasks of a partition in plan order, until it turns out to be unavailable."""
        for window in self.windows(partition):
            if str(partition) in self._unavailable:
                return
            yield Task(self, partition, window)

    def follow_ups(self, task: Task, result: Result) -> Iterator[Task]:  # noqa: ARG002
        """The tasks that a result makes necessary, to be done right after it."""
        return iter(())

    # Fetch and shape (in a worker thread)

    def perform(self, task: Task) -> Outcome:
        """Read one task: its rows, checked against the schema, or why there are none."""
        return self.guarded(lambda: self._found(task))

    def _found(self, task: Task) -> Result:
        found = self.read(task)
        return Result(self.row_check.rows(found), getattr(found, "note", None))

    @staticmethod
    def guarded(work: Callable[[], Result]) -> Outcome:
        """What ``work`` brings; as a value what ends no more than a partition or a stream."""
        try:
            return work()
        except (PartitionUnavailable, JobFailed) as error:
            return error

    @abc.abstractmethod
    def read(self, task: Task) -> Sequence[Any]:
        """The records of one task, as the stream's schema has them; a ``Found`` with a note.

        They are dicts, or rows that a ``RowDecoder`` of this stream's ``row_check`` made.

        Raises:
            PartitionUnavailable: when the vendor refuses this partition and only this one.
        """

    @cached_property
    def row_check(self) -> RowCheck:
        """The check of this stream's rows against its schema."""
        return RowCheck(self)

    # Emit and bookmark (in the main thread)

    @override
    def get_records(self, context: Context | None) -> Iterator[Record]:
        single = records.needs_single_records(self)
        self.TYPE_CONFORMANCE_LEVEL = records.SLOW if single else records.FAST
        if single:
            self.logger.debug("%s: record by record, because of %s", self.name, single)
        for task, outcome, is_last in self.tap.ahead.outcomes(self, context):
            if str(task.partition) in self._unavailable:
                continue
            if isinstance(outcome, Result):
                try:
                    yield from self._written(task, outcome, single=bool(single))
                except JobFailed as error:
                    self._give_up(task, error)
                    continue
                if is_last:
                    self.on_window_written(task)
                self.tap.write_state_if_due()
            else:
                self._give_up(task, outcome)

    def _written(self, task: Task, result: Result, *, single: bool) -> Iterator[Record]:
        for rows in self.batches(task, result):
            yield from self._single(rows) if single else self._chunk(rows)
            self.tap.write_state_if_due()

    def batches(self, task: Task, result: Result) -> Iterator[Sequence[Row]]:
        """The rows to write in batches, each written before the next one is asked for."""
        rows = self.finalize(task, result)
        for start in range(0, len(rows), records.CHUNK_ROWS):
            yield rows[start : start + records.CHUNK_ROWS]

    def finalize(self, task: Task, result: Result) -> Sequence[Row]:  # noqa: ARG002
        """The rows to write, for what can only be done in order (in the main thread)."""
        return result.rows

    def on_window_written(self, task: Task) -> None:
        """All rows of the window of ``task`` are written out, and those of all windows before."""

    def _single(self, rows: Sequence[Row]) -> Iterator[Record]:
        for row in rows:
            yield records.as_record(row)
            self.tap.progress.rows(1, self.name)

    def _chunk(self, rows: Sequence[Row]) -> Iterator[Record]:
        if self._counter is not None:
            self._counter.rows = len(rows)
        yield records.Chunk(rows)
        self.tap.progress.rows(len(rows), self.name)

    def _give_up(self, task: Task, error: PartitionUnavailable | JobFailed) -> None:
        """Leave the rest of a partition; its bookmark stays where it is."""
        self._unavailable.add(str(task.partition))
        self.tap.ahead.drop(task)
        if isinstance(error, JobFailed):
            self.logger.error("%s: given up: %s", task, error)
            self.tap.failed.append(str(task))
        else:
            self.logger.warning("%s: skipped: %s", task, error)

    @override
    def get_record_counter(
        self, *, endpoint: str | None = None, log_interval: float = DEFAULT_LOG_INTERVAL
    ) -> records.ChunkCounter:
        tags = {Tag.STREAM: self.name} | ({Tag.ENDPOINT: endpoint} if endpoint else {})
        self._counter = records.ChunkCounter(Metric.RECORD_COUNT, tags, log_interval=log_interval)
        return self._counter

    @override
    def generate_child_contexts(
        self, record: Record, context: Context | None
    ) -> Iterable[Context | None]:
        is_one = not isinstance(record, records.Chunk)  # where there is a child, rows come singly
        return super().generate_child_contexts(record, context) if is_one else ()


class BookmarkedStream(KitStream, abc.ABC):
    """A stream whose bookmarks move when it says so, not with each record."""

    @cached_property
    @override
    def state_manager(self) -> WindowBookmarks:
        return WindowBookmarks(
            tap_name=self.tap_name,
            stream_name=self.name,
            tap_state=self.tap_state,
            state_partitioning_keys=self.state_partitioning_keys,
            is_sorted=self.is_sorted,
            check_sorted=self.check_sorted,
        )


class WindowedStream(BookmarkedStream, abc.ABC):
    """A stream that is read in windows of days, with a bookmark for each partition."""

    @override
    def windows(self, partition: Partition | None) -> Windows:
        return self.day_range(partition).windows(self._bookmark(partition))

    def day_range(self, partition: Partition | None) -> DayRange:  # noqa: ARG002
        """The days that this run reads of a partition; in UTC unless a stream knows better."""
        return self.tap.day_range()

    def bookmark_value(self, window: Window, partition: Partition | None) -> str:  # noqa: ARG002
        """The bookmark that says that ``window`` was read; it sorts as the windows do."""
        return window.first.isoformat()

    def bookmark_day(self, value: str, partition: Partition | None) -> date:  # noqa: ARG002
        """The first day of the window that a bookmark stands for.

        Raises:
            ValueError: when it is none of ours.
        """
        return date.fromisoformat(value)

    @override
    def on_window_written(self, task: Task) -> None:
        key = self.replication_key
        if self.replication_method == REPLICATION_INCREMENTAL and key and task.window:
            value = self.bookmark_value(task.window, task.partition)
            context = dict(task.partition) if task.partition else None
            self.state_manager.advance(context, key, value)

    def _bookmark(self, partition: Partition | None) -> date | None:
        key = self.replication_key
        if self.replication_method != REPLICATION_INCREMENTAL or not key:
            return None
        value = read_bookmark(self.tap_state, self.name, partition, key)
        if value is None:
            return None
        with contextlib.suppress(ValueError):
            if isinstance(value, str):
                return self.bookmark_day(value, partition)
        msg = f"{self.name}: the bookmark in the state is not a date; repair or clear the state"
        raise SyncFailed(msg)
