"""Three streams, one for each way of reading: pages, windows, a job for each window."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Generic

from singer_sdk import typing as th
from tap_kit import (
    KitStream,
    Request,
    ResponseFields,
    Result,
    ResultT,
    Task,
    TaskT,
    WindowedStream,
    WindowTask,
)
from typing_extensions import override

from tap_example.client import Export

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk import Tap
    from tap_kit import Partition

    from tap_example.client import Client


@dataclass(frozen=True)
class PageTask(Task):
    """A page of the list."""

    page: int = 1


@dataclass(frozen=True)
class PageResult(Result):
    """The rows of a page, and how many pages there are."""

    pages: int


class ExampleStream(KitStream[TaskT, ResultT], ABC, Generic[TaskT, ResultT]):
    """A stream that has the client."""

    def __init__(self, tap: Tap, client: Client) -> None:
        super().__init__(tap, client.run)
        self.client = client


class Sites(ExampleStream[PageTask, PageResult]):
    """A list in pages. ``GET /sites?page=N`` -> ``{"pages": int, "data": [{...}]}``."""

    name = "sites"
    primary_keys = ("id",)
    schema = th.PropertiesList(
        th.Property("id", th.IntegerType, required=True, description="The site's id."),
        th.Property("name", th.StringType, description="The site's name."),
    ).to_dict()

    @override
    def tasks(self, partition: Partition) -> Iterator[PageTask]:
        yield PageTask(self, partition)  # the first page names the others

    @override
    def fetch(self, task: PageTask) -> PageResult:
        response: dict[str, Any] = self.client.api.send(
            Request("/sites", {"page": task.page}), dict
        ).value
        return PageResult(self.checked(response["data"]), response["pages"])

    @override
    def follow_ups(self, task: PageTask, result: PageResult) -> Iterator[PageTask]:
        if task.page == 1:
            yield from (replace(task, page=page) for page in range(2, result.pages + 1))


class Visits(WindowedStream, ExampleStream[WindowTask]):
    """Figures of each site and day. ``GET /sites/{id}/visits?from=D&to=D`` -> ``[{...}]``."""

    name = "visits"
    primary_keys = ("site_id", "date", "page")
    replication_key = "date"
    response_fields = ResponseFields(computed=("site_id", "date"))
    schema = th.PropertiesList(
        th.Property("site_id", th.IntegerType, required=True, description="The site's id."),
        th.Property("date", th.DateType, required=True, description="The first day of the window."),
        th.Property("page", th.StringType, required=True, description="Path of the page."),
        th.Property("visits", th.IntegerType, description="Visits of the page in the window."),
    ).to_dict()

    @override
    def all_partitions(self) -> Iterator[Partition]:
        return ({"site_id": site_id} for site_id in self.run.config["site_ids"])

    @override
    def fetch(self, task: WindowTask) -> Result:
        first, last = task.window.first.isoformat(), task.window.last.isoformat()
        request = Request(f"/sites/{task.partition['site_id']}/visits", {"from": first, "to": last})
        rows: list[dict[str, Any]] = self.client.api.send(request, list).value
        return Result(self.checked([{**task.partition, "date": first, **row} for row in rows]))


class Orders(WindowedStream, ExampleStream[WindowTask]):
    """Rows of an export, which is a job for each day."""

    name = "orders"
    primary_keys = ("id",)
    replication_key = "day"
    response_fields = ResponseFields(computed=("day",))
    schema = th.PropertiesList(
        th.Property("id", th.IntegerType, required=True, description="The order's id."),
        th.Property("day", th.DateType, required=True, description="The day of the order."),
        th.Property("amount", th.NumberType, description="What was paid, in euros."),
    ).to_dict()

    @override
    def fetch(self, task: WindowTask) -> Result:
        jobs, day = self.run.jobs, task.window.first.isoformat()
        record = partial(jobs.record, task)  # the state keeps the id until the rows are written
        path = self.client.runner.run(Export(self.client.api, day), task, jobs.known(task), record)
        rows: list[dict[str, Any]] = self.client.api.send(Request(path), list).value
        return Result(self.checked([{"day": day, **row} for row in rows]))

    @override
    def on_window_written(self, task: WindowTask) -> None:
        super().on_window_written(task)
        self.run.jobs.forget_up_to(task)
