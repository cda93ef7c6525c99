"""The directory of the Core API: a URI template for products, and the links of a product."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from uritemplate import URITemplate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FALLBACK = "/core/products/{product_id}"


def is_templated(link: Mapping[str, Any]) -> bool:
    """Whether a link's ``href`` is a template; a Link header writes the flag as text."""
    return str(link.get("templated", "false")).lower() == "true"


def product_template(directory: Mapping[str, Any]) -> URITemplate:
    """The RFC 6570 template for one product, from the answer to ``GET /core``.

    Its rel is not documented (``product`` and ``product-detail`` are both plausible), so it is
    known by its shape: a template with the product's id as its only variable and its end. A
    directory without one gets the path that all answers agree on.
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
    """A product's record and where its lists are."""

    record: dict[str, Any]
    hrefs: dict[str | None, str | None]

    @classmethod
    def of(cls, detail: tuple[dict[str, Any], Sequence[Any]]) -> Product:
        """From a record and the links that came with it."""
        record, links = detail
        fixed = (link for link in links if not is_templated(link))
        return cls(record, {link.get("rel"): link.get("href") for link in fixed})

    def list_href(self, name: str) -> str:
        """The link to the product's ``name`` (reports, events, properties, metrics).

        The same list is called ``events`` in one answer and ``product-events`` in another, and
        metrics are missing in some [reference, section 3, details 6 and 7].
        """
        built = f"/core/products/{self.record['id']}/{name}"
        return self.hrefs.get(name) or self.hrefs.get(f"product-{name}") or built
