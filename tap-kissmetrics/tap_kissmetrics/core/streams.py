"""The lists of the Core API: accounts, products, reports, events, properties, metrics."""

from __future__ import annotations

from abc import ABC
from typing import TYPE_CHECKING, Any

from singer_sdk import SchemaDirectory, StreamSchema
from singer_sdk.singerlib.catalog import REPLICATION_INCREMENTAL
from tap_kit.errors import SyncFailed
from tap_kit.flow.bookmarks import read_bookmark
from tap_kit.rows.check import ResponseFields
from tap_kit.streams import BookmarkedStream
from typing_extensions import override

from tap_kissmetrics import schemas
from tap_kissmetrics.lists.pagination import Facts, KnownPage
from tap_kissmetrics.lists.streams import (
    LINKS,
    TOTAL,
    ListStream,
    ProductSchema,
    make_total_whole,
)
from tap_kissmetrics.moments import EARLIEST, utc

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from tap_kit.flow.tasks import Partition, Result, Task
    from tap_kit.net.http import Decode
    from tap_kit.rows.check import Row

    from tap_kissmetrics.core.client import CoreClient
    from tap_kissmetrics.core.version import CoreVersion
    from tap_kissmetrics.lists.pagination import CorePaginator, Page

SCHEMAS = SchemaDirectory(schemas)
CONTACT = ("name", "country", "phone")


class CoreList(ListStream, ABC):
    """A list of the Core API, token-wide or of each of ``product_ids``."""

    schema = StreamSchema(SCHEMAS)

    def __init__(self, version: CoreVersion) -> None:
        super().__init__(version.tap)
        self._version = version

    @property
    def client(self) -> CoreClient:
        """The Core API."""
        return self._version.client

    @override
    def all_partitions(self) -> Iterator[Partition] | None:
        product_ids = self.tap.config.get("product_ids")
        return ({"product_id": i} for i in dict.fromkeys(product_ids)) if product_ids else None

    def list_path(self, partition: Partition | None) -> str:
        """Where the list is: all that the token sees, or through the product's own links."""
        if partition is None:
            return f"/core/{self.name}"
        href = self.client.product(partition["product_id"]).list_href(self.name)
        return self.client.core.path_of(href).partition("?")[0]

    @override
    def pages(self, partition: Partition | None) -> CorePaginator:
        return self.client.pages(self.list_path(partition))

    @override
    def page(self, path: str, decode: Decode) -> Page:
        return self.client.page(path, decode)


class Accounts(CoreList, BookmarkedStream):
    """All accounts of the token's user. ``GET /core/accounts``.

    The list has no filter, so it is read whole; what changed since the last run is written.
    """

    name = "accounts"
    replication_key = "updated_at"
    response_fields = ResponseFields(
        own=[f"contact_{part}" for part in CONTACT],
        other={"contact": {"type": ["object", "null"]}},
        ignored=LINKS,
    )

    def __init__(self, version: CoreVersion) -> None:
        super().__init__(version)
        self._newest = EARLIEST

    @override
    def all_partitions(self) -> None:
        return None

    @override
    def shape(self, row: Any) -> None:
        contact = row.contact or {}
        row.contact_name, row.contact_country, row.contact_phone = map(contact.get, CONTACT)

    @override
    def finalize(self, task: Task, result: Result) -> Sequence[Row]:
        rows = super().finalize(task, result)
        if self.replication_method != REPLICATION_INCREMENTAL:
            return rows
        bookmark = read_bookmark(self.tap_state, self.name, None, "updated_at")
        since = _moment(bookmark, "the bookmark in the state") if bookmark is not None else EARLIEST
        changed = [row for row in rows if _updated(row) >= since]
        self._newest = max([self._newest, *map(_updated, changed)])
        return changed

    @override
    def list_written(self, task: Task) -> None:
        if self._newest > EARLIEST:
            self.state_manager.advance(None, "updated_at", self._newest.isoformat())


def _updated(row: Row) -> datetime:
    value = row.updated_at  # type: ignore[attr-defined]  # the replication key is always there
    return _moment(value, "the field updated_at")


def _moment(text: object, what: str) -> datetime:
    try:
        return utc(text)
    except ValueError:
        msg = f"accounts: {what} is not a date-time with an offset"
        raise SyncFailed(msg) from None


class Products(CoreList):
    """The products of all accounts. ``GET /core/products``, or each of ``product_ids``."""

    name = "products"

    schema = ProductSchema(SCHEMAS)
    response_fields = ResponseFields(ignored=(*LINKS, "tracking_key"))

    @override
    def read(self, task: Task) -> Sequence[Any]:
        if task.partition is None:
            return super().read(task)
        record = self.client.product(task.partition["product_id"]).record
        return self.found([record], (KnownPage(""), Facts(1, None, None, b"")))


class Reports(CoreList):
    """Saved reports. ``GET /core/reports``, or of each product."""

    name = "reports"


class Events(CoreList):
    """The events that are tracked. ``GET /core/events``, or of each product."""

    name = "events"
    response_fields = ResponseFields(other=TOTAL, ignored=LINKS)

    @override
    def shape(self, row: Any) -> None:
        make_total_whole(row)


class Properties(CoreList):
    """The properties of people. ``GET /core/properties``, or of each product."""

    name = "properties"


class Metrics(CoreList):
    """The metrics that are defined. ``GET /core/metrics``, or of each product."""

    name = "metrics"
    # Documented as true or false, though the sample is a text.
    response_fields = ResponseFields(
        other={"status": {"type": ["string", "boolean", "null"]}}, ignored=LINKS
    )

    @override
    def shape(self, row: Any) -> None:
        if isinstance(row.status, bool):
            row.status = "true" if row.status else "false"
