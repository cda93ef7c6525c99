"""The base classes of all streams: plan, fetch, check, emit, bookmark."""

from __future__ import annotations

import abc
import logging
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Generic, cast

from singer_sdk.singerlib.catalog import REPLICATION_INCREMENTAL
from typing_extensions import override

from tap_kit.errors import JobFailed, PartitionUnavailable
from tap_kit.flow.bookmarks import (
    MAX_AHEAD,
    WindowBookmarks,
    bookmarked_day,
    read_bookmark,
)
from tap_kit.flow.failures import Failures
from tap_kit.flow.tasks import (
    Outcome,
    Partition,
    Result,
    ResultT,
    Task,
    TaskT,
    WindowTask,
    WindowTaskT,
)
from tap_kit.rows import chunks
from tap_kit.rows.check import ResponseFields, RowCheck
from tap_kit.rows.keys import shard_of
from tap_kit.run.catalogs import keep_keys

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context, Record
    from singer_sdk.singerlib import Catalog

    from tap_kit.flow.windows import DayRange, Window, Windows
    from tap_kit.rows.check import Row
    from tap_kit.run.run import Run


def _not_sdk_sync_error(record: logging.LogRecord) -> bool:
    """Return False for the SDK's error line; the command line logs the error."""
    return not str(record.msg).startswith("An unhandled error occurred while syncing")


class KitStream(chunks.ChunkedStream, abc.ABC, Generic[TaskT, ResultT]):
    """A stream whose tasks are read ahead, together with those of all other streams of the tap.

    A stream must define ``fetch``; one that is read in parts also ``tasks`` or ``follow_ups``.
    """

    response_fields: ClassVar[ResponseFields] = ResponseFields()
    one_request_per_task: bool = False

    def __init__(self, tap: Tap, run: Run) -> None:
        self.run = run
        super().__init__(tap)
        self.logger.addFilter(_not_sdk_sync_error)
        self.failures = Failures(self, run, self.logger)

    @override
    def apply_catalog(self, catalog: Catalog) -> None:
        """Apply a catalog; the keys stay those of the stream, and are always selected."""
        keys, replication_key = self.primary_keys, self.replication_key
        super().apply_catalog(catalog)
        self.primary_keys, self.replication_key = keys, replication_key
        if entry := catalog.get_stream(self.name):
            keep_keys(entry, keys, replication_key)

    # Plan
    def windows(self, partition: Partition) -> Sequence[Window | None]:  # noqa: ARG002
        """Return the windows of a partition to read; None stands for the whole partition."""
        return (None,)

    def all_partitions(self) -> Iterable[Partition] | None:
        """Return the account's partitions in a stable order; None for a stream without any."""
        return None

    @cached_property
    def partition_list(self) -> list[Partition]:
        """The partitions that this run reads: those of its shard.

        A stream without partitions has a single empty one, which the first shard reads.
        """
        shard = self.run.shard
        partitions = self.all_partitions()
        if partitions is None:
            return [{}] if shard.index == 0 else []
        return [p for p in partitions if shard_of(list(p.values()), shard.count) == shard.index]

    @property
    @override
    def partitions(self) -> list[dict[str, Any]] | None:
        return [dict(partition) for partition in self.partition_list if partition]

    def tasks(self, partition: Partition) -> Iterator[TaskT]:
        """Return the tasks of a partition in plan order, without follow-ups."""
        yield cast("TaskT", Task(self, partition))

    def follow_ups(self, task: TaskT, result: ResultT) -> Iterator[TaskT]:  # noqa: ARG002
        """Return the tasks that a result makes necessary, to do right after it."""
        return iter(())

    # Fetch and check (in a worker thread)
    def perform(self, task: TaskT) -> Outcome:
        """Read one task; return an error that ends only a window or a partition."""
        try:
            return self.fetch(task)
        except (PartitionUnavailable, JobFailed) as error:
            return error

    @abc.abstractmethod
    def fetch(self, task: TaskT) -> ResultT:
        """Read one task.

        Raises:
            PartitionUnavailable: if the vendor refuses this partition, or this window of it.
            JobFailed: if this window cannot be read.
        """

    def checked(self, records: Sequence[Any]) -> Sequence[Row]:
        """Return records as rows that are checked against the schema, for the result of ``fetch``.

        Records are dicts, or rows from a ``RowDecoder`` with this stream's ``row_check``.
        """
        return self.row_check.rows(records)

    @cached_property
    def row_check(self) -> RowCheck:
        """The check of this stream's rows against its schema."""
        return RowCheck(self)

    # Emit and bookmark (in the main thread)
    @override
    def get_records(self, context: Context | None) -> Iterator[Record]:
        single = chunks.needs_single_records(self)
        self.TYPE_CONFORMANCE_LEVEL = chunks.SLOW if single else chunks.FAST
        if single:
            level = logging.INFO if self.config.get("batch_config") else logging.DEBUG
            self.logger.log(
                level, "%s: written as RECORD messages because of %s", self.name, single
            )
        for ahead_task, outcome, is_last in self.run.ahead.outcomes(self, context):
            task = cast("TaskT", ahead_task)
            failures = self.failures.of(task.partition)
            if failures.skips(task):
                continue
            if not isinstance(outcome, Result):
                self.failures.skip(task, outcome)
                continue
            try:
                yield from self._records_of(task, cast("ResultT", outcome), single=bool(single))
            except JobFailed as error:
                self.failures.skip(task, error)
                continue
            failures.is_read = True
            if is_last:
                failures.window_written()
                self.on_window_written(task)
            del outcome  # its memory, before the next one is made
            self.run.write_state_if_due()
        if self.failures.of(context or {}):
            self.failures.report_refusals(context or {}, self.owner(context or {}))

    def _records_of(self, task: TaskT, result: ResultT, *, single: bool) -> Iterator[Record]:
        for rows in self.batches(task, result):
            if self.failures.of(task.partition).is_read_again(task):
                self.run.progress.add_rows_again(len(rows))
            yield from self._as_records(rows) if single else self._as_chunk(rows)
            self.run.write_state_if_due()

    def batches(self, task: TaskT, result: ResultT) -> Iterator[Sequence[Row]]:
        """Yield the rows to write in batches; one is written before the next one is made."""
        rows = self.finalize(task, result)
        for start in range(0, len(rows), chunks.CHUNK_ROWS):
            yield rows[start : start + chunks.CHUNK_ROWS]

    def finalize(self, task: TaskT, result: ResultT) -> Sequence[Row]:  # noqa: ARG002
        """Return the rows to write; override it for work that needs plan order (main thread)."""
        return result.rows

    def on_window_written(self, task: TaskT) -> None:
        """React when all rows of a window are written; those before it are written or failed."""

    def forget_jobs(self, task: TaskT) -> None:
        """Forget the jobs of the window of ``task``, which is written, and of those before it.

        The jobs of a window that failed stay in the state: they may still be running.
        """
        if not self.failures.of(task.partition):
            self.run.jobs.forget_up_to(task)

    def _as_records(self, rows: Sequence[Row]) -> Iterator[Record]:
        for row in rows:
            yield chunks.as_record(row)
            self.run.progress.add_rows(1, self.name)

    def _as_chunk(self, rows: Sequence[Row]) -> Iterator[Record]:
        if self._counter is not None:
            self._counter.rows = len(rows)
        yield chunks.Chunk(rows)
        self.run.progress.add_rows(len(rows), self.name)

    @property
    def missing_hint(self) -> str:
        """What to check if all partitions are unknown (404), as an error; empty if it is none."""
        return ""

    def owner(self, partition: Partition) -> Partition:
        """Return the part of a partition that the vendor refuses, to report it once per run."""
        return partition


