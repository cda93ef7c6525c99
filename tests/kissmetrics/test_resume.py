"""A run that is killed and started again neither loses nor duplicates data, nor runs twice."""

from __future__ import annotations

import fcntl
import signal
import time
from datetime import datetime, timedelta, timezone
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.faults import Fault
from sandbox.kissmetrics import RunRules
from tap_kit import SyncFailed

from tests.kissmetrics.rows import comparable, expected_rows, settled
from tests.kissmetrics.site import account, days
from tests.singer import Loader, Output, State

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.kissmetrics.conftest import Serve
    from tests.kissmetrics.site import Site

PIPE_BYTES = 4096  # a small pipe, so that the tap is hardly ahead of its reader
SLOW, QUICK = RunRules(run_seconds=3600), RunRules(polls=0)
SETTINGS: dict[str, Any] = {"state_interval": 1, "poll_interval_ms": 50}


def killed(site: Site, when: Callable[[bytes], bool], **changes: Any) -> Output:
    """Kill the tap as soon as ``when`` accepts its output; return what a target received."""
    with site.started(**{**SETTINGS, **changes}) as tap:
        fcntl.fcntl(tap.stdout, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        fcntl.fcntl(tap.stdout, fcntl.F_SETFL, fcntl.fcntl(tap.stdout, fcntl.F_GETFL) | 0o4000)
        begun, deadline = b"", time.monotonic() + 20
        while not when(begun):
            begun += tap.stdout.read() or b""
            assert tap.poll() is None, "the run ended before"
            assert time.monotonic() < deadline
            time.sleep(0.005)
        tap.send_signal(signal.SIGKILL)
        assert tap.wait() == -signal.SIGKILL
        rest = tap.stdout.read() or b""
    return Output((begun + rest).decode(errors="replace"))


def after(size: int) -> Callable[[bytes], bool]:
    """Accept an output of at least ``size`` bytes."""
    return lambda text: len(text) >= size


def has_queries(count: int) -> Callable[[bytes], bool]:
    """Accept an output that has a state with this number of queries."""
    return lambda text: any(line.count(b'"query_id"') == count for line in text.split(b"\n")[:-1])


def jobs(state: State) -> dict[tuple[str, str, str], dict[str, str]]:
    """Return the unfinished queries in a state, by stream, report and window."""
    return {
        (stream, part["context"]["report_id"], window): ids
        for stream, mark in state.get("bookmarks", {}).items()
        for part in mark.get("partitions", ())
        for window, ids in part.get("jobs", {}).items()
    }


@cache
def complete() -> Loader:
    """Return what an undisturbed run loads."""
    loader = Loader()
    with account(run_rules=QUICK) as site:
        loader.load(settled(site.sync()))
    return loader


def same(one: Loader, other: Loader) -> None:
    """Check that both hold the same rows."""
    tables, others = one.content, other.content
    assert list(tables) == list(others)
    for name, table in tables.items():
        assert {key: comparable([row]) for key, row in table.items()} == {
            key: comparable([row]) for key, row in others[name].items()
        }


def test_run_killed_while_polling_resumes_its_queries(serve: Serve) -> None:
    site = serve(run_rules=SLOW)
    loader = Loader()
    loader.load(killed(site, has_queries(4), max_concurrency=4))
    started = dict(site.api.runs)
    in_state = jobs(loader.state)
    assert len(in_state) == len(started) == 4, "all running queries are in the state"
    site.api.run_rules = QUICK
    output = site.sync(state=loader.state)
    loader.load(output)
    assert {run: site.api.runs[run] for run in started} == started, "each was run once"
    assert set(site.api.runs.values()) == {1}
    assert comparable(output.rows("report_results")) == expected_rows(site.api, days())
    read = {row["extracted_from"] for row in output.rows("report_results")}
    assert {ids["query_id"] for ids in in_state.values()} & read
    assert jobs(loader.state) == {}
    same(loader, complete())


def test_query_that_the_server_no_longer_knows_is_run_again(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    site = serve(run_rules=SLOW)
    before = killed(site, has_queries(2), max_concurrency=2)
    in_state = jobs(before.state)
    assert len(in_state) == 2
    site.api.forget_queries()
    site.api.run_rules = QUICK
    output = site.sync(state=before.state)
    assert comparable(output.rows("report_results")) == expected_rows(site.api, days())
    warning = "the server no longer knows the query; starting it again"
    assert len([text for text in caplog.messages if warning in text]) == len(in_state)
    assert max(site.api.runs.values()) == 2


@pytest.mark.parametrize("size", [1, 6_000, 30_000, 45_000])
def test_killed_and_resumed_run_loads_the_same_as_an_undisturbed_one(
    serve: Serve, size: int
) -> None:
    site = serve(latency_ms=20)
    loader = Loader()
    loader.load(killed(site, after(size), page_size=5))
    site.api.core.latency_ms = site.api.query.latency_ms = 0
    loader.load(settled(site.sync(state=loader.state, page_size=5)))
    whole = complete()
    same(loader, whole)
    assert loader.state == whole.state


def test_run_killed_between_pages_resumes_the_same_query(
    serve: Serve,
) -> None:
    site = serve(sizes={"rows_per_day": 60}, latency_ms=20)
    one = {"reports": [{"id": site.runnable()[0]}], "page_size": 5, "max_concurrency": 1}
    rows = b'"stream":"report_results","record"'
    before = killed(site, lambda text: text.count(rows) >= 12, **one)
    assert len(before.rows("report_results")) < 60
    assert [window for _, _, window in jobs(before.state)] == ["2024-02-01"]
    site.api.core.latency_ms = site.api.query.latency_ms = 0
    after_ = site.sync(state=before.state, **one)
    assert comparable(after_.rows("report_results")) == expected_rows(
        site.api, days(), site.runnable()[:1]
    )
    assert set(site.api.runs.values()) == {1}


def test_failed_run_keeps_its_queries_for_the_next_one(serve: Serve) -> None:
    site = serve(run_rules=QUICK, sizes={"rows_per_day": 20})
    site.api.faults.append(Fault("status", status=503, path="/results"))
    output, _ = site.failing_sync(SyncFailed, "report_results")
    assert jobs(output.state)
    started = dict(site.api.runs)
    site.api.faults.clear()
    again = site.sync("report_results", state=output.state)
    assert comparable(again.rows("report_results")) == expected_rows(site.api, days())
    assert {run: site.api.runs[run] for run in started} == started


def saved_query(site: Site, **changes: str) -> tuple[State, str]:
    """Return a state with the first day's query, with these changes, and the query's id."""
    failing = Fault("status", status=503, path="/results")
    site.api.faults.append(failing)
    output, _ = site.failing_sync(SyncFailed, "report_results", end_date="2024-02-01")
    site.api.faults.clear()
    (key,) = jobs(output.state)
    (part,) = output.state["bookmarks"]["report_results"]["partitions"]
    part["jobs"][key[2]].update(changes)
    return output.state, part["jobs"][key[2]]["query_id"]


DAY = timedelta(days=1)
TODAY = datetime.now(timezone.utc).date()


@pytest.mark.parametrize(
    ("asked_on", "is_good"),
    [
        ("2024-02-04", True),  # the window and its look-back had ended when the query began
        ("2024-02-02", False),  # late rows could still arrive
        ("2024-02-01", False),  # the day itself had not ended
        ("", False),
        ("2024-02-03", True),
    ],
)
def test_old_query_is_resumed_only_if_its_window_was_settled(
    serve: Serve, asked_on: str, *, is_good: bool
) -> None:
    """A query shows the data of its start: resumed days later, it would miss late rows."""
    site = serve(sizes={"reports": 1, "products": 1})
    state, query_id = saved_query(site, asked_on=asked_on)
    rows = site.sync("report_results", state=state, lookback_days=1).rows("report_results")
    assert ({query_id} <= {row["extracted_from"] for row in rows}) is is_good
    assert comparable(rows) == expected_rows(site.api, days())


def test_query_of_an_unsettled_window_is_resumed_on_the_same_day_only(serve: Serve) -> None:
    sizes = {"reports": 1, "products": 1, "timezones": ("UTC",), "rows_per_day": 30}
    site = serve(now=None, sizes=sizes)
    settings: dict[str, Any] = {"start_date": TODAY.isoformat(), "end_date": None}
    site.api.faults.append(Fault("status", status=503, path="/results"))
    output, _ = site.failing_sync(SyncFailed, "report_results", **settings)
    site.api.faults.clear()
    if datetime.now(timezone.utc).date() != TODAY:
        pytest.skip("midnight")
    site.sync("report_results", state=output.state, **settings)
    assert set(site.api.runs.values()) == {1}
    (part,) = output.state["bookmarks"]["report_results"]["partitions"]
    part["jobs"][TODAY.isoformat()]["asked_on"] = (TODAY - DAY).isoformat()
    site.sync("report_results", state=output.state, **settings)
    assert set(site.api.runs.values()) == {2}


def test_query_of_a_window_with_another_end_is_not_resumed(serve: Serve) -> None:
    """A week that was cut at an earlier ``end_date`` has fewer rows than the window of today."""
    site = serve(sizes={"reports": 1, "products": 1})
    state, query_id = saved_query(site)
    rows = site.sync("report_results", state=state, window_days=7).rows("report_results")
    assert query_id not in {row["extracted_from"] for row in rows}
    assert {row["end_date"] for row in rows} == {"2024-02-03T07:59:59+00:00"}


def test_state_is_written_as_soon_as_a_query_starts(serve: Serve) -> None:
    """It does not wait for ``state_interval``: the process may be killed at any moment."""
    site = serve(run_rules=SLOW)
    before = killed(
        site, lambda text: b'"query_id"' in text, max_concurrency=1, state_interval=3600
    )
    assert len(jobs(before.state)) == 1


def test_interrupted_run_keeps_its_queries_in_the_state(serve: Serve) -> None:
    site = serve(run_rules=SLOW)
    with site.started(max_concurrency=3, poll_interval_ms=20) as tap:
        deadline = time.monotonic() + 20
        while len(site.api.runs) < 3:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        time.sleep(0.1)
        tap.send_signal(signal.SIGTERM)
        stdout, stderr = tap.communicate(timeout=20)
    assert tap.returncode == 128 + signal.SIGTERM
    assert b"Traceback" not in stderr
    assert len(jobs(Output(stdout.decode()).state)) == 3
