"""The windows of reports: days of a product's zone, each of them a query."""

from __future__ import annotations

from abc import ABC
from collections import Counter
from datetime import date, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING, Any

from tap_kit.flow.windows import DayRange
from tap_kit.rows.keys import row_id
from tap_kit.streams import WindowedStream
from typing_extensions import override

from tap_kissmetrics.moments import utc
from tap_kissmetrics.query import QueryStream
from tap_kissmetrics.reports.rows import labels_of, person_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

    from tap_kit.flow.tasks import Partition, Task
    from tap_kit.flow.windows import Window
    from tap_kit.jobs.runner import Job

    from tap_kissmetrics.lists.pagination import Page
    from tap_kissmetrics.reports.rows import Person
    from tap_kissmetrics.reports.saved import Report
    from tap_kissmetrics.tap import TapKissmetrics


class ResultStream(QueryStream, WindowedStream, ABC):
    """Rows of reports, whichever version runs them."""

    replication_key = "start_date"

    def __init__(self, tap: TapKissmetrics) -> None:
        super().__init__(tap)
        self._seen: Counter[object] = Counter()

    # Windows are days of the product's zone; bookmarks and fields are in UTC.

    @override
    def day_range(self, partition: Partition | None) -> DayRange:
        report = self._report(partition)
        if not report.saved_dates:
            return self.tap.day_range(report.zone)
        today = self.tap.today(report.zone)
        return DayRange(today, today)  # what it says today, whichever days it is about

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
        window = window_of(task)
        begin = self._begin(window.first, task.partition)
        end = self._begin(window.last + timedelta(days=1), task.partition)
        # Subtracted in UTC: a day can have 23 or 25 hours.
        last = end.astimezone(timezone.utc) - timedelta(seconds=1)
        return begin, last.astimezone(begin.tzinfo)

    def _report(self, partition: Partition | None) -> Report:
        if partition is None:  # pragma: no cover  (for the type checker: the plan has one)
            raise TypeError(self.name)
        return self.tap.reports.by_id(partition["report_id"])

    # Queries

    @override
    def query(self, task: Task) -> Job:
        report = self._report(task.partition)
        return self.tap.client.report_query(report, window_of(task), self._span(task))

    @override
    def question(self, task: Task) -> Hashable:
        return self._report(task.partition).id, self._span(task)

    @override
    def terms(self, task: Task) -> dict[str, str]:
        return {"end_date": self._span(task)[1].isoformat()}

    @override
    def today(self, task: Task) -> date:
        return self.tap.today(self._report(task.partition).zone)

    @override
    def settled_on(self, task: Task) -> date:
        return self._span(task)[1].date() + timedelta(days=self.config["lookback_days"])

    # Rows

    @override
    def rows(self, task: Task, page: Page) -> Iterator[dict[str, Any]]:
        report = self._report(task.partition)
        begin, last = self._span(task)
        common = {
            "report_id": report.id,
            "report_name": report.name,
            "product_id": report.product_id,
            "start_date": begin.astimezone(timezone.utc).isoformat(),
            "end_date": last.astimezone(timezone.utc).isoformat(),
        }
        people = [self.person(row, report) for row in page.records]
        labels = labels_of(page.columns, report.columns, people)
        return ({**common, **self.shape(person, labels)} for person in people)

    def person(self, row: Any, report: Report) -> Person:
        """The person, or what else a row is about."""
        return person_of(row, of_people=report.of_people)

    def shape(self, person: Person, labels: Sequence[str]) -> dict[str, Any]:
        """A row's own fields."""
        values = dict(zip(person.labels or labels, person.values, strict=False))
        return {"kmid": person.kmid, "identity": person.identity, "values": values}

    @override
    def window_begins(self) -> None:
        self._seen = Counter()

    @override
    def key_of(self, row: dict[str, Any]) -> str:
        person = row["kmid"] if row["kmid"] is not None else row["identity"]
        who = repr(person)  # the check of the row, which may refuse it, is still to come
        self._seen[who] += 1
        return row_id([row["report_id"], row["start_date"], person, self._seen[who]])


def window_of(task: Task) -> Window:
    """The window of a task that has one, as all tasks of windowed streams do."""
    if task.window is None:  # pragma: no cover  (for the type checker: the plan has one)
        raise TypeError(task)
    return task.window