class BookmarkedStream(KitStream[TaskT, ResultT], abc.ABC, Generic[TaskT, ResultT]):
    """A stream that advances its bookmarks itself; records do not advance them."""

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


class WindowedStream(
    BookmarkedStream[WindowTaskT, ResultT], abc.ABC, Generic[WindowTaskT, ResultT]
):
    """A stream that is read in windows of days, with a bookmark for each partition."""

    @override
    def windows(self, partition: Partition) -> Windows:
        return self.day_range(partition).windows(self._bookmark(partition))

    def day_range(self, partition: Partition) -> DayRange:  # noqa: ARG002
        """Return the days that this run reads of a partition; in UTC unless overridden."""
        return self.run.day_range()

    @override
    def tasks(self, partition: Partition) -> Iterator[WindowTaskT]:
        failures, windows = self.failures.of(partition), self.windows(partition)
        failures.begin(windows, self._bookmark(partition))
        for window in windows:
            for task in self.window_tasks(partition, window):
                if not failures.skips(task):  # as it sends no request for windows that are left
                    yield task

    def window_tasks(self, partition: Partition, window: Window) -> Iterator[WindowTaskT]:
        """Return the tasks of one window, without follow-ups."""
        yield cast("WindowTaskT", WindowTask(self, partition, window))

    def bookmark_value(self, window: Window, partition: Partition) -> str:  # noqa: ARG002
        """Return the bookmark of a window that was read; bookmarks sort like their windows."""
        return window.first.isoformat()

    def bookmark_day(self, value: str, partition: Partition) -> date:  # noqa: ARG002
        """Return the first day of the window of a bookmark.

        Raises:
            ValueError: if the tap did not write the bookmark.
        """
        return date.fromisoformat(value)

    @override
    def on_window_written(self, task: WindowTaskT) -> None:
        if self.failures.of(task.partition):
            return  # the bookmark must not pass a window that was not read
        key = self.replication_key
        if self.replication_method == REPLICATION_INCREMENTAL and key:
            value = self.bookmark_value(task.window, task.partition)
            self.state_manager.advance(task.context, key, value)

    def _bookmark(self, partition: Partition) -> date | None:
        key = self.replication_key
        if self.replication_method != REPLICATION_INCREMENTAL or not key:
            return None
        value = read_bookmark(self.tap_state, self.name, dict(partition) or None, key)
        latest = self.run.today() + MAX_AHEAD
        return bookmarked_day(
            value, lambda text: self.bookmark_day(text, partition), self.name, latest
        )
