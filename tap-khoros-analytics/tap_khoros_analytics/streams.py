"""The fourteen exports and the two look-ups."""

from __future__ import annotations

import contextlib
from abc import ABC
from collections import Counter
from dataclasses import replace
from datetime import date, datetime, time, timedelta, timezone
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from singer_sdk import SchemaDirectory, StreamSchema
from tap_kit.errors import JobFailed, SyncFailed
from tap_kit.names import snake_case
from tap_kit.occurrences import Occurrences
from tap_kit.streaming import CsvRows, JsonRows, parsed, resumed
from tap_kit.streams import KitStream, Outcome, Result, Task, WindowedStream
from tap_kit.windows import Windows
from typing_extensions import override

from tap_khoros_analytics import schemas
from tap_khoros_analytics.columns import columns_of, schema_of
from tap_khoros_analytics.export_jobs import ExportJob, still_good
from tap_khoros_analytics.exports import MOST_BUCKETS, RAISED_LIMIT, REPEATED
from tap_khoros_analytics.rows import RowMaker

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_kit.jobs import Ids
    from tap_kit.records import Row
    from tap_kit.streams import Partition
    from tap_kit.windows import Window

    from tap_khoros_analytics.columns import Column
    from tap_khoros_analytics.exports import Export
    from tap_khoros_analytics.tap import TapKhorosAnalytics

SCHEMAS = SchemaDirectory(schemas)
REPORT_TYPE = "conversation_report_type"
JsonRow = dict[str, str | None]  # every field of an export is a text [reference, fact 0.2]


class Span(NamedTuple):
    """What one job covers: from ``begin`` up to ``end``, both UTC."""

    begin: datetime
    end: datetime


class Finished(NamedTuple):
    """A job whose rows can be downloaded."""

    job: ExportJob
    ids: Ids


class Download:
    """The body of a finished job, which may be begun several times; ``header`` of the last one."""

    def __init__(self, finished: Finished, report_format: str, source: str) -> None:
        self._finished = finished
        self._is_csv = report_format == "csv"
        self._source = source
        self.header: list[str] | None = None

    def batches(self) -> Iterator[list[Any]]:
        """The rows as the vendor has them, from the first one on.

        Raises:
            Retriable: when the body breaks off, or is no list of rows.
        """
        job, ids = self._finished
        pieces = job.client.download(ids, job.token)
        if not self._is_csv:
            yield from parsed(pieces, JsonRows(JsonRow, self._source))
            return
        parser = CsvRows(self._source)
        for rows in parsed(pieces, parser):
            self.header = parser.header
            yield rows


class LookUp(KitStream, ABC):
    """A list that is answered at once, its names in snake_case."""

    tap: TapKhorosAnalytics
    schema = StreamSchema(SCHEMAS)
    path: str

    @override
    def read(self, task: Task) -> Sequence[dict[str, Any]]:
        rows = self.tap.client.look_up(self.path, self.parameters())
        return [{snake_case(key): value for key, value in row.items()} for row in rows]


    def parameters(self) -> dict[str, str]:
        """The query, besides the company key."""
        return {}


class Teams(LookUp):
    """Teams, for the filters by team. ``GET /teams``."""

    name = "teams"
    primary_keys = ("team_id",)
    path = "/teams"


class Timezones(LookUp):
    """Time zones, for the setting ``timezone``. ``GET /config/timezones``."""

    name = "timezones"
    primary_keys = ("id",)
    path = "/config/timezones"

    @override
    def parameters(self) -> dict[str, str]:
        return {"locale": str(self.tap.config["locale"])}


