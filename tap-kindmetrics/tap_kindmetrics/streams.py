"""The ten streams of Kindmetrics."""

from __future__ import annotations

from abc import ABC
from datetime import datetime, timezone
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Generic

from singer_sdk import SchemaDirectory, StreamSchema
from tap_kit import (
    KitStream,
    ResponseFields,
    Result,
    RowDecoder,
    Task,
    TaskT,
    WindowedStream,
    WindowTask,
    has_any_of,
    row_ids,
    set_fields,
    values_of,
)
from typing_extensions import override

from tap_kindmetrics import schemas
from tap_kindmetrics.client import ListFormat

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from singer_sdk import Tap
    from tap_kit import Partition, Response, Row

    from tap_kindmetrics.client import Client
    from tap_kindmetrics.selection import Selection

SCHEMAS = SchemaDirectory(schemas)
OWN_FIELDS = ("row_id", "domain_id", "segment", "date", "date_to")


class KindmetricsStream(KitStream[TaskT], ABC, Generic[TaskT]):
    """A stream of an account."""

    schema = StreamSchema(SCHEMAS)
    one_request_per_task = True

    def __init__(self, tap: Tap, selection: Selection) -> None:
        self.selection = selection
        super().__init__(tap, selection.run)

    @property
    def client(self) -> Client:
        """The API."""
        return self.selection.client


class Account(KindmetricsStream):
    """The account behind the token. ``GET /api/me`` -> ``{"email": str}``."""

    name = "account"
    primary_keys = ("email",)

    @override
    def fetch(self, task: Task) -> Result:
        return Result(self.checked([self.client.account()]))


class Domains(KindmetricsStream):
    """The domains to read. ``GET /api/domains`` -> ``[{"id": int, "address": str}]``."""

    name = "domains"
    primary_keys = ("id",)

    @override
    def fetch(self, task: Task) -> Result:
        return Result(self.checked(self.selection.domains))


class CurrentVisitors(KindmetricsStream):
    """Visitors on the site right now. ``GET /api/domains/{id}/current`` -> ``{"current": int}``."""

    name = "current_visitors"
    primary_keys = ("domain_id", "observed_at")

    @override
    def all_partitions(self) -> Iterator[Partition]:
        return ({"domain_id": domain_id} for domain_id in self.selection.domain_ids)

    @override
    def fetch(self, task: Task) -> Result:
        domain_id = task.partition["domain_id"]
        figures = self.client.current(domain_id)
        row = {
            "domain_id": domain_id,
            "observed_at": datetime.now(tz=timezone.utc).isoformat(),
            "current_visitors": figures.pop("current"),
            **figures,
        }
        return Result(self.checked([row]))


class SegmentStream(WindowedStream, KindmetricsStream[WindowTask], ABC):
    """Figures of a segment of a domain over a window of days."""

    replication_key = "date"

    @override
    def all_partitions(self) -> Iterator[Partition]:
        return (
            {"domain_id": domain_id, "segment": segment}
            for domain_id, segment in self.selection.segments_by_domain
        )

    @override
    def owner(self, partition: Partition) -> Partition:
        # A plan is that of a domain. An account without domains has no partition.
        return {name: value for name, value in partition.items() if name == "domain_id"}

    def parameters(self, task: WindowTask) -> dict[str, str | int]:
        """Return the query of a request: the window's days, both included, and the filters."""
        days = _days(task)
        filters = self.selection.segments[task.partition["segment"]]
        return {"from": days["date"], "to": days["date_to"], **filters}


class DomainStats(SegmentStream):
    """A domain's figures, one row for each window. ``GET /api/domains/{id}`` -> an object."""

    name = "domain_stats"
    primary_keys = ("domain_id", "segment", "date")

    @override
    def fetch(self, task: WindowTask) -> Result:
        partition = task.partition
        fields = self.schema["properties"].keys() - {*partition, *_days(task)}
        figures = self.client.figures(partition["domain_id"], self.parameters(task), fields)
        return Result(self.checked([{**partition, **_days(task), **figures}]))


class Breakdown(SegmentStream, ABC):
    """A list of a domain over a window. ``GET /api/domains/{id}/{stream}`` -> ``[{...}]``.

    Parts of the natural key can be null or long, so the key is a hash of them.
    """

    primary_keys = ("row_id",)
    natural_key: ClassVar[tuple[str, ...]]

    @override
    def __init_subclass__(cls) -> None:
        cls.response_fields = ResponseFields(computed=OWN_FIELDS, inputs=cls.natural_key)

    @cached_property
    def decoder(self) -> RowDecoder:
        """The decoder that makes rows of the list in a response."""
        return RowDecoder(self.row_check)

    @override
    def fetch(self, task: WindowTask) -> Result:
        form = ListFormat(self.decoder, self.problem)
        domain_id = task.partition["domain_id"]
        rows = self.client.breakdown(domain_id, self.name, self.parameters(task), form)
        self.shape(rows, task)
        return Result(self.checked(rows))

    def problem(self, response: Response) -> str | None:
        """Return what is wrong with rows that have no part of their natural key, not even null.

        Such rows come from a proxy or describe an error.
        """
        key = self.natural_key
        if all(has_any_of(row, key) for row in response.value):
            return None
        return f"expected a list of objects with {', '.join(key)}"

    def shape(self, rows: Sequence[Row], task: WindowTask) -> None:
        """Set the key, the partition and the window of each row."""
        partition, days = task.partition, _days(task)
        owner = (*partition.values(), days["date"])
        keys = row_ids((*owner, *values_of(row, self.natural_key)) for row in rows)
        set_fields(rows, {**partition, **days})
        for key, row in zip(keys, rows, strict=True):
            row.row_id = key  # type: ignore[attr-defined]  # one of the computed fields


class Pages(Breakdown):
    """Visitors by page."""

    name = "pages"
    natural_key = ("address",)


class EntryPages(Breakdown):
    """Visitors by the first page of their session."""

    name = "entry_pages"
    natural_key = ("address",)


class Sources(Breakdown):
    """Visitors by source and medium; the server leaves out visitors without a source."""

    name = "sources"
    natural_key = ("source", "medium")


class Referrers(Breakdown):
    """Visitors by the page that linked to the domain."""

    name = "referrers"
    natural_key = ("url", "domain")


class Countries(Breakdown):
    """Visitors by country; the server returns only the six largest."""

    name = "countries"
    natural_key = ("name",)


class Goals(Breakdown):
    """Conversions by goal; two goals of different kinds can have the same name."""

    name = "goals"
    natural_key = ("name", "kind")


def _days(task: WindowTask) -> dict[str, str]:
    return {"date": task.window.first.isoformat(), "date_to": task.window.last.isoformat()}
