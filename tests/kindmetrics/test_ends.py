"""How a run ends early: by a signal, a closed output, or an error."""

from __future__ import annotations

import json
import signal
import time
from itertools import cycle
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.faults import Fault
from tap_kit.errors import SyncFailed

from tests.processes import Ended
from tests.singer import Loader, Output

if TYPE_CHECKING:
    from tests.kindmetrics.conftest import Serve
    from tests.kindmetrics.site import Site

SIGNALS = [signal.SIGINT, signal.SIGTERM]
WHILE: dict[str, dict[str, Any]] = {
    "busy": {"latency_ms": 30},
    "waiting for a slow response": {"fault": Fault("stall", wait_ms=30_000, path="/pages")},
    "pausing between retries": {
        "fault": Fault("status", status=503, path="/pages", retry_after=60)
    },
    "waiting for the rate limit": {"requests_per_minute": 30},
}


@pytest.mark.parametrize(("doing", "number"), [*zip(WHILE, cycle(SIGNALS))], ids=str)
def test_a_signal_stops_the_run_in_time_and_writes_the_bookmarks(
    serve: Serve, doing: str, number: signal.Signals
) -> None:
    what = dict(WHILE[doing])
    site = serve(domains=2, latency_ms=what.pop("latency_ms", 0))
    settings = {"end_date": "2024-02-10"}
    if fault := what.pop("fault", None):
        site.api.faults.append(fault)
    with site.started(**settings, **what) as tap:
        begun = b"".join(tap.stdout.readline() for _ in range(10))
        time.sleep(0.3)
        tap.send_signal(number)
        signalled = time.monotonic()
        rest, stderr = tap.communicate(timeout=20)
        took = time.monotonic() - signalled
    ended = Ended(tap.returncode, Output((begun + rest).decode()), stderr.decode())
    assert took < 5
    assert ended.code == 128 + number, ended.stderr
    assert ended.output.unfinished == ""
    assert len(windows_without_bookmark(ended.output)) <= 1
    assert "Traceback" not in ended.stderr
    assert number.name in ended.stderr
    site.api.faults.clear()
    site.api.app.latency_ms = 0
    assert_resumes(site, ended.output, settings)


def windows_without_bookmark(output: Output) -> set[tuple[Any, ...]]:
    """Return the windows of the rows after the last STATE: one, unless bookmarks are missing."""
    last = max(n for n, message in enumerate(output.messages) if message["type"] == "STATE")
    rows = [m for m in output.messages[last:] if m["type"] == "RECORD"]
    return {(m["stream"], m["record"].get("domain_id"), m["record"].get("date")) for m in rows}


def assert_resumes(site: Site, cut_short: Output, settings: dict[str, Any]) -> None:
    """Assert that the next run reads all that is missing."""
    loader, whole = Loader(), Loader()
    loader.load(cut_short)
    loader.load(site.sync(state=cut_short.state, **settings))
    whole.load(site.sync(**settings))
    assert loader.content == whole.content


def test_a_second_signal_stops_the_run_immediately(site: Site) -> None:
    site.api.faults.append(Fault("stall", wait_ms=30_000, path="/pages"))
    with site.started() as tap:
        tap.stdout.readline()
        time.sleep(0.5)
        tap.send_signal(signal.SIGTERM)
        tap.send_signal(signal.SIGTERM)
        signalled = time.monotonic()
        tap.communicate(timeout=20)
        assert time.monotonic() - signalled < 5  # the server takes 30
    assert tap.returncode == 128 + signal.SIGTERM


@pytest.mark.parametrize("lines", [0, 30])
def test_a_closed_output_is_reported_in_one_line(site: Site, lines: int) -> None:
    with site.started() as tap:
        for _ in range(lines):
            json.loads(tap.stdout.readline())
        tap.stdout.close()
        stderr = tap.stderr.read().decode()
        code = tap.wait(timeout=20)
    ended = Ended(code, Output(""), stderr)
    ended.assert_one_error_line("The target stopped reading")
    assert "Exception ignored" not in stderr
    assert "BrokenPipe" not in stderr


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1:9", "no connection to http://127.0.0.1:9; failed after 5 tries"),
        ("https://kindmetrics.invalid", "the host of https://kindmetrics.invalid cannot be"),
    ],
)
def test_an_unreachable_server_is_reported_with_its_address(
    site: Site, url: str, words: str
) -> None:
    output, error = site.failing_sync(SyncFailed, api_url=url, request_timeout=1)
    assert words in str(error)
    assert output.text == ""


def test_an_error_during_a_run_is_one_line_and_the_bookmarks_are_written(site: Site) -> None:
    fault = Fault("status", status=503, retry_after=0, path="/api/domains/2/pages.*02-04")
    site.api.faults.append(fault)
    ended = site.execute()
    ended.assert_one_error_line("GET /api/domains/2/pages: HTTP 503", "failed after 5 tries")
    assert ended.output.messages[-1]["type"] == "STATE"
    site.api.faults.clear()
    assert_resumes(site, ended.output, {})
