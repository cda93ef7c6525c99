"""The links of records and of the directory, as observed or documented."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sandbox.kissmetrics.catalog import Catalog, Record
from sandbox.kissmetrics.ids import uuid_of
from sandbox.kissmetrics.paging import Link, link
from sandbox.kissmetrics.rules import LIST_NAMES, LinkRules, ListName

SINGULAR: Mapping[ListName, str] = {
    "accounts": "account",
    "products": "product",
    "reports": "report",
    "events": "event",
    "properties": "property",
    "metrics": "metric",
}
# A product's links: four in the list of products, three with other rels in an account's list.
OF_PRODUCTS: tuple[ListName, ...] = ("reports", "metrics", "events", "properties")
OF_ACCOUNTS_PRODUCTS: tuple[ListName, ...] = ("reports", "events", "properties")
# These have a special rel for their details; the others have the plain word.
DETAIL_RELS = frozenset({"events", "properties", "metrics"})


@dataclass(frozen=True)
class Addresses:
    """The base URLs of the two servers, for links; without a trailing slash."""

    core: str
    query: str


class Linker:
    """The links of one response."""

    def __init__(self, catalog: Catalog, rules: LinkRules, addresses: Addresses) -> None:
        """Point links at ``addresses``, unless the rules say otherwise."""
        self._catalog = catalog
        self._rules = rules
        self._at = addresses
        self._makers: Mapping[str, Callable[[Record], list[Link]]] = {
            "accounts": self._account,
            "reports": self._report,
            "metrics": self._metric,
        }

    def linked(self, name: ListName, number: int, *, of_account: bool = False) -> Record:
        """Return a record with its links; a product has others in an account's list."""
        record = self._catalog.record(name, number)
        if name == "products":
            record["links"] = self._product(record, of_account=of_account)
        else:
            record["links"] = self._makers.get(name, self._definition)(record)
        if name not in {"accounts", "products"}:
            record["links"].insert(0, self._self(name, record))
        return record

    def directory(self) -> list[Link]:
        """Return the links of the root: all lists, and templates for what is below them."""
        links = [link("self", "Directory", f"{self._at.core}/core")]
        for name in LIST_NAMES:
            links.append(link(name, name.capitalize(), f"{self._at.core}/core/{name}"))
            links.append(self.detail_template(name))
        return links + self.product_templates()

    def detail_template(self, name: ListName) -> Link:
        """Return the template for one record of a list."""
        word = SINGULAR[name]
        is_detail = name in DETAIL_RELS or self._rules.detail_rels
        rel = f"{word}-detail" if is_detail else word
        href = f"{self._at.core}/core/{name}/{{{word}_id}}"
        return link(rel, f"{word.capitalize()} Details", href, templated=True)

    def product_templates(self) -> list[Link]:
        """Return the templates for the lists of one product."""
        base = f"{self._at.core}/core/products/{{product_id}}"
        return [
            link(
                f"product-{name}", f"Product {name.capitalize()}", f"{base}/{name}", templated=True
            )
            for name in OF_ACCOUNTS_PRODUCTS
        ]

    def _self(self, name: ListName, record: Record) -> Link:
        return link("self", "Self", f"{self._at.core}/core/{name}/{record['id']}")

    def _to_product(self, record: Record) -> Link:
        href = f"{self._at.core}/core/products/{record['product_id']}"
        return link("product", "Product", href)

    def _account(self, record: Record) -> list[Link]:
        own = self._self("accounts", record)
        return [own, link("products", "Products", f"{own['href']}/products")]

    def _product(self, record: Record, *, of_account: bool) -> list[Link]:
        core = (self._rules.product_host or self._at.core).rstrip("/")
        own = f"{core}/core/products/{record['id']}"
        names = OF_ACCOUNTS_PRODUCTS if of_account else OF_PRODUCTS
        prefix = "product-" if of_account else ""
        return [
            link("self", "Self", own),
            link("account", "Account", f"{core}/core/accounts/{record['account_id']}"),
            *(
                link(f"{prefix}{name}", f"Product {name.capitalize()}", f"{own}/{name}")
                for name in names
            ),
        ]

    def _report(self, record: Record) -> list[Link]:
        links: list[Link] = []
        if self._rules.run_links != "none":
            href = f"{self._at.core}/query/reports/{record['id']}/run"
            links.append(link("run", "Run Report", href))
        if self._rules.run_links == "both":
            query = (self._rules.run_host or self._at.query).rstrip("/")
            path = f"/v2/products/{record['product_id']}/reports/{record['id']}/run"
            links.append(link("run_v2", "Run Report", f"{query}{path}"))
        account = f"{self._at.core}/core/accounts/{record['account_id']}"
        return [*links, self._to_product(record), link("account", "Account", account)]

    def _metric(self, record: Record) -> list[Link]:
        base = f"{self._at.core}/query/metrics/{record['id']}"
        return [
            self._to_product(record),
            link("metric-over-time", "Metric Over Time", f"{base}/over-time"),
            link("metric-by-segment", "Metric By Segment", f"{base}/by-segment"),
        ]

    def _definition(self, record: Record) -> list[Link]:
        return [self._to_product(record)]


def scope_of(parent: ListName, number: int) -> dict[str, str]:
    """Return the redundant parameter in the paging links of a list of one parent."""
    return {f"{SINGULAR[parent]}_id": uuid_of(parent, number)}
