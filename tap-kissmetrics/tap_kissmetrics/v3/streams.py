"""The lists of version 3: products, and reports, events and properties of each product."""

from __future__ import annotations

from abc import ABC
from typing import TYPE_CHECKING, Any

from msgspec import UNSET
from singer_sdk import SchemaDirectory, StreamSchema
from tap_kit.flow.tasks import Found
from tap_kit.rows.check import ResponseFields
from typing_extensions import override

from tap_kissmetrics.lists.streams import (
    LINKS,
    TOTAL,
    ListStream,
    ProductSchema,
    make_total_whole,
)
from tap_kissmetrics.schemas import v3 as schemas
from tap_kissmetrics.v3.client import record_keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_kit.flow.tasks import Partition
    from tap_kit.net.http import Decode

    from tap_kissmetrics.lists.pagination import CorePaginator, Page
    from tap_kissmetrics.v3.version import V3Version

SCHEMAS = SchemaDirectory(schemas)


class V3List(ListStream, ABC):
    """A list of version 3."""

    schema = StreamSchema(SCHEMAS)

    def __init__(self, version: V3Version) -> None:
        super().__init__(version.tap)
        self._version = version

    def list_path(self, partition: Partition | None) -> str:
        """Where the list is."""
        of = f"/products/{partition['product_id']}" if partition else ""
        return f"{of}/{self.name}"

    def requests_expected(self, partition: Partition | None) -> int:
        """How many requests it takes, as far as is known before."""
        return 0 if self._version.client.is_known(self.list_path(partition)) else 1

    @override
    def pages(self, partition: Partition | None) -> CorePaginator:
        return self._version.client.pages(self.list_path(partition))

    @override
    def page(self, path: str, decode: Decode) -> Page:
        return self._version.client.page(path, decode)

    @override
    def record_keys(self) -> Sequence[str]:
        return record_keys(self.name)


class Products(V3List):
    """The products of the account, or those of ``product_ids``. ``GET /products``."""

    name = "products"
    schema = ProductSchema(SCHEMAS)
    # Two names of the same: the Core API's is kept.
    response_fields = ResponseFields(
        needed=("tracking_key",),
        other={"km_key": {"type": ["string", "null"]}},
        ignored=(*LINKS, "tracking_key"),
    )

    @override
    def found(self, records: Sequence[Any], note: Any) -> Found:
        found = super().found(records, note)
        wanted = {product["id"] for product in self._version.client.products()}
        return Found((row for row in found if row.id in wanted), note)

    @override
    def shape(self, row: Any) -> None:
        # It lets anyone write to the product, so it is not even known unless it is asked for.
        if self.tap.config["include_tracking_key"] and row.km_key is not UNSET:
            row.tracking_key = row.km_key


class ProductList(V3List, ABC):
    """A list that each product has."""

    @override
    def all_partitions(self) -> Iterator[Partition]:
        return ({"product_id": product["id"]} for product in self._version.client.products())


class Reports(ProductList):
    """Saved reports. ``GET /products/{id}/reports``."""

    name = "reports"


class UsedList(ProductList, ABC):
    """A list of what the product's visitors did or were: with a total, visible or not."""

    # Two names of the same: the Core API's is kept.
    response_fields = ResponseFields(
        needed=("is_visible",),
        other={"visible": {"type": ["boolean", "null"]}, **TOTAL},
        ignored=LINKS,
    )

    @override
    def shape(self, row: Any) -> None:
        make_total_whole(row)
        if row.visible is not UNSET:
            row.is_visible = row.visible


class Events(UsedList):
    """The events that are tracked. ``GET /products/{id}/events``."""

    name = "events"


class Properties(UsedList):
    """The properties of people. ``GET /products/{id}/properties``."""

    name = "properties"
