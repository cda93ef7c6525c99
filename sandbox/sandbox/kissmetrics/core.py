"""The Core API over HTTP: a directory, six lists, their details, and the lists within a list."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

from sandbox.exchange import Request, Response, json_response
from sandbox.kissmetrics.data import list_name
from sandbox.kissmetrics.errors import NOT_FOUND, Refusal, check_access, refuse_core
from sandbox.kissmetrics.kept import Kept
from sandbox.kissmetrics.links import OF_PRODUCTS, Linker, scope_of
from sandbox.kissmetrics.paging import (
    REVALIDATE,
    Listing,
    answer_page,
    escaped,
    link,
    link_header,
)
from sandbox.kissmetrics.rules import LIST_NAMES, ListName, PageRules
from sandbox.kissmetrics.setting import Setting

DEFAULT_LIMIT = 20
TITLE = {"name": "KISSmetrics API", "description": "API access for KISSmetrics"}


class Core:
    """The vendor's side of api.kissmetrics.com: a function from request to answer."""

    def __init__(self, setting: Setting) -> None:
        """Serve this account under these rules."""
        self._setting = setting
        self._catalog = setting.data.catalog
        self._asked: Counter[str] = Counter()
        self._kept = Kept()

    async def respond(self, request: Request) -> Response:
        """Response a request as the vendor's server does."""
        try:
            return self._setting.redirect(request) or self._route(request)
        except Refusal as refusal:
            return refuse_core(refusal)

    def _route(self, request: Request) -> Response:
        check_access(request, self._setting.token)
        if request.method != "GET":
            raise Refusal(404, NOT_FOUND)
        linker = Linker(self._catalog, self._setting.links, self._setting.addresses)
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
        """Response with one record; only an account keeps its links within."""
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
        canonical = link("canonical", "Canoncial", listing.url)  # spelled as on the wire
        listing = replace(
            listing,
            scope=scope_of(parent[0], parent_number),
            bare_self=True,
            more_links=(canonical,),
        )
        return self._page(request, listing, name)

    def _page(self, request: Request, listing: Listing, name: ListName) -> Response:
        """Response with a page that was kept, unless the list changes while it is read."""
        rules, setting = self._rules(name), self._setting
        if rules.change_after is not None:
            return answer_page(request, listing, rules)
        key = (request.target, listing.count, rules, setting.links, setting.addresses)
        return self._kept.answer(key, lambda: answer_page(request, listing, rules))

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
            url=f"{self._setting.addresses.core}{request.path.rstrip('/')}",
            count=len(numbers),
            cut=lambda start, limit: [
                linker.linked(name, number, of_account=of_account)
                for number in numbers[start : start + limit]
            ],
            default_limit=DEFAULT_LIMIT,
            templates=tuple(templates),
        )

    def _rules(self, name: ListName) -> PageRules:
        return self._setting.pages_of.get(name, self._setting.pages)

    def _numbers(self, path: str, name: ListName, numbers: Sequence[int]) -> Sequence[int]:
        """Count a request for a page, and give the list as it has become meanwhile."""
        rules = self._rules(name)
        self._asked[path] += 1
        if rules.change_after is None or self._asked[path] <= rules.change_after:
            return numbers
        if rules.insert and numbers:
            step = numbers[1] - numbers[0] if len(numbers) > 1 else 1
            new = range(numbers[-1] + step, numbers[-1] + step * (rules.insert + 1), step)
            return list(chain(new, numbers[rules.vanish :]))
        return numbers[rules.vanish :]
