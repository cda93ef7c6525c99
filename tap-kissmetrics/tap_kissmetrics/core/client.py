"""The Core API and version 2 of the query API: two hosts, one token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_kit.errors import PartitionUnavailable, SyncFailed, setting_error
from tap_kit.net.auth import BearerToken
from tap_kit.net.bodies import parse_json
from tap_kit.net.connections import api_at
from tap_kit.net.http import Request, Response

from tap_kissmetrics.client import NOT_FOUND, Finished, error_for, is_record
from tap_kissmetrics.core.directory import Product, product_template
from tap_kissmetrics.core.runs import ReportRun
from tap_kissmetrics.lists.pagination import (
    PASSES,
    CorePaginator,
    Page,
    changed_too_often,
    page_of,
    read_once,
    records_of,
)
from tap_kit.flow.once import Once

if TYPE_CHECKING:
    from datetime import datetime

    from tap_kit.flow.windows import Window
    from tap_kit.net.http import Decode

    from tap_kissmetrics.client import Id
    from tap_kissmetrics.reports.saved import Report
    from tap_kissmetrics.tap import TapKissmetrics

ENVELOPE = (list, dict)  # lists and details come bare or in an envelope [reference, section 3]
RUNNABLE = "people_search_v2"  # "the only reports that may be run via the API" [vendor page]


class CoreClient:
    """Answers of both hosts; safe to use from several threads."""

    def __init__(self, tap: TapKissmetrics) -> None:
        config = tap.config
        token = BearerToken(config["api_token"])
        self.core = api_at(
            tap,
            config["api_url"],
            auth=token,
            error_for=error_for(address="api_url", credential="api_token"),
            prefixes=("/core/",),
        )
        self.query = api_at(
            tap,
            config["query_url"],
            auth=token,
            error_for=error_for(address="query_url", credential="api_token"),
            prefixes=("/v2/",),
        )
        self._page_size = config["page_size"]
        self._product_ids = config.get("product_ids")
        self._products: Once[Product] = Once()
        self._templates: Once[Any] = Once()  # a URITemplate; the library has no types

    def page(self, path: str, decode: Decode = parse_json) -> Page:
        """One page of a list of the Core API, its records as ``decode`` makes them."""
        return page_of(self.core.send(Request(path), ENVELOPE, _list_problem, decode=decode))

    def results(self, path: str) -> Page:
        """One page of the results of a query."""
        return page_of(self.query.send(Request(path), ENVELOPE, _rows_problem))

    def pages(self, path: str) -> CorePaginator:
        """The pages of a list, at the first one."""
        return CorePaginator(self._first_page(path), self.core.path_of)

    def pages_of(self, finished: Finished) -> CorePaginator:
        """The pages of a query's results, at the first one."""
        first = self._first_page(finished.path.partition("?")[0])
        return CorePaginator(first, self.query.path_of)

    def _first_page(self, path: str) -> str:
        return f"{path}?limit={self._page_size}&offset=0"

    def everything(self, path: str) -> list[dict[str, Any]]:
        """All records of a list, for what has to be known before the plan.

        Raises:
            SyncFailed: when the list cannot be had, or not whole.
        """
        for _ in range(PASSES):
            try:
                records, reading = read_once(self.pages(path), self.page, path)
            except PartitionUnavailable as error:
                msg = f"GET {path}: {error}"
                raise SyncFailed(msg) from None
            if not reading.changed:
                reading.check(path)
                return records
        raise changed_too_often(path)

    def product(self, product_id: str) -> Product:
        """One product and its links, found through the directory's URI template."""
        return self._products.get(product_id, lambda: self._product(product_id))

    def _product(self, product_id: str) -> Product:
        template = self._templates.get(
            "product", lambda: product_template(self.core.send(Request("/core"), dict).value)
        )
        return Product.of(self._detail(template.expand(product_id=product_id)))

    def id_of(self, value: Id) -> Id:
        """Ids are texts here."""
        return value

    def products(self) -> list[dict[str, Any]]:
        """All products of the token's user."""
        return self.everything("/core/products")

    def reports(self) -> list[dict[str, Any]]:
        """All saved reports of the products that are wanted."""
        wanted = self._product_ids
        reports = self.everything("/core/reports")
        return [one for one in reports if not wanted or one.get("product_id") in wanted]

    def report(self, report_id: Id) -> dict[str, Any]:
        """One report as the API describes it."""
        return self._detail(f"/core/reports/{report_id}")[0]

    def runs(self, report: dict[str, Any]) -> bool:
        """Whether the API can run a report of its type."""
        return report.get("report_type") == RUNNABLE

    def report_query(
        self,
        report: Report,
        window: Window,  # noqa: ARG002  (moments are asked for here)
        span: tuple[datetime, datetime],
    ) -> ReportRun:
        """A run of a report over a window."""
        return ReportRun(self.query, report.product_id, report.id, *span)

    def check_access(self) -> str:
        """What the token sees.

        Raises:
            ConfigValidationError: when that is nothing.
        """
        try:
            page = self.page("/core/accounts?limit=1&offset=0")
        except PartitionUnavailable as error:
            setting = "api_url" if str(error) == NOT_FOUND else "api_token"
            problem = f"the server refuses the list of accounts: {error}"
            raise setting_error(setting, problem) from None
        count = page.facts.size if page.facts.total is None else page.facts.total
        return f"The token works; it sees {count} account(s)"

    def _detail(self, href: str) -> tuple[dict[str, Any], list[Any]]:
        """The record of a single object, bare or in an envelope, and all links around it."""
        value = self.core.send(Request(self.core.path_of(href)), dict, _detail_problem).value
        record = _record_in(value)
        return record, [*(record.get("links") or []), *(value.get("links") or [])]


def _record_in(value: dict[str, Any]) -> dict[str, Any]:
    return value["data"] if isinstance(value.get("data"), dict) else value


def _detail_problem(answer: Response) -> str | None:
    return None if is_record(_record_in(answer.value)) else "expected an object with an id"


def _list_problem(answer: Response) -> str | None:
    records = records_of(answer.value)
    fits = records is not None and all(map(is_record, records))
    return None if fits else "expected a list of objects with an id"


def _rows_problem(answer: Response) -> str | None:
    rows = records_of(answer.value)
    fits = rows is not None and all(map(_is_row, rows))
    return None if fits else "expected rows: lists of two and more, or objects with columns"


def _is_row(value: Any) -> bool:
    """Rows come as ``[kmid, identity, ...]`` or as ``{identity, columns}`` [reference, 2.3]."""
    if isinstance(value, dict):
        return isinstance(value.get("columns"), list)
    return isinstance(value, list) and len(value) > 1
