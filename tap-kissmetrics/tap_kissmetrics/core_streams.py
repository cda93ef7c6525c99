"""The lists of the Core API: accounts, products, reports, events, properties, metrics."""

from __future__ import annotations

from abc import ABC
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import SchemaDirectory, StreamSchema
from singer_sdk.singerlib.catalog import REPLICATION_INCREMENTAL
from tap_kit.bookmarks import read_bookmark
from tap_kit.errors import SyncFailed
from tap_kit.streams import BookmarkedStream, Found, KitStream, Result, Task
from typing_extensions import override

from tap_kissmetrics import schemas
from tap_kissmetrics.moments import EARLIEST, utc
from tap_kissmetrics.pagination import (
    PASSES,
    CorePaginator,
    Facts,
    KnownPage,
    Reading,
    changed_too_often,
    further_pages,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from singer_sdk import Stream
    from tap_kit.rows import Row
    from tap_kit.streams import Partition

    from tap_kissmetrics.tap import TapKissmetrics

SCHEMAS = SchemaDirectory(schemas)


class CoreList(KitStream, ABC):
    """A list of the Core API, token-wide or of each of ``product_ids``.

    The first page is a task; it tells of the further ones, which are read ahead when it has a
    total, and one after the other by its links when it has none.
    """

    tap: TapKissmetrics
    primary_keys = ("id",)
    schema = StreamSchema(SCHEMAS)
    dropped: ClassVar[frozenset[str]] = frozenset({"links"})  # volatile, and bound to a host

    def __init__(self, tap: TapKissmetrics) -> None:
        super().__init__(tap)
        self._reading = Reading()
        self._pass = 1  # over the list that is being read

    @override
    def all_partitions(self) -> Iterator[Partition] | None:
        product_ids = self.tap.config.get("product_ids")
        return ({"product_id": i} for i in dict.fromkeys(product_ids)) if product_ids else None

    def list_path(self, partition: Partition | None) -> str:
        """Where the list is: all that the token sees, or through the product's own links."""
        if partition is None:
            return f"/core/{self.name}"
        href = self.tap.client.product(partition["product_id"]).list_href(self.name)
        return self.tap.client.core.path_of(href).partition("?")[0]

    @override
    def read(self, task: Task) -> Sequence[dict[str, Any]]:
        client = self.tap.client
        paginator = task.piece or CorePaginator(
            client.first_page(self.list_path(task.partition)), client.core.path_of
        )
        page = client.page(paginator.current_value)
        note = (paginator, page.facts)
        return Found((self.shape(record) for record in page.records), note)

    def shape(self, record: dict[str, Any]) -> dict[str, Any]:
        """The record as the stream's schema has it."""
        return {key: value for key, value in record.items() if key not in self.dropped}

    @override
    def follow_ups(self, task: Task, result: Result) -> Iterator[Task]:
        paginator, facts = result.note
        for page in further_pages(paginator, facts, is_first=task.piece is None):
            yield replace(task, piece=page)

    @override
    def finish(self, task: Task, result: Result) -> Sequence[Row]:
        if task.piece is None:
            self._reading = Reading()
        self._reading.add(result.note[1], task)
        return result.rows

    @override
    def window_written(self, task: Task) -> None:
        if not self._reading.changed:
            self._reading.check(task)
            self._pass = 1
            self.list_written(task)
            return
        self._pass += 1
        if self._pass > PASSES:
            raise changed_too_often(task)
        self.logger.info("%s: the list changed while it was read; reading it again", task)
        self.tap.ahead.insert(iter([Task(self, task.partition, None)]))

    def list_written(self, task: Task) -> None:
        """All of a list is written out."""


class Accounts(CoreList, BookmarkedStream):
    """All accounts of the token's user. ``GET /core/accounts``.

    The list has no filter, so it is read whole; what changed since the last run is written.
    """

    name = "accounts"
    replication_key = "updated_at"

    def __init__(self, tap: TapKissmetrics) -> None:
        super().__init__(tap)
        self._newest = EARLIEST

    @override
    def all_partitions(self) -> None:
        return None

    @override
    def shape(self, record: dict[str, Any]) -> dict[str, Any]:
        contact = record.get("contact") or {}
        fields = {key: value for key, value in record.items() if key not in {"links", "contact"}}
        return {**fields, **{f"contact_{k}": contact.get(k) for k in ("name", "country", "phone")}}

    @override
    def finish(self, task: Task, result: Result) -> Sequence[Row]:
        rows = super().finish(task, result)
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


class ProductSchema(StreamSchema[str]):
    """Without the tracking key where nobody asked for it."""

    @override
    def get_stream_schema(self, stream: Stream, stream_class: type[Stream]) -> dict[str, Any]:
        schema = super().get_stream_schema(stream, stream_class)
        if stream.config.get("include_tracking_key"):
            return schema
        return {**schema, "properties": _without(schema["properties"], "tracking_key")}


class Products(CoreList):
    """The products of all accounts. ``GET /core/products``, or each of ``product_ids``."""

    name = "products"

    schema = ProductSchema(SCHEMAS)

    @override
    def shape(self, record: dict[str, Any]) -> dict[str, Any]:
        shaped = super().shape(record)
        if not self.tap.config["include_tracking_key"]:
            shaped.pop("tracking_key", None)  # it lets anyone write to the product
        return shaped

    @override
    def read(self, task: Task) -> Sequence[dict[str, Any]]:
        if task.partition is None:
            return super().read(task)
        record = self.tap.client.product(task.partition["product_id"]).record
        return Found([self.shape(record)], (KnownPage(""), Facts(1, None, None, b"")))


def _without(record: dict[str, Any], *fields: str) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key not in fields}


class Reports(CoreList):
    """Saved reports. ``GET /core/reports``, or of each product."""

    name = "reports"


class Events(CoreList):
    """The events that are tracked. ``GET /core/events``, or of each product."""

    name = "events"

    @override
    def shape(self, record: dict[str, Any]) -> dict[str, Any]:
        shaped = super().shape(record)
        total = shaped.get("total")
        if isinstance(total, str) and total.isdecimal():  # the vendor's own client casts it
            shaped["total"] = int(total)
        return shaped


class Properties(CoreList):
    """The properties of people. ``GET /core/properties``, or of each product."""

    name = "properties"


class Metrics(CoreList):
    """The metrics that are defined. ``GET /core/metrics``, or of each product."""

    name = "metrics"

    @override
    def shape(self, record: dict[str, Any]) -> dict[str, Any]:
        shaped = super().shape(record)
        status = shaped.get("status")
        if isinstance(status, bool):  # documented so, though the sample is a text
            shaped["status"] = "true" if status else "false"
        return shaped
