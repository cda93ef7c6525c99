"""What ends a partition or a stream: told in words, and nothing behind it is written."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

import tap_kit.progress
from tap_kit.errors import JobFailed, PartitionUnavailable, SyncFailed
from typing_extensions import override

from tests.kit.canned import ID, TEXT, Run, Table, run_of, tap_of

if TYPE_CHECKING:
    import pytest
    from tap_kit.tasks import Task

DAYS = {"start_date": "2024-01-01", "end_date": "2024-01-04"}
SITES = tuple({"site": number} for number in (1, 2))
LONG_S = 20  # nothing waits that long unless the test has failed


def run_until(error: Exception | None, site: int = 1, day: int = 2, **config: Any) -> Run:
    """A run in which one day of one site cannot be read; all others can, at once."""

    def read(task: Task) -> list[dict[str, Any]]:
        assert task.partition is not None
        assert task.window is not None
        if error is not None and (task.partition["site"], task.window.first.day) == (site, day):
            raise error
        return [{"id": task.window.first.day, "site": task.partition["site"]}]

    properties = {"id": ID, "site": ID, "date": TEXT}
    table = Table(properties, read, partitions=SITES, replication_key="date")
    return run_of(tap_of(table)(config={**DAYS, **config}))


def rows(run: Run) -> list[tuple[int, int]]:
    return [(record["site"], record["id"]) for record in run.records]


def test_behind_a_refused_day_nothing_of_that_partition_is_written(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Although the days behind it were read ahead: there would be a hole."""
    done = run_until(PartitionUnavailable("HTTP 403"), max_concurrency=8)
    assert rows(done) == [(1, 1), (2, 1), (2, 2), (2, 3), (2, 4)]
    assert done.error == ""
    told = [(r.levelname, r.getMessage()) for r in caplog.records if "skipped" in r.getMessage()]
    assert told == [("WARNING", "figures, site 1, 2024-01-02: skipped: HTTP 403")]


def test_a_job_that_failed_is_an_error_and_ends_the_run_with_its_name(
    caplog: pytest.LogCaptureFixture,
) -> None:
    done = run_until(JobFailed("no disk"), max_concurrency=8)
    assert rows(done) == [(1, 1), (2, 1), (2, 2), (2, 3), (2, 4)]
    assert done.error == (
        "All other streams are complete, these failed: figures, site 1, 2024-01-02"
    )
    told = [(r.levelname, r.getMessage()) for r in caplog.records if "given up" in r.getMessage()]
    assert told == [("ERROR", "figures, site 1, 2024-01-02: given up: no disk")]


def test_the_sdk_does_not_say_with_a_traceback_what_the_command_line_says_in_a_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    done = run_until(SyncFailed("no more"))
    assert done.error == "no more"
    assert [r.getMessage() for r in caplog.records if r.exc_info] == []
    assert "unhandled" not in caplog.text
    assert "Beginning" in caplog.text, "what else the SDK says stays"


def test_what_is_waited_for_is_told_while_it_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tap_kit.progress, "INTERVAL_S", 0)
    caplog.set_level("INFO")
    told_of = threading.Event()

    class Watch(logging.Handler):
        @override
        def emit(self, record: logging.LogRecord) -> None:
            if "waiting for" in record.getMessage():
                told_of.set()

    def read(_task: Task) -> list[dict[str, Any]]:
        assert told_of.wait(LONG_S)
        return [{"id": 1}]

    tap = tap_of(Table({"id": ID}, read))(config=DAYS)
    tap.logger.addHandler(watch := Watch())
    try:
        assert run_of(tap).error == ""
    finally:
        tap.logger.removeHandler(watch)
    told = [m for m in caplog.messages if "waiting for" in m]
    assert told
    assert all(m.endswith("waiting for figures") for m in told)
