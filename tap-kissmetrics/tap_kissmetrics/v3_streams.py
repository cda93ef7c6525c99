"""The lists of version 3: products, and reports, events and properties of each product."""

from __future__ import annotations

from abc import ABC
from typing import TYPE_CHECKING, Any

from singer_sdk import SchemaDirectory, StreamSchema
from tap_kit.streams import Found
from typing_extensions import override

from tap_kissmetrics.list_streams import ListStream, ProductSchema, with_whole_total
from tap_kissmetrics.schemas import v3 as schemas

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_kit.streams import Partition, Task

    from tap_kissmetrics.pagination import CorePaginator, Page
    from tap_kissmetrics.v3_version import V3Version

SCHEMAS = SchemaDirectory(schemas)
# The Core API's names, where both mean the same.
NAMES = {"visible": "is_visible", "km_key": "tracking_key"}


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
    def page(self, path: str) -> Page:
        return self._version.client.page(path)

    @override
    def shape(self, record: dict[str, Any]) -> dict[str, Any]:
        shaped = super().shape(record)
        return with_whole_total({NAMES.get(key, key): value for key, value in shaped.items()})


class Products(V3List):
    """The products of the account, or those of ``product_ids``. ``GET /products``."""

    name = "products"
    schema = ProductSchema(SCHEMAS)

    @override
    def read(self, task: Task) -> Sequence[dict[str, Any]]:
        found = super().read(task)
        wanted = {product["id"] for product in self._version.client.products()}
        kept = (record for record in found if record["id"] in wanted)
        return Found(kept, getattr(found, "note", None))

    @override
    def shape(self, record: dict[str, Any]) -> dict[str, Any]:
        shaped = super().shape(record)
        if not self.tap.config["include_tracking_key"]:
            shaped.pop("tracking_key", None)  # it lets anyone write to the product
        return shaped


class ProductList(V3List, ABC):
    """A list that each product has."""

    @override
    def all_partitions(self) -> Iterator[Partition]:
        return ({"product_id": product["id"]} for product in self._version.client.products())


class Reports(ProductList):
    """Saved reports. ``GET /products/{id}/reports``."""

    name = "reports"


class Events(ProductList):
    """The events that are tracked. ``GET /products/{id}/events``."""

    name = "events"


class Properties(ProductList):
    """The properties of people. ``GET /products/{id}/properties``."""

    name = "properties"
