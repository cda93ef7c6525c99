"""Lists of records, in both versions of the API: read page by page, and again when they change."""

from __future__ import annotations

import abc
from functools import cached_property
from typing import TYPE_CHECKING, Any

from singer_sdk import StreamSchema
from tap_kit.flow.tasks import Found, Result, Task
from tap_kit.rows.check import ResponseFields
from typing_extensions import override

from tap_kissmetrics.lists.bodies import list_decoder
from tap_kissmetrics.lists.pages import PagedStream
from tap_kissmetrics.lists.pagination import PASSES, Reading, changed_too_often

if TYPE_CHECKING:
    from collections.abc import Sequence

    from singer_sdk import Stream
    from tap_kit.flow.tasks import Partition
    from tap_kit.net.http import Decode
    from tap_kit.rows.check import Row

    from tap_kissmetrics.lists.pagination import CorePaginator, Page
    from tap_kissmetrics.tap import TapKissmetrics


LINKS = ("links",)  # volatile, and bound to a host
TOTAL = {"total": {"type": ["integer", "string", "null"]}}


class ListStream(PagedStream, abc.ABC):
    """A list of the API, token-wide or of each product."""

    primary_keys = ("id",)
    response_fields = ResponseFields(ignored=LINKS)

    def __init__(self, tap: TapKissmetrics) -> None:
        super().__init__(tap)
        self._pass = 1  # over the list that is being read

    @abc.abstractmethod
    def pages(self, partition: Partition | None) -> CorePaginator:
        """The pages of the list, at the first one."""

    @abc.abstractmethod
    def page(self, path: str, decode: Decode) -> Page:
        """One of its pages, its records as ``decode`` makes them."""

    def record_keys(self) -> Sequence[str]:
        """The names under which an answer can have the records."""
        return ("data", "rows")

    @cached_property
    def decoder(self) -> Decode:
        """Makes rows of an answer."""
        return list_decoder(self.row_check, self.record_keys())

    @override
    def read(self, task: Task) -> Sequence[Any]:
        paginator = task.piece or self.pages(task.partition)
        page = self.page(paginator.current_value, self.decoder)
        return self.found(page.records, (paginator, page.facts))

    def found(self, records: Sequence[Any], note: Any) -> Found:
        """The records as rows, shaped."""
        rows = self.row_check.typed(records)
        for row in rows:
            self.shape(row)
        return Found(rows, note)

    def shape(self, row: Any) -> None:
        """Make a row, which has all that the answer has, what the stream's schema says."""

    @override
    def finalize(self, task: Task, result: Result) -> Sequence[Row]:
        if task.piece is None:
            self._reading = Reading()
        self._reading.add(result.note[1], task)
        return result.rows

    @override
    def on_window_written(self, task: Task) -> None:
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


class ProductSchema(StreamSchema[str]):
    """The schema of products, without the tracking key where nobody asked for it."""

    @override
    def get_stream_schema(self, stream: Stream, stream_class: type[Stream]) -> dict[str, Any]:
        schema = super().get_stream_schema(stream, stream_class)
        if stream.config.get("include_tracking_key"):
            return schema
        kept = {k: v for k, v in schema["properties"].items() if k != "tracking_key"}
        return {**schema, "properties": kept}


def make_total_whole(row: Any) -> None:
    """Make a row's ``total`` a number; the vendor's own client casts it."""
    if isinstance(row.total, str) and row.total.isdecimal():
        row.total = int(row.total)
