"""The two hosts of the API: their addresses, the token, what each refusal means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_kit.credentials import BearerToken
from tap_kit.errors import PartitionUnavailable, SyncFailed, setting_error
from tap_kit.http import Answer, Api, Refusal, Request

from tap_kissmetrics.directory import Product, product_template
from tap_kissmetrics.once import Once
from tap_kissmetrics.pagination import (
    PASSES,
    CorePaginator,
    Page,
    Reading,
    changed_too_often,
    page_of,
    records_of,
)

if TYPE_CHECKING:
    from tap_kit.tap import KitTap

ENVELOPE = (list, dict)  # lists and details come bare or in an envelope [reference, section 3]
NOT_FOUND = "not found (HTTP 404)"


class Client:
    """Answers of both hosts; safe to use from several threads."""

    def __init__(self, tap: KitTap) -> None:
        config = tap.config
        shared: dict[str, Any] = {
            "auth": BearerToken(config["api_token"]),
            "throttle": tap.throttle,
            "timeout_s": config["request_timeout"],
            "user_agent": tap.user_agent,
            "connections": config["max_concurrency"],
        }
        self.core = Api(config["api_url"], judge=_judge("api_url"), prefixes=("/core/",), **shared)
        self.query = Api(
            config["query_url"], judge=_judge("query_url"), prefixes=("/v2/",), **shared
        )
        self._page_size = config["page_size"]
        self._products: Once[Product] = Once()
        self._templates: Once[Any] = Once()  # a URITemplate; the library has no types

    def page(self, path: str) -> Page:
        """One page of a list of the Core API."""
        return page_of(self.core.ask(Request(path), ENVELOPE, _list_problem))

    def results(self, path: str) -> Page:
        """One page of the results of a query."""
        return page_of(self.query.ask(Request(path), ENVELOPE, _rows_problem))

    def first_page(self, path: str) -> str:
        """The path of a list's first page."""
        return f"{path}?limit={self._page_size}&offset=0"

    def everything(self, path: str) -> list[dict[str, Any]]:
        """All records of a list, for what has to be known before the plan.

        Raises:
            SyncFailed: when the list cannot be had, or not whole.
        """
        for _ in range(PASSES):
            try:
                records, reading = self._read_once(path)
            except PartitionUnavailable as error:
                msg = f"GET {path}: {error}"
                raise SyncFailed(msg) from None
            if not reading.changed:
                reading.check(path)
                return records
        raise changed_too_often(path)

    def _read_once(self, path: str) -> tuple[list[dict[str, Any]], Reading]:
        paginator = CorePaginator(self.first_page(path), self.core.path_of)
        records: list[dict[str, Any]] = []
        reading = Reading()
        while not paginator.finished:
            page = self.page(paginator.current_value)
            reading.add(page.facts, path)
            records += page.records
            paginator.advance(page.facts)
        return records, reading

    def product(self, product_id: str) -> Product:
        """One product and its links, found through the directory's URI template."""
        return self._products.get(product_id, lambda: self._product(product_id))

    def _product(self, product_id: str) -> Product:
        template = self._templates.get(
            "product", lambda: product_template(self.core.ask(Request("/core"), dict).value)
        )
        return Product.of(self._detail(template.expand(product_id=product_id)))

    def report(self, report_id: str) -> dict[str, Any]:
        """One report as the API describes it."""
        return self._detail(f"/core/reports/{report_id}")[0]

    def _detail(self, href: str) -> tuple[dict[str, Any], list[Any]]:
        """The record of a single object, bare or in an envelope, and all links around it."""
        value = self.core.ask(Request(self.core.path_of(href)), dict, _detail_problem).value
        record = _record_in(value)
        return record, [*(record.get("links") or []), *(value.get("links") or [])]


def _record_in(value: dict[str, Any]) -> dict[str, Any]:
    return value["data"] if isinstance(value.get("data"), dict) else value


def _detail_problem(answer: Answer) -> str | None:
    return None if _is_record(_record_in(answer.value)) else "expected an object with an id"


def _list_problem(answer: Answer) -> str | None:
    records = records_of(answer.value)
    fits = records is not None and all(map(_is_record, records))
    return None if fits else "expected a list of objects with an id"


def _rows_problem(answer: Answer) -> str | None:
    rows = records_of(answer.value)
    fits = rows is not None and all(map(_is_row, rows))
    return None if fits else "expected rows: lists of two and more, or objects with columns"


def _is_record(value: Any) -> bool:
    return isinstance(value, dict) and "id" in value


def _is_row(value: Any) -> bool:
    """Rows come as ``[kmid, identity, ...]`` or as ``{identity, columns}`` [reference, 2.3]."""
    if isinstance(value, dict):
        return isinstance(value.get("columns"), list)
    return isinstance(value, list) and len(value) > 1


def _judge(address: str) -> Any:
    """What a refusal of one host means and whose turn it is [reference, section 4]."""

    def judge(refusal: Refusal) -> Exception:
        match refusal.status:
            case 401:
                return setting_error("api_token", "the server does not accept it (HTTP 401)")
            case 403:
                return PartitionUnavailable("the token has no access to it (HTTP 403)")
            case 404:
                return PartitionUnavailable(NOT_FOUND)
            case status if status < 400:
                problem = f"the server redirects elsewhere (HTTP {status}); use the final address"
                return setting_error(address, problem)
            case status:
                return RequestRefused(f"{refusal.source}: HTTP {status}")

    return judge


class RequestRefused(SyncFailed):
    """The server says that the request itself is wrong (HTTP 400 and the like)."""
