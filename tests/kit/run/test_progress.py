"""The progress of a run, as the user sees it."""

import io
import logging
import sys
import time
from itertools import pairwise

import pytest
from tap_kit.run.progress import INTERVAL_S, Progress
from typing_extensions import override

from tests.kit.canned import Table, run_of, tap_of

LOGGER = logging.getLogger("tap-canned")


def planned(**tasks: int) -> Progress:
    """Return the progress of a run with these numbers of tasks by stream."""
    progress = Progress(LOGGER)
    progress.set_plan(tasks, concurrency=4)
    return progress


class Clock:
    """A clock that only the test advances."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 5_000.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


class Terminal(io.StringIO):
    """A stderr that claims to be a terminal."""

    @override
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _log_level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, LOGGER.name)


@pytest.mark.parametrize("step_s", [0.5, 3.0, 9.9, 25.0])
def test_progress_is_logged_every_interval_while_waiting(
    clock: Clock, caplog: pytest.LogCaptureFixture, step_s: float
) -> None:
    progress, logged_at = planned(pages=3), [clock.now]
    caplog.clear()
    for _ in range(200):
        clock.now += step_s
        progress.show_waiting("pages, domain_id 1, 2024-01-01")
        if len(caplog.messages) == len(logged_at):
            logged_at.append(clock.now)
    gaps = [later - earlier for earlier, later in pairwise(logged_at)]
    assert max(gaps) <= max(INTERVAL_S + step_s, step_s)
    assert min(gaps) >= INTERVAL_S, "at most one line per interval"
    assert "waiting for pages, domain_id 1, 2024-01-01" in caplog.messages[0]


def test_plan_is_logged_with_every_stream(caplog: pytest.LogCaptureFixture) -> None:
    planned(domains=1, pages=1_240)
    assert caplog.messages == ["Plan: 1,241 tasks, at most 4 at a time (domains 1, pages 1,240)"]


def test_short_run_logs_only_plan_and_summary(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    progress = planned(pages=2)
    caplog.clear()
    for _ in range(2):
        clock.now += 4.9
        progress.add_rows(1_000, "pages")
        progress.task_done()
    progress.log_summary("Done", requests=3)
    assert caplog.messages == ["Done after 10 s: 2,000 rows (pages 2,000), 3 requests, 0 warnings"]


def test_progress_line_has_tasks_rows_speed_and_remaining_time(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    progress = planned(pages=40)
    progress.add_rows(10_000, "pages")
    progress.task_done()
    clock.now += 10
    progress.add_rows(2_340, "pages")
    assert caplog.messages[1:] == [
        "1 of 40 tasks done, 12,340 rows, 1,234 rows/s, about 6 min 30 s left, reading pages"
    ]


def test_duration_of_a_wait_is_shown(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    progress = planned(author=2)
    progress.show_waiting("author, 2024-01-01")
    clock.now += 43
    progress.show_waiting("author, 2024-01-01")
    assert caplog.messages[-1].endswith("waiting for author, 2024-01-01 (for 43 s)")
    clock.now += 12
    progress.show_waiting("author, 2024-01-02")
    assert caplog.messages[-1].endswith("waiting for author, 2024-01-02")


def test_rows_end_a_wait(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    progress = planned(author=2)
    progress.show_waiting("author, 2024-01-01")
    clock.now += 43
    progress.add_rows(5, "author")
    clock.now += 20
    progress.show_waiting("author, 2024-01-01")
    assert caplog.messages[-1].endswith("waiting for author, 2024-01-01")
    clock.now += 11
    progress.show_waiting("author, 2024-01-01")
    assert caplog.messages[-1].endswith("waiting for author, 2024-01-01 (for 11 s)")


def test_rows_and_finished_tasks_log_progress(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    progress = planned(pages=40)
    caplog.clear()
    clock.now += 11
    progress.task_done()
    clock.now += 11
    progress.add_rows(1, "pages")
    assert len(caplog.messages) == 2


def test_summary_has_rows_by_stream_requests_and_warnings(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    with planned(domains=1, pages=2) as progress:
        for domain in (3, 4):
            LOGGER.warning("pages, domain_id %d: skipped", domain)
        LOGGER.info("an ordinary line")
        progress.add_rows(4, "domains")
        progress.add_rows(1_500, "pages")
        clock.now += 3_725
        progress.log_summary("Stopped early", requests=1_000)
    LOGGER.warning("after it")
    assert (
        "Stopped early after 1 h 2 min: 1,504 rows (domains 4, pages 1,500), "
        "1,000 requests, 2 warnings"
    ) in caplog.messages
    assert progress.warnings.count == 2


def test_summary_counts_rows_that_are_read_again(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    progress = planned(pages=2)
    progress.add_rows(1_500, "pages")
    for count in (1_000, 200):
        progress.add_rows_again(count)
    clock.now += 5
    progress.log_summary("Done", requests=2)
    rows = "1,500 rows (pages 1,500), 1,200 of them read again"
    assert caplog.messages[-1] == f"Done after 5 s: {rows}, 2 requests, 0 warnings"


@pytest.mark.parametrize(
    ("seconds", "duration"),
    [(0.4, "0 s"), (59.6, "1 min"), (61, "1 min 1 s"), (3_600, "1 h"), (90_061, "25 h 1 min")],
)
def test_durations_are_readable(
    clock: Clock, caplog: pytest.LogCaptureFixture, seconds: float, duration: str
) -> None:
    progress = planned()
    clock.now += seconds
    progress.log_summary("Done", requests=1)
    assert caplog.messages[-1] == f"Done after {duration}: 0 rows, 1 request, 0 warnings"


def test_progress_of_other_units_has_no_rows(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """Discovery uses it for exports, for example."""
    progress = Progress(LOGGER, "export", "Learning the columns")
    progress.set_plan({"columns": 14}, concurrency=6)
    progress.task_done(7)
    clock.now += 30
    progress.show_waiting("the columns of user")
    assert caplog.messages == [
        "Learning the columns: 14 exports, at most 6 at a time",
        "7 of 14 exports done, about 30 s left, waiting for the columns of user",
    ]


def test_bar_needs_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    stderr = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)
    progress = planned(pages=2)
    progress.task_done()
    progress.close()
    assert stderr.getvalue() == ""


def test_terminal_has_a_bar_and_no_lines(
    clock: Clock, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    progress = planned(pages=2)
    caplog.clear()
    for _ in range(2):
        clock.now += 60
        progress.add_rows(1_234, "pages")
        progress.show_waiting("pages")
        progress.task_done()
    progress.close()
    assert isinstance(sys.stderr, Terminal)
    drawn = sys.stderr.getvalue()
    assert "1/2" in drawn
    assert "2,468 rows" in drawn
    assert "reading pages" in drawn
    assert caplog.messages == []


def test_bar_shows_what_the_run_waits_for(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the user cannot know why the bar does not move."""
    monkeypatch.setattr(sys, "stderr", Terminal())
    progress = planned(pages=2)
    for _ in range(10):
        clock.now += 0.5
        progress.show_waiting("pages, domain_id 1")
    assert isinstance(sys.stderr, Terminal)
    assert "waiting for pages, domain_id 1 (for 4 s)" in sys.stderr.getvalue()
    progress.close()


