"""Lists of records, in every version of the API: read in pages, and again when they change."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Generic, cast

import msgspec
from msgspec import UNSET, UnsetType, defstruct
from singer_sdk import StreamSchema
from tap_kit import KitStream, ListPass, PageInfo, ResponseFields, Result, RowDecoder, Task
from typing_extensions import TypeVar, override

from tap_kissmetrics.lists.pagination import Place, further_pages, is_record

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from singer_sdk import Stream
    from tap_kit import Decode, Partition, Row, RowCheck

    from tap_kissmetrics.lists.pagination import LinkPaginator, Page

LINKS = ("links",)  # they change at any time, and name a host
TOTAL = {"total": {"type": ["integer", "string", "null"]}}
_TOO_MANY_DIGITS = 20  # for 64 bits
# The other fields of a list's envelope; status and errors are those of an error.
_BESIDES_RECORDS = ("links", "pagination", "total", "meta", "status", "error", "errors")

PassT = TypeVar("PassT", bound=ListPass, default=ListPass)


@dataclass(frozen=True)
class PageTask(Task, Generic[PassT]):
    """A page of a list or of a query's result; the first one has no ``place`` yet."""

    list_pass: PassT = field(compare=False)
    place: Place | None = None


@dataclass(frozen=True)
class PageResult(Result):
    """The rows of a page, its place, and what it says besides its records."""

    place: Place
    info: PageInfo


PageTaskT = TypeVar("PageTaskT", bound=PageTask[Any])


class PagedStream(KitStream[PageTaskT, PageResult], ABC, Generic[PageTaskT]):
    """A stream whose tasks are pages.

    The first page makes the others known. They are read ahead when it states a total, and one
    after the other when it does not, or when the list is read again.
    """

    @override
    def follow_ups(self, task: PageTaskT, result: PageResult) -> Iterator[PageTaskT]:
        is_ahead = task.place is None and task.list_pass.number == 1
        for place in further_pages(result.place, result.info, is_ahead=is_ahead):
            yield replace(task, place=place)

    def read_again(self, task: PageTaskT) -> bool:
        """Read the list of ``task``, which is written, once more if it is not complete.

        Raises:
            SyncFailed: if it is not complete in the last of its passes.
        """
        following = task.list_pass.next_pass()
        if following is None:
            return False
        self.logger.info("%s: the list changed or is incomplete; reading it again", task)
        self.run.ahead.insert(replace(task, list_pass=following, place=None))
        return True


class ListStream(PagedStream[PageTask[PassT]], ABC, Generic[PassT]):
    """A list of the API, of all products or of each product."""

    primary_keys = ("id",)
    response_fields = ResponseFields(ignored=LINKS)

    @abstractmethod
    def pages(self, partition: Partition) -> LinkPaginator:
        """Return the pages of the list, at the first one."""

    @abstractmethod
    def page(self, path: str, decode: Decode) -> Page:
        """Return one of its pages, with the records that ``decode`` made."""

    def record_keys(self) -> Sequence[str]:
        """Return the names under which a response can have the records."""
        return ("data", "rows")

    def first_pass(self, what: object) -> PassT:
        """Return the first pass over the list; ``what`` names the list."""
        return cast("PassT", ListPass(what))

    @cached_property
    def decoder(self) -> Decode:
        """The decoder that makes rows of the records in a response."""
        return list_decoder(self.row_check, self.record_keys())

    @override
    def tasks(self, partition: Partition) -> Iterator[PageTask[PassT]]:
        yield PageTask(self, partition, self.first_pass(Task(self, partition)))

    @override
    def fetch(self, task: PageTask[PassT]) -> PageResult:
        place = task.place or self.pages(task.partition)
        page = self.page(place.path, self.decoder)
        return PageResult(self.checked(self.shaped(page.records)), place, page.info)

    def shaped(self, records: Sequence[Any]) -> list[Row]:
        """Return the records as rows that fit the stream's schema."""
        rows = self.row_check.to_rows(records)
        for row in rows:
            self.shape(row)
        return rows

    def shape(self, row: Any) -> None:
        """Change a row, which has all fields of the response, so that it fits the schema."""

    @override
    def finalize(self, task: PageTask[PassT], result: PageResult) -> Sequence[Row]:
        task.list_pass.add(result.info)
        return result.rows

    @override
    def on_window_written(self, task: PageTask[PassT]) -> None:
        if not self.read_again(task):
            self.on_list_written(task)

    def on_list_written(self, task: PageTask[PassT]) -> None:
        """React to the fact that all rows of a list are written."""


class ProductSchema(StreamSchema[str]):
    """The schema of products, without the tracking key unless a setting includes it."""

    @override
    def get_stream_schema(self, stream: Stream, stream_class: type[Stream]) -> dict[str, Any]:
        schema = super().get_stream_schema(stream, stream_class)
        if stream.config.get("include_tracking_key"):
            return schema
        kept = {k: v for k, v in schema["properties"].items() if k != "tracking_key"}
        return {**schema, "properties": kept}


def make_total_integer(row: Any) -> None:
    """Make a row's ``total`` a number, as the vendor's own client does.

    Python refuses to convert thousands of digits. The first digits are enough to show that the
    number has more than 64 bits, so that the check of the rows makes it null.
    """
    if isinstance(row.total, str) and row.total.isdecimal():
        row.total = int(row.total.lstrip("0")[:_TOO_MANY_DIGITS] or 0)


def list_decoder(check: RowCheck, keys: Sequence[str]) -> Decode:
    """Return a decoder that makes rows of a list's records, in an array or in an envelope.

    ``keys`` are the names that the records can have in the envelope. A response without a list
    of records is returned as plain values, so that the client reports it.
    """
    rows = RowDecoder(check, partial(_response_type, keys), is_record)

    def decode(body: bytes, source: str) -> Any:
        response = rows(body, source)
        if not isinstance(response, msgspec.Struct):
            return response
        parts = ((name, getattr(response, name)) for name in response.__struct_fields__)
        return {name: part for name, part in parts if part is not UNSET}

    return decode


def _response_type(keys: Sequence[str], row: Any) -> Any:
    records = list[row] | dict[str, Any] | None | UnsetType
    envelope = defstruct(
        "Envelope",
        [
            *((key, records, UNSET) for key in keys),
            *((name, Any, UNSET) for name in _BESIDES_RECORDS if name not in keys),
        ],
    )
    return list[row] | envelope
