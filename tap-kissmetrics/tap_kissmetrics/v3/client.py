"""Version 3 of the query API: one host, Basic credentials, integer ids."""

from __future__ import annotations

import logging
import re
from functools import cached_property
from typing import TYPE_CHECKING, Any

from requests.auth import HTTPBasicAuth
from tap_kit.errors import PartitionUnavailable, setting_error
from tap_kit.net.bodies import parse_json
from tap_kit.net.connections import api_at
from tap_kit.net.http import Request, Response

from tap_kissmetrics.client import NOT_FOUND, Finished, error_for, is_record
from tap_kissmetrics.lists.pagination import OffsetPaginator, Page, PageSizes, facts_of, read_once
from tap_kit.flow.once import Once
from tap_kissmetrics.v3.queries import V3Query, date_range, page_in, results_problem

if TYPE_CHECKING:
    from datetime import datetime

    from tap_kit.flow.windows import Window
    from tap_kit.net.http import Decode

    from tap_kissmetrics.client import Id
    from tap_kissmetrics.reports.saved import Report
    from tap_kissmetrics.tap import TapKissmetrics

# What is asked for the plan is kept for the streams that read the same.
_KEPT = re.compile(r"/products(/\d+/reports)?\?")

logger = logging.getLogger(__name__)


class V3Client:
    """Answers of version 3; safe to use from several threads."""

    def __init__(self, tap: TapKissmetrics) -> None:
        config = tap.config
        # As bytes: requests would encode a text as Latin-1.
        login, password = (config.get(name, "").encode() for name in ("username", "password"))
        self.api = api_at(
            tap,
            config["v3_url"],
            auth=HTTPBasicAuth(login, password),
            error_for=error_for(address="v3_url", credential="username"),
        )
        self._page_size = config["page_size"]
        self._wanted = [self.id_of(one) for one in config.get("product_ids") or ()]
        self._list_sizes, self._result_sizes = PageSizes(), PageSizes()
        self._kept: Once[Page] = Once()
        self._asked: set[str] = set()

    def id_of(self, value: Id) -> Id:
        """Ids are integers here; the settings may have them as text."""
        return int(value)

    # Lists

    def pages(self, path: str) -> OffsetPaginator:
        """The pages of a list, at the first one."""
        return OffsetPaginator(path, self._page_size, self._list_sizes)

    def page(self, path: str, decode: Decode = parse_json) -> Page:
        """One page of a list, its records as ``decode`` makes them, or as they were kept."""
        if not _KEPT.match(path):
            return self._page(path, decode)
        page = self._kept.get(path, lambda: self._page(path, parse_json))
        self._asked.add(path)
        return page

    def is_known(self, path: str) -> bool:
        """Whether the first page of a list need not be asked for any more."""
        return self.pages(path).current_value in self._asked

    def _page(self, path: str, decode: Decode) -> Page:
        name = path.partition("?")[0].rpartition("/")[2]

        def problem(answer: Response) -> str | None:
            records = _records_in(answer.value, name)
            fits = isinstance(records, list) and all(map(is_record, records))
            return None if fits else "expected a list of objects with an id"

        answer = self.api.send(Request(path), (list, dict), problem, decode=decode)
        records = _records_in(answer.value, name)
        return Page(records, facts_of(records))

    def products(self) -> list[dict[str, Any]]:
        """The products that are wanted: all, or ``product_ids``."""
        return self._products

    @cached_property
    def _products(self) -> list[dict[str, Any]]:
        found, _ = read_once(self.pages("/products"), self.page, "GET /products")
        if not self._wanted:
            return found
        by_id = {product["id"]: product for product in found}
        for missing in [one for one in self._wanted if one not in by_id]:
            logger.warning("product %s of the settings is left out: it is not listed", missing)
        return [by_id[one] for one in dict.fromkeys(self._wanted) if one in by_id]

    def reports(self) -> list[dict[str, Any]]:
        """The saved reports of these products."""
        return [report for product in self.products() for report in self._reports_of(product)]

    def _reports_of(self, product: dict[str, Any]) -> list[dict[str, Any]]:
        path = f"/products/{product['id']}/reports"
        try:
            return read_once(self.pages(path), self.page, f"GET {path}")[0]
        except PartitionUnavailable as error:
            logger.warning("the reports of product %s are left out: %s", product["id"], error)
            return []

    def report(self, report_id: Id) -> dict[str, Any]:
        """One report, out of the lists: it cannot be asked for by itself."""
        for report in self.reports():
            if report["id"] == report_id:
                return report
        msg = "it is not in the lists of the products"
        raise PartitionUnavailable(msg)

    # Queries

    def runs(self, report: dict[str, Any]) -> bool:  # noqa: ARG002  (whichever type it has)
        """Every saved report can be run."""
        return True

    def report_query(
        self,
        report: Report,
        window: Window,
        span: tuple[datetime, datetime],  # noqa: ARG002  (days are asked for here)
    ) -> V3Query:
        """A run of a saved report over the days of a window, or over those saved in it."""
        body: dict[str, Any] = {"report_id": report.id}
        if not report.saved_dates:
            body["date_range"] = date_range(window)
        return self.query("/queries/report", body)

    def query(self, path: str, body: dict[str, Any]) -> V3Query:
        """A query as a job, which is done with the first page of its results."""
        return V3Query(self, path, body)

    def pages_of(self, finished: Finished) -> OffsetPaginator:
        """The pages of a query's results, at the first one."""
        path = finished.path.partition("?")[0]
        return OffsetPaginator(path, self._page_size, self._result_sizes)

    def results(self, path: str) -> Page:
        """One page of the results of a query that is completed."""
        return page_in(self.api.send(Request(path), dict, results_problem))

    def check_access(self) -> str:
        """What the credentials see; the list is kept for the streams.

        Raises:
            ConfigValidationError: when that is nothing.
        """
        try:
            count = self.page(self.pages("/products").current_value).facts.size
        except PartitionUnavailable as error:
            setting = "v3_url" if str(error) == NOT_FOUND else "username"
            problem = f"the server refuses the list of products: {error}"
            raise setting_error(setting, problem) from None
        return f"The credentials work; they see {count} product(s)"


def record_keys(name: str) -> tuple[str, ...]:
    """Where an answer can have a list: under ``data`` (as seen) or its name (as documented).

    The documents have the properties under ``events`` [reference, 2.4].
    """
    return ("data", name, *(["events"] if name == "properties" else []))


def _records_in(value: Any, name: str) -> Any:
    if not isinstance(value, dict):
        return value
    return next((value[key] for key in record_keys(name) if key in value), None)
