"""The ten streams of Kindmetrics."""

from __future__ import annotations

from abc import ABC
from datetime import datetime, timezone
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import SchemaDirectory, StreamSchema
from tap_kit.rows.check import ResponseFields, RowDecoder, has_any_of, set_fields, values_of
from tap_kit.rows.keys import row_ids
from tap_kit.streams import KitStream, WindowedStream
from typing_extensions import override

from tap_kindmetrics import schemas
from tap_kindmetrics.client import Wanted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_kit.flow.tasks import Partition, Task
    from tap_kit.net.http import Response
    from tap_kit.rows.check import Row

    from tap_kindmetrics.tap import TapKindmetrics

SCHEMAS = SchemaDirectory(schemas)
OWN_FIELDS = ("row_id", "domain_id", "segment", "date", "date_to")


class Account(KitStream):
    """The account behind the token. ``GET /api/me`` -> ``{"email": str}``."""

    tap: TapKindmetrics
    name = "account"
    primary_keys = ("email",)
    schema = StreamSchema(SCHEMAS)

    @override
    def read(self, task: Task) -> Sequence[dict[str, Any]]:
        return [self.tap.client.account()]


class Domains(KitStream):
    """The domains that are read. ``GET /api/domains`` -> ``[{"id": int, "address": str}]``."""

    tap: TapKindmetrics
    name = "domains"
    primary_keys = ("id",)
    schema = StreamSchema(SCHEMAS)

    @override
    def read(self, task: Task) -> Sequence[dict[str, Any]]:
        return self.tap.domains


class CurrentVisitors(KitStream):
    """Visitors at this moment. ``GET /api/domains/{id}/current`` -> ``{"current": int}``."""

    tap: TapKindmetrics
    name = "current_visitors"
    primary_keys = ("domain_id", "at")
    schema = StreamSchema(SCHEMAS)

    @override
    def all_partitions(self) -> Iterator[Partition]:
        return ({"domain_id": domain_id} for domain_id in self.tap.domain_ids)

    @override
    def read(self, task: Task) -> Sequence[dict[str, Any]]:
        domain_id = _partition(task)["domain_id"]
        answer = self.tap.client.current(domain_id)
        at = datetime.now(tz=timezone.utc).isoformat()
        return [{"domain_id": domain_id, "at": at, **answer}]


class SegmentStream(WindowedStream, ABC):
    """Figures of a domain's segment over a window of days."""

    tap: TapKindmetrics
    replication_key = "date"
    schema = StreamSchema(SCHEMAS)

    @override
    def all_partitions(self) -> Iterator[Partition]:
        return (
            {"domain_id": domain_id, "segment": segment}
            for domain_id in self.tap.domain_ids
            for segment in self.tap.segments
        )

    def parameters(self, task: Task) -> dict[str, str | int]:
        """The query of one request: the window's days, both included, and the segment's filters."""
        window = _window(task)
        filters = self.tap.segments[_partition(task)["segment"]]
        return {"from": window["date"], "to": window["date_to"], **filters}


class DomainStats(SegmentStream):
    """A domain's figures, a row a window. ``GET /api/domains/{id}`` -> an object without id."""

    name = "domain_stats"
    primary_keys = ("domain_id", "segment", "date")

    @override
    def read(self, task: Task) -> Sequence[dict[str, Any]]:
        partition = _partition(task)
        fields = self.schema["properties"].keys() - {*partition, *_window(task)}
        answer = self.tap.client.figures(partition["domain_id"], self.parameters(task), fields)
        return [{**partition, **_window(task), **answer}]


class Breakdown(SegmentStream, ABC):
    """A list of a domain over a window. ``GET /api/domains/{id}/{stream}`` -> ``[{...}]``.

    The parts of the natural key can be null or long, so the key is a hash of them.
    """

    primary_keys = ("row_id",)
    natural_key: ClassVar[tuple[str, ...]]

    @override
    def __init_subclass__(cls) -> None:
        cls.response_fields = ResponseFields(own=OWN_FIELDS, needed=cls.natural_key)

    @cached_property
    def decoder(self) -> RowDecoder:
        """Makes rows of the list in an answer."""
        return RowDecoder(self.row_check)

    @override
    def read(self, task: Task) -> Sequence[Row]:
        client, domain_id = self.tap.client, _partition(task)["domain_id"]
        want = Wanted(self.decoder, self.problem)
        rows = client.breakdown(domain_id, self.name, self.parameters(task), want)
        self.shape(rows, task)
        return rows

    def problem(self, answer: Response) -> str | None:
        """What is wrong with rows that have no part of their natural key, not even a null one.

        They are a proxy's, or the text of an error.
        """
        key = self.natural_key
        if all(has_any_of(row, key) for row in answer.value):
            return None
        return f"expected a list of objects with {', '.join(key)}"

    def shape(self, rows: Sequence[Row], task: Task) -> None:
        """Give the rows their key, their partition and their window."""
        partition, window = _partition(task), _window(task)
        owner = (*partition.values(), window["date"])
        keys = row_ids((*owner, *values_of(row, self.natural_key)) for row in rows)
        set_fields(rows, {**partition, **window})
        for key, row in zip(keys, rows, strict=True):
            row.row_id = key  # type: ignore[attr-defined]  # one of the own fields


class Pages(Breakdown):
    """Visitors by page."""

    name = "pages"
    natural_key = ("address",)


class EntryPages(Breakdown):
    """Visitors by the first page of their session."""

    name = "entry_pages"
    natural_key = ("address",)


class Sources(Breakdown):
    """Visitors by source and medium; the server leaves out those without a source."""

    name = "sources"
    natural_key = ("source", "medium")


class Referrers(Breakdown):
    """Visitors by the page that linked to the domain."""

    name = "referrers"
    natural_key = ("url", "domain")


class Countries(Breakdown):
    """Visitors by country; the server gives the six largest only."""

    name = "countries"
    natural_key = ("name",)


class Goals(Breakdown):
    """Conversions by goal; two goals may share a name with different kinds."""

    name = "goals"
    natural_key = ("name", "kind")


def _partition(task: Task) -> Partition:
    if task.partition is None:  # pragma: no cover  (for the type checker: the plan has one)
        msg = f"{task.stream.name} is read by domain"
        raise TypeError(msg)
    return task.partition


def _window(task: Task) -> dict[str, str]:
    if task.window is None:  # pragma: no cover  (for the type checker: the plan has one)
        msg = f"{task.stream.name} is read in windows"
        raise TypeError(msg)
    return {"date": task.window.first.isoformat(), "date_to": task.window.last.isoformat()}
