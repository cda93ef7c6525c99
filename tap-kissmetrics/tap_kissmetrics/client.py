"""The two hosts of the API: their addresses, the token, what each refusal means."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from tap_kit.credentials import BearerToken
from tap_kit.errors import PartitionUnavailable, SyncFailed, setting_error
from tap_kit.http import Answer, Api, Refusal, Request

from tap_kissmetrics.directory import Product, product_template
from tap_kissmetrics.pagination import CorePaginator, page_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_kit.tap import KitTap

ENVELOPE = (list, dict)  # lists and details come bare or in an envelope [reference, section 3]


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
        self.core = Api(
            config["api_url"], judge=_judge("api_url"), prefixes=("/core", "/query/"), **shared
        )
        self.query = Api(
            config["query_url"], judge=_judge("query_url"), prefixes=("/v2/",), **shared
        )
        self._page_size = config["page_size"]

    def page(self, path: str) -> Answer:
        """One page of a list of the Core API."""
        return self.core.ask(Request(path), ENVELOPE)

    def results(self, path: str) -> Answer:
        """One page of the results of a query."""
        return self.query.ask(Request(path), ENVELOPE)

    def first_page(self, path: str) -> str:
        """The path of a list's first page."""
        return f"{path}?limit={self._page_size}&offset=0"

    def everything(self, path: str) -> Iterator[dict[str, Any]]:
        """All records of a list, page by page, for what has to be known before the plan."""
        paginator = CorePaginator(self.first_page(path), self.core.path_of)
        while not paginator.finished:
            page = page_of(self.page(paginator.current_value))
            yield from page.records
            paginator.advance(page.facts)

    @cache  # noqa: B019  (a client lives as long as its run)
    def product(self, product_id: str) -> Product:
        """One product and its links, found through the directory's URI template."""
        return Product.of(self._detail(self._template().expand(product_id=product_id)))

    def report(self, report_id: str) -> dict[str, Any]:
        """One report as the API describes it."""
        return self._detail(f"/core/reports/{report_id}")[0]

    @cache  # noqa: B019
    def _template(self) -> Any:  # a URITemplate; the library has no types
        return product_template(self.core.ask(Request("/core"), dict).value)

    def _detail(self, href: str) -> tuple[dict[str, Any], list[Any]]:
        """The record of a single object, and all links that came with it."""
        value = self.core.ask(Request(self.core.path_of(href)), dict).value
        record = value["data"] if isinstance(value.get("data"), dict) else value
        links = [*record.get("links", []), *value.get("links", [])]
        return record, links


def _judge(address: str) -> Any:
    """What a refusal of one host means and whose turn it is [reference, section 4]."""

    def judge(refusal: Refusal) -> Exception:
        match refusal.status:
            case 401:
                return setting_error("api_token", "the server does not accept it (HTTP 401)")
            case 403 | 404 as status:
                words = {403: "the token has no access to it", 404: "not found"}[status]
                return PartitionUnavailable(f"{words} (HTTP {status})")
            case status if status < 400:
                problem = f"the server redirects elsewhere (HTTP {status}); use the final address"
                return setting_error(address, problem)
            case status:
                return RequestRefused(f"{refusal.source}: HTTP {status}")

    return judge


class RequestRefused(SyncFailed):
    """The server says that the request itself is wrong (HTTP 400 and the like)."""
