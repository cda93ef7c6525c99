"""What a catalog's replication method, and a bookmark of another kind, mean for a stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.singerlib import Catalog

from tests.kit.canned import ID, TEXT, Run, Table, run_of, tap_of

if TYPE_CHECKING:
    from tap_kit.streams import Task

DAYS = {"start_date": "2024-01-01", "end_date": "2024-01-03"}
SITES = ({"site": 1}, {"site": 2})


def daily(task: Task) -> list[dict[str, Any]]:
    """A row a day."""
    assert task.window is not None
    return [{"id": task.window.first.day, "date": task.window.first.isoformat()}]


FIGURES = Table({"id": ID, "date": TEXT}, daily, replication_key="date")


def run(method: str | None, bookmark: object, table: Table = FIGURES) -> Run:
    """A run with that method in the catalog, and that bookmark in the state."""
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
    """The bookmark in the last state."""
    entry = done.of("STATE")[-1]["value"]["bookmarks"].get("figures", {})
    return entry.get("replication_key_value")


def test_by_default_a_windowed_stream_goes_on_where_its_bookmark_is() -> None:
    done = run(None, "2024-01-02")
    assert (days(done), reached(done)) == ([2, 3], "2024-01-03")


def test_a_stream_that_is_to_be_replicated_whole_is_read_from_the_start() -> None:
    done = run("FULL_TABLE", "2024-01-03")
    assert days(done) == [1, 2, 3]


def test_a_stream_that_is_to_be_replicated_whole_moves_no_bookmark() -> None:
    assert reached(run("FULL_TABLE", "2024-01-01")) != "2024-01-03"
    assert reached(run("FULL_TABLE", None)) is None


@pytest.mark.parametrize("bookmark", [20240102, ["2024-01-02"], {"day": 2}, True, "2024-13-01"])
def test_a_bookmark_of_another_kind_stops_the_run_with_words(bookmark: object) -> None:
    done = run(None, bookmark)
    assert days(done) == []
    assert done.error == (
        "figures: the bookmark in the state is not a date; repair or clear the state"
    )


def test_a_program_may_ask_a_stream_for_its_records_itself() -> None:
    """Without the SDK's counter of records, as a notebook or a test harness does."""
    tap = tap_of(FIGURES)(config=DAYS)
    (stream,) = tap.streams.values()
    chunks = list(stream.get_records(None))
    assert sum(len(chunk.rows) for chunk in chunks) == 3  # type: ignore[attr-defined]
    assert tap.state["bookmarks"]["figures"]["replication_key_value"] == "2024-01-03"
