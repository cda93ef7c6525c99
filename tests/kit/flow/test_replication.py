"""Replication methods, and bookmarks of partitions and of other types."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from singer_sdk.singerlib import Catalog
from tap_kit.flow.windows import DayRange
from tap_kit.rows.chunks import Chunk
from typing_extensions import override

from tests.kit.canned import ID, TEXT, CannedTap, Run, Table, WindowTable, run_of, tap_of

if TYPE_CHECKING:
    from tap_kit.flow.tasks import Partition, WindowTask
    from tap_kit.flow.windows import Window

DAYS = {"start_date": "2024-01-01", "end_date": "2024-01-03"}
SITES = ({"site": 1}, {"site": 2})


def daily(task: WindowTask) -> list[dict[str, Any]]:
    """Return one row per day."""
    return [{"id": task.window.first.day, "date": task.window.first.isoformat()}]


FIGURES = Table({"id": ID, "date": TEXT}, daily, replication_key="date")


def run(method: str | None, bookmark: object, table: Table = FIGURES) -> Run:
    """Run a tap with this replication method in the catalog and this bookmark in the state."""
    tap = tap_of(table)
    catalog = tap(config=DAYS).catalog_dict
    for entry in catalog["streams"]:
        for item in entry["metadata"]:
            if not item["breadcrumb"] and method:
                item["metadata"]["forced-replication-method"] = method
        entry["replication_method"] = method or entry["replication_method"]
    entry = {"replication_key": "date", "replication_key_value": bookmark}
    state = {"bookmarks": {"figures": entry}} if bookmark is not None else {}
    return run_of(tap(config=DAYS, state=state, catalog=Catalog.from_dict(catalog)))


def days(done: Run) -> list[int]:
    return [record["id"] for record in done.records]


def reached(done: Run) -> object:
    """Return the bookmark in the last state."""
    entry = done.of("STATE")[-1]["value"]["bookmarks"].get("figures", {})
    return entry.get("replication_key_value")


def test_windowed_stream_continues_at_its_bookmark_by_default() -> None:
    done = run(None, "2024-01-02")
    assert (days(done), reached(done)) == ([2, 3], "2024-01-03")


def test_full_table_replication_reads_from_the_start() -> None:
    done = run("FULL_TABLE", "2024-01-03")
    assert days(done) == [1, 2, 3]


def test_full_table_replication_advances_no_bookmark() -> None:
    assert reached(run("FULL_TABLE", "2024-01-01")) != "2024-01-03"
    assert reached(run("FULL_TABLE", None)) is None


@pytest.mark.parametrize("bookmark", [20240102, ["2024-01-02"], {"day": 2}, True, "2024-13-01"])
def test_bookmark_that_is_not_a_date_stops_the_run(bookmark: object) -> None:
    done = run(None, bookmark)
    assert days(done) == []
    assert done.error == (
        "figures: the bookmark in the state is not a date; repair or clear the state"
    )


def test_get_records_works_outside_a_sync_and_repeatedly() -> None:
    """A notebook or a test calls it without the SDK's record counter."""
    tap = tap_of(FIGURES)(config=DAYS)
    (stream,) = tap.streams.values()
    for days_read in (3, 1):
        chunks = list(stream.get_records(None))
        assert [len(chunk.rows) for chunk in chunks if isinstance(chunk, Chunk)] == [1] * days_read
        bookmarks = tap.state["bookmarks"]
        assert bookmarks["figures"]["replication_key_value"] == "2024-01-03"


def test_each_partition_continues_at_its_own_bookmark() -> None:
    table = Table({"id": ID, "date": TEXT}, daily, replication_key="date", partitions=SITES)
    entries = [
        {"context": site, "replication_key": "date", "replication_key_value": f"2024-01-0{day}"}
        for site, day in zip(SITES, (3, 2), strict=True)
    ]
    state = {"bookmarks": {"figures": {"partitions": entries}}}
    assert days(run_of(tap_of(table)(config=DAYS, state=state))) == [3, 2, 3]


def test_state_can_be_partitioned_by_some_keys_of_the_partition() -> None:
    table = Table(
        {"id": ID, "date": TEXT},
        daily,
        replication_key="date",
        partitions=({"site": 1, "part": "a"},),
    )
    tap = tap_of(table)(config=DAYS)
    (stream,) = tap.streams.values()
    stream.state_partitioning_keys = ["site"]
    done = run_of(tap)
    (entry,) = done.of("STATE")[-1]["value"]["bookmarks"]["figures"]["partitions"]
    assert entry["context"] == {"site": 1}
    assert entry["replication_key_value"] == "2024-01-03"


class ZonedTable(WindowTable):
    """A stream whose days start at a different hour in each partition."""

    name = "figures"
    schema: ClassVar[dict[str, Any]] = FIGURES.schema
    primary_keys = ("id",)
    replication_key = "date"
    table = Table({}, daily, partitions=({"hour": 3}, {"hour": 7}))

    @override
    def day_range(self, partition: Partition) -> DayRange:
        assert partition is not None
        day = date(2024, 1, partition["hour"])
        return DayRange(day, day)

    @override
    def bookmark_value(self, window: Window, partition: Partition) -> str:
        assert partition is not None
        return f"{window.first}T{partition['hour']:02}:00:00"

    @override
    def bookmark_day(self, value: str, partition: Partition) -> date:
        assert partition is not None
        assert int(value[11:13]) == partition["hour"], "the bookmark of another partition"
        return date.fromisoformat(value[:10])


def test_stream_can_override_the_days_and_bookmarks_of_its_partitions() -> None:
    class Tap(CannedTap):
        @override
        def discover_streams(self) -> list[Any]:
            return [ZonedTable(self, self.run)]

    first = run_of(Tap(config={}))
    assert (first.error, days(first)) == ("", [3, 7])
    state = first.of("STATE")[-1]["value"]
    found = state["bookmarks"]["figures"]["partitions"]
    assert [entry["replication_key_value"] for entry in found] == [
        "2024-01-03T03:00:00",
        "2024-01-07T07:00:00",
    ]
    again = run_of(Tap(config={}, state=state))
    assert (again.error, days(again)) == ("", [3, 7])


@pytest.mark.parametrize(("endpoint", "tags"), [(None, {}), ("/figures", {"endpoint": "/figures"})])
def test_record_counter_has_tags(endpoint: str | None, tags: dict[str, str]) -> None:
    stream = tap_of(FIGURES)(config=DAYS).streams["figures"]
    counter = stream.get_record_counter(endpoint=endpoint, log_interval=7)
    assert {k: v for k, v in counter.tags.items() if k != "pid"} == {"stream": "figures", **tags}
    assert counter.log_interval == 7
