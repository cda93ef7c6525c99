"""The lists of the Core API: accounts, products, reports, events, properties, metrics."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Generic

from singer_sdk import SchemaDirectory, StreamSchema
from singer_sdk.singerlib.catalog import REPLICATION_INCREMENTAL
from tap_kit import (
    MAX_AHEAD,
    BookmarkedStream,
    ListPass,
    PageInfo,
    ResponseFields,
    SyncFailed,
    quoted_path,
    read_bookmark,
)
from typing_extensions import override

from tap_kissmetrics import schemas
from tap_kissmetrics.client import utc_time
from tap_kissmetrics.lists.pagination import KnownPage, ids_of
from tap_kissmetrics.lists.streams import (
    LINKS,
    TOTAL,
    ListStream,
    PageResult,
    PageTask,
    PassT,
    ProductSchema,
    make_total_integer,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from singer_sdk import Tap
    from tap_kit import Decode, Partition, Row, Run, Work

    from tap_kissmetrics.core.client import CoreClient
    from tap_kissmetrics.lists.pagination import LinkPaginator, Page
    from tap_kissmetrics.reports.saved import Account

SCHEMAS = SchemaDirectory(schemas)
CONTACT = ("name", "country", "phone")
EARLIEST = datetime.min.replace(tzinfo=timezone.utc)


def check_selection(_run: Run, work: Sequence[Work]) -> None:
    """Check before the first row that ``product_ids`` selects a product that exists."""
    for stream, partition in work:
        if isinstance(stream, CoreList) and partition:
            stream.client.check_products()
            return


class CoreList(ListStream[PassT], ABC, Generic[PassT]):
    """A list of the Core API, of all products or of each of ``product_ids``."""

    schema = StreamSchema(SCHEMAS)

    def __init__(self, tap: Tap, account: Account[CoreClient]) -> None:
        self.account = account
        super().__init__(tap, account.run)

    @property
    def client(self) -> CoreClient:
        """The Core API."""
        return self.account.client

    @override
    def all_partitions(self) -> Iterator[Partition] | None:
        product_ids = self.config.get("product_ids")
        return ({"product_id": i} for i in dict.fromkeys(product_ids)) if product_ids else None

    @override
    def pages(self, partition: Partition) -> LinkPaginator:
        return self.client.pages(self._list_path(partition))

    def _list_path(self, partition: Partition) -> str:
        """Return the path of all records, or of the product's own by its links."""
        if not partition:
            return f"/core/{self.name}"
        product = self.client.product(partition["product_id"])
        href = product.list_href(self.name)
        if href is None:
            return quoted_path(f"/core/products/{{}}/{self.name}", product.record["id"])
        return self.client.core.path_of(href).partition("?")[0]

    @override
    def page(self, path: str, decode: Decode) -> Page:
        return self.client.page(path, decode)


@dataclass
class AccountsPass(ListPass):
    """One pass over the accounts, and the newest change in it."""

    newest: datetime = field(default=EARLIEST, init=False)


class Accounts(CoreList[AccountsPass], BookmarkedStream[PageTask[AccountsPass], PageResult]):
    """All accounts of the token's user. ``GET /core/accounts``.

    The list has no filter, so it is read whole; what changed since the last run is written.
    """

    name = "accounts"
    replication_key = "updated_at"
    response_fields = ResponseFields(
        computed=[f"contact_{part}" for part in CONTACT],
        raw_types={
            "contact": {"type": ["object", "null"]},
            "updated_at": {"type": ["string", "number", "boolean", "null"]},
        },
        ignored=LINKS,
    )

    @override
    def all_partitions(self) -> None:
        return None

    @override
    def first_pass(self, what: object) -> AccountsPass:
        return AccountsPass(what)

    @override
    def shape(self, row: Any) -> None:
        if not isinstance(row.updated_at, str):
            row.updated_at = None
        contact = row.contact or {}
        row.contact_name, row.contact_country, row.contact_phone = map(contact.get, CONTACT)

    @override
    def finalize(self, task: PageTask[AccountsPass], result: PageResult) -> Sequence[Row]:
        rows = super().finalize(task, result)
        if self.replication_method != REPLICATION_INCREMENTAL:
            return rows
        bookmark = read_bookmark(self.tap_state, self.name, None, "updated_at")
        since = _bookmark_time(bookmark) if bookmark is not None else EARLIEST
        changed = [row for row in rows if (_updated(row) or since) >= since]
        times = filter(None, map(_updated, changed))
        task.list_pass.newest = max([task.list_pass.newest, *times])
        return changed

    @override
    def on_list_written(self, task: PageTask[AccountsPass]) -> None:
        # A time in the future would hide all changes until then.
        newest = min(task.list_pass.newest, datetime.now(timezone.utc))
        if newest > EARLIEST:
            self.state_manager.advance(None, "updated_at", newest.isoformat())


def _updated(row: Row) -> datetime | None:
    """Return when an account changed; None if that is not known, so that it is always written."""
    value = row.updated_at  # type: ignore[attr-defined]  # replication keys are always selected
    try:
        return utc_time(value)
    except ValueError:
        return None


def _bookmark_time(text: object) -> datetime:
    try:
        time = utc_time(text)
    except ValueError:
        msg = "accounts: the bookmark in the state is not a date-time with an offset"
        raise SyncFailed(msg) from None
    if time > datetime.now(timezone.utc) + MAX_AHEAD:
        msg = "accounts: the bookmark in the state is in the future; repair or clear the state"
        raise SyncFailed(msg)
    return time


class Products(CoreList):
    """The products of all accounts. ``GET /core/products``, or each of ``product_ids``."""

    name = "products"

    schema = ProductSchema(SCHEMAS)
    response_fields = ResponseFields(ignored=(*LINKS, "tracking_key"))

    @override
    def fetch(self, task: PageTask) -> PageResult:
        if not task.partition:
            return super().fetch(task)
        record = self.client.product(task.partition["product_id"]).record
        rows = self.checked(self.shaped([record]))
        return PageResult(rows, KnownPage(""), PageInfo.of([record], ids=ids_of([record])))


class Reports(CoreList):
    """Saved reports. ``GET /core/reports``, or of each product."""

    name = "reports"


class Events(CoreList):
    """The events that are tracked. ``GET /core/events``, or of each product."""

    name = "events"
    response_fields = ResponseFields(raw_types=TOTAL, ignored=LINKS)

    @override
    def shape(self, row: Any) -> None:
        make_total_integer(row)


class Properties(CoreList):
    """The properties of people. ``GET /core/properties``, or of each product."""

    name = "properties"


class Metrics(CoreList):
    """The metrics that are defined. ``GET /core/metrics``, or of each product."""

    name = "metrics"
    # The documents say true or false; their sample is a text.
    response_fields = ResponseFields(
        raw_types={"status": {"type": ["string", "boolean", "null"]}}, ignored=LINKS
    )

    @override
    def shape(self, row: Any) -> None:
        if isinstance(row.status, bool):
            row.status = "true" if row.status else "false"
