"""A run that is killed at any point and started again loads the same rows as one run."""

from __future__ import annotations

import fcntl
import signal
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.faults import Fault
from tap_kit.errors import SyncFailed

from tests.forks import Forked
from tests.kindmetrics.site import WINDOWED
from tests.processes import clean_environment
from tests.singer import Loader, Output, State, bookmark

if TYPE_CHECKING:
    from tests.kindmetrics.conftest import Serve
    from tests.kindmetrics.site import Site

SETTINGS: dict[str, Any] = {
    "start_date": "2024-02-01",
    "end_date": "2024-02-05",
    "state_interval": 1,
    "lookback_days": 2,
}
PIPE_BYTES = 4096  # a small pipe keeps the tap close to its reader


@pytest.fixture
def busy(serve: Serve) -> Site:
    """An account whose run takes seconds, so that states are written during streams, too."""
    return serve(latency_ms=40)


def killed(site: Site, *, after_bytes: int, state: State | None, **changes: Any) -> Output:
    """Return the output of a run that is killed after ``after_bytes`` bytes."""
    command = site.command(state=state, **{**SETTINGS, **changes})
    with Forked(command, clean_environment(), stderr=subprocess.DEVNULL) as tap:
        fcntl.fcntl(tap.stdout, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        begun = tap.stdout.read(after_bytes)
        tap.send_signal(signal.SIGKILL)
        text = (begun + tap.stdout.read()).decode(errors="replace")
        assert tap.wait() == -signal.SIGKILL, "the run ended before"
    return Output(text)


def undisturbed(site: Site) -> Loader:
    """Return what a run without faults loads."""
    site.api.app.latency_ms = 0
    loader = Loader()
    loader.load(site.sync(**SETTINGS))
    assert all(loader.count(stream) for stream in WINDOWED)
    return loader


def all_bookmarks(state: State) -> list[str]:
    """Return the bookmarks in plan order; empty where there is none yet."""
    return [bookmark(state, stream, number) or "" for stream in WINDOWED for number in (1, 2)]


@pytest.mark.parametrize("after_bytes", [1, 6_000, 25_000, 45_000])
def test_a_killed_and_resumed_run_loads_what_an_undisturbed_run_loads(
    busy: Site, after_bytes: int
) -> None:
    loader = Loader()
    loader.load(killed(busy, after_bytes=after_bytes, state=None))
    busy.api.app.latency_ms = 0
    loader.load(busy.sync(state=loader.state, **SETTINGS))
    whole = undisturbed(busy)
    assert loader.content == whole.content
    assert loader.state == whole.state


def test_summary_distinguishes_rows_of_the_lookback_from_new_ones(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    before = site.sync(end_date="2024-02-03", lookback_days=1)
    assert "read again" not in caplog.text
    output = site.sync(state=before.state, end_date="2024-02-05", lookback_days=1)
    again = [row for name in WINDOWED for row in output.rows(name) if row["date"] <= "2024-02-03"]
    assert again
    (line,) = [text for text in caplog.messages if "read again" in text]
    assert f", {len(again):,} of them read again, " in line


def test_after_repeated_kills_nothing_is_missing_and_no_bookmark_moves_back(busy: Site) -> None:
    busy.api.app.latency_ms = 10
    loader = Loader()
    reached: list[list[str]] = []
    for _ in range(4):
        loader.load(killed(busy, after_bytes=18_000, state=loader.state, lookback_days=0))
        reached.append(all_bookmarks(loader.state))
    assert reached == sorted(reached)
    assert reached[0] < reached[-1]
    loader.load(busy.sync(state=loader.state, **SETTINGS))
    assert loader.content == undisturbed(busy).content


def test_states_are_written_during_a_stream_and_never_before_their_rows(serve: Serve) -> None:
    """All rows of the windows up to a bookmark come before the state with that bookmark."""
    site = serve(domains=1, latency_ms=120)
    streams = ("countries", "pages")
    output = site.sync(*streams, max_concurrency=2, **{**SETTINGS, "end_date": "2024-02-20"})
    assert len(output.states) > len(streams) + 1
    for number, message in enumerate(output.messages):
        if message["type"] == "STATE":
            before = output.messages[:number]
            for stream in streams:
                reached = bookmark(message["value"], stream, 1) or ""
                wanted = [row for row in output.rows(stream) if row["date"] <= reached]
                here = [m["record"] for m in before if m.get("stream") == stream and "record" in m]
                assert here[: len(wanted)] == wanted


@pytest.mark.parametrize("ordinal", [2, 20, 50])
def test_a_failed_run_keeps_what_it_wrote_and_the_next_run_continues(
    serve: Serve, ordinal: int
) -> None:
    site = serve()
    whole = undisturbed(site)
    target = site.api.log.requests[ordinal - 1].target.replace("?", r"\?")
    site.api.faults.append(Fault("status", status=503, path=f"{target}$"))
    loader = Loader()
    output, error = site.failing_sync(SyncFailed, **SETTINGS)
    assert "HTTP 503" in str(error)
    assert str(error).endswith("; failed after 5 tries")
    loader.load(output)
    site.api.faults.clear()
    loader.load(site.sync(state=loader.state, **SETTINGS))
    assert loader.content == whole.content
    assert loader.state == whole.state
