"""A window that cannot be read costs only itself, and no bookmark passes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tap_kit.errors import JobFailed, PartitionUnavailable
from tap_kit.flow.failures import PartitionFailures

from tests.kit.canned import ID, TEXT, Run, Table, run_of, tap_of

if TYPE_CHECKING:
    from tap_kit.flow.tasks import WindowTask

DAYS = 9
SETTINGS = {"start_date": "2024-01-01", "end_date": f"2024-01-0{DAYS}"}
ERRORS = {"refused": PartitionUnavailable("HTTP 403", status=403), "failed": JobFailed("no disk")}


@dataclass
class Vendor:
    """One partition whose days end in the errors of ``ends``, by their number."""

    ends: dict[int, str]
    streams: tuple[str, ...] = ("figures",)
    asked: set[int] = field(default_factory=set)

    def read(self, task: WindowTask) -> list[dict[str, Any]]:
        """Return the row of a day."""
        day = task.window.first.day
        self.asked.add(day)
        if day in self.ends:
            raise ERRORS[self.ends[day]]
        return [{"id": day, "site": 1, "date": task.window_name}]

    def run(self, workers: int = 1, state: dict[str, Any] | None = None) -> Run:
        """Run the tap over all days."""
        tables = [
            Table(
                {"id": ID, "site": ID, "date": TEXT},
                self.read,
                name=name,
                partitions=({"site": 1},),
                replication_key="date",
            )
            for name in self.streams
        ]
        settings = {**SETTINGS, "max_concurrency": workers}
        return run_of(tap_of(*tables)(config=settings, state=state))


def days_in(run: Run) -> list[int]:
    """Return the days that were written."""
    return [record["id"] for record in run.records]


def bookmark_of(run: Run) -> str | None:
    """Return the last bookmark."""
    bookmarks = run.of("STATE")[-1]["value"]["bookmarks"] if run.of("STATE") else {}
    parts = bookmarks.get("figures", {}).get("partitions", [{}])
    value: str | None = parts[0].get("replication_key_value")
    return value


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("kind", ERRORS)
def test_other_windows_are_read_and_the_bookmark_stays_before_the_failed_one(
    kind: str, workers: int, caplog: pytest.LogCaptureFixture
) -> None:
    done = Vendor({4: kind}).run(workers)
    assert days_in(done) == [1, 2, 3, 5, 6, 7, 8, 9]
    assert bookmark_of(done) == "2024-01-03"
    assert done.error.endswith("these failed: figures, site 1, 2024-01-04")
    lines = [m for m in caplog.messages if m.startswith("figures, site 1")]
    assert lines == [f"figures, site 1, 2024-01-04: failed: {ERRORS[kind]}"]


def test_next_run_reads_the_failed_window_again() -> None:
    state = Vendor({4: "failed"}).run().of("STATE")[-1]["value"]
    again = Vendor({}).run(state=state)
    assert days_in(again) == [3, 4, 5, 6, 7, 8, 9]
    assert bookmark_of(again) == "2024-01-09"


@pytest.mark.parametrize("workers", [1, 4])
def test_three_failed_windows_in_a_row_end_the_partition(
    workers: int, caplog: pytest.LogCaptureFixture
) -> None:
    vendor = Vendor({3: "failed", 4: "refused", 5: "failed"})
    done = vendor.run(workers)
    assert days_in(done) == [1, 2]
    assert bookmark_of(done) == "2024-01-02"
    assert "figures, site 1: 3 windows in a row failed; the next run reads the rest" in (
        caplog.messages
    )
    assert all(f"2024-01-0{day}" in done.error for day in (3, 4, 5))
    assert workers > 1 or vendor.asked <= {1, 2, 3, 4, 5, 6, 7}


def test_partition_whose_windows_are_all_refused_is_one_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    vendor = Vendor(dict.fromkeys(range(1, DAYS + 1), "refused"), ("figures", "totals"))
    done = vendor.run()
    assert (days_in(done), done.error) == ([], "")
    lines = [r for r in caplog.records if "skipped" in r.getMessage()]
    warnings = [r.getMessage() for r in lines if r.levelname == "WARNING"]
    assert warnings == ["figures, site 1: skipped: HTTP 403"]
    assert "totals, site 1: skipped: HTTP 403" in [r.getMessage() for r in lines]


@given(
    ends=st.dictionaries(st.integers(1, DAYS), st.sampled_from([*ERRORS]), max_size=DAYS),
    workers=st.sampled_from([1, 3]),
)
def test_bookmark_never_passes_a_window_that_was_not_read(
    ends: dict[int, str], workers: int
) -> None:
    done = Vendor(ends).run(workers)
    written, value = days_in(done), bookmark_of(done)
    passed = 0 if value is None else int(value[-2:])
    assert set(range(1, passed + 1)) <= set(written)
    assert written == sorted(set(written) - ends.keys())
    runs_of_three = any({d, d + 1, d + 2} <= ends.keys() for d in range(1, DAYS - 1))
    if not runs_of_three:
        assert written == [day for day in range(1, DAYS + 1) if day not in ends]
    is_refused = all(ends.get(day) == "refused" for day in (1, 2, 3, DAYS))
    assert bool(done.error) == (bool(ends) and not is_refused)


@pytest.mark.parametrize("is_whole", [True, False])
def test_partition_with_a_failed_job_is_not_refused_as_a_whole(is_whole: bool) -> None:  # noqa: FBT001
    failures, task = PartitionFailures(), cast("Any", SimpleNamespace(window_name="2024-01-01"))
    failures.add(task, PartitionUnavailable("no", status=403))
    if not is_whole:
        failures.add(task, JobFailed("no"))
    assert failures.is_refused_as_a_whole == is_whole
