"""The ids of unfinished jobs in the state."""

from __future__ import annotations

import json
import threading
from datetime import date
from typing import Any

import pytest
from tap_kit import JobFailed
from tap_kit.flow.tasks import Task, WindowTask
from tap_kit.flow.windows import Window
from tap_kit.jobs.book import JobBook

from tests.kit.canned import ID, TEXT, Table, tap_of

DAYS = {"start_date": "2024-01-01", "end_date": "2024-01-02"}
FIRST, SECOND = (Window(date(2024, 1, day), date(2024, 1, day)) for day in (1, 2))


def daily(*, sites: bool = False, **more: Any) -> Any:
    """Return a tap with one windowed stream, and that stream."""
    table = Table(
        {"id": ID, "date": TEXT},
        [],
        replication_key="date",
        partitions=({"site": 1}, {"site": 2}) if sites else None,
    )
    tap = tap_of(table)(config=DAYS, **more)
    return tap, tap.streams["figures"]


def test_recorded_ids_are_in_the_state_after_write_to_state() -> None:
    tap, stream = daily()
    tap.run.jobs.record(WindowTask(stream, {}, FIRST), {"id": "a"})
    tap.run.jobs.record(WindowTask(stream, {}, FIRST), {"id": "b"}, "part 2")
    assert "figures" not in tap.state.get("bookmarks", {})
    assert tap.run.jobs.write_to_state()
    assert not tap.run.jobs.write_to_state(), "nothing new since the last call"
    kept = {"2024-01-01": {"id": "a"}, "2024-01-01 part 2": {"id": "b"}}
    assert tap.state["bookmarks"]["figures"] == {"jobs": kept}


def test_each_partition_has_its_own_ids() -> None:
    tap, stream = daily(sites=True)
    for site in (1, 2):
        tap.run.jobs.record(WindowTask(stream, {"site": site}, FIRST), {"id": f"of {site}"})
    tap.run.jobs.write_to_state()
    assert tap.state["bookmarks"]["figures"]["partitions"] == [
        {"context": {"site": site}, "jobs": {"2024-01-01": {"id": f"of {site}"}}} for site in (1, 2)
    ]


@pytest.mark.parametrize("partition", [{}, {"site": 2}], ids=["whole", "partition"])
def test_next_run_finds_the_ids(partition: dict[str, Any]) -> None:
    tap, stream = daily(sites=bool(partition))
    task = WindowTask(stream, partition, FIRST)
    tap.run.jobs.record(task, {"id": "a"})
    tap.run.jobs.record(task, {"id": "b"}, "p")
    tap.run.jobs.write_to_state()
    next_tap, stream = daily(sites=bool(partition), state=json.loads(json.dumps(tap.state)))
    task = WindowTask(stream, partition, FIRST)
    assert next_tap.run.jobs.known(task) == {"id": "a"}
    assert next_tap.run.jobs.known(task, "p") == {"id": "b"}
    assert next_tap.run.jobs.known(task, "q") is None
    assert next_tap.run.jobs.known(WindowTask(stream, partition, SECOND)) is None
    assert next_tap.run.jobs.known(WindowTask(stream, {"site": 3}, FIRST)) is None


def test_forget_up_to_removes_all_jobs_of_the_window() -> None:
    tap, stream = daily()
    for window, part in [(FIRST, ""), (FIRST, "p"), (SECOND, "")]:
        tap.run.jobs.record(WindowTask(stream, {}, window), {"id": "a"}, part)
    tap.run.jobs.forget_up_to(WindowTask(stream, {}, FIRST))
    assert tap.state["bookmarks"]["figures"] == {"jobs": {"2024-01-02": {"id": "a"}}}
    tap.run.jobs.forget_up_to(WindowTask(stream, {}, SECOND))
    assert "jobs" not in tap.state["bookmarks"]["figures"]


