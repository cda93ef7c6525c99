"""One pipeline for all streams: pages, bookmarks, inserted tasks, failures, concurrency."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from sandbox.exchange import Request as Received
from sandbox.exchange import Response, json_response
from sandbox.frame import Frame
from sandbox.server import running
from tap_kit.errors import JobFailed
from tap_kit.flow.tasks import Result, WindowTask
from tap_kit.net.http import Api, Request
from tap_kit.streams import KitStream, WindowedStream
from typing_extensions import override

from tests.kit.apis import client
from tests.kit.canned import ID, TEXT, CannedTap, Run, run_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tap_kit.flow.tasks import Partition, Task
    from tap_kit.flow.windows import Window
    from tap_kit.rows.check import Row
    from tap_kit.run.run import Run as TapRun

DAYS = {"start_date": "2024-01-01", "end_date": "2024-01-03"}
SCHEMA = {"type": "object", "properties": {"id": ID, "date": TEXT, "name": TEXT}}
PAGES = 3
PATIENCE_S = 20.0


@dataclass(frozen=True)
class PageTask(WindowTask):
    """A task that reads one page of a day."""

    page: int = 1


@dataclass(frozen=True)
class PageResult(Result):
    """The rows of a page, and the number of the next page."""

    next_page: int | None


class Paged(WindowedStream[PageTask, PageResult]):
    """A stream with three pages per day."""

    name = "paged"
    schema = SCHEMA
    primary_keys = ("id",)
    replication_key = "date"
    stop_at: ClassVar[tuple[int, int] | None] = None  # a day and a page

    @override
    def window_tasks(self, partition: Partition, window: Window) -> Iterator[PageTask]:
        yield PageTask(self, partition, window)

    @override
    def fetch(self, task: PageTask) -> PageResult:
        day, page = task.window.first, task.page
        row = {"id": day.day * 10 + page, "date": day.isoformat()}
        return PageResult(self.checked([row]), page + 1 if page < PAGES else None)

    @override
    def finalize(self, task: PageTask, result: PageResult) -> Sequence[Row]:
        # A recorded job makes the run write a state after each page.
        self.run.jobs.record(task, {"id": str(task.page)})
        if self.stop_at == (task.window.first.day, task.page):
            self.run.stop.set()
        return result.rows

    @override
    def follow_ups(self, task: PageTask, result: PageResult) -> Iterator[PageTask]:
        if result.next_page is not None:
            yield replace(task, page=result.next_page)


class Repeating(Paged):
    """A stream that reads its second day twice."""

    name = "repeating"

    def __init__(self, tap: CannedTap, run: TapRun) -> None:
        super().__init__(tap, run)
        self.written: list[int] = []

    @override
    def on_window_written(self, task: PageTask) -> None:
        super().on_window_written(task)
        self.written.append(task.window.first.day)
        if self.written.count(2) == 1 and self.written[-1] == 2:
            self.run.ahead.insert(replace(task, page=1))


class Whole(KitStream):
    """A stream with two rows and no windows."""

    name = "whole"
    schema = SCHEMA
    primary_keys = ("id",)

    @override
    def fetch(self, task: Task) -> Result:
        return Result(self.checked([{"id": 1}, {"id": 2}]))


class Breaking(Whole):
    """A stream that fails after its first row."""

    name = "breaking"

    @override
    def batches(self, task: Task, result: Result) -> Iterator[Sequence[Row]]:
        yield result.rows[:1]
        msg = "the export is gone"
        raise JobFailed(msg)


class BreakingDays(Paged):
    """A stream that fails after the second page of its second day."""

    name = "breaking_days"

    @override
    def batches(self, task: PageTask, result: PageResult) -> Iterator[Sequence[Row]]:
        yield from super().batches(task, result)
        if (task.window.first.day, task.page) == (2, 2):
            msg = "the export is gone"
            raise JobFailed(msg)


def run(
    *streams: Callable[..., KitStream[Any, Any]], state: dict[str, Any] | None = None, **config: Any
) -> Run:
    """Run a tap with these streams."""

    class Tap(CannedTap):
        @override
        def discover_streams(self) -> list[Any]:
            return [stream(self, self.run) for stream in streams]

    return run_of(Tap(config={**DAYS, **config}, state=state))


def bookmark(state: dict[str, Any], stream: str) -> str | None:
    """Return the bookmark of a stream; None if there is none."""
    value: str | None = (
        state["value"].get("bookmarks", {}).get(stream, {}).get("replication_key_value")
    )
    return value


ALL = [day * 10 + page for day in (1, 2, 3) for page in (1, 2, 3)]


def day_of(state: dict[str, Any], stream: str = "paged") -> int:
    """Return the day of a bookmark; 0 if there is none."""
    return int((bookmark(state, stream) or "0")[-2:])


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_bookmark_advances_after_the_last_page_of_its_window(workers: int) -> None:
    done = run(Paged, max_concurrency=workers)
    assert [r["id"] for r in done.records] == ALL
    pages, seen = 0, []
    for message in done.messages:
        pages += message["type"] == "RECORD"
        if message["type"] == "STATE":
            seen.append((pages, day_of(message)))
    after_each_page = [(page, (page - 1) // PAGES) for page in range(1, 10)]
    assert seen[:9] == after_each_page, "the bookmark advances after the last row"
    assert set(seen[9:]) == {(9, 3)}


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize(("day", "page"), [(1, 1), (1, 3), (2, 1), (2, 2), (2, 3), (3, 2)])
def test_bookmark_does_not_advance_when_a_run_is_stopped_between_pages(
    day: int, page: int, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Paged, "stop_at", (day, page))
        before = run(Paged, max_concurrency=workers)
    assert before.error == "the run is being stopped"
    assert [r["id"] for r in before.records] == ALL[: (day - 1) * PAGES + page]
    last = before.of("STATE")[-1]
    assert day_of(last) == day - 1
    after = run(Paged, state=json.loads(json.dumps(last["value"])))
    first = max(day - 1, 1)  # the bookmarked day is read again
    assert [r["id"] for r in after.records] == ALL[(first - 1) * PAGES :]


@pytest.mark.parametrize("workers", [1, 4])
def test_inserted_task_is_read_before_the_rest_of_the_plan(workers: int) -> None:
    done = run(Repeating, Whole, max_concurrency=workers)
    assert done.error == ""
    rows = [r["id"] for r in done.records]
    assert rows == [11, 12, 13, 21, 22, 23, 21, 22, 23, 31, 32, 33, 1, 2]


def test_inserted_task_can_be_the_last_of_the_run() -> None:
    done = run(Repeating, end_date="2024-01-02")
    assert [r["id"] for r in done.records] == [11, 12, 13, 21, 22, 23, 21, 22, 23]


@pytest.mark.parametrize("workers", [1, 4])
def test_stream_that_fails_while_it_is_written_leaves_the_others_complete(workers: int) -> None:
    done = run(Breaking, Whole, BreakingDays, Paged, max_concurrency=workers)
    found = {
        name: [m["record"]["id"] for m in done.of("RECORD") if m["stream"] == name]
        for name in ("breaking", "whole", "breaking_days", "paged")
    }
    assert found["breaking"] == [1]
    assert found["whole"] == [1, 2]
    assert found["breaking_days"] == [11, 12, 13, 21, 22, 31, 32, 33]
    assert len(found["paged"]) == 9
    last = done.of("STATE")[-1]
    assert bookmark(last, "breaking_days") == "2024-01-01"
    assert bookmark(last, "paged") == "2024-01-03"
    assert done.error.startswith("All other streams are complete; these failed: ")
    assert done.error.endswith("failed: breaking; breaking_days, 2024-01-02")


class Downloads(WindowedStream):
    """A stream with a request in a worker and a download in the main thread for each day."""

    name = "downloads"
    schema = SCHEMA
    primary_keys = ("id",)
    replication_key = "date"
    api: ClassVar[Api]

    @override
    def fetch(self, task: WindowTask) -> Result:
        self.api.send(Request("/list"), list)
        return Result(self.checked([{"id": 1}]))

    @override
    def batches(self, task: WindowTask, result: Result) -> Iterator[Sequence[Row]]:
        for _ in self.api.open(Request("/file")):
            yield result.rows


@pytest.mark.parametrize("concurrency", [1, 2, 4])
def test_downloads_and_workers_share_the_limit_of_concurrent_requests(
    concurrency: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def respond(_request: Received) -> Response:
        return json_response([])

    frame = Frame(respond, latency_ms=10)

    class Tap(CannedTap):
        @override
        def discover_streams(self) -> list[Any]:
            return [Downloads(self, self.run)]

    tap = Tap(config={**DAYS, "end_date": "2024-01-20", "max_concurrency": concurrency})
    with running(frame) as server, client(server.url, throttle=tap.run.throttle) as api:
        monkeypatch.setattr(Downloads, "api", api, raising=False)
        done = run_of(tap)
    assert done.error == ""
    assert frame.log.count == 40
    assert frame.log.max_in_flight == concurrency


class Lists(WindowedStream):
    """A request for each day; the rows of the first one take long to check."""

    name = "lists"
    schema = SCHEMA
    primary_keys = ("id",)
    replication_key = "date"
    api: Api
    one_request_per_task = True
    others_are_requested: ClassVar[Callable[[], bool]]

    @override
    def fetch(self, task: WindowTask) -> Result:
        self.api.send(Request(f"/{task.window_name}"), list)
        if task.window_name == DAYS["start_date"]:
            deadline = time.monotonic() + PATIENCE_S
            while not type(self).others_are_requested() and time.monotonic() < deadline:
                time.sleep(0.01)
        return Result(self.checked([{"id": 1, "date": task.window_name}]))


def test_rows_are_checked_while_all_places_for_requests_are_in_use(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Otherwise each check of rows adds to the time of a request."""
    concurrency = 4

    def are_requested() -> bool:
        return frame.log.max_in_flight == concurrency

    async def respond(request: Received) -> Response:
        deadline = time.monotonic() + PATIENCE_S
        while DAYS["start_date"] not in request.path and not are_requested():
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)
        return json_response([])

    frame = Frame(respond)

    class Tap(CannedTap):
        @override
        def discover_streams(self) -> list[Any]:
            return [Lists(self, self.run)]

    tap = Tap(config={**DAYS, "end_date": "2024-01-09", "max_concurrency": concurrency})
    with running(frame) as server, client(server.url, throttle=tap.run.throttle) as api:
        monkeypatch.setattr(Lists, "api", api, raising=False)
        monkeypatch.setattr(Lists, "others_are_requested", are_requested, raising=False)
        done = run_of(tap)
    assert done.error == ""
    assert frame.log.count == 9
    assert frame.log.max_in_flight == concurrency
