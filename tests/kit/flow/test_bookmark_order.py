"""Bookmarks of whole runs, with any durations, failures and earlier states."""

from __future__ import annotations

import threading
from copy import deepcopy
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st
from tap_kit.errors import JobFailed, PartitionUnavailable, SyncFailed
from tap_kit.flow.bookmarks import read_bookmark

from tests.kit.canned import ID, TEXT, Run, Table, run_of, tap_of
from tests.kit.flow.test_bookmarks import OTHER, PART, bookmarks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from singer_sdk.helpers.types import TapState
    from tap_kit.flow.tasks import WindowTask

START, DAYS = date(2024, 1, 1), 5
SITES = ({"site": 1}, {"site": 2})
Place = tuple[int, int]  # a site and the number of a day
Ends = dict[Place, tuple[type[Exception] | None, int]]
PLACES = [(site, day) for site in (1, 2) for day in range(DAYS)]
ERRORS = (SyncFailed, PartitionUnavailable, JobFailed)
# How each task ends, and after how many milliseconds; at most one task of a site fails.
FAILS = st.none() | st.tuples(st.integers(0, DAYS - 1), st.sampled_from(ERRORS))
WAITS = st.lists(st.integers(0, 2), min_size=len(PLACES), max_size=len(PLACES))


def ends_of(waits: list[int], *fails: tuple[int, type[Exception]] | None) -> Ends:
    """Return the error or None, and the duration in milliseconds, by place."""
    errors = {(site, fail[0]): fail[1] for site, fail in enumerate(fails, start=1) if fail}
    return {place: (errors.get(place), wait) for place, wait in zip(PLACES, waits, strict=True)}


ENDS = st.builds(ends_of, WAITS, FAILS, FAILS)
BEFORE = st.fixed_dictionaries({}, optional={1: st.integers(0, 4), 2: st.integers(0, 4)})


def text(day: int) -> str:
    """Return the bookmark of a day."""
    return (START + timedelta(days=day)).isoformat()


def place_of(task: WindowTask) -> Place:
    return task.partition["site"], (task.window.first - START).days


def run(ends: Ends, state: dict[str, Any], workers: int) -> Run:
    """Run a tap whose tasks end as given."""

    def read(task: WindowTask) -> list[dict[str, Any]]:
        site, day = place_of(task)
        error, waits_ms = ends[site, day]
        threading.Event().wait(waits_ms / 1000)
        if error is not None:
            raise error(str(task))
        return [{"id": day, "site": site, "date": text(day)}]

    properties = {"id": ID, "site": ID, "date": TEXT}
    table = Table(properties, read, partitions=SITES, replication_key="date")
    config = {"start_date": text(0), "end_date": text(DAYS - 1), "max_concurrency": workers}
    return run_of(tap_of(table)(config=config, state=deepcopy(state)))


def state_of(before: Mapping[int, int]) -> dict[str, Any]:
    """Return a state with these bookmarks, and the entry of a stream that no longer exists."""
    parts = [
        {
            "context": {"site": site},
            "replication_key": "date",
            "replication_key_value": text(day),
        }
        for site, day in before.items()
    ]
    return {"bookmarks": {"gone": {"replication_key_value": "x"}, "figures": {"partitions": parts}}}


def written(run: Run) -> set[Place]:
    return {(record["site"], record["id"]) for record in run.records}


def bookmark_of(state: TapState, site: int) -> int | None:
    value = read_bookmark(state, "figures", {"site": site}, "date")
    return None if value is None else (date.fromisoformat(value) - START).days


@given(ends=ENDS, before=BEFORE, workers=st.integers(1, 4))
def test_bookmark_covers_written_windows_only_and_never_moves_back(
    ends: Ends, before: dict[int, int], workers: int
) -> None:
    done = run(ends, state_of(before), workers)
    rows: set[Place] = set()
    reached = dict(before)
    for message in done.messages:
        if message["type"] == "RECORD":
            rows.add((message["record"]["site"], message["record"]["id"]))
        if message["type"] != "STATE":
            continue
        for site in (1, 2):
            day = bookmark_of(message["value"], site)
            assert (day or 0) >= reached.get(site, 0)
            reached[site] = day or 0
            since = before.get(site, 0)
            covered = {(site, n) for n in range(since, (day or -1) + 1)}
            assert covered <= rows or day == before.get(site)


@given(ends=ENDS, before=BEFORE, workers=st.integers(1, 4))
def test_next_run_completes_the_data_however_the_first_one_ends(
    ends: Ends, before: dict[int, int], workers: int
) -> None:
    """The two runs together read all days from the first bookmark on."""
    broken = run(ends, state_of(before), workers)
    state = broken.of("STATE")[-1]["value"]
    whole = run(dict.fromkeys(PLACES, (None, 0)), state, workers)
    assert whole.error == ""
    due = {(site, day) for site, day in PLACES if day >= before.get(site, 0)}
    assert due <= written(broken) | written(whole)
    last = whole.of("STATE")[-1]["value"]
    assert [bookmark_of(last, site) for site in (1, 2)] == [DAYS - 1, DAYS - 1]
    assert last["bookmarks"]["gone"] == {"replication_key_value": "x"}


@given(ends=ENDS, workers=st.integers(2, 4))
def test_duration_of_tasks_does_not_change_the_messages(ends: Ends, workers: int) -> None:
    one_by_one = run({place: (error, 0) for place, (error, _) in ends.items()}, {}, 1)
    side_by_side = run(ends, {}, workers)
    assert side_by_side.messages == one_by_one.messages
    assert side_by_side.error == one_by_one.error


MOVES = st.lists(st.tuples(st.sampled_from([0, 1]), st.integers(0, 9)), max_size=12)


@given(moves=MOVES)
def test_bookmark_of_a_partition_is_its_latest_window(moves: list[tuple[int, int]]) -> None:
    state: TapState = {}
    manager = bookmarks(state)
    for which, day in moves:
        manager.advance((PART, OTHER)[which], "date", text(day))
    for which, context in enumerate((PART, OTHER)):
        expected = max((day for one, day in moves if one == which), default=None)
        found = read_bookmark(state, "figures", context, "date")
        assert found == (None if expected is None else text(expected))
