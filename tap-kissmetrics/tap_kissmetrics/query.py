"""How the results of queries are read, in every version of the API: start, poll, page."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NamedTuple

from tap_kit import (
    JobFailed,
    ListPass,
    Once,
    PartitionUnavailable,
    WindowedStream,
    WindowTask,
    row_id,
)
from typing_extensions import TypeVar, override

from tap_kissmetrics.client import Client, RequestRefused, query_id_of
from tap_kissmetrics.lists.pagination import has_offset, with_offset
from tap_kissmetrics.lists.streams import PagedStream, PageResult, PageTask

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
    from datetime import date

    from singer_sdk import Tap
    from tap_kit import Ids, Job, JobRunner, PageInfo, Partition, Row, Run, Task, Window

    from tap_kissmetrics.client import Finished
    from tap_kissmetrics.lists.pagination import Page, Place

LONGEST_POLL_PAUSE_S = 30.0
POLL_GROWTH = 1.2  # most reports take seconds
BEYOND_ANY_END = 2**31 - 1  # an offset

ClientT = TypeVar("ClientT", bound=Client, default=Client)


@dataclass(frozen=True)
class NeededQuery:
    """The query that a task needs, and when one of an earlier run can be resumed instead.

    A query shows the data that the vendor had when it began. So a query of an earlier run is good
    for its own day, and for later days only if the data of its window was final by then.
    """

    key: Hashable  # tasks with the same key share one query
    job: Job  # it ends in ``Finished``
    terms: Mapping[str, str]  # what an earlier query must have in common with this one
    today: date  # the day on which the run began, in the zone of the windows
    settled_on: date | None = None  # the data is final after this day; None for never

    def record(self, ids: Ids) -> Ids:
        """Return what the state keeps of the query with these ids."""
        return {**self.terms, "asked_on": self.today.isoformat(), **ids}

    def can_resume(self, record: Ids) -> bool:
        """Return whether the query that the state keeps shows the same as a new one would."""
        if "query_id" not in record or not self.terms.items() <= record.items():
            return False  # of other settings, or the state was edited by hand
        asked_on = record.get("asked_on", "")
        is_settled = self.settled_on is not None and asked_on > self.settled_on.isoformat()
        return is_settled or asked_on == self.today.isoformat()


class Queries(Generic[ClientT]):
    """The queries of a run, which its streams share: tasks with equal keys share one query."""

    def __init__(
        self, run: Run, open_client: Callable[[Run], ClientT], *, polling_share: float | None = None
    ) -> None:
        self.run = run
        self._open_client = open_client
        self._polling_share = polling_share
        self._finished: Once[Finished] = Once()

    @cached_property
    def client(self) -> ClientT:
        """The API with the settings of this run, which are checked by then."""
        return self._open_client(self.run)

    @cached_property
    def job_runner(self) -> JobRunner:
        """The runner that starts and polls the queries."""
        share = self._polling_share
        return self.run.job_runner(
            longest_s=LONGEST_POLL_PAUSE_S, growth=POLL_GROWTH, polling_share=share
        )

    def finished(self, needed_query: NeededQuery, task: Task) -> Finished:
        """Return the finished query; the first task that needs it runs or resumes it."""
        return self._finished.get(needed_query.key, lambda: self._resume_or_run(needed_query, task))

    def finished_again(self, needed_query: NeededQuery, task: Task, expired: Finished) -> Finished:
        """Return a newly run query, as the results of ``expired`` no longer exist."""
        self._finished.forget(needed_query.key, expired)
        return self._finished.get(needed_query.key, lambda: self._run(needed_query, task, None))

    def _resume_or_run(self, needed_query: NeededQuery, task: Task) -> Finished:
        known = self.run.jobs.known(task) or {}
        return self._run(needed_query, task, known if needed_query.can_resume(known) else None)

    def _run(self, needed_query: NeededQuery, task: Task, known: Ids | None) -> Finished:
        jobs = self.run.jobs

        def on_started(ids: Ids) -> None:
            jobs.claim(ids["query_id"], needed_query.key)
            jobs.record(task, needed_query.record(ids))

        finished: Finished = self.job_runner.run(
            needed_query.job,
            task,
            known,
            on_started,
            lambda: jobs.forget(task),
            jobs.time_of(task),
        )
        return finished


class KeyedRow(NamedTuple):
    """A row and its natural key, of which only the last part differs within a result."""

    key: Sequence[Any]
    values: dict[str, Any]


@dataclass
class ResultPass(ListPass):
    """One pass over the result of a query: it numbers the rows and makes their keys."""

    equal_pages_are_data = True

    _seen: Counter[str] = field(default_factory=Counter, init=False)

    def numbered(self, rows: Sequence[KeyedRow], info: PageInfo) -> list[dict[str, Any]]:
        """Return the rows of the next page with their key and their number."""
        first = self.count + 1
        self.add(info)
        return [
            {"row_id": self.row_id(row.key), "row_number": number, **row.values}
            for number, row in enumerate(rows, first)
        ]

    def row_id(self, key: Sequence[Any]) -> str:
        """Return the key of the next row: its natural key, and how often that came so far."""
        last = repr(key[-1])  # of any type: the schema is checked later
        self._seen[last] += 1
        return row_id([*key, self._seen[last]])

    def close(self) -> None:
        """Free what the keys needed; no rows follow."""


@dataclass(frozen=True)
class WindowPageTask(PageTask[ResultPass], WindowTask):
    """A page of the result of a window's query."""


