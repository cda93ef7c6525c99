"""The streams of the fourteen exports."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from tap_kit import (
    JobFailed,
    JsonRows,
    Occurrences,
    PartitionUnavailable,
    ResponseFields,
    Result,
    SyncFailed,
    WindowedStream,
    Windows,
    WindowTask,
    parse_rows,
    read_in_background,
    read_with_resume,
    sleep_with_heartbeat,
)
from typing_extensions import override

from tap_khoros_analytics.exports.action_limit import ActionLimit
from tap_khoros_analytics.exports.bodies import CsvCells, FieldNames, JsonCells
from tap_khoros_analytics.exports.columns import columns_of, key_of, missing_fields, schema_of
from tap_khoros_analytics.exports.definitions import RAISED_LIMIT, export_options
from tap_khoros_analytics.exports.parameters import (
    REPORT_TYPE,
    metrics,
    midnight,
    parameters,
    spans_of,
)
from tap_khoros_analytics.exports.resume import job_record, resumable
from tap_khoros_analytics.exports.rows import RowMaker
from tap_khoros_analytics.exports.spellings import Column
from tap_khoros_analytics.exports.typed_cells import Misfits, TypedCells, typed_cells
from tap_khoros_analytics.exports.types import zone_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context, Record
    from tap_kit import Ids, Partition, Row, RowParser, Window

    from tap_khoros_analytics.exports.definitions import Export
    from tap_khoros_analytics.exports.jobs import FinishedExport
    from tap_khoros_analytics.exports.parameters import Span
    from tap_khoros_analytics.exports.rows import Cells
    from tap_khoros_analytics.exports.tenant import Tenant

# A target keeps the last row of a conversation, and a closed conversation was open before.
REPORT_TYPES = ("CREATED", "OPEN_AT_END", "CLOSED")


@dataclass(frozen=True)
class SpanTask(WindowTask):
    """The part of a window that one job covers."""

    span: Span


@dataclass(frozen=True)
class ExportResult(Result):
    """A finished export, without rows: they are downloaded when they are written."""

    export: FinishedExport


class ExportStream(WindowedStream[SpanTask, ExportResult]):
    """One export: a job for each window, or several.

    Worker threads start the jobs ahead and wait for them. A download starts when its rows are the
    next ones in plan order, and rows are written while it arrives: a thread reads the socket, the
    main thread does everything else.
    """

    replication_key = "window_end"
    response_fields = ResponseFields(all_computed=True)

    def __init__(self, tap: Tap, tenant: Tenant, export: Export, columns: Sequence[Column]) -> None:
        self.name = export.id
        self.tenant = tenant
        self.export = export
        self.is_read = False  # whether this run has written a window
        self.selected_by_default = export.selected
        options = export_options(tenant.run.config, export.id)
        self._has_fixed_columns = bool(options.get("columns"))
        key = key_of(export, columns, options.get("primary_key"))
        self._export_schema = schema_of(
            [*columns, *(Column(f, f.upper()) for f in missing_fields(key, columns))],
            title=export.title,
            key=key,
            has_report_type=export.id == "conversation",
        )
        super().__init__(tap, tenant.run)
        self.misfits = Misfits(export.id, self.logger)
        self.primary_keys = key

    @property
    @override
    def schema(self) -> dict[str, Any]:
        return self._export_schema

    @cached_property
    def all_columns(self) -> list[Column]:
        """All columns in the catalog."""
        return columns_of(self.name, self.effective_schema)

    @cached_property
    def selected_columns(self) -> list[Column]:
        """The selected columns; keys are always selected."""
        return [c for c in self.all_columns if self.mask["properties", c.field]]

    @property
    def is_csv(self) -> bool:
        """Whether exports are downloaded as CSV instead of JSON."""
        return bool(self.config["report_format"] == "csv")

    # Plan

    @override
    def all_partitions(self) -> Iterator[Partition] | None:
        if self.export.id != "conversation":
            return None
        chosen = self.config["conversation_report_types"]
        return ({REPORT_TYPE: kind} for kind in REPORT_TYPES if kind in chosen)

    @cached_property
    @override
    def partition_list(self) -> list[Partition]:
        # One shard reads all report types, since their order matters.
        partitions = self.all_partitions()
        every: list[Partition] = [{}] if partitions is None else [*partitions]
        return every if self.run.shard.index == 0 else []

    @override
    def windows(self, partition: Partition) -> Windows:
        """Return the windows from the bookmark on, which is the first day that was not read."""
        day_range, unread = self.day_range(partition), self._bookmark(partition)
        first = day_range.start
        if unread is not None:
            steps = -(-day_range.lookback // day_range.days)
            first = max(unread - timedelta(days=steps * day_range.days), day_range.start)
        return Windows(first, day_range.end, day_range.days)

    @override
    def window_tasks(self, partition: Partition, window: Window) -> Iterator[SpanTask]:
        for span in spans_of(self.export, window, self.config):
            yield SpanTask(self, partition, window, span)

    @override
    def bookmark_value(self, window: Window, partition: Partition) -> str:
        is_over = window.last < self.run.today()
        return midnight(window.last + timedelta(days=1) if is_over else window.first).isoformat()

    @override
    def bookmark_day(self, value: str, partition: Partition) -> date:
        return datetime.fromisoformat(value.replace("Z", "+00:00")).date()

    # Fetch (in a worker thread): the job, until its rows can be downloaded

    @override
    def fetch(self, task: SpanTask) -> ExportResult:
        if not self.all_columns:
            msg = f"the catalog has no columns of it; run discovery, or set exports.{self.name}"
            raise JobFailed(msg)
        jobs, params, part = self.run.jobs, self._parameters(task), f"{task.span.begin:%dT%H:%M}"
        known = resumable(jobs.known(task, part), params, task.span)
        record = dict(known or job_record(params))

        def on_started(ids: Ids) -> None:
            self.tenant.claim(ids, self.export, params)
            jobs.record(task, {**record, **ids}, part)

        try:
            finished = self.tenant.finished(
                self.export, params, task, known, on_started, jobs.time_of(task)
            )
        except SyncFailed as error:  # the other exports are not affected
            raise JobFailed(str(error)) from None
        return ExportResult((), finished)

    def _parameters(self, task: SpanTask) -> dict[str, Any]:
        params = parameters(self.export, task.span, task.partition, self.config)
        return {**params, "reportMetrics": self._metrics} if self._metrics else params

    @cached_property
    def _metrics(self) -> list[str]:
        """The columns to request; none where the vendor's default set has all of them."""
        return metrics(
            self.all_columns,
            self.selected_columns,
            is_fixed=self._has_fixed_columns,
            is_csv=self.is_csv,
        )

    # What a run finds out about the columns

    @property
    def has_default_columns(self) -> bool:
        """Whether the rows have the vendor's default columns, and new ones among them."""
        return not self._metrics

    # Emit (in the main thread): the download, while it arrives

    @override
    def get_records(self, context: Context | None) -> Iterator[Record]:
        try:
            yield from super().get_records(context)
        finally:
            self.misfits.report()

    @override
    def batches(self, task: SpanTask, result: ExportResult) -> Iterator[Sequence[Row]]:
        maker, limit = self._row_maker(task), ActionLimit()
        has_id = "row_id" in self.primary_keys
        heartbeat = partial(self.run.heartbeat, task)
        sleep = sleep_with_heartbeat(self.run.throttle.sleep, heartbeat)
        download = partial(self._downloaded, task, result, maker.fields)
        count = 0
        with contextlib.closing(Occurrences()) as seen:
            try:
                for cells in read_with_resume(download, sleep):
                    count += len(cells)
                    yield maker.hashed(cells, seen) if has_id else maker.keyed(cells)
                    self._count_actions(limit, maker.fields, cells)
            except (SyncFailed, PartitionUnavailable) as error:
                raise JobFailed(str(error)) from None
        announced = result.export.rows
        if announced is not None and count < announced:
            text = "%s: the vendor's job counts %d rows, its download has %d; rows may be missing"
            self.logger.warning(text, task, announced, count)
        text = "%s: conversation %s has %d actions, the vendor's limit; more may be missing"
        for conversation in limit.reached:
            self.logger.warning(text, task, conversation, RAISED_LIMIT)

    def _downloaded(
        self, task: SpanTask, result: ExportResult, fields: Sequence[str]
    ) -> Iterator[list[Cells]]:
        """Return the cells of all rows in batches, in the vendor's order."""
        parser: RowParser
        if self.is_csv:
            parser = CsvCells(fields, self.field_names, str(task))
        else:
            parser = JsonRows(JsonCells(fields, self.field_names).decode, str(task))
        heartbeat = partial(self.run.heartbeat, task)
        arriving = read_in_background(result.export.download(), heartbeat)
        with contextlib.closing(arriving) as pieces:
            yield from parse_rows(pieces, parser)

    @cached_property
    def field_names(self) -> FieldNames:
        """The names in rows, compared with the columns of the catalog."""
        return FieldNames(self.name, self.all_columns, self.logger)

    def _row_maker(self, task: SpanTask) -> RowMaker:
        begin, end = task.span.begin.isoformat(), task.span.end.isoformat()
        constants = {**task.partition, "window_start": begin, "window_end": end}
        return RowMaker(
            self.selected_columns,
            key=self.primary_keys,
            constants={f: v for f, v in constants.items() if self.mask["properties", f]},
            key_prefix=[begin] if self.export.aggregate else [],
            has_empty_texts=not self.is_csv,
            typed=self._typed_cells,
        )

    @cached_property
    def _typed_cells(self) -> TypedCells | None:
        fields = [f for f in self.effective_schema["properties"] if self.mask["properties", f]]
        zone = zone_of(self.export, self.config)
        return typed_cells(self.selected_columns, zone, fields, self.misfits)

    def _count_actions(
        self, limit: ActionLimit, fields: Sequence[str], rows: Sequence[Cells]
    ) -> None:
        if self.name == "conversation_history_action" and "conversation_id" in fields:
            place = fields.index("conversation_id")
            limit.count(cells[place] for cells in rows)

    @override
    def on_window_written(self, task: SpanTask) -> None:
        super().on_window_written(task)
        self.forget_jobs(task)
        self.is_read = True
