"""The expected side: what a complete and correct reader of the API gets, without any HTTP."""

from datetime import date, datetime, timezone
from typing import Any, cast

from sandbox.kissmetrics.catalog import Catalog, Record
from sandbox.kissmetrics.ids import uuid_of, v3_id
from sandbox.kissmetrics.people import LABELS, Asked, Rows, Shape, seconds_of
from sandbox.kissmetrics.rules import FieldRules, ListName, Sizes
from sandbox.kissmetrics.zones import day_window, zone_of

# The local days, both included, that people_search_v3 reports have saved as theirs.
SAVED_DAYS = (date(2020, 1, 1), date(2020, 1, 7))


class Data:
    """An account's records and rows.

    ``now`` may be moved by tests; nothing that happens later is known. Unset, it is the real time.
    """

    def __init__(self, sizes: Sizes, fields: FieldRules, now: datetime | None = None) -> None:
        """Make an account of this size."""
        self.catalog = Catalog(sizes, fields)
        self._now = aware(now)

    @property
    def now(self) -> datetime:
        """The time by the sandbox's clock."""
        return self._now or datetime.now(timezone.utc)

    @now.setter
    def now(self, now: datetime | None) -> None:
        self._now = aware(now)

    def ids(self, name: ListName, product_id: str | None = None) -> list[str]:
        """Give the identifiers of a list in its order."""
        return [uuid_of(name, number) for number in self._numbers(name, product_id)]

    def records(self, name: ListName, product_id: str | None = None) -> list[Record]:
        """Give a list complete and in its order, of one product on demand; without links.

        Raises:
            KeyError: there is no such product.
        """
        return [self.catalog.record(name, number) for number in self._numbers(name, product_id)]

    def runnable_reports(self, product_id: str | None = None) -> list[str]:
        """Give the identifiers of the reports that may be run by the documents."""
        reports = self.records("reports", product_id)
        return [one["id"] for one in reports if one["report_type"] == "people_search_v2"]

    def day_window(self, report_id: str, day: date) -> tuple[str, str]:
        """Give the window of one day in the time zone of a report's product.

        Both texts are ISO 8601 with an offset and belong to the window.

        Raises:
            KeyError: there is no such report.
        """
        product = self.catalog.parent("reports", self._number("reports", report_id))
        return day_window(day, zone_of(self.catalog.timezone(product)))

    def saved_window(self, report_id: str) -> tuple[str, str]:
        """Give the window that a people_search_v3 report has saved.

        Raises:
            KeyError: there is no such report.
        """
        first, last = (self.day_window(report_id, day) for day in SAVED_DAYS)
        return first[0], last[1]

    def saved_rows(self, report: int) -> Rows:
        """Give the rows of the window that a report, by its number, has saved."""
        window = self.saved_window(uuid_of("reports", report))
        begin, last = (seconds_of(text) or 0 for text in window)
        return self.window(report, begin, last)

    def rows(self, report_id: str, start: str, end: str, *, shifted: bool = False) -> list[Any]:
        """Give the rows of a report's window, each an array, as known now.

        ``start`` and ``end`` are ISO 8601 with an offset, both included. ``shifted`` spells dates
        as people_search_v3 reports do.

        Raises:
            KeyError: there is no such report.
            ValueError: a date is not ISO 8601 with an offset.
        """
        begin, last = seconds_of(start), seconds_of(end)
        if begin is None or last is None:
            msg = f"expected ISO 8601 with an offset, not {start!r} and {end!r}"
            raise ValueError(msg)
        rows = self.window(self._number("reports", report_id), begin, last)
        return rows.page(0, len(rows), shifted=shifted)

    def day_rows(self, report_id: str, day: date) -> list[Any]:
        """Give the rows of one day in the time zone of the report's product: see ``rows``."""
        return self.rows(report_id, *self.day_window(report_id, day))

    @property
    def labels(self) -> list[str]:
        """The labels of a row's cells, the first two included; one of them comes twice."""
        return ["KMID", "Person", *(label for label, _ in LABELS[: self.catalog.sizes.columns])]

    def window(self, report: int, start: float, end: float) -> Rows:
        """Give the rows between two Unix seconds, both included, uncut."""
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
        return Rows(Asked(report, product, zone, start, end, self.now.timestamp()), shape)

    def v3_id(self, name: ListName, record_id: str) -> int:
        """Give the integer that v3 has for a record of the first API.

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


def aware(now: datetime | None) -> datetime | None:
    """Take a time in UTC; one without a zone is taken to be UTC."""
    if now is None:
        return None
    return now.replace(tzinfo=timezone.utc) if now.tzinfo is None else now.astimezone(timezone.utc)


def list_name(text: str) -> ListName:
    """Take a text that is known to be the name of a list."""
    return cast("ListName", text)
