"""The directory of the Core API: the path of a product, and the links of a product."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_kissmetrics.lists.envelope import Nested, converted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_kissmetrics.lists.envelope import Link

FALLBACK = "/core/products/{}"
# Its last part is its only variable, the product's id; an optional query may follow.
_ONE_PRODUCT = re.compile(r"([^{}?#]*/products/)\{\+?product_id\}(\{[?][^{}]*\}|[?].*)?")


def product_template(directory: Mapping[str, Any]) -> str:
    """Return the link to one product with ``{}`` for its id, from the response to ``GET /core``.

    Its rel is not documented (``product`` and ``product-detail`` are both plausible), so it is
    found by its shape. If the directory has no such template, the path that all responses use is
    returned. The template's operator does not matter: the id becomes one segment of the path.
    """
    for link in converted(directory, Nested).all_links:
        found = _ONE_PRODUCT.fullmatch(link.href or "")
        if found and link.is_template:
            return f"{found[1]}{{}}"
    return FALLBACK


@dataclass(frozen=True)
class Product:
    """A product's record and the links to its lists."""

    record: dict[str, Any]
    hrefs: dict[str | None, str | None]

    @classmethod
    def of(cls, record: dict[str, Any], links: Sequence[Link]) -> Product:
        """Return the product of a record and the links that came with it."""
        return cls(record, {link.rel: link.href for link in links if not link.is_template})

    def list_href(self, name: str) -> str | None:
        """Return the link to the product's ``name`` (reports, events, properties, metrics).

        The same list is called ``events`` in one response and ``product-events`` in another, and
        some have no link to metrics (see docs/reference/kissmetrics.md, section 3, details 6, 7).
        """
        return self.hrefs.get(name) or self.hrefs.get(f"product-{name}")
