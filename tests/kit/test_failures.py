"""Errors that end a window or a partition: they are logged, and the others are read."""

from __future__ import annotations

import logging
import re
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar
from unittest.mock import patch

import pytest
import tap_kit.run.progress
from tap_kit.errors import JobFailed, PartitionUnavailable, SyncFailed
from tap_kit.flow.tasks import Result, Task
from typing_extensions import override

from tests.kit.canned import ID, TEXT, CannedStream, CannedTap, Run, Table, run_of, tap_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_kit.flow.tasks import Partition, WindowTask
    from tap_kit.tap import KitTap

DAYS = {"start_date": "2024-01-01", "end_date": "2024-01-04"}
SITES = tuple({"site": number} for number in (1, 2))
LONG_S = 20  # no wait takes that long unless the test fails


def run_until(
    error: Exception | None,
    site: int = 1,
    day: int = 2,
    taps: list[KitTap] | None = None,
    **config: Any,
) -> Run:
    """Run a tap in which one day of one site fails."""

    def read(task: WindowTask) -> list[dict[str, Any]]:
        if error is not None and (task.partition["site"], task.window.first.day) == (site, day):
            raise error
        return [{"id": task.window.first.day, "site": task.partition["site"]}]

    properties = {"id": ID, "site": ID, "date": TEXT}
    table = Table(properties, read, partitions=SITES, replication_key="date")
    tap = tap_of(table)(config={**DAYS, **config})
    if taps is not None:
        taps.append(tap)
    return run_of(tap)


def rows(run: Run) -> list[tuple[int, int]]:
    return [(record["site"], record["id"]) for record in run.records]


def test_failed_job_is_logged_and_ends_the_run_with_its_name(
    caplog: pytest.LogCaptureFixture,
) -> None:
    done = run_until(JobFailed("no disk"), max_concurrency=8)
    assert rows(done) == [(1, 1), (1, 3), (1, 4), (2, 1), (2, 2), (2, 3), (2, 4)]
    assert done.error == (
        "All other streams are complete; these failed: figures, site 1, 2024-01-02"
    )
    logged = [(r.levelname, r.getMessage()) for r in caplog.records if "failed: " in r.getMessage()]
    assert logged == [("ERROR", "figures, site 1, 2024-01-02: failed: no disk")]


def test_sdk_does_not_log_the_error_with_a_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    done = run_until(SyncFailed("no more"))
    assert done.error == "no more"
    assert [r.getMessage() for r in caplog.records if r.exc_info] == []
    assert "unhandled" not in caplog.text
    assert "Beginning" in caplog.text, "other log lines of the SDK stay"


@pytest.mark.parametrize("error", [None, PartitionUnavailable("no"), JobFailed("no")], ids=repr)
def test_all_tasks_are_counted_as_done_including_skipped_ones(
    error: Exception | None,
) -> None:
    """Otherwise the bar of a finished run would not be full."""
    taps: list[KitTap] = []
    run_until(error, taps=taps)
    (progress,) = [tap.run.progress for tap in taps]
    assert (progress.done, progress.tasks) == (8, 8)


@pytest.mark.parametrize(("error", "how"), [(None, "Done"), (SyncFailed("no"), "Stopped early")])
def test_summary_says_how_the_run_ended(
    error: Exception | None, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    run_until(error)
    ends = [m for m in caplog.messages if re.search(r" after \d+ s: ", m)]
    assert len(ends) == 1
    assert ends[0].startswith(f"{how} after 0 s: ")


@dataclass(frozen=True)
class PartTask(Task):
    """A task that reads one of two parts of a site."""

    part: int = 1


class Chained(CannedStream[PartTask]):
    """A stream whose first task always has a follow-up."""

    name = "chained"
    schema: ClassVar[dict[str, Any]] = {"type": "object", "properties": {"id": ID}}
    primary_keys = ("id",)
    table = Table({}, (), partitions=SITES)

    @override
    def tasks(self, partition: Partition) -> Iterator[PartTask]:
        yield PartTask(self, partition)

    @override
    def fetch(self, task: PartTask) -> Result:
        if task.partition["site"] == 1:
            raise PartitionUnavailable("gone")  # noqa: EM101
        return Result(self.checked([{"id": task.part}]))

    @override
    def follow_ups(self, task: PartTask, result: Result) -> Iterator[PartTask]:
        assert isinstance(result, Result)
        if task.part == 1:
            yield replace(task, part=2)


@pytest.mark.parametrize("limit", [None, 5])
def test_refused_task_has_no_follow_ups(limit: int | None) -> None:
    class Tap(CannedTap):
        @override
        def discover_streams(self) -> list[Any]:
            return [Chained(self, self.run)]

    tap = Tap(config=DAYS)
    tap.streams["chained"].ABORT_AT_RECORD_COUNT = limit
    done = run_of(tap)
    assert done.error == ""
    assert [record["id"] for record in done.records] == [1, 2]


def test_progress_names_the_task_that_the_run_waits_for(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tap_kit.run.progress, "INTERVAL_S", 0)
    caplog.set_level("INFO")
    is_logged = threading.Event()

    class Watch(logging.Handler):
        @override
        def emit(self, record: logging.LogRecord) -> None:
            if "waiting for" in record.getMessage():
                is_logged.set()

    def read(_task: Task) -> list[dict[str, Any]]:
        assert is_logged.wait(LONG_S)
        return [{"id": 1}]

    tap = tap_of(Table({"id": ID}, read))(config=DAYS)
    tap.logger.addHandler(watch := Watch())
    try:
        assert run_of(tap).error == ""
    finally:
        tap.logger.removeHandler(watch)
    logged = [m for m in caplog.messages if "waiting for" in m]
    assert logged
    assert all(m.endswith("waiting for figures") for m in logged)


@pytest.mark.parametrize(
    ("missing", "lines"), [((1, 2), ["figures: is the address right?"]), ((1,), [])], ids=str
)
def test_hint_is_logged_if_the_vendor_knows_no_partition(
    missing: tuple[int, ...], lines: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Then the cause is a setting rather than a partition that was deleted."""

    def read(task: WindowTask) -> list[dict[str, Any]]:
        msg = "not found"
        raise PartitionUnavailable(msg, status=404 if task.partition["site"] in missing else 403)

    table = Table({"id": ID, "date": TEXT}, read, partitions=SITES, replication_key="date")
    tap = tap_of(table)(config=DAYS)
    with patch.object(type(tap.streams["figures"]), "missing_hint", "is the address right?"):
        done = run_of(tap)
    assert [text for text in caplog.messages if "address" in text] == lines
    assert ("figures" in (done.error or "")) == bool(lines)
