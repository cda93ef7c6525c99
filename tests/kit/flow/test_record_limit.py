"""A run with a record limit, such as ``--test``: one task after the other, only as far as needed.

The SDK stops a stream at the first row beyond the limit. The limit here is one row.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tap_kit.errors import PartitionUnavailable
from tap_kit.flow.tasks import Result, WindowTask
from tap_kit.streams import WindowedStream
from typing_extensions import override

from tests.kit.canned import ID, TEXT, CannedTap, Table, captured, tap_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pytest
    from tap_kit.flow.tasks import Partition
    from tap_kit.flow.windows import Window
    from tap_kit.rows.check import Row
    from tap_kit.run.run import Run

DAYS = {"start_date": "2024-01-01", "end_date": "2024-01-05"}


def test_refused_partition_is_skipped(
    caplog: pytest.LogCaptureFixture,
) -> None:
    requested: list[str] = []

    def read(task: WindowTask) -> list[dict[str, Any]]:
        requested.append(str(task))
        if task.partition["site"] == 1:
            msg = "no plan"
            raise PartitionUnavailable(msg)
        return [{"id": number, "site": task.partition["site"]} for number in (1, 2)]

    sites = [{"site": number} for number in (1, 2, 3)]
    table = Table(
        {"id": ID, "site": ID, "date": TEXT}, read, partitions=sites, replication_key="date"
    )
    tap = tap_of(table)(config=DAYS)
    with captured():
        assert tap.run_connection_test()
    days = [f"figures, site 1, 2024-01-0{day}" for day in (1, 2, 3, 5)]
    assert requested == [*days, "figures, site 2, 2024-01-01"]
    assert "figures, site 1: skipped: no plan" in caplog.messages


def tap_with(stream: Callable[..., EmptyPages]) -> CannedTap:
    """Return a tap with this stream only, over five days."""

    class Tap(CannedTap):
        @override
        def discover_streams(self) -> Sequence[Any]:  # type: ignore[override]
            return [stream(self, self.run)]

    return Tap(config=DAYS)


@dataclass(frozen=True)
class PageTask(WindowTask):
    """A task that reads one page of a day."""

    page: int = 1


class EmptyPages(WindowedStream[PageTask]):
    """A stream with two pages per day; only the second page of the second day has rows."""

    name = "pages"
    schema = Table({"id": ID, "date": TEXT}, ()).schema
    primary_keys = ("id",)
    replication_key = "date"

    def __init__(self, tap: CannedTap, run: Run) -> None:
        super().__init__(tap, run)
        self.requested: list[tuple[int, int]] = []
        self.written: list[int] = []

    @override
    def window_tasks(self, partition: Partition, window: Window) -> Iterator[PageTask]:
        yield PageTask(self, partition, window)

    @override
    def fetch(self, task: PageTask) -> Result:
        place = task.window.first.day, task.page
        self.requested.append(place)
        return Result(self.checked([{"id": 1}, {"id": 2}] if place == (2, 2) else []))

    @override
    def follow_ups(self, task: PageTask, result: Result) -> Iterator[PageTask]:
        if task.page == 1:
            yield replace(task, page=2)

    @override
    def on_window_written(self, task: PageTask) -> None:
        self.written.append(task.window.first.day)


def test_pages_and_days_are_requested_until_there_are_rows_and_no_window_is_complete() -> None:
    tap = tap_with(EmptyPages)
    with captured():
        assert tap.run_connection_test()
    stream = tap.streams["pages"]
    assert isinstance(stream, EmptyPages)
    assert stream.requested == [(1, 1), (1, 2), (2, 1), (2, 2)]
    assert stream.written == []


class RefusedPages(EmptyPages):
    """A stream with three pages: the second is refused, and the third has the rows."""

    @override
    def fetch(self, task: PageTask) -> Result:
        if task.page == 2:
            msg = "no longer there"
            raise PartitionUnavailable(msg)
        return Result(self.checked([] if task.page == 1 else [{"id": 1}, {"id": 2}]))

    @override
    def follow_ups(self, task: PageTask, result: Result) -> Iterator[PageTask]:
        if task.page == 1:
            yield from (replace(task, page=number) for number in (2, 3))


def test_pages_after_a_refused_one_are_not_written() -> None:
    tap = tap_with(RefusedPages)
    with captured() as run:
        assert tap.run_connection_test()
    assert [line for line in run.lines if '"RECORD"' in line] == []


class InsertingPages(EmptyPages):
    """A stream that reads each page again."""

    @override
    def finalize(self, task: PageTask, result: Result) -> Sequence[Row]:
        self.run.ahead.insert(task)
        return super().finalize(task, result)


def test_inserted_tasks_are_ignored() -> None:
    tap = tap_with(InsertingPages)
    with captured():
        assert tap.run_connection_test()
    stream = tap.streams["pages"]
    assert isinstance(stream, InsertingPages)
    assert stream.requested == [(1, 1), (1, 2), (2, 1), (2, 2)]


def test_stream_without_rows_is_read_to_its_end() -> None:
    requested: list[str] = []

    def read(task: WindowTask) -> list[dict[str, Any]]:
        requested.append(str(task))
        return []

    table = Table({"id": ID, "date": TEXT}, read, replication_key="date")
    tap = tap_of(table)(config=DAYS)
    with captured():
        assert tap.run_connection_test()
    assert len(requested) == 5
