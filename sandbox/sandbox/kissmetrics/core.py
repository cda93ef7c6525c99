"""The Core API over HTTP: a directory, six lists, their details, and lists of one parent."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

from sandbox.cache import ResponseCache
from sandbox.exchange import Refusal, Request, Response, json_response
from sandbox.kissmetrics.data import list_name
from sandbox.kissmetrics.errors import NOT_FOUND, check_access
from sandbox.kissmetrics.links import OF_PRODUCTS, Linker, scope_of
from sandbox.kissmetrics.paging import (
    REVALIDATE,
    Listing,
    escaped,
    link,
    link_header,
    page_response,
)
from sandbox.kissmetrics.rules import LIST_NAMES, ListName, PageRules
from sandbox.kissmetrics.settings import Settings

DEFAULT_LIMIT = 20
TITLE = {"name": "KISSmetrics API", "description": "API access for KISSmetrics"}


class Core:
    """The vendor's api.kissmetrics.com."""

    def __init__(self, settings: Settings) -> None:
        """Serve this account under these rules."""
        self._settings = settings
        self._catalog = settings.data.catalog
        self._page_requests: Counter[str] = Counter()
        self._cache = ResponseCache()

    def route(self, request: Request) -> Response:
        """Return the response of the vendor's server.

        Raises:
            Refusal: the vendor's server refuses the request.
        """
        check_access(request, self._settings.token)
        if request.method != "GET":
            raise Refusal(404, NOT_FOUND)
        linker = Linker(self._catalog, self._settings.links, self._settings.addresses)
        match request.path.rstrip("/").split("/")[1:]:
            case ["core"]:
                return self._directory(linker)
            case ["core", name] if name in LIST_NAMES:
                return self._list(request, linker, list_name(name))
            case ["core", name, record_id] if name in LIST_NAMES:
                return self._detail(linker, list_name(name), record_id)
            case ["core", "accounts", account_id, "products"]:
                return self._scoped(request, linker, ("accounts", account_id), "products")
            case ["core", "products", product_id, name] if name in OF_PRODUCTS:
                return self._scoped(request, linker, ("products", product_id), list_name(name))
            case _:
                raise Refusal(404, NOT_FOUND)

    def _directory(self, linker: Linker) -> Response:
        links = linker.directory()
        header = link_header(links[:1])
        if self._rules("products").escaped_links:
            links = escaped(links)
        body = {"meta": {"status": 200}, "data": {**TITLE, "links": links}, "links": links[:1]}
        return json_response(body, headers=(REVALIDATE, header))

    def _detail(self, linker: Linker, name: ListName, record_id: str) -> Response:
        """Return one record; only an account has its links inside the record."""
        number = self._catalog.number(name, record_id)
        if number is None:
            raise Refusal(404, NOT_FOUND)
        record = linker.linked(name, number)
        links = record["links"]
        if name != "accounts":
            record["links"] = []
        if self._rules(name).form == "bare":
            return json_response(record, headers=(REVALIDATE,))
        top = links if name != "accounts" else links[:1]
        body = {"meta": {"status": 200}, "data": record, "links": top}
        return json_response(body, headers=(REVALIDATE, link_header(top)))

    def _list(self, request: Request, linker: Linker, name: ListName) -> Response:
        numbers = self._numbers(request.path, name, self._catalog.numbers(name))
        return self._page(request, self._listing(request, linker, name, numbers), name)

    def _scoped(
        self, request: Request, linker: Linker, parent: tuple[ListName, str], name: ListName
    ) -> Response:
        parent_number = self._catalog.number(*parent)
        if parent_number is None:
            raise Refusal(404, NOT_FOUND)
        numbers = self._catalog.numbers(name, parent_number)
        numbers = self._numbers(request.path, name, numbers)
        listing = self._listing(request, linker, name, numbers, of_account=parent[0] == "accounts")
        canonical = link("canonical", "Canoncial", listing.url)  # the vendor's spelling
        listing = replace(
            listing,
            scope=scope_of(parent[0], parent_number),
            bare_self=True,
            more_links=(canonical,),
        )
        return self._page(request, listing, name)

    def _page(self, request: Request, listing: Listing, name: ListName) -> Response:
        """Return a page, cached unless the list changes while it is read."""
        rules, settings = self._rules(name), self._settings
        if rules.change_after is not None:
            return page_response(request, listing, rules)
        key = (request.target, listing.count, rules, settings.links, settings.addresses)
        return self._cache.get(key, lambda: page_response(request, listing, rules))

    def _listing(
        self,
        request: Request,
        linker: Linker,
        name: ListName,
        numbers: Sequence[int],
        *,
        of_account: bool = False,
    ) -> Listing:
        templates = [linker.detail_template(name)]
        if name == "products":
            templates += linker.product_templates()
        return Listing(
            url=f"{self._settings.addresses.core}{request.path.rstrip('/')}",
            count=len(numbers),
            cut=lambda start, limit: [
                linker.linked(name, number, of_account=of_account)
                for number in numbers[start : start + limit]
            ],
            default_limit=DEFAULT_LIMIT,
            templates=tuple(templates),
        )

    def _rules(self, name: ListName) -> PageRules:
        return self._settings.pages_of.get(name, self._settings.pages)

    def _numbers(self, path: str, name: ListName, numbers: Sequence[int]) -> Sequence[int]:
        """Count a request for a page, and return the list after the changes it has had."""
        rules = self._rules(name)
        self._page_requests[path] += 1
        if rules.change_after is None or self._page_requests[path] <= rules.change_after:
            return numbers
        if rules.insert and numbers:
            step = numbers[1] - numbers[0] if len(numbers) > 1 else 1
            new = range(numbers[-1] + step, numbers[-1] + step * (rules.insert + 1), step)
            return list(chain(new, numbers[rules.vanish :]))
        return numbers[rules.vanish :]
