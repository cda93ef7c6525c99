"""Jobs of a run that ended early: the next run resumes them."""

from __future__ import annotations

import signal
from datetime import datetime, timedelta, timezone
from typing import IO, TYPE_CHECKING, Any

import pytest
from tap_khoros_analytics.exports.parameters import Span
from tap_khoros_analytics.exports.resume import job_record, resumable
from tap_kit.errors import SyncFailed

from tests.khoros_analytics.expected import days, expected_rows, start_of
from tests.khoros_analytics.site import ONE_DAY, all_jobs, bookmark, catalog_of
from tests.singer import Loader, Output, State

if TYPE_CHECKING:
    from tests.khoros_analytics.conftest import Serve
    from tests.khoros_analytics.site import Site

SLOW = {"poll_interval_ms": 100, "max_concurrency": 14}
TOO_SHORT: dict[str, Any] = {"poll_interval_ms": 100, "poll_timeout": 1}  # for the jobs


def killed(site: Site, *, jobs: int, **changes: Any) -> Output:
    """Return the output of a run that is killed when ``jobs`` jobs are in its state."""
    with site.started(catalog=catalog_of(), **{**SLOW, **changes}) as tap:
        output = Output("")
        while len(all_jobs(output.state)) < jobs:
            line = tap.stdout.readline().decode()
            assert line, "the run ended before"
            output = Output(output.text + line)
        tap.send_signal(signal.SIGKILL)
    return output


def test_no_job_is_started_again_after_a_kill(serve: Serve) -> None:
    site = serve(job_seconds=60)
    output = killed(site, jobs=14, **ONE_DAY)
    starts = dict(site.starts)
    assert len(starts) == 14
    assert len(all_jobs(output.state)) == 14
    site.api.job_seconds = 0
    again = site.sync(state=output.state, **ONE_DAY)
    for start in starts:
        assert site.starts[start] == 1
    for stream in ("author", "conversation", "team_performance_interval", "user"):
        assert again.rows(stream) == expected_rows(site.api, stream, days()[:1])
    assert all_jobs(again.state) == {}


def test_a_kill_between_rows_neither_loses_nor_duplicates_rows(serve: Serve) -> None:
    site = serve(rows_per_day=50)
    streams = ("author", "combined", "team_performance_interval", "user")
    settings: dict[str, Any] = {"time_interval": 900_000}  # four jobs a day
    loader = Loader()
    with site.started(catalog=catalog_of(*streams), **settings, **SLOW) as tap:
        head = read(tap.stdout, 50_000)
        tap.send_signal(signal.SIGKILL)
    loader.load(Output(head[: head.rfind(b"\n") + 1].decode()))
    starts = dict(site.starts)
    loader.load(site.sync(*streams, state=loader.state, **settings))
    whole = Loader()
    whole.load(site.sync(*streams, **settings))
    assert loader.content == whole.content
    # The second run resumed all of them; the run for comparison started each once more.
    assert {site.starts[start] for start in starts} == {2}


def read(pipe: IO[bytes], size: int) -> bytes:
    """Read ``size`` bytes, whatever the size of the pieces."""
    text = b""
    while len(text) < size and (piece := pipe.read(size - len(text))):
        text += piece
    return text


def state_with_job(site: Site, **changes: Any) -> State:
    """Return the state of a run that ended before its job, with changes in the job's record."""
    site.api.job_seconds = 60
    output, _ = site.failing_sync(SyncFailed, "author", **ONE_DAY, **TOO_SHORT)
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
    output = site.sync("author", state=state, **ONE_DAY)
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
def test_a_job_with_other_parameters_is_not_resumed(serve: Serve, settings: dict[str, Any]) -> None:
    site = serve(attach="never")
    state = state_with_job(site)
    output = site.sync("author", state=state, **ONE_DAY, **settings)
    assert output.rows("author") != []
    assert sum(site.starts.values()) == 2


def test_a_job_started_before_its_day_was_over_is_not_resumed(serve: Serve) -> None:
    site = serve(attach="never")
    state = state_with_job(site, until="1706800000000")
    site.sync("author", state=state, **ONE_DAY)
    assert site.starts[start_of("author", days()[0])] == 2


def test_an_expired_job_is_started_again(serve: Serve) -> None:
    site = serve(attach="never")
    state = state_with_job(site)
    site.api.clock.advance(25 * 3600)
    output = site.sync("author", state=state, **ONE_DAY)
    assert len(output.rows("author")) == 9
    assert site.starts[start_of("author", days()[0])] == 2


@pytest.mark.parametrize(
    "broken",
    [{"started_at": "yesterday"}, {"workflow_id": ""}, {"run_id": ""}],
    ids=lambda broken: next(iter(broken)),
)
def test_a_broken_job_record_in_the_state_is_ignored(serve: Serve, broken: dict[str, str]) -> None:
    site = serve(attach="never")
    state = state_with_job(site, **broken)
    assert len(site.sync("author", state=state, **ONE_DAY).rows("author")) == 9
    assert site.starts[start_of("author", days()[0])] == 2


def test_todays_job_is_resumed_and_today_is_read_again_next_time(serve: Serve) -> None:
    site = serve(now=None, attach="never", rows_per_day=48)
    today = datetime.now(timezone.utc).date()
    settings: dict[str, Any] = {"start_date": today.isoformat(), "end_date": None}
    site.api.job_seconds = 60
    output, _ = site.failing_sync(SyncFailed, "author", **TOO_SHORT, **settings)
    site.api.job_seconds = 0
    again = site.sync("author", state=output.state, **settings)
    assert sum(site.starts.values()) == 1
    assert again.rows("author") != []
    assert bookmark(again.state, "author") == f"{today}T00:00:00+00:00"


def test_each_part_of_a_window_resumes_its_own_job(serve: Serve) -> None:
    """Each part has its own name in the state."""
    stream = "team_performance_interval"
    site = serve(job_seconds=60, attach="never", rows_per_day={stream: 3})
    settings: dict[str, Any] = {"time_interval": 300_000, "max_concurrency": 14, **ONE_DAY}
    output, _ = site.failing_sync(SyncFailed, stream, **TOO_SHORT, **settings)
    assert len(all_jobs(output.state)) == 10
    site.api.job_seconds = 0
    again = site.sync(stream, state=output.state, **settings)
    assert {*site.starts.values()} == {1}
    assert again.rows(stream) == site.sync(stream, **settings).rows(stream)
    assert all_jobs(again.state) == {}


@pytest.mark.parametrize(
    "bad", ["..", ".", "", "\ud800", "w" * 100_000], ids=lambda v: ascii(v)[:9]
)
@pytest.mark.parametrize("name", ["workflow_id", "run_id"])
def test_a_job_in_the_state_whose_id_cannot_be_in_a_path_is_started_again(
    name: str, bad: str
) -> None:
    begin = datetime(2024, 2, 1, tzinfo=timezone.utc)
    span, params = Span(begin, begin + timedelta(days=1)), {"endTime": "1706832000000"}
    known = {
        **job_record(params),
        "workflow_id": "w",
        "run_id": "r",
        "started_at": datetime.now(timezone.utc).isoformat(),
    }
    assert resumable(known, params, span) == known
    assert resumable({**known, name: bad}, params, span) is None
    del known[name]
    assert resumable(known, params, span) is None
