"""The windows of reports: days of a product's zone, each of them a query."""

from __future__ import annotations

from abc import ABC
from datetime import timedelta, timezone
from typing import TYPE_CHECKING, Any

from tap_kit import DayRange
from typing_extensions import override

from tap_kissmetrics.client import utc_time
from tap_kissmetrics.query import KeyedRow, NeededQuery, WindowedQueryStream
from tap_kissmetrics.reports.days import begin_of, span_of
from tap_kissmetrics.reports.rows import labels_of, person_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date, datetime

    from singer_sdk import Tap
    from tap_kit import Partition, Window

    from tap_kissmetrics.client import Report
    from tap_kissmetrics.lists.pagination import Page
    from tap_kissmetrics.query import WindowPageTask
    from tap_kissmetrics.reports.rows import Person
    from tap_kissmetrics.reports.saved import Account


class ReportStream(WindowedQueryStream, ABC):
    """Rows of reports, whichever version of the API runs them.

    Windows are days of the product's zone; bookmarks and fields are in UTC.
    """

    def __init__(self, tap: Tap, account: Account[Any]) -> None:
        self.account = account
        super().__init__(tap, account)

    @property
    @override
    def missing_hint(self) -> str:
        setting = self.account.client.query_setting
        return f"no report can be run (HTTP 404); check {setting}"

    # Windows

    @override
    def day_range(self, partition: Partition) -> DayRange:
        report = self._report(partition)
        if not report.saved_dates:
            return self.run.day_range(report.zone)
        today = self.run.today(report.zone)
        return DayRange(today, today)  # its result of today, for any days

    @override
    def bookmark_value(self, window: Window, partition: Partition) -> str:
        return _utc(begin_of(window.first, self._report(partition).zone))

    @override
    def bookmark_day(self, value: str, partition: Partition) -> date:
        return utc_time(value).astimezone(self._report(partition).zone).date()

    @override
    def window_tasks(self, partition: Partition, window: Window) -> Iterator[WindowPageTask]:
        """Return the tasks of a window; none for a day that the product's zone does not have."""
        if span_of(window, self._report(partition).zone) is not None:
            yield from super().window_tasks(partition, window)

    def _span(self, task: WindowPageTask) -> tuple[datetime, datetime]:
        """Return the window's first and last second, in the product's zone."""
        zone = self._report(task.partition).zone
        begin = begin_of(task.window.first, zone)
        return span_of(task.window, zone) or (begin, begin)

    def _report(self, partition: Partition) -> Report:
        return self.account.reports.by_id(partition["report_id"])

    # Query and rows

    @override
    def needed_query(self, task: WindowPageTask) -> NeededQuery:
        report, span = self._report(task.partition), self._span(task)
        last = span[1]
        return NeededQuery(
            key=(report.id, span),
            job=self.account.client.report_query(report, task.window, span),
            terms={"end_date": last.isoformat()},
            today=self.run.today(report.zone),
            settled_on=last.date() + timedelta(days=self.config["lookback_days"]),
        )

    @override
    def rows(self, task: WindowPageTask, page: Page) -> Iterator[KeyedRow]:
        report = self._report(task.partition)
        begin, last = map(_utc, self._span(task))
        common = {
            "report_id": report.id,
            "report_name": report.name,
            "product_id": report.product_id,
            "start_date": begin,
            "end_date": last,
        }
        people = [self.person(row, report) for row in page.records]
        labels = labels_of(page.columns, report.columns, people)
        for person in people:
            who = person.kmid if person.kmid is not None else person.identity
            yield KeyedRow([report.id, begin, who], common | self.shape(person, labels))

    def person(self, row: Any, report: Report) -> Person:
        """Return the person of a row, or the values of a row without a person."""
        return person_of(row, of_people=report.of_people)

    def shape(self, person: Person, labels: Sequence[str]) -> dict[str, Any]:
        """Return the fields of a row that depend on the report."""
        values = dict(zip(person.labels or labels, person.values, strict=False))
        return {"kmid": person.kmid, "identity": person.identity, "values": values}


def _utc(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).isoformat()
