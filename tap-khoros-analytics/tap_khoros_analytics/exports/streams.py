"""The fourteen exports."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from tap_kit.errors import JobFailed, SyncFailed
from tap_kit.flow.background import read_in_background, sleep_with_heartbeat
from tap_kit.flow.tasks import Outcome, Result, Task
from tap_kit.flow.windows import Windows
from tap_kit.rows.occurrences import Occurrences
from tap_kit.rows.streaming import JsonRows, parsed, resumed
from tap_kit.streams import WindowedStream
from typing_extensions import override

from tap_khoros_analytics.exports.action_limit import ActionLimit
from tap_khoros_analytics.exports.bodies import CsvCells, JsonCells, Names
from tap_khoros_analytics.exports.catalogue import RAISED_LIMIT
from tap_khoros_analytics.exports.columns import Column, columns_of, key_of, missing, schema_of
from tap_khoros_analytics.exports.jobs import ExportJob
from tap_khoros_analytics.exports.parameters import (
    REPORT_TYPE,
    metrics,
    midnight,
    parameters,
    spans_of,
)
from tap_khoros_analytics.exports.pick_up import marks, still_good
from tap_khoros_analytics.exports.rows import Shape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tap_kit.flow.tasks import Partition
    from tap_kit.flow.windows import Window
    from tap_kit.jobs.runner import Ids
    from tap_kit.rows.check import Row
    from tap_kit.rows.streaming import RowParser

    from tap_khoros_analytics.exports.catalogue import Export
    from tap_khoros_analytics.exports.parameters import Span
    from tap_khoros_analytics.exports.rows import Cells
    from tap_khoros_analytics.tap import TapKhorosAnalytics

# Of a conversation's rows the last one written stays: what was closed was open before.
REPORT_TYPES = ("CREATED", "OPEN_AT_END", "CLOSED")


class Finished(NamedTuple):
    """A job whose rows can be downloaded."""

    job: ExportJob
    ids: Ids


class ExportStream(WindowedStream):
    """One export: a job for each window, its rows streamed when its turn comes.

    The workers start the jobs ahead and wait for them. A download begins when its turn comes, and
    its rows are written while it arrives: a thread takes its bytes from the socket, the main
    thread does all else.
    """

    tap: TapKhorosAnalytics
    replication_key = "window_end"

    def __init__(self, tap: TapKhorosAnalytics, export: Export, columns: Sequence[Column]) -> None:
        self.name = export.id
        self.export = export
        self.selected_by_default = export.selected
        options = tap.options(export.id)
        self._is_fixed = bool(options.get("columns"))
        key = key_of(export, columns, options.get("primary_key"))
        self._export_schema = schema_of(
            [*columns, *(Column(f, f.upper()) for f in missing(key, columns))],
            title=export.title,
            key=key,
            has_report_type=export.id == "conversation",
        )
        super().__init__(tap)
        self.primary_keys = key

    @property
    @override
    def schema(self) -> dict[str, Any]:
        return self._export_schema

    # Plan

    @override
    def all_partitions(self) -> Iterator[Partition] | None:
        if self.export.id != "conversation":
            return None
        chosen = self.config["conversation_report_types"]
        return ({REPORT_TYPE: kind} for kind in REPORT_TYPES if kind in chosen)

    @cached_property
    @override
    def partition_list(self) -> list[Partition | None]:
        # The report types are read in order, so all of them by one shard.
        partitions = self.all_partitions()
        every: list[Partition | None] = [None] if partitions is None else [*partitions]
        return every if self.tap.shard.index == 0 else []

    @override
    def windows(self, partition: Partition | None) -> Windows:
        """From the first day that was not read: the bookmark is a window's end, not included."""
        day_range, unread = self.day_range(partition), self._bookmark(partition)
        first = day_range.start
        if unread is not None:
            steps = -(-day_range.lookback // day_range.days)
            first = max(unread - timedelta(days=steps * day_range.days), day_range.start)
        return Windows(first, day_range.end, day_range.days)

    @override
    def tasks(self, partition: Partition | None) -> Iterator[Task]:
        for task in super().tasks(partition):
            if task.window is not None:  # pragma: no branch  (for the type checker: all have one)
                for span in spans_of(self.export, task.window, self.config):
                    yield replace(task, piece=span)

    @override
    def bookmark_value(self, window: Window, partition: Partition | None) -> str:
        done = window.last < self.tap.today()
        return midnight(window.last + timedelta(days=1) if done else window.first).isoformat()

    @override
    def bookmark_day(self, value: str, partition: Partition | None) -> date:
        return datetime.fromisoformat(value.replace("Z", "+00:00")).date()

    # Fetch (in a worker): the job, up to the point where its rows can be downloaded

    @override
    def perform(self, task: Task) -> Outcome:
        return self.guarded(lambda: self._finished_job(task))

    def _finished_job(self, task: Task) -> Result:
        if not self.all_columns:
            msg = f"the catalog has no columns of it: discover them, or set exports.{self.name}"
            raise JobFailed(msg)
        tap, params, part = self.tap, self._parameters(task), f"{task.piece.begin:%dT%H:%M}"
        job = ExportJob(tap.client, self.export, params, tap.lessons)
        known = still_good(tap.jobs.known(task, part), params, task.piece)
        mine = dict(known or marks(params))
        try:
            ids = tap.job_runner.run(
                job, task, known, lambda ids: tap.jobs.note(task, {**mine, **ids}, part)
            )
        except SyncFailed as error:  # the other exports are not to blame
            raise JobFailed(str(error)) from None
        return Result((), Finished(job, ids))

    @override
    def read(  # pragma: no cover  (the base class demands it; ``batches`` does the work)
        self, task: Task
    ) -> Sequence[dict[str, Any]]:
        """Nothing: an export's rows are not read at once, see ``batches``."""
        return ()

    def _parameters(self, task: Task) -> dict[str, Any]:
        params = parameters(self.export, task.piece, task.partition, self.config)
        is_csv = self.config["report_format"] == "csv"
        chosen = metrics(
            self.all_columns, self.selected_columns, is_fixed=self._is_fixed, is_csv=is_csv
        )
        return {**params, "reportMetrics": chosen} if chosen else params

    @cached_property
    def all_columns(self) -> list[Column]:
        """All columns that the catalog knows."""
        return columns_of(self.name, self.effective_schema)

    @cached_property
    def selected_columns(self) -> list[Column]:
        """Those that are selected; keys always are."""
        return [c for c in self.all_columns if self.mask["properties", c.field]]

    @cached_property
    def _names(self) -> Names:
        return Names(self.name, self.all_columns, self.logger)

    # Emit (in the main thread): the download, as it arrives

    @override
    def batches(self, task: Task, result: Result) -> Iterator[Sequence[Row]]:
        shape, limit = self._shape(task), ActionLimit()
        has_id = "row_id" in self.primary_keys
        with contextlib.closing(Occurrences()) as seen:
            try:
                for cells in resumed(
                    lambda: self._downloaded(task, result.note, shape),
                    sleep_with_heartbeat(self.tap.throttle.sleep, self._waiting(task)),
                ):
                    yield shape.hashed(cells, seen) if has_id else shape.keyed(cells)
                    self._count_actions(limit, shape, cells)
            except SyncFailed as error:
                raise JobFailed(str(error)) from None
        for conversation in limit.reached:
            self.logger.warning(
                "%s: conversation %s has exactly %d actions, the vendor's limit; "
                "the rest of them is not to be had",
                task,
                conversation,
                RAISED_LIMIT,
            )

    def _downloaded(self, task: Task, finished: Finished, shape: Shape) -> Iterator[list[Cells]]:
        """The rows as the vendor has them, from the first one on."""
        job, ids = finished
        fields = [column.field for column in shape.columns]
        parser: RowParser
        if self.config["report_format"] == "csv":
            parser = CsvCells(fields, self._names, str(task))
        else:
            parser = JsonRows(JsonCells(fields, self._names).decode, str(task))
        arriving = read_in_background(job.client.download(ids, job.token), self._waiting(task))
        with contextlib.closing(arriving) as pieces:
            yield from parsed(pieces, parser)

    def _waiting(self, task: Task) -> Callable[[], None]:
        return lambda: self.tap.ahead.waiting(task)

    def _count_actions(self, limit: ActionLimit, shape: Shape, rows: Sequence[Cells]) -> None:
        if self.name == "conversation_history_action":
            fields = [column.field for column in shape.columns]
            if "conversation_id" in fields:
                place = fields.index("conversation_id")
                limit.count(cells[place] for cells in rows)

    @override
    def on_window_written(self, task: Task) -> None:
        super().on_window_written(task)
        self.tap.jobs.forget_up_to(task)

    def _shape(self, task: Task) -> Shape:
        span: Span = task.piece
        constants = {
            **(task.partition or {}),
            "window_start": span.begin.isoformat(),
            "window_end": span.end.isoformat(),
        }
        return Shape(
            self.selected_columns,
            key=self.primary_keys,
            constants={f: v for f, v in constants.items() if self.mask["properties", f]},
            key_prefix=[span.begin.isoformat()] if self.export.aggregate else [],
            has_empty_texts=self.config["report_format"] == "json",
        )
