"""Killed while jobs run: the next run picks them up."""

from __future__ import annotations

import signal
from datetime import datetime, timedelta, timezone
from typing import IO, TYPE_CHECKING, Any

import pytest
from tap_kit.errors import SyncFailed

from tests.khoros_analytics.expected import days, expected_rows
from tests.khoros_analytics.site import all_jobs, bookmark, catalog_of
from tests.khoros_analytics.test_jobs import start_of
from tests.singer import Loader, Output, State

if TYPE_CHECKING:
    from tests.khoros_analytics.conftest import Serve
    from tests.khoros_analytics.site import Site

SLOW = {"poll_interval_ms": 100, "max_concurrency": 14}


def killed(site: Site, *, jobs: int, **changes: Any) -> Output:
    """What a run wrote until it was killed, as soon as so many jobs were in its state."""
    with site.started(catalog=catalog_of(), **{**SLOW, **changes}) as tap:
        assert tap.stdout is not None
        output = Output("")
        while len(all_jobs(output.state)) < jobs:
            line = tap.stdout.readline().decode()
            assert line, "the run was over before"
            output = Output(output.text + line)
        tap.send_signal(signal.SIGKILL)
    return output


def test_nothing_is_started_again_after_a_kill(serve: Serve) -> None:
    site = serve(job_seconds=60)
    output = killed(site, jobs=14, end_date="2024-02-01")
    begun = dict(site.starts)
    assert len(begun) == 14
    assert len(all_jobs(output.state)) == 14
    site.api.job_seconds = 0
    again = site.sync(state=output.state, end_date="2024-02-01")
    for start in begun:
        assert site.starts[start] == 1
    for stream in ("author", "conversation", "team_performance_interval", "user"):
        assert again.rows(stream) == expected_rows(site.api, stream, days()[:1])
    assert all_jobs(again.state) == {}


def test_a_kill_in_the_middle_of_the_rows_loses_and_doubles_nothing(serve: Serve) -> None:
    site = serve(rows_per_day=3000)
    streams = ("author", "combined", "team_performance_interval", "user")
    loader = Loader()
    with site.started(catalog=catalog_of(*streams), time_interval=300_000, **SLOW) as tap:
        assert tap.stdout is not None
        head = read(tap.stdout, 3_000_000)
        tap.send_signal(signal.SIGKILL)
    loader.load(Output(head[: head.rfind(b"\n") + 1].decode()))
    begun = dict(site.starts)
    loader.load(site.sync(*streams, state=loader.state, time_interval=300_000))
    whole = Loader()
    whole.load(site.sync(*streams, time_interval=300_000))
    assert loader.content == whole.content
    # The comparison started each once more; none was started a third time.
    assert {site.starts[start] for start in begun} == {2}


def read(pipe: IO[bytes], size: int) -> bytes:
    """So many bytes, however small the pieces in which they come."""
    text = b""
    while len(text) < size and (piece := pipe.read(size - len(text))):
        text += piece
    return text


def state_with_job(site: Site, **changes: Any) -> State:
    """The state of a run that ended while the job of a day ran, with some marks changed."""
    site.api.job_seconds = 60
    output, _ = site.failing_sync(SyncFailed, "author", end_date="2024-02-01", poll_timeout=1)
    site.api.job_seconds = 0
    (job,) = output.state["bookmarks"]["author"]["jobs"].values()
    job.update(changes)
    return output.state


@pytest.mark.parametrize(("hours", "starts"), [(19, 1), (21, 2)])
def test_a_job_older_than_twenty_hours_is_started_again(
    serve: Serve, hours: int, starts: int
) -> None:
    site = serve(attach="never")
    begun = datetime.now(timezone.utc) - timedelta(hours=hours)
    state = state_with_job(site, started_at=begun.isoformat())
    output = site.sync("author", state=state, end_date="2024-02-01")
    assert len(output.rows("author")) == 9
    assert site.starts[start_of("author", days()[0])] == starts


