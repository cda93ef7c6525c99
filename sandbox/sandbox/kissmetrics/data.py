"""The expected records and rows: what a complete and correct reader of the API gets."""

from datetime import date, datetime
from typing import Any, cast

from sandbox.clock import Clocked
from sandbox.kissmetrics.catalog import Catalog, Record
from sandbox.kissmetrics.ids import uuid_of, v3_id
from sandbox.kissmetrics.people import LABELS, RowQuery, Rows, Shape, seconds_of
from sandbox.kissmetrics.rules import FieldRules, ListName, Sizes
from sandbox.kissmetrics.zones import day_window, zone_of

# The local days, both included, of the window that people_search_v3 reports have saved.
SAVED_DAYS = (date(2020, 1, 1), date(2020, 1, 7))


class Data(Clocked):
    """An account's records and rows; nothing later than ``now``, which tests may set, is known."""

    def __init__(self, sizes: Sizes, fields: FieldRules, now: datetime | None = None) -> None:
        """Make an account of this size."""
        super().__init__(now)
        self.catalog = Catalog(sizes, fields)

    def ids(self, name: ListName, product_id: str | None = None) -> list[str]:
        """Return the identifiers of a list, in its order."""
        return [uuid_of(name, number) for number in self._numbers(name, product_id)]

    def records(self, name: ListName, product_id: str | None = None) -> list[Record]:
        """Return all records of a list, or of one product, in their order and without links.

        Raises:
            KeyError: there is no such product.
        """
        return [self.catalog.record(name, number) for number in self._numbers(name, product_id)]

    def runnable_reports(self, product_id: str | None = None) -> list[str]:
        """Return the identifiers of the reports that the documents allow to run."""
        reports = self.records("reports", product_id)
        return [one["id"] for one in reports if one["report_type"] == "people_search_v2"]

    def day_window(self, report_id: str, day: date) -> tuple[str, str]:
        """Return the window of one day in the time zone of a report's product.

        Both ends are ISO 8601 with an offset, and part of the window.

        Raises:
            KeyError: there is no such report.
        """
        product = self.catalog.parent("reports", self._number("reports", report_id))
        return day_window(day, zone_of(self.catalog.timezone(product)))

    def saved_window(self, report_id: str) -> tuple[str, str]:
        """Return the window that a people_search_v3 report has saved.

        Raises:
            KeyError: there is no such report.
        """
        first, last = (self.day_window(report_id, day) for day in SAVED_DAYS)
        return first[0], last[1]

    def saved_rows(self, report: int) -> Rows:
        """Return the rows of the window that a report, by its number, has saved."""
        window = self.saved_window(uuid_of("reports", report))
        begin, last = (seconds_of(text) or 0 for text in window)
        return self.window(report, begin, last)

    def rows(self, report_id: str, start: str, end: str, *, shifted: bool = False) -> list[Any]:
        """Return the rows of a report's window, each an array, as known now.

        ``start`` and ``end`` are ISO 8601 with an offset, both included. ``shifted`` formats dates
        as people_search_v3 reports do.

        Raises:
            KeyError: there is no such report.
            ValueError: a date is not ISO 8601 with an offset.
        """
        begin, last = seconds_of(start), seconds_of(end)
        if begin is None or last is None:
            msg = f"start and end must be ISO 8601 with an offset, got {start!r} and {end!r}"
            raise ValueError(msg)
        rows = self.window(self._number("reports", report_id), begin, last)
        return rows.page(0, len(rows), shifted=shifted)

    def day_rows(self, report_id: str, day: date) -> list[Any]:
        """Return the rows of one day in the time zone of the report's product: see ``rows``."""
        return self.rows(report_id, *self.day_window(report_id, day))

    @property
    def labels(self) -> list[str]:
        """The labels of all cells of a row; one label occurs twice."""
        return ["KMID", "Person", *(label for label, _ in LABELS[: self.catalog.sizes.columns])]

    def window(self, report: int, start: float, end: float) -> Rows:
        """Return all rows between two Unix seconds, both included."""
        sizes = self.catalog.sizes
        product = self.catalog.parent("reports", report)
        zone = zone_of(self.catalog.timezone(product))
        shape = Shape(
            sizes.seed,
            sizes.rows_per_day,
            sizes.columns,
            sizes.late_hours * 3600,
            self.catalog.first_day(product),
        )
        return Rows(RowQuery(report, product, zone, start, end, self.now.timestamp()), shape)

    def v3_id(self, name: ListName, record_id: str) -> int:
        """Return v3's id of a record of the first API.

        Raises:
            KeyError: there is no such record.
        """
        return v3_id(self._number(name, record_id))

    def _numbers(self, name: ListName, product_id: str | None) -> list[int]:
        if product_id is None:
            return list(self.catalog.numbers(name))
        return list(self.catalog.numbers(name, self._number("products", product_id)))

    def _number(self, name: ListName, record_id: str) -> int:
        number = self.catalog.number(name, record_id)
        if number is None:
            raise KeyError(record_id)
        return number


def list_name(text: str) -> ListName:
    """Return a text that is known to be the name of a list."""
    return cast("ListName", text)
