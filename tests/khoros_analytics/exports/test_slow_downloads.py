"""During a slow download, the state is still written, and the run can be stopped."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.faults import Fault

from tests.forks import Forked
from tests.khoros_analytics.expected import days, expected_rows
from tests.khoros_analytics.site import ONE_DAY, all_jobs, bookmark, catalog_of
from tests.processes import clean_environment
from tests.singer import Output

if TYPE_CHECKING:
    from tests.khoros_analytics.conftest import Serve
    from tests.khoros_analytics.site import Site

FIRST_DOWNLOAD: dict[str, Any] = {"path": "/care-analytics", "only": frozenset({1})}
SECOND_DOWNLOAD: dict[str, Any] = {**FIRST_DOWNLOAD, "only": frozenset({2})}
CALM: dict[str, Any] = {"max_concurrency": 2, "state_interval": 3600}  # states only for new jobs


def places(output: Output, stream: str) -> list[int]:
    """Return the positions of a stream's records among the messages."""
    return [
        place
        for place, message in enumerate(output.messages)
        if message["type"] == "RECORD" and message["stream"] == stream
    ]


def test_a_job_started_during_a_slow_download_is_in_the_state_before_the_next_rows(
    site: Site,
) -> None:
    site.api.faults += [
        Fault("slow_body", wait_ms=4000, **FIRST_DOWNLOAD),
        Fault("stall", wait_ms=1000, path="report/user"),
    ]
    output = site.sync("author", "user", **ONE_DAY, **CALM)
    states = [
        place
        for place, message in enumerate(output.messages)
        if message["type"] == "STATE" and "jobs" in message["value"]["bookmarks"].get("user", {})
    ]
    assert states[0] < places(output, "author")[-1]
    assert output.rows("author") == expected_rows(site.api, "author", days()[:1])


@pytest.mark.parametrize(
    "fault",
    [
        Fault("slow_body", wait_ms=4000, **SECOND_DOWNLOAD),
        Fault("status", status=503, retry_after=4, **SECOND_DOWNLOAD),
    ],
    ids=["in the middle", "between two attempts"],
)
def test_a_bookmark_that_is_due_is_written_during_a_slow_download(site: Site, fault: Fault) -> None:
    site.api.faults.append(fault)
    output = site.sync("author", max_concurrency=2, state_interval=2)
    states = [
        place
        for place, message in enumerate(output.messages)
        if message["type"] == "STATE"
        and bookmark(message["value"], "author") == "2024-02-02T00:00:00+00:00"
    ]
    assert states[0] < places(output, "author")[-1]


def test_a_signal_stops_a_run_while_a_download_hangs(serve: Serve) -> None:
    site = serve(rows_per_day=200)
    site.api.faults.append(Fault("slow_body", wait_ms=10_000, **FIRST_DOWNLOAD))
    command = site.command(catalog=catalog_of("author"), **ONE_DAY, **CALM)
    with Forked(command, clean_environment()) as tap:
        head = b""
        while b'"RECORD"' not in head:
            head += tap.stdout.readline()
        time.sleep(1.0)  # until it waits for the other half of the body
        tap.send_signal(signal.SIGTERM)
        rest, logged = tap.communicate(timeout=20)
    output = Output((head + rest).decode())
    assert b"Stopped by SIGTERM; bookmarks are written" in logged
    assert tap.returncode == 128 + signal.SIGTERM
    assert len(all_jobs(output.state)) == 1  # which the next run resumes