@pytest.mark.parametrize(
    "settings",
    [
        {"report_format": "csv"},
        {"locale": "de"},
        {"timezone": "Europe/Berlin"},
        {"exports": {"author": {"filters": {"priorities": [1]}}}},
    ],
    ids=str,
)
def test_a_job_that_was_asked_for_something_else_is_not_picked_up(
    serve: Serve, settings: dict[str, Any]
) -> None:
    site = serve(attach="never")
    state = state_with_job(site)
    output = site.sync("author", state=state, end_date="2024-02-01", **settings)
    assert output.rows("author") != []
    assert sum(site.starts.values()) == 2


def test_a_job_that_began_before_its_day_was_over_brings_too_little(serve: Serve) -> None:
    site = serve(attach="never")
    state = state_with_job(site, until="1706800000000")
    site.sync("author", state=state, end_date="2024-02-01")
    assert site.starts[start_of("author", days()[0])] == 2


def test_a_job_that_expired_on_the_vendors_side_is_started_again(serve: Serve) -> None:
    site = serve(attach="never")
    state = state_with_job(site)
    site.api.clock.advance(25 * 3600)
    output = site.sync("author", state=state, end_date="2024-02-01")
    assert len(output.rows("author")) == 9
    assert site.starts[start_of("author", days()[0])] == 2


@pytest.mark.parametrize(
    "broken",
    [{"started_at": "yesterday"}, {"workflow_id": ""}, {"run_id": ""}],
    ids=lambda broken: next(iter(broken)),
)
def test_broken_notes_of_jobs_are_no_reason_to_stop(serve: Serve, broken: dict[str, str]) -> None:
    site = serve(attach="never")
    state = state_with_job(site, **broken)
    assert len(site.sync("author", state=state, end_date="2024-02-01").rows("author")) == 9
    assert site.starts[start_of("author", days()[0])] == 2


def test_todays_job_is_picked_up_and_today_stays_unread(serve: Serve) -> None:
    site = serve(now=None, attach="never", rows_per_day=48)
    today = datetime.now(timezone.utc).date()
    settings: dict[str, Any] = {"start_date": today.isoformat(), "end_date": None}
    site.api.job_seconds = 60
    output, _ = site.failing_sync(SyncFailed, "author", poll_timeout=1, **settings)
    site.api.job_seconds = 0
    again = site.sync("author", state=output.state, **settings)
    assert sum(site.starts.values()) == 1
    assert again.rows("author") != []
    assert bookmark(again.state, "author") == f"{today}T00:00:00+00:00"


def test_the_window_that_holds_now_never_moves_the_bookmark_past_itself(serve: Serve) -> None:
    site = serve(now=None)
    today = datetime.now(timezone.utc).date()
    start = (today - timedelta(days=3)).isoformat()
    loader = Loader()
    for _ in range(2):
        output = site.sync("author", state=loader.state, start_date=start, end_date=None)
        assert bookmark(output.state, "author") == f"{today}T00:00:00+00:00"
        loader.load(output)
        start = (today - timedelta(days=30)).isoformat()
    assert len({row["window_start"] for row in output.rows("author")}) <= 1
    weeks = site.sync("user", window_days=7, start_date=start, end_date=None)
    first = bookmark(weeks.state, "user")
    assert first is not None
    assert today - timedelta(days=6) <= datetime.fromisoformat(first).date() <= today


def test_a_second_run_reads_what_is_new(site: Site) -> None:
    output = site.sync("author", "conversation")
    again = site.sync("author", "conversation", state=output.state, end_date="2024-02-03")
    windows = {row["window_start"] for row in again.rows("author") + again.rows("conversation")}
    assert windows == {"2024-02-03T00:00:00+00:00"}
    assert site.sync("author", state=again.state, end_date="2024-02-03").rows("author") == []


def test_a_look_back_reads_whole_windows_again_but_not_before_the_start(site: Site) -> None:
    state = site.sync("author", end_date="2024-02-05").state
    for lookback, first in ((0, "06"), (2, "04"), (30, "01")):
        output = site.sync("author", state=state, end_date="2024-02-06", lookback_days=lookback)
        assert output.rows("author")[0]["window_start"][:10] == f"2024-02-{first}"
