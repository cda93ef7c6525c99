"""The expected records of v3, and the rows of its queries."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any
from zlib import crc32

from sandbox.kissmetrics.catalog import Record, tracking_key
from sandbox.kissmetrics.data import Data
from sandbox.kissmetrics.ids import v3_id, v3_number
from sandbox.kissmetrics.people import Rows
from sandbox.kissmetrics.ranges import Span, span_of
from sandbox.kissmetrics.rules import ListName
from sandbox.kissmetrics.zones import local_day, midnight, zone_of

PEOPLE_SEARCH = "people_search"
DATES = ("first_used_at", "last_used_at", "first_sent_at", "last_sent_at")
# Fields that only the documents have, and fields that were only observed.
ONLY_DOCUMENTED = frozenset({"total", *DATES})
ONLY_OBSERVED = frozenset({"km_key", "index", "property_indices"})


class V3Data:
    """The records and rows that a complete and correct reader of v3 gets."""

    def __init__(self, data: Data) -> None:
        """Use the account of the first API."""
        self._data = data
        self._catalog = data.catalog

    def numbers(self, name: ListName, product_id: int | None = None) -> Sequence[int]:
        """Return the numbers of a list, as in the catalog.

        Raises:
            KeyError: there is no such product.
        """
        if product_id is None:
            return self._catalog.numbers(name)
        return self._catalog.numbers(name, self.number("products", product_id))

    def number(self, name: ListName, record_id: int) -> int:
        """Return the number behind an id.

        Raises:
            KeyError: there is no such record.
        """
        number = v3_number(record_id)
        if number not in self._catalog.numbers(name):
            raise KeyError(record_id)
        return number

    def records(
        self, name: ListName, product_id: int | None = None, *, fields: str = "both"
    ) -> list[Record]:
        """Return all records of a list in their order; ``fields`` as in ``V3Rules``.

        Raises:
            KeyError: there is no such product.
        """
        return [self.record(name, n, fields=fields) for n in self.numbers(name, product_id)]

    def record(self, name: ListName, number: int, *, fields: str = "both") -> Record:
        """Return the record with this number."""
        record = self._record(name, number)
        left_out = {"documented": ONLY_OBSERVED, "observed": ONLY_DOCUMENTED}.get(fields, ())
        record = {key: value for key, value in record.items() if key not in left_out}
        if self._catalog.fields.extra_field:
            record["added_later"] = {"note": "not in any document", "number": number}
        return record

    def report_type(self, report_id: int) -> str:
        """Return a report's type: both people searches have the same one here.

        Raises:
            KeyError: there is no such report.
        """
        known_type = self._catalog.report_type(self.number("reports", report_id))
        return PEOPLE_SEARCH if known_type.startswith(PEOPLE_SEARCH) else known_type

    def report_rows(self, report_id: int, date_range: Mapping[str, Any] | None) -> Rows | list[Any]:
        """Return the rows of a saved report; a people search does not need a range.

        Raises:
            KeyError: there is no such report.
            Refusal: the range is invalid.
        """
        number = self.number("reports", report_id)
        product = self._catalog.parent("reports", number)
        if date_range is None:
            return self._data.saved_rows(number)
        span = self._span(product, date_range)
        if self.report_type(report_id) == PEOPLE_SEARCH:
            return self._data.window(number, *span)
        people = len(self._data.window(number, *span))
        steps = ("Visited", 'Signed "up"', "Paid")
        return [
            {"step": step, "name": name, "people": people // step}
            for step, name in enumerate(steps, start=1)
        ]

    def metric_rows(self, metric_id: int, date_range: Mapping[str, Any] | None) -> list[Record]:
        """Return a metric's value for each day, oldest first; without a range, of the last 30 days.

        Raises:
            KeyError: there is no such metric.
            Refusal: the range is invalid.
        """
        number = self.number("metrics", metric_id)
        product = self._catalog.parent("metrics", number)
        given = date_range or {"type": "preset", "preset": "last_30_days"}
        return list(self._days(f"metric/{number}", product, self._span(product, given)))

    def query_rows(self, product_id: int, query_type: str) -> Rows | list[Any]:
        """Return the rows of a query that is not saved; they do not depend on its parameters.

        Raises:
            KeyError: there is no such product.
        """
        product = self.number("products", product_id)
        if query_type == PEOPLE_SEARCH:
            return self._data.saved_rows(product)
        if query_type == "sql":
            return [_sql_row(product, n) for n in range(self._catalog.sizes.rows_per_day)]
        given = {"type": "preset", "preset": "last_30_days"}
        return list(self._days(f"{query_type}/{product}", product, self._span(product, given)))

    def _span(self, product: int, date_range: Mapping[str, Any]) -> Span:
        zone = zone_of(self._catalog.timezone(product))
        return span_of(date_range, self._data.now, zone)

    def _days(self, name: str, product: int, span: Span) -> Iterator[Record]:
        """Yield a value for each day that is not later than now, in the product's zone."""
        zone = zone_of(self._catalog.timezone(product))
        begin = max(span[0], midnight(self._catalog.first_day(product), zone))
        end = min(span[1], self._data.now.timestamp())
        if begin > end:
            return
        day = local_day(begin, zone)
        while day <= local_day(end, zone):
            value = crc32(f"{self._catalog.sizes.seed}/{name}/{day}".encode()) % 1000
            date_parts = {"year": day.year, "month": day.month, "day": day.day}
            yield {"timestamp": day.isoformat(), **date_parts, "value": value}
            day += timedelta(days=1)

    def _record(self, name: ListName, number: int) -> Record:
        record = self._catalog.record(name, number)
        parent = v3_id(self._catalog.parent(name, number))
        if name == "products":
            named = {"id": v3_id(number), "account_id": parent, "name": record["name"]}
            return {**named, "timezone": record["timezone"], "km_key": tracking_key(number)}
        named = {"id": v3_id(number), "product_id": parent, "name": record["name"]}
        if name == "reports":
            return {**named, "report_type": self.report_type(v3_id(number))}
        dates = {date: record[date] for date in DATES}
        definition = {
            **named,
            "visible": record["is_visible"],
            "index": self._catalog.index(name, number),
            "total": record.get("total", 0),
            **dates,
        }
        return {**definition, "property_indices": [1, 2]} if name == "events" else definition


def _sql_row(product: int, place: int) -> Record:
    """Return a row of the table of events; as observed, not every row has every key."""
    moment = datetime(2026, 1, 1, tzinfo=timezone.utc) + timedelta(minutes=place)
    row: Record = {
        "timestamp_ms": int(moment.timestamp() * 1000),
        "person": f"person{place % 97}@product{product}.example",
        "event": place % 15 + 1,
    }
    if place % 3 == 0:
        row["prop_mod_1"] = '{"4": "Größe M"}'
    if place % 5 == 0:
        row["referrer"] = None
    return row
