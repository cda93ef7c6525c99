"""The directory of the Core API: a URI template for products, and the links of a product."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from uritemplate import URITemplate

from tap_kissmetrics.lists.pagination import is_templated

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FALLBACK = "/core/products/{product_id}"


def product_template(directory: Mapping[str, Any]) -> URITemplate:
    """Return the RFC 6570 template for one product, from the response to ``GET /core``.

    Its rel is not documented (``product`` and ``product-detail`` are both plausible), so it is
    found by its shape: its last part is its only variable, the product's id. If the directory has
    no such template, the path that all responses use is returned.
    """
    data = directory.get("data")
    nested = data.get("links") if isinstance(data, dict) else None
    for link in [*(nested or []), *(directory.get("links") or [])]:
        template = URITemplate(str(link.get("href", "")))
        path = template.uri.partition("?")[0]
        of_one_product = path.endswith("}") and "/products/" in path
        if is_templated(link) and of_one_product and set(template.variable_names) == {"product_id"}:
            return template
    return URITemplate(FALLBACK)


@dataclass(frozen=True)
class Product:
    """A product's record and the links to its lists."""

    record: dict[str, Any]
    hrefs: dict[str | None, str | None]

    @classmethod
    def of(cls, detail: tuple[dict[str, Any], Sequence[Any]]) -> Product:
        """Return the product of a record and the links that came with it."""
        record, links = detail
        fixed = (link for link in links if not is_templated(link))
        return cls(record, {link.get("rel"): link.get("href") for link in fixed})

    def list_href(self, name: str) -> str:
        """Return the link to the product's ``name`` (reports, events, properties, metrics).

        The same list is called ``events`` in one response and ``product-events`` in another, and
        some have no link to metrics (see docs/reference/kissmetrics.md, section 3, details 6, 7).
        """
        built = f"/core/products/{self.record['id']}/{name}"
        return self.hrefs.get(name) or self.hrefs.get(f"product-{name}") or built