def test_bar_is_redrawn_at_most_five_times_a_second(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    progress = planned(pages=2)
    for _ in range(100):
        clock.now += 0.05
        progress.show_waiting("pages")
    assert isinstance(sys.stderr, Terminal)
    drawn = sys.stderr.getvalue()
    progress.close()
    assert "waiting for pages (for 4 s)" in drawn
    assert drawn.count("waiting for pages") <= 26, "redrawn five times a second at most"


def test_metrics_are_silenced_while_there_is_a_bar(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    metrics = logging.getLogger("singer_sdk.metrics")
    monkeypatch.setattr(sys, "stderr", Terminal())
    progress = planned(pages=2)
    metrics.warning("METRIC while it is drawn")
    progress.close()
    metrics.warning("METRIC after that")
    assert [m for m in caplog.messages if "METRIC" in m] == ["METRIC after that"]


@pytest.mark.parametrize("way", [{}, {"flattening_enabled": True, "flattening_max_depth": 1}])
def test_rows_are_counted_equally_in_chunks_and_as_single_records(
    way: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    table = Table({"id": {"type": "integer"}}, [{"id": number} for number in range(1234)])
    assert run_of(tap_of(table)(config=way)).error == ""
    (end,) = [message for message in caplog.messages if message.startswith("Done after ")]
    assert ": 1,234 rows (figures 1,234), " in end
