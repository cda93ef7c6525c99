"""The results of reports: one stream for all, and one for each report with columns of its own."""

from __future__ import annotations

from abc import ABC
from collections import Counter
from dataclasses import replace
from datetime import date, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from singer_sdk import SchemaDirectory, StreamSchema
from tap_kit.errors import PartitionUnavailable, SyncFailed
from tap_kit.keys import row_id
from tap_kit.names import unique_labels, unique_names
from tap_kit.streams import Found, Outcome, Result, Task, WindowedStream
from typing_extensions import override

from tap_kissmetrics import schemas
from tap_kissmetrics.pagination import CorePaginator, Reading, further_pages, offset_of, page_of
from tap_kissmetrics.report_runs import ReportRun, query_id_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_kit.records import Row
    from tap_kit.streams import Partition
    from tap_kit.windows import Reach, Window

    from tap_kissmetrics.reports import Report
    from tap_kissmetrics.tap import TapKissmetrics

SCHEMAS = SchemaDirectory(schemas)
LONGEST_POLL_PAUSE_S = 30.0


class Person(NamedTuple):
    """One row of a result: who, and the values of the report's columns in order."""

    kmid: int | None
    identity: str | None
    values: list[Any]


class ResultStream(WindowedStream, ABC):
    """Rows of reports: each report and window is run, polled and paged."""

    tap: TapKissmetrics
    primary_keys = ("row_id",)
    replication_key = "start_date"

    def __init__(self, tap: TapKissmetrics) -> None:
        super().__init__(tap)
        self._reading = Reading()
        self._seen: Counter[object] = Counter()

    # Windows are days of the product's zone; bookmarks and fields are in UTC.

    @override
    def reach(self, partition: Partition | None) -> Reach:
        return self.tap.reach(self._report(partition).zone)

    @override
    def bookmark_value(self, window: Window, partition: Partition | None) -> str:
        return self._begin(window.first, partition).astimezone(timezone.utc).isoformat()

    @override
    def bookmark_day(self, value: str, partition: Partition | None) -> date:
        moment = datetime.fromisoformat(value.replace("Z", "+00:00"))
        return moment.astimezone(self._report(partition).zone).date()

    def _begin(self, day: date, partition: Partition | None) -> datetime:
        return datetime.combine(day, time(), tzinfo=self._report(partition).zone)

    def _span(self, task: Task) -> tuple[datetime, datetime]:
        """The window's first and last second, in the product's zone."""
        if task.window is None:
            raise TypeError(task)
        begin = self._begin(task.window.first, task.partition)
        end = self._begin(task.window.last + timedelta(days=1), task.partition)
        # Subtracted in UTC: a day can have 23 or 25 hours.
        last = end.astimezone(timezone.utc) - timedelta(seconds=1)
        return begin, last.astimezone(begin.tzinfo)

    def _report(self, partition: Partition | None) -> Report:
        if partition is None:
            raise TypeError(self.name)
        return self.tap.reports.by_id(partition["report_id"])

    # Fetch: the first task of a window runs the report, the others read further pages.

    @override
    def perform(self, task: Task) -> Outcome:
        try:
            found = self.read(task)
        except PartitionUnavailable as error:
            return error
        return Result(found, getattr(found, "note", None))  # checked in `finish`, with its key

    @override
    def read(self, task: Task) -> Sequence[dict[str, Any]]:
        paginator = task.piece or self._run(task)
        path = paginator.current_value
        try:
            page = page_of(self.tap.client.results(path))
        except PartitionUnavailable as error:
            msg = f"{task}: the results are there no more ({error}); run again"
            raise SyncFailed(msg) from None
        report = self._report(task.partition)
        begin, last = self._span(task)
        common = {
            "report_id": report.id,
            "report_name": report.name,
            "product_id": report.product_id,
            "start_date": begin.astimezone(timezone.utc).isoformat(),
            "end_date": last.astimezone(timezone.utc).isoformat(),
            "extracted_from": query_id_of(path),
        }
        people = [person_of(row) for row in page.records]
        labels = labels_of(page.columns, report.columns, people)
        first = offset_of(path) + 1
        rows = (
            {**common, "row_number": number, **self.shape(person, labels)}
            for number, person in enumerate(people, first)
        )
        return Found(rows, (paginator, page.facts))

    def _run(self, task: Task) -> CorePaginator:
        """Have the report run, or pick up a run that an earlier sync began; its first page."""
        tap, report = self.tap, self._report(task.partition)
        begin, last = self._span(task)
        run = ReportRun(tap.client.query, report.product_id, report.id, begin, last)
        place = tap.runs.once(
            (report.id, begin),
            lambda: tap.job_runner.run(
                run, task, tap.jobs.known(task), lambda ids: tap.jobs.note(task, ids)
            ),
        )
        return CorePaginator(
            tap.client.first_page(place.partition("?")[0]), tap.client.query.path_of
        )

    def shape(self, person: Person, labels: Sequence[str]) -> dict[str, Any]:
        """A row's own fields."""
        values = dict(zip(labels, person.values, strict=False))
        return {"kmid": person.kmid, "identity": person.identity, "values": values}

    @override
    def follow_ups(self, task: Task, result: Result) -> Iterator[Task]:
        paginator, facts = result.note
        for page in further_pages(paginator, facts, is_first=task.piece is None):
            yield replace(task, piece=page)

    # Emit: keys need the rows before them, so they are made in order.

    @override
    def finish(self, task: Task, result: Result) -> Sequence[Row]:
        if task.piece is None:
            self._reading, self._seen = Reading(), Counter()
        self._reading.add(result.note[1], task)
        return self.row_check.rows([self._keyed(row) for row in result.rows])

    def _keyed(self, row: dict[str, Any]) -> dict[str, Any]:
        person = row["kmid"] if row["kmid"] is not None else row["identity"]
        self._seen[person] += 1
        key = row_id([row["report_id"], row["start_date"], person, self._seen[person]])
        return {"row_id": key, **row}

    @override
    def window_written(self, task: Task) -> None:
        self._reading.check(task)
        super().window_written(task)
        self.tap.jobs.cross_out(task)


