"""The work as a tap of this project does it: a stream that uses only the kit's public parts."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec
from requests.auth import AuthBase
from singer_sdk import typing as th
from tap_kit.errors import SyncFailed
from tap_kit.flow.tasks import Found, Partition, Result, Task
from tap_kit.net.http import Api, Refusal, Request
from tap_kit.rows.check import RowDecoder
from tap_kit.run.settings import common_settings
from tap_kit.streams import KitStream
from tap_kit.tap import KitTap
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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


class Records(KitStream):
    """A list in pages. ``GET /records?page=N`` -> ``{"pages": int, "data": [{...}]}``."""

    tap: TapBench
    name = "records"
    primary_keys = ("id",)
    schema = SCHEMA

    @override
    def all_partitions(self) -> Iterator[Partition] | None:
        count = self.tap.config.get("partitions")
        return ({"partition": number} for number in range(count)) if count else None

    @cached_property
    def decoder(self) -> RowDecoder:
        """The decoder that turns a response into typed rows."""
        return RowDecoder(self.row_check, lambda row: Page[row])  # type: ignore[valid-type]

    @override
    def read(self, task: Task) -> Sequence[Any]:
        request = Request("/records", {**(task.partition or {}), "page": task.piece or 1})
        page = self.tap.api.ask(request, Page, decode=self.decoder).value
        is_first = task.piece is None
        return Found(page.data, range(2, page.pages + 1) if is_first else ())

    @override
    def follow_ups(self, task: Task, result: Result) -> Iterator[Task]:
        return (replace(task, piece=number) for number in result.note)


class TapBench(KitTap):
    """A tap of one stream."""

    name = "tap-bench"
    config_jsonschema = th.PropertiesList(
        th.Property("api_url", th.StringType, required=True),
        th.Property("partitions", th.IntegerType),
        *common_settings(lookback_days=0),
    ).to_dict()

    @override
    def discover_streams(self) -> list[Stream]:
        return [Records(self)]

    @override
    def check_access(self) -> str:
        return "no access check"

    @cached_property
    def api(self) -> Api:
        """The API."""
        return Api(
            self.config["api_url"],
            auth=NoAuth(),
            judge=judge,
            throttle=self.throttle,
            timeout_s=self.config["request_timeout"],
            user_agent=self.user_agent,
            connections=self.config["max_concurrency"],
        )


def judge(refusal: Refusal) -> Exception:
    """Return the error for a refusal."""
    return SyncFailed(f"{refusal.source}: HTTP {refusal.status}")


if __name__ == "__main__":
    TapBench.cli()
