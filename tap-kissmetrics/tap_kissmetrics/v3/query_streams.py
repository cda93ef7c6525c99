"""Results of queries of version 3: reports, metrics, and the queries in the settings."""

from __future__ import annotations

import logging
from abc import ABC
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic

from singer_sdk import StreamSchema
from tap_kit import Occurrences, Task, row_id
from typing_extensions import override

from tap_kissmetrics.lists.streams import PageTask
from tap_kissmetrics.query import (
    KeyedRow,
    NeededQuery,
    QueryStream,
    QueryTaskT,
    ResultPass,
    WindowedQueryStream,
    WindowPageTask,
)
from tap_kissmetrics.reports.rows import person_of
from tap_kissmetrics.reports.streams import NamedReport, ReportResults
from tap_kissmetrics.reports.windows import ReportStream
from tap_kissmetrics.v3.queries import date_range
from tap_kissmetrics.v3.streams import SCHEMAS, V3List

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

    from singer_sdk import Tap
    from tap_kit import Partition, Run, Work

    from tap_kissmetrics.client import Id, Report
    from tap_kissmetrics.lists.pagination import Page
    from tap_kissmetrics.reports.rows import Person
    from tap_kissmetrics.reports.saved import Account
    from tap_kissmetrics.v3.client import V3Client

logger = logging.getLogger(__name__)


class V3Reports(ReportStream, ABC):
    """Rows of reports that version 3 ran; their types differ, and so do their rows."""

    @override
    def person(self, row: Any, report: Report) -> Person:
        return person_of(row, of_people=report.of_people and _names_a_person(row))


class V3ReportResults(V3Reports, ReportResults):
    """The rows of all reports, or of the configured ones."""

    schema = StreamSchema(SCHEMAS)


class V3NamedReport(V3Reports, NamedReport):
    """The rows of one report whose columns are configured."""

    schemas = SCHEMAS


class V3Queries(QueryStream[QueryTaskT], ABC, Generic[QueryTaskT]):
    """Rows of queries that only version 3 has."""

    schema = StreamSchema(SCHEMAS)

    def __init__(self, tap: Tap, account: Account[V3Client]) -> None:
        self.account = account
        super().__init__(tap, account)

    @property
    def client(self) -> V3Client:
        """Version 3 of the API."""
        return self.account.client


class MetricResults(WindowedQueryStream, V3Queries[WindowPageTask]):
    """The values of the metrics in ``metric_ids``. ``POST /queries/metric``.

    Version 3 lists no metrics, so a metric's product, and its zone, are not known: days are sent
    and kept as they are.
    """

    name = "metric_results"

    @property
    @override
    def missing_hint(self) -> str:
        return "no metric exists (HTTP 404); check metric_ids"

    @override
    def all_partitions(self) -> Iterator[Partition]:
        ids = map(self.client.id_of, self.config.get("metric_ids") or ())
        return ({"metric_id": metric_id} for metric_id in dict.fromkeys(ids))

    @override
    def needed_query(self, task: WindowPageTask) -> NeededQuery:
        window, last = task.window, task.window.last
        body = {**task.partition, "date_range": date_range(window)}
        return NeededQuery(
            key=(str(task.partition), window),
            job=self.client.query("/queries/metric", body),
            terms={"end_date": last.isoformat()},
            today=self.run.today(),
            # A day more than for reports: in the metric's own zone the window may end later.
            settled_on=last + timedelta(days=self.config["lookback_days"] + 1),
        )

    @override
    def rows(self, task: WindowPageTask, page: Page) -> Iterator[KeyedRow]:
        first, last = task.window.first.isoformat(), task.window.last.isoformat()
        common = {**task.partition, "start_date": first, "end_date": last}
        for values in as_objects(page.records):
            timestamp, value = values.get("timestamp"), values.get("value")
            row = {
                **common,
                "timestamp": timestamp if isinstance(timestamp, str) else None,
                "value": value if _is_number(value) else None,
                "values": values,
            }
            yield KeyedRow([row["metric_id"], first, row["timestamp"]], row)


