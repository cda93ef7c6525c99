"""The work as a tap of this project does it: a stream that uses only the kit's public parts."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec
from requests.auth import AuthBase
from singer_sdk import typing as th
from tap_kit import (
    Api,
    ErrorResponse,
    KitStream,
    KitTap,
    Partition,
    Request,
    Result,
    RowDecoder,
    SyncFailed,
    Task,
    common_settings,
)
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterator

    from requests import PreparedRequest
    from singer_sdk import Stream

SCHEMA = json.loads((Path(__file__).parent.parent / "schema.json").read_text("utf-8"))


R = TypeVar("R")


class Page(msgspec.Struct, Generic[R]):
    """A response: rows, and the number of pages."""

    pages: int
    data: list[R]


class NoAuth(AuthBase):
    """No credentials."""

    @override
    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        return request


@dataclass(frozen=True)
class PageTask(Task):
    """A page of a partition."""

    page: int = 1


@dataclass(frozen=True)
class PageResult(Result):
    """The rows of a page, and how many pages there are."""

    pages: int


class Records(KitStream[PageTask, PageResult]):
    """A list in pages. ``GET /records?page=N`` -> ``{"pages": int, "data": [{...}]}``."""

    name = "records"
    primary_keys = ("id",)
    schema = SCHEMA

    def __init__(self, tap: TapBench) -> None:
        super().__init__(tap, tap.run)
        self._api = tap.api

    @override
    def all_partitions(self) -> Iterator[Partition] | None:
        count = self.run.config.get("partitions")
        return ({"partition": number} for number in range(count)) if count else None

    @cached_property
    def decoder(self) -> RowDecoder:
        """The decoder that turns a response into typed rows."""
        return RowDecoder(self.row_check, lambda row: Page[row])  # type: ignore[valid-type]

    @override
    def tasks(self, partition: Partition) -> Iterator[PageTask]:
        yield PageTask(self, partition)

    @override
    def fetch(self, task: PageTask) -> PageResult:
        request = Request("/records", {**task.partition, "page": task.page})
        page = self._api.send(request, Page, decode=self.decoder).value
        return PageResult(self.checked(page.data), page.pages)

    @override
    def follow_ups(self, task: PageTask, result: PageResult) -> Iterator[PageTask]:
        if task.page == 1:
            yield from (replace(task, page=page) for page in range(2, result.pages + 1))


class TapBench(KitTap):
    """A tap of one stream."""

    name = "tap-bench"
    config_jsonschema = th.PropertiesList(
        th.Property("api_url", th.StringType, required=True),
        th.Property("partitions", th.IntegerType),
        th.Property("schema", th.StringType, description="File with the schema of other rows"),
        *common_settings(lookback_days=0),
    ).to_dict()

    @override
    def discover_streams(self) -> list[Stream]:
        if not (path := self.config.get("schema")):
            return [Records(self)]
        given = json.loads(Path(path).read_text("utf-8"))
        return [type("OtherRecords", (Records,), {"schema": given, "primary_keys": ()})(self)]

    @override
    def check_access(self) -> str:
        return "no access check"

    @cached_property
    def api(self) -> Api:
        """The API."""
        return self.run.open_api(self.config["api_url"], auth=NoAuth(), error_for=error_for)


def error_for(refusal: ErrorResponse) -> Exception:
    """Return the error for a refusal."""
    return SyncFailed(f"{refusal.source}: HTTP {refusal.status}")


if __name__ == "__main__":
    TapBench.cli()
