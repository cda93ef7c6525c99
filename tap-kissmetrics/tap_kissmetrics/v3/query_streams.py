"""Results of queries that only version 3 has: metrics, and queries of the settings."""

from __future__ import annotations

from abc import ABC
from collections import Counter
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from singer_sdk import StreamSchema
from tap_kit.rows.keys import row_id
from tap_kit.rows.occurrences import Occurrences
from tap_kit.streams import KitStream, WindowedStream
from typing_extensions import override

from tap_kissmetrics.query import QueryStream
from tap_kissmetrics.reports.rows import person_of
from tap_kissmetrics.reports.streams import NamedReport, ReportResults
from tap_kissmetrics.reports.windows import ResultStream, window_of
from tap_kissmetrics.v3.queries import date_range
from tap_kissmetrics.v3.streams import SCHEMAS

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence
    from datetime import date

    from tap_kit.flow.tasks import Partition, Task

    from tap_kissmetrics.lists.pagination import Page
    from tap_kissmetrics.reports.rows import Person
    from tap_kissmetrics.reports.saved import Report
    from tap_kissmetrics.v3.queries import V3Query
    from tap_kissmetrics.v3.version import V3Version


class V3Queries(QueryStream, ABC):
    """What all queries of version 3 have in common."""

    def questions(self, partition: Partition | None) -> Iterator[Hashable]:
        """What is asked of the vendor for a partition, window by window."""
        return map(self.question, self.tasks(partition))


class V3ResultStream(V3Queries, ResultStream, ABC):
    """Rows of reports that version 3 ran; their types differ, and so do their rows."""

    @override
    def person(self, row: Any, report: Report) -> Person:
        return person_of(row, of_people=report.of_people and _names_a_person(row))


class V3ReportResults(V3ResultStream, ReportResults):
    """The rows of all reports, or of the configured ones."""

    schema = StreamSchema(SCHEMAS)


class V3NamedReport(V3ResultStream, NamedReport):
    """The rows of one report whose columns are configured."""

    schemas = SCHEMAS


class MetricResults(V3Queries, WindowedStream):
    """The values of the metrics in ``metric_ids``. ``POST /queries/metric``.

    Version 3 lists no metrics, so a metric's product, and its zone, are not known: days are sent
    and kept as they are.
    """

    name = "metric_results"
    schema = StreamSchema(SCHEMAS)
    replication_key = "start_date"

    def __init__(self, version: V3Version) -> None:
        super().__init__(version.tap)
        self._version = version
        self._seen: Counter[str] = Counter()

    @override
    def all_partitions(self) -> Iterator[Partition]:
        ids = map(self._version.client.id_of, self.config.get("metric_ids") or ())
        return ({"metric_id": metric_id} for metric_id in dict.fromkeys(ids))

    @override
    def query(self, task: Task) -> V3Query:
        body = {**(task.partition or {}), "date_range": date_range(window_of(task))}
        return self._version.client.query("/queries/metric", body)

    @override
    def question(self, task: Task) -> Hashable:
        return str(task.partition), task.window

    @override
    def terms(self, task: Task) -> dict[str, str]:
        return {"end_date": window_of(task).last.isoformat()}

    @override
    def today(self, task: Task) -> date:
        return self.tap.today()

    @override
    def settled_on(self, task: Task) -> date:
        # A day more than for reports: in the metric's own zone it may end later.
        return window_of(task).last + timedelta(days=self.config["lookback_days"] + 1)

    @override
    def rows(self, task: Task, page: Page) -> Iterator[dict[str, Any]]:
        window = window_of(task)
        days = {"start_date": window.first.isoformat(), "end_date": window.last.isoformat()}
        for values in as_objects(page.records):
            timestamp, value = values.get("timestamp"), values.get("value")
            yield {
                **(task.partition or {}),
                **days,
                "timestamp": timestamp if isinstance(timestamp, str) else None,
                "value": value if _is_number(value) else None,
                "values": values,
            }

    @override
    def window_begins(self) -> None:
        self._seen = Counter()

    @override
    def key_of(self, row: dict[str, Any]) -> str:
        what = str(row["timestamp"])
        self._seen[what] += 1
        natural = [row["metric_id"], row["start_date"], row["timestamp"], self._seen[what]]
        return row_id(natural)


class QueryResults(V3Queries, KitStream):
    """The rows of ``queries``, each of them run for one product or for all. ``POST /queries``."""

    name = "query_results"
    schema = StreamSchema(SCHEMAS)

    def __init__(self, version: V3Version) -> None:
        super().__init__(version.tap)
        self._version = version
        self._seen = Occurrences()

    @cached_property
    def _queries(self) -> dict[str, dict[str, Any]]:
        return {entry["name"]: entry for entry in self.config.get("queries") or ()}

    def _entry(self, partition: Partition | None) -> dict[str, Any]:
        return self._queries[(partition or {})["query_name"]]

    @override
    def all_partitions(self) -> Iterator[Partition]:
        client = self._version.client
        for name, entry in self._queries.items():
            own = entry.get("product_id")
            products = [client.id_of(own)] if own is not None else self._all_products()
            yield from ({"query_name": name, "product_id": product} for product in products)

    def _all_products(self) -> list[Any]:
        return [product["id"] for product in self._version.client.products()]

    @override
    def query(self, task: Task) -> V3Query:
        entry, product_id = self._entry(task.partition), (task.partition or {})["product_id"]
        asked = {name: entry[name] for name in ("query_type", "query_params")}
        return self._version.client.query("/queries", {"product_id": product_id, **asked})

    @override
    def question(self, task: Task) -> Hashable:
        return str(task.partition)

    @override
    def terms(self, task: Task) -> dict[str, str]:
        entry = self._entry(task.partition)
        return {"asked": row_id([entry["query_type"], entry["query_params"]])}

    @override
    def today(self, task: Task) -> date:
        return self.tap.today()

    @override
    def settled_on(self, task: Task) -> None:
        return None  # nobody knows which days it is about

    @override
    def rows(self, task: Task, page: Page) -> Iterator[dict[str, Any]]:
        query_type = self._entry(task.partition)["query_type"]
        for values in as_objects(page.records):
            yield {**(task.partition or {}), "query_type": query_type, "values": values}

    @override
    def window_begins(self) -> None:
        self._seen.close()
        self._seen = Occurrences()

    @override
    def key_of(self, row: dict[str, Any]) -> str:
        values = row["values"]
        named: Sequence[str] | None = self._queries[row["query_name"]].get("primary_key")
        key = [values.get(label) for label in named] if named else values
        natural = [row["query_name"], row["product_id"], key]
        first = row_id(natural)
        again = self._seen.repeats([bytes.fromhex(first)]).get(0)
        return row_id([*natural, again]) if again else first


def as_objects(rows: Sequence[Any]) -> Iterator[dict[str, Any]]:
    """Rows as objects: those that are arrays with ``column_N`` for their places."""
    for row in rows:
        cells = enumerate(row, 1) if isinstance(row, list) else ()
        yield {f"column_{place}": cell for place, cell in cells} or dict(row)


def _names_a_person(row: Any) -> bool:
    """Whether a row can be ``[kmid, identity, ...]`` or ``{identity, columns}``."""
    if isinstance(row, dict):
        return True
    return len(row) > 1 and isinstance(row[0], int | None) and isinstance(row[1], str | None)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