QueryTaskT = TypeVar("QueryTaskT", bound=PageTask[ResultPass])


class QueryStream(PagedStream[QueryTaskT], ABC, Generic[QueryTaskT]):
    """Rows of queries: the first task of a window runs its query, the others read more pages.

    Keys depend on the rows before, so rows are made and checked in ``finalize``, in order.
    """

    primary_keys = ("row_id",)
    pass_type: ClassVar[type[ResultPass]] = ResultPass

    def __init__(self, tap: Tap, queries: Queries[Any]) -> None:
        self.queries = queries
        super().__init__(tap, queries.run)

    @abstractmethod
    def needed_query(self, task: QueryTaskT) -> NeededQuery:
        """Return the query that a task needs."""

    @abstractmethod
    def rows(self, task: QueryTaskT, page: Page) -> Iterable[KeyedRow]:
        """Return the rows of a page, without number, key and query."""

    @override
    def fetch(self, task: QueryTaskT) -> PageResult:
        if task.place is not None:
            return self._further_page(task, task.place)
        needed_query = self.needed_query(task)
        finished = self.queries.finished(needed_query, task)
        try:
            return self._first_page(task, finished)
        except PartitionUnavailable as error:
            text = "%s: results have expired (%s); running the query again"
            self.logger.warning(text, task, error)
            finished = self.queries.finished_again(needed_query, task, finished)
        try:
            return self._first_page(task, finished)
        except PartitionUnavailable as error:
            msg = f"the results of a query that has just finished cannot be read: {error}"
            raise JobFailed(msg) from None

    def _first_page(self, task: QueryTaskT, finished: Finished) -> PageResult:
        client = self.queries.client
        place = client.pages_of(finished)
        page = finished.take_page() or client.results(place.path)
        return self._result(task, place, page)

    def _further_page(self, task: QueryTaskT, place: Place) -> PageResult:
        try:
            page = self.queries.client.results(place.path)
        except PartitionUnavailable as error:
            msg = f"{task}: results have expired ({error}); the next run starts the query again"
            raise JobFailed(msg) from None
        return self._result(task, place, page)

    def _result(self, task: QueryTaskT, place: Place, page: Page) -> PageResult:
        extracted_from = {"extracted_from": query_id_of(place.path)}
        rows = [KeyedRow(row.key, row.values | extracted_from) for row in self.rows(task, page)]
        return PageResult(rows, place, page.info)

    @override
    def finalize(self, task: QueryTaskT, result: PageResult) -> Sequence[Row]:
        if task.list_pass.has_page(result.info):
            self._check_offset_is_used(task, result)
        return self.checked(task.list_pass.numbered(result.rows, result.info))

    def _check_offset_is_used(self, task: QueryTaskT, result: PageResult) -> None:
        """Check that a page equals an earlier one because the rows do.

        A server that ignores the offset sends the same page also for an offset beyond any end.

        Raises:
            SyncFailed: if the server ignores the offset.
        """
        if not has_offset(result.place.path):
            return
        try:
            page = self.queries.client.results(with_offset(result.place.path, BEYOND_ANY_END))
        except (PartitionUnavailable, RequestRefused):
            return  # an offset that is refused is not ignored
        if task.list_pass.has_page(page.info):
            raise task.list_pass.same_page_twice()

    @override
    def on_window_written(self, task: QueryTaskT) -> None:
        task.list_pass.close()
        if self.read_again(task):
            return
        super().on_window_written(task)
        self.forget_jobs(task)


class WindowedQueryStream(
    QueryStream[WindowPageTask], WindowedStream[WindowPageTask, PageResult], ABC
):
    """Rows of queries, one query for each window of days."""

    replication_key = "start_date"

    @override
    def window_tasks(self, partition: Partition, window: Window) -> Iterator[WindowPageTask]:
        what = WindowTask(self, partition, window)
        yield WindowPageTask(self, partition, window, self.pass_type(what))