class ExportStream(WindowedStream):
    """One export: a job for each window, its rows streamed when its turn comes.

    The workers start the jobs ahead and wait for them; the download happens in the main thread,
    row by row from the socket to stdout.
    """

    tap: TapKhorosAnalytics
    replication_key = "window_end"

    def __init__(self, tap: TapKhorosAnalytics, export: Export, columns: Sequence[Column]) -> None:
        self.name = export.id
        self.export = export
        self.selected_by_default = export.selected
        options = tap.config.get("exports", {}).get(export.id, {})
        self._filters: dict[str, Any] = options.get("filters") or {}
        key = tuple(map(snake_case, options.get("primary_key") or ())) or export.key
        self._fixed_columns = bool(options.get("columns"))
        self._export_schema = schema_of(
            columns,
            title=export.title,
            key=key,
            has_report_type=export.id == "conversation",
        )
        super().__init__(tap)
        self.primary_keys = key or ("row_id",)
        self._told: set[str] = set()
        self._actions: Counter[str | None] = Counter()  # of each conversation of the window

    @property
    @override
    def schema(self) -> dict[str, Any]:
        return self._export_schema

    # Plan

    @override
    def all_partitions(self) -> Iterator[Partition] | None:
        if self.export.id != "conversation":
            return None
        return ({REPORT_TYPE: kind} for kind in self.tap.config["conversation_report_types"])

    @override
    def windows(self, partition: Partition | None) -> Windows:
        """From the first day that was not read: the bookmark is a window's end, not included."""
        reach, unread = self.reach(partition), self._bookmark(partition)
        first = reach.start
        if unread is not None:
            steps = -(-reach.lookback // reach.days)
            first = max(unread - timedelta(days=steps * reach.days), reach.start)
        return Windows(first, reach.end, reach.days)

    @override
    def tasks(self, partition: Partition | None) -> Iterator[Task]:
        for task in super().tasks(partition):
            for span in self._spans(task.window):
                yield replace(task, piece=span)

    def _spans(self, window: Window | None) -> Iterator[Span]:
        """A window as one job, or as several where the vendor limits the number of buckets."""
        if window is None:
            raise TypeError(self.name)
        begin, end = midnight(window.first), midnight(window.last + timedelta(days=1))
        step = end - begin
        if self.export.id == "team_performance_interval":
            step = timedelta(milliseconds=self.tap.config["time_interval"] * MOST_BUCKETS)
        while begin < end:
            yield Span(begin, min(begin + step, end))
            begin += step

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
        tap = self.tap
        job = ExportJob(tap.client, self.export, self._parameters(task), tap.methods)
        known = still_good(tap.jobs.known(task))
        ids = tap.job_runner.run(job, task, known, lambda ids: tap.jobs.note(task, ids))
        return Result((), Finished(job, ids))

    @override
    def read(self, task: Task) -> Sequence[dict[str, Any]]:
        """Nothing: an export's rows are not read at once, see ``batches``."""
        return ()

    def _parameters(self, task: Task) -> dict[str, Any]:
        config, span = self.tap.config, task.piece
        now = datetime.now(timezone.utc)
        params: dict[str, Any] = {
            "startTime": epoch_ms(span.begin),
            # Up to the next window's begin: whether the vendor counts the last millisecond or
            # not, no row is missed; one that is given twice has the same key.
            "endTime": epoch_ms(max(span.begin, min(span.end, now))),
            "reportFormat": config["report_format"],
            "locale": config["locale"],
            **self._filter_parameters(),
        }
        if self.export.has_timezone and "timezoneOffset" not in params:
            params["timezone"] = config["timezone"]
        if self.export.id == "team_performance_interval":
            params["timeInterval"] = str(config["time_interval"])
        if self.export.id == "conversation_history_action":
            params["raiselimit"] = "true"
        if task.partition:
            params["conversationReportType"] = task.partition[REPORT_TYPE]
        metrics = self._metrics()
        return {**params, "reportMetrics": metrics} if metrics else params

    def _filter_parameters(self) -> dict[str, Any]:
        return {name: as_parameter(name, value) for name, value in self._filters.items()}

    def _metrics(self) -> list[str]:
        """The columns to ask for; none when the vendor's default set is what is wanted."""
        chosen = self.selected_columns
        every = [c for c in self.all_columns if not c.json_only]
        if not self._fixed_columns and len(chosen) >= len(every):
            return []
        return [column.metric for column in chosen]

    @cached_property
    def all_columns(self) -> list[Column]:
        """All columns that the catalog knows."""
        return columns_of(self.effective_schema)

    @cached_property
    def selected_columns(self) -> list[Column]:
        """Those that are selected; keys always are."""
        return [c for c in self.all_columns if self.mask["properties", c.field]]

    # Emit (in the main thread): the download, as it arrives

    @override
    def batches(self, task: Task, result: Result) -> Iterator[Sequence[Row]]:
        with contextlib.closing(Occurrences()) as occurrences:
            maker = self._maker(task, occurrences if "row_id" in self.primary_keys else None)
            download = Download(result.note, self.tap.config["report_format"], str(task))
            try:
                for raw in resumed(download.batches, self.tap.throttle.sleep):
                    rows = maker.rows(raw, download.header)
                    self._count_actions(rows)
                    yield rows
            except SyncFailed as error:  # the other exports are not to blame
                raise JobFailed(str(error)) from None

    @override
    def window_written(self, task: Task) -> None:
        super().window_written(task)
        self.tap.jobs.cross_out(task)
        for conversation, actions in self._actions.items():
            if actions == RAISED_LIMIT:
                self.logger.warning(
                    "%s: conversation %s has exactly %d actions, the vendor's limit; "
                    "the rest of them is not to be had",
                    task,
                    conversation,
                    actions,
                )
        self._actions.clear()

    def _count_actions(self, rows: Sequence[Row]) -> None:
        if self.export.id == "conversation_history_action":
            self._actions.update(getattr(row, "conversation_id", None) for row in rows)

    def _maker(self, task: Task, occurrences: Occurrences | None) -> RowMaker:
        span: Span = task.piece
        constants = {
            **(task.partition or {}),
            "window_start": span.begin.isoformat(),
            "window_end": span.end.isoformat(),
        }
        wanted = {f for f in constants if self.mask["properties", f]}
        return RowMaker(
            self.export.id,
            self.selected_columns,
            known=[column.field for column in self.all_columns],
            constants={f: v for f, v in constants.items() if f in wanted},
            occurrences=occurrences,
            key_prefix=[span.begin.isoformat()] if self.export.aggregate else [],
            told=self._told,
            logger=self.logger,
        )


def midnight(day: date) -> datetime:
    """The first moment of a UTC day."""
    return datetime.combine(day, time(), tzinfo=timezone.utc)


def epoch_ms(moment: datetime) -> str:
    """Milliseconds since 1970 as text, as the vendor wants its times."""
    return str(int(moment.timestamp() * 1000))


def as_parameter(name: str, value: Any) -> str | list[str]:
    """A filter as a parameter: true and false in lower case, lists with commas or repeated."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        texts = [str(item) for item in value]
        return texts if name in REPEATED else ",".join(texts)
    return str(value)
