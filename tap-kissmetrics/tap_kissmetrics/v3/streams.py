"""The lists of version 3: products, and reports, events and properties of each product."""

from __future__ import annotations

from abc import ABC
from typing import TYPE_CHECKING, Any

from msgspec import UNSET
from singer_sdk import SchemaDirectory, StreamSchema
from tap_kit import ResponseFields, quoted_path
from typing_extensions import override

from tap_kissmetrics.lists.streams import (
    LINKS,
    TOTAL,
    ListStream,
    ProductSchema,
    make_total_integer,
)
from tap_kissmetrics.schemas import v3 as schemas
from tap_kissmetrics.v3.client import record_keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from singer_sdk import Tap
    from tap_kit import Decode, Partition, Row

    from tap_kissmetrics.lists.pagination import LinkPaginator, Page
    from tap_kissmetrics.reports.saved import Account
    from tap_kissmetrics.v3.client import V3Client

SCHEMAS = SchemaDirectory(schemas)


class V3List(ListStream, ABC):
    """A list of version 3."""

    schema = StreamSchema(SCHEMAS)

    def __init__(self, tap: Tap, account: Account[V3Client]) -> None:
        self.account = account
        super().__init__(tap, account.run)

    @property
    def client(self) -> V3Client:
        """Version 3 of the API."""
        return self.account.client

    def list_path(self, partition: Partition) -> str:
        """Return the path of the list."""
        product = quoted_path("/products/{}", partition["product_id"]) if partition else ""
        return f"{product}/{self.name}"

    def expected_requests(self, partition: Partition) -> int:
        """Return how many requests the list needs, as far as that is known before it is read."""
        return 0 if self.client.is_known(self.list_path(partition)) else 1

    @override
    def pages(self, partition: Partition) -> LinkPaginator:
        return self.client.pages(self.list_path(partition))

    @override
    def page(self, path: str, decode: Decode) -> Page:
        return self.client.page(path, decode)

    @override
    def record_keys(self) -> Sequence[str]:
        return record_keys(self.name)


class Products(V3List):
    """The products of the account, or those of ``product_ids``. ``GET /products``."""

    name = "products"
    schema = ProductSchema(SCHEMAS)
    # Two names of the same field: the row has the Core API's.
    response_fields = ResponseFields(
        inputs=("tracking_key",),
        raw_types={"km_key": {"type": ["string", "null"]}},
        ignored=(*LINKS, "tracking_key"),
    )

    @override
    def shaped(self, records: Sequence[Any]) -> list[Row]:
        selected = {product["id"] for product in self.client.products()}
        rows: list[Any] = super().shaped(records)
        return [row for row in rows if row.id in selected]

    @override
    def shape(self, row: Any) -> None:
        # Anyone with the key can write to the product: without the setting it is not even a field.
        if self.config["include_tracking_key"] and row.km_key is not UNSET:
            row.tracking_key = row.km_key


class ProductList(V3List, ABC):
    """A list that each product has."""

    @override
    def all_partitions(self) -> Iterator[Partition]:
        return ({"product_id": product["id"]} for product in self.client.products())


class Reports(ProductList):
    """Saved reports. ``GET /products/{id}/reports``."""

    name = "reports"


class UsedList(ProductList, ABC):
    """A list of what a product's visitors did or were: with a total, visible or not."""

    # Two names of the same field: the row has the Core API's.
    response_fields = ResponseFields(
        inputs=("is_visible",),
        raw_types={"visible": {"type": ["boolean", "null"]}, **TOTAL},
        ignored=LINKS,
    )

    @override
    def shape(self, row: Any) -> None:
        make_total_integer(row)
        if row.visible is not UNSET:
            row.is_visible = row.visible


class Events(UsedList):
    """The events that are tracked. ``GET /products/{id}/events``."""

    name = "events"


class Properties(UsedList):
    """The properties of people. ``GET /products/{id}/properties``."""

    name = "properties"