@dataclass
class QueryPass(ResultPass):
    """One pass over the result of a query, whose rows may be millions.

    Only from its second occurrence on, a natural key gets a number.
    """

    _occurrences: Occurrences = field(default_factory=Occurrences, init=False)

    @override
    def row_id(self, key: Sequence[Any]) -> str:
        first = row_id(key)
        again = self._occurrences.repeats([bytes.fromhex(first)]).get(0)
        return row_id([*key, again]) if again else first

    @override
    def close(self) -> None:
        self._occurrences.close()


class QueryResults(V3Queries[PageTask[ResultPass]]):
    """The rows of ``queries``, each of them run for one product or for all. ``POST /queries``."""

    name = "query_results"
    pass_type = QueryPass

    @cached_property
    def _entries(self) -> dict[str, dict[str, Any]]:
        return {entry["name"]: entry for entry in self.config.get("queries") or ()}

    @override
    def all_partitions(self) -> Iterator[Partition]:
        for name, entry in self._entries.items():
            own = entry.get("product_id")
            products = [self.client.id_of(own)] if own is not None else self._all_products()
            yield from ({"query_name": name, "product_id": product} for product in products)

    def _all_products(self) -> list[Id]:
        return [product["id"] for product in self.client.products()]

    @override
    def tasks(self, partition: Partition) -> Iterator[PageTask[ResultPass]]:
        yield PageTask(self, partition, self.pass_type(Task(self, partition)))

    @override
    def needed_query(self, task: PageTask[ResultPass]) -> NeededQuery:
        entry, product_id = self._entry(task), task.partition["product_id"]
        query_type, params = entry["query_type"], entry["query_params"]
        body = {"product_id": product_id, "query_type": query_type, "query_params": params}
        return NeededQuery(
            key=str(task.partition),
            job=self.client.query("/queries", body),
            terms={"asked": row_id([query_type, params])},
            today=self.run.today(),
        )

    @override
    def rows(self, task: PageTask[ResultPass], page: Page) -> Iterator[KeyedRow]:
        entry = self._entry(task)
        common = {**task.partition, "query_type": entry["query_type"]}
        labels: Sequence[str] | None = entry.get("primary_key")
        for values in as_objects(page.records):
            key = [values.get(label) for label in labels] if labels else values
            natural = [common["query_name"], common["product_id"], key]
            yield KeyedRow(natural, {**common, "values": values})

    def _entry(self, task: PageTask[ResultPass]) -> dict[str, Any]:
        return self._entries[task.partition["query_name"]]


def log_expected_requests(run: Run, work: Sequence[Work]) -> None:
    """Log how many requests a run needs, as far as that is known, and how long they take."""
    per_minute = run.requests_per_minute
    lists = sum(
        stream.expected_requests(partition)
        for stream, partition in work
        if isinstance(stream, V3List)
    )
    queries = Counter(_questions(work))
    # Two for each: the start, and the poll that finds it done and brings the first page. A second
    # stream of the same report requests that page once more.
    expected = lists + len(queries) + queries.total()
    logger.info(
        "Expecting %d requests: %d for lists, %d for %d queries, and more for results with further "
        "pages; at %d per minute they take about %.1f minutes",
        expected,
        lists,
        expected - lists,
        len(queries),
        per_minute,
        expected / (per_minute or expected or 1),
    )


def _questions(work: Sequence[Work]) -> Iterator[Hashable]:
    for stream, partition in work:
        if isinstance(stream, QueryStream):
            yield from (stream.needed_query(task).key for task in stream.tasks(partition))


def as_objects(rows: Sequence[Any]) -> Iterator[dict[str, Any]]:
    """Return rows as objects; those that are arrays get ``column_N`` for their places."""
    for row in rows:
        cells = enumerate(row, 1) if isinstance(row, list) else ()
        yield {f"column_{place}": cell for place, cell in cells} or dict(row)


def _names_a_person(row: Any) -> bool:
    """Return whether a row can be ``[kmid, identity, ...]`` or ``{identity, columns}``."""
    if isinstance(row, dict):
        return True
    return len(row) > 1 and isinstance(row[0], int | None) and isinstance(row[1], str | None)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
