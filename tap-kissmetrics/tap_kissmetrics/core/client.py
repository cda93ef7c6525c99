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
    quoted_path,
    read_list,
    setting_error,
)

from tap_kissmetrics.client import error_for, no_product
from tap_kissmetrics.core.directory import Product, product_template
from tap_kissmetrics.core.runs import ReportRun
from tap_kissmetrics.lists.envelope import (
    Nested,
    ProductRecord,
    ReportRecord,
    converted,
    problem_of,
    records_problem,
    with_envelope,
)
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
    from tap_kissmetrics.lists.envelope import Link

# Lists and objects are bare or in an envelope: see docs/reference/kissmetrics.md, section 3.
ENVELOPE = (list, dict)
PROBABLY_GONE = (
    "Kissmetrics has probably switched off the Core API; use version 3 instead, with username "
    "and password in place of api_token"
)
RUNNABLE = "people_search_v2"  # the vendor's page: no report of another type can be run


class CoreClient:
    """Responses of both hosts as Python values; safe to use from several threads."""

    query_setting = "query_url"
    has_saved_dates = False

    def __init__(self, run: Run) -> None:
        config = run.config
        token = BearerToken(config["api_token"])
        self.core = run.open_api(
            config["api_url"],
            auth=token,
            error_for=error_for(address="api_url", credential="api_token"),
            prefixes=("/core/",),
            unreachable=PROBABLY_GONE,
        )
        self.query = run.open_api(
            config["query_url"],
            auth=token,
            error_for=error_for(address="query_url", credential="api_token"),
            prefixes=("/v2/",),
            unreachable=PROBABLY_GONE,
        )
        self._page_size = config["page_size"]
        self._product_ids = config.get("product_ids")
        self._products: Once[Product] = Once()
        self._templates: Once[str] = Once()

    def id_of(self, value: Id) -> Id:
        """Return an id of the settings as it is."""
        return value

    # Lists

    def page(
        self, path: str, decode: Decode = parse_json, *, wanted: type[Any] | None = None
    ) -> Page:
        """Return one page of a list of the Core API, with the records that ``decode`` made.

        Records fit the type ``wanted``, if there is one.
        """

        def problem(response: Response) -> str | None:
            records = records_of(response.value)
            if records is None or not all(map(is_record, records)):
                return "expected a list of objects with an id"
            return records_problem(records, wanted) if wanted else None

        check = with_envelope(problem)
        return page_of(self.core.send(Request(path), ENVELOPE, check, decode=decode))

    def pages(self, path: str) -> LinkPaginator:
        """Return the pages of a list, at the first one."""
        return LinkPaginator(first_page(path, self._page_size), self.core.path_of)

    def everything(self, path: str, wanted: type[Any]) -> list[dict[str, Any]]:
        """Return all records of a list that has to be known before the plan.

        They fit the type ``wanted``.

        Raises:
            SyncFailed: when the list is refused or incomplete.
        """

        def page(place: str) -> Page:
            return self.page(place, wanted=wanted)

        try:
            return read_list(lambda: self.pages(path).read(page), path)
        except PartitionUnavailable as error:
            msg = f"GET {path}: {error}"
            raise SyncFailed(msg) from None

    def products(self) -> list[dict[str, Any]]:
        """Return all products of the token's user."""
        return self.everything("/core/products", ProductRecord)

    def product(self, product_id: str) -> Product:
        """Return one product and its links, found by the directory's URI template."""
        return self._products.get(product_id, lambda: self._product(product_id))

    def _product(self, product_id: str) -> Product:
        template = self._templates.get("product", lambda: product_template(self._directory().value))
        path = quoted_path(self.core.path_of(template), product_id)
        return Product.of(*self._detail(path, ProductRecord))

    def _directory(self) -> Response:
        return self.core.send(Request("/core"), dict, with_envelope(wanted=Nested))

    # Reports and queries

    def reports(self) -> list[dict[str, Any]]:
        """Return the saved reports of the products that the settings select."""
        selected = self._product_ids
        reports = self.everything("/core/reports", ReportRecord)
        chosen = [one for one in reports if not selected or one.get("product_id") in selected]
        if selected and not chosen:
            known = {product["id"] for product in self.products()}
            if known.isdisjoint(selected):
                raise no_product(selected)
        return chosen

    def check_products(self) -> None:
        """Check that one of the selected products exists.

        Raises:
            ConfigValidationError: when none does.
        """
        if self._product_ids and not any(map(self._exists, self._product_ids)):
            raise no_product(self._product_ids)

    def _exists(self, product_id: str) -> bool:
        try:
            self.product(product_id)
        except PartitionUnavailable:
            return False
        return True

    def report(self, report_id: Id) -> dict[str, Any]:
        """Return one report as the API describes it."""
        return self._detail(quoted_path("/core/reports/{}", report_id), ReportRecord)[0]

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
        response = self.query.send(Request(path), ENVELOPE, with_envelope(_rows_problem))
        return page_of(response, of_records=False)

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

    def _detail(self, path: str, wanted: type[Any]) -> tuple[dict[str, Any], list[Link]]:
        """Return the record of a single object, bare or in an envelope, and all links near it."""

        def problem(response: Response) -> str | None:
            return problem_of(_record_in(response.value), wanted)

        check = with_envelope(problem, Nested)
        value = self.core.send(Request(path), dict, check).value
        return _record_in(value), converted(value, Nested).all_links


def _record_in(value: dict[str, Any]) -> dict[str, Any]:
    return value["data"] if isinstance(value.get("data"), dict) else value


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