def test_forget_removes_a_cancelled_job_from_the_state() -> None:
    tap, stream = daily()
    for window in (FIRST, SECOND):
        tap.run.jobs.record(WindowTask(stream, {}, window), {"id": "a"})
    tap.run.jobs.write_to_state()
    tap.run.jobs.forget(WindowTask(stream, {}, FIRST))
    assert tap.run.jobs.write_to_state(), "a forgotten job is a change"
    assert tap.state["bookmarks"]["figures"] == {"jobs": {"2024-01-02": {"id": "a"}}}
    tap.run.jobs.forget(WindowTask(stream, {}, SECOND))
    tap.run.jobs.write_to_state()
    assert "jobs" not in tap.state["bookmarks"]["figures"]


def test_no_record_is_lost_between_threads() -> None:
    tap, stream = daily()
    task, go = WindowTask(stream, {}, FIRST), threading.Barrier(9)

    def record(worker: int) -> None:
        go.wait(20)
        for number in range(100):
            tap.run.jobs.record(task, {"id": "a"}, f"{worker}-{number}")

    threads = [threading.Thread(target=record, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    go.wait(20)
    while any(thread.is_alive() for thread in threads):
        tap.run.jobs.write_to_state()
    tap.run.jobs.write_to_state()
    assert len(tap.state["bookmarks"]["figures"]["jobs"]) == 800


def test_forget_up_to_keeps_the_jobs_of_other_partitions() -> None:
    tap, stream = daily(sites=True)
    for site in (1, 2):
        tap.run.jobs.record(WindowTask(stream, {"site": site}, FIRST), {"id": f"of {site}"})
    tap.run.jobs.forget_up_to(WindowTask(stream, {"site": 2}, FIRST))
    assert tap.state["bookmarks"]["figures"]["partitions"] == [
        {"context": {"site": 1}, "jobs": {"2024-01-01": {"id": "of 1"}}},
        {"context": {"site": 2}},
    ]


def test_forget_up_to_without_jobs_does_not_change_the_state() -> None:
    tap, stream = daily()
    tap.run.jobs.forget_up_to(WindowTask(stream, {}, FIRST))
    assert tap.state["bookmarks"]["figures"] == {}


def test_partitions_are_in_plan_order_in_the_state() -> None:
    tap, stream = daily(sites=True)
    for site in (2, 1):
        tap.run.jobs.record(WindowTask(stream, {"site": site}, FIRST), {"id": "a"})
    tap.run.jobs.write_to_state()
    places = [part["context"] for part in tap.state["bookmarks"]["figures"]["partitions"]]
    assert places == [{"site": 1}, {"site": 2}]


def test_job_without_a_window_has_the_name_all() -> None:
    tap, stream = daily()
    tap.run.jobs.record(Task(stream, {}), {"id": "a"})
    tap.run.jobs.write_to_state()
    assert tap.state["bookmarks"]["figures"] == {"jobs": {"all": {"id": "a"}}}


@pytest.mark.parametrize("ids", ["a", 5, ["a"], None])
def test_state_without_ids_has_no_known_job(ids: object) -> None:
    state = {"bookmarks": {"figures": {"jobs": {"2024-01-01": ids}}}}
    tap, stream = daily(state=state)
    assert tap.run.jobs.known(WindowTask(stream, {}, FIRST)) is None


def test_job_belongs_to_one_request() -> None:
    book = JobBook()
    book.claim("q1", ("report", "2024-02-01"))
    book.claim("q1", ("report", "2024-02-01"))
    book.claim("q2", ("report", "2024-02-02"))
    with pytest.raises(JobFailed, match=r"^the server returned the job of another request$"):
        book.claim("q1", ("report", "2024-02-02"))


def test_jobs_of_a_partition_with_a_failed_window_stay() -> None:
    """They may still be running."""
    tap, stream = daily(sites=True)
    tasks = [WindowTask(stream, {"site": site}, FIRST) for site in (1, 2)]
    for task in tasks:
        tap.run.jobs.record(task, {"id": "a"})
    stream.failures.of(tasks[0].partition).add(tasks[0], JobFailed("alas"))
    for task in tasks:
        stream.forget_jobs(task)
    assert [tap.run.jobs.known(task) for task in tasks] == [{"id": "a"}, None]
