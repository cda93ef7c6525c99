"""How the rows of reports are read: window by window, each of them run, polled and paged."""

from __future__ import annotations

from abc import ABC
from collections import Counter
from dataclasses import replace
from datetime import date, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING, Any

from tap_kit.errors import JobFailed, PartitionUnavailable
from tap_kit.keys import row_id
from tap_kit.streams import Found, Outcome, Result, Task, WindowedStream
from typing_extensions import override

from tap_kissmetrics.moments import utc
from tap_kissmetrics.pagination import CorePaginator, Reading, further_pages
from tap_kissmetrics.report_runs import ReportRun, query_id_of
from tap_kissmetrics.result_rows import labels_of, person_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_kit.jobs import Ids
    from tap_kit.rows import Row
    from tap_kit.streams import Partition
    from tap_kit.windows import Reach, Window

    from tap_kissmetrics.reports import Report
    from tap_kissmetrics.result_rows import Person
    from tap_kissmetrics.tap import TapKissmetrics


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
        return utc(value).astimezone(self._report(partition).zone).date()

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
        return self.guarded(lambda: self._unchecked(task))

    def _unchecked(self, task: Task) -> Result:
        found = self.read(task)
        return Result(found, getattr(found, "note", None))  # checked in `finish`, with its key

    @override
    def read(self, task: Task) -> Sequence[dict[str, Any]]:
        if task.piece is not None:
            try:
                return self._page(task, task.piece)
            except PartitionUnavailable as error:
                msg = f"{task}: its results are there no more: {error}; the next run begins it anew"
                raise JobFailed(msg) from None
        place = self._run(task)
        try:
            return self._page(task, self._first_page(place))
        except PartitionUnavailable as error:
            self.logger.warning("%s: its results are there no more: %s; run again", task, error)
            self.tap.runs.forget(self._run_key(task), place)
            return self._page(task, self._first_page(self._run(task, pick_up=False)))

    def _page(self, task: Task, paginator: CorePaginator) -> Found:
        path = paginator.current_value
        page = self.tap.client.results(path)
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
        rows = ({**common, **self.shape(person, labels)} for person in people)
        return Found(rows, (paginator, page.facts))

    def _first_page(self, place: str) -> CorePaginator:
        client = self.tap.client
        return CorePaginator(client.first_page(place.partition("?")[0]), client.query.path_of)

    def _run_key(self, task: Task) -> object:
        return self._report(task.partition).id, self._span(task)

    def _run(self, task: Task, *, pick_up: bool = True) -> str:
        """The path of the results; two streams that read the same report pay for one run."""

        def begin() -> str:
            report, (first, last) = self._report(task.partition), self._span(task)
            job = ReportRun(self.tap.client.query, report.product_id, report.id, first, last)
            known = self._known(task) if pick_up else None
            place: str = self.tap.job_runner.run(
                job, task, known, lambda ids: self._note(task, ids)
            )
            return place

        return self.tap.runs.get(self._run_key(task), begin)

    # A query shows what the vendor knew when it began. An earlier sync's is good for its own day,
    # and for later days only when its window was settled by then.

    def _note(self, task: Task, ids: Ids) -> None:
        _, last = self._span(task)
        today = self.tap.today(self._report(task.partition).zone)
        mine = {"end_date": last.isoformat(), "asked_on": today.isoformat()}
        self.tap.jobs.note(task, {**mine, **ids})

    def _known(self, task: Task) -> Ids | None:
        known = self.tap.jobs.known(task) or {}
        _, last = self._span(task)
        asked_on = known.get("asked_on", "")
        settled_on = last.date() + timedelta(days=self.config["lookback_days"])
        is_today = asked_on == self.tap.today(self._report(task.partition).zone).isoformat()
        is_good = is_today or asked_on > settled_on.isoformat()
        return known if is_good and known.get("end_date") == last.isoformat() else None

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
        first = self._reading.count + 1
        self._reading.add(result.note[1], task)
        return self.row_check.rows([self._keyed(*row) for row in enumerate(result.rows, first)])

    def _keyed(self, number: int, row: dict[str, Any]) -> dict[str, Any]:
        person = row["kmid"] if row["kmid"] is not None else row["identity"]
        who = repr(person)  # the check of the row, which may refuse it, is still to come
        self._seen[who] += 1
        key = row_id([row["report_id"], row["start_date"], person, self._seen[who]])
        return {"row_id": key, "row_number": number, **row}

    @override
    def window_written(self, task: Task) -> None:
        self._reading.check(task)
        super().window_written(task)
        self.tap.jobs.cross_out(task)
