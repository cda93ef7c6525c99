"""States that are old, cut off, of another tap, or edited by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import permutations
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.faults import Fault

from tests.broken import broken
from tests.every_tap import EXECUTABLES, TAPS, Account, EveryTap
from tests.fault_matrix import cells
from tests.fault_matrix.parts import catalog_of, only
from tests.processes import Ended, execute

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fault_matrix.parts import Served
    from tests.singer import State


UNEXPECTED = "unexpected error"  # of the line that reports a bug of the tap, without a traceback
# The streams of each tap whose states have every part: partitions and jobs.
STATEFUL = {
    "tap-khoros-analytics": ("author",),
    "tap-kindmetrics": ("countries",),
    "tap-kissmetrics": ("report_results",),
    "tap-kissmetrics v3": ("metric_results", "query_results"),
}


def stateful(tap: EveryTap, account: Account) -> Account:
    """Return the account with only the streams whose states have every part."""
    return replace(account, catalog=only(catalog_of(tap, account), *STATEFUL[str(tap)]))


def state_with_jobs(tap: EveryTap, account: Account) -> State:
    """Return the state of a failed run: bookmarks and running jobs."""
    ended = tap.run({**account.settings, "end_date": "2024-02-01"}, catalog=account.catalog)
    account.faults.append(Fault(status=500, method="GET", path="/status|/v3/queries/"))
    ended = tap.run(account.settings, state=ended.output.state, catalog=account.catalog)
    account.faults.clear()
    has_jobs = "poll_timeout" in tap.schema["properties"]
    assert ('"jobs"' in json.dumps(ended.output.state)) == has_jobs
    return ended.output.state


def assert_ended_well(
    tap: EveryTap, whole: cells.Undisturbed | None, ended: Ended, tried: object
) -> None:
    """Check that a run succeeded or logged why not, invented no row and disclosed no value."""
    assert ended.code in {0, 1}, tried
    assert UNEXPECTED not in ended.stderr, (tried, ended.errors)
    if whole is not None:
        assert "valve" not in " ".join(ended.errors), tried
        cells.require_no_invented_rows(tap, whole, ended)
    if ended.code == 1:
        assert ended.errors, tried


@pytest.mark.parametrize("tap", TAPS, ids=str)
def test_no_broken_state_is_an_unexpected_error(served: Served, tap: EveryTap) -> None:
    account = stateful(tap, served.tried(tap).account)
    whole = cells.undisturbed(tap, account)
    for path, state in broken(state_with_jobs(tap, account)):
        ended = tap.command(account, state=json.dumps(state))
        assert_ended_well(tap, whole, ended, (path, state))


@pytest.mark.parametrize("tap", TAPS, ids=str)
def test_no_odd_state_of_all_streams_is_an_unexpected_error(served: Served, tap: EveryTap) -> None:
    tried = served.tried(tap)
    values: tuple[object, ...] = (None, "9999-12-31", 7, {}, [])
    for value in values:
        for mark in (value, {"replication_key_value": value}, {"partitions": value}):
            state = {"bookmarks": dict.fromkeys(tried.whole.rows, mark)}
            ended = tap.command(tried.account, state=json.dumps(state))
            assert_ended_well(tap, tried.whole, ended, state)


@pytest.mark.parametrize("tap", TAPS, ids=str)
def test_state_that_is_cut_off_is_one_error_line(served: Served, tap: EveryTap) -> None:
    account = served.tried(tap).account
    text = json.dumps(state_with_jobs(tap, account))
    for end in range(0, len(text), max(1, len(text) // 12)):
        ended = tap.command(account, state=text[:end])
        ended.assert_one_error_line("--state must be JSON: ")
        assert ended.output.text == ""


@pytest.mark.parametrize(("tap", "other"), [*permutations(TAPS, 2)], ids=str)
def test_state_of_another_tap_is_ignored(served: Served, tap: EveryTap, other: EveryTap) -> None:
    foreign = state_with_jobs(other, stateful(other, served.tried(other).account))
    account = stateful(tap, served.tried(tap).account)
    whole = cells.undisturbed(tap, account)
    ended = tap.run(account.settings, state=foreign, catalog=account.catalog)
    if tap.tap is other.tap and "report_results" in foreign["bookmarks"]:
        # Another version of the same API has other ids: its rows would be duplicates.
        ended.assert_one_error_line("--state was written with api_version")
        assert ended.output.text == ""
    else:
        cells.require_all_rows(tap, whole, ended)


def _older_forms(state: State) -> dict[str, State]:
    """Return the state in the forms of older versions and of other taps of the same streams."""
    streams = state["bookmarks"]
    return {
        "values only": dict.fromkeys(streams, "2024-02-01"),
        "without a version": {"bookmarks": {s: {"date": "2024-02-01"} for s in streams}},
        "interrupted": {**state, "currently_syncing": next(iter(streams))},
        "with progress markers": {
            "bookmarks": {
                stream: {**mark, "progress_markers": {"replication_key_value": "2024-02-01"}}
                for stream, mark in streams.items()
            }
        },
        "another replication key": {
            "bookmarks": {
                stream: {"replication_key": "when", "replication_key_value": "2024-02-09"}
                for stream in streams
            }
        },
        "of partitions that no longer exist": {
            "bookmarks": {
                stream: {"partitions": [{"context": {"gone": 1}, "replication_key_value": "x"}]}
                for stream in streams
            }
        },
    }


@pytest.mark.parametrize("tap", TAPS, ids=str)
def test_state_of_an_older_version_loses_no_row(served: Served, tap: EveryTap) -> None:
    account, whole = served.tried(tap).account, served.tried(tap).whole
    plain: Any = tap.run(account.settings, catalog=account.catalog).output.state
    for name, state in _older_forms(plain).items():
        if name in {"interrupted", "with progress markers"}:
            continue  # these resume and do not read all rows; see below
        ended = tap.run(account.settings, state=state, catalog=account.catalog)
        cells.require_all_rows(tap, whole, ended)
    for name in ("interrupted", "with progress markers"):
        state = _older_forms(plain)[name]
        ended = tap.run(account.settings, state=state, catalog=account.catalog)
        assert_ended_well(tap, whole, ended, name)
        assert ended.code == 0


@pytest.mark.parametrize("tap", EXECUTABLES, ids=str)
def test_executable_reports_a_broken_state_in_one_line(tap: EveryTap, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    (tmp_path / "state.json").write_text('{"bookmarks": [', encoding="utf-8")
    files = ["--config", str(tmp_path / "config.json"), "--state", str(tmp_path / "state.json")]
    ended = execute(str(tap.executable), *files)
    ended.assert_one_error_line("--state must be JSON: ")
