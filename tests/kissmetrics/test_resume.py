"""Killed at any point and started again: nothing is lost, doubled, or paid for twice."""

from __future__ import annotations

import fcntl
import signal
import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.faults import Fault
from sandbox.kissmetrics import RunRules
from tap_kit.errors import SyncFailed

from tests.kissmetrics.rows import comparable, expected_rows, settled
from tests.kissmetrics.site import days
from tests.singer import Loader, Output, State

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.kissmetrics.conftest import Serve
    from tests.kissmetrics.site import Site

PIPE_BYTES = 4096  # a small pipe: the tap is hardly ever ahead of its reader
SLOW, QUICK = RunRules(run_seconds=3600), RunRules(polls=0)
SETTINGS: dict[str, Any] = {"state_interval": 1, "poll_interval_ms": 50}


def killed(site: Site, when: Callable[[bytes], bool], **changes: Any) -> Output:
    """What a target has got when the tap is killed as soon as ``when`` says so of its output."""
    with site.started(**{**SETTINGS, **changes}) as tap:
        assert tap.stdout is not None
        fcntl.fcntl(tap.stdout, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        fcntl.fcntl(tap.stdout, fcntl.F_SETFL, fcntl.fcntl(tap.stdout, fcntl.F_GETFL) | 0o4000)
        begun, deadline = b"", time.monotonic() + 20
        while not when(begun):
            begun += tap.stdout.read() or b""
            assert tap.poll() is None, "the run was over before"
            assert time.monotonic() < deadline
            time.sleep(0.005)
        tap.send_signal(signal.SIGKILL)
        assert tap.wait() == -signal.SIGKILL
        rest = tap.stdout.read() or b""
    return Output((begun + rest).decode(errors="replace"))


def after(size: int) -> Callable[[bytes], bool]:
    """When so many bytes have come."""
    return lambda text: len(text) >= size


def noted(runs: int) -> Callable[[bytes], bool]:
    """When a state with so many runs in it has come."""
    return lambda text: any(line.count(b'"query_id"') == runs for line in text.split(b"\n")[:-1])


def jobs(state: State) -> dict[tuple[str, str, str], dict[str, str]]:
    """The runs that a state says are not finished: by stream, report and window."""
    return {
        (stream, part["context"]["report_id"], window): ids
        for stream, mark in state.get("bookmarks", {}).items()
        for part in mark.get("partitions", ())
        for window, ids in part.get("jobs", {}).items()
    }


def complete(site: Site) -> Loader:
    """What a run that nobody disturbs loads."""
    site.api.run_rules = QUICK
    loader = Loader()
    loader.load(settled(site.sync()))
    return loader


def same(one: Loader, other: Loader) -> None:
    """Both hold the same rows."""
    tables, others = one.content, other.content
    assert list(tables) == list(others)
    for name, table in tables.items():
        assert {key: comparable([row]) for key, row in table.items()} == {
            key: comparable([row]) for key, row in others[name].items()
        }


def test_killed_in_the_middle_of_a_poll_the_run_is_picked_up(serve: Serve) -> None:
    site = serve(run_rules=SLOW)
    loader = Loader()
    loader.load(killed(site, noted(4), max_concurrency=4))
    started = dict(site.api.runs)
    in_state = jobs(loader.state)
    assert len(in_state) == len(started) == 4, "all that run are in the state"
    site.api.run_rules = QUICK
    output = site.sync(state=loader.state)
    loader.load(output)
    assert {run: site.api.runs[run] for run in started} == started, "paid for once"
    assert set(site.api.runs.values()) == {1}
    assert comparable(output.rows("report_results")) == expected_rows(site.api, days())
    read = {row["extracted_from"] for row in output.rows("report_results")}
    assert {ids["query_id"] for ids in in_state.values()} & read
    assert jobs(loader.state) == {}
    same(loader, complete(site))


def test_a_run_that_the_server_forgot_is_run_again(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    site = serve(run_rules=SLOW)
    before = killed(site, noted(2), max_concurrency=2)
    in_state = jobs(before.state)
    assert len(in_state) == 2
    site.api.forget_queries()
    site.api.run_rules = QUICK
    output = site.sync(state=before.state)
    assert comparable(output.rows("report_results")) == expected_rows(site.api, days())
    told = [text for text in caplog.messages if "no longer knows the query; started again" in text]
    assert len(told) == len(in_state)
    assert max(site.api.runs.values()) == 2


@pytest.mark.parametrize("size", [1, 6_000, 30_000, 45_000])
def test_killed_and_resumed_is_undisturbed(serve: Serve, size: int) -> None:
    site = serve(latency_ms=20)
    loader = Loader()
    loader.load(killed(site, after(size), page_size=5))
    site.api.core.latency_ms = site.api.query.latency_ms = 0
    loader.load(settled(site.sync(state=loader.state, page_size=5)))
    whole = complete(site)
    same(loader, whole)
    assert loader.state == whole.state


def test_killed_between_the_pages_of_a_result_it_is_read_from_the_same_query(
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


def test_a_run_that_gives_up_keeps_its_runs_for_the_next_one(serve: Serve) -> None:
    site = serve(run_rules=QUICK, sizes={"rows_per_day": 20})
    site.api.faults.append(Fault("status", status=503, path="/results"))
    output, _ = site.failing_sync(SyncFailed, "report_results")
    assert jobs(output.state)
    started = dict(site.api.runs)
    site.api.faults.clear()
    again = site.sync("report_results", state=output.state)
    assert comparable(again.rows("report_results")) == expected_rows(site.api, days())
    assert {run: site.api.runs[run] for run in started} == started


def noted_run(site: Site, **changes: str) -> tuple[State, str]:
    """A state in which the first day's run is noted, with these changes; and the query's id."""
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
        ("2024-02-04", True),  # the window and its look-back were over when the query began
        ("2024-02-02", False),  # late rows were still to come
        ("2024-02-01", False),  # the day itself was not over
        ("", False),
        ("2024-02-03", True),
    ],
)
def test_an_old_run_is_picked_up_only_when_its_window_was_settled(
    serve: Serve, asked_on: str, *, is_good: bool
) -> None:
    """A query shows what was known when it began: resumed days later, half a day would be lost."""
    site = serve(sizes={"reports": 1, "products": 1})
    state, query_id = noted_run(site, asked_on=asked_on)
    rows = site.sync("report_results", state=state, lookback_days=1).rows("report_results")
    assert ({query_id} <= {row["extracted_from"] for row in rows}) is is_good
    assert comparable(rows) == expected_rows(site.api, days())


def test_a_run_of_today_is_picked_up_today_and_not_tomorrow(serve: Serve) -> None:
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


def test_a_run_of_a_window_that_ended_elsewhere_is_not_picked_up(serve: Serve) -> None:
    """Cut at yesterday's ``end_date``, the window of a week has fewer rows than today's."""
    site = serve(sizes={"reports": 1, "products": 1})
    state, query_id = noted_run(site)
    rows = site.sync("report_results", state=state, window_days=7).rows("report_results")
    assert query_id not in {row["extracted_from"] for row in rows}
    assert {row["end_date"] for row in rows} == {"2024-02-03T07:59:59+00:00"}


def test_a_state_is_written_as_soon_as_a_run_is_started(serve: Serve) -> None:
    """Not only when ``state_interval`` is over: it may be killed any moment."""
    site = serve(run_rules=SLOW)
    before = killed(
        site, lambda text: b'"query_id"' in text, max_concurrency=1, state_interval=3600
    )
    assert len(jobs(before.state)) == 1


def test_an_interrupted_run_leaves_its_runs_in_the_state(serve: Serve) -> None:
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
