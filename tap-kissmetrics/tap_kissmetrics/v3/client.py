"""Version 3 of the query API: one host, Basic credentials, integer ids."""

from __future__ import annotations

import logging
import re
from functools import cached_property
from typing import TYPE_CHECKING, Any

from requests.auth import HTTPBasicAuth
from tap_kit import (
    Once,
    PageInfo,
    PartitionUnavailable,
    Request,
    Response,
    parse_json,
    quoted_path,
    read_list,
    setting_error,
)

from tap_kissmetrics.client import RequestRefused, error_for, no_product
from tap_kissmetrics.lists.envelope import (
    ProductRecord,
    ReportRecord,
    error_in,
    records_problem,
)
from tap_kissmetrics.lists.pagination import OffsetPaginator, Page, PageSizes, ids_of, is_record
from tap_kissmetrics.v3.queries import V3Query, date_range, page_in, results_problem

if TYPE_CHECKING:
    from datetime import datetime

    from tap_kit import Decode, Run, Window

    from tap_kissmetrics.client import Finished, Id, Report

# What the plan reads is kept for the streams that read the same.
_KEPT = re.compile(r"/products(/\d+/reports)?\?")

_IN_PLAN = {"products": ProductRecord, "reports": ReportRecord}

logger = logging.getLogger(__name__)


class V3Client:
    """Responses of version 3 as Python values; safe to use from several threads."""

    query_setting = "v3_url"
    has_saved_dates = True

    def __init__(self, run: Run) -> None:
        config = run.config
        # As bytes: requests would encode a text as Latin-1.
        login, password = (config.get(name, "").encode() for name in ("username", "password"))
        self._api = run.open_api(
            config["v3_url"],
            auth=HTTPBasicAuth(login, password),
            error_for=error_for(
                address="v3_url", credential="username", has_password=bool(password)
            ),
        )
        self._failed = run.failed
        self._page_size = config["page_size"]
        self._selected = [self.id_of(one) for one in config.get("product_ids") or ()]
        self._list_sizes, self._result_sizes = PageSizes(), PageSizes()
        self._kept: Once[Page] = Once()
        self._read: set[str] = set()

    def id_of(self, value: Id) -> Id:
        """Return an id of the settings as an integer; they may have it as text."""
        return int(value)

    # Lists

    def pages(self, path: str) -> OffsetPaginator:
        """Return the pages of a list, at the first one."""
        return OffsetPaginator(path, self._page_size, self._list_sizes)

    def page(self, path: str, decode: Decode = parse_json) -> Page:
        """Return one page of a list, with the records that ``decode`` made, or as it was kept."""
        if not _KEPT.match(path):
            return self._page(path, decode)
        page = self._kept.get(path, lambda: self._page(path, parse_json))
        self._read.add(path)
        return page

    def is_known(self, path: str) -> bool:
        """Return whether the first page of a list needs no further request."""
        return self.pages(path).path in self._read

    def _page(self, path: str, decode: Decode) -> Page:
        name = path.partition("?")[0].rpartition("/")[2]
        wanted = _IN_PLAN.get(name) if decode is parse_json else None

        def problem(response: Response) -> str | None:
            if error := error_in(response.value):
                return error
            records = _records_in(response.value, name)
            if not isinstance(records, list) or not all(map(is_record, records)):
                return "expected a list of objects with an id"
            return records_problem(records, wanted) if wanted else None

        response = self._api.send(Request(path), (list, dict), problem, decode=decode)
        records = _records_in(response.value, name)
        return Page(records, PageInfo.of(records, ids=ids_of(records)))

    def _everything(self, path: str) -> list[dict[str, Any]]:
        return read_list(lambda: self.pages(path).read(self.page), f"GET {path}")

    def products(self) -> list[dict[str, Any]]:
        """Return the products that the settings select; all if they select none."""
        return self._products

    @cached_property
    def _products(self) -> list[dict[str, Any]]:
        products = self._everything("/products")
        if not self._selected:
            return products
        by_id = {product["id"]: product for product in products}
        if by_id.keys().isdisjoint(self._selected):
            raise no_product(self._selected)
        for missing in [one for one in self._selected if one not in by_id]:
            logger.warning("Skipped product %s of the settings: the API does not list it", missing)
        return [by_id[one] for one in dict.fromkeys(self._selected) if one in by_id]

    def reports(self) -> list[dict[str, Any]]:
        """Return the saved reports of these products."""
        return [report for product in self.products() for report in self._reports_of(product)]

    def _reports_of(self, product: dict[str, Any]) -> list[dict[str, Any]]:
        try:
            return self._everything(quoted_path("/products/{}/reports", product["id"]))
        except PartitionUnavailable as error:
            logger.warning("Skipped the reports of product %s: %s", product["id"], error)
            return []
        except RequestRefused as error:
            problem = str(error)
        what = f"reports of product {product['id']}"
        if what not in self._failed:  # the run ends with it, after the other products
            logger.error("%s: failed: %s", what, problem)
            self._failed.append(what)
        return []

    def report(self, report_id: Id) -> dict[str, Any]:
        """Return one report out of the lists: the API has no request for a single one."""
        for report in self.reports():
            if report["id"] == report_id:
                return report
        msg = "it is not in the lists of the products"
        raise PartitionUnavailable(msg)

    # Queries

    def can_run(self, report: dict[str, Any]) -> bool:  # noqa: ARG002  (reports of every type)
        """Return True: the API can run every saved report."""
        return True

    def report_query(
        self,
        report: Report,
        window: Window,
        span: tuple[datetime, datetime],  # noqa: ARG002  (this version takes days)
    ) -> V3Query:
        """Return a run of a saved report over the days of a window, or those saved in it."""
        body: dict[str, Any] = {"report_id": report.id}
        if not report.saved_dates:
            body["date_range"] = date_range(window)
        return self.query("/queries/report", body)

    def query(self, path: str, body: dict[str, Any]) -> V3Query:
        """Return a query as a job, which is done with the first page of its results."""
        return V3Query(self._api, path, body, self._page_size)

    def pages_of(self, finished: Finished) -> OffsetPaginator:
        """Return the pages of a query's results, at the first one."""
        path = finished.path.partition("?")[0]
        return OffsetPaginator(path, self._page_size, self._result_sizes)

    def results(self, path: str) -> Page:
        """Return one page of the results of a query that is completed."""
        return page_in(self._api.send(Request(path), dict, results_problem))

    def check_access(self) -> str:
        """Read the products, which are kept for the streams; return their number in words.

        Raises:
            ConfigValidationError: when the list of products is refused.
        """
        try:
            count = self.page(self.pages("/products").path).info.size
        except PartitionUnavailable as error:
            setting = "v3_url" if error.status == 404 else "username"
            problem = f"gives no access to the list of products: {error}"
            raise setting_error(setting, problem) from None
        return f"The credentials work; they can access {count} product(s)"


def record_keys(name: str) -> tuple[str, ...]:
    """Return the names that a list can have in a response: ``data`` (observed) or its own.

    The documents name the list of properties ``events`` (see docs/reference/kissmetrics.md,
    section 2.4).
    """
    return ("data", name, *(["events"] if name == "properties" else []))


def _records_in(value: Any, name: str) -> Any:
    if not isinstance(value, dict):
        return value
    return next((value[key] for key in record_keys(name) if key in value), None)
