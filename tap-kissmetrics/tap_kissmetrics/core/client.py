"""The Core API and version 2 of the query API: two hosts, one token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_kit import (
    BearerToken,
    Once,
    PartitionUnavailable,
    Request,
    Response,
    SyncFailed,
    parse_json,
    read_list,
    setting_error,
)

from tap_kissmetrics.client import error_for
from tap_kissmetrics.core.directory import Product, product_template
from tap_kissmetrics.core.runs import ReportRun
from tap_kissmetrics.lists.pagination import (
    LinkPaginator,
    Page,
    first_page,
    is_record,
    page_of,
    records_of,
)

if TYPE_CHECKING:
    from datetime import datetime

    from tap_kit import Decode, Run, Window

    from tap_kissmetrics.client import Finished, Id, Report

# Lists and objects are bare or in an envelope: see docs/reference/kissmetrics.md, section 3.
ENVELOPE = (list, dict)
RUNNABLE = "people_search_v2"  # the vendor's page: no report of another type can be run


class CoreClient:
    """Responses of both hosts as Python values; safe to use from several threads."""

    def __init__(self, run: Run) -> None:
        config = run.config
        token = BearerToken(config["api_token"])
        self.core = run.open_api(
            config["api_url"],
            auth=token,
            error_for=error_for(address="api_url", credential="api_token"),
            prefixes=("/core/",),
        )
        self.query = run.open_api(
            config["query_url"],
            auth=token,
            error_for=error_for(address="query_url", credential="api_token"),
            prefixes=("/v2/",),
        )
        self._page_size = config["page_size"]
        self._product_ids = config.get("product_ids")
        self._products: Once[Product] = Once()
        self._templates: Once[Any] = Once()  # a URITemplate; the library has no types

    def id_of(self, value: Id) -> Id:
        """Return an id of the settings as it is."""
        return value

    # Lists

    def page(self, path: str, decode: Decode = parse_json) -> Page:
        """Return one page of a list of the Core API, with the records that ``decode`` made."""
        return page_of(self.core.send(Request(path), ENVELOPE, _list_problem, decode=decode))

    def pages(self, path: str) -> LinkPaginator:
        """Return the pages of a list, at the first one."""
        return LinkPaginator(first_page(path, self._page_size), self.core.path_of)

    def everything(self, path: str) -> list[dict[str, Any]]:
        """Return all records of a list that has to be known before the plan.

        Raises:
            SyncFailed: when the list is refused or incomplete.
        """
        try:
            return read_list(lambda: self.pages(path).read(self.page), path)
        except PartitionUnavailable as error:
            msg = f"GET {path}: {error}"
            raise SyncFailed(msg) from None

    def products(self) -> list[dict[str, Any]]:
        """Return all products of the token's user."""
        return self.everything("/core/products")

    def product(self, product_id: str) -> Product:
        """Return one product and its links, found by the directory's URI template."""
        return self._products.get(product_id, lambda: self._product(product_id))

    def _product(self, product_id: str) -> Product:
        template = self._templates.get(
            "product", lambda: product_template(self.core.send(Request("/core"), dict).value)
        )
        return Product.of(self._detail(template.expand(product_id=product_id)))

    # Reports and queries

    def reports(self) -> list[dict[str, Any]]:
        """Return the saved reports of the products that the settings select."""
        selected = self._product_ids
        reports = self.everything("/core/reports")
        return [one for one in reports if not selected or one.get("product_id") in selected]

    def report(self, report_id: Id) -> dict[str, Any]:
        """Return one report as the API describes it."""
        return self._detail(f"/core/reports/{report_id}")[0]

    def can_run(self, report: dict[str, Any]) -> bool:
        """Return whether the API can run reports of this type."""
        return report.get("report_type") == RUNNABLE

    def report_query(
        self,
        report: Report,
        window: Window,  # noqa: ARG002  (this version takes moments)
        span: tuple[datetime, datetime],
    ) -> ReportRun:
        """Return a run of a report over a window."""
        return ReportRun(self.query, report.product_id, report.id, *span)

    def results(self, path: str) -> Page:
        """Return one page of the results of a query."""
        return page_of(self.query.send(Request(path), ENVELOPE, _rows_problem))

    def pages_of(self, finished: Finished) -> LinkPaginator:
        """Return the pages of a query's results, at the first one."""
        path = finished.path.partition("?")[0]
        return LinkPaginator(first_page(path, self._page_size), self.query.path_of)

    def check_access(self) -> str:
        """Read one account; return how many the token can access, in words.

        Raises:
            ConfigValidationError: when the list of accounts is refused.
        """
        try:
            info = self.page("/core/accounts?limit=1&offset=0").info
        except PartitionUnavailable as error:
            setting = "api_url" if error.status == 404 else "api_token"
            problem = f"gives no access to the list of accounts: {error}"
            raise setting_error(setting, problem) from None
        count = info.size if info.total is None else info.total
        return f"The token works; it can access {count} account(s)"

    def _detail(self, href: str) -> tuple[dict[str, Any], list[Any]]:
        """Return the record of a single object, bare or in an envelope, and all links near it."""
        value = self.core.send(Request(self.core.path_of(href)), dict, _detail_problem).value
        record = _record_in(value)
        return record, [*(record.get("links") or []), *(value.get("links") or [])]


def _record_in(value: dict[str, Any]) -> dict[str, Any]:
    return value["data"] if isinstance(value.get("data"), dict) else value


def _detail_problem(response: Response) -> str | None:
    return None if is_record(_record_in(response.value)) else "expected an object with an id"


def _list_problem(response: Response) -> str | None:
    records = records_of(response.value)
    fits = records is not None and all(map(is_record, records))
    return None if fits else "expected a list of objects with an id"


def _rows_problem(response: Response) -> str | None:
    rows = records_of(response.value)
    fits = rows is not None and all(map(_is_row, rows))
    return None if fits else "expected rows: lists of two and more, or objects with columns"


def _is_row(value: Any) -> bool:
    """Return whether a value is ``[kmid, identity, ...]`` or ``{identity, columns}``.

    See docs/reference/kissmetrics.md, section 2.3.
    """
    if isinstance(value, dict):
        return isinstance(value.get("columns"), list)
    return isinstance(value, list) and len(value) > 1
