"""All shards together load the same as one run, also when their number changes."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from tap_kit.rows.keys import shard_of

from orchestration.reshard import merged
from tests.kissmetrics.rows import comparable
from tests.kissmetrics.site import CORE, LAST, account
from tests.shards import loaded, run_in_shards

if TYPE_CHECKING:
    from tests.kissmetrics.conftest import Serve
    from tests.singer import Output

LATER: dict[str, Any] = {"end_date": "2024-02-03"}


def tables(*outputs: Output) -> dict[str, Any]:
    """Return the loaded tables, without what depends on how often a report was run."""
    return {
        stream: {key: comparable([row]) for key, row in rows.items()}
        for stream, rows in loaded(*outputs).content.items()
    }


@cache
def whole_until(end_date: str) -> dict[str, Any]:
    """Return the tables of one run without shards."""
    with account() as site:
        return tables(site.sync(end_date=end_date))


def read_by(output: Output) -> set[str]:
    """Return the reports of which a run read windows; some have no rows."""
    parts = output.state["bookmarks"].get("report_results", {}).get("partitions", [])
    return {part["context"]["report_id"] for part in parts}


@pytest.mark.parametrize("count", [1, 2, 7])
def test_all_shards_together_load_the_same_as_one_run(serve: Serve, count: int) -> None:
    whole = whole_until(LAST.isoformat())
    site = serve()
    parts = run_in_shards(site, count)
    assert tables(*parts) == whole
    assert set(site.api.runs.values()) == {1}, "a report was run by two shards"
    for stream in CORE:
        assert [bool(part.rows(stream)) for part in parts] == [True] + [False] * (count - 1)
    for index, part in enumerate(parts):
        assert read_by(part) == {one for one in site.runnable() if shard_of([one], count) == index}


@pytest.mark.parametrize("count", [2, 3])
def test_selected_products_are_distributed_over_the_shards(serve: Serve, count: int) -> None:
    site = serve(sizes={"products": 6})
    chosen = site.api.data.ids("products")
    parts = [
        site.sync("events", shard=f"{index}/{count}", product_ids=chosen) for index in range(count)
    ]
    found = [row["id"] for part in parts for row in part.rows("events")]
    assert sorted(found) == sorted(site.api.data.ids("events"))


def test_shards_without_a_report_succeed_and_write_every_schema(serve: Serve) -> None:
    site = serve(sizes={"reports": 1})
    whole = site.sync()
    parts = run_in_shards(site, 7)
    assert tables(*parts) == tables(whole)
    assert sum(bool(read_by(part)) for part in parts) == 1
    for part in parts:
        assert part.streams == whole.streams


@pytest.mark.parametrize(("before", "after"), [(2, 3), (7, 1)])
def test_another_number_of_shards_resumes_from_the_joined_states(
    serve: Serve, before: int, after: int
) -> None:
    """Nothing is lost, and only the look-back is run again."""
    whole = whole_until(**LATER)
    site = serve()
    first = run_in_shards(site, before)
    state = merged(part.state for part in first)
    second = run_in_shards(site, after, [state] * after, **LATER)
    assert tables(*first, *second) == whole
    runs = Counter(run.report_id for run in site.api.runs.elements())
    # Two days; then the last of them, the one before it for the look-back, and a new one.
    assert set(runs.values()) == {2 + 3}
    assert set(runs) == set(site.runnable())


def test_another_number_of_shards_without_states_loads_everything(serve: Serve) -> None:
    whole = whole_until(**LATER)
    site = serve()
    first = run_in_shards(site, 2)
    second = run_in_shards(site, 3, **LATER)
    assert tables(*first, *second) == tables(*second) == whole