class ReportResults(ResultStream):
    """The rows of all reports that can be run, or of the configured ones."""

    name = "report_results"
    schema = StreamSchema(SCHEMAS)

    @override
    def all_partitions(self) -> Iterator[Partition]:
        return ({"report_id": report.id} for report in self.tap.reports.to_run())


class NamedReport(ResultStream):
    """The rows of one report whose columns are configured, each column a field."""

    def __init__(
        self, tap: TapKissmetrics, report_id: str, name: str, columns: Sequence[str]
    ) -> None:
        self.name = f"report_{name}"
        self._report_id = report_id
        self._fields = unique_names(columns, taken=FIELDS_OF_EACH_ROW)
        super().__init__(tap)
        common = SCHEMAS.fetch_schema("report_results")
        own = {
            field: {
                "type": ["string", "null"],
                "description": f"Column {column!r} of the report, as text; null where it has none.",
            }
            for field, column in zip(self._fields, columns, strict=True)
        }
        shared = {k: v for k, v in common["properties"].items() if k in FIELDS_OF_EACH_ROW}
        self._columns_schema = {**common, "properties": {**shared, **own}}

    @property
    @override
    def schema(self) -> dict[str, Any]:
        return self._columns_schema

    @override
    def all_partitions(self) -> Iterator[Partition]:
        mine = (report for report in self.tap.reports.to_run() if report.id == self._report_id)
        return ({"report_id": report.id} for report in mine)

    @override
    def shape(self, person: Person, labels: Sequence[str]) -> dict[str, Any]:
        values = dict(zip(self._fields, map(as_text, person.values), strict=False))
        return {"kmid": person.kmid, "identity": person.identity, **values}


FIELDS_OF_EACH_ROW = (
    "row_id",
    "report_id",
    "report_name",
    "product_id",
    "start_date",
    "end_date",
    "row_number",
    "kmid",
    "identity",
    "extracted_from",
)


def person_of(row: Any) -> Person:
    """A row in either of its shapes: ``[kmid, identity, ...]`` or ``{identity, columns}``.

    Raises:
        SyncFailed: when it is neither.
    """
    if isinstance(row, list) and len(row) > 1:
        return Person(row[0], row[1], row[2:])
    if isinstance(row, dict) and isinstance(row.get("columns"), list):
        return Person(row.get("kmid"), row.get("identity"), row["columns"])
    msg = "a row of a report's result is neither a list of two and more nor an object with columns"
    raise SyncFailed(msg)


def labels_of(
    answered: Sequence[Any] | None, configured: Sequence[str], people: Sequence[Person]
) -> list[str]:
    """The columns' labels: the answer's, else the settings', else ``column_N``; all different.

    An answer names the two columns of the person too, when it names any.
    """
    width = max((len(person.values) for person in people), default=0)
    if answered and len(answered) == width + 2:
        given = [_label(column) for column in answered[2:]]
    elif answered and len(answered) == width:
        given = [_label(column) for column in answered]
    else:
        given = list(configured)[:width]
    numbered = [f"column_{number}" for number in range(len(given) + 1, width + 1)]
    return unique_labels([*given, *numbered])


def _label(column: Any) -> str:
    """The vendor's own rule for a header: ``display_name (display_return_option)``."""
    if not isinstance(column, dict):
        return str(column)
    option = column.get("display_return_option")
    return f"{column.get('display_name')} ({option})" if option else str(column.get("display_name"))


def as_text(value: Any) -> str | None:
    """A value of unknown kind as text: the vendor's text as it is, everything else as JSON."""
    if value is None or isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode()
